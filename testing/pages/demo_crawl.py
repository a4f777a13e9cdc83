"""Reads all that the demo's cooperative publishes, as visitors do, and finds what has two values.

Of each group: all open data, and the pages of all months and years with their tables. Pages of
days are read for `DAY_PAGES_S`, in an order in which they lie evenly over all days at any time.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from ipaddress import IPv4Network
from itertools import cycle
import json
from time import monotonic
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp

from consometers_node.collective.calendar import Span, month_of
from consometers_node.web.public.open_data.opendata import MOST_DAYS
from consometers_quoalise import iso8601
from testing.pages.crawl import Crawl, GroupPlace

ZONE: Final = ZoneInfo("Europe/Paris")
DAY_PAGES_S: Final = 480
AT_ONCE: Final = 4
ATTEMPTS: Final = 3
"""Of what changes at midnight and when a day closes."""
DAY: Final = timedelta(days=1)

SOURCES: Final = {
    *("CSV", "page", "Home Assistant"),
    *(f"{what} of a {kind}" for what in ("CSV", "table") for kind in ("day", "month", "year")),
}
_FOLDERS: Final = {
    "all": "",
    "area": "areas/{}/",
    "combined": "areas/{}/",
    "rest": "areas/{}/",
    "site": "sites/{}/",
}
"""Where the pages of a group are, by its kind. Buildings of a kind have open data alone."""
_ADDRESSES: Final = IPv4Network("198.51.100.0/24")


@dataclass
class Found:
    """What was read: facts by their source, those that differ, and how many pages of days."""

    sources: Counter[str] = field(default_factory=Counter)
    contradictions: list[str] = field(default_factory=list)
    groups: int = 0
    day_pages: int = 0

    @property
    def facts(self) -> int:
        return self.sources.total()

    def add(self, crawl: Crawl) -> None:
        self.sources += crawl.sources
        self.contradictions += crawl.contradictions


class Visitors:
    """Visitors of some pages, as a reverse proxy on this machine forwards them: each in turn."""

    def __init__(self, session: aiohttp.ClientSession, root: str) -> None:
        self._session = session
        self._root = root
        self._addresses = cycle(map(str, _ADDRESSES.hosts()))
        self._free = asyncio.Semaphore(AT_ONCE)

    async def read(self, path: str) -> str:
        """Return the text at a path, in English."""
        headers = {"Accept-Language": "en", "X-Forwarded-For": next(self._addresses)}
        url = f"{self._root}/{path}".rstrip("/")
        async with self._free, self._session.get(url, headers=headers) as answer:
            assert answer.status == 200, (path, answer.status)
            return await answer.text()

    async def groups(self) -> list[GroupPlace]:
        """Return all groups with published figures."""
        listed = json.loads(await self.read("data/groups.json"))["groups"]
        return [
            GroupPlace(group["id"], folder and folder.format(group["id"]))
            for group in listed
            for folder in [_FOLDERS.get(group["kind"])]
        ]

    async def began(self) -> date:
        """Return the first day with open data."""
        listed = json.loads(await self.read("data/groups.json"))["intervals"]
        (first,) = [interval["from"] for interval in listed if interval["id"] == "P1D"]
        return date.fromisoformat(first)


async def read_all(root: str, last: date, see_others: Callable[[Crawl], Awaitable[None]]) -> Found:
    """Read each group, from its first day to a last one, which is closed.

    `see_others` notes what else is known of all members.
    """
    total = Found()
    async with aiohttp.ClientSession() as session:
        visitors = Visitors(session, root)
        span = Span(await visitors.began(), last)
        places = await visitors.groups()
        days_within_s = DAY_PAGES_S / sum(place.base is not None for place in places)
        for place in places:
            # One after the other: the hours of a group are many.
            crawl = Crawl(visitors.read)
            await _read_closed(crawl, place, span)
            if place.group == "all":
                await see_others(crawl)
            if place.base is not None:
                total.day_pages += await _read_days(crawl, place, span, days_within_s)
            total.add(crawl)
            total.add(await _read_present(visitors, place, span))
            total.groups += 1
    return total


async def _read_closed(crawl: Crawl, place: GroupPlace, span: Span) -> None:
    """Read the open data of all that is closed, and the pages of months and years that are over."""
    months, years = _over(span)
    async with asyncio.TaskGroup() as reading:
        for part in _parts(span, MOST_DAYS[True]):
            reading.create_task(crawl.open_data(place.group, "PT1H", part.first, part.last))
        for interval, days in (("P1D", span), ("P1M", months), ("P1Y", years)):
            if days:
                read = crawl.open_data(place.group, interval, days.first, days.last)
                reading.create_task(read)
    if place.base is not None:
        await _read_pages(crawl, place, months, years)


async def _read_pages(crawl: Crawl, place: GroupPlace, months: Span, years: Span) -> None:
    for month in sorted({month_of(day) for day in months}):
        await crawl.page(place, "month", f"{month:%Y-%m}", midnight(month))
    for year in sorted({day.replace(month=1, day=1) for day in years}):
        await crawl.page(place, "year", f"{year:%Y}", midnight(year))


def _over(span: Span) -> tuple[Span, Span]:
    """Return the days of the months that are over on the last day, and those of the years."""
    after = span.last + DAY
    ends = after.replace(day=1) - DAY, after.replace(month=1, day=1) - DAY
    months, years = (Span(span.first, end) for end in ends)
    return months, years


async def _read_days(crawl: Crawl, place: GroupPlace, span: Span, within_s: float) -> int:
    """Read pages of days until the time is over; return how many."""
    until, count = monotonic() + within_s, 0
    for day in _spread([*span]):
        if monotonic() > until:
            break
        await crawl.page(place, "day", f"{day}", midnight(day))
        count += 1
    return count


async def _read_present(visitors: Visitors, place: GroupPlace, span: Span) -> Crawl:
    """Read the months and years that go on, again where they changed meanwhile."""
    over = _over(span)
    for _ in range(ATTEMPTS):
        crawl, today = Crawl(visitors.read), datetime.now(ZONE).date()
        months, years = (Span(max(days.last + DAY, span.first), today) for days in over)
        await crawl.open_data(place.group, "P1D", years.first, today)
        await crawl.open_data(place.group, "P1M", years.first, today)
        await crawl.open_data(place.group, "P1Y", years.first, today)
        if place.base is not None:
            await _read_pages(crawl, place, months, years)
        if not crawl.contradictions:
            break
    return crawl


def midnight(day: date) -> str:
    """Return the start of a civil day, as open data write it."""
    return iso8601.shown(datetime.combine(day, time(), ZONE))


def _parts(span: Span, length: int) -> Iterator[Span]:
    first = span.first
    while first <= span.last:
        yield Span(first, min(span.last, first + (length - 1) * DAY))
        first += length * DAY


def _spread(days: Sequence[date]) -> Iterator[date]:
    """Yield each day once: the first, the one in the middle, those at the quarters, and so on."""
    step = 1 << len(days).bit_length()
    yield days[0]
    while step > 1:
        yield from days[step // 2 :: step]
        step //= 2
