"""What all pages of one node have in common: who asks, what may be done, how a page is made."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
import logging
from typing import TYPE_CHECKING, Any

from aiohttp import web
from sqlalchemy.exc import InterfaceError, OperationalError

from ..household import Away, HomeAssistantFault, Proposal, outage
from ..household.candidate_statistics import directions
from ..household.coverage import Calendar, Calendars
from ..household.node import HomeNode
from ..household.sync import targets
from ..quoalise import Text
from ..quoalise.text import text
from ..series import Direction
from ..store import SeriesId
from ..xmpp import Server
from . import language
from .access import API, harden
from .calendar_svg import Strip, draw
from .csrf import FIELD, Tokens
from .files import Files
from .language import LANGUAGES
from .users import People
from .visit import Unreadable, Visit, read_form

if TYPE_CHECKING:
    from jinja2 import Environment

type Look = Callable[[Desk, Visit], Awaitable[web.StreamResponse]]

_FORM = "application/x-www-form-urlencoded"
_LOOKS_WITHIN_S = 20.0

NOT_ADMIN = text("Only an administrator of Home Assistant can change anything here.")
ONLY_ADMIN = text("Only an administrator of Home Assistant can take this along.")
_STALE = text("This form is too old, or was not ours: open the page again, and try once more.")
_UNREADABLE = text("What was sent cannot be read: open the page again, and try once more.")
_ERRORS = {
    403: NOT_ADMIN,
    404: text("There is no such page."),
    405: text("This page is not to be used so."),
    413: text("That is too long."),
    415: _UNREADABLE,
}
_FAULT = text("Something went wrong in the node itself. Nothing was changed; its log says more.")

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class House:
    """What Home Assistant has, and which way its energies flow."""

    proposals: tuple[Proposal, ...]
    time_zone: str
    said: Mapping[str, Direction]

    def direction(self, proposal: Proposal) -> Direction | None:
        """Return what a person said, else what the Energy dashboard tells."""
        return self.said.get(proposal.statistic.id, proposal.direction)


class Refused(Exception):
    """A request that is answered with words alone."""

    def __init__(self, status: int, words: Text) -> None:
        super().__init__(words.say())
        self.status = status
        self.words = words


class Desk:
    """Answers whoever was let in."""

    def __init__(self, node: HomeNode, token: str, version: str, server: Server) -> None:
        """Prepare; `server` is where the servers of accounts are, if DNS is not to say it."""
        self.node = node
        self.server = server
        self.files = Files()
        self.people = People(node.source)
        self._tokens = Tokens(token)
        self._version = version
        self._seen: tuple[int, date] | None = None
        self._calendars = Calendars()
        self._year: dict[SeriesId, tuple[Calendar, Strip]] = {}

    def looks(
        self, look: Look, *, by_anyone: bool = True
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Make a handler of a page that everybody at home may look at, or administrators alone."""

        async def handle(request: web.Request) -> web.StreamResponse:
            visit = await self._visit(request)
            if not (by_anyone or visit.person.is_admin):
                return self.refuse(visit, 403, ONLY_ADMIN)
            return await self._answer(look, visit)

        return handle

    def acts(
        self, act: Look, *, by_anyone: bool = False
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Make a handler of a form, which only an administrator may send."""

        async def handle(request: web.Request) -> web.StreamResponse:
            visit = await self._visit(request)
            if not (by_anyone or visit.person.is_admin):
                return self.refuse(visit, 403, NOT_ADMIN)
            try:
                visit = await _filled(visit)
            except Unreadable:
                return self.refuse(visit, 400, _UNREADABLE)
            if not self._tokens.are_ours(request, visit.person.id, visit.typed(FIELD)):
                return self.refuse(visit, 403, _STALE)
            return await self._answer(act, visit)

        return handle

    @web.middleware
    async def middleware(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Say in words what a person asked in vain."""
        try:
            return await handler(request)
        except web.HTTPException as error:
            if request.path.startswith(API) or error.status < 400:
                raise
            said = _ERRORS.get(error.status, _UNREADABLE)
            response = self.refuse(await self._visit(request), error.status, said)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response

    def page(self, visit: Visit, template: str, *, status: int = 200, **model: Any) -> web.Response:
        """Make a page."""
        body = self._templates.get_template(template).render(
            language=visit.language,
            languages=LANGUAGES,
            person=visit.person,
            root=visit.root,
            here=visit.request.path,
            token=self._tokens.of(visit.person.id),
            version=self._version,
            stamp=self.files.stamp,
            scripts=self.files.scripts,
            done=visit.request.query.get("done", ""),
            **model,
        )
        return web.Response(
            text=body,
            status=status,
            content_type="text/html",
            headers={"Content-Language": visit.language.tag},
        )

    def refuse(self, visit: Visit, status: int, words: Text) -> web.Response:
        """Make a page that says no."""
        return self.page(visit, "refused.html", status=status, words=words)

    def harden(self, response: web.StreamResponse) -> None:
        """Add the headers of a response before it is sent."""
        harden(response)

    def changed(self) -> None:
        """Wake the node, since something changed."""
        self.node.look_again()

    async def house(self) -> House:
        """Ask Home Assistant what it has. Raises HomeAssistantFault."""
        source = self.node.source
        if source.problem is not None:
            raise Away(source.problem)
        try:
            async with asyncio.timeout(_LOOKS_WITHIN_S):
                found = tuple(await self.node.recorder.proposals())
                zone = await self.node.recorder.time_zone()
        except TimeoutError:
            raise Away(_SLOW) from None
        async with self.node.store.reading() as connection:
            return House(found, zone, await directions(connection))

    async def year(self) -> Mapping[SeriesId, tuple[Calendar, Strip]]:
        """Return what is missing of each series, looked for and drawn once after each change."""
        now = datetime.now(UTC)
        seen = self.node.changes.count, now.date()
        if seen != self._seen:
            async with self.node.store.reading() as connection:
                reached = await targets(connection, now)
                found = await self._calendars.look(connection, reached, now)
            before = {id(one): strip for one, strip in self._year.values()}
            self._year = {
                number: (one, before.get(id(one)) or draw(one)) for number, one in found.items()
            }
            self._seen = seen
        return self._year

    @cached_property
    def _templates(self) -> Environment:
        # Templates and languages take 8 MiB, that a node whose page nobody opens can do without.
        from .rendering import environment  # noqa: PLC0415

        return environment()

    async def _visit(self, request: web.Request) -> Visit:
        from .speech import Language  # noqa: PLC0415

        person = await self.people.of(request)
        return Visit(request, person, Language(language.wanted(request)))

    async def _answer(self, look: Look, visit: Visit) -> web.StreamResponse:
        try:
            return await look(self, visit)
        except Refused as refused:
            return self.refuse(visit, refused.status, refused.words)
        except HomeAssistantFault as fault:
            return self.refuse(visit, 503, fault.text)
        except (InterfaceError, OperationalError) as fault:
            return self.refuse(visit, 503, outage.words(fault))
        except web.HTTPException, asyncio.CancelledError, ConnectionError:
            raise
        except Exception:
            _LOGGER.exception("a page could not be made")
            return self.refuse(visit, 500, _FAULT)


_SLOW = text("Home Assistant takes too long to answer: try again in a minute.")


async def _filled(visit: Visit) -> Visit:
    """Read the form. Raises Unreadable, HTTPRequestEntityTooLarge."""
    request = visit.request
    if request.content_type != _FORM:
        raise Unreadable("no form")
    try:
        form = read_form(await request.post())
    except (LookupError, ValueError) as fault:
        raise Unreadable("no text") from fault
    return Visit(request, visit.person, visit.language, form)
