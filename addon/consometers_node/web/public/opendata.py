"""The open data: released figures under addresses that stay, as JSON and as CSV.

/data/<quantity>/by/<group>/<interval>/from/<day>/to/<day>[.csv]
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import cache, lru_cache
from itertools import chain, dropwhile
import json
from pathlib import Path
import re
from typing import NamedTuple

from aiohttp import web

from consometers_node.store.connection import AsyncConnection

from ...collective.calendar import Span, days_of, month_of
from ...collective.disclosure.sdc_rules import P_PERCENT, Reason, Withheld
from ...collective.publication.figures import (
    Amount,
    Rates,
    Slots,
    by_month,
    by_year,
    cells_of,
    is_open,
    shared_of,
    weightiest,
)
from ...collective.publication.member_values import WH
from ...collective.publication.queries import Place, Steps
from ...quoalise import Text, iso8601
from ...quoalise.text import text
from ...series import Direction, Interval
from ...store.groups import GroupKind
from ..core.page_base import csv_text
from .handlers import Guest, PublicPages, problem, tagged
from .headers import allow_reading
from .words import LICENCE, LICENCE_ID, LICENCE_URL, WORDS

type Json = bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None

_FIRST_YEAR, _LAST_YEAR = 2000, 2099
MOST_DAYS = {True: 92, False: 3_660}
"""The longest range: of intervals shorter than a day, and of days and their multiples."""
KEEP = "public, max-age=60"
_INSTANT = timedelta(microseconds=1)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CSV = ".csv"
_JSON = ".json"


class OpenDataQuantity(StrEnum):
    """The quantities."""

    CONSUMPTION = "consumption"
    INJECTION = "injection"
    PRODUCTION = "production"
    TOTAL_CONSUMPTION = "total-consumption"
    SHARED_LOCALLY = "shared-locally"
    PRODUCTION_SHARE = "production-share"
    SELF_CONSUMPTION = "self-consumption"
    SELF_SUFFICIENCY = "self-sufficiency"

    @property
    def unit(self) -> str:
        """The unit, as SenML writes it: a ratio has /."""
        return "/" if self in _RATIOS else "Wh"


_COMPUTED: Mapping[OpenDataQuantity, Callable[[Rates], Fraction | float | None]] = {
    OpenDataQuantity.TOTAL_CONSUMPTION: lambda rates: rates.used_wh,
    OpenDataQuantity.PRODUCTION_SHARE: lambda rates: rates.production_share,
    OpenDataQuantity.SELF_CONSUMPTION: lambda rates: rates.self_consumption,
    OpenDataQuantity.SELF_SUFFICIENCY: lambda rates: rates.self_sufficiency,
}
"""Quantities computed from all three directions."""
_RATIOS = _COMPUTED.keys() - {OpenDataQuantity.TOTAL_CONSUMPTION}
_NEEDED: Mapping[OpenDataQuantity, Sequence[Direction]] = {
    OpenDataQuantity.SHARED_LOCALLY: (Direction.INJECTION, Direction.CONSUMPTION),
    **dict.fromkeys(_COMPUTED, tuple(Direction)),
}
"""Directions of a computed quantity."""


class Longer(StrEnum):
    """Intervals that add up days."""

    P1M = "P1M"
    P1Y = "P1Y"


class Point(NamedTuple):
    """The value of an interval, or why it is suppressed; `more` is beside it, by name."""

    start: datetime
    end: datetime
    value: float | None
    members: int
    members_counting: int
    why: Withheld | None
    more: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Query:
    """A request, from its address."""

    quantity: OpenDataQuantity
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
    body = _as_csv(query, points) if as_csv else _as_json(pages, query, points)
    return opened(body, "text/csv" if as_csv else "application/json")


async def description(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return the description of the open data in OpenAPI 3.1."""
    return opened(_description(), "application/json")


@cache
def _description() -> str:
    return Path(__file__).with_name("openapi.json").read_text()


