"""All open data in one file: a ZIP of tables by year, with the dictionary of their columns."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing
from datetime import date
from hashlib import sha256
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from aiohttp import hdrs, web

from consometers_node.collective.calendar import Span, days_of, month_of
from consometers_node.collective.members.members import month_after
from consometers_node.collective.publication.reading.queries import Place
from consometers_node.collective.publication.reading.values import Slots, rows
from consometers_node.i18n.text import text
from consometers_node.series import Interval
from consometers_node.web.core.access import Handler
from consometers_node.web.core.page_base import attachment, csv_text
from consometers_node.web.core.speech import Language
from consometers_node.web.public.drawing.charts import COLUMNS, ChartInterval, Column, written
from consometers_node.web.public.headers import allow_reading
from consometers_node.web.public.page_base import DATA, Guest, PublicPages, problem
from consometers_node.web.public.words import LICENCE, LICENCE_URL

from .opendata import opened

ARCHIVE, DICTIONARY = f"{DATA}/everything.zip", f"{DATA}/columns.csv"
MADE_AT_ONCE: Final = 2
_WAIT_S: Final = "30"
_A_DAY_S: Final = 86_400
_COMPARED = "_before_wh"
_BUSY = text("The archive is being made for others: try again in a moment.")

OF_ARCHIVE: Mapping[str, Column] = {
    name: column for name, column in COLUMNS.items() if not name.endswith(_COMPARED)
}
"""The columns of its tables: an interval alone, without an earlier one."""

_READ_ME: Mapping[str, str] = {"README.txt": "en", "LISEZMOI.txt": "fr"}
"""The text in each language."""
_ABOUT = text("{collective}: all open data, up to {day}.")
_TERMS = text(
    "Anyone may use them for any purpose, under the {licence} ({url}). Cite “{collective}” as the"
    " source, with the date."
)
_FILES = text(
    "GROUP/INTERVAL-YEAR.csv is a table, with a line for each interval: P1D is a day, PT1H an hour,"
    " PT30M half an hour. groups.csv lists the groups, columns.csv the columns:"
)


class _Buffer:
    """What a ZIP is written into, and taken from as it grows."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes, /) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Everything is there already."""

    def close(self) -> None:
        """Its parts can still be taken."""

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def dictionary() -> str:
    """Return the dictionary of the columns as a table."""
    header = ("column", "unit", "meaning_en", "meaning_fr")
    return csv_text(
        [header]
        + [
            (name, column.unit, column.meaning.say("en"), column.meaning.say("fr"))
            for name, column in OF_ARCHIVE.items()
        ]
    )


async def columns(_pages: PublicPages, _guest: Guest) -> web.StreamResponse:
    """Return the dictionary by itself."""
    return opened(dictionary(), "text/csv")


def download(pages: PublicPages) -> Handler:
    """Make the handler that sends the archive, as it is made. It is made of ended days alone."""
    turns = asyncio.Semaphore(MADE_AT_ONCE)

    async def handle(request: web.Request) -> web.StreamResponse:
        guest = pages.guest(request)
        async with pages.store.reading() as connection:
            last = await pages.published.last_day(connection)
        # What comes later, such as a protected sum, is in it from the next day on.
        facts = f"{pages.version} {pages.settings.name} {guest.today} {last}"
        headers = {
            "ETag": f'"{sha256(facts.encode()).hexdigest()[:32]}"',
            "Cache-Control": f"public, max-age={_A_DAY_S // 24}",
            "Content-Disposition": attachment(f"{pages.settings.identifier}-{guest.today}.zip"),
            "Link": f'<{LICENCE_URL}>; rel="license"',
        }
        if headers["ETag"] in request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return _readable(web.Response(status=304, headers=headers))
        response = web.StreamResponse(headers=headers | {"Content-Type": "application/zip"})
        if turns.locked():
            busy = problem(429, _BUSY)
            busy.headers["Retry-After"] = _WAIT_S
            return _readable(busy)
        async with turns:
            _readable(response)
            await response.prepare(request)
            if request.method != hdrs.METH_HEAD:
                async with aclosing(_zipped(pages, guest, last)) as parts:
                    async for part in parts:
                        await response.write(part)
            await response.write_eof()
        return response

    return handle


