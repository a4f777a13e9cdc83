"""Published figures, for everything that shows them: pages, open data, peers, metrics.

Figures are read from published cells, and nowhere else.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select

from consometers_node.collective.calendar import Span, instants
from consometers_node.collective.disclosure.reasons import Reason, Withheld
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.members.members import MemberKind
from consometers_node.collective.members.shares import all_plants
from consometers_node.collective.members.sites import Description
from consometers_node.collective.publication.closing.openings import GIVEN_UP_AFTER
from consometers_node.collective.publication.member_values import WH
from consometers_node.figures import COMBINED
from consometers_node.i18n.text import Text, text, verbatim
from consometers_node.permission import State
from consometers_node.series import Device, Direction, Interval, Range
from consometers_node.store.collective.groups import GroupKind, all_groups, counts_as, counts_in
from consometers_node.store.collective.masked_reports import summed_directions
from consometers_node.store.collective.publication import (
    ClosedSpans,
    PublishedCell,
    best_day,
    cells,
    closed_intervals,
    closed_spans,
    closed_step,
    exchanges,
    first_day,
    interval_sums,
    last_closed,
    minutes_since,
    parts,
    published_directions,
    published_groups,
)
from consometers_node.store.collective.published_series import devices
from consometers_node.store.collective.tables import (
    GroupId,
    GroupMembershipRow,
    MemberGroupRow,
    MemberPermissionRow,
    MemberPermissionSeriesRow,
    MemberRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_quoalise.records.identifier import identifier, organisation

from .closed_hours import outcomes
from .collective_self_consumption import Exchanges
from .values import FlowRow, TimeSlot, joint_of_day, together

ALL = "all"
"""How addresses name the group of all members."""

AREAS = frozenset({GroupKind.AREA, GroupKind.COMBINED, GroupKind.REST})
"""Geographic groups: a commune, several communes together, or the rest."""

_SUMMED = {Interval.PT1H, Interval.P1D}
"""The intervals that have protected sums: hours, and their days."""
_LATELY = timedelta(days=7)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_DAWN = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A group that may be looked at: all members, a commune or several, a kind of building, a site.

    `parts` are the names of the communes of which it is the sum, "" for members in none;
    `together` the groups in which a commune is published with others.
    """

    id: GroupId
    kind: GroupKind
    name: str
    slug: str
    """Its name in addresses."""
    device: Device
    description: Description | None = None
    area: str | None = None
    parts: tuple[str, ...] = ()
    together: tuple[GroupId, ...] = ()
    is_together: bool = False
    """It was only ever published together with others."""

    @property
    def title(self) -> Text:
        """Its name as people read it; empty for all members."""
        if self.kind not in {GroupKind.REST, GroupKind.COMBINED}:
            return verbatim(self.name)
        names = self.parts or ("",)
        return Text(
            {
                tag: _listed(names, elsewhere, _AND.say(tag))
                for tag, elsewhere in _ELSEWHERE.by_language.items()
            }
        )


@dataclass(frozen=True, slots=True)
class Latest:
    """The last interval of which figures of all members are published, and its day so far."""

    interval: FlowRow
    day: FlowRow


class _Column(NamedTuple):
    """What is published of a direction, and why the rest is not.

    Intervals were closed from the `first` one to the `last`. Of those that end after `may_follow`,
    protected sums may still come, if any do.
    """

    direction: Direction
    cells: Mapping[datetime, PublishedCell]
    first: datetime
    last: datetime
    suppressed: Withheld
    not_yet: Withheld
    may_follow: datetime | None

    def why(self, start: datetime, end: datetime) -> Withheld:
        """Return why nothing is published of an interval."""
        if not self.first <= start <= self.last:
            return self.not_yet
        is_hidden = self.suppressed.reason is Reason.BELOW_THRESHOLD
        if is_hidden and self.may_follow is not None and end > self.may_follow:
            return Withheld(Reason.MAY_FOLLOW, self.suppressed.need)
        return self.suppressed


