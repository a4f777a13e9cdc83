"""Where an application listens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_ENDS_WITHIN_S = 0.5
"""Who listens to events never ends by themselves, and an add-on is killed after ten seconds."""


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Listen, and give the port. Raises OSError where that cannot be."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_ENDS_WITHIN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
