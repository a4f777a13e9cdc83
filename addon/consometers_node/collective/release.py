"""Releases what may be known of the sums, and writes it as this collective's own series.

Nothing else reads sums to let them leave: pages, answers, exports and logs take what was released.
All of it happens in the caller's transaction, in which nobody else changes sums.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import batched
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Device, Direction, Interval, Series
from ..store.collective_tables import GroupId, InGroupRow, MemberGroupRow, MemberId
from ..store.outbox import take_turns
from ..store.parts import kinds, stays
from ..store.releases import (
    Kept,
    RowKey,
    Unreleased,
    are_due,
    days_at_other_steps,
    due,
    final,
    groups_of,
    look_again,
    look_soon,
    of_days_alone,
    put_released,
    released,
    sizes,
    sums,
    unreleased,
)
from ..store.series import all_series, erase_series
from ..store.sums import alone, spread
from ..store.tables import PermissionSeriesRow, SeriesRow
from .atoms import Cells, Groups, Hour, Standing
from .calendar import days_of, instants, month_of, places, stretches
from .disclosure import NOBODY, Cell, Publication, Quartiles, Reason, Withheld, quartiles
from .outcome import Changes, Outcome
from .own import OwnSeries, Told, devices, named, own_series
from .rounds import Looked, Rounds, Row
from .sheets import NOTHING, Known, Month, Sheet

MOST_AT_ONCE = 36
"""Rows that are looked at in one transaction, while members wait."""

_SHORTEST_DAY_MINUTES = 23 * 60
_SITE = "site"


class Release:
    """Releases what is due. `collective` names it in the federation."""

    def __init__(self, publication: Publication, time_zone: str, collective: str) -> None:
        self._publication = publication
        self._time_zone = time_zone
        self._collective = collective

    async def look(self, connection: AsyncConnection, at: datetime) -> bool:
        """Look at what is due, days after hours.

        Tells whether anything new was released, or more may be due.
        """
        # In the order of whoever takes in what members tell.
        await take_turns(connection)
        await alone(connection)
        own = OwnSeries(connection, self._collective, self._time_zone)
        one = _Look(connection, self._publication, self._time_zone, own, at)
        while rows := await due(connection, at, MOST_AT_ONCE - one.looked):
            await one.at_rows(rows)
        await one.write()
        return own.is_new or one.looked >= MOST_AT_ONCE

    async def look_at(
        self, connection: AsyncConnection, rows: Iterable[RowKey], at: datetime
    ) -> None:
        """Look at rows that need not be due, days after hours."""
        await take_turns(connection)
        await alone(connection)
        own = OwnSeries(connection, self._collective, self._time_zone)
        one = _Look(connection, self._publication, self._time_zone, own, at)
        for some in batched(rows, MOST_AT_ONCE, strict=False):
            await one.at_rows(some)
        await one.write()

    async def quartiles(
        self,
        connection: AsyncConnection,
        group: GroupId,
        direction: Direction,
        month: date,
        at: datetime,
    ) -> Quartiles | Withheld:
        """Give how homes of a group differ in what they have of a day, on average of a month.

        Only of a month that is over, and of a group of which some day in it was released.
        """
        days = days_of(month)
        kept = (await released(connection, direction, Interval.P1D, [month]))[month].get(group)
        over = instants(self._time_zone, days[-1]).end + self._publication.day_wait
        if at < over or kept is None or kept.released_at is None:
            return Withheld(Reason.NOT_YET)
        need = self._publication.needed(direction, Interval.P1D)
        found = await spread(connection, group, direction, days[0], days[-1])
        return quartiles(*(found or (0, 0, 0, 0)), need=need)


async def forget(
    connection: AsyncConnection, member: MemberId, collective: str, at: datetime
) -> None:
    """Make final what was released with a member, before anything of it is erased.

    Of a site, what was released as its own is erased; its name stays where it was granted. So is
    what groups said in which nobody hides: alone there, it would be told by them, and among other
    sites by the difference. The next look says it again, without what is erased by then.
    """
    await final(connection, member)
    if (await kinds(connection, [member]))[member] == _SITE:
        await _withdraw(connection, member, collective, at)
    query = (
        select(MemberGroupRow.id)
        .join(InGroupRow, InGroupRow.group_id == MemberGroupRow.id)
        .where(InGroupRow.member_id == member, MemberGroupRow.kind == _SITE)
    )
    its_own = set((await connection.execute(query)).scalars())
    if its_own:
        names = devices(collective, await named(connection))
        known = await all_series(connection)
        its_names = {names[group] for group in its_own}
        gone = [number for number, one in known.items() if one.device in its_names]
        await erase_series(connection, gone)
        granted = exists().where(PermissionSeriesRow.series_id == SeriesRow.id)
        await connection.execute(delete(SeriesRow).where(SeriesRow.id.in_(gone), ~granted))


async def _withdraw(
    connection: AsyncConnection, member: MemberId, collective: str, at: datetime
) -> None:
    """Let our series say nothing of groups and months in which this site counts and nobody hides.

    They may be at a step that nobody looks at any more, or it may be long until anybody does.
    """
    names = devices(collective, await named(connection))
    known = await all_series(connection)
    months: dict[date, Month] = {}
    rows: set[RowKey] = set()
    for stay in (await stays(connection, [member]))[member]:
        for series in [one for one in known.values() if one.device == names[stay.group]]:
            own = OwnSeries(connection, collective, series.time_zone)
            gone = []
            for start in await own.said(series):
                month = month_of(start.astimezone(ZoneInfo(series.time_zone)).date())
                if month not in stay:
                    continue
                if month not in months:
                    months[month] = Month.of(await sizes(connection, month))
                if stay.group in months[month].open:
                    gone.append(Told(start))
                    day = month if series.interval is Interval.P1D else start.date()
                    rows.add(RowKey(series.direction, series.interval, day))
            await own.write(series, gone, at)
    if rows:
        await look_soon(connection, rows, at)


@dataclass(slots=True)
class _Look:
    """One look at what is due, at one instant."""

    connection: AsyncConnection
    publication: Publication
    time_zone: str
    own: OwnSeries
    at: datetime
    looked: int = 0
    months: dict[date, Month] = field(default_factory=dict)
    told: dict[Series, dict[datetime, Told]] = field(default_factory=dict)
    """What each of our series is to say: written at once, for that is what a look costs."""

    async def at_rows(self, rows: Sequence[RowKey]) -> None:
        """Release what may be of rows, days after hours, and say when to look at them again."""
        self.looked += len(rows)
        again: dict[RowKey, datetime | None] = dict.fromkeys(rows)
        finer = [row for row in rows if row.interval is self.publication.interval]
        if finer:
            known = await _Known.read(self.connection, self.time_zone, finer)
            for row in finer:
                again[row] = (await self._at_hours(row, known)).next
            await put_released(self.connection, known.changed)
            await look_again(self.connection, {row: again.pop(row) for row in finer})
            days = {
                RowKey(row.direction, Interval.P1D, month)
                for row in finer
                for month, *_ in self._stretches(row)
            }
            await look_soon(self.connection, days, self.at)
        for row in rows:
            if row.interval is Interval.P1D:
                again[row] = (await self._at_days(row)).next
        await look_again(self.connection, again)

    async def _at_hours(self, row: RowKey, known: _Known) -> Looked:
        like = own_series(Device(""), row.direction, row.interval, self.time_zone)
        starts = like.starts(row.day)
        in_month = [m for m, first, end in self._stretches(row) for _ in range(first, end)]
        months = [await self._month(month) for month in in_month]
        sheet, groups = known.sheets[row], _groups(months)
        out = Outcome.read(row, known.kept[row], _hiding(groups), _length(row.interval, row.day))
        changes = await Changes.read(self.connection, row, known.unreleased[row], groups, in_month)
        looked, before = Looked([]), set[int]()
        if groups is not None:
            before = out.places_out(groups.top)
            here = Row(
                direction=row.direction,
                interval=row.interval,
                ends=[like.end(start) for start in starts],
                cells=sheet.cells,
                standings=out.standings,
                groups=groups,
                fresh=changes.fresh(out.standings[groups.top]),
                homes=max(month.homes for month in months),
                collectives=max(month.collectives for month in months),
                changed_at=sheet.changed_at,
            )
            barred = self._barred(row, in_month, known)
            looked = Rounds(self.publication, self.at).look(here, barred)
            changes.released(out.places_out(groups.top) - before, looked.counted)
        known.changed[row] = out.changed(self.at)
        await changes.save(self.connection)
        for group in _all_groups(months):
            told = []
            for place, (start, month) in enumerate(zip(starts, months, strict=True)):
                standing = None if group in month.open else out.of(group)
                anyway = changes.corrected(sheet.known[place].get(group, NOTHING), place, group)
                told.append(_told(start, standing, place, anyway, stays=place in before))
            await self._tell(group, row, told)
        return looked

    async def _at_days(self, row: RowKey) -> Looked:
        days = days_of(row.day)
        ends = [instants(self.time_zone, day).end for day in days]
        starts = [instants(self.time_zone, day).start for day in days]
        month = await self._month(row.day)
        (sheet,) = (await self._sheets(row.direction, row.interval, [row.day])).values()
        groups = _groups([month])
        out = (await self._standings(row.direction, row.interval, [row.day], groups))[row.day]
        members = await unreleased(self.connection, *row[:2], [row.day])
        in_month = len(days) * [row.day]
        changes = await Changes.read(self.connection, row, members[row.day], groups, in_month)
        looked, before = Looked([]), set[int]()
        hours: dict[int, list[Hour]] = {}
        elsewhere = await self._days_at_other_steps(row)
        if groups is not None:
            before = out.places_out(groups.top)
            finer, hours = await self._hours(row, groups)
            here = Row(
                direction=row.direction,
                interval=row.interval,
                ends=ends,
                cells=sheet.cells,
                standings=out.standings,
                groups=groups,
                fresh=changes.fresh(out.standings[groups.top]),
                homes=month.homes,
                collectives=month.collectives,
                changed_at=sheet.changed_at,
            )
            dailies = await self._dailies(row, groups, out.standings[groups.top])
            rounds = Rounds(self.publication, self.at)
            looked = rounds.look_at_days(here, hours, dailies, elsewhere)
            changes.released(out.places_out(groups.top) - before, looked.counted)
            await self._save([out, *finer], changes)
        for group in _all_groups([month]):
            told = []
            for place, start in enumerate(starts):
                if ends[place] > self.at:
                    break
                standing = None if group in month.open else out.of(group)
                known = changes.corrected(sheet.known[place].get(group, NOTHING), place, group)
                one = _told(start, standing, place, known, stays=place in before)
                if standing is not None and place in elsewhere:
                    one = Told(start, stays=True)
                elif standing is not None and standing.reasons[place] is Reason.HOURS:
                    one = _with_hours(one, group, hours[place])
                told.append(one)
            await self._tell(group, row, told)
        return looked

    async def _hours(
        self, row: RowKey, groups: Groups
    ) -> tuple[list[Outcome], dict[int, list[Hour]]]:
        """Give the finer rows of a month, and the hours of each of its days that has passed."""
        step = self.publication.interval
        found = {
            place: [
                (at, hour)
                for at, first, end in places(self.time_zone, step, day)
                for hour in range(first, end)
            ]
            for place, day in enumerate(days_of(row.day))
            if instants(self.time_zone, day).end <= self.at
        }
        days = {at for some in found.values() for at, _ in some}
        sheets = await self._sheets(row.direction, step, days)
        standings = await self._standings(row.direction, step, days, groups)
        due = await are_due(self.connection, row.direction, step, days)
        hours = {
            place: [
                Hour(standings[at].standings, sheets[at].cells[hour], hour, at in due)
                for at, hour in some
            ]
            for place, some in found.items()
        }
        return list(standings.values()), hours

    async def _dailies(self, row: RowKey, groups: Groups, standing: Standing) -> dict[int, Cells]:
        """Give what homes have, day by day, that tell of days alone, or of less than the step.

        Days in which they are counted already, or which were released by themselves, are left out.
        """
        days = days_of(row.day)
        open_days = [
            day
            for place, day in enumerate(days)
            if not standing.is_out(place)
            or (standing.reasons[place] is Reason.HOURS and not standing.counts[place])
        ]
        most = _SHORTEST_DAY_MINUTES // self.publication.interval.minutes - 1
        told = await of_days_alone(self.connection, row.direction, open_days, most)
        where = await groups_of(self.connection, {member for _, member, _ in told}, row.day)
        found: dict[int, dict[GroupId, Cell]] = {}
        for day, member, watt_minutes in told:
            cells = found.setdefault(days.index(day), {})
            for group in where[member] & {groups.top, *groups.areas}:
                cells[group] = cells.get(group, NOBODY).also(Cell(watt_minutes, 1, watt_minutes))
        return dict(found)

    def _barred(self, row: RowKey, in_month: Sequence[date], known: _Known) -> dict[int, Reason]:
        """Give of which places nothing is ever released, for their day was in another way."""
        if row in known.elsewhere:
            return dict.fromkeys(range(len(in_month)), Reason.STEP)
        barred: dict[int, Reason] = {}
        for month in set(in_month):
            days = known.days[row.direction, month].values()
            for place, day in enumerate(days_of(month)):
                if any(one.released_at and one.reasons[place] == Reason.NONE for one in days):
                    for at, first, end in places(self.time_zone, row.interval, day):
                        if at == row.day:
                            barred |= dict.fromkeys(range(first, end), Reason.SUMMED)
        return barred

    async def _days_at_other_steps(self, row: RowKey) -> set[int]:
        """Give those days of a month of which something was released at a step not in use now."""
        step = self.publication.interval
        parts = {
            place: {part.day for part in places(self.time_zone, step, day)}
            for place, day in enumerate(days_of(row.day))
        }
        found = await days_at_other_steps(
            self.connection, row.direction, set().union(*parts.values()), (step, Interval.P1D)
        )
        return {place for place, days in parts.items() if days & found}

    async def _save(self, out: Iterable[Outcome], changes: Changes) -> None:
        await put_released(self.connection, {one.row: one.changed(self.at) for one in out})
        await changes.save(self.connection)

    async def write(self) -> None:
        """Let our series say what came of all rows that were looked at."""
        for series, told in self.told.items():
            await self.own.write(series, told.values(), self.at)

    async def _tell(self, group: GroupId, row: RowKey, told: Iterable[Told]) -> None:
        said = self.told.setdefault(await self.own.of(group, row.direction, row.interval), {})
        for one in told:
            # What stays is what was said before, by another look or by this one.
            said[one.start] = said.get(one.start, one) if one.stays else one

    async def _month(self, month: date) -> Month:
        if month not in self.months:
            self.months[month] = Month.of(await sizes(self.connection, month))
        return self.months[month]

    async def _sheets(
        self, direction: Direction, interval: Interval, days: Collection[date]
    ) -> dict[date, Sheet]:
        return await _sheets(self.connection, direction, interval, days)

    async def _standings(
        self,
        direction: Direction,
        interval: Interval,
        days: Collection[date],
        groups: Groups | None,
    ) -> dict[date, Outcome]:
        kept = await released(self.connection, direction, interval, days)
        return {
            day: Outcome.read(
                RowKey(direction, interval, day),
                kept[day],
                _hiding(groups),
                _length(interval, day),
            )
            for day in days
        }

    def _stretches(self, row: RowKey) -> Sequence[tuple[date, int, int]]:
        return stretches(self.time_zone, row.interval, row.day)


@dataclass(slots=True)
class _Known:
    """What is known of rows finer than a day: asked for of all at once, which is what a look costs.

    `elsewhere` are those of whose day something was released at another step; `days` is what was
    released of the days of their months. `changed` is what a look makes of them.
    """

    sheets: dict[RowKey, Sheet] = field(default_factory=dict)
    kept: dict[RowKey, Mapping[GroupId, Kept]] = field(default_factory=dict)
    unreleased: dict[RowKey, dict[MemberId, Unreleased]] = field(default_factory=dict)
    elsewhere: set[RowKey] = field(default_factory=set)
    days: dict[tuple[Direction, date], Mapping[GroupId, Kept]] = field(default_factory=dict)
    changed: dict[RowKey, Mapping[GroupId, Kept]] = field(default_factory=dict)

    @classmethod
    async def read(
        cls, connection: AsyncConnection, time_zone: str, rows: Collection[RowKey]
    ) -> _Known:
        """Read it, of rows of one interval."""
        known = cls()
        for direction, interval in {row[:2] for row in rows}:
            days = [row.day for row in rows if row.direction is direction]
            months = {month for day in days for month, *_ in stretches(time_zone, interval, day)}
            of = connection, direction, interval, days
            steps = (interval, Interval.P1D)

            def keyed[T](
                found: Mapping[date, T], row: tuple[Direction, Interval] = (direction, interval)
            ) -> dict[RowKey, T]:
                return {RowKey(*row, day): one for day, one in found.items()}

            known.sheets |= keyed(await _sheets(*of))
            known.kept |= keyed(await released(*of))
            known.unreleased |= keyed(await unreleased(*of))
            other = await days_at_other_steps(connection, direction, days, steps)
            known.elsewhere |= {RowKey(direction, interval, day) for day in other}
            out = await released(connection, direction, Interval.P1D, months)
            known.days |= {(direction, month): kept for month, kept in out.items()}
        return known


async def _sheets(
    connection: AsyncConnection, direction: Direction, interval: Interval, days: Collection[date]
) -> dict[date, Sheet]:
    found = await sums(connection, direction, interval, days)
    return {day: Sheet.of(_length(interval, day), rows) for day, rows in found.items()}


def _hiding(groups: Groups | None) -> Sequence[GroupId]:
    """Give the groups in which homes hide."""
    return () if groups is None else (groups.top, *groups.areas)


def _groups(months: Iterable[Month]) -> Groups | None:
    """Give everybody's group, and all areas of these months; None where nobody hides."""
    told = [month for month in months if month.top is not None]
    if not told or told[0].top is None:
        return None
    areas = frozenset[GroupId]().union(*(month.areas for month in told))
    return Groups(told[0].top, tuple(sorted(areas)))


