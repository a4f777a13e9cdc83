"""The files that a household brought, as the source of its data."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from consometers_node.household.days import Memory, months
from consometers_node.household.errors import TooManyFiles
from consometers_node.household.readings import Chunk, Flag, Reading
from consometers_node.household.statistics import Proposal, Statistic, StatisticId, statistic_id
from consometers_node.household.waiting import Rest
from consometers_node.i18n.text import Text, text
from consometers_node.series import Block, Direction, Quantity, Range, Series
from consometers_node.store import Store
from consometers_node.store.household import files as stored_files
from consometers_node.store.household.files import FileMonth, HomeFile, StaleDays
from consometers_node.store.series import blocks, series_id

from .blocks import readings_of
from .brought import TIME_ZONE
from .words import WORDS

MOST_FILES = 200
"""Monthly files of sixteen years."""

_DAY = timedelta(days=1)
_MEMORY = Memory(changing=_DAY, changing_imported=_DAY, fine=None)
_STATISTICS = {
    StatisticId("files:consumption"): (
        Direction.CONSUMPTION,
        text("Consumption, from your files"),
    ),
    StatisticId("files:injection"): (Direction.INJECTION, text("Injection, from your files")),
}
"""The direction in the files, and the name for people."""


class FileSource:
    """The files of one home, which are in its database. It is never away."""

    memory = _MEMORY
    words = WORDS
    writer = None
    users = None
    is_connected = True
    problem: Text | None = None

    def __init__(self, store: Store, language: str) -> None:
        """Prepare; `language` is a tag."""
        self._store = store
        self._language = language

    @property
    def files(self) -> FileSource:
        return self

    async def run(self) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError

    async def watch(self) -> None:
        """Return at once: files measure nothing."""

    def listen(self, handler: Callable[[], None]) -> None:
        """Do nothing: who adds a file wakes the node."""

    async def connected(self) -> None:
        """Return at once."""

    async def language(self) -> str:
        return self._language

    async def time_zone(self) -> str:
        return TIME_ZONE

    async def subscribed_powers(self) -> Mapping[StatisticId, int]:
        """Return none: no file says them."""
        return {}

    async def proposals(self) -> Sequence[Proposal]:
        """Return a statistic for each direction that a file has."""
        present = {part.direction for file in await self.all() for part in file.parts}
        return [
            Proposal(
                statistic=Statistic(id=statistic, quantity=Quantity.ENERGY, name=name),
                direction=direction,
            )
            for statistic, (direction, name) in _STATISTICS.items()
            if direction in present
        ]

    async def catch_up(
        self, series: Iterable[Series], within: Range, rest: Rest = asyncio.sleep
    ) -> AsyncGenerator[Chunk]:
        group = list(series)
        for days in months(within):
            readings, stored = await self._read(group, days)
            # Of a file that was removed, records that are stored are no longer there.
            news = [
                each
                for each in readings
                if any(True for _ in each.block.records())
                or (each.block.series, each.block.day) in stored
            ]
            yield Chunk(group, days, news)
            await rest(0)

    async def read_again(
        self,
        series: Iterable[Series],
        now: datetime,
        stored: Iterable[Block],
        rest: Rest = asyncio.sleep,
    ) -> AsyncGenerator[Chunk]:
        before = {(block.series, block.day): block for block in stored}
        for each in series:
            days = self.memory.window(each, now)
            readings, _ = await self._read([each], days)
            news = [
                reading
                for reading in readings
                if reading.block != before.get((each, reading.block.day), _empty(reading.block))
            ]
            yield Chunk([each], days, news)
            await rest(0)

    async def flags(self, series: Series, days: Range) -> set[Flag]:
        readings, _ = await self._read([series], days)
        return {flag for reading in readings for flag in reading.flags.values()}

    async def stale(self) -> StaleDays | None:
        async with self._store.reading() as connection:
            return await stored_files.stale_days(connection)

    async def note_read(self, stale: StaleDays) -> None:
        async with self._store.writing() as connection:
            await stored_files.note_read(connection, stale)

    async def all(self) -> list[HomeFile]:
        """Return the files that were kept, the last one first."""
        async with self._store.reading() as connection:
            return await stored_files.all_files(connection)

    async def keep(self, months: Sequence[FileMonth], now: datetime) -> int:
        """Store what was read of a file, and return its number. Raises TooManyFiles."""
        async with self._store.writing() as connection:
            if len(await stored_files.all_files(connection)) >= MOST_FILES:
                raise TooManyFiles(most=MOST_FILES)
            return await stored_files.add_file(connection, months, now)

    async def remove(self, number: int) -> bool:
        """Forget a file; return whether it was there."""
        async with self._store.writing() as connection:
            return bool(await stored_files.remove_files(connection, {number}))

    async def _read(
        self, group: Sequence[Series], days: Range
    ) -> tuple[list[Reading], Collection[tuple[Series, object]]]:
        """Return the blocks of some days as the files have them, and which ones are stored."""
        directions = {direction for series in group if (direction := _direction(series))}
        first, last = days.start.date(), (days.end + _DAY).date()
        async with self._store.reading() as connection:
            held = await stored_files.file_months(connection, directions, first, last)
            stored = set()
            for series in group:
                if (number := await series_id(connection, series)) is not None:
                    some = await blocks(connection, number, series, days)
                    stored |= {(series, block.day) for block in some}
        readings: list[Reading] = []
        for series in group:
            own = [month for month in held if month.direction is _direction(series)]
            readings += await asyncio.to_thread(readings_of, own, series, days)
        return readings, stored


def _direction(series: Series) -> Direction | None:
    """Return the direction in the files; a person may have said another one."""
    direction, _ = _STATISTICS.get(statistic_id(series), (None, None))
    return direction


def _empty(block: Block) -> Block:
    return Block.of(block.series, block.day, ())
