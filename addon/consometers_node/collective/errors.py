"""What can go wrong in a collective, in words for whoever asked for it."""

from typing import ClassVar

from ..quoalise import Text
from ..quoalise.text import text


class CollectiveFault(Exception):
    """Something that cannot be done; `text` says why, and what to do. `condition` is for programs.

    The words name nobody and no series: they may be logged, and told to the peer that asked.
    """

    condition: ClassVar[str] = "not-possible"

    def __init__(self, words: Text) -> None:
        super().__init__(words.say())
        self.text = words


class NotInvited(CollectiveFault):
    """The invitation is unknown, or has ended."""

    condition = "not-invited"


class NotAsked(CollectiveFault):
    """A permission goes beyond what is asked, or answers something that is asked no longer."""

    condition = "not-asked"


class NotYours(CollectiveFault):
    """A permission names what another member shares already."""

    condition = "not-yours"


class Unknown(CollectiveFault):
    """There is no such member, permission, invitation or data need."""

    condition = "unknown"


class NameTaken(CollectiveFault):
    """Two sites would have one name."""

    condition = "name-taken"

    def __init__(self, name: str) -> None:
        super().__init__(
            text(
                "There is a site named “{name}” already: choose another name.",
                "Il y a déjà un site nommé « {name} » : choisissez un autre nom.",
            ).fill(name=name)
        )


class Nameless(CollectiveFault):
    """A home is to be named."""

    def __init__(self) -> None:
        super().__init__(
            text(
                "A home has no name here but its pseudonym: only a site or a collective has one.",
                "Un foyer n’a pas d’autre nom ici que son pseudonyme : seul un site ou un collectif"
                " en a un.",
            )
        )
