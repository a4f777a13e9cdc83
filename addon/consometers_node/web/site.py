"""The application: its routes, what guards them, and where it listens."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from ..household.node import HomeNode
from ..xmpp import Server
from .api import Api
from .desk import Desk
from .guard import HEALTH, INGRESS, Guard
from .routes import routes

MAX_BODY_BYTES = 64 * 1024
_ENDS_WITHIN_S = 0.5
"""Who listens to events never ends by themselves, and an add-on is killed after ten seconds."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What a site knows that its pages do not tell: who it is, and the token of its API."""

    node_id: str
    token: str
    version: str


class Site:
    """The pages and the API of one household's node."""

    def __init__(
        self,
        node: HomeNode,
        keys: Keys,
        *,
        ingress: Collection[str] | None = None,
        server: Server | None = None,
    ) -> None:
        """Prepare; `ingress` are the addresses from which pages may be asked for.

        `server` is where the servers of accounts are, if DNS is not to say it.
        """
        guard = Guard(keys.token, INGRESS if ingress is None else ingress)
        desk = Desk(node, keys.token, keys.version, server or Server())
        self._app = web.Application(
            middlewares=[guard.middleware, desk.middleware], client_max_size=MAX_BODY_BYTES
        )
        self._app.add_routes([web.get(HEALTH, self._health)])
        self._app.add_routes(Api(node, keys.node_id, keys.version).routes)
        self._app.add_routes(routes(desk))

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen, and give the port."""
        runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=_ENDS_WITHIN_S)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")
