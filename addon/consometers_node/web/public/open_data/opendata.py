"""The open data: released figures under addresses that stay, as JSON and as CSV.

/data/<quantity>/by/<group>/<interval>/from/<day>/to/<day>[.csv]
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from itertools import chain
import json
from pathlib import Path
import re
from typing import NamedTuple

from aiohttp import web

from consometers_node.collective.calendar import Span, days_of, month_of
from consometers_node.collective.disclosure.reasons import PUBLIC_REASONS, Withheld
from consometers_node.collective.disclosure.sdc_rules import P_PERCENT
from consometers_node.collective.publication.reading.queries import Place, Steps
from consometers_node.collective.publication.reading.values import (
    FlowRow,
    Slots,
    Value,
    by_month,
    by_year,
    rounded,
    rows,
)
from consometers_node.figures import FIGURES
from consometers_node.i18n.text import Text, text
from consometers_node.series import Interval
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.core.page_base import csv_text
from consometers_node.web.public.drawing.charts import COLUMNS
from consometers_node.web.public.headers import allow_reading
from consometers_node.web.public.page_base import Guest, PublicPages, problem, tagged
from consometers_node.web.public.words import LICENCE, LICENCE_ID, LICENCE_URL, WORDS
from consometers_quoalise import iso8601

type Json = bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None

_FIRST_YEAR, _LAST_YEAR = 2000, 2099
MOST_DAYS = {True: 92, False: 3_660}
"""The longest range: of intervals shorter than a day, and of days and their multiples."""
KEEP = "public, max-age=60"
_INSTANT = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)
_NEED = "need"
"""The field with the number of homes that a figure takes: by law, it differs by figure."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CSV = ".csv"
_JSON = ".json"


class Longer(StrEnum):
    """Intervals that add up days."""

    P1M = "P1M"
    P1Y = "P1Y"


class Point(NamedTuple):
    """The value of a figure in an interval."""

    start: datetime
    end: datetime
    value: Value


@dataclass(frozen=True, slots=True)
class Query:
    """A request, from its address."""

    key: str
    """That of a figure."""
    place: Place
    interval: Interval | Longer
    span: Span


class Wrong(Exception):
    """An invalid address, and why."""

    def __init__(self, status: int, title: Text, detail: Text | None = None) -> None:
        super().__init__(title.say())
        self.status = status
        self.title = title
        self.detail = detail


_BAD = text("This address cannot be read.")
NOT_THERE = text("There is no such challenge.")
_NO_QUANTITY = text("There is no such quantity.")
_NO_GROUP = text("There is no such group.")
_NO_INTERVAL = text("There is no such resolution here.")
_KNOWN = text("Known values: {known}.")
_GROUPS = text("/data/groups.json lists them.")
_NOT_A_DAY = text("Write a day as YYYY-MM-DD, between the years {first} and {last}.")
_BACKWARDS = text("“to” is before “from”.")
_TOO_LONG = text("Ask for at most {most} days at this resolution.")


async def series(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return the values of one quantity of one group."""
    last = guest.named("last")
    as_csv = last.endswith(_CSV)
    last = last.removesuffix(_CSV if as_csv else _JSON)
    try:
        async with pages.store.reading() as connection:
            places = await pages.published.places(connection)
            offered_intervals = intervals(await pages.published.steps(connection))
            query = _query(guest, places, offered_intervals, last)
            points = await _points(pages, guest, connection, query)
    except Wrong as wrong:
        response = problem(wrong.status, wrong.title, wrong.detail)
        allow_reading(response)
        return response
    body = _as_csv(points) if as_csv else _as_json(pages, query, points)
    return opened(body, "text/csv" if as_csv else "application/json")


async def description(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return the description of the open data in OpenAPI 3.1."""
    return opened(_description(), "application/json")


@cache
def _description() -> str:
    """Return the document, with the figures, fields and reasons of their tables."""
    document = json.loads(Path(__file__).with_name("openapi.json").read_text())
    schemas = document["components"]["schemas"]
    schemas["Quantity"] |= {
        "enum": [*FIGURES],
        "description": "; ".join(
            f"{key} ({figure.unit}): {figure.meaning.say()} {figure.formula}"
            for key, figure in FIGURES.items()
        ),
    }
    schemas["Withheld"]["properties"]["reason"]["enum"] = [*PUBLIC_REASONS]
    of_value = schemas["Value"]
    of_value["properties"] |= {
        name: {**field.schema, "description": field.meaning.say()} for name, field in FIELDS.items()
    }
    of_value["required"] += [*FIELDS]
    return json.dumps(document, ensure_ascii=False, indent=2)


async def groups(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return all groups with open data."""
    async with pages.store.reading() as connection:
        places = await pages.published.places(connection)
        steps = await pages.published.steps(connection)
        first_day = await pages.published.first_day(connection)
    slugs = {place.id: place.slug for place in places.values()}
    body: Json = {
        "collective": pages.settings.name,
        "licence": LICENCE_ID,
        "intervals": [
            {
                "id": interval.name,
                "from": None if interval.first is None else interval.first.isoformat(),
                "to": None if interval.last is None else interval.last.isoformat(),
            }
            for interval in offered(steps, first_day, guest)
        ],
        "groups": [
            {
                "id": place.slug,
                "kind": place.kind,
                "name": place.title.say("fr") or pages.settings.name,
                "together": [slugs[whole] for whole in place.together if whole in slugs],
            }
            for place in places.values()
        ],
    }
    return opened(dumped(body), "application/json")


@dataclass(frozen=True, slots=True)
class Offered:
    """An interval that clients may request, with its first and its last day.

    `first` is None where nothing was closed yet, `last` where it goes on.
    """

    name: str
    first: date | None = None
    last: date | None = None


def offered(steps: Steps, first_day: date | None, guest: Guest) -> list[Offered]:
    """Return the available intervals: also those published in the past."""
    zone = guest.now.tzinfo
    fine = [
        Offered(
            step,
            None if first_day is None else first.astimezone(zone).date(),
            None if end is None else (end - _INSTANT).astimezone(zone).date(),
        )
        for step, (first, end) in steps.items()
    ]
    return [*fine, *(Offered(interval, first_day) for interval in (Interval.P1D, *Longer))]


def intervals(steps: Steps) -> list[str]:
    """Return the names of the available intervals."""
    return [*steps, Interval.P1D, *Longer]


def dumped(body: Json) -> str:
    """Write JSON in few bytes."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")) + "\n"


