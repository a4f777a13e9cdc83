"""The report of a month or a year, for a general meeting or a council: one page, whole on paper."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from consometers_node.collective.calendar import Span
from consometers_node.collective.disclosure.reasons import Reason, Withheld
from consometers_node.collective.members.members import public_collectives
from consometers_node.collective.publication.reading.queries import Place
from consometers_node.collective.publication.reading.values import (
    Compared,
    FlowRow,
    Slots,
    Value,
    rows,
    together,
)
from consometers_node.series import Direction, Interval
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.public.drawing.charts import Step
from consometers_node.web.public.page_base import Guest, PublicPages
from consometers_node.web.public.periods import (
    Which,
    chart_of,
    in_year,
    last_shown_day,
    read_days,
    which_named,
)
from consometers_node.web.public.words import WORDS

from .buildings import read_buildings


@dataclass(frozen=True, slots=True)
class HiddenHours:
    """The hours of an energy that are not published, and on how many whole days for each reason."""

    energy: Value
    days: Mapping[Withheld, int]

    @property
    def hours(self) -> float:
        """How many hours are in no figure."""
        return self.energy.hours_ended - self.energy.hours


@dataclass(frozen=True, slots=True)
class Homes:
    """How many homes the first and the last published day sum."""

    at_first: int
    at_last: int


async def show(pages: PublicPages, guest: Guest, step: Step) -> web.StreamResponse:
    """Show the report of a month or a year."""
    which = which_named(guest, step)
    async with pages.store.reading() as connection:
        place = await pages.place(connection)
        if place is None:
            raise web.HTTPNotFound
        days = await read_days(pages, guest, connection, place, which)
        buildings = await read_buildings(pages, guest, connection, which)
        areas = await _areas(pages, guest, connection, which)
        collectives = await public_collectives(connection)
    now = days.now
    return pages.page(
        guest,
        "report.html",
        place=place,
        which=which,
        chart=chart_of(days, which, guest),
        whole=together(now),
        compared=Compared.of(now, days.then, in_year),
        last=last_shown_day(now),
        homes=_homes(now),
        uses=buildings,
        areas=areas,
        collectives=collectives,
        hidden=_hidden(now),
        rule=Withheld(
            Reason.BELOW_THRESHOLD,
            pages.publication.needed(Direction.CONSUMPTION, pages.publication.interval),
        ),
        **WORDS,
    )


async def _areas(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, which: Which
) -> Sequence[tuple[Place, FlowRow]]:
    """Return the communes with published figures, each with its period."""
    published, span = pages.published, Span(which.first, which.last)
    places = (await published.places(connection)).values()
    areas = []
    for area in await published.recent(connection, places):
        days = await published.slots(connection, area, Interval.P1D, span, guest.now)
        if (whole := together(days)) is not None and whole.is_known:
            areas.append((area, whole))
    return areas


def _homes(days: Slots) -> Homes | None:
    """Return how many homes sums of consumption had; None of sums without homes."""
    counts = [homes for row in rows(days) if (homes := row["consumption"].homes)]
    return Homes(counts[0], counts[-1]) if counts else None


def _hidden(days: Slots) -> Sequence[HiddenHours]:
    """Return the hours of each energy that are not published."""
    whole = together(days)
    if whole is None:
        return []
    return [
        HiddenHours(
            whole[way],
            Counter(cell for day in days if isinstance(cell := day.cells[way], Withheld)),
        )
        for way in whole.directions
    ]
