"""What a home makes, consumes itself, injects and draws: pure sums of what its sources count.

Sources report their counters at different moments. All are taken at one: the latest for which each
has said something, between two readings in proportion to time. Sums are differences of counters
since the beginning, so nothing adds up that is not exact. Times are seconds, Unix.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from functools import partial
from math import isfinite
from operator import itemgetter
from typing import Any, Final, Self

WINDOW_S: Final = 3_600
QUIET_S: Final = 900
"""A counter without a reading for this long is taken to stand still."""
_RESTARTED: Final = 0.9
"""A counter below this part of itself has started again, as Home Assistant's statistics have it."""
GLITCH_S: Final = 600
"""A counter that is back where it was so soon did not start again: one reading was wrong."""
_KNOWN_WITHIN_S: Final = 3_600
"""What a counter said between two readings further apart than this is not known."""
_STILL_WH: Final = 10.0
"""A counter that rose by no more between two readings stood still: panels end a day with a few."""
_ALLOWED_WH: Final = 50.0
_ALLOWED: Final = 1.05
"""Injection may be above production by so much: two devices never measure quite the same."""


class Home(StrEnum):
    """How a home with panels is connected."""

    NO_CONTRACT = "no_contract"
    """Its meter counts what is drawn, and nobody what is injected, unless a source is named."""
    SURPLUS = "surplus"
    """What is not consumed is injected, and counted by the meter."""
    TOTAL_SALE = "total_sale"
    """All that the panels make goes to the grid: sold, or somebody else's."""


