"""Recent answers, for requests for the same.

What is released, withdrawn or said otherwise makes all of them old at once; what time alone
changes, half a minute does. So nobody sees what was not released, nor for long what no longer
holds.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from aiohttp import web

from consometers_node.sharing.changes import Changes

FOR = timedelta(seconds=30)
MOST_BYTES = 16 * 1024 * 1024

type Key = tuple[str, ...]
"""Everything that an answer depends on except the time and the data."""


@dataclass(frozen=True, slots=True)
class _Answer:
    body: bytes
    headers: tuple[tuple[str, str], ...]
    created_at: datetime
    changes: int

    def response(self) -> web.Response:
        return web.Response(body=self.body, headers=self.headers)


class ResponseCache:
    """A cache of bounded size. Without `changes` nothing is stored."""

    def __init__(self, changes: Changes | None) -> None:
        self._changes = changes
        self._answers: OrderedDict[Key, _Answer] = OrderedDict()
        self._bytes = 0
        self._making: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    async def answer(
        self, key: Key, now: datetime, make: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Return the cached answer, or make it: once, for all who wait for it."""
        if self._changes is None:
            return await make()
        async with self._making.setdefault(key, asyncio.Lock()):
            cached = self._answers.get(key)
            if cached is not None and self._holds(cached, now):
                self._answers.move_to_end(key)
                return cached.response()
            changes = self._changes.count
            response = await make()
            if isinstance(response, web.Response) and _may_be_kept(response):
                self._keep(key, response, now, changes)
            return response

    def _holds(self, cached: _Answer, now: datetime) -> bool:
        assert self._changes is not None
        return (
            cached.changes == self._changes.count and timedelta() <= now - cached.created_at < FOR
        )

    def _keep(self, key: Key, response: web.Response, now: datetime, changes: int) -> None:
        body = response.body
        assert isinstance(body, bytes)
        self._forget(key)
        self._answers[key] = _Answer(body, tuple(response.headers.items()), now, changes)
        self._bytes += len(body)
        while self._bytes > MOST_BYTES:
            self._forget(next(iter(self._answers)))

    def _forget(self, key: Key) -> None:
        if (gone := self._answers.pop(key, None)) is not None:
            self._bytes -= len(gone.body)


def _may_be_kept(response: web.Response) -> bool:
    """Return whether an answer is public: it has an ETag, and sets no cookie."""
    return response.status == 200 and "ETag" in response.headers and not response.cookies
