"""The application of the public pages, and where it listens."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from aiohttp import web

from consometers_node.collective.monitoring.health import Watch
from consometers_node.collective.publication.policy import InForce
from consometers_node.collective.settings import Settings
from consometers_node.collective.witness.service import WitnessService
from consometers_node.rate_limit import TokenBucket
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.web.core.listening import Bounds, listening
from consometers_node.web.core.rate_limit import visitors

from .headers import harden
from .page_base import PublicPages, now as this_moment
from .response_cache import ResponseCache
from .routes import routes
from .witness import calls, wrong_codes

_MAX_BODY_BYTES = 1024


class PublicSite:
    """The pages and the open data of one collective."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        version: str,
        *,
        rules: InForce | None = None,
        limits: TokenBucket | None = None,
        changes: Changes | None = None,
        watch: Watch | None = None,
        witness: WitnessService | None = None,
        now: Callable[[], datetime] = this_moment,
    ) -> None:
        """Prepare; nothing is read before the first request.

        With `changes`, answers are kept until it reports one, for a moment at most. `/health` says
        what `watch` sees of the node that runs. With a `witness`, homes enrol with it.
        """
        pages = PublicPages(
            store,
            settings,
            version,
            rules=rules or InForce(settings.publication),
            limits=limits or visitors(),
            cache=ResponseCache(changes),
            now=now,
        )
        self.app = web.Application(middlewares=[pages.middleware], client_max_size=_MAX_BODY_BYTES)
        self.app.on_response_prepare.append(harden)
        self.app.add_routes(routes(pages, watch))
        if witness is not None:
            self.app.add_routes(calls(witness, settings.page.proxies, wrong_codes()))
        self._proxies = settings.page.proxies

    def listening(
        self, host: str, port: int, bounds: Bounds | None = None
    ) -> AbstractAsyncContextManager[int]:
        return listening(self.app, host, port, self._proxies, bounds)