@dataclass(slots=True)
class Register:
    """What a counter has counted since the beginning, over its restarts, and when."""

    read_wh: float
    points: list[tuple[float, float]]
    """Moments and totals; never empty."""
    _former: tuple[float, float] | None = field(default=None, repr=False)
    """When it started again, and what it said before."""

    @classmethod
    def from_reading(cls, read_wh: float, at: float) -> Self:
        return cls(read_wh, [(at, 0.0)])

    @property
    def last(self) -> tuple[float, float]:
        return self.points[-1]

    def update(self, read_wh: float, at: float) -> None:
        """Take a reading. Zero is what some say while they start, and no restart yet."""
        before, total_wh = self.last
        if self._former is not None and at - self._former[0] > GLITCH_S:
            self._former = None
        if self._former is not None and read_wh >= _RESTARTED * self._former[1]:
            # Readings of the meantime may have been shown: the total makes up for them.
            total_wh += max(0.0, read_wh - self._former[1] - self.read_wh)
            self.read_wh, self._former = max(read_wh, self._former[1]), None
        elif read_wh >= self.read_wh:
            total_wh += read_wh - self.read_wh
            self.read_wh = read_wh
        elif 0 < read_wh < _RESTARTED * self.read_wh:
            total_wh += read_wh
            self._former = self._former or (at, self.read_wh)
            self.read_wh = read_wh
        if at > before:
            self.points.append((at, total_wh))
        else:
            self.points[-1] = before, total_wh

    def at(self, moment: float) -> float:
        """Return the total at a moment."""
        index = bisect_left(self.points, moment, key=itemgetter(0))
        if index == len(self.points):
            return self.last[1]
        after, total_wh = self.points[index]
        if index == 0 or after == moment:
            return total_wh
        before, less_wh = self.points[index - 1]
        return less_wh + (total_wh - less_wh) * (moment - before) / (after - before)

    def is_known_at(self, moment: float) -> bool:
        """Return whether the readings around a moment tell the total then."""
        index = bisect_left(self.points, moment, key=itemgetter(0))
        if index in (0, len(self.points)):
            return True
        (before, less_wh), (after, total_wh) = self.points[index - 1 : index + 1]
        is_near = moment == after or after - before <= _KNOWN_WITHIN_S
        return is_near or total_wh - less_wh <= _STILL_WH

    def rebase(self, moment: float) -> None:
        """Count from a moment on."""
        counted_wh = self.at(moment)
        self.points = [(at, total_wh - counted_wh) for at, total_wh in self.points]

    def forget(self, moment: float) -> None:
        """Forget what is not needed from a moment on."""
        index = bisect_right(self.points, moment, key=itemgetter(0))
        del self.points[: max(0, index - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The names of the home's counters."""

    production: Sequence[str]
    drawn: str
    injected: str | None = None

    @property
    def all(self) -> set[str]:
        return {self.drawn, *self.production} | ({self.injected} if self.injected else set())


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The start of the counting, and the counters' readings then."""

    at: float
    read_wh: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Energies since a moment. None is what cannot be known."""

    production_wh: float | None = None
    self_consumed_wh: float | None = None
    injected_wh: float | None = None
    drawn_wh: float | None = None

    @property
    def consumed_wh(self) -> float | None:
        """All that the home consumed."""
        return _sum(self.self_consumed_wh, self.drawn_wh)

    @property
    def self_consumption_percent(self) -> float | None:
        """Which part of what was made was consumed here: (production - injection) / production."""
        return _percent(self.self_consumed_wh, self.production_wh)

    @property
    def self_sufficiency_percent(self) -> float | None:
        """Which part of what was consumed was made here."""
        return _percent(self.self_consumed_wh, self.consumed_wh)

    def over(self, former: Sums) -> Sums:
        """Return these, with former values for unknown ones."""
        return self._with(former, lambda now, before: before if now is None else now)

    def at_least(self, other: Sums) -> Sums:
        """Return the larger of each, or the known one."""
        return self._with(other, _larger)

    def since(self, begin: Sums) -> Sums:
        """Return what came after `begin`."""
        return self._with(begin, _difference)

    def _with(
        self, other: Sums, rule: Callable[[float | None, float | None], float | None]
    ) -> Sums:
        mine, others = asdict(self), asdict(other)
        return Sums(**{key: rule(mine[key], others[key]) for key in mine})


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """Powers at one moment, in W."""

    production_w: float | None
    injected_w: float | None
    drawn_w: float | None

    @classmethod
    def from_sources(
        cls,
        home: Home,
        production_w: Sequence[float | None],
        drawn_w: float | None,
        injected_w: float | None,
    ) -> Self:
        """Add up what the sources say. All of them must say something."""
        made_w = _sum(*production_w) if production_w else None
        return cls(
            production_w=made_w,
            injected_w=made_w if home is Home.TOTAL_SALE else injected_w,
            drawn_w=drawn_w,
        )

    @property
    def self_consumed_w(self) -> float | None:
        """What is made and stays here. Sources of different moments may seem to disagree."""
        if self.production_w is None or self.injected_w is None:
            return None
        return max(0.0, self.production_w - self.injected_w)

    @property
    def consumed_w(self) -> float | None:
        return _sum(self.self_consumed_w, self.drawn_w)


@dataclass(slots=True)
class Balance:
    """The sums of one home."""

    home: Home
    sources: Sources
    sums: Sums = field(default_factory=Sums)
    """What was counted since the beginning, up to the moment up to which all sources are known."""
    registers: dict[str, Register] = field(default_factory=dict)
    start: Start | None = None
    """Not known of what was counted by versions that did not remember it."""
    midnight: Sums = field(default_factory=Sums)
    """The sums at the beginning of the day; none while they are not known."""
    _before: Sums = field(default_factory=Sums)
    """What was counted by other sources than those of now."""
    _settled: float | None = None
    """The moment of the sums."""
    _day: float | None = None
    """The moment of that midnight."""
    _window: tuple[float, Sums] | None = None

    def take(self, source: str, read_wh: float, at: float) -> None:
        """Add a reading of a counter."""
        if source in self.registers:
            register = self.registers[source]
            register.update(read_wh, at)
            if self._day is not None and not register.is_known_at(self._day):
                self.midnight = Sums()
        else:
            self.registers[source] = Register.from_reading(read_wh, at)

    def rename(self, former: str, now: str) -> None:
        """Rename a source from now on."""
        if former in self.registers:
            self.registers[now] = self.registers.pop(former)
        if self.start is not None:
            read_wh = self.start.read_wh.items()
            renamed = {now if name == former else name: value for name, value in read_wh}
            self.start = Start(at=self.start.at, read_wh=renamed)
        injected = self.sources.injected
        self.sources = Sources(
            production=[now if each == former else each for each in self.sources.production],
            drawn=now if self.sources.drawn == former else self.sources.drawn,
            injected=now if injected == former else injected,
        )

    def settle(self, now: float) -> Sums:
        """Bring the sums up to date."""
        if not self.sources.all <= self.registers.keys():
            return self.sums
        registers = self.registers.values()
        moment = min(max(register.last[0], now - QUIET_S) for register in registers)
        begin = max(register.points[0][0] for register in registers)
        if moment < begin:
            return self.sums
        if self._settled is None or self._settled < begin:
            if self._settled is None:
                self._begin(begin)
            else:
                self._continue(begin)
            self._settled = begin
        if self._day is not None and self._settled <= self._day <= moment:
            self.sums = self._at(self._day)
            if all(register.is_known_at(self._day) for register in registers):
                self.midnight = self.sums
        self.sums, self._settled = self._at(moment), moment
        for register in registers:
            register.forget(moment)
        return self.sums

    def _begin(self, moment: float) -> None:
        """Count all sources from the first moment on of which none is silent."""
        for register in self.registers.values():
            register.rebase(moment)
        read_wh = {name: each.read_wh - each.last[1] for name, each in self.registers.items()}
        self.start = Start(at=moment, read_wh=read_wh)

    def _continue(self, moment: float) -> None:
        """Count on with sources that came later than the others.

        Of the time between, nobody knows which part of the production was consumed here.
        """
        own_wh = self.sums.self_consumed_wh
        self._before = replace(self._at(moment), self_consumed_wh=own_wh)
        for register in self.registers.values():
            register.rebase(moment)
        self.sums = self._before

    def _at(self, moment: float) -> Sums:
        def at_moment(source: str) -> float:
            return self.registers[source].at(moment)

        before = self._before
        made_wh = sum(at_moment(source) for source in self.sources.production)
        injected_wh = None if self.sources.injected is None else at_moment(self.sources.injected)
        if self.home is Home.TOTAL_SALE:
            injected_wh = made_wh
        own_wh = None
        if injected_wh is not None:
            # Between two readings the value is an estimate, which is never taken back.
            own_wh = (before.self_consumed_wh or 0.0) + made_wh - injected_wh
            own_wh = max(self.sums.self_consumed_wh or 0.0, own_wh)
            injected_wh += before.injected_wh or 0.0
        return Sums(
            production_wh=(before.production_wh or 0.0) + made_wh,
            self_consumed_wh=own_wh,
            injected_wh=injected_wh,
            drawn_wh=(before.drawn_wh or 0.0) + at_moment(self.sources.drawn),
        )

    @property
    def _configuration(self) -> dict[str, Any]:
        """The sources of a kind of home, as JSON stores them."""
        return {
            "home": self.home.value,
            "production": sorted(self.sources.production),
            "drawn": self.sources.drawn,
            "injected": self.sources.injected,
        }

    @property
    def changed(self) -> bool:
        """Whether others counted before those of now."""
        return self._before != Sums()

    @property
    def today(self) -> Sums:
        """What was counted since midnight; None where that is not known of the whole day."""
        return self.sums.since(self.midnight)

    def turn(self, midnight: float) -> None:
        """Begin a day, if it is another one. Its midnight is known once it is settled."""
        if midnight != self._day:
            self._day, self.midnight = midnight, Sums()

    def extend_day(self, midnight: float, sums: Sums) -> None:
        """Count the day in which the counting began from its midnight on.

        `sums` are those of then, so many Wh below those of the beginning.
        """
        if midnight == self._day and self.start is not None and midnight < self.start.at:
            self.midnight = sums

    def disagrees(self, at: float) -> bool | None:
        """Return whether more was injected than made, once an hour; None: it is not yet time."""
        if self._window is None or self._window[1] == Sums():
            self._window = at, self.sums
            return None
        since, begin = self._window
        if at - since < WINDOW_S:
            return None
        self._window = at, self.sums
        hour = self.sums.since(begin)
        if hour.production_wh is None or hour.injected_wh is None:
            return None
        return hour.injected_wh > _ALLOWED * hour.production_wh + _ALLOWED_WH

    def remember(self) -> dict[str, Any]:
        """Return the state for the next start, as JSON stores it."""
        return {
            "registers": {
                name: [each.read_wh, [list(point) for point in each.points]]
                for name, each in self.registers.items()
            },
            "of": self._configuration,
            "start": None if self.start is None else asdict(self.start),
            "sums": asdict(self.sums),
            "before": asdict(self._before),
            "settled": self._settled,
            "day": self._day,
            "midnight": asdict(self.midnight),
        }

    def recall(self, remembered: Mapping[str, Any]) -> bool:
        """Restore the state, and return whether all of it was valid.

        With other sources than before, or where something is lost, sums go on from where they
        were as far as is known.
        """
        former = remembered.get("of", self._configuration)
        settled = _finite(remembered.get("settled"))
        stored = _table(remembered.get("registers"))
        expected = self.sources.all
        if former != self._configuration or settled is None:
            expected = expected & stored.keys()
        registers = {name: _valid(_register, stored.get(name)) for name in expected}
        self.registers = {name: each for name, each in registers.items() if each is not None}
        self.start, self._settled = _valid(_start, remembered.get("start")), settled
        self.sums, self._before, self.midnight = (
            _sums(remembered.get(key)) for key in ("sums", "before", "midnight")
        )
        self._day = _finite(remembered.get("day"))
        whole = len(self.registers) == len(registers) and self._are_whole(former)
        if not whole:
            lost = registers.keys() - self.registers.keys()
            last = partial(_standing, settled)
            standing = {name: _valid(last, stored.get(name)) for name in lost}
            self.registers |= {name: each for name, each in standing.items() if each is not None}
            self.sums = self.sums.at_least(self._before).at_least(self.midnight)
        if not whole or former != self._configuration:
            self._before, self.midnight = self.sums.over(self._before), Sums()
            for register in self.registers.values():
                register.rebase(register.last[0] if settled is None else settled)
        return whole

    def _are_whole(self, former: Mapping[str, Any]) -> bool:
        """Return whether the sums are known that such a home has had since they were settled."""
        if self._settled is None:
            return self.sums == Sums()
        needed = [self.sums.production_wh, self.sums.drawn_wh]
        if former["injected"] is not None or former["home"] == Home.TOTAL_SALE:
            needed += [self.sums.injected_wh, self.sums.self_consumed_wh]
        return None not in needed


def _sum(*values: float | None) -> float | None:
    present = [value for value in values if value is not None]
    return sum(present) if len(present) == len(values) else None


def _difference(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before


def _percent(part: float | None, whole: float | None) -> float | None:
    if part is None or not whole:
        return None
    return min(100.0, max(0.0, 100 * part / whole))


def _larger(*values: float | None) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _finite_number(value: Any) -> float:
    """Return a number from JSON; it has no infinite one. Raises TypeError, ValueError."""
    if not isfinite(value):
        raise ValueError(value)
    return float(value)


def _valid[T](parse: Callable[[Any], T], stored: Any) -> T | None:
    """Parse a part of what was stored; None if it is broken."""
    try:
        return parse(stored)
    except TypeError, ValueError, LookupError, AttributeError:
        return None


def _finite(value: Any) -> float | None:
    return _valid(_finite_number, value)


def _table(stored: Any) -> Mapping[str, Any]:
    return stored if isinstance(stored, Mapping) else {}


def _sums(stored: Any) -> Sums:
    stored_sums = _table(stored)
    return Sums(**{each.name: _finite(stored_sums.get(each.name)) for each in fields(Sums)})


def _register(stored: Any) -> Register:
    read_wh, points = stored
    return Register(
        _finite_number(read_wh),
        [(_finite_number(at), _finite_number(total_wh)) for at, total_wh in points],
    )


def _standing(at: float | None, stored: Any) -> Register:
    """Return a register of which only the last reading is known."""
    return Register.from_reading(_finite_number(stored[0]), at or 0.0)


def _start(stored: Any) -> Start:
    read_wh = {name: _finite_number(value) for name, value in stored["read_wh"].items()}
    return Start(at=_finite_number(stored["at"]), read_wh=read_wh)