def _all_groups(months: Iterable[Month]) -> Iterator[GroupId]:
    """Give every group of which something may be written."""
    found: set[GroupId] = set()
    for month in months:
        found |= month.open | month.areas
        found |= set() if month.top is None else {month.top}
    yield from sorted(found)


def _length(interval: Interval, day: date) -> int:
    return len(days_of(month_of(day))) if interval is Interval.P1D else 1440 // interval.minutes


def _told(
    start: datetime, standing: Standing | None, place: int, known: Known, *, stays: bool
) -> Told:
    """Give what is said of a place: what homes have together, and what is known anyway.

    What is final `stays` as it was said. Without a standing, nobody hides in the group.
    """
    if standing is None:
        return Told(start, known.watt_minutes, known.members) if known.members else Told(start)
    if not standing.is_out(place):
        return Told(start)
    return Told(
        start,
        standing.sums[place] + known.watt_minutes,
        standing.counts[place] + known.members,
        stays=stays and standing.final,
    )


def _with_hours(told: Told, group: GroupId, hours: Iterable[Hour]) -> Told:
    """Add the hours of a day that were released."""
    out = [one for one in hours if one.standings[group].is_out(one.place)]
    return Told(
        told.start,
        (told.watt_minutes or 0) + sum(one.standings[group].sums[one.place] for one in out),
        told.members + min(one.standings[group].counts[one.place] for one in out),
        stays=told.stays,
    )
