"""Which readings of an inverter to believe: pure rules, given a reading and its time.

Times are seconds, Unix: they are compared over restarts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from math import inf, nextafter
from typing import Any, Final

from .readings import Operating, Reading

FORGIVEN: Final = 2
"""Failed polls in a row before an inverter counts as unavailable."""
DAWN_S: Final = 5_400
"""How long after sunrise an inverter may still sleep: the sun is low, or behind a hill."""
CONFIRMED: Final = 5
CONFIRMED_S: Final = 120
"""A counter that goes elsewhere is believed after so many readings, and so long."""

_UNKNOWN_RATING_W: Final = 100_000.0
_SLACK_WH: Final = 1_000.0
"""Some count in kWh."""
_DIM_W: Final = 50.0


class Presence(Enum):
    """Whether an inverter answers."""

    AWAKE = auto()
    ASLEEP = auto()
    """It does not, as inverters do at night."""
    AWAY = auto()


class Event(Enum):
    """An event of a counter."""

    RESTARTED = auto()
    JUMPED = auto()


@dataclass(slots=True)
class _Elsewhere:
    """Where a counter went, or began, until that is believed."""

    first_wh: float
    since: float
    last_wh: float
    at: float
    times: int = 1


@dataclass(slots=True)
class Counter:
    """Energy over a lifetime, from a register that may restart or jump.

    The total never falls and takes no leap: what the register leaves out or adds is made up for
    by an offset.
    """

    read_wh: float | None = None
    at: float = 0.0
    offset_wh: float = 0.0
    _elsewhere: _Elsewhere | None = field(default=None, repr=False)

    @property
    def total_wh(self) -> float | None:
        return None if self.read_wh is None else self.read_wh + self.offset_wh

    def update(self, read_wh: float | None, at: float, most_w: float) -> Event | None:
        """Take a reading. At most `most_w` can be made.

        Zero is what SunSpec calls "not accumulated": inverters show it while they wake up.
        """
        if read_wh is None or read_wh <= 0:
            return None
        if self.read_wh is None:
            self._begin(read_wh, at, most_w)
            return None
        rise_wh = read_wh - self.read_wh
        if 0 <= rise_wh <= self._most_wh(most_w, at - self.at):
            self.read_wh, self.at, self._elsewhere = read_wh, at, None
            return None
        if 0 < -rise_wh <= self._coarseness_wh(self.read_wh):
            # The scale factor changed, and the last digits are gone.
            self._elsewhere = None
            return None
        return self._go(read_wh, at, most_w)

    @property
    def unsure(self) -> bool:
        """Whether it was read, and is not believed yet."""
        return self.read_wh is None and self._elsewhere is not None

    def _begin(self, read_wh: float, at: float, most_w: float) -> None:
        """Believe what a second reading agrees with: nothing else shows whether it can be."""
        first = self._elsewhere
        if first is not None:
            rise_wh = read_wh - first.last_wh
            least_wh = -self._coarseness_wh(first.last_wh)
            if least_wh <= rise_wh <= self._most_wh(most_w, at - first.at):
                self.read_wh, self.at = max(read_wh, first.last_wh), at
                self._elsewhere = None
                return
        self._elsewhere = _Elsewhere(read_wh, at, read_wh, at)

    def _go(self, read_wh: float, at: float, most_w: float) -> Event | None:
        gone = self._elsewhere
        if gone is None or not (0 <= read_wh - gone.last_wh <= self._most_wh(most_w, at - gone.at)):
            self._elsewhere = _Elsewhere(read_wh, at, read_wh, at)
            return None
        gone.last_wh, gone.at, gone.times = read_wh, at, gone.times + 1
        if gone.times < CONFIRMED or at - gone.since < CONFIRMED_S:
            return None
        assert self.read_wh is not None
        total_wh = self.read_wh + self.offset_wh
        restarted = gone.first_wh < self.read_wh
        counted_since = restarted and gone.first_wh <= self._most_wh(most_w, gone.since - self.at)
        if counted_since:
            # All that is on the counter was made after it began again.
            self.offset_wh = total_wh
        else:
            self.offset_wh = total_wh - gone.first_wh
            if gone.first_wh + self.offset_wh < total_wh:
                # The difference was rounded down.
                self.offset_wh = nextafter(self.offset_wh, inf)
        self.read_wh, self.at, self._elsewhere = read_wh, at, None
        return Event.RESTARTED if restarted else Event.JUMPED

    @staticmethod
    def _coarseness_wh(read_wh: float) -> float:
        return min(_SLACK_WH, max(10.0, read_wh / 100))

    @staticmethod
    def _most_wh(most_w: float, seconds: float) -> float:
        return _SLACK_WH + most_w * max(seconds, 0.0) / 3_600


class InverterState:
    """The state of one inverter: the last reading, its totals, whether it answers."""

    def __init__(self) -> None:
        """Start without a reading."""
        self.reading: Reading | None = None
        self.presence = Presence.AWAY
        self.counters: dict[str, Counter] = {}
        self._misses = 0
        self._sunrise: float | None = None

    @property
    def awake(self) -> bool:
        return self.presence is Presence.AWAKE

    @property
    def operating(self) -> Operating | None:
        """Its operating state; one that does not answer at night sleeps."""
        if self.presence is Presence.ASLEEP:
            return Operating.SLEEPING
        return None if self.reading is None else self.reading.production.operating

    @property
    def unsure(self) -> bool:
        """Whether a counter waits for a second reading before it is shown."""
        return any(each.unsure for each in self.counters.values())

    def total_wh(self, name: str) -> float | None:
        """Return the energy of a counter over its lifetime."""
        counter = self.counters.get(name)
        return None if counter is None else counter.total_wh

    def take(self, reading: Reading, at: float) -> list[tuple[str, Event]]:
        """Add a reading, and return the events of counters."""
        self._misses, self.presence, self._sunrise = 0, Presence.AWAKE, None
        self.reading = _plausible(reading)
        most_w = 1.25 * (reading.rating_w or _UNKNOWN_RATING_W)
        happened = []
        for name, read_wh in _counters(reading):
            # A home's consumption is not bounded by its panels.
            of_meter = name.startswith("meter")
            bound_w = max(most_w, _UNKNOWN_RATING_W) if of_meter else most_w
            event = self.counters.setdefault(name, Counter()).update(read_wh, at, bound_w)
            if event is not None:
                happened.append((name, event))
        return happened

    def miss(self, at: float, *, sun_up: bool) -> None:
        """Record a failed poll."""
        self._misses += 1
        if self.awake and self._misses <= FORGIVEN:
            return
        if not sun_up:
            self.presence, self._sunrise = Presence.ASLEEP, None
        elif self.presence is Presence.ASLEEP:
            self._sunrise = at if self._sunrise is None else self._sunrise
            if at - self._sunrise > DAWN_S:
                self.presence = Presence.AWAY
        elif self.awake and self._fades:
            self.presence = Presence.ASLEEP
        else:
            self.presence = Presence.AWAY

    def remember(self) -> dict[str, Any]:
        """Return the state for the next start, as JSON stores it."""
        return {
            name: {"read_wh": each.read_wh, "at": each.at, "offset_wh": each.offset_wh}
            for name, each in self.counters.items()
        }

    def recall(self, remembered: Mapping[str, Any]) -> None:
        """Restore the state."""
        self.counters = {name: Counter(**each) for name, each in remembered.items()}

    @property
    def _fades(self) -> bool:
        """Whether it was about to fall asleep at the last reading."""
        if self.reading is None:
            return False
        production = self.reading.production
        dim_w = max(_DIM_W, 0.01 * (self.reading.rating_w or 0.0))
        return (
            production.operating is Operating.SLEEPING
            or production.power_w is None
            or production.power_w <= dim_w
        )


def _counters(reading: Reading) -> Iterator[tuple[str, float | None]]:
    yield "energy", reading.production.energy_wh
    for number, string in enumerate(reading.strings, 1):
        yield f"string_{number}_energy", string.energy_wh
    for number, meter in enumerate(reading.meters, 1):
        if meter is not None:
            yield f"meter_{number}_imported", meter.imported_wh
            yield f"meter_{number}_exported", meter.exported_wh


def _plausible(reading: Reading) -> Reading:
    """Drop impossible powers: a scale factor changed between two registers."""
    if not reading.rating_w:
        return reading
    most_w = 2 * reading.rating_w

    def checked(power_w: float | None) -> float | None:
        return None if power_w is None or abs(power_w) > most_w else power_w

    production = replace(
        reading.production,
        power_w=checked(reading.production.power_w),
        dc_power_w=checked(reading.production.dc_power_w),
    )
    strings = tuple(replace(each, power_w=checked(each.power_w)) for each in reading.strings)
    return replace(reading, production=production, strings=strings)
