"""The application of the public pages, and where it listens."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from aiohttp import web

from ...collective.rules import InForce
from ...collective.settings import Settings
from ...sharing.changes import Changes
from ...store import Store
from .desk import Desk, now as this_moment
from .kept import Kept
from .limits import Limits
from .routes import routes

_MAX_BODY_BYTES = 1024
_ENDS_WITHIN_S = 0.5


class Public:
    """The pages and the open data of one collective."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        version: str,
        *,
        rules: InForce | None = None,
        limits: Limits | None = None,
        changes: Changes | None = None,
        now: Callable[[], datetime] = this_moment,
    ) -> None:
        """Prepare; nothing is read before somebody asks. Without `rules`, the file's hold.

        With `changes`, answers are kept until it tells of one, for a moment at most.
        """
        desk = Desk(
            store,
            settings,
            version,
            rules=rules or InForce(settings.publication),
            limits=limits or Limits(),
            kept=Kept(changes),
            now=now,
        )
        self.app = web.Application(middlewares=[desk.middleware], client_max_size=_MAX_BODY_BYTES)
        self.app.add_routes(routes(desk))

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen, and give the port."""
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=_ENDS_WITHIN_S)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()
