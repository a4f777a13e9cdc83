"""The open data: released figures under addresses that stay, as JSON and as CSV.

/data/<quantity>/by/<group>/<interval>/from/<day>/to/<day>[.csv]
"""

from calendar import monthrange
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
import csv
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import cache, lru_cache
import io
from itertools import chain, dropwhile, pairwise
import json
from pathlib import Path
import re

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.calendar import Span
from ...collective.disclosure.sdc_rules import Figure, Reason, Released, Withheld, are_comparable
from ...collective.publication.queries import Columns, Place, Steps
from ...quoalise import Text, iso8601
from ...quoalise.text import text
from ...series import Direction, Interval
from .energy_rows import PER_WH, Amount, Figures, Rates, by_month, by_year, spelled, together
from .handlers import Desk, Guest, problem, tagged
from .headers import allow_reading
from .words import LICENCE, LICENCE_ID, LICENCE_URL

type Json = bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None

_FIRST_YEAR, _LAST_YEAR = 2000, 2099
MOST_DAYS = {True: 92, False: 3_660}
"""How long a range may be: of what is finer than a day, and of days and what they add up to."""
KEEP = "public, max-age=60"
_INSTANT = timedelta(microseconds=1)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CSV = ".csv"
_JSON = ".json"


class Quantity(StrEnum):
    """What may be asked for."""

    CONSUMPTION = "consumption"
    INJECTION = "injection"
    PRODUCTION = "production"
    SELF_CONSUMPTION = "self-consumption"
    SELF_SUFFICIENCY = "self-sufficiency"

    @property
    def unit(self) -> str:
        """The unit, as SenML writes it: a part of 1 has /."""
        return "Wh" if self in _DIRECTIONS else "/"


_DIRECTIONS = {
    Quantity.CONSUMPTION: Direction.CONSUMPTION,
    Quantity.INJECTION: Direction.INJECTION,
    Quantity.PRODUCTION: Direction.PRODUCTION,
}
_RATES: Mapping[Quantity, Callable[[Rates], Fraction | None]] = {
    Quantity.SELF_CONSUMPTION: lambda one: one.self_consumption,
    Quantity.SELF_SUFFICIENCY: lambda one: one.self_sufficiency,
}
_ALL_THREE = frozenset(Direction)


class Longer(StrEnum):
    """Intervals that are added up of days."""

    P1M = "P1M"
    P1Y = "P1Y"


