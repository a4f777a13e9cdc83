"""Waiting for a condition, with a message that shows the last value when it takes too long."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import NoReturn

from testing.run import DEADLINE_S


async def until(happened: Callable[[], object], within_s: float = DEADLINE_S) -> None:
    """Wait until something has happened in this process."""
    async with asyncio.timeout(within_s):
        while not happened():
            await asyncio.sleep(0.01)


async def eventually[T](
    ask: Callable[[], Awaitable[T]], wanted: Callable[[T], object], *, within_s: float = DEADLINE_S
) -> T:
    """Ask again and again until the answer is the wanted one, and return it.

    Asking takes at most half of the time: the rest is for who is waited for.
    """
    loop = asyncio.get_running_loop()
    deadline, pause_s = loop.time() + within_s, 0.05
    while True:
        asked = loop.time()
        answer = await ask()
        if wanted(answer):
            return answer
        assert loop.time() < deadline, f"after {within_s} s still {answer!r}"
        await asyncio.sleep(max(pause_s, loop.time() - asked))
        pause_s = min(2 * pause_s, 0.3)


async def becomes[K, V](
    read: Callable[[], Awaitable[Mapping[K, V]]],
    wanted: Mapping[K, V],
    *,
    within_s: float = DEADLINE_S,
) -> None:
    """Read again and again until there is what is wanted, and nothing else."""

    async def differs() -> dict[K, tuple[V | None, V | None]]:
        return differences(await read(), wanted)

    await eventually(differs, lambda left: not left, within_s=within_s)


def differences[K, V](
    actual: Mapping[K, V], wanted: Mapping[K, V]
) -> dict[K, tuple[V | None, V | None]]:
    """Return the keys whose values differ, or that one side lacks, with both values."""
    return {
        key: (actual.get(key), wanted.get(key))
        for key in actual.keys() | wanted.keys()
        if actual.get(key) != wanted.get(key)
    }


async def while_it_flows(
    flow: Coroutine[None, None, NoReturn], work: Callable[[], Awaitable[None]]
) -> None:
    """Do something while something else goes on, which is ended then."""
    flowing = asyncio.create_task(flow)
    try:
        await work()
    finally:
        flowing.cancel()
        await asyncio.wait({flowing})
    if not flowing.cancelled():
        flowing.result()
