"""Diagnoses a link, by what has come and when."""

from consometers_tic import LINK_BAD_AFTER_S, Counters

NOISE_AFTER_S = 12.0
"""Time enough for both speeds."""


class Trouble:
    """`key` names the sentence for the person who looks, or is None while all is well."""

    def __init__(self, now: float) -> None:
        """Start to listen at a time, seconds of a monotonic clock."""
        self._since = now
        self._groups = 0
        self.key: str | None = None

    def update(self, counters: Counters, now: float) -> None:
        """Take what was counted until now."""
        if counters.groups > self._groups:
            self._since, self._groups = now, counters.groups
        waited_s = now - self._since
        self.key = None
        if self._groups:
            if waited_s >= LINK_BAD_AFTER_S:
                self.key = "silent"
        elif not counters.bytes:
            if waited_s >= LINK_BAD_AFTER_S:
                self.key = "nothing"
        elif waited_s >= NOISE_AFTER_S:
            self.key = "noise"