@dataclass(frozen=True, slots=True)
class Point:
    """The value of an interval, or why it is withheld.

    `of` is the sum that it is, of energies. `days` is how many of the days of a month or a year
    were published, `days_of` how many had ended; so are `hours` of a day, a month or a year.
    """

    start: datetime
    end: datetime
    value: float | None
    members: int
    members_counting: int
    why: Withheld | None
    per_member: float | None = None
    hours: float | None = None
    hours_of: float | None = None
    days: int | None = None
    days_of: int | None = None
    lacks_homes: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for."""

    quantity: Quantity
    place: Place
    interval: Interval | Longer
    span: Span


class Wrong(Exception):
    """An address that cannot be answered, and why."""

    def __init__(self, status: int, title: Text, detail: Text | None = None) -> None:
        super().__init__(title.say())
        self.status = status
        self.title = title
        self.detail = detail


_BAD = text("This address cannot be read.")
_NO_QUANTITY = text("There is no such quantity.")
_NO_GROUP = text("There is no such group.")
_NO_INTERVAL = text("There is no such interval here.")
_KNOWN = text("Known are: {known}.")
_GROUPS = text("/data/groups.json lists them.")
_NOT_A_DAY = text("A day is written YYYY-MM-DD, from the year {first} to the year {last}.")
_BACKWARDS = text("“to” is before “from”.")
_TOO_LONG = text("Ask for {most} days at most of this interval.")


async def series(desk: Desk, guest: Guest) -> web.StreamResponse:
    """Return the values of one quantity of one group."""
    last = guest.named("last")
    as_csv = last.endswith(_CSV)
    last = last.removesuffix(_CSV if as_csv else _JSON)
    try:
        async with desk.store.reading() as connection:
            places = await desk.published.places(connection)
            known = intervals(await desk.published.steps(connection))
            asked = _asked(guest, places, known, last)
            points = await _points(desk, guest, connection, asked)
    except Wrong as wrong:
        response = problem(wrong.status, wrong.title, wrong.detail)
        allow_reading(response)
        return response
    body = _as_csv(asked, points) if as_csv else _as_json(desk, asked, points)
    return _open(body, "text/csv" if as_csv else "application/json")


async def description(desk: Desk, guest: Guest) -> web.StreamResponse:
    """Return the open data as OpenAPI 3.1 describes them."""
    return _open(_description(), "application/json")


@cache
def _description() -> str:
    return Path(__file__).with_name("openapi.json").read_text()


async def groups(desk: Desk, guest: Guest) -> web.StreamResponse:
    """Return all groups of which something may be asked."""
    async with desk.store.reading() as connection:
        places = await desk.published.places(connection)
        steps = await desk.published.steps(connection)
        begun = await desk.published.begun(connection)
    slugs = {one.id: one.slug for one in places.values()}
    told: Json = {
        "collective": desk.settings.name,
        "licence": LICENCE_ID,
        "intervals": [
            {
                "id": one.name,
                "from": None if one.first is None else one.first.isoformat(),
                "to": None if one.last is None else one.last.isoformat(),
            }
            for one in offered(steps, begun, guest)
        ],
        "groups": [
            {
                "id": one.slug,
                "kind": one.kind,
                "name": one.title.say("fr") or desk.settings.name,
                "together": [slugs[whole] for whole in one.together if whole in slugs],
            }
            for one in places.values()
        ],
    }
    return _open(dumped(told), "application/json")


@dataclass(frozen=True, slots=True)
class Offered:
    """An interval that clients may request, with its first and its last day.

    `first` is None where nothing was closed yet, `last` where it goes on.
    """

    name: str
    first: date | None = None
    last: date | None = None


def offered(steps: Steps, begun: date | None, guest: Guest) -> list[Offered]:
    """Return the intervals that may be asked for: also those at which sums were published once."""
    zone = guest.now.tzinfo
    found = [
        Offered(
            step,
            None if begun is None else first.astimezone(zone).date(),
            None if end is None else (end - _INSTANT).astimezone(zone).date(),
        )
        for step, (first, end) in steps.items()
    ]
    return [*found, *(Offered(one, begun) for one in (Interval.P1D, *Longer))]


def intervals(steps: Steps) -> list[str]:
    """Return the names of the intervals that may be asked for."""
    return [*steps, Interval.P1D, *Longer]


def dumped(told: Json) -> str:
    """Write JSON in few bytes."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def _open(body: str, kind: str) -> web.Response:
    link = f'<{LICENCE_URL}>; rel="license"'
    response = tagged(body, kind, {"Cache-Control": KEEP, "Link": link})
    allow_reading(response)
    return response


def _asked(guest: Guest, places: Mapping[str, Place], known: Collection[str], last: str) -> Asked:
    """Read an address. Raises Wrong."""
    quantity, interval, group = (guest.named(one) for one in ("quantity", "interval", "group"))
    if quantity not in Quantity:
        raise Wrong(404, _NO_QUANTITY, _KNOWN.fill(known=", ".join(Quantity)))
    if interval not in known:
        raise Wrong(404, _NO_INTERVAL, _KNOWN.fill(known=", ".join(known)))
    if group not in places:
        raise Wrong(404, _NO_GROUP, _GROUPS)
    length = Longer(interval) if interval in Longer else Interval(interval)
    span = Span(_day(guest.named("first")), _day(last))
    if span.last < span.first:
        raise Wrong(400, _BAD, _BACKWARDS)
    is_fine = isinstance(length, Interval) and length is not Interval.P1D
    if (span.last - span.first).days >= MOST_DAYS[is_fine]:
        raise Wrong(400, _BAD, _TOO_LONG.fill(most=MOST_DAYS[is_fine]))
    return Asked(Quantity(quantity), places[group], length, span)


def _day(said: str) -> date:
    try:
        day = date.fromisoformat(said) if _DAY.fullmatch(said) else None
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise Wrong(400, _BAD, _NOT_A_DAY.fill(first=_FIRST_YEAR, last=_LAST_YEAR))
    return day


def _whole(asked: Asked) -> Span:
    """Return the days of which the intervals are: months and years are whole ones."""
    first, last = asked.span.first, asked.span.last
    match asked.interval:
        case Longer.P1M:
            return Span(
                first.replace(day=1), last.replace(day=monthrange(last.year, last.month)[1])
            )
        case Longer.P1Y:
            return Span(first.replace(month=1, day=1), last.replace(month=12, day=31))
        case _:
            return asked.span