@dataclass(frozen=True, slots=True)
class PlantFigures:
    """The public figures of a site's shares and panels, with their best day."""

    shares: int
    holders: int | None
    """How many members hold some; None while they are too few to be counted in public."""
    best: tuple[date, float] | None
    """The day of which most production was published, and its Wh."""


@dataclass(frozen=True, slots=True)
class ChildCollectives:
    """How many collectives count in a group, and of which directions they let sums be read."""

    count: int
    allowed: frozenset[Direction]


type Steps = Mapping[Interval, tuple[datetime, datetime | None]]
"""From when until when intervals were closed at each step, in order. The last one goes on."""


@dataclass(frozen=True, slots=True)
class Published:
    """Reads for one collective: by its name in the federation, its time zone, its rules."""

    collective: str
    time_zone: ZoneInfo
    publication: Publication

    async def places(self, connection: AsyncConnection) -> Mapping[str, Place]:
        """Return the groups with published figures, by their names in addresses.

        All members together are there as soon as anybody is a member, and a commune also where it
        was only ever published with others: it says with which.
        """
        groups = {group.id: group for group in await all_groups(connection)}
        published = await published_groups(connection)
        sites = {name: facts for name, *facts in await connection.execute(_SITES)}
        parts_of = {
            whole: ids for whole, ids in (await parts(connection)).items() if whole in published
        }
        shown = published.union(*parts_of.values())
        own = str(organisation(self.collective))
        places: dict[str, Place] = {}
        for group_id, device in devices(self.collective, groups.values()).items():
            group = groups[group_id]
            if group_id not in shown and group.kind != GroupKind.ALL:
                continue
            if group.kind == GroupKind.SITE and group.name not in sites:
                continue
            slug = ALL if device == own else device.removeprefix(f"{own}-")
            is_site = group.kind == GroupKind.SITE
            description, area = sites[group.name] if is_site else (None, None)
            place = Place(
                id=group_id,
                kind=group.kind,
                name=group.name,
                slug=slug,
                device=device,
                description=Description.unpack(description),
                area=area,
                parts=tuple(sorted(groups[part].name for part in parts_of.get(group_id, ()))),
                together=tuple(sorted(whole for whole, ids in parts_of.items() if group_id in ids)),
                is_together=group.kind != GroupKind.ALL and group_id not in published,
            )
            places.setdefault(slug, place)
        return places

    async def slots(
        self,
        connection: AsyncConnection,
        place: Place,
        interval: Interval,
        span: Span,
        until: datetime,
        *,
        directions: Collection[Direction] = tuple(Direction),
    ) -> Sequence[TimeSlot]:
        """Return all intervals of some civil days that ended by then, from the first closed day on.

        Directions in which this group has nothing are left out, and all intervals if it has nothing
        in any. Where the step of the collective changed, intervals are of the time in which each
        was closed at this one.
        """
        return await self._slots(
            connection,
            place,
            interval,
            await self._closed_at(connection, interval, self._range(span)),
            until,
            directions=directions,
        )

    async def within_days(
        self, connection: AsyncConnection, place: Place, span: Span, until: datetime
    ) -> Sequence[TimeSlot]:
        """Return the intervals of some civil days, each day at the step at which it was closed."""
        steps = await self.steps(connection, self._range(span))
        if len(steps) == 1:
            return await self.slots(connection, place, next(iter(steps)), span, until)
        slots: list[TimeSlot] = []
        for day in span:
            within = self._range(Span(day, day))
            step = await closed_step(connection, within) or self.publication.interval
            slots += await self._slots(connection, place, step, within, until)
        return slots

    async def exchanges(self, connection: AsyncConnection, place: Place, span: Span) -> Exchanges:
        """Return what members injected and drew in the intervals of some civil days."""
        return Exchanges(await exchanges(connection, place.id, self._range(span)))

    async def latest(
        self, connection: AsyncConnection, since: datetime, until: datetime
    ) -> Latest | None:
        """Return the last interval of all members that starts since then and ends by then.

        It has as many directions as any: others may still come.
        """
        everybody = (await self.places(connection)).get(ALL)
        if everybody is None:
            return None
        zone = self.time_zone
        span = Span(since.astimezone(zone).date(), until.astimezone(zone).date())
        slots = await self.within_days(connection, everybody, span, until)
        published = [slot for slot in slots if slot.start >= since and slot.published]
        if not published:
            return None
        last = max(reversed(published), key=lambda slot: slot.published)
        until_then = slots[: slots.index(last) + 1]
        day = [slot for slot in until_then if slot.start.date() == last.start.date()]
        interval, whole = together([last]), together(day)
        assert interval is not None
        assert whole is not None
        return Latest(interval, whole)

    async def plant(self, connection: AsyncConnection, place: Place) -> PlantFigures | None:
        """Return the figures of a site's panels; None unless the site has shares.

        Of few holders, neighbours know who they are, and what each one's part made follows from the
        published production: their number takes as many members as a sum takes homes.
        """
        if place.kind is not GroupKind.SITE:
            return None
        plants = await all_plants(connection)
        plant = next((plant for plant in plants if plant.name == place.name), None)
        if plant is None:
            return None
        best = await best_day(connection, place.id, Direction.PRODUCTION)
        needed = self.publication.needed(Direction.PRODUCTION, Interval.P1D)
        return PlantFigures(
            shares=plant.total,
            holders=plant.holders if needed is not None and plant.holders >= needed else None,
            best=None if best is None else (best[0], best[1] / WH),
        )

    async def steps(self, connection: AsyncConnection, within: Range | None = None) -> Steps:
        """Return the steps at which intervals were closed, beside days, each with its time.

        With `within`, of that time. The step of now goes on; it is the one where nothing was closed
        yet.
        """
        now = self.publication.interval
        spans: dict[Interval, tuple[datetime, datetime]] = {}
        for (_, step), (first, last) in (await closed_spans(connection, within)).items():
            if step is not Interval.P1D:
                end = last + timedelta(minutes=step.minutes)
                before = spans.get(step, (first, end))
                spans[step] = min(before[0], first), max(before[1], end)
        latest = max((end for _, end in spans.values()), default=_DAWN)
        if within is None or not spans:
            spans.setdefault(now, (latest, latest))
        return {
            step: (first, None if step is now and end == latest else end)
            for step, (first, end) in sorted(spans.items(), key=lambda item: item[1])
        }

    async def recent(self, connection: AsyncConnection, places: Iterable[Place]) -> Sequence[Place]:
        """Return the groups in which communes were published lately, the most published first.

        A commune that is published by itself and with others, by the hour, is in one of them: in
        that of which most was published. None leads to an empty page.
        """
        areas = {
            place.id: place for place in places if place.kind in AREAS and not place.is_together
        }
        last = max((await last_closed(connection)).values(), default=None)
        minutes = {}
        if last is not None and areas:
            minutes = await minutes_since(connection, last - _LATELY, list(areas))
        if not minutes:
            return list(areas.values())
        parts_of = await parts(connection)
        covered: set[GroupId] = set()
        shown = []
        for group in sorted(minutes, key=lambda group: (-minutes[group], group)):
            communes = parts_of.get(group, frozenset({group}))
            if not communes <= covered:
                shown.append(areas[group])
                covered |= communes
        return sorted(shown, key=lambda place: place.title.say())

    async def withheld(
        self, connection: AsyncConnection, interval: Interval, span: Span, until: datetime
    ) -> Counter[Reason]:
        """Count the intervals that ended by then of which no sum of homes was published.

        Those before the first closed one of a direction are none.
        """
        within = await self._closed_at(connection, interval, self._range(span))
        bounds = self._bounds(interval, within, until)
        closed = await outcomes(connection, interval, Range(bounds[0], bounds[-1]))
        reasons = Counter(Reason(each.reason) for each in closed if each.reason)
        starts: dict[Direction, datetime] = {}
        for (direction, _), (first, _) in (await closed_spans(connection)).items():
            starts[direction] = min(first, starts.get(direction, first))
        ended = sum(start >= first for first in starts.values() for start in bounds[:-1])
        if (open_count := ended - len(closed)) > 0:
            reasons[Reason.NOT_YET] = open_count
        return reasons

    async def has_sites(self, connection: AsyncConnection) -> bool:
        """Return whether figures of a public building are published."""
        sites = (await connection.execute(_SITE_GROUPS)).scalars()
        return not (await published_groups(connection)).isdisjoint(sites)

    async def since(self, connection: AsyncConnection, place: Place) -> date | None:
        """Return the first published civil day."""
        return await first_day(connection, place.id)

    async def last_day(self, connection: AsyncConnection) -> date | None:
        """Return the last closed civil day."""
        last = await last_closed(connection)
        starts = [start for (_, interval), start in last.items() if interval is Interval.P1D]
        return max(starts).astimezone(self.time_zone).date() if starts else None

    async def first_day(
        self, connection: AsyncConnection, place: Place | None = None
    ) -> date | None:
        """Return the first closed civil day, published or not.

        Of a commune, a building or a site it is the first that was published.
        """
        place = place or (await self.places(connection)).get(ALL)
        if place is None:
            return None
        if place.kind is not GroupKind.ALL:
            return await self.since(connection, place)
        return await self._first_day(connection, place, await closed_spans(connection))

    async def _first_day(
        self, connection: AsyncConnection, place: Place, spans: ClosedSpans
    ) -> date | None:
        """Return the first civil day of which anything was closed, or published of a group."""
        days = {first.astimezone(self.time_zone).date() for first, _ in spans.values()}
        published = await self.since(connection, place)
        return min(days if published is None else {*days, published}, default=None)

    async def _slots(
        self,
        connection: AsyncConnection,
        place: Place,
        interval: Interval,
        within: Range,
        until: datetime,
        *,
        directions: Collection[Direction] = tuple(Direction),
    ) -> list[TimeSlot]:
        spans = await closed_spans(connection)
        beginning = await self._first_day(connection, place, spans)
        if beginning is not None:
            first = instants(self.time_zone.key, beginning).start
            within = Range(max(first, within.start), max(first, within.end))
        bounds = self._bounds(interval, within, until)
        within = Range(bounds[0], bounds[-1])
        published = await self._cells(connection, place, interval, directions, within)
        shown = published.keys() | await published_directions(connection, place.id)
        if place.kind is GroupKind.ALL:
            # A direction without a published figure is shown as such.
            shown |= {direction for direction, _ in spans}
        summed = await summed_directions(connection)
        settled = until - GIVEN_UP_AFTER
        columns = [
            _Column(
                direction,
                published.get(direction, {}),
                *spans.get((direction, interval), (_DAWN, _DAWN)),
                self._suppressed(place, direction, interval),
                Withheld(Reason.NOT_YET, self.publication.needed(direction, interval)),
                settled if direction in summed and interval in _SUMMED else None,
            )
            for direction in Direction
            if direction in shown and direction in directions
        ]
        if not columns:
            return []
        local = [bound.astimezone(self.time_zone) for bound in bounds]
        slots = [
            TimeSlot(
                *ends,
                (end - start) // _MINUTE,
                {
                    column.direction: column.cells.get(start) or column.why(start, end)
                    for column in columns
                },
                of_building=place.kind is GroupKind.SITE,
            )
            for (start, end), ends in zip(pairwise(bounds), pairwise(local), strict=True)
        ]
        if interval is Interval.P1D:
            return await self._with_joints(connection, place, within, slots, directions)
        return slots

    async def _with_joints(
        self,
        connection: AsyncConnection,
        place: Place,
        within: Range,
        days: Sequence[TimeSlot],
        directions: Collection[Direction],
    ) -> list[TimeSlot]:
        """Return civil days with the joint energies of their intervals."""
        bases = [basis for basis in COMBINED if {*basis.directions} <= {*directions}]
        if not bases:
            return [day._replace(joints={}) for day in days]
        hours = await interval_sums(connection, place.id, within, directions)
        suppressed = defaultdict[datetime, set[Direction]](set)
        if place.kind not in _PUBLIC:
            for closed in await closed_intervals(connection, Interval.P1D, within):
                if closed.reason:
                    suppressed[closed.start].add(closed.direction)
        return [
            day._replace(
                joints={
                    basis: joint_of_day(
                        basis,
                        hours.get(day.start.date()),
                        day.cells,
                        day.minutes,
                        suppressed[day.start],
                    )
                    for basis in bases
                }
            )
            for day in days
        ]

    async def _cells(
        self,
        connection: AsyncConnection,
        place: Place,
        interval: Interval,
        directions: Collection[Direction],
        within: Range,
    ) -> Mapping[Direction, Mapping[datetime, PublishedCell]]:
        by_direction: dict[Direction, dict[datetime, PublishedCell]] = {}
        for cell in await cells(
            connection, place.id, interval, directions, within, time_zone=self.time_zone.key
        ):
            by_direction.setdefault(cell.direction, {})[cell.start] = cell
        return by_direction

    async def _closed_at(
        self, connection: AsyncConnection, interval: Interval, within: Range
    ) -> Range:
        """Return the part of some civil days in which intervals were closed at this step."""
        steps = await self.steps(connection) if interval is not Interval.P1D else {}
        if len(steps) == 1 or interval not in steps:
            return within
        first, end = steps[interval]
        return within.clip(Range(first, end or max(first, within.end)))

    def _range(self, span: Span) -> Range:
        zone = self.time_zone.key
        return Range(instants(zone, span.first).start, instants(zone, span.last).end)

    def _bounds(self, interval: Interval, within: Range, until: datetime) -> list[datetime]:
        """Return when the first interval starts, and when each ends: the next one starts then."""
        # In UTC: a local time that comes twice equals none of another zone.
        start, end = within.start, min(within.end, until)
        if interval is Interval.P1D:
            first, last = (at.astimezone(self.time_zone).date() for at in (start, within.end))
            days = (instants(self.time_zone.key, day).end for day in Span(first, last - _DAY))
            return [start, *(day for day in days if day <= end)]
        step = timedelta(minutes=interval.minutes)
        return [start + n * step for n in range(max(0, (end - start) // step) + 1)]

    def _suppressed(self, place: Place, direction: Direction, interval: Interval) -> Withheld:
        need = self.publication.needed(direction, interval)
        if need is None:
            return Withheld(Reason.NEVER)
        return Withheld(Reason.TOGETHER if place.together else Reason.BELOW_THRESHOLD, need)


async def child_collectives(
    connection: AsyncConnection, group: GroupId, month: date
) -> ChildCollectives:
    """Return which directions collectives one level below disclose, for a group in a month."""
    holds = and_(
        MemberPermissionRow.member_id == MemberRow.id, MemberPermissionRow.state == State.GRANTED
    )
    query = (
        select(MemberRow.id, MemberPermissionSeriesRow.identifier)
        .join(GroupMembershipRow, GroupMembershipRow.member_id == MemberRow.id)
        .join(MemberPermissionRow, holds, isouter=True)
        .outerjoin(MemberPermissionSeriesRow)
        .where(MemberRow.kind == MemberKind.COLLECTIVE, counts_as(group), counts_in(month))
    )
    rows = (await connection.execute(query)).tuples().all()
    directions = (identifier(name).direction for _, name in rows if name)
    return ChildCollectives(
        len({member for member, _ in rows}),
        frozenset(Direction(direction) for direction in directions if direction is not None),
    )


def _listed(communes: Sequence[str], elsewhere: str, conjunction: str) -> str:
    names = sorted(name for name in communes if name)
    names += [elsewhere] if len(names) < len(communes) else []
    *first, last = names
    title = f"{', '.join(first)} {conjunction} {last}" if first else last
    return title[0].upper() + title[1:]


_ELSEWHERE = text("elsewhere")
_AND = text("and")
_PUBLIC = frozenset({GroupKind.SITE, GroupKind.BUILDING})
_SITES = select(MemberRow.name, MemberRow.description, MemberRow.area).where(
    MemberRow.kind == "site", MemberRow.name.is_not(None)
)
_SITE_GROUPS = (
    select(MemberGroupRow.id)
    .join(MemberRow, and_(MemberRow.kind == "site", MemberRow.name == MemberGroupRow.name))
    .where(MemberGroupRow.kind == GroupKind.SITE)
)