def _readable[R: web.StreamResponse](response: R) -> R:
    allow_reading(response)
    return response


async def _zipped(pages: PublicPages, guest: Guest, last: date | None) -> AsyncGenerator[bytes]:
    """Yield the archive in parts: a month of a table is in memory at a time."""
    buffer = _Buffer()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        async with pages.store.reading() as connection:
            places = await pages.published.places(connection)
            steps = [*await pages.published.steps(connection), Interval.P1D]
            spans = [
                (place, Span(first, last))
                for place in places.values()
                if last and (first := await pages.published.first_day(connection, place))
            ]
        for name, content in _about(pages, guest, places.values(), last):
            archive.writestr(_entry(name, guest), content)
            yield buffer.take()
        for name, table in _tables(pages, guest, spans, steps):
            async with aclosing(table) as months:
                if (head := await anext(months, None)) is None:
                    continue
                with archive.open(_entry(name, guest), "w") as file:
                    file.write(head)
                    yield buffer.take()
                    async for month in months:
                        file.write(month)
                        yield buffer.take()
    yield buffer.take()


def _tables(
    pages: PublicPages,
    guest: Guest,
    spans: Iterable[tuple[Place, Span]],
    steps: Iterable[Interval],
) -> Iterator[tuple[str, AsyncGenerator[bytes]]]:
    """Yield the name of each table that may be there, with its months."""
    for place, span in spans:
        for year in range(span.first.year, span.last.year + 1):
            whole = Span(max(date(year, 1, 1), span.first), min(date(year, 12, 31), span.last))
            for step in steps:
                yield f"{place.slug}/{step}-{year}.csv", _table(pages, guest, place, step, whole)


async def _table(
    pages: PublicPages, guest: Guest, place: Place, step: Interval, span: Span
) -> AsyncGenerator[bytes]:
    """Yield a table by months, with its header; nothing where nothing was closed."""
    header = csv_text([[*OF_ARCHIVE]])
    for month in _months(span):
        days = days_of(month)
        async with pages.store.reading() as connection:
            slots = await pages.published.slots(
                connection, place, step, Span(days[0], min(days[-1], span.last)), guest.now
            )
        if slots:
            # In a thread, so that other visitors are answered meanwhile.
            yield (header + await asyncio.to_thread(_rows, slots)).encode()
            header = ""


def _rows(slots: Slots) -> str:
    return csv_text(written(ChartInterval(row), OF_ARCHIVE) for row in rows(slots))


def _months(span: Span) -> Iterator[date]:
    month = month_of(span.first)
    while month <= span.last:
        yield month
        month = month_after(month)


def _about(
    pages: PublicPages, guest: Guest, places: Iterable[Place], last: date | None
) -> Iterator[tuple[str, str]]:
    """Yield the files that say what is in the archive."""
    name = pages.settings.name
    for file, tag in _READ_ME.items():
        lines = [
            _ABOUT.fill(collective=name, day=Language(tag).day(last or guest.today)),
            _TERMS.fill(collective=name, licence=LICENCE, url=LICENCE_URL),
            _FILES,
        ]
        text = [Language(tag)(line) for line in lines]
        text += [f"  {key}: {Language(tag)(column.meaning)}" for key, column in OF_ARCHIVE.items()]
        yield file, "".join(f"{line}\n" for line in text)
    yield "columns.csv", dictionary()
    listed = [(place.slug, place.kind, place.title.say("fr") or name) for place in places]
    yield "groups.csv", csv_text([("id", "kind", "name"), *listed])


def _entry(name: str, guest: Guest) -> ZipInfo:
    entry = ZipInfo(name, (guest.today.year, guest.today.month, guest.today.day, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    return entry