async def _points(
    desk: Desk, guest: Guest, connection: AsyncConnection, asked: Asked
) -> Iterator[Point]:
    """Return what is asked for, each point when it is wanted: there may be thousands.

    Of before anybody told, there is none.
    """
    points = await _all_points(desk, guest, connection, asked)
    earliest = next(points, None)
    if earliest is None:
        return points
    points = chain([earliest], points)
    if earliest.why is None or earliest.why.reason is not Reason.NOT_YET:
        return points
    first = await desk.published.begun(connection, asked.place)
    if first is None:
        return points
    start = datetime.combine(first, time(), guest.now.tzinfo)

    def is_before(one: Point) -> bool:
        return one.end <= start and one.why is not None and one.why.reason is Reason.NOT_YET

    return dropwhile(is_before, points)


async def _all_points(
    desk: Desk, guest: Guest, connection: AsyncConnection, asked: Asked
) -> Iterator[Point]:
    published, directions = desk.published, _directions(asked.quantity)
    if isinstance(asked.interval, Interval):
        return _each(
            asked.quantity,
            await published.columns(
                connection,
                asked.place,
                asked.interval,
                asked.span,
                guest.now,
                directions=directions,
            ),
            is_day=asked.interval is Interval.P1D,
        )
    found = await published.columns(
        connection, asked.place, Interval.P1D, _whole(asked), guest.now, directions=directions
    )
    days = dict(found.told())
    parts = by_month(days) if asked.interval is Longer.P1M else by_year(days)
    return (_sum(asked.quantity, one) for one in parts)


def _directions(quantity: Quantity) -> Collection[Direction]:
    """Return what is to be known for it."""
    return [_DIRECTIONS[quantity]] if quantity in _DIRECTIONS else list(Direction)


def _each(quantity: Quantity, found: Columns, *, is_day: bool) -> Iterator[Point]:
    """Yield the value of each interval."""
    direction, figures = _DIRECTIONS.get(quantity), found.figures
    ends = pairwise(found.bounds)
    if direction is not None:
        if direction not in figures:
            return
        for (start, end), figure in zip(ends, figures[direction], strict=True):
            yield _point(start, end, figure, is_day=is_day)
    elif figures.keys() >= _ALL_THREE:
        rate_of = _RATES[quantity]
        three = zip(*(figures[one] for one in Direction), strict=True)
        for (start, end), (drawn, fed, made) in zip(ends, three, strict=True):
            if (
                isinstance(drawn, Released)
                and isinstance(fed, Released)
                and isinstance(made, Released)
            ):
                known = (drawn, fed, made)
                rate = None
                if are_comparable(known):
                    rate = rate_of(Rates(made.watt_minutes, fed.watt_minutes, drawn.watt_minutes))
                minutes = min(one.minutes for one in known)
                hours = _hours(start, end, minutes, is_day=is_day)
                most = max(one.members for one in known), max(one.members_counting for one in known)
                counted = (0, 0) if rate is None else most
                yield Point(start, end, _rounded(rate), *counted, None, None, *hours)
            else:
                why = next(one for one in (drawn, fed, made) if isinstance(one, Withheld))
                yield _point(start, end, why, is_day=is_day)


def _point(start: datetime, end: datetime, figure: Figure, *, is_day: bool) -> Point:
    if isinstance(figure, Withheld):
        hours = _hours(start, end, 0, is_day=is_day)
        return Point(start, end, None, 0, 0, figure, None, *hours)
    return Point(
        start,
        end,
        figure.watt_minutes / PER_WH,
        figure.members,
        figure.members_counting,
        None,
        round(figure.per_member / PER_WH, 1),
        *_hours(start, end, figure.minutes, is_day=is_day),
        lacks_homes=figure.lacks_homes,
    )


def _hours(
    start: datetime, end: datetime, minutes: int, *, is_day: bool
) -> tuple[float | None, float | None]:
    """Return how many hours of a day were published, and how many it has: of an hour, neither."""
    if not is_day:
        return None, None
    return minutes / 60, (end.timestamp() - start.timestamp()) / 3600


