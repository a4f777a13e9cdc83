"""The reading of a toy Home Assistant, as a task."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from consometers_node.household.recorder.availability import Availability, WatchedRecorder
from consometers_node.household.recorder.client import Rest
from consometers_node.household.recorder.poll_schedule import Rounds
from consometers_node.household.sharing.sync import Sync, Target, targets
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


class RunningSync:
    """A sync that runs."""

    def __init__(self, sync: Sync, rounds: Rounds, changes: Changes, store: Store) -> None:
        self.sync = sync
        self.rounds = rounds
        self.changes = changes
        self.store = store

    async def target(self, series: Series = DRAWN) -> Target:
        async with self.store.reading() as connection:
            return (await targets(connection, now()))[series]

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
        recorder = WatchedRecorder(home, Availability(store, home, clock))
        sync = Sync(store, recorder, changes, rounds, clock, rest=rest)
        task = asyncio.create_task(sync.run())
        try:
            yield RunningSync(sync, rounds, changes, store)
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.wait({task})
