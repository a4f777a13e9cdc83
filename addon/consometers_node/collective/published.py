"""What may be known of a collective: figures that were released, and why others are withheld.

Pages and open data read sums here and nowhere else. A figure is read from the collective's own
series, into which nothing comes but what was released; a reason from what was looked at.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, partial
from itertools import batched, chain, pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..quoalise.identifier import organisation
from ..series import Block, Device, Direction, Interval, Range
from ..store.collective_tables import (
    GroupId,
    MemberRow,
    ReleasedBlockRow,
)
from ..store.releases import Kept, homes_in, reasons as reasons_of, released
from ..store.tables import BlockRow, MemberCountRow, SeriesId, SeriesRow
from .calendar import instants, month_of, places
from .disclosure import Figure, Publication, Reason, Released, WattMinutes, Withheld
from .members import GroupKind, month_after
from .own import devices, energy, named, own_series
from .sites import Description

ALL = "all"
"""How addresses name the group of all members."""

_DAY = timedelta(days=1)

type Reasons = Mapping[date, Kept]
type _Known = tuple[int | None, int | None]
"""The record that says a figure, and how many members it sums; neither where it is withheld."""

_NOTHING: _Known = (None, None)
_UNTOLD = (Reason.NOT_YET, 0)
_OUT = frozenset(reason for reason in Reason if reason.is_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A group that may be looked at: all members, a commune, a kind of building, a site."""

    id: GroupId
    kind: GroupKind
    name: str
    slug: str
    """Its name in addresses."""
    device: Device
    description: Description | None = None
    area: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Civil days, the first and the last one included."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        return (self.first + n * _DAY for n in range((self.last - self.first).days + 1))


@dataclass(frozen=True, slots=True)
class Told:
    """An interval, in the time of the collective, and what may be known of it."""

    start: datetime
    end: datetime
    figure: Figure


@dataclass(frozen=True, slots=True)
class Columns:
    """Intervals, each from one of the `bounds` to the next, and what may be known of them.

    Figures are made while they are gone through, once: thousands that stayed would make the
    garbage collector look through the whole process, time and again.
    """

    bounds: Sequence[datetime]
    figures: Mapping[Direction, Iterator[Figure]]


@dataclass(frozen=True, slots=True)
class Homes:
    """How many homes count in a group, and how many of them told of an interval."""

    telling: int
    counting: int


