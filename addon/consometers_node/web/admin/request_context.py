"""One request of a page of administration."""

from dataclasses import dataclass, field
from datetime import date, datetime

from aiohttp import web

from consometers_node.web.core.access import ADMINISTRATION
from consometers_node.web.core.request_context import RequestContext


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminContext(RequestContext[str]):
    """A request: who asks, for what, and when. `person` is the administrator, "" for nobody.

    `root` is the way to the public pages, `home` that to the first page of administration. `key` is
    what the browser is known by, and the secret of its forms.
    """

    now: datetime
    key: str = field(repr=False)

    @property
    def home(self) -> str:
        """The relative path to the first page of administration."""
        return f"{self.root}{ADMINISTRATION[1:]}/"

    @property
    def today(self) -> date:
        """The civil day of the collective."""
        return self.now.date()

    @property
    def place(self) -> str:
        """Return the id of the current page of administration, such as `members`."""
        return self.request.path.removeprefix(f"{ADMINISTRATION}/")

    def go(self, to: str = "") -> web.Response:
        """Redirect the browser to another page of administration, by GET."""
        return web.Response(status=303, headers={"Location": self.home + to})
