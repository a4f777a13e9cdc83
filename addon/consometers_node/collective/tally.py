"""Keeps sums up with what members tell, in the transaction that keeps what they told.

A change costs what its own day holds, however many years are kept: what the member had in each
row is taken from it, and what it has now is added. Only where whoever had the most has less now,
the others are looked at.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Block, Direction, Interval
from ..store import SeriesId
from ..store.collective_tables import GroupId, MemberId
from ..store.parts import Stay, Told, days_told, kinds, oldest_told, packed, stays, told
from ..store.releases import Noted, RowKey, note
from ..store.sums import (
    MemberDay,
    PackedSums,
    SumKey,
    alone,
    packed_sums,
    put_days,
    put_sums,
)
from ..store.tables import BlockRow, MemberCountRow
from .calendar import Stretch, civil_days, days_of, month_of, stretches
from .held import COLLECTIVE, Change, Held, Whose, hold
from .others import Fallen, most_of_others
from .parts import Part, civil_day, month_part, part
from .sums import change, raise_largest

__all__ = ["Change", "Composition", "compositions", "erase_month", "moved", "record", "recount"]

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Composition:
    """Where a member counts."""

    kind: str
    stays: tuple[Stay, ...]

    def groups(self, month: date) -> frozenset[GroupId]:
        """Give the groups in which it counts in a month."""
        return frozenset(stay.group for stay in self.stays if month in stay)


async def record(connection: AsyncConnection, changes: Sequence[Change], at: datetime) -> None:
    """Bring all sums up to date after blocks have changed.

    To keep the blocks, before this or after, is the caller's, in the same transaction, and that
    `given_series` names their series. Raises NotTold or Unbelievable, with nothing written.
    """
    if not changes:
        return
    await alone(connection)
    where = await compositions(connection, {one.member for one in changes})
    touched: dict[Whose, _Touched] = {}
    for one in changes:
        whose = one.member, one.series.direction
        # Of a collective, a group that is told of takes the place of those within it, which may
        # have been told of at a finer interval.
        is_sum = where[one.member].kind == COLLECTIVE
        finest = Interval.PT5M if is_sum else one.series.interval
        touched.setdefault(whose, _Touched(one.series.time_zone)).add(finest, one.day)
    held = await _hold(connection, touched, where)
    for one in changes:
        held.put(one)
    await _bring(connection, touched, held, (where, where), at)


async def compositions(
    connection: AsyncConnection, members: Collection[MemberId]
) -> dict[MemberId, Composition]:
    """Give where members count, as it is now."""
    kind, stay = await kinds(connection, members), await stays(connection, members)
    return {member: Composition(kind[member], stay[member]) for member in members}


async def moved(
    connection: AsyncConnection, member: MemberId, was: Composition, at: datetime
) -> None:
    """Bring all sums up to date after a member has come to count elsewhere than it did."""
    await alone(connection)
    where = await compositions(connection, [member])
    series = await told(connection, [member], list(Direction))
    done: dict[Whose, set[date]] = {}
    for days in await _months(connection, series):
        months = {month_of(day) for day in (days[0] - _DAY, days[0], days[-1] + _DAY)}
        if was.kind == where[member].kind and all(
            was.groups(month) == where[member].groups(month) for month in months
        ):
            continue
        touched: dict[Whose, _Touched] = {}
        for one in series:
            whose = member, one.series.direction
            rows = touched.setdefault(whose, _Touched(one.series.time_zone))
            for day in days:
                rows.add(one.series.interval, day)
        for whose, rows in touched.items():
            # A civil day at the turn of a month is told of by both.
            told_twice = rows.civil_days & done.get(whose, set())
            done[whose] = set(rows.civil_days)
            rows.civil_days -= told_twice
        held = await _hold(connection, touched, where)
        await _bring(connection, touched, held, ({member: was}, where), at)


async def recount(
    connection: AsyncConnection, member: MemberId, device: str, at: datetime, *, counts: bool
) -> None:
    """Add to all sums what a member told of a device that has come to count, or take it out.

    To be called while the claim of the member counts: see `claims`.
    """
    series = {
        one.number: one.series
        for one in await told(connection, [member], list(Direction))
        if one.series.device == device
    }
    days = await days_told(connection, series)
    if not days:
        return
    blocks, members = [
        {
            (number, day): Block.unpack(series[number], day, kept)
            for number, day, kept in await packed(connection, table, series, min(days), max(days))
        }
        for table in (BlockRow, MemberCountRow)
    ]
    changes = []
    for (number, day), block in blocks.items():
        of_many = members.get((number, day))
        changes.append(
            Change(
                member=member,
                series=series[number],
                day=day,
                before=None if counts else block,
                after=block if counts else None,
                members_before=None if counts else of_many,
                members_after=of_many if counts else None,
            )
        )
    await record(connection, changes, at)


async def erase_month(
    connection: AsyncConnection,
    member: MemberId,
    numbers: Collection[SeriesId],
    at: datetime,
    before: Mapping[SeriesId, date] = MappingProxyType({}),
) -> int:
    """Remove the blocks of the first month that these series have, of some only `before` a day.

    They are taken out of all sums. Tells how many there were: none once all are gone.
    """
    first = await oldest_told(connection, numbers, before)
    if first is None:
        return 0
    last = days_of(month_of(first))[-1]
    known = {
        one.number: one.series
        for one in await told(connection, [member], list(Direction))
        if one.number in numbers
    }
    blocks, counts = [
        {
            (number, day): Block.unpack(known[number], day, kept)
            for number, day, kept in await packed(connection, table, known, first, last)
            if day < before.get(number, date.max)
        }
        for table in (BlockRow, MemberCountRow)
    ]
    changes = [
        Change(
            member=member,
            series=known[number],
            day=day,
            before=block,
            after=None,
            members_before=counts.get((number, day)),
        )
        for (number, day), block in blocks.items()
    ]
    await record(connection, changes, at)
    for number in known:
        days = [day for of, day in blocks if of == number]
        for table in (BlockRow, MemberCountRow):
            gone = delete(table).where(table.series_id == number, table.day.in_(days))
            await connection.execute(gone)
    return len(changes)


@dataclass(frozen=True, slots=True)
class _Shift:
    """In one row of each of these groups, a member's part was this, and now is that."""

    member: MemberId
    kind: str
    groups: frozenset[GroupId]
    direction: Direction
    interval: Interval
    day: date
    before: Part
    after: Part


