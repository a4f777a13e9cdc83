"""The application: its routes, what guards them, and where it listens."""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from ipaddress import ip_network

from aiohttp import web

from consometers_node.household.node import HomeNode
from consometers_quoalise_network import Server

from .api.node_api import Api
from .core.access import HEALTH, INGRESS, AccessControl, harden
from .core.csrf import FormTokens
from .core.listening import Bounds, listening
from .core.page_base import STATIC
from .household.page_base import Pages
from .household.routes import routes
from .household.users import PageUsers

MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Keys:
    """What a household's pages need: the node's identity, and the token of its API."""

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
        people: PageUsers | None = None,
    ) -> None:
        """Prepare; `ingress` are the addresses from which pages may be requested.

        `server` is where the servers of accounts are, if DNS is not to say it; `people` says who
        sends a request, where ingress does not.
        """
        ingress = INGRESS if ingress is None else ingress
        guard = AccessControl(keys.token, ingress)
        tokens = FormTokens(keys.token)
        pages = Pages(node, lambda _request: tokens, keys.version, server=server, people=people)
        self._app = web.Application(
            middlewares=[guard.middleware, pages.middleware], client_max_size=MAX_BODY_BYTES
        )
        self._app.on_response_prepare.append(harden)
        self._node = node
        self._app.add_routes([web.get(HEALTH, self._health)])
        self._app.add_routes(Api(node, keys.node_id, keys.version).routes)
        self._app.add_routes(routes(lambda make: make(pages)))
        self._app.add_routes([web.get(STATIC, pages.files.serve)])
        self._ingress = [ip_network(address) for address in ingress]

    def listening(
        self, host: str, port: int, bounds: Bounds | None = None
    ) -> AbstractAsyncContextManager[int]:
        return listening(self._app, host, port, self._ingress, bounds)

    async def _health(self, _request: web.Request) -> web.Response:
        # The node reconnects by itself: a restart would not help.
        away = self._node.network_problem is not None
        return web.Response(text="XMPP is away.\n" if away else "This node is well.\n")
