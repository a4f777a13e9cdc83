"""The public buildings in a month or a year: each and all, by floor area, and as a file."""

from collections.abc import Callable, Mapping

from aiohttp import web

from consometers_node.collective.members.members import public_collectives
from consometers_node.collective.publication.reading.buildings import BuildingUse, BuildingUses
from consometers_node.collective.publication.reading.values import Compared, rounded, together
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.core.page_base import attachment, csv_text
from consometers_node.web.public.drawing.charts import Step
from consometers_node.web.public.page_base import Guest, PublicPages, tagged
from consometers_node.web.public.periods import (
    Which,
    in_year,
    last_shown_day,
    read_days,
    which_named,
)
from consometers_node.web.public.words import WORDS
from consometers_quoalise import iso8601


async def read_buildings(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, which: Which
) -> BuildingUses:
    """Read the consumption of each public building, by name."""
    places = (await pages.published.places(connection)).values()
    sites = [place for place in places if place.kind is GroupKind.SITE]
    uses = []
    for place in sorted(sites, key=lambda place: place.name):
        days = await read_days(pages, guest, connection, place, which)
        compared = Compared.of(days.now, days.then, in_year)
        uses.append(BuildingUse(place, together(days.now), compared))
    return BuildingUses(uses)


async def show(pages: PublicPages, guest: Guest, step: Step) -> web.StreamResponse:
    """Show the public buildings in a month or a year."""
    which = which_named(guest, step)
    async with pages.store.reading() as connection:
        buildings = await read_buildings(pages, guest, connection, which)
        collectives = await public_collectives(connection)
        first = await pages.published.first_day(connection)
    if not buildings.each:
        raise web.HTTPNotFound
    previous, following = which.previous, which.following
    days = [day for use in buildings.each if use.whole and (day := last_shown_day(use.whole.slots))]
    return pages.page(
        guest,
        "buildings.html",
        place=None,
        which=which,
        uses=buildings,
        collectives=collectives,
        up_to=max(days, default=None) if guest.today <= which.last else None,
        previous=previous if first is not None and first <= previous.last else None,
        following=following if following.first <= guest.today else None,
        **WORDS,
    )


async def as_file(pages: PublicPages, guest: Guest, step: Step) -> web.StreamResponse:
    """Return the table of the public buildings."""
    which = which_named(guest, step)
    async with pages.store.reading() as connection:
        buildings = await read_buildings(pages, guest, connection, which)
    name = f"buildings-{which.path.partition('/')[2]}.csv"
    headers = {"Content-Disposition": attachment(name)}
    lines = [[read(use) for read in COLUMNS.values()] for use in buildings.each]
    return tagged(csv_text([[*COLUMNS], *lines]), "text/csv", headers)


def _fact(name: str) -> Callable[[BuildingUse], object]:
    return lambda use: getattr(use.place.description, name, None) or ""


def _figure(key: str) -> Callable[[BuildingUse], object]:
    return lambda use: _number(None if use.whole is None else use.whole[key].wh)


def _number(wh: float | None) -> str:
    number = rounded(wh)
    return "" if number is None else str(number)


def _pair(at: int) -> Callable[[BuildingUse], object]:
    return lambda use: "" if use.in_both is None else _number(use.in_both[at])


def _why(use: BuildingUse) -> str:
    return "" if use.used is None or use.used.why is None else use.used.why.reason


COLUMNS: Mapping[str, Callable[[BuildingUse], object]] = {
    "building": lambda use: use.place.slug,
    "name": lambda use: use.place.name,
    "kind": _fact("building"),
    "commune": lambda use: use.place.area or "",
    "heating": _fact("heating"),
    "surface_m2": _fact("surface_m2"),
    "start": lambda use: "" if use.whole is None else iso8601.shown(use.whole.start),
    "end": lambda use: "" if use.whole is None else iso8601.shown(use.whole.end),
    "production_wh": _figure("production"),
    "consumption_wh": _figure("consumption"),
    "used_wh": lambda use: _number(use.wh),
    "used_wh_per_m2": lambda use: _number(use.wh_per_m2),
    "used_in_both_wh": _pair(0),
    "used_before_wh": _pair(1),
    "used_hours": lambda use: "" if use.used is None else f"{use.used.hours:g}",
    "hours_ended": lambda use: "" if use.used is None else f"{use.used.hours_ended:g}",
    "withheld": _why,
    "description_fr": _fact("words_fr"),
    "description_en": _fact("words_en"),
}
"""The columns of the table, in their order; `used_in_both_wh` covers the hours published of both
years."""