@dataclass(frozen=True, slots=True)
class Published:
    """Reads for one collective: by its name in the federation, its time zone, its rules."""

    collective: str
    time_zone: ZoneInfo
    publication: Publication

    async def places(self, connection: AsyncConnection) -> Mapping[str, Place]:
        """Give all groups, by their names in addresses."""
        groups = {one.id: one for one in await named(connection)}
        sites = {name: told for name, *told in await connection.execute(_SITES)}
        own = str(organisation(self.collective))
        found: dict[str, Place] = {}
        for number, device in devices(self.collective, groups.values()).items():
            group = groups[number]
            slug = ALL if device == own else device.removeprefix(f"{own}-")
            described, area = sites.get(group.name, (None, None))
            if group.kind != GroupKind.SITE:
                described = area = None
            elif group.name not in sites:
                continue
            place = Place(
                id=number,
                kind=GroupKind(group.kind),
                name=group.name,
                slug=slug,
                device=device,
                description=Description.unpack(described),
                area=area,
            )
            found.setdefault(slug, place)
        return found

    async def figures(
        self,
        connection: AsyncConnection,
        place: Place,
        interval: Interval,
        span: Span,
        until: datetime,
        *,
        directions: Collection[Direction] = tuple(Direction),
    ) -> Mapping[Direction, Sequence[Told]]:
        """Give all intervals of some civil days that ended by then.

        Directions in which this group has nothing are left out.
        """
        found = await self.columns(connection, place, interval, span, until, directions=directions)
        ends = list(pairwise(found.bounds))
        return {
            direction: [Told(*both, figure) for both, figure in zip(ends, figures, strict=True)]
            for direction, figures in found.figures.items()
        }

    async def columns(
        self,
        connection: AsyncConnection,
        place: Place,
        interval: Interval,
        span: Span,
        until: datetime,
        *,
        directions: Collection[Direction] = tuple(Direction),
    ) -> Columns:
        """Give the same as `figures`, as columns."""
        bounds = self._bounds(interval, span, until)
        starts = bounds[:-1]
        released = await self._kept(connection, place, interval, span, directions)
        known = released.keys() | await self._looked_at(connection, place, directions)
        found: dict[Direction, Iterator[Figure]] = {}
        for direction in Direction:
            if direction not in known:
                continue
            mine = released.get(direction, {})
            told = [mine.get(start, _NOTHING) for start in starts]
            missing = [start for start, one in zip(starts, told, strict=True) if one[0] is None]
            reasons = await self._reasons(connection, place, direction, interval, missing)
            hours: Mapping[datetime, Withheld] = {}
            if interval is Interval.P1D:
                hours = await self._of_hours(connection, place, direction, reasons)
            why = partial(self._why, reasons, hours, direction, interval)
            found[direction] = _made(zip(starts, told, strict=True), energy(1, interval), why)
        return Columns([one.astimezone(self.time_zone) for one in bounds], found)

    async def homes(
        self, connection: AsyncConnection, place: Place, interval: Interval, start: datetime
    ) -> Homes:
        """Tell how many homes count, and how many of them told what they drew in an interval."""
        month = month_of(start.astimezone(self.time_zone).date())
        counting = await homes_in(connection, place.id, month)
        row, at = self._row(interval, start)
        kept = await released(connection, Direction.CONSUMPTION, interval, [row], place.id)
        mine = kept[row].get(place.id)
        telling = mine.counts[at] if mine is not None and at < len(mine.counts) else 0
        return Homes(min(telling, counting), counting)

    async def withheld(
        self, connection: AsyncConnection, interval: Interval, span: Span, until: datetime
    ) -> Counter[Reason]:
        """Count what is withheld of all groups, of the intervals that ended by then."""
        starts = self._bounds(interval, span, until)[:-1]
        rows = sorted(set(self._rows(interval, span)))
        found: Counter[Reason] = Counter()
        for direction in Direction:
            kept = await released(connection, direction, interval, rows)
            for row, at in (self._row(interval, start) for start in starts):
                reasons = (one.reasons[at : at + 1] for one in kept[row].values())
                found.update(Reason(one) for some in reasons for one in some)
        return Counter({reason: count for reason, count in found.items() if not reason.is_out})

    async def since(self, connection: AsyncConnection, place: Place) -> date | None:
        """Give the first civil day of which anything was released."""
        numbers = await self._numbers(connection, place, Interval.P1D)
        days = select(func.min(BlockRow.day)).where(BlockRow.series_id.in_(numbers))
        first: date | None = (await connection.execute(days)).scalar_one()
        if first is None:
            return None
        start = _starts_on(Interval.P1D, self.time_zone.key, first)[0]
        return start.astimezone(self.time_zone).date()

    async def begun(self, connection: AsyncConnection, place: Place) -> date | None:
        """Give the first day of which anybody told, released or not: nobody owes what is before.

        Of homes that tell of days alone, it is the first of their month.
        """
        steps = (self.publication.interval, Interval.P1D)
        firsts = [
            select(func.min(ReleasedBlockRow.day))
            .where(
                ReleasedBlockRow.group_id == place.id,
                ReleasedBlockRow.direction == direction,
                ReleasedBlockRow.interval == step,
            )
            .scalar_subquery()
            for step in steps
            for direction in Direction
        ]
        told = (await connection.execute(select(*firsts))).one()
        rows, months = batched(told, len(Direction), strict=True)
        hours = [
            await self._first_told(connection, place, direction, row)
            for direction, row in zip(Direction, rows, strict=True)
            if row
        ]
        since = await self.since(connection, place)
        found = [*hours, *([since] if since else ())]
        # The month of the first hours has a row of days as well.
        found += [one for one in months if one and (not found or one < month_of(min(found)))]
        return min(found, default=None)

    async def _first_told(
        self, connection: AsyncConnection, place: Place, direction: Direction, row: date
    ) -> date:
        """Give the civil day of the first of a UTC day's intervals of which anybody told."""
        step = self.publication.interval
        kept = (await reasons_of(connection, direction, step, [row], place.id))[row]
        told = (at for at, one in enumerate(zip(*kept, strict=True)) if one != _UNTOLD)
        start = Range.of_day(row).start + next(told, 0) * timedelta(minutes=step.minutes)
        return start.astimezone(self.time_zone).date()

    def _bounds(self, interval: Interval, span: Span, until: datetime) -> list[datetime]:
        """Give when the first interval starts, and when each ends: the next one starts then."""
        # In UTC: a local time that comes twice equals none of another zone.
        zone = self.time_zone.key
        whole = instants(zone, span.first).start, instants(zone, span.last).end
        end = min(whole[1], until)
        if interval is Interval.P1D:
            days = (_civil(zone, day).end for day in span)
            return [whole[0], *(day for day in days if day <= end)]
        step = timedelta(minutes=interval.minutes)
        return [whole[0] + n * step for n in range(max(0, (end - whole[0]) // step) + 1)]

    async def _kept(
        self,
        connection: AsyncConnection,
        place: Place,
        interval: Interval,
        span: Span,
        directions: Collection[Direction],
    ) -> Mapping[Direction, Mapping[datetime, _Known]]:
        numbers = {
            number: direction
            for number, direction in (await self._numbers(connection, place, interval)).items()
            if direction in directions
        }
        zone = self.time_zone.key
        days = instants(zone, span.first).start.date(), instants(zone, span.last).end.date()
        counted = and_(
            MemberCountRow.series_id == BlockRow.series_id, MemberCountRow.day == BlockRow.day
        )
        query = (
            select(BlockRow.series_id, BlockRow.day, BlockRow.packed, MemberCountRow.packed)
            .join(MemberCountRow, counted, isouter=True)
            .where(BlockRow.series_id.in_(numbers), BlockRow.day.between(*days))
        )
        found: dict[Direction, dict[datetime, _Known]] = {}
        for number, day, packed, of in await connection.execute(query):
            values = Block.values_of(packed)
            counts = (0,) * len(values) if of is None else Block.values_of(of)
            told = zip(values, counts, strict=True)
            starts = _starts_on(interval, zone, day)
            found.setdefault(numbers[number], {}).update(zip(starts, told, strict=True))
        return found

    async def _numbers(
        self, connection: AsyncConnection, place: Place, interval: Interval
    ) -> dict[SeriesId, Direction]:
        like = own_series(place.device, Direction.CONSUMPTION, interval, self.time_zone.key)
        query = select(SeriesRow.id, SeriesRow.direction).where(
            SeriesRow.device == like.device,
            SeriesRow.quantity == like.quantity,
            SeriesRow.interval == like.interval,
            SeriesRow.time_zone == like.time_zone,
        )
        return dict((await connection.execute(query)).tuples().all())

    async def _looked_at(
        self, connection: AsyncConnection, place: Place, directions: Collection[Direction]
    ) -> set[Direction]:
        """Give the directions in which something was released, or is withheld."""
        there = [
            exists().where(
                ReleasedBlockRow.group_id == place.id, ReleasedBlockRow.direction == direction
            )
            for direction in directions
        ]
        known = (await connection.execute(select(*there))).one()
        return {one for one, is_there in zip(directions, known, strict=True) if is_there}

    async def _reasons(
        self,
        connection: AsyncConnection,
        place: Place,
        direction: Direction,
        interval: Interval,
        starts: Iterable[datetime],
    ) -> Reasons:
        """Give what was looked at of the rows that hold these intervals."""
        rows = sorted({self._row(interval, start)[0] for start in starts})
        if not rows:
            return {}
        kept = await released(connection, direction, interval, rows, place.id)
        return {day: groups[place.id] for day, groups in kept.items() if place.id in groups}

    async def _of_hours(
        self, connection: AsyncConnection, place: Place, direction: Direction, reasons: Reasons
    ) -> Mapping[datetime, Withheld]:
        """Give why the hours of a day are withheld, of days of which none of them was released.

        Of such a day it is said as well that some of its hours are.
        """
        zone, step = self.time_zone.key, self.publication.interval
        days = [
            month + at * _DAY
            for month, kept in reasons.items()
            for at, reason in enumerate(kept.reasons)
            if reason == Reason.PARTLY
        ]
        parts = {day: places(zone, step, day) for day in days}
        rows = {part.day for some in parts.values() for part in some}
        if not rows:
            return {}
        kept = await reasons_of(connection, direction, step, rows, place.id)
        found = {}
        for day, some in parts.items():
            here = [(*kept[at], first, end) for at, first, end in some if at in kept]
            said = b"".join(why[first:end] for why, _, first, end in here)
            if not said or not _OUT.isdisjoint(said):
                continue
            known = said.replace(bytes([Reason.NOT_YET]), b"") or said
            reason = Reason(max(known, key=known.count))
            homes = chain.from_iterable(counts[first:end] for _, counts, first, end in here)
            have = max(count for one, count in zip(said, homes, strict=True) if one == reason)
            found[_civil(zone, day).start] = self._withheld(reason, have, direction, step)
        return found

    def _rows(self, interval: Interval, span: Span) -> Iterator[date]:
        """Give the days of the rows that hold the intervals of some civil days."""
        if interval is Interval.P1D:
            month = month_of(span.first)
            while month <= span.last:
                yield month
                month = month_after(month)
            return
        zone = self.time_zone.key
        within = Range(instants(zone, span.first).start, instants(zone, span.last).end)
        yield from within.days()

    def _row(self, interval: Interval, start: datetime) -> tuple[date, int]:
        """Give the day of the row that holds an interval, and its place in it."""
        if interval is Interval.P1D:
            civil = start.astimezone(self.time_zone).date()
            return month_of(civil), civil.day - 1
        utc = start.astimezone(UTC)
        return utc.date(), (utc.hour * 60 + utc.minute) // interval.minutes

    def _why(
        self,
        reasons: Reasons,
        hours: Mapping[datetime, Withheld],
        direction: Direction,
        interval: Interval,
        start: datetime,
    ) -> Withheld:
        if start in hours:
            return hours[start]
        row, at = self._row(interval, start)
        kept = reasons.get(row)
        if kept is None or at >= len(kept.reasons):
            return Withheld(Reason.NOT_YET)
        reason = Reason(kept.reasons[at])
        if reason.is_out:
            # What was released is being written.
            return Withheld(Reason.NOT_YET)
        return self._withheld(reason, kept.counts[at], direction, interval)

    def _withheld(
        self, reason: Reason, have: int, direction: Direction, interval: Interval
    ) -> Withheld:
        need = self.publication.needed(direction, interval)
        if reason is Reason.TOO_FEW and need is not None and have >= need:
            reason = Reason.RULES
        return Withheld(reason, have, need)


@lru_cache(maxsize=8192)
def _starts_on(interval: Interval, time_zone: str, day: date) -> tuple[datetime, ...]:
    return own_series(Device(""), Direction.CONSUMPTION, interval, time_zone).starts(day)


def _made(
    told: Iterable[tuple[datetime, _Known]], unit: int, why: Callable[[datetime], Withheld]
) -> Iterator[Figure]:
    for start, (value, members) in told:
        yield why(start) if value is None else Released(WattMinutes(value * unit), members or 0)


_civil = lru_cache(maxsize=8192)(instants)
_SITES = select(MemberRow.name, MemberRow.description, MemberRow.area).where(
    MemberRow.kind == "site", MemberRow.name.is_not(None)
)