def opened(body: str, kind: str) -> web.Response:
    """Return open data, with its licence."""
    link = f'<{LICENCE_URL}>; rel="license"'
    response = tagged(body, kind, {"Cache-Control": KEEP, "Link": link})
    allow_reading(response)
    return response


def _query(
    guest: Guest, places: Mapping[str, Place], offered_intervals: Collection[str], last: str
) -> Query:
    """Read an address. Raises Wrong."""
    quantity, interval, group = map(guest.named, ("quantity", "interval", "group"))
    if quantity not in FIGURES:
        raise Wrong(404, _NO_QUANTITY, _KNOWN.fill(known=", ".join(FIGURES)))
    if interval not in offered_intervals:
        raise Wrong(404, _NO_INTERVAL, _KNOWN.fill(known=", ".join(offered_intervals)))
    if group not in places:
        raise Wrong(404, _NO_GROUP, _GROUPS)
    length = Longer(interval) if interval in Longer else Interval(interval)
    span = Span(_day(guest.named("first")), _day(last))
    if span.last < span.first:
        raise Wrong(400, _BAD, _BACKWARDS)
    is_fine = isinstance(length, Interval) and length is not Interval.P1D
    if (span.last - span.first).days >= MOST_DAYS[is_fine]:
        raise Wrong(400, _BAD, _TOO_LONG.fill(most=MOST_DAYS[is_fine]))
    return Query(quantity, places[group], length, span)


def _day(written: str) -> date:
    try:
        day = date.fromisoformat(written) if _DAY.fullmatch(written) else None
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise Wrong(400, _BAD, _NOT_A_DAY.fill(first=_FIRST_YEAR, last=_LAST_YEAR))
    return day


def _whole(query: Query) -> Span:
    """Return the days of which the intervals are: months and years are whole ones."""
    first, last = query.span.first, query.span.last
    if query.interval is Longer.P1M:
        return Span(month_of(first), days_of(month_of(last))[-1])
    if query.interval is Longer.P1Y:
        return Span(first.replace(month=1, day=1), last.replace(month=12, day=31))
    return query.span


async def _points(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, query: Query
) -> Iterator[Point]:
    """Return the requested points, each made when it is read: there may be thousands."""
    slots = await pages.published.slots(
        connection,
        query.place,
        Interval.P1D if isinstance(query.interval, Longer) else query.interval,
        _whole(query),
        guest.now,
        directions=FIGURES[query.key].basis.directions,
    )
    return (
        Point(row.start, row.end, figure)
        for row in _rows(query, slots)
        if (figure := row[query.key]).is_there
    )


def _rows(query: Query, slots: Slots) -> Sequence[FlowRow]:
    """Return the intervals of which there is a point each."""
    if query.interval is Longer.P1M:
        return by_month(slots)
    if query.interval is Longer.P1Y:
        return by_year(slots)
    return rows(slots)


def _as_json(pages: PublicPages, query: Query, points: Iterable[Point]) -> str:
    return dumped(
        {
            "collective": pages.settings.name,
            "quantity": query.key,
            "group": query.place.slug,
            "interval": query.interval,
            "from": query.span.first.isoformat(),
            "to": query.span.last.isoformat(),
            "time_zone": pages.settings.time_zone.key,
            "unit": FIGURES[query.key].unit,
            "licence": LICENCE_ID,
            "attribution": f"{pages.settings.name}, {LICENCE}",
            "values": [_described(point, start, end) for point, start, end in _shown(points)],
        }
    )


