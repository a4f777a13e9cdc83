"""Faults: of the inverter's data, of the transport, and of its production."""

from collections.abc import Set
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Night(StrEnum):
    """The behaviour of a sleeping inverter: answer, not even listen, or listen and be silent."""

    ANSWERS = "answers"
    REFUSES = "refuses"
    SILENT = "silent"


class Scales(StrEnum):
    """The behaviour of scale factors: stay, change from second to second, or make no sense."""

    STEADY = "steady"
    CHANGING = "changing"
    GARBAGE = "garbage"


class Stranger(StrEnum):
    """The behaviour for a missing unit."""

    SILENT = "silent"
    GATEWAY = "gateway"


class State(IntEnum):
    """Operating state, as models 101 to 160 number it."""

    OFF = 1
    SLEEPING = 2
    STARTING = 3
    MPPT = 4
    THROTTLED = 5
    SHUTTING_DOWN = 6
    FAULT = 7


@dataclass(slots=True)
class Faults:
    """Faults of the inverter's data. Seconds are the inverter's, Unix."""

    zeros_until: int = 0
    """Before it, every energy register is 0."""
    zeros_at_dawn_s: int = 0
    """So long after it has woken up, too."""
    missing: Set[str] = frozenset()
    """Points of any model that are not implemented."""
    without: Set[int] = frozenset()
    """Models that are not in the map: those that follow move forward."""
    cut: int | None = None
    """The map ends after so many registers, in the middle of whatever is there."""
    scales: Scales = Scales.STEADY


@dataclass(slots=True)
class WireFaults:
    """Faults of the transport. A rate is the part of requests that it happens to."""

    delay_s: float = 0.0
    silent: float = 0.0
    """Rate of requests that are not answered."""
    busy: float = 0.0
    illegal: float = 0.0
    """Rate of those that are refused: the address is illegal."""
    dropped: float = 0.0
    """Rate of answers in the middle of which the connection is closed."""
    mistaken: float = 0.0
    """Rate of answers that are to another transaction."""
    lonely: bool = False
    """Only one connection at a time: others are closed at once."""
    stranger: Stranger = Stranger.SILENT
    night: Night = Night.ANSWERS


@dataclass(slots=True)
class Limit:
    """The inverter makes only a part of what it could. `end` is None while it lasts.

    The house and its Linky ignore this: they go on as if everything were produced.
    """

    start: int
    part: float
    state: State
    end: int | None = None

    def covers(self, second: int) -> bool:
        return self.start <= second and (self.end is None or second < self.end)
