"""A virtual Linky in a thread of its own, for programs and tests without an event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from threading import Thread
from typing import Self

from .virtual import VirtualLinky


class ThreadedLinky:
    """A virtual Linky with a thread: use it as a context manager, and read `port`."""

    def __init__(self, meter: VirtualLinky) -> None:
        """Take a meter that is not started."""
        self._meter = meter
        self._stopped = asyncio.Event()
        self._started = Future[asyncio.AbstractEventLoop]()
        self._thread = Thread(target=lambda: asyncio.run(self._run()), name="virtual Linky")

    def __enter__(self) -> Self:
        """Plug it in. Raises OSError where the port cannot be made."""
        self._thread.start()
        if error := self._started.exception():
            self._thread.join()
            raise error
        return self

    def __exit__(self, *_: object) -> None:
        """Pull it out."""
        self._started.result().call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    @property
    def port(self) -> str:
        """The path or the URL for a reader."""
        return self._meter.port

    def do(self, action: Callable[[VirtualLinky], Awaitable[None] | None]) -> None:
        """Act on the meter in its thread, and wait for the end: `do(VirtualLinky.unplug)`."""
        loop = self._started.result()
        asyncio.run_coroutine_threadsafe(self._act(action), loop).result()

    async def _act(self, action: Callable[[VirtualLinky], Awaitable[None] | None]) -> None:
        done = action(self._meter)
        if done is not None:
            await done

    async def _run(self) -> None:
        try:
            await self._meter.start()
        except OSError as error:
            self._started.set_exception(error)
            return
        self._started.set_result(asyncio.get_running_loop())
        await self._stopped.wait()
        await self._meter.stop()
