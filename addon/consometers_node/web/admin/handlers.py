"""What all pages of administration have in common: who may, how a page is made, what is noted."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import cached_property
import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.access_log import Read, note_read
from ...collective.calendar import Span
from ...collective.errors import CollectiveFault, database_problem
from ...collective.members import administrators
from ...collective.members.administrators import Passwords
from ...collective.members.member_overview import MemberOverview, member_overview
from ...collective.node import CollectiveNode
from ...collective.settings import Settings
from ...quoalise import Text
from ...quoalise.text import text
from ...rate_limit import GrowingWait
from ...store import Store
from ...store.collective_tables import MemberId
from .. import language
from ..access import harden
from ..csrf import FIELD, Tokens
from ..files import Files
from ..language import LANGUAGES
from ..speech import Language
from ..visit import Unreadable, read_form
from .visit import PATH, Visit

if TYPE_CHECKING:
    from jinja2 import Environment

    from ...collective.monitoring.health import Watch

type Look = Callable[[AdminDesk, Visit], Awaitable[web.StreamResponse]]
type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "consometers-admin"
MAX_BODY_BYTES = 256 * 1024
LOGIN = "login"

_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_KEY_BYTES = 32
_SLOW_S, _ROSTER_KEPT_S = 0.25, 30.0
_LANGUAGE_KEPT_S = 365 * 24 * 3600
_FORM = "application/x-www-form-urlencoded"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_STALE = text("This form is too old, or was not ours: open the page again, and try once more.")
_UNREADABLE = text("What was sent cannot be read: open the page again, and try once more.")
_ERRORS = {
    404: text("There is no such page."),
    405: text("This page is not to be used so."),
    413: text("That is too long."),
}
_FAULT = text("Something went wrong in the node itself. Nothing was changed; its log says more.")

_LOGGER = logging.getLogger(__name__)


class Refused(Exception):
    """A request that is answered with words alone."""

    def __init__(self, status: int, words: Text) -> None:
        super().__init__(words.say())
        self.status = status
        self.words = words


class AdminDesk:
    """Answers administrators who logged in, and shows everybody else the door.

    `node` is the one that runs; None where none does.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        version: str,
        node: CollectiveNode | None,
        *,
        passwords: Passwords,
        tries: GrowingWait,
        now: Callable[[], datetime],
    ) -> None:
        self.store = store
        self.settings = settings
        self.version = version
        self.node = node
        self.passwords = passwords
        self.tries = tries
        self.files = Files()
        self._now = now
        self.watch: Watch | None = None
        self._roster: tuple[Span, float, MemberOverview] | None = None

    def looks(self, look: Look) -> Handler:
        """Make a handler of a page that an administrator looks at."""

        async def handle(request: web.Request) -> web.StreamResponse:
            visit = await self._visit(request)
            return await look(self, visit) if visit.person else _to_login(visit)

        return handle

    def acts(self, act: Look) -> Handler:
        """Make a handler of a form that an administrator sends."""

        async def handle(request: web.Request) -> web.StreamResponse:
            visit = await self._visit(request)
            return await self._act(act, visit) if visit.person else _to_login(visit)

        return handle

    def welcomes(self, look: Look) -> Handler:
        """Make a handler of a page that is there for everybody: whoever comes is given a key."""

        async def handle(request: web.Request) -> web.StreamResponse:
            visit = await self._visit(request)
            response = await look(self, visit)
            if visit.key != request.cookies.get(COOKIE):
                self.give_key(response, visit, visit.key)
            return response

        return handle

    def admits(self, act: Look) -> Handler:
        """Make a handler of a form that whoever has a key may send."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._act(act, await self._visit(request))

        return handle

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Say in words what was asked in vain, and give each response its headers."""
        try:
            response = await self._answer(request.clone(client_max_size=MAX_BODY_BYTES), handler)
        except web.HTTPException as answer:
            _harden(answer)
            raise
        if not response.prepared:
            _harden(response)
        return response

    def page(self, visit: Visit, template: str, *, status: int = 200, **model: Any) -> web.Response:
        """Make a page of a template in `admin/`."""
        body = self._templates.get_template(f"admin/{template}").render(
            language=visit.language,
            languages=LANGUAGES,
            speaks=_speaks(visit),
            person=visit.person,
            root=visit.root,
            home=visit.home,
            here=visit.place,
            token=Tokens(visit.key).of(visit.person),
            title=self.settings.name,
            zone=self.settings.time_zone.key,
            today_is=visit.today,
            version=self.version,
            stamp=self.files.stamp,
            scripts=[name for name in self.files.scripts if "htmx" in name],
            done=visit.asked("done"),
            **model,
        )
        response = web.Response(
            text=body,
            status=status,
            content_type="text/html",
            headers={"Content-Language": visit.language.tag},
        )
        if visit.asked("language") == visit.language.tag:
            response.set_cookie(
                language.COOKIE,
                visit.language.tag,
                max_age=_LANGUAGE_KEPT_S,
                samesite="Lax",
                httponly=True,
            )
        return response

    def refuse(self, visit: Visit, status: int, words: Text) -> web.Response:
        """Make a page that says no."""
        return self.page(visit, "refused.html", status=status, words=words)

    def harden(self, response: web.StreamResponse) -> None:
        """Add the headers of a response before it is sent."""
        _harden(response)

    def give_key(self, response: web.StreamResponse, visit: Visit, key: str) -> None:
        """Set the session cookie, until the browser is closed."""
        response.set_cookie(
            COOKIE,
            key,
            path=PATH,
            httponly=True,
            samesite="Strict",
            secure=is_encrypted(visit.request),
        )

    def changed(self) -> None:
        """Wake the node, since something changed."""
        self._roster = None
        if self.node is not None:
            self.node.look_again()

    async def roster(
        self, connection: AsyncConnection, window: Span, at: datetime
    ) -> MemberOverview:
        """Look at all members. Where that takes long, what was seen is shown for some seconds."""
        started = time.monotonic()
        if self._roster is not None:
            of, until, found = self._roster
            if of == window and started < until:
                return found
        found = await member_overview(connection, self.settings.time_zone, window, at)
        if self.node is not None and time.monotonic() - started > _SLOW_S:
            self._roster = window, time.monotonic() + _ROSTER_KEPT_S, found
        return found

    async def note(
        self,
        connection: AsyncConnection,
        visit: Visit,
        what: str,
        member: MemberId | None = None,
        records: int = 0,
    ) -> None:
        """Write down what an administrator looked at or did, before it leaves."""
        read = Read(at=visit.now, who=visit.person, what=what, member=member, records=records)
        await note_read(connection, read)

    @cached_property
    def _templates(self) -> Environment:
        from ..rendering import environment  # noqa: PLC0415  # 8 MiB that not every node needs

        return environment()

    async def _act(self, act: Look, visit: Visit) -> web.StreamResponse:
        try:
            visit = await _filled(visit)
        except Unreadable:
            return self.refuse(visit, 400, _UNREADABLE)
        tokens = Tokens(visit.key)
        if not tokens.are_ours(visit.request, visit.person, visit.typed(FIELD)):
            return self.refuse(visit, 403, _STALE)
        return await act(self, visit)

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await self._said(request, handler)
        except (InterfaceError, OperationalError) as fault:
            return self.refuse(self._of_nobody(request), 503, database_problem(fault))
        except web.HTTPException, asyncio.CancelledError, ConnectionError:
            raise
        except Exception:
            _LOGGER.exception("a page of administration could not be made")
            return self.refuse(self._of_nobody(request), 500, _FAULT)

    async def _said(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            return await self._refuse(request, refused.status, refused.words)
        except CollectiveFault as fault:
            return await self._refuse(request, 409, fault.text)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            words = _ERRORS.get(error.status, _UNREADABLE)
            response = await self._refuse(request, error.status, words)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response

    async def _refuse(self, request: web.Request, status: int, words: Text) -> web.StreamResponse:
        visit = await self._visit(request)
        return self.refuse(visit, status, words) if visit.person else _to_login(visit)

    async def _visit(self, request: web.Request) -> Visit:
        nobody = self._of_nobody(request)
        if nobody.key != request.cookies.get(COOKIE):
            return nobody
        async with self.store.reading() as connection:
            found = await administrators.session_of(connection, nobody.key, nobody.now)
        if found is None:
            return nobody
        name, is_due = found
        if is_due:
            await self._see(nobody)
        return self._of_nobody(request, name)

    async def _see(self, visit: Visit) -> None:
        """Prolong a session. Where that cannot be stored, it ends earlier."""
        try:
            async with self.store.writing() as connection:
                await administrators.seen(connection, visit.key, visit.now)
        except InterfaceError, OperationalError:
            _LOGGER.warning("a session cannot be kept: the database cannot be written to")

    def _of_nobody(self, request: web.Request, name: str = "") -> Visit:
        zone = self.settings.time_zone
        said = request.query.get("language")
        tag = said if said in LANGUAGES else language.wanted(request)
        assert tag is not None
        known = request.cookies.get(COOKIE, "")
        key = known if _KEY.fullmatch(known) else secrets.token_urlsafe(_KEY_BYTES)
        return Visit(request, name, Language(tag, zone), now=self._now().astimezone(zone), key=key)


def is_encrypted(request: web.Request) -> bool:
    """Return whether a browser asked over TLS. Who lies about that harms nobody but themselves."""
    return request.secure or request.headers.get("X-Forwarded-Proto", "").strip() == "https"


def _to_login(visit: Visit) -> web.Response:
    """Show the door, and come back to where somebody wanted to look."""
    if visit.request.method not in {"GET", "HEAD"}:
        return visit.go(f"{LOGIN}?ended=yes")
    place = visit.place.strip("/")
    return visit.go(LOGIN if not place else f"{LOGIN}?next={place}" if _is_plain(place) else LOGIN)


def _is_plain(place: str) -> bool:
    return re.fullmatch(r"[a-z0-9/_-]{1,200}", place) is not None


def _speaks(visit: Visit) -> dict[str, str]:
    """Return the address of this page in each language."""
    url = visit.request.rel_url.with_path(visit.request.path, keep_query=True)
    return {tag: f"?{url.update_query(language=tag).query_string}" for tag in LANGUAGES}


def _harden(response: web.StreamResponse) -> None:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers["Cache-Control"] = "no-store"
    harden(response)


async def _filled(visit: Visit) -> Visit:
    """Read the form. Raises Unreadable, HTTPRequestEntityTooLarge."""
    request = visit.request
    if request.content_type != _FORM:
        raise Unreadable("no form")
    try:
        form = read_form(await request.post())
    except (LookupError, ValueError) as fault:
        raise Unreadable("no text") from fault
    return Visit(request, visit.person, visit.language, form, now=visit.now, key=visit.key)