@dataclass(slots=True)
class _Touched:
    """The rows in which what a member tells in one direction counts otherwise than it did."""

    time_zone: str
    rows: set[tuple[Interval, date]] = field(default_factory=set)
    civil_days: set[date] = field(default_factory=set)
    utc_days: set[date] = field(default_factory=set)

    def add(self, finest: Interval, day: date) -> None:
        """Add all rows that a block of this UTC day has a part in."""
        self.utc_days.add(day)
        self.civil_days.update(civil_days(self.time_zone, day))
        for interval in Interval:
            if interval is not Interval.P1D and interval.no_finer_than(finest):
                self.rows.add((interval, day))


async def _hold(
    connection: AsyncConnection,
    touched: Mapping[Whose, _Touched],
    where: Mapping[MemberId, Composition],
) -> Held:
    days = {whose: rows.utc_days for whose, rows in touched.items()}
    return await hold(connection, days, {member: of.kind for member, of in where.items()})


async def _months(connection: AsyncConnection, series: Collection[Told]) -> list[list[date]]:
    """Give the UTC days of which these series have blocks, by month, in order."""
    days = sorted(await days_told(connection, {one.number for one in series}))
    return [list(of_it) for _, of_it in groupby(days, month_of)]


async def _bring(
    connection: AsyncConnection,
    touched: Mapping[Whose, _Touched],
    held: Held,
    where: Iterable[Mapping[MemberId, Composition]],
    at: datetime,
) -> None:
    """Bring the rows that are touched up to date, and the days of members.

    `where` says where members counted, and where they do.
    """
    were, are = where
    shifts: list[_Shift] = []
    days: list[MemberDay] = []
    for whose, rows in touched.items():
        had, has = held.before(whose), held.after(whose)
        was, now = were[whose[0]], are[whose[0]]
        for interval, day in rows.rows:
            row = _Row(*whose, interval, day, rows.time_zone)
            shifts += row.shifts(part(had, interval, day), part(has, interval, day), was, now)
        old = {day: civil_day(had, day) for day in rows.civil_days}
        new = {day: civil_day(has, day) for day in rows.civil_days}
        for month in {month_of(day) for day in rows.civil_days}:
            row = _Row(*whose, Interval.P1D, month, rows.time_zone)
            shifts += row.shifts(month_part(old, month), month_part(new, month), was, now)
        days += [
            MemberDay(*whose, day, of_it.watt_minutes, of_it.records, of_it.expected)
            for day, of_it in new.items()
            if of_it != old[day]
        ]
    # Whoever has the most of a civil day is found among these.
    await put_days(connection, days)
    await _add(connection, shifts, next(iter(touched.values())).time_zone, at)
    await note(connection, map(_noted, shifts), at)