async def groups(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return all groups with open data."""
    async with pages.store.reading() as connection:
        places = await pages.published.places(connection)
        steps = await pages.published.steps(connection)
        begun = await pages.published.begun(connection)
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
            for interval in offered(steps, begun, guest)
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


def offered(steps: Steps, begun: date | None, guest: Guest) -> list[Offered]:
    """Return the available intervals: also those published in the past."""
    zone = guest.now.tzinfo
    fine = [
        Offered(
            step,
            None if begun is None else first.astimezone(zone).date(),
            None if end is None else (end - _INSTANT).astimezone(zone).date(),
        )
        for step, (first, end) in steps.items()
    ]
    return [*fine, *(Offered(interval, begun) for interval in (Interval.P1D, *Longer))]


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
    if quantity not in OpenDataQuantity:
        raise Wrong(404, _NO_QUANTITY, _KNOWN.fill(known=", ".join(OpenDataQuantity)))
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
    return Query(OpenDataQuantity(quantity), places[group], length, span)


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
    """Return the requested points, each made when it is read: there may be thousands.

    Of before anything was closed, there is none.
    """
    slots = await pages.published.slots(
        connection,
        query.place,
        Interval.P1D if isinstance(query.interval, Longer) else query.interval,
        _whole(query),
        guest.now,
        directions=_NEEDED.get(query.quantity) or [Direction(query.quantity)],
        with_shared=query.quantity is OpenDataQuantity.SHARED_LOCALLY,
    )
    start = datetime.min.replace(tzinfo=UTC)
    if slots and any(map(is_open, slots[0].figures.values())):
        first = await pages.published.begun(connection, query.place)
        start = datetime.combine(first, time(), guest.now.tzinfo) if first else start

    def is_before(point: Point) -> bool:
        return point.end <= start and point.why is not None and is_open(point.why)

    points = (_point(query, part) for part in _parts(query, slots))
    return dropwhile(is_before, points)


def _parts(query: Query, slots: Slots) -> Iterable[Slots]:
    """Return the intervals of each point."""
    if query.quantity is OpenDataQuantity.SHARED_LOCALLY and query.place.kind is GroupKind.SITE:
        return []
    if query.interval is Longer.P1M:
        return by_month(slots)
    if query.interval is Longer.P1Y:
        return by_year(slots)
    if slots and len(slots[0].figures) < len(_NEEDED.get(query.quantity, ())):
        return []
    return ([slot] for slot in slots)


def _point(query: Query, slots: Slots) -> Point:
    """Return the value of intervals combined into one."""
    if query.quantity in _COMPUTED:
        return _computed_point(query, slots)
    if query.quantity is OpenDataQuantity.SHARED_LOCALLY:
        return _shared_point(query, slots)
    amount = Amount.of(slots, Direction(query.quantity))
    more: dict[str, Json] = {}
    if amount.per_member_wh is not None:
        more["per_member"] = _plain(round(amount.per_member_wh, 1))
    more |= _spans(query, amount.minutes, amount.minutes_ended, amount.published, amount.ended)
    if amount.lacking:
        more["lacks_homes"] = True
    members = amount.members, amount.members_counting
    return Point(slots[0].start, slots[-1].end, amount.wh, *members, amount.why, more)


def _computed_point(query: Query, slots: Slots) -> Point:
    """Return a value computed from the intervals in which all three directions were published."""
    rates = Rates.of(slots)
    value = _COMPUTED[query.quantity](rates)
    minutes, why = rates.minutes, None if rates.published else _why(slots)
    if isinstance(query.interval, Interval):
        minutes = 0 if (why := _why(slots)) else min([cell.minutes for cell in cells_of(slots)])
    rounded = None if value is None else round(float(value), 4)
    return _derived_point(query, slots, rounded, why, (minutes, rates.published))


def _shared_point(query: Query, slots: Slots) -> Point:
    """Return members' shared energy in the intervals in which both directions were published."""
    shared = shared_of(slots)
    count = sum([slot.shared is not None for slot in slots])
    value = shared.watt_minutes / WH if shared.minutes else None
    why = None if shared.minutes else _why(slots)
    return _derived_point(query, slots, value, why, (shared.minutes, count))


def _derived_point(
    query: Query,
    slots: Slots,
    value: float | None,
    why: Withheld | None,
    minutes_and_days: tuple[int, int],
) -> Point:
    """Return a value with as many members as the largest cell that it is made of."""
    members = counting = 0
    if value is not None:
        members = max([cell.members for cell in cells_of(slots)])
        counting = max([cell.members_counting for cell in cells_of(slots)])
    minutes_ended = sum([slot.minutes for slot in slots])
    minutes, days = minutes_and_days
    more = _spans(query, minutes, minutes_ended, days, len(slots))
    return Point(slots[0].start, slots[-1].end, value, members, counting, why, more)


def _why(slots: Slots) -> Withheld | None:
    """Return why something of these intervals is suppressed, if it is."""
    figures = [figure for slot in slots for figure in slot.figures.values()]
    return weightiest(figure for figure in figures if isinstance(figure, Withheld))


def _spans(
    query: Query, minutes: int, minutes_ended: int, days: int, days_ended: int
) -> dict[str, Json]:
    """Return how many hours were published of how many, and days where there are several."""
    if (names := _SPANS.get(query.interval)) is None:
        return {}
    values = (_plain(minutes / 60), _plain(minutes_ended / 60), days, days_ended)
    return dict(zip(names, values, strict=False))


def _as_json(pages: PublicPages, query: Query, points: Iterable[Point]) -> str:
    return dumped(
        {
            "collective": pages.settings.name,
            "quantity": query.quantity,
            "group": query.place.slug,
            "interval": query.interval,
            "from": query.span.first.isoformat(),
            "to": query.span.last.isoformat(),
            "time_zone": pages.settings.time_zone.key,
            "unit": query.quantity.unit,
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


def _described(point: Point, start: str, end: str) -> Json:
    described: dict[str, Json] = {
        "start": start,
        "end": end,
        "value": _plain(point.value),
        "members": point.members,
        "members_counting": point.members_counting,
        **point.more,
    }
    if point.why is not None:
        described["withheld"] = _withheld(point.why)
    return described


@lru_cache(maxsize=256)
def _withheld(why: Withheld) -> Json:
    return {
        "reason": why.spelled,
        "need": why.need,
        "text": {tag: why.words.say(tag) for tag in ("en", "fr")},
    }


_HEAD = ("start", "end", "value", "unit", "members", "withheld", "members_counting", "per_member")
_HOURS = ("hours", "hours_ended")
_DAYS = (*_HOURS, "days", "days_ended")
_SPANS = {Interval.P1D: _HOURS, Longer.P1M: _DAYS, Longer.P1Y: _DAYS}


def _as_csv(query: Query, points: Iterable[Point]) -> str:
    names = _SPANS.get(query.interval, ())
    rows = (
        (
            start,
            end,
            _plain(point.value),
            query.quantity.unit,
            point.members,
            "" if point.why is None else point.why.spelled,
            point.members_counting,
            *(point.more.get(name) for name in ("per_member", *names)),
        )
        for point, start, end in _shown(points)
    )
    return csv_text(chain([(*_HEAD, *names)], rows))


def _plain(value: float | None) -> float | None:
    """Write whole numbers as such."""
    return int(value) if value is not None and value == int(value) else value


async def describe(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Show the page of the open data: each figure, its licence, and how to request it."""
    async with pages.store.reading() as connection:
        places = await pages.published.places(connection)
        steps = await pages.published.steps(connection)
        begun = await pages.published.begun(connection)
    publication = pages.publication
    return pages.page(
        guest,
        "data.html",
        places=list(places.values()),
        steps_changed=len(steps) > 1,
        base="",
        intervals=offered(steps, begun, guest),
        fine=publication.interval,
        most_days=MOST_DAYS,
        minimum=publication.minimum,
        p_percent=(P_PERCENT[0], P_PERCENT[-1]),
        wait=int(publication.wait.total_seconds() // 60),
        reasons=[(why.spelled, why.words) for why in (Withheld(reason, 10) for reason in Reason)],
        example_day=guest.today.replace(day=1),
        **WORDS,
    )
