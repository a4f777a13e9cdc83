"""The latest sums of a collective: its last interval, its day, its homes' last month.

Pure: it takes what a peer says and gives what is known by now. Energies are whole Wh.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from consometers_node.figures import FIGURES, Energies as FigureEnergies, Figure
from consometers_node.series import Range
from consometers_quoalise import Data, Direction, Duration, Identifier, Malformed, SeriesPath
from consometers_quoalise.records.identifier import identifier
from consometers_quoalise.records.values import allowed

TIME_ZONE = ZoneInfo("Europe/Paris")
"""Of a collective's civil days."""

_KEPT = timedelta(days=2)
_DAY = timedelta(days=1)
_HOUR_S = 3600
_DIGITS = 4
_QUARTILES = {
    SeriesPath.LOWER_QUARTILE: "lower",
    SeriesPath.MEDIAN: "median",
    SeriesPath.UPPER_QUARTILE: "upper",
}

type Energies = Mapping[Direction, int]
"""Wh by direction; unknown ones are left out."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last known interval, and how many members its consumption sums."""

    start: datetime
    end: datetime
    energies: Energies
    members: int | None


class DayFigure(NamedTuple):
    """A figure of a day in its unit, and the hours that it covers; None where it is not known."""

    value: int | float | None
    hours: float


@dataclass(frozen=True, slots=True)
class DayTotals:
    """A civil day up to an instant: the figures by key, each over the hours of its basis."""

    day: date
    until: datetime
    figures: Mapping[str, DayFigure]


@dataclass(frozen=True, slots=True)
class Month:
    """The quartiles of homes' consumption in a month."""

    month: date
    lower: int
    median: int
    upper: int


