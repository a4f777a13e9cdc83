"""When entities of a meter are written: many of its values differ in every frame."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from ..const import (
    CONF_POWER_INTERVAL,
    CONF_REGISTER_INTERVAL,
    DEFAULT_POWER_INTERVAL,
    DEFAULT_REGISTER_INTERVAL,
)


class Pace(StrEnum):
    """When an entity is written."""

    POWER = "power"
    """At the interval for power."""
    REGISTER = "register"
    """At the interval for registers."""
    CHANGE = "change"
    """As soon as it changes."""


class Pacing:
    """Knows which of the paces with an interval are due."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Start with all of them due."""
        self._intervals: dict[Pace, float] = {
            Pace.POWER: options.get(CONF_POWER_INTERVAL, DEFAULT_POWER_INTERVAL),
            Pace.REGISTER: options.get(CONF_REGISTER_INTERVAL, DEFAULT_REGISTER_INTERVAL),
        }
        self.restart()

    def restart(self) -> None:
        """Have them due once the meter is heard: it is another one, or speaks another mode."""
        self._reading_count = 0
        self._written_at = dict.fromkeys(self._intervals, float("-inf"))

    def take_due(self, reading_count: int, at: float) -> set[Pace]:
        """Return what is due now. A value that was unknown is shown at once."""
        if reading_count > self._reading_count:
            self.restart()
        self._reading_count = reading_count
        due = {
            pace
            for pace, interval in self._intervals.items()
            if at - self._written_at[pace] >= interval
        }
        self._written_at |= dict.fromkeys(due, at)
        return due
