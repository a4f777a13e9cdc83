"""How to wait for the source of a home's data: while it is away, and between two questions."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from consometers_quoalise_network.backoff import Backoff

from .errors import Away

type Rest = Callable[[float], Awaitable[None]]

BACKOFF = Backoff(1, 60)
_LONGEST_REST_S = 10.0


class Connecting(Protocol):
    """What can be asked once it is connected."""

    async def connected(self) -> None:
        """Wait until it can be asked."""


async def patiently[T](
    source: Connecting, ask: Callable[[], Awaitable[T]], rest: Rest = asyncio.sleep
) -> T:
    """Ask a source, retry while it is away, and rest for as long as the answer took."""
    loop = asyncio.get_running_loop()
    delays = BACKOFF.delays()
    while True:
        await source.connected()
        asked = loop.time()
        try:
            answer = await ask()
        except Away:
            await rest(next(delays))
            continue
        await rest(min(loop.time() - asked, _LONGEST_REST_S))
        return answer


async def shielded[T](future: asyncio.Future[T]) -> T:
    """Wait for a future, which continues when the wait is cancelled.

    asyncio.shield would log the fault with which it may end after that.
    """
    await asyncio.wait({future})
    return future.result()