def _sum(quantity: Quantity, days: Figures) -> Point:
    direction = _DIRECTIONS.get(quantity)
    if direction is None:
        return _rated(quantity, days)
    amount = Amount.of_all(days.get(direction, ()))
    each = amount.per_member_wh
    return Point(
        *_ends(days),
        amount.wh,
        amount.members,
        amount.members_counting,
        amount.why,
        None if each is None else round(each, 1),
        amount.hours,
        amount.hours_of,
        amount.out,
        amount.of,
        bool(amount.lacking),
    )


def _rated(quantity: Quantity, days: Figures) -> Point:
    """Return a rate, of the days of which all three directions were released."""
    whole = together(days)
    assert whole is not None
    rate, out = _RATES[quantity](whole.rates), whole.rates.out
    hidden = Amount.of_all(
        one for told in days.values() for one in told if isinstance(one.figure, Withheld)
    )
    amounts = whole.amounts.values()
    return Point(
        *_ends(days),
        _rounded(rate),
        *((0, 0) if rate is None else (whole.members, whole.members_counting)),
        None if out else hidden.why,
        None,
        whole.rates.minutes / 60,
        max(one.hours_of for one in amounts),
        out,
        max(one.of for one in amounts),
    )


def _rounded(rate: Fraction | None) -> float | None:
    return None if rate is None else round(float(rate), 4)


def _ends(figures: Figures) -> tuple[datetime, datetime]:
    told = next(iter(figures.values()))
    return told[0].start, told[-1].end


def _as_json(desk: Desk, asked: Asked, points: Iterable[Point]) -> str:
    return dumped(
        {
            "collective": desk.settings.name,
            "quantity": asked.quantity,
            "group": asked.place.slug,
            "interval": asked.interval,
            "from": asked.span.first.isoformat(),
            "to": asked.span.last.isoformat(),
            "time_zone": desk.settings.time_zone.key,
            "unit": asked.quantity.unit,
            "licence": LICENCE_ID,
            "attribution": f"{desk.settings.name}, {LICENCE}",
            "values": [_told(point, start, end) for point, start, end in _shown(points)],
        }
    )


def _shown(points: Iterable[Point]) -> Iterator[tuple[Point, str, str]]:
    """Yield when each starts and ends in words. Mostly, one ends when the next one starts."""
    last, words = None, ""
    for point in points:
        start = words if point.start is last else iso8601.shown(point.start)
        last, words = point.end, iso8601.shown(point.end)
        yield point, start, words


def _told(point: Point, start: str, end: str) -> Json:
    told: dict[str, Json] = {
        "start": start,
        "end": end,
        "value": _plain(point.value),
        "members": point.members,
        "members_counting": point.members_counting,
    }
    if point.per_member is not None:
        told["per_member"] = _plain(point.per_member)
    if point.hours is not None:
        told |= {"hours": _plain(point.hours), "hours_ended": _plain(point.hours_of)}
    if point.days is not None:
        told |= {"days": point.days, "days_ended": point.days_of}
    if point.lacks_homes:
        told["lacks_homes"] = True
    if point.why is not None:
        told["withheld"] = _withheld(point.why)
    return told


@lru_cache(maxsize=256)
def _withheld(why: Withheld) -> Json:
    return {
        "reason": spelled(why),
        "need": why.need,
        "text": {tag: why.words.say(tag) for tag in ("en", "fr")},
    }


_HEAD = ("start", "end", "value", "unit", "members", "withheld", "members_counting", "per_member")
_HOURS, _DAYS = ("hours", "hours_ended"), ("days", "days_ended")


def _as_csv(asked: Asked, points: Iterable[Point]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    more = {Interval.P1D: _HOURS, Longer.P1M: (*_HOURS, *_DAYS), Longer.P1Y: (*_HOURS, *_DAYS)}
    names = more.get(asked.interval, ())
    writer.writerow((*_HEAD, *names))
    for point, start, end in _shown(points):
        line = (
            start,
            end,
            "" if point.value is None else _plain(point.value),
            asked.quantity.unit,
            point.members,
            "" if point.why is None else spelled(point.why),
            point.members_counting,
            "" if point.per_member is None else _plain(point.per_member),
            _plain(point.hours),
            _plain(point.hours_of),
            point.days,
            point.days_of,
        )
        writer.writerow(line[: len(_HEAD) + len(names)])
    return out.getvalue()


def _plain(value: float | None) -> float | None:
    """Write whole numbers as such."""
    return int(value) if value is not None and value == int(value) else value
