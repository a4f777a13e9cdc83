"""The figures of now and of today, for every page that shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from aiohttp import web

from consometers_node.collective.calendar import Span
from consometers_node.collective.disclosure.reasons import Withheld
from consometers_node.collective.publication.reading.queries import (
    ALL,
    AREAS,
    ChildCollectives,
    Place,
    child_collectives,
)
from consometers_node.collective.publication.reading.values import (
    Compared,
    FlowRow,
    Slots,
    TimeSlot,
    Value,
    at_equal_membership,
    is_open,
    latest_cells,
    rows,
    together,
)
from consometers_node.i18n.text import Text
from consometers_node.series import Direction, Interval
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.engine.connection import AsyncConnection

from .comparisons import kettles, lamps, pupil, washes
from .drawing.charts import Chart, ChartInterval, Step
from .page_base import Guest, PublicPages

_DAY = timedelta(days=1)
_OLD_S = 4 * 3600
_KINDS = {"sites": frozenset({GroupKind.SITE}), "areas": AREAS}


@dataclass(frozen=True, slots=True)
class LiveDay:
    """A group's figures of the last interval, and of its day."""

    place: Place
    day: date
    is_today: bool
    now: FlowRow | None
    is_old: bool
    """The last figures are of some hours ago."""
    whole: FlowRow | None
    compared: Compared | None
    """The day before, up to the same hour."""
    homes: int
    """How many homes are in the last sum of consumption."""
    homes_counting: int
    chart: Chart
    children: ChildCollectives | None = None
    """Which directions collectives in it disclose; None without any."""
    sells_all: bool = False
    """All recent production was injected: none of it is for the panels' owners to use."""

    @property
    def makes_w(self) -> float | None:
        """Power of the panels, now."""
        return self._power("production")

    @property
    def uses(self) -> str:
        """The figure of what is used now: all of it, or else what is drawn."""
        is_known = self.now is not None and self.now["total-consumption"].amount is not None
        return "total-consumption" if is_known else "consumption"

    @property
    def uses_w(self) -> float | None:
        """Consumption, now."""
        return self._power(self.uses)

    @property
    def is_dark(self) -> bool:
        """Return whether the panels have produced nothing all day: figures of theirs are zero."""
        return self.whole is not None and self.whole["production"].amount == 0

    @property
    def sentence(self) -> Text | None:
        """Describe the present in everyday words."""
        if self.now is None:
            return None
        made, used = self.now["production"].wh, self.now["total-consumption"].wh
        if made is not None and used is not None:
            return lamps(made, used)
        return kettles(self.uses_w)

    @property
    def for_pupils(self) -> Text | None:
        """Describe for pupils what the panels do."""
        made = self.whole["production"].wh if self.whole and self.is_today else None
        return pupil(self.makes_w, made)

    @property
    def washes(self) -> Text | None:
        """Say what the day's production suffices for."""
        return washes(self.whole["production"].wh if self.whole else None)

    @property
    def hidden(self) -> Mapping[Withheld, Sequence[Direction]]:
        """Return what of the day is suppressed, by reason, where no bar shows it."""
        in_place = {self.why_not(Direction.PRODUCTION), self.why_not(Direction.CONSUMPTION)}
        hidden: dict[Withheld, list[Direction]] = {}
        for direction in self.whole.directions if self.whole is not None else ():
            why = self.whole[direction].why if self.whole is not None else None
            if why is not None and why not in in_place:
                hidden.setdefault(why, []).append(direction)
        return hidden

    @property
    def missing(self) -> frozenset[Direction]:
        """Return the directions that collectives in it disclose without a single figure."""
        directions = self.whole.directions if self.whole is not None else ()
        return frozenset() if self.children is None else self.children.allowed - {*directions}

    def why_not(self, direction: Direction) -> Withheld | None:
        """Return why the last figure of a direction is suppressed, if it is."""
        if self.now is None or self.whole is None or self.now[direction].wh is not None:
            return None
        return self.whole[direction].why or self.now[direction].why

    def before(self, key: str) -> Value | None:
        """Return a figure of the day before, up to the same hour; None where nothing is known."""
        before = None if self.compared is None else self.compared.before(key)
        return before if before is not None and before.amount is not None else None

    def _power(self, key: str) -> float | None:
        wh = None if self.now is None else self.now[key].wh
        return None if wh is None or self.now is None else wh / self.now.hours


async def today(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, place: Place
) -> LiveDay:
    """Return the last known day: early in the morning, that is yesterday."""
    yesterday = guest.today - _DAY
    span = Span(yesterday - _DAY, guest.today)
    days = await _days(pages, guest, connection, place, span)
    # Without figures on either day, today is shown.
    day = next(
        (
            day
            for day in (guest.today, yesterday)
            if any(slot.published for slot in days.get(day, ()))
        ),
        guest.today,
    )
    return await _live(pages, guest, connection, place, day=day, days=days)


async def look_at(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, place: Place, day: date
) -> LiveDay:
    """Read one day, and the day before it."""
    days = await _days(pages, guest, connection, place, Span(day - _DAY, day))
    return await _live(pages, guest, connection, place, day=day, days=days)


