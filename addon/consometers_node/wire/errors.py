"""What cannot be said over the wire, or was said and has no counterpart here."""

from consometers_node.quoalise import Text


class Unsayable(Exception):
    """A person can read why, and what to do, in `text`."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.say())
        self.text = text
