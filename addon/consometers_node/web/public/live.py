"""What is known of now and of today, for every page that tells of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.calendar import Span
from ...collective.disclosure.sdc_rules import Released, Withheld
from ...collective.groups import GroupKind
from ...collective.publication.child_collectives import Below, below
from ...collective.publication.queries import ALL, AREAS, Place, Told
from ...quoalise import Text
from ...series import Direction
from .charts import Chart, Line, Step
from .comparisons import kettles, lamps, pupil, washes
from .energy_rows import Figures, Rates, Row, rates, rows, together
from .handlers import Desk, Guest

_DAY = timedelta(days=1)
_OLD_S = 4 * 3600
_KINDS = {"sites": frozenset({GroupKind.SITE}), "areas": AREAS}


@dataclass(frozen=True, slots=True)
class Today:
    """What of a group is known of the last interval, and of the day that it is in."""

    place: Place
    day: date
    is_today: bool
    now: Row | None
    is_old: bool
    """The last figures are of some hours ago."""
    whole: Row | None
    rates: Rates
    homes: Released | None
    """The last sum of consumption that homes are in: how many of how many."""
    chart: Chart
    below: Below | None = None
    """What collectives in it let be read; None where there is none."""
    sells_all: bool = False
    """All that panels made lately was fed into the grid: none of it is theirs to use."""

    @property
    def makes_w(self) -> float | None:
        """Power of the panels, now."""
        return self._power(self.now.made.wh if self.now else None)

    @property
    def uses_w(self) -> float | None:
        """Power that is used, now."""
        return self._power(self.now.used_wh if self.now else None)

    @property
    def draws_w(self) -> float | None:
        """Power that is drawn from the grid, now."""
        return self._power(self.now.drawn.wh if self.now else None)

    @property
    def compared(self) -> float | None:
        """What the day made, beside what it used."""
        return None if self.whole is None else self.whole.compared

    @property
    def sentence(self) -> Text | None:
        """Say how it stands in words that everybody knows."""
        if self.now is None:
            return None
        made, used = self.now.made.wh, self.now.used_wh
        if made is not None and used is not None and self.now.knows_use:
            return lamps(made, used)
        return kettles(self.uses_w)

    @property
    def for_pupils(self) -> Text | None:
        """Say what the panels do in words of a pupil."""
        made = self.whole.made.wh if self.whole and self.is_today else None
        return pupil(self.makes_w, made)

    @property
    def washes(self) -> Text | None:
        """Say what the day's production is enough for."""
        return washes(self.whole.made.wh if self.whole else None)

    @property
    def hidden(self) -> Mapping[Withheld, Sequence[Direction]]:
        """Return what of the day is withheld, by the reason, where no bar says it in its place."""
        said = {self.why_not(one) for one in (Direction.PRODUCTION, Direction.CONSUMPTION)}
        found: dict[Withheld, list[Direction]] = {}
        for direction, amount in self.whole.amounts.items() if self.whole is not None else ():
            if amount.why is not None and amount.why not in said:
                found.setdefault(amount.why, []).append(direction)
        return found

    @property
    def untold(self) -> frozenset[Direction]:
        """Return what collectives in it let be read, of which not one figure came."""
        told = self.whole.amounts.keys() if self.whole is not None else frozenset()
        return frozenset() if self.below is None else self.below.allowed - told

    def why_not(self, direction: Direction) -> Withheld | None:
        """Return why the last figure of a direction is withheld, if it is."""
        if self.now is None or self.whole is None or self.now[direction].wh is not None:
            return None
        return self.whole[direction].why or self.now[direction].why

    def _power(self, wh: float | None) -> float | None:
        return None if wh is None or self.now is None else wh / self.now.hours


async def today(desk: Desk, guest: Guest, connection: AsyncConnection, place: Place) -> Today:
    """Look at the last two days: early in the morning, yesterday is the last that is known."""
    published = desk.published
    span = Span(guest.today - _DAY, guest.today)
    found = await published.within_days(connection, place, span, guest.now)
    mine = _of_day(found, guest.today)
    is_today = any(row.is_known for row in rows(mine))
    if not is_today and any(row.is_known for row in rows(_of_day(found, span.first))):
        mine = _of_day(found, span.first)
        day = span.first
    else:
        is_today, day = True, guest.today
    lines = rows(mine)
    known = [row for row in lines if row.is_known]
    # What came last may have come from some alone: everything that is told at all is to be there.
    complete = [row for row in known if all(one.wh is not None for one in row.amounts.values())]
    now = next(reversed(complete or known), None)
    homes = levels = None
    if place.kind is not GroupKind.SITE:
        levels = await below(connection, place.id, guest.today.replace(day=1))
        homes = _homes(mine, now)
    return Today(
        place=place,
        day=day,
        is_today=is_today,
        now=now,
        is_old=now is not None and guest.now.timestamp() - now.end.timestamp() > _OLD_S,
        whole=together(mine),
        rates=rates(mine),
        homes=homes,
        below=levels if levels is not None and levels.collectives else None,
        chart=Chart(Step.HOUR, [Line(row) for row in lines], f"day/{day}.csv"),
        sells_all=_sells_all(rows(found)),
    )


async def named(desk: Desk, guest: Guest, connection: AsyncConnection) -> Place | None:
    """Return the group that the address names; None where everybody's has nobody yet."""
    slug = guest.named("place")
    place = await desk.place(connection, slug or ALL)
    if slug and (place is None or place.kind not in _KINDS[guest.request.path.split("/")[1]]):
        raise web.HTTPNotFound
    return place


async def together_with(
    desk: Desk, connection: AsyncConnection, place: Place | None
) -> Sequence[Place]:
    """Return the groups in which a commune is published with others: those of lately, if any."""
    if place is None or not place.together:
        return ()
    places = (await desk.published.places(connection)).values()
    found = [one for one in places if one.id in place.together]
    lately = [one for one in await desk.published.lately(connection, places) if one in found]
    return lately or found


def base(place: Place | None) -> str:
    """Return where the pages of a group begin, seen from the first one."""
    folders = {kind: folder for folder, kinds in _KINDS.items() for kind in kinds}
    folder = folders.get(place.kind) if place is not None else None
    return f"{folder}/{place.slug}/" if place is not None and folder else ""


def _homes(figures: Figures, now: Row | None) -> Released | None:
    for one in figures.get(Direction.CONSUMPTION, ()):
        if now is not None and one.start == now.start and isinstance(one.figure, Released):
            return one.figure if one.figure.homes else None
    return None


def _sells_all(lately: Sequence[Row]) -> bool:
    made = [row for row in lately if row.made.wh]
    return bool(made) and all(row.sells_all for row in made)


def _of_day(figures: Figures, day: date) -> Mapping[Direction, Sequence[Told]]:
    return {
        direction: [one for one in told if one.start.date() == day]
        for direction, told in figures.items()
    }
