"""The reading of a toy Home Assistant, as a task."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from consometers_node.household.recorder.memory import MEMORY
from consometers_node.household.recorder.source import HomeAssistantSource
from consometers_node.household.sharing.poll_schedule import Rounds
from consometers_node.household.sharing.sync import Sync, Target, targets
from consometers_node.household.waiting import Rest
from consometers_node.series import Device, Series
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from testing.home_assistant.rows import no_rest
from testing.home_assistant.toy import ToyHomeAssistant, connection
from testing.homes.data_needs import HOURLY, now
from testing.homes.ledgers import HOUR
from testing.waiting import eventually

NAME = "sensor.drawn"
DRAWN = replace(HOURLY, device=Device(NAME))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSync:
    """A sync that runs."""

    source: HomeAssistantSource
    sync: Sync
    rounds: Rounds
    changes: Changes
    store: Store

    async def target(self, series: Series = DRAWN) -> Target:
        async with self.store.reading() as connection:
            return (await targets(connection, MEMORY, now()))[series]

    async def all(self, series: Series = DRAWN) -> None:
        """Wait until all that is wanted was read."""
        await eventually(lambda: self.target(series), lambda target: target.progress == 1)


@asynccontextmanager
async def running_sync(
    toy: ToyHomeAssistant, store: Store, rest: Rest = no_rest, clock: Clock | None = None
) -> AsyncIterator[RunningSync]:
    changes = Changes()
    rounds = Rounds(HOUR, settles=(timedelta(0), timedelta(0)))
    async with connection(toy) as home:
        clock = clock or Clock()
        source = HomeAssistantSource.watched(home, store, clock)
        sync = Sync(store, source, changes, rounds, clock, rest=rest)
        task = asyncio.create_task(sync.run())
        try:
            yield RunningSync(source=source, sync=sync, rounds=rounds, changes=changes, store=store)
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.wait({task})
