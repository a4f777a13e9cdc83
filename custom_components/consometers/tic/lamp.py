"""The lamp that a receiver shows for its link to the meter. Source: Enedis-NOI-CPT_54E annex A."""

from .decoder import Frame

LINK_BAD_AFTER_S = 10.0


class Lamp:
    """Good from one correct frame on, until ten seconds go by without another."""

    def __init__(self) -> None:
        """Start dark: nothing has been received."""
        self._last_correct: float | None = None

    def update(self, frames: list[Frame], at: float) -> None:
        """Take the frames that came at `at` seconds of a monotonic clock."""
        if any(frame.correct for frame in frames):
            self._last_correct = at

    def is_good(self, at: float) -> bool:
        """Return whether the link is good at that time."""
        return self._last_correct is not None and at - self._last_correct < LINK_BAD_AFTER_S
