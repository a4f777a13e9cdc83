"""What a collective published, for everybody who shows it: pages, open data, peers, metrics.

Figures are read from published cells, and nowhere else.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..quoalise import Text
from ..quoalise.identifier import organisation
from ..quoalise.text import text
from ..series import Device, Direction, Interval, Range
from ..store.collective_tables import GroupId, MemberRow
from ..store.parts import homes_by_group
from ..store.publication import (
    cell_at,
    cells,
    closed_intervals,
    first_closed,
    first_day,
    last_closed,
    parts,
    published_directions,
    published_groups,
)
from .calendar import instants, month_of
from .disclosure import Figure, Publication, Reason, Released, WattMinutes, Withheld
from .members import GroupKind
from .own import devices, named
from .sites import Description

ALL = "all"
"""How addresses name the group of all members."""

_DAY = timedelta(days=1)


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

    @property
    def title(self) -> Text:
        """Its name as people read it; empty for all members."""
        if self.kind not in {GroupKind.REST, GroupKind.COMBINED}:
            return text(self.name, self.name)
        names = self.parts or ("",)
        return text(_listed(names, "elsewhere", "and"), _listed(names, "ailleurs", "et"))


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
        """Return the groups of which something was published, by their names in addresses.

        All members together are there as soon as anybody is a member.
        """
        groups = {one.id: one for one in await named(connection)}
        there = await published_groups(connection)
        sites = {name: told for name, *told in await connection.execute(_SITES)}
        parts_of = await parts(connection)
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
                kind=GroupKind(group.kind),
                name=group.name,
                slug=slug,
                device=device,
                description=Description.unpack(described),
                area=area,
                parts=tuple(sorted(groups[part].name for part in parts_of.get(number, ()))),
                together=tuple(sorted(whole for whole, some in parts_of.items() if number in some)),
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
        """Return all intervals of some civil days that ended by then.

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
        """Return the same as `figures`, as columns."""
        bounds = self._bounds(interval, span, until)
        within = Range(bounds[0], bounds[-1])
        known: dict[Direction, dict[datetime, Released]] = {}
        for direction, start, energy, members, intervals in await cells(
            connection, place.id, interval, directions, within
        ):
            figure = Released(WattMinutes(energy), members, intervals)
            known.setdefault(direction, {})[start] = figure
        last = await last_closed(connection)
        shown = known.keys() | await self._directions(connection, place, last)
        found: dict[Direction, Iterator[Figure]] = {}
        for direction in Direction:
            if direction not in shown or direction not in directions:
                continue
            why = partial(self._why, place, direction, interval, last)
            found[direction] = _figures(bounds[:-1], known.get(direction, {}), why)
        return Columns([one.astimezone(self.time_zone) for one in bounds], found)

    async def homes(
        self, connection: AsyncConnection, place: Place, interval: Interval, start: datetime
    ) -> Homes | None:
        """Return how many homes a published sum of consumption has, of how many that count.

        None where it was not published: nobody is told how many there are then.
        """
        telling = await cell_at(connection, place.id, Direction.CONSUMPTION, interval, start)
        if not telling:
            return None
        month = month_of(start.astimezone(self.time_zone).date())
        homes = await homes_by_group(connection, month)
        of_it = (await parts(connection)).get(place.id, frozenset({place.id}))
        counting = sum(homes.get(group, 0) for group in of_it)
        return Homes(telling, max(telling, counting))

    async def withheld(
        self, connection: AsyncConnection, interval: Interval, span: Span, until: datetime
    ) -> Counter[Reason]:
        """Count the intervals that ended by then of which no sum of homes was published."""
        bounds = self._bounds(interval, span, until)
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

    async def begun(self, connection: AsyncConnection, place: Place) -> date | None:
        """Return the first civil day of which anything was closed, published or not.

        Of a commune, a building or a site it is the first that was published.
        """
        if place.kind is not GroupKind.ALL:
            return await self.since(connection, place)
        first = await first_closed(connection)
        days = [await self.since(connection, place)]
        days += [] if first is None else [first.astimezone(self.time_zone).date()]
        return min((day for day in days if day is not None), default=None)

    def _bounds(self, interval: Interval, span: Span, until: datetime) -> list[datetime]:
        """Return when the first interval starts, and when each ends: the next one starts then."""
        # In UTC: a local time that comes twice equals none of another zone.
        zone = self.time_zone.key
        whole = instants(zone, span.first).start, instants(zone, span.last).end
        end = min(whole[1], until)
        if interval is Interval.P1D:
            days = (instants(zone, day).end for day in span)
            return [whole[0], *(day for day in days if day <= end)]
        step = timedelta(minutes=interval.minutes)
        return [whole[0] + n * step for n in range(max(0, (end - whole[0]) // step) + 1)]

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


_SITES = select(MemberRow.name, MemberRow.description, MemberRow.area).where(
    MemberRow.kind == "site", MemberRow.name.is_not(None)
)
