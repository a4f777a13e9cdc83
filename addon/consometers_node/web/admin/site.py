"""The application of administration, to be mounted beside the public pages."""

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from ...collective.members.administrators import Passwords
from ...collective.monitoring.health import Watch
from ...collective.settings import Settings
from ...rate_limit import GrowingWait
from ...store import Store
from ..core.access import ADMINISTRATION
from ..public.handlers import now as this_moment
from .handlers import AdminPages
from .login import TRIES
from .routes import routes


class Administration:
    """The administration of one collective. `watch` is that of the node that runs, if one does."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        version: str,
        watch: Watch | None = None,
        *,
        passwords: Passwords | None = None,
        tries: GrowingWait | None = None,
        now: Callable[[], datetime] = this_moment,
    ) -> None:
        """Prepare; nothing is read before the first request."""
        self.pages = AdminPages(
            store,
            settings,
            version,
            watch,
            passwords=passwords or Passwords(),
            tries=tries or GrowingWait(TRIES),
            now=now,
        )
        self._app = web.Application(middlewares=[self.pages.middleware])
        self._app.add_routes(routes(self.pages))

    def join(self, pages: web.Application) -> None:
        """Be served beside the public pages, under `ADMINISTRATION`."""
        pages.add_subapp(ADMINISTRATION, self._app)
