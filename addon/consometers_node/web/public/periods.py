"""A day, a month by its days and a year by its months, and their tables and pictures."""

from calendar import monthcalendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from aiohttp import web

from consometers_node.collective.calendar import Span, days_of, month_of
from consometers_node.collective.members.members import month_after
from consometers_node.collective.publication.reading.queries import Place
from consometers_node.collective.publication.reading.values import (
    Compared,
    FlowRow,
    Slots,
    TimeSlot,
    at_equal_membership,
    by_month,
    latest_cells,
    rows,
    together,
)
from consometers_node.series import Interval
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.core.page_base import attachment

from .drawing.charts import Chart, ChartInterval, Step, as_csv
from .live import base, look_at, named, together_with
from .page_base import Guest, PublicPages, tagged
from .pictures import picture
from .words import WORDS

_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_DAY = timedelta(days=1)
_IN_URL = {Step.HOUR: ("day", ""), Step.DAY: ("month", "-01"), Step.MONTH: ("year", "-01-01")}
"""The part of the URL with a period, and what makes it the first day."""


@dataclass(frozen=True, slots=True)
class Which:
    """A day, a month by its days, or a year by its months; named by its first day."""

    first: date
    step: Step

    @property
    def last(self) -> date:
        """The last day of it."""
        if self.step is Step.HOUR:
            return self.first
        if self.step is Step.DAY:
            return days_of(self.first)[-1]
        return self.first.replace(month=12, day=31)

    @property
    def year_before(self) -> Span:
        """The days of the same a year before."""
        before = Which(self.first.replace(year=self.first.year - 1), self.step)
        return Span(before.first, before.last)

    @property
    def path(self) -> str:
        """Its address, below the group."""
        if self.step is Step.HOUR:
            return f"day/{self.first}"
        if self.step is Step.DAY:
            return f"month/{self.first:%Y-%m}"
        return f"year/{self.first:%Y}"

    @property
    def previous(self) -> Which:
        """The one before."""
        return self.of(self.first - _DAY)

    @property
    def following(self) -> Which:
        """The next one."""
        return self.of(self.last + _DAY)

    def of(self, day: date) -> Which:
        """Return the period of the same kind that contains a day."""
        if self.step is Step.HOUR:
            return Which(day, self.step)
        first = month_of(day)
        return Which(first if self.step is Step.DAY else first.replace(month=1), self.step)


@dataclass(frozen=True, slots=True)
class PeriodDays:
    """Days of a month or a year, the same of a year before, and the first published day."""

    now: Slots
    then: Slots
    first: date | None

    def of_month(self, month: int) -> PeriodDays:
        """Return those of one month of a year."""
        now, then = (
            [slot for slot in days if slot.start.month == month] for days in (self.now, self.then)
        )
        return PeriodDays(now, then, self.first)


async def show(pages: PublicPages, guest: Guest, step: Step) -> web.StreamResponse:
    """Show a month by its days, or a year by its months, compared with the year before."""
    which = which_named(guest, step)
    async with pages.store.reading() as connection:
        place = await place_named(pages, guest, connection)
        days = await read_days(pages, guest, connection, place, which)
        wholes = await together_with(pages, connection, place)
    previous, following = which.previous, which.following
    first, now = days.first, days.now
    return pages.page(
        guest,
        "period.html",
        place=place,
        base=base(place),
        which=which,
        first=first,
        chart=chart_of(days, which, guest),
        whole=together(now),
        compared=Compared.of(now, days.then, in_year),
        # The last known day of a period that is not over.
        up_to=last_shown_day(now) if guest.today <= which.last else None,
        previous=previous if first is not None and first <= previous.last else None,
        following=following if following.first <= guest.today else None,
        together=wholes,
        **WORDS,
    )


async def as_file(pages: PublicPages, guest: Guest, step: Step) -> web.StreamResponse:
    """Return the table of a day, a month or a year."""
    place, chart = await _named_chart(pages, guest, which_named(guest, step))
    headers = {"Content-Disposition": attachment(f"{_name(place, chart)}.csv")}
    return tagged(as_csv(chart), "text/csv", headers)


async def as_picture(pages: PublicPages, guest: Guest, step: Step) -> web.StreamResponse:
    """Return the chart of a day, a month or a year as a picture."""
    which = which_named(guest, step)
    place, chart = await _named_chart(pages, guest, which)
    return _picture(pages, guest, place, chart, which.first)


async def _named_chart(pages: PublicPages, guest: Guest, which: Which) -> tuple[Place, Chart]:
    """Return the group in the URL, and the chart that its page of a period has."""
    async with pages.store.reading() as connection:
        place = await place_named(pages, guest, connection)
        if which.step is Step.HOUR:
            return place, (await look_at(pages, guest, connection, place, which.first)).chart
        return place, chart_of(
            await read_days(pages, guest, connection, place, which), which, guest
        )