class Totals:
    """The totals of one collective. The last record counts."""

    def __init__(self) -> None:
        self.interval: Duration | None = None
        """The interval of the sums; None until some came."""
        self.month: Month | None = None
        self._energies: dict[Direction, dict[datetime, int]] = {}
        self._members: dict[datetime, int] = {}
        self._without_homes: dict[Direction, dict[datetime, int]] = {}

    @property
    def until(self) -> datetime | None:
        """The end of the last known interval."""
        last = self.last()
        return None if last is None else last.end

    def take(self, data: Data) -> bool:
        """Take records of a collective: sums of a load curve or of days, quartiles of a month.

        Impossible values are left out. Returns whether anything changed.
        """
        before = self._snapshot()
        measured = data.metadata.measurement
        interval = measured.sampling_interval if measured else None
        if interval is not None and interval.seconds > _DAY.total_seconds():
            interval = None
        quartiles: dict[date, dict[str, int]] = {}
        for records in data.records:
            try:
                name = identifier(records.name)
            except Malformed:
                continue
            if (possible := allowed(name)) is None:
                continue
            values = {
                datetime.fromtimestamp(int(at), UTC): n
                for at, n in possible.of(records.values).items()
            }
            if name.direction is Direction.CONSUMPTION and name.quantity in _QUARTILES:
                for start, value in values.items():
                    of_month = quartiles.setdefault(start.astimezone(TIME_ZONE).date(), {})
                    of_month[_QUARTILES[name.quantity]] = round(value)
            elif interval is not None:
                self._take(name, interval, values)
        for month, of_month in sorted(quartiles.items()):
            if len(of_month) == len(_QUARTILES) and (not self.month or self.month.month <= month):
                self.month = Month(month, **of_month)
        return self._snapshot() != before

    def last(self) -> Last | None:
        """Return the last known interval."""
        starts = max((max(values) for values in self._energies.values() if values), default=None)
        if starts is None:
            return None
        return Last(starts, self._end(starts), self._at(starts), self._members.get(starts))

    def today(self, now: datetime) -> DayTotals | None:
        """Return the day so far, if it is known in parts of a day."""
        day = now.astimezone(TIME_ZONE).date()
        begin, end = _midnight(day), _midnight(day + _DAY)
        if self.interval is None or not self.interval.seconds:
            return None
        today_energies = {
            direction: {start: wh for start, wh in values.items() if begin <= start < end}
            for direction, values in self._energies.items()
        }
        starts = {start for values in today_energies.values() for start in values}
        if not starts:
            return None
        figures = {key: self._figure(figure, today_energies) for key, figure in FIGURES.items()}
        return DayTotals(day, self._end(max(starts)), figures)

    def _figure(
        self, figure: Figure, energies_of: Mapping[Direction, Mapping[datetime, int]]
    ) -> DayFigure:
        """Return a figure of the intervals in which its energies are of the same homes."""
        directions = figure.basis.directions
        starts = set.intersection(*(set(energies_of.get(way, ())) for way in directions))
        covered = [
            FigureEnergies(**{way: energies_of[way][start] for way in directions})
            for start in starts
            if len({start in self._without_homes.get(way, ()) for way in directions}) == 1
        ]
        if not covered or self.interval is None:
            return DayFigure(None, 0)
        shared = sum(min(each.injection, each.consumption) for each in covered)
        total = FigureEnergies(*map(sum, zip(*covered, strict=True)))._replace(shared=shared)
        value = figure.value(total)
        shown = round(float(value), _DIGITS) if isinstance(value, Fraction) else value
        return DayFigure(shown, len(covered) * self.interval.seconds / _HOUR_S)

    def _snapshot(self) -> object:
        values = {direction: dict(values) for direction, values in self._energies.items()}
        without = {direction: set(starts) for direction, starts in self._without_homes.items()}
        return self.interval, self.month, values, dict(self._members), without

    def _take(self, name: Identifier, interval: Duration, values: Mapping[datetime, float]) -> None:
        summed = name.summed or name
        if summed.direction is None or summed.quantity not in (
            SeriesPath.POWER,
            SeriesPath.ENERGY_DAILY,
        ):
            return
        if interval != self.interval:
            self.interval = interval
            self._energies, self._members, self._without_homes = {}, {}, {}
        if name.summed is None:
            hours = interval.seconds / _HOUR_S if summed.quantity == SeriesPath.POWER else 1
            new = {start: round(value * hours) for start, value in values.items()}
            self._energies.setdefault(summed.direction, {}).update(new)
            # Those that still lack homes follow.
            without = self._without_homes.setdefault(summed.direction, {})
            for start in new.keys() & without.keys():
                del without[start]
        elif name == summed.beside(SeriesPath.WITHOUT_HOMES):
            self._without_homes.setdefault(summed.direction, {}).update(dict.fromkeys(values, 1))
        elif name == summed.members and summed.direction is Direction.CONSUMPTION:
            self._members |= {start: round(value) for start, value in values.items()}
        self._forget()

    def _forget(self) -> None:
        all_values = [*self._energies.values(), self._members, *self._without_homes.values()]
        newest = max((max(values) for values in all_values if values), default=None)
        for values in all_values:
            for start in [start for start in values if newest and start < newest - _KEPT]:
                del values[start]

    def _at(self, start: datetime) -> Energies:
        return {
            direction: values[start]
            for direction, values in self._energies.items()
            if start in values
        }

    def _end(self, start: datetime) -> datetime:
        assert self.interval is not None
        if self.interval.seconds:
            return start + timedelta(seconds=self.interval.seconds)
        return _midnight(start.astimezone(TIME_ZONE).date() + _DAY)


def month_before(now: datetime) -> date:
    """Return the last complete month, by its first day."""
    return (now.astimezone(TIME_ZONE).date().replace(day=1) - _DAY).replace(day=1)


def days_of(month: date) -> Iterator[Range]:
    """Yield the civil days of a month."""
    day = month
    while day.month == month.month:
        yield Range(_midnight(day), _midnight(day + _DAY))
        day += _DAY


def of_whole_days(days: Iterable[int | None]) -> int | None:
    """Return a home's energy in a month, from its days; None where a day has a hole.

    Days with a hole count as the others do, as in a collective's quartiles. None if there are
    fewer whole ones than others.
    """
    all_days = list(days)
    whole = [energy for energy in all_days if energy is not None]
    if not whole or 2 * len(whole) < len(all_days):
        return None
    return round(sum(whole) / len(whole) * len(all_days))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), TIME_ZONE).astimezone(UTC)
