"""What is worth reading while the panels produce nothing, and what all days add up to."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from consometers_node.collective.calendar import Span, days_of
from consometers_node.collective.publication.reading.queries import Place
from consometers_node.collective.publication.reading.values import (
    Compared,
    FlowRow,
    Slots,
    by_month,
    rows,
    together,
)
from consometers_node.series import Direction, Interval
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.public.drawing.growth import Growth, draw_growth
from consometers_node.web.public.live import LiveDay
from consometers_node.web.public.page_base import Guest, PublicPages

_DAY = timedelta(days=1)
_PAST_DAYS = 7
_SUNNY = 0.2
"""Which part of the best hour's production makes an hour sunny."""


@dataclass(frozen=True, slots=True)
class SunnyHours:
    """The hours of the day in which the panels usually produce, and the best of them."""

    start: datetime
    end: datetime
    best: datetime


@dataclass(frozen=True, slots=True)
class Outlook:
    """The day before, this month beside that of last year, and the usual sunny hours."""

    before: FlowRow | None
    month: Compared | None
    sun: SunnyHours | None


@dataclass(frozen=True, slots=True)
class SinceStart:
    """All published days of a group."""

    first: date
    days: FlowRow
    homes_by_month: Mapping[date, int]
    """The most homes in a published sum, by the first day of the month."""
    peak_kwp: float
    """Of public buildings that state it."""

    @property
    def homes_at_first(self) -> int:
        """The homes of the first month."""
        return self.homes_by_month[min(self.homes_by_month)]

    @property
    def homes(self) -> int:
        """The homes of the last month."""
        return self.homes_by_month[max(self.homes_by_month)]

    @property
    def growth(self) -> Growth | None:
        """The homes of each month, drawn."""
        return draw_growth(self.homes_by_month)


async def outlook(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, today: LiveDay | None
) -> Outlook | None:
    """Return what a page shows instead of zeros; None while there is sun, or without panels."""
    if today is None or today.now is None or today.now["production"].amount != 0:
        return None
    published, place = pages.published, today.place
    # Of yesterday, the page has the whole day already.
    before = today.day - _DAY if today.is_today else today.day
    month = Span(before.replace(day=1), before)
    year_before = month.first.replace(year=month.first.year - 1)
    days = days_of(year_before)
    day, now, then = [
        await published.slots(connection, place, Interval.P1D, span, guest.now)
        for span in (Span(before, before), month, Span(days[0], days[-1]))
    ]
    past = Span(guest.today - _PAST_DAYS * _DAY, guest.today - _DAY)
    hours = await published.within_days(connection, place, past, guest.now)
    compared = Compared.of(now, then, lambda slot: (slot.start.month, slot.start.day))
    return Outlook(together(day), compared, _usual(hours, guest.today))


async def since_start(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, place: Place | None
) -> SinceStart | None:
    """Return the sums of all published days of all members; None without a whole month."""
    if place is None or place.kind is not GroupKind.ALL:
        return None
    first = await pages.published.first_day(connection, place)
    if first is None or guest.today - first < 28 * _DAY:
        return None
    slots = await pages.published.slots(
        connection,
        place,
        Interval.P1D,
        Span(first, guest.today),
        guest.now,
        directions=(Direction.PRODUCTION, Direction.CONSUMPTION),
    )
    days = together(slots)
    homes = {
        row.start.date(): row["consumption"].homes
        for row in by_month(slots)
        if row["consumption"].homes
    }
    if days is None or not homes:
        return None
    sites = (await pages.published.places(connection)).values()
    peak = sum(site.description.peak_kwp or 0 for site in sites if site.description is not None)
    return SinceStart(first, days, homes, peak)


def _usual(hours: Slots, day: date) -> SunnyHours | None:
    """Return the sunny hours of the past days, at the clock's time."""
    made: dict[int, float] = defaultdict(float)
    for row in rows(hours):
        made[row.start.hour] += row["production"].wh or 0
    most = max(made.values(), default=0)
    if not most:
        return None
    sunny = [hour for hour, wh in made.items() if wh >= _SUNNY * most]
    zone = hours[0].start.tzinfo
    best = max(made, key=lambda hour: made[hour])
    first, last, top = (
        datetime.combine(day, time(hour), zone) for hour in (min(sunny), max(sunny), best)
    )
    return SunnyHours(first, last + timedelta(hours=1), top)
