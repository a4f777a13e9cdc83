"""What a household's rooms need of the source of its data. Home Assistant is one."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from consometers_node.i18n.text import Text
from consometers_node.series import Block, Range, Series
from consometers_node.store.household.files import FileMonth, HomeFile, StaleDays

from .days import Memory
from .readings import Chunk, Flag
from .statistics import Proposal, StatisticId, StatisticsRow
from .waiting import Connecting, Rest
from .words import SourceWords


class Speaker(Connecting, Protocol):
    """What knows the language of a home."""

    async def language(self) -> str:
        """Return it as a tag. Raises `SourceFault`."""


class SeriesReader(Protocol):
    """What has the records of a home's series. Its methods raise `SourceFault`."""

    @property
    def memory(self) -> Memory:
        """How long it has records."""

    def catch_up(
        self, series: Iterable[Series], within: Range, rest: Rest = ...
    ) -> AsyncGenerator[Chunk]:
        """Read the UTC days of a range, the oldest month first.

        While the source is away this waits; to end that, cancel. What was yielded is complete.
        """

    def read_again(
        self, series: Iterable[Series], now: datetime, stored: Iterable[Block], rest: Rest = ...
    ) -> AsyncGenerator[Chunk]:
        """Read the days of `memory.window` again, and yield the blocks that changed.

        `stored` holds the known blocks of these days.
        """

    async def flags(self, series: Series, days: Range) -> set[Flag]:
        """Return why records of some days are missing, where the source knows it."""

    async def stale(self) -> StaleDays | None:
        """Return past days that are to be read again; None if there are none."""

    async def note_read(self, stale: StaleDays) -> None:
        """Note that these days were read again."""


class StatisticsWriter(Speaker, Protocol):
    """Where sums of collectives become a home's statistics. Each call asks once.

    Its methods raise `SourceFault`.
    """

    async def time_zone(self) -> str:
        """Return the name of the home's time zone."""

    async def may_write(self, name: StatisticId) -> bool:
        """Return whether a statistic exists, to be continued. Raises NotOurs."""

    async def rows(
        self, names: Sequence[StatisticId], period: Literal["hour"], within: Range
    ) -> Mapping[StatisticId, Sequence[StatisticsRow]]:
        """Return the rows of statistics that start in a range; nothing for one without rows."""

    async def write(self, name: StatisticId, title: str, rows: Sequence[StatisticsRow]) -> None:
        """Insert or update rows: they may not be there yet when this returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeUser:
    """A person who may see a home's pages."""

    id: str
    name: str | None
    is_admin: bool


class HomeUsers(Protocol):
    """Who the users of a home are."""

    @property
    def is_connected(self) -> bool:
        """Whether it can be asked now."""

    async def users(self) -> Sequence[HomeUser]:
        """Return all of them. Raises `SourceFault`."""


class HomeFiles(Protocol):
    """The files that a home's data come from."""

    async def all(self) -> Sequence[HomeFile]:
        """Return them, the last one first."""

    async def keep(self, months: Sequence[FileMonth], now: datetime) -> int:
        """Store what was read of a file, and return its number. Raises TooManyFiles."""

    async def remove(self, number: int) -> bool:
        """Forget a file; return whether it was there."""


class Source(SeriesReader, Speaker, Protocol):
    """The source of a home's data. Its methods raise `SourceFault`."""

    @property
    def words(self) -> SourceWords:
        """How pages name it."""

    @property
    def files(self) -> HomeFiles | None:
        """The files that it is made of; None where it is not."""

    @property
    def writer(self) -> StatisticsWriter | None:
        """Where sums of collectives are written; None where they are not."""

    @property
    def users(self) -> HomeUsers | None:
        """Who the home's users are; None where the source knows none."""

    @property
    def is_connected(self) -> bool:
        """Whether it can be asked now."""

    @property
    def problem(self) -> Text | None:
        """Why it cannot be asked; None if it can."""

    async def run(self) -> None:
        """Stay connected until cancelled. Raises AccessDenied."""

    async def watch(self) -> None:
        """Note when the source measured nothing, until cancelled."""

    def listen(self, handler: Callable[[], None]) -> None:
        """Register a callback for new records."""

    async def proposals(self) -> Sequence[Proposal]:
        """Return what a household may share."""

    async def time_zone(self) -> str:
        """Return the name of the home's time zone, which defines its civil days."""

    async def subscribed_powers(self) -> Mapping[StatisticId, int]:
        """Return the subscribed power, in whole kVA, of the meter of each statistic."""
