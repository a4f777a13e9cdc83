"""What the sources of a home counted before its balance was added, hour by hour. Pure.

Times are seconds, Unix; energies are Wh.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Self

from ..recorder.rows import HOUR_S, Row, Rows
from .state import Balance, Register, Start, Sums

type _Point = tuple[float, str, float]
"""The time, the source, and its sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A home's sums, at the end of each hour, and until its balance began."""

    hours: Mapping[float, Sums]
    at_start: Sums
    midnight: Sums
    """The sums at a midnight; none where they are not known."""

    @classmethod
    def from_hours(
        cls, balance: Balance, rows: Mapping[str, Rows], until: float, midnight: float
    ) -> Self | None:
        """Count as the balance itself does; None if nothing is known.

        `rows` are the hours of each source, of which those up to `until` count.
        """
        start, sources = balance.start, sorted(balance.sources.all)
        points = [_points(source, rows[source], until, start) for source in sources]
        counting = Balance(balance.home, balance.sources)
        counting.turn(midnight)
        hours = dict(_counted(counting, points))
        last = max(hours, default=0.0) if start is None else start.at
        if last not in hours:
            return None
        return cls(hours=hours, at_start=hours[last], midnight=counting.midnight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """The hours that let the past of an entity run into its present without a step."""

    hours: Rows
    """The hours that are to be written."""
    raised_wh: float
    """By how much its first row of the present, and all that follow, are to be raised."""

    @classmethod
    def from_hours(cls, past: Past, value: Callable[[Sums], float], own: Rows, first: Row) -> Self:
        """Begin at 0, or go on from what the entity has already: it may have been before.

        `first` is its first row of the present, `own` are its hours before that.
        """
        former = own[-1].end if own else next(iter(past.hours))
        counted = [sums for at, sums in past.hours.items() if at <= former]
        zero_wh = (own[-1].sum_wh if own else 0.0) - (value(counted[-1]) if counted else 0.0)
        hours = [
            Row(start=at - HOUR_S, end=at, sum_wh=zero_wh + value(sums), state_wh=None)
            for at, sums in past.hours.items()
            if former < at <= first.hour and at % HOUR_S == 0
        ]
        present_wh = zero_wh + value(past.at_start) + (first.state_wh or 0.0)
        return cls(hours=hours, raised_wh=present_wh - first.sum_wh)


def _points(source: str, rows: Rows, until: float, start: Start | None) -> Iterator[_Point]:
    """Yield the sums of a source in the order of time: at each hour, and when counting began."""
    last: Row | None = None
    for row in rows:
        if row.end > until:
            break
        if start is not None and last is not None and last.end <= start.at < row.end:
            yield _at_beginning(source, last, start)
        yield row.end, source, row.sum_wh
        last = row
    if start is not None and last is not None and last.end <= start.at:
        yield _at_beginning(source, last, start)


def _at_beginning(source: str, last: Row, start: Start) -> _Point:
    """Return the sum of a source when counting began, from its state then and the hour before."""
    if last.state_wh is None:
        return start.at, source, last.sum_wh
    since = Register.from_reading(last.state_wh, last.end)
    since.update(start.read_wh[source], start.at)
    return start.at, source, last.sum_wh + since.last[1]


def _counted(balance: Balance, points: Iterable[Iterable[_Point]]) -> Iterator[tuple[float, Sums]]:
    """Yield the sums of a home at each moment, from the first on at which all sources are known."""
    now: dict[str, float] = {}
    zero: dict[str, float] | None = None
    for at, same_time in groupby(merge(*points), key=itemgetter(0)):
        for _, source, sum_wh in same_time:
            # A sum may be set back by hand; what was counted is not taken back.
            now[source] = max(sum_wh, now.get(source, sum_wh))
        if now.keys() == balance.sources.all:
            zero = dict(now) if zero is None else zero
            for source, sum_wh in now.items():
                balance.take(source, sum_wh - zero[source], at)
            yield at, balance.settle(at)
