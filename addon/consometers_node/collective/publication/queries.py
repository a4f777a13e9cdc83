"""What a collective published, for everybody who shows it: pages, open data, peers, metrics.

Figures are read from published cells, and nowhere else.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ...quoalise import Text
from ...quoalise.identifier import organisation
from ...quoalise.text import text, verbatim
from ...series import Device, Direction, Interval, Range
from ...store.collective_tables import GroupId, MemberRow
from ...store.publication import (
    cells,
    closed_intervals,
    closed_spans,
    first_closed,
    first_day,
    last_closed,
    minutes_since,
    parts,
    published_directions,
    published_groups,
)
from ...store.published_series import devices
from ..calendar import Span, instants
from ..disclosure.sdc_rules import Figure, Publication, Reason, Released, WattMinutes, Withheld
from ..groups import GroupKind, all_groups
from ..members.sites import Description

ALL = "all"
"""How addresses name the group of all members."""

AREAS = frozenset({GroupKind.AREA, GroupKind.COMBINED, GroupKind.REST})
"""Geographic groups: a commune, several communes together, or the rest."""

_LATELY = timedelta(days=7)
_DAY = timedelta(days=1)
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
    """It was only ever published with others."""

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
class Told:
    """An interval, in the time of the collective, and what may be known of it."""

    start: datetime
    end: datetime
    minutes: int
    """How long the interval is."""
    figure: Figure

    @property
    def is_whole(self) -> bool:
        return isinstance(self.figure, Released) and self.figure.minutes >= self.minutes


@dataclass(frozen=True, slots=True)
class Columns:
    """Intervals, each from one of the `bounds` to the next, and what may be known of them.

    Figures are made while they are gone through, once: thousands that stayed would make the
    garbage collector look through the whole process, time and again.
    """

    bounds: Sequence[datetime]
    figures: Mapping[Direction, Iterator[Figure]]

    def told(self) -> Iterator[tuple[Direction, list[Told]]]:
        """Yield the intervals of each direction, once."""
        # Of two times of one zone, Python takes the difference of what clocks show.
        seconds = [one.timestamp() for one in self.bounds]
        minutes = [round((end - start) / 60) for start, end in pairwise(seconds)]
        for direction, figures in self.figures.items():
            intervals = zip(pairwise(self.bounds), minutes, figures, strict=True)
            yield direction, [Told(*both, length, figure) for both, length, figure in intervals]


type Steps = Mapping[Interval, tuple[datetime, datetime | None]]
"""From when until when intervals were closed at each step, in order. The last one goes on."""


@dataclass(frozen=True, slots=True)
class Published:
    """Reads for one collective: by its name in the federation, its time zone, its rules."""

    collective: str
    time_zone: ZoneInfo
    publication: Publication

    async def places(self, connection: AsyncConnection) -> Mapping[str, Place]:
        """Return the groups of which something was published, by their names in addresses.

        All members together are there as soon as anybody is a member, and a commune also where it
        was only ever published with others: it says with which.
        """
        groups = {one.id: one for one in await all_groups(connection)}
        there = await published_groups(connection)
        sites = {name: told for name, *told in await connection.execute(_SITES)}
        parts_of = {
            group: some for group, some in (await parts(connection)).items() if group in there
        }
        alone = frozenset(there)
        there |= {part for some in parts_of.values() for part in some}
        own = str(organisation(self.collective))
        found: dict[str, Place] = {}
        for number, device in devices(self.collective, groups.values()).items():
            group = groups[number]
            if number not in there and group.kind != GroupKind.ALL:
                continue
            slug = ALL if device == own else device.removeprefix(f"{own}-")
            described, area = sites.get(group.name, (None, None))
            if group.kind != GroupKind.SITE:
                described = area = None
            elif group.name not in sites:
                continue
            place = Place(
                id=number,
                kind=group.kind,
                name=group.name,
                slug=slug,
                device=device,
                description=Description.unpack(described),
                area=area,
                parts=tuple(sorted(groups[part].name for part in parts_of.get(number, ()))),
                together=tuple(sorted(whole for whole, some in parts_of.items() if number in some)),
                is_together=group.kind != GroupKind.ALL and number not in alone,
            )
            found.setdefault(slug, place)
        return found

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
        """Return all intervals of some civil days that ended by then.

        Directions in which this group has nothing are left out. Where the step of the collective
        changed, intervals are of the time in which each was closed at this one.
        """
        within = Range(
            instants(self.time_zone.key, span.first).start,
            instants(self.time_zone.key, span.last).end,
        )
        if interval is not Interval.P1D:
            steps = await self.steps(connection)
            if len(steps) > 1 and interval in steps:
                first, end = steps[interval]
                within = within.clip(Range(first, end or max(first, within.end)))
        return await self._columns(
            connection, place, interval, within, until, directions=directions
        )

    async def within_days(
        self, connection: AsyncConnection, place: Place, span: Span, until: datetime
    ) -> Mapping[Direction, Sequence[Told]]:
        """Return the intervals of some civil days, each day at the step at which it was closed."""
        zone = self.time_zone.key
        days = [instants(zone, day) for day in span]
        steps = await self.steps(connection, Range(days[0].start, days[-1].end))
        if len(steps) == 1:
            found = await self.columns(connection, place, next(iter(steps)), span, until)
            return dict(found.told())
        told: dict[Direction, list[Told]] = {}
        for day in days:
            begins = day.start
            steps = await self.steps(connection, day)
            by_start = sorted(steps.items(), key=lambda one: one[1][0])
            for (step, _), after in zip(by_start, [*by_start[1:], None], strict=True):
                # On the day of a change, each step goes on until the next one begins.
                ends = day.end if after is None else after[1][0]
                part = Range(begins, max(begins, ends))
                begins = part.end
                found = await self._columns(connection, place, step, part, until)
                for direction, some in found.told():
                    told.setdefault(direction, []).extend(some)
        return told

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
                known = spans.get(step, (first, end))
                spans[step] = min(known[0], first), max(known[1], end)
        latest = max((end for _, end in spans.values()), default=_DAWN)
        if within is None or not spans:
            spans.setdefault(now, (latest, latest))
        return {
            step: (first, None if step is now and end == latest else end)
            for step, (first, end) in sorted(spans.items(), key=lambda one: one[1])
        }

    async def lately(self, connection: AsyncConnection, places: Iterable[Place]) -> Sequence[Place]:
        """Return the groups in which communes were published lately, most of them first.

        A commune that is published by itself and with others, by the hour, is in one of them: in
        that of which most was published. None leads to an empty page.
        """
        areas = {one.id: one for one in places if one.kind in AREAS and not one.is_together}
        last = max((await last_closed(connection)).values(), default=None)
        minutes = {}
        if last is not None and areas:
            minutes = await minutes_since(connection, last - _LATELY, list(areas))
        if not minutes:
            return list(areas.values())
        parts_of = await parts(connection)
        covered: set[GroupId] = set()
        found = []
        for group in sorted(minutes, key=lambda one: (-minutes[one], one)):
            communes = parts_of.get(group, frozenset({group}))
            if not communes <= covered:
                found.append(areas[group])
                covered |= communes
        return sorted(found, key=lambda one: one.title.say())

    async def withheld(
        self, connection: AsyncConnection, interval: Interval, span: Span, until: datetime
    ) -> Counter[Reason]:
        """Count the intervals that ended by then of which no sum of homes was published."""
        zone = self.time_zone.key
        whole = Range(instants(zone, span.first).start, instants(zone, span.last).end)
        bounds = self._bounds(interval, whole, until)
        within = Range(bounds[0], bounds[-1])
        closed = await closed_intervals(connection, interval, within)
        found = Counter(Reason(one.reason) for one in closed if one.reason is not None)
        begun = {direction for direction, _ in await last_closed(connection)}
        open_count = (len(bounds) - 1) * len(begun) - len(closed)
        if open_count > 0:
            found[Reason.NOT_YET] = open_count
        return found

    async def since(self, connection: AsyncConnection, place: Place) -> date | None:
        """Return the first civil day of which anything was published."""
        return await first_day(connection, place.id, Interval.P1D)

    async def begun(self, connection: AsyncConnection, place: Place | None = None) -> date | None:
        """Return the first civil day of which anything was closed, published or not.

        Of a commune, a building or a site it is the first that was published.
        """
        place = place or (await self.places(connection)).get(ALL)
        if place is None:
            return None
        if place.kind is not GroupKind.ALL:
            return await self.since(connection, place)
        first = await first_closed(connection)
        days = [await self.since(connection, place)]
        days += [] if first is None else [first.astimezone(self.time_zone).date()]
        return min((day for day in days if day is not None), default=None)

    async def _columns(
        self,
        connection: AsyncConnection,
        place: Place,
        interval: Interval,
        within: Range,
        until: datetime,
        *,
        directions: Collection[Direction] = tuple(Direction),
    ) -> Columns:
        bounds = self._bounds(interval, within, until)
        known = await self._known(
            connection, place, interval, directions, Range(bounds[0], bounds[-1])
        )
        last = await last_closed(connection)
        shown = known.keys() | await self._directions(connection, place, last)
        found: dict[Direction, Iterator[Figure]] = {}
        for direction in Direction:
            if direction not in shown or direction not in directions:
                continue
            why = partial(self._why, place, direction, interval, last)
            found[direction] = _figures(bounds[:-1], known.get(direction, {}), why)
        return Columns([one.astimezone(self.time_zone) for one in bounds], found)

    async def _known(
        self,
        connection: AsyncConnection,
        place: Place,
        interval: Interval,
        directions: Collection[Direction],
        within: Range,
    ) -> Mapping[Direction, Mapping[datetime, Released]]:
        found = await cells(connection, place.id, interval, directions, within)
        lacking = set()
        if place.kind not in _PUBLIC and any(not cell.homes for cell in found):
            closed = await closed_intervals(connection, interval, within)
            lacking = {(one.direction, one.start) for one in closed if one.reason is not None}
        known: dict[Direction, dict[datetime, Released]] = {}
        for direction, start, energy, members, homes, counting, per_member, minutes in found:
            known.setdefault(direction, {})[start] = Released(
                WattMinutes(energy),
                members,
                homes,
                counting,
                WattMinutes(per_member),
                minutes,
                not homes and (direction, start) in lacking,
            )
        return known

    def _bounds(self, interval: Interval, within: Range, until: datetime) -> list[datetime]:
        """Return when the first interval starts, and when each ends: the next one starts then."""
        # In UTC: a local time that comes twice equals none of another zone.
        start, end = within.start, min(within.end, until)
        if interval is Interval.P1D:
            first, last = (one.astimezone(self.time_zone).date() for one in (start, within.end))
            days = (instants(self.time_zone.key, day).end for day in Span(first, last - _DAY))
            return [start, *(day for day in days if day <= end)]
        step = timedelta(minutes=interval.minutes)
        return [start + n * step for n in range(max(0, (end - start) // step) + 1)]

    async def _directions(
        self,
        connection: AsyncConnection,
        place: Place,
        last: Mapping[tuple[Direction, Interval], datetime],
    ) -> set[Direction]:
        """Return the directions of which it is said that nothing is published, if so."""
        published = await published_directions(connection, place.id)
        return published | ({of for of, _ in last} if place.kind is GroupKind.ALL else set())

    def _why(
        self,
        place: Place,
        direction: Direction,
        interval: Interval,
        last: Mapping[tuple[Direction, Interval], datetime],
        start: datetime,
    ) -> Withheld:
        until = last.get((direction, interval))
        need = self.publication.needed(direction, interval)
        if until is None or start > until:
            return Withheld(Reason.NOT_YET, need)
        if need is None:
            return Withheld(Reason.NEVER)
        return Withheld(Reason.TOGETHER if place.together else Reason.BELOW_THRESHOLD, need)


def _figures(
    starts: Iterable[datetime],
    known: Mapping[datetime, Released],
    why: Callable[[datetime], Withheld],
) -> Iterator[Figure]:
    for start in starts:
        yield known.get(start) or why(start)


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