def _shown(points: Iterable[Point]) -> Iterator[tuple[Point, str, str]]:
    """Yield the start and the end of each interval in words."""
    last, words = None, ""
    for point in points:
        start = words if point.start is last else iso8601.shown(point.start)
        last, words = point.end, iso8601.shown(point.end)
        yield point, start, words


class Field(NamedTuple):
    """A field of each value, in JSON and as a column of CSV."""

    schema: Mapping[str, Json]
    """Its JSON Schema."""
    meaning: Text
    read: Callable[[Value], Json]


_COUNT: Mapping[str, Json] = {"type": "integer", "minimum": 0}
_HOURS: Mapping[str, Json] = {"type": "number", "minimum": 0}
FIELDS: Mapping[str, Field] = {
    "value": Field(
        {"type": ["number", "null"]},
        text(
            "The energy or the rate; null if hidden or unknown, or if a rate would divide by zero."
            " Missing data is never zero."
        ),
        lambda figure: figure.number,
    ),
    "hours": Field(
        _HOURS,
        text("The number of hours that the value covers."),
        lambda figure: rounded(figure.hours, 4),
    ),
    "hours_ended": Field(
        _HOURS,
        COLUMNS["hours_ended"].meaning,
        lambda figure: rounded(figure.hours_ended, 4),
    ),
    "hours_without_homes": Field(
        _HOURS,
        text(
            "The number of covered hours in which homes are missing: there are too few, a few of"
            " them dominate, or a collective sent no figure with homes. The value then covers the"
            " other members alone, such as public buildings, or homes of another kind: those that"
            " send records, or those in protected sums, which may still come."
        ),
        lambda figure: rounded(figure.hours_lacking, 4),
    ),
    "protected_later": Field(
        _COUNT,
        COLUMNS["protected_later"].meaning,
        lambda figure: figure.later,
    ),
    "protected_since": Field(
        {"type": ["string", "null"], "format": "date-time"},
        text("When the last of them came; null if none came later."),
        lambda figure: None if figure.since is None else iso8601.shown(figure.since),
    ),
    "members": Field(
        _COUNT,
        COLUMNS["members"].meaning,
        lambda figure: figure.members,
    ),
    "members_counting": Field(
        _COUNT,
        COLUMNS["members_counting"].meaning,
        lambda figure: figure.members_counting,
    ),
    "homes": Field(
        _COUNT,
        COLUMNS["homes"].meaning,
        lambda figure: figure.homes,
    ),
    "per_home": Field(
        {"type": ["number", "null"], "minimum": 0},
        text(
            "The average of one home, in Wh, without public buildings; of production, that of one"
            " home with panels. For a day, a month or a year it is the sum of the averages of the"
            " published hours, so that it stays comparable when homes join or are missing."
        ),
        lambda figure: figure.average_wh if figure.homes else None,
    ),
}
"""The fields beside start, end and the reason of a withheld value."""


def _described(point: Point, start: str, end: str) -> Json:
    fields = {name: field.read(point.value) for name, field in FIELDS.items()}
    withheld = None if point.value.why is None else _withheld(point.value.why)
    return {"start": start, "end": end, **fields, "withheld": withheld}


@lru_cache(maxsize=256)
def _withheld(why: Withheld) -> Json:
    return {
        "reason": why.reason,
        "need": why.need,
        "text": {tag: why.words.say(tag) for tag in ("en", "fr")},
    }


def _as_csv(points: Iterable[Point]) -> str:
    rows = (
        (
            start,
            end,
            *(field.read(point.value) for field in FIELDS.values()),
            point.value.why and point.value.why.reason,
        )
        for point, start, end in _shown(points)
    )
    return csv_text(chain([("start", "end", *FIELDS, "withheld")], rows))


async def describe(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Show the page of the open data: each figure, its licence, and how to request it."""
    async with pages.store.reading() as connection:
        places = await pages.published.places(connection)
        steps = await pages.published.steps(connection)
        first_day = await pages.published.first_day(connection)
    publication = pages.publication
    return pages.page(
        guest,
        "data.html",
        places=list(places.values()),
        steps_changed=len(steps) > 1,
        base="",
        intervals=offered(steps, first_day, guest),
        fine=publication.interval,
        most_days=MOST_DAYS,
        minimum=publication.minimum,
        p_percent=(P_PERCENT[0], P_PERCENT[-1]),
        wait=publication.wait // _MINUTE,
        longest_wait=publication.longest_wait // _MINUTE,
        fields=FIELDS,
        columns=COLUMNS,
        reasons=[
            (reason, reason.anybody.fill(need=publication.minimum or _NEED))
            for reason in PUBLIC_REASONS
            if reason.anybody is not None
        ],
        example_day=guest.today.replace(day=1),
        **WORDS,
    )