async def show_day(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Show a day hour by hour, beside the day before."""
    day = which_named(guest, Step.HOUR).first
    async with pages.store.reading() as connection:
        place = await place_named(pages, guest, connection)
        shown = await look_at(pages, guest, connection, place, day)
        first = await pages.published.first_day(connection, place)
        wholes = await together_with(pages, connection, place)
    return pages.page(
        guest,
        "day.html",
        place=place,
        base=base(place),
        shown=shown,
        previous=day - _DAY if first is not None and first < day <= guest.today else None,
        following=day + _DAY if day < guest.today else None,
        weeks=_weeks(day),
        first=first,
        together=wholes,
        **WORDS,
    )


async def charts(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, place: Place
) -> Sequence[tuple[Which, Chart]]:
    """Draw the present month and year. The days of the month are read with the year's."""
    month = Which(guest.today.replace(day=1), Step.DAY)
    year = Which(guest.today.replace(month=1, day=1), Step.MONTH)
    days = await read_days(pages, guest, connection, place, year)
    return [
        (month, chart_of(days.of_month(month.first.month), month, guest)),
        (year, chart_of(days, year, guest)),
    ]


async def read_days(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, place: Place, which: Which
) -> PeriodDays:
    """Read the days of a period that have ended, and those of a year before."""
    published, span = pages.published, Span(which.first, which.last)
    now, then = [
        await published.slots(connection, place, Interval.P1D, days, guest.now)
        for days in (span, which.year_before)
    ]
    return PeriodDays(now, then, await published.first_day(connection, place))


async def place_named(pages: PublicPages, guest: Guest, connection: AsyncConnection) -> Place:
    """Return the group in the URL. Raises HTTPNotFound."""
    place = await named(pages, guest, connection)
    if place is None:
        raise web.HTTPNotFound
    return place


def _picture(
    pages: PublicPages, guest: Guest, place: Place, chart: Chart, first: date
) -> web.Response:
    """Draw a chart that stands alone. Raises HTTPNotFound where there is nothing to draw."""
    if not chart.is_known:
        raise web.HTTPNotFound
    return picture(
        pages,
        guest,
        "picture.html",
        _name(place, chart),
        chart=chart,
        first=first,
        place=place,
        base=base(place),
    )


def _name(place: Place, chart: Chart) -> str:
    return f"{place.slug}-{chart.path.partition('/')[2]}"


def _weeks(day: date) -> Sequence[Sequence[date | None]]:
    """Return the month of a day as weeks that begin on Monday, without the days of others."""
    return [
        [day.replace(day=number) if number else None for number in week]
        for week in monthcalendar(day.year, day.month)
    ]


def which_named(guest: Guest, step: Step) -> Which:
    """Read the period in the URL. Raises HTTPNotFound."""
    name, rest = _IN_URL[step]
    try:
        first = date.fromisoformat(guest.named(name) + rest)
    except ValueError:
        raise web.HTTPNotFound from None
    if not _FIRST_YEAR <= first.year <= _LAST_YEAR:
        raise web.HTTPNotFound
    return Which(first, step)


def last_shown_day(days: Slots) -> date | None:
    """Return the last known day."""
    return max((slot.start.date() for slot in days if slot.published), default=None)


def in_year(slot: TimeSlot) -> tuple[int, int]:
    """Return the month and the day of a slot, alike in all years."""
    return slot.start.month, slot.start.day


def chart_of(days: PeriodDays, which: Which, guest: Guest) -> Chart:
    """Return the chart of a month by its days, or of a year by its months."""
    return Chart(which.step, _lines(days, which, guest), which.path)


def _lines(days: PeriodDays, which: Which, guest: Guest) -> Sequence[ChartInterval]:
    """Return a line for each day or month; those to come have a year before alone."""
    if which.step is Step.DAY:
        mine = {row.start.day: row for row in rows(days.now)}
        before = {row.start.day: row for row in rows(_scaled(days))}
        starts = {n: which.first.replace(day=n) for n in range(1, which.last.day + 1)}
    else:
        mine = _by_month(days.now)
        before = _before_by_month(days)
        starts = {n: which.first.replace(month=n) for n in range(1, 13)}
    has_past = any(row.is_known for row in before.values())
    return [
        ChartInterval(mine.get(n) or _to_come(start, which.step, guest), before.get(n))
        for n, start in starts.items()
        if has_past or n in mine
    ]


def _scaled(days: PeriodDays) -> Slots:
    """Return the days of the year before, for the present number of members."""
    same_day, latest = {in_year(slot): slot for slot in days.now}, latest_cells(days.now)
    return [
        at_equal_membership(then, same_day.get(in_year(then), then._replace(cells={})), latest)
        for then in days.then
    ]


def _before_by_month(days: PeriodDays) -> dict[int, FlowRow]:
    """Return the months of the year before: of one with known days, the days known of both."""
    before = _by_month(_scaled(days))
    published = [slot for slot in days.now if slot.published]
    compared = Compared.of(published, days.then, in_year)
    if compared is not None:
        before |= _by_month(compared.equal.slots)
    return before


def _by_month(days: Slots) -> dict[int, FlowRow]:
    return {row.start.month: row for row in by_month(days)}


def _to_come(first: date, step: Step, guest: Guest) -> FlowRow:
    after = first + _DAY if step is Step.DAY else month_after(first)
    start, end = (datetime.combine(day, time(), guest.now.tzinfo) for day in (first, after))
    return FlowRow(start, end)