async def _days(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, place: Place, span: Span
) -> Mapping[date, Slots]:
    slots = await pages.published.within_days(connection, place, span, guest.now)
    return {day: list(own) for day, own in groupby(slots, lambda slot: slot.start.date())}


async def _live(
    pages: PublicPages,
    guest: Guest,
    connection: AsyncConnection,
    place: Place,
    *,
    day: date,
    days: Mapping[date, Slots],
) -> LiveDay:
    slots, earlier = days.get(day, []), days.get(day - _DAY, [])
    published = [row for row in rows(slots) if row.is_known]
    # What came last may have come from some alone: everything that is published is to be there.
    complete = [
        row
        for row in published
        if all(row[direction].amount is not None for direction in row.directions)
    ]
    now = next(reversed(complete or published), None)
    children = cell = None
    if place.kind is not GroupKind.SITE:
        children = await child_collectives(connection, place.id, day.replace(day=1))
        last = [slot for slot in slots if now is not None and slot.start == now.start]
        cell = next(filter(None, (slot.cell(Direction.CONSUMPTION) for slot in last)), None)
    made = [row for row in rows([*earlier, *slots]) if row["production"].amount]
    up_to_now = [slot for slot in earlier if now is not None and _is_by(slot, now)]
    return LiveDay(
        place=place,
        day=day,
        is_today=day == guest.today,
        now=now,
        is_old=now is not None and guest.now.timestamp() - now.end.timestamp() > _OLD_S,
        whole=await _whole(pages, guest, connection, place, slots, day=day),
        compared=Compared.of(slots, up_to_now, lambda slot: _clock(slot.start)),
        homes=cell.homes if cell else 0,
        homes_counting=cell.counting if cell else 0,
        children=children if children is not None and children.count else None,
        chart=Chart(Step.HOUR, _lines(slots, earlier), f"day/{day}"),
        sells_all=bool(made) and all(row.sells_all for row in made),
    )


async def _whole(
    pages: PublicPages,
    guest: Guest,
    connection: AsyncConnection,
    place: Place,
    slots: Slots,
    *,
    day: date,
) -> FlowRow | None:
    """Return a day: as it was closed, else what was published of its intervals so far."""
    closed = await pages.published.slots(connection, place, Interval.P1D, Span(day, day), guest.now)
    still_open = {way for each in closed for way, cell in each.cells.items() if is_open(cell)}
    if closed and not any(slot.cell(direction) for slot in slots for direction in still_open):
        return together(closed)
    return together(slots)


def _lines(slots: Slots, earlier: Slots) -> Sequence[ChartInterval]:
    """Return a line for each interval of a day, whether it has ended or not."""
    if not slots:
        return []
    step, at = timedelta(minutes=slots[-1].minutes), slots[-1].end.astimezone(UTC)
    zone, day = slots[0].start.tzinfo, slots[0].start.date()
    to_come = []
    while (start := at.astimezone(zone)).date() == day:
        at += step
        to_come.append(TimeSlot(start, at.astimezone(zone), slots[-1].minutes, {}))
    before = {_clock(slot.start): slot for slot in earlier}
    latest = latest_cells(slots)
    lines = []
    for slot in (*slots, *to_come):
        row = FlowRow(slot.start, slot.end, [slot] if slot.cells else ())
        then = before.get(_clock(slot.start))
        scaled = [] if then is None else [at_equal_membership(then, slot, latest)]
        lines.append(ChartInterval(row, together(scaled)))
    return lines


def _is_by(slot: TimeSlot, now: FlowRow) -> bool:
    """Return whether an interval of the day before starts no later, by the clock."""
    return slot.start.time() <= now.start.time()


def _clock(at: datetime) -> tuple[time, int]:
    """Return the clock's time: an hour comes twice in autumn."""
    return at.time(), at.fold


async def named(pages: PublicPages, guest: Guest, connection: AsyncConnection) -> Place | None:
    """Return the group in the URL; None where everybody's has no member yet."""
    slug = guest.named("place")
    place = await pages.place(connection, slug or ALL)
    if slug and (place is None or place.kind not in _KINDS[guest.request.path.split("/")[1]]):
        raise web.HTTPNotFound
    return place


async def together_with(
    pages: PublicPages, connection: AsyncConnection, place: Place | None
) -> Sequence[Place]:
    """Return the groups in which a commune is published with others: the recent ones, if any."""
    if place is None or not place.together:
        return ()
    places = (await pages.published.places(connection)).values()
    wholes = [whole for whole in places if whole.id in place.together]
    recent = [
        whole for whole in await pages.published.recent(connection, places) if whole in wholes
    ]
    return recent or wholes


def base(place: Place | None) -> str:
    """Return the path of a group's pages, from the first one."""
    folders = {kind: folder for folder, kinds in _KINDS.items() for kind in kinds}
    folder = folders.get(place.kind) if place is not None else None
    return f"{folder}/{place.slug}/" if place is not None and folder else ""
