"""One request of a page of administration."""

from dataclasses import dataclass
from datetime import date

from aiohttp import web

from consometers_node.web.core.access import ADMINISTRATION
from consometers_node.web.core.session_pages import SessionContext


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminContext(SessionContext):
    """A request of an administrator.

    `root` is the way to the public pages, `home` that to the first page of administration.
    """

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
