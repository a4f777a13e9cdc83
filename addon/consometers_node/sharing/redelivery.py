"""Delivers what waits, until each peer has answered; again after a while where one is away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection

from .changes import Changes

_MOST_AT_ONCE = 8


class Redelivery[Key, Item]:
    """Has each item delivered when it is new, and again `again_s` after a failure."""

    def __init__(
        self,
        store: Store,
        changes: Changes,
        *,
        waiting: Callable[[AsyncConnection], Awaitable[Mapping[Key, Item]]],
        deliver: Callable[[Key, Item], Awaitable[bool]],
        again_s: float,
    ) -> None:
        """Prepare; `deliver` returns whether an item needs no further attempt."""
        self._store = store
        self._changes = changes
        self._waiting = waiting
        self._deliver = deliver
        self._again_s = again_s
        self._room = asyncio.Semaphore(_MOST_AT_ONCE)
        self._next: dict[Key, float] = {}

    async def run(self) -> NoReturn:
        clock = asyncio.get_running_loop().time
        while True:
            seen = self._changes.count
            async with self._store.reading() as connection:
                waiting = await self._waiting(connection)
            self._next = {key: self._next.get(key, 0) for key in waiting}
            async with asyncio.TaskGroup() as tasks:
                for key, item in waiting.items():
                    if self._next[key] <= clock():
                        tasks.create_task(self._attempt(key, item))
            await self._changes.after(seen, self._again_s)

    async def _attempt(self, key: Key, item: Item) -> None:
        async with self._room:
            if not await self._deliver(key, item):
                self._next[key] = asyncio.get_running_loop().time() + self._again_s
