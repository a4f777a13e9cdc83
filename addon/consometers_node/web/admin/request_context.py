"""One request of a page of administration."""

from dataclasses import dataclass, field
from datetime import date, datetime

from aiohttp import web

from ..core.access import ADMINISTRATION
from ..core.request_context import MAX_LENGTH, RequestContext


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminContext(RequestContext[str]):
    """Who asks for what, and when. `person` is the administrator's name; nobody's is empty.

    `root` is the way to the public pages, `home` that to the first page of administration. `key` is
    what the browser is known by, and the secret of its forms.
    """

    now: datetime
    key: str = field(repr=False)

    @property
    def home(self) -> str:
        """The way from this page to the first one of administration."""
        return f"{self.root}{ADMINISTRATION[1:]}/"

    @property
    def today(self) -> date:
        """The civil day of the collective."""
        return self.now.date()

    @property
    def place(self) -> str:
        """Return which page of administration this is, such as `members`."""
        return self.request.path.removeprefix(f"{ADMINISTRATION}/")

    def named(self, part: str) -> str:
        """Return what stands in a part of the address."""
        return self.request.match_info.get(part, "")

    def asked(self, name: str) -> str:
        """Return what stands in the query of the address."""
        return self.request.query.get(name, "").strip()[:MAX_LENGTH]

    def go(self, to: str = "") -> web.Response:
        """Send the browser to another page of administration, which it then asks for by GET."""
        return web.Response(status=303, headers={"Location": self.home + to})