def _noted(shift: _Shift) -> Noted:
    return Noted(
        RowKey(shift.direction, shift.interval, shift.day),
        shift.member,
        shift.kind == "home",
        _told(shift.before),
        _told(shift.after),
    )


def _told(part: Part) -> tuple[int | None, ...]:
    return tuple(
        value if count else None for value, count in zip(part.values, part.counts, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of any group, as one member has a part in it."""

    member: MemberId
    direction: Direction
    interval: Interval
    day: date
    time_zone: str

    def shifts(
        self, before: Part, after: Part, was: Composition, now: Composition
    ) -> Iterator[_Shift]:
        """Tell in which groups a part changes, comes or goes, by month where one turns."""
        nothing = Part.nothing(len(before.values))
        if before == after == nothing:
            return
        months = self._months()
        places: dict[_Place, list[Stretch]] = {}
        for one in months:
            for place in _places(was, now, one.month):
                places.setdefault(place, []).append(one)
        for (kind, groups, there, here), stretches_of in places.items():
            old, new = before if there else nothing, after if here else nothing
            if len(stretches_of) < len(months):
                ((_, first, end),) = stretches_of
                old, new = old.within(first, end), new.within(first, end)
            if old != new:
                yield _Shift(
                    self.member, kind, groups, self.direction, self.interval, self.day, old, new
                )

    def _months(self) -> tuple[Stretch, ...]:
        if self.interval is Interval.P1D:
            return (Stretch(self.day, 0, len(days_of(self.day))),)
        return stretches(self.time_zone, self.interval, self.day)


class _Place(NamedTuple):
    """Groups in which a member of this kind was, and is."""

    kind: str
    groups: frozenset[GroupId]
    there: bool
    here: bool


def _places(was: Composition, now: Composition, month: date) -> Iterator[_Place]:
    old, new = was.groups(month), now.groups(month)
    both = old & new if was.kind == now.kind else frozenset[GroupId]()
    for place in (
        _Place(now.kind, both, there=True, here=True),
        _Place(was.kind, old - both, there=True, here=False),
        _Place(now.kind, new - both, there=False, here=True),
    ):
        if place.groups:
            yield place


async def _add(
    connection: AsyncConnection, shifts: Sequence[_Shift], time_zone: str, at: datetime
) -> None:
    """Add shifts to their rows."""
    by_key: dict[SumKey, list[_Shift]] = {}
    for shift in shifts:
        for group in shift.groups:
            key = SumKey(group, shift.direction, shift.interval, shift.day, shift.kind)
            by_key.setdefault(key, []).append(shift)
    rows = await packed_sums(connection, by_key)
    changed: dict[SumKey, PackedSums] = {}
    fallen: dict[SumKey, Fallen] = {}
    for key, some in by_key.items():
        changed[key], places = change(rows.get(key), [(one.before, one.after) for one in some])
        if places:
            fallen[key] = Fallen(places, {one.member for one in some})
    if fallen:
        for key, most in (await most_of_others(connection, fallen, time_zone)).items():
            changed[key] = raise_largest(changed[key], most)
    await put_sums(connection, changed, at)
