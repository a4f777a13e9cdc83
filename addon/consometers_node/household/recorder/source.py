"""Home Assistant as the source of a home's data."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Self

from consometers_node.household.days import Memory
from consometers_node.household.readings import Chunk, Flag
from consometers_node.household.statistics import Proposal, StatisticId
from consometers_node.household.waiting import Rest
from consometers_node.i18n.text import Text
from consometers_node.series import Block, Interval, Range, Series
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.household.files import StaleDays

from .availability import Availability, WatchedRecorder
from .backfill import catch_up, flags, read_again
from .client import Recorder
from .home_assistant import HomeAssistant
from .memory import MEMORY
from .users import Users
from .words import WORDS


class HomeAssistantSource:
    """One Home Assistant. A running node watches it, so that it knows when it was off."""

    memory: Memory = MEMORY
    words = WORDS
    files = None

    def __init__(
        self,
        home: HomeAssistant,
        recorder: Recorder,
        absences: Sequence[Range],
        availability: Availability | None = None,
    ) -> None:
        """Prepare; `absences` says when it was off, or may have been, and may grow in place."""
        self._home = home
        self._absences = absences
        self._availability = availability
        self.recorder = recorder
        self.users = Users(home)

    @classmethod
    def watched(cls, home: HomeAssistant, store: Store, clock: Clock) -> Self:
        """Return a source that waits until it is known whether Home Assistant had stopped."""
        availability = Availability(store, home, clock)
        recorder = WatchedRecorder(home, availability)
        return cls(home, recorder, availability.absences, availability)

    @property
    def writer(self) -> Recorder:
        return self.recorder

    @property
    def is_connected(self) -> bool:
        return self._home.is_connected

    @property
    def problem(self) -> Text | None:
        return self._home.problem

    async def run(self) -> None:
        await self._home.run()

    async def watch(self) -> None:
        if self._availability is not None:
            await self._availability.run()

    async def connected(self) -> None:
        await self.recorder.connected()

    def listen(self, handler: Callable[[], None]) -> None:
        """Register a callback for new rows.

        They are announced before they are committed, and not at all while the node is away.
        """
        for event in sorted({event_type(interval) for interval in Interval}):
            self._home.listen(event, handler)

    def catch_up(
        self, series: Iterable[Series], within: Range, rest: Rest = asyncio.sleep
    ) -> AsyncGenerator[Chunk]:
        return catch_up(self.recorder, series, within, absences=self._absences, rest=rest)

    def read_again(
        self,
        series: Iterable[Series],
        now: datetime,
        stored: Iterable[Block],
        rest: Rest = asyncio.sleep,
    ) -> AsyncGenerator[Chunk]:
        return read_again(self.recorder, series, now, stored, absences=self._absences, rest=rest)

    async def flags(self, series: Series, days: Range) -> set[Flag]:
        return await flags(self.recorder, series, days, absences=self._absences)

    async def stale(self) -> StaleDays | None:
        """Return none: its past does not change."""
        return None

    async def note_read(self, stale: StaleDays) -> None:
        """Do nothing: nothing is stale."""

    async def proposals(self) -> Sequence[Proposal]:
        return await self.recorder.proposals()

    async def time_zone(self) -> str:
        return await self.recorder.time_zone()

    async def language(self) -> str:
        return await self.recorder.language()

    async def subscribed_powers(self) -> Mapping[StatisticId, int]:
        return await self.recorder.subscribed_powers()


def event_type(interval: Interval) -> str:
    """Return the event that announces new rows for an interval."""
    rows = "hourly" if interval.no_finer_than(Interval.PT1H) else "5min"
    return f"recorder_{rows}_statistics_generated"
