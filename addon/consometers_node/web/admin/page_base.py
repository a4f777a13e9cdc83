"""The base of all pages of administration: access, rendering, logging."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Any, override

from aiohttp import web
from sqlalchemy.exc import InterfaceError, OperationalError

from consometers_node.collective.calendar import Span
from consometers_node.collective.errors import CollectiveFault, database_problem
from consometers_node.collective.members import administrators
from consometers_node.collective.members.administrators import Passwords
from consometers_node.collective.members.member_overview import MemberOverview, member_overview
from consometers_node.collective.members.members import Member, Members, known_spelling
from consometers_node.collective.services import Actions
from consometers_node.collective.settings import Settings
from consometers_node.i18n.text import Text, text
from consometers_node.rate_limit import GrowingWait
from consometers_node.sharing.names import load_naming
from consometers_node.sharing.permissions.consent import DataRequest, Decisions
from consometers_node.store import Store
from consometers_node.store.collective.access_log import Read, note_read
from consometers_node.store.collective.tables import MemberId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.core import language
from consometers_node.web.core.access import ADMINISTRATION, Handler, harden
from consometers_node.web.core.consenting import Choosable, ConsentPages
from consometers_node.web.core.csrf import FIELD, FormTokens
from consometers_node.web.core.language import LANGUAGES
from consometers_node.web.core.page_base import ERRORS, FAULT, STALE, UNREADABLE, RequestRefused
from consometers_node.web.core.request_context import UnreadableForm
from consometers_node.web.core.speech import Language
from consometers_node.wire import Naming
from consometers_quoalise import Role

from .published_sums import published_sums
from .request_context import AdminContext

if TYPE_CHECKING:
    from consometers_node.collective.monitoring.health import Watch

type Look = Callable[[AdminPages, AdminContext], Awaitable[web.StreamResponse]]

COOKIE = "consometers-admin"
MAX_BODY_BYTES = 256 * 1024
LOGIN = "login"

_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_KEY_BYTES = 32
_PLAIN = re.compile(r"[a-z0-9/_-]{1,200}")
_SLOW_S, _ROSTER_KEPT_S = 0.25, 30.0
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_OTHER_SPELLING = text("This commune is known here as “{known}”: write it that way.")
_NO_MEMBER = text("There is no such member.")

_FAILED = text("A page of the administration could not be made.")
_NOT_PROLONGED = text("A session could not be prolonged: the database cannot be written to.")
_LOGGER = logging.getLogger(__name__)


class AdminPages(ConsentPages[AdminContext]):
    """Answers logged-in administrators, and sends everybody else to the login.

    `node` is the one that runs, which `watch` watches; None where none does.
    """

    role = Role.COLLECTIVE
    section = "municipalities/"

    def __init__(
        self,
        store: Store,
        settings: Settings,
        version: str,
        watch: Watch | None,
        *,
        passwords: Passwords,
        tries: GrowingWait,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(version)
        self.store = store
        self.settings = settings
        self.watch = watch
        self.node = watch.node if watch else None
        self.passwords = passwords
        self.tries = tries
        self._now = now
        self._roster: tuple[Span, float, MemberOverview] | None = None

    def looks(self, look: Look) -> Handler:
        """Make a handler for an administrator's page."""

        async def handle(request: web.Request) -> web.StreamResponse:
            context = await self._context(request)
            return await look(self, context) if context.person else _to_login(context)

        return handle

    def acts(self, act: Look) -> Handler:
        """Make a handler for an administrator's form."""
        return self.looks(_of_our_form(act))

    def welcomes(self, look: Look) -> Handler:
        """Make a handler for a page without a login: each visitor gets a key."""

        async def handle(request: web.Request) -> web.StreamResponse:
            context = await self._context(request)
            response = await look(self, context)
            if context.key != request.cookies.get(COOKIE):
                self.give_key(response, context, context.key)
            return response

        return handle

    def admits(self, act: Look) -> Handler:
        """Make a handler for a form that any visitor with a key may send."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await _of_our_form(act)(self, await self._context(request))

        return handle

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn errors into pages, and add the headers of each response."""
        try:
            response = await self._answer(request.clone(client_max_size=MAX_BODY_BYTES), handler)
        except web.HTTPException as answer:
            await self.harden(request, answer)
            raise
        if not response.prepared:
            await self.harden(request, response)
        return response

    def page(
        self, context: AdminContext, template: str, *, status: int = 200, **model: Any
    ) -> web.Response:
        """Render a template of `admin/`."""
        return self._page(context, f"admin/{template}", status, model)

    @override
    def consent_page(
        self, context: AdminContext, template: str, *, status: int = 200, **model: Any
    ) -> web.Response:
        ours = {
            "layout": "admin/layout.html",
            "section_root": f"{context.home}{self.section}",
            "may_answer": True,
            "of_home": False,
            "scripts": self.files.scripts,
        }
        return self._page(context, template, status, ours | model)

    def _page(
        self, context: AdminContext, template: str, status: int, model: dict[str, Any]
    ) -> web.Response:
        scripts = [name for name in self.files.scripts if "htmx" in name]
        response = self.respond(
            template,
            context.language,
            status,
            speaks=_speaks(context),
            person=context.person,
            root=context.root,
            home=context.home,
            here=context.place,
            token=FormTokens(context.key).of_person(context.person),
            title=self.settings.name,
            zone=self.settings.time_zone.key,
            today_is=context.today,
            done=context.asked("done"),
            is_witness=bool(self.settings.witness_for),
            **{"scripts": scripts} | model,
        )
        language.remember(context.request, response)
        return response

    def refuse(self, context: AdminContext, status: int, words: Text) -> web.Response:
        """Render a page that refuses."""
        return self.page(context, "refused.html", status=status, missing=status == 404, words=words)

    async def member_of(self, context: AdminContext, connection: AsyncConnection) -> Member:
        """Return the member that an address names. Raises RequestRefused."""
        members = Members(connection, self.settings.time_zone)
        member = await members.by_pseudonym(context.named("member"))
        if member is None:
            raise RequestRefused(404, _NO_MEMBER)
        return member

    async def misspelt(self, area: str, member: MemberId | None = None) -> Text | None:
        """Return how a commune is written here, if it is known by another spelling.

        Else its members would not be summed together.
        """
        async with self.store.reading() as connection:
            spelling = await known_spelling(connection, area, member)
        return None if spelling == area else _OTHER_SPELLING.fill(known=spelling)

    def done(self, context: AdminContext, member: Member, what: str) -> web.Response:
        """Redirect to the page of a member, which reports the action."""
        self.changed()
        return context.go(f"members/{member.pseudonym}?done={what}")

    async def harden(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add the headers of a response before those of the public pages are."""
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers["Cache-Control"] = "no-store"
        await harden(request, response)

    def give_key(self, response: web.StreamResponse, context: AdminContext, key: str) -> None:
        """Set the session cookie, until the browser is closed."""
        response.set_cookie(
            COOKIE,
            key,
            path=ADMINISTRATION,
            httponly=True,
            samesite="Strict",
            secure=is_encrypted(context.request),
        )

    def actions(self, context: AdminContext) -> Actions:
        """Return the actions of the administrator who asks."""

        async def wake() -> None:
            self.changed()

        return Actions(
            store=self.store,
            settings=self.settings,
            who=context.person,
            at=context.now,
            wake=wake,
        )

    @override
    async def naming(self) -> Naming:
        return await load_naming(self.store)

    @override
    async def choosable(self, question: DataRequest) -> Choosable:
        return await published_sums(self.store, self.settings, question)

    @override
    def signer(self, context: AdminContext) -> str:
        return context.person

    @override
    def person_named(self, who: str) -> str:
        return who

    @override
    def decisions(self, context: AdminContext) -> Decisions:
        return self.actions(context).decisions

    @override
    def changed(self) -> None:
        self._roster = None
        if self.node is not None:
            self.node.look_again()

    async def roster(
        self, connection: AsyncConnection, window: Span, at: datetime
    ) -> MemberOverview:
        """Return all members, from a cache of some seconds where reading takes long."""
        started = time.monotonic()
        if self._roster is not None:
            span, until, seen = self._roster
            if span == window and started < until:
                return seen
        seen = await member_overview(connection, self.settings.time_zone, window, at)
        if self.node is not None and time.monotonic() - started > _SLOW_S:
            self._roster = window, time.monotonic() + _ROSTER_KEPT_S, seen
        return seen

    async def note(
        self,
        connection: AsyncConnection,
        context: AdminContext,
        what: str,
        member: MemberId | None = None,
        records: int = 0,
    ) -> None:
        """Log an administrator's access or action, before the response."""
        read = Read(at=context.now, who=context.person, what=what, member=member, records=records)
        await note_read(connection, read)

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await self._answer_in_words(request, handler)
        except (InterfaceError, OperationalError) as fault:
            return self.refuse(self._of_nobody(request), 503, database_problem(fault))
        except web.HTTPException, asyncio.CancelledError, ConnectionError:
            raise
        except Exception:
            _LOGGER.exception(_FAILED)
            return self.refuse(self._of_nobody(request), 500, FAULT)

    async def _answer_in_words(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RequestRefused as refused:
            return await self._refuse(request, refused.status, refused.words)
        except CollectiveFault as fault:
            return await self._refuse(request, 409, fault.text)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            words = ERRORS.get(error.status, UNREADABLE)
            response = await self._refuse(request, error.status, words)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response

    async def _refuse(self, request: web.Request, status: int, words: Text) -> web.StreamResponse:
        context = await self._context(request)
        return self.refuse(context, status, words) if context.person else _to_login(context)

    async def _context(self, request: web.Request) -> AdminContext:
        nobody = self._of_nobody(request)
        if nobody.key != request.cookies.get(COOKIE):
            return nobody
        async with self.store.reading() as connection:
            session = await administrators.session_of(connection, nobody.key, nobody.now)
        if session is None:
            return nobody
        name, is_due = session
        if is_due:
            await self._see(nobody)
        return self._of_nobody(request, name)

    async def _see(self, context: AdminContext) -> None:
        """Prolong a session. Where that cannot be stored, it ends earlier."""
        try:
            async with self.store.writing() as connection:
                await administrators.seen(connection, context.key, context.now)
        except InterfaceError, OperationalError:
            _LOGGER.warning(_NOT_PROLONGED)

    def _of_nobody(self, request: web.Request, name: str = "") -> AdminContext:
        zone = self.settings.time_zone
        cookie = request.cookies.get(COOKIE, "")
        key = cookie if _KEY.fullmatch(cookie) else secrets.token_urlsafe(_KEY_BYTES)
        return AdminContext(
            request,
            Language(language.requested(request), zone),
            name,
            now=self._now().astimezone(zone),
            key=key,
        )


def _of_our_form(act: Look) -> Look:
    """Return an action that is only taken for a form of a page that this browser was shown."""

    async def handle(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
        try:
            context = await context.filled()
        except UnreadableForm:
            return pages.refuse(context, 400, UNREADABLE)
        tokens = FormTokens(context.key)
        if not tokens.are_ours(context.request, context.person, context.typed(FIELD)):
            return pages.refuse(context, 403, STALE)
        return await act(pages, context)

    return handle


def is_encrypted(request: web.Request) -> bool:
    """Return whether a browser asked over TLS. A client that lies about it harms only itself."""
    return request.secure or request.headers.get("X-Forwarded-Proto", "").strip() == "https"


def _to_login(context: AdminContext) -> web.Response:
    """Redirect to the login, and back to the requested page afterwards."""
    if context.request.method not in {"GET", "HEAD"}:
        return context.go(f"{LOGIN}?ended=yes")
    place = context.place.strip("/")
    return context.go(f"{LOGIN}?next={place}" if _PLAIN.fullmatch(place) else LOGIN)


def _speaks(context: AdminContext) -> dict[str, str]:
    """Return the address of this page in each language."""
    url = context.request.rel_url.with_path(context.request.path, keep_query=True)
    return {tag: f"?{url.update_query(language=tag).query_string}" for tag in LANGUAGES}
