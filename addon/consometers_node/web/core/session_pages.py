"""Pages for people who log in: sessions, forms that are ours, and errors as pages."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
import logging
from typing import Any, ClassVar

from aiohttp import web
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from consometers_node.accounts.errors import AccountFault
from consometers_node.accounts.passwords import Passwords
from consometers_node.accounts.sessions import Sessions
from consometers_node.i18n.text import Text, TranslatedError, text
from consometers_node.rate_limit import GrowingWait
from consometers_node.store import Store

from .access import Handler, harden
from .csrf import FIELD, FormTokens
from .logins import LoginCookies
from .page_base import ERRORS, FAULT, STALE, UNREADABLE, PageBase, RequestRefused
from .request_context import RequestContext, UnreadableForm

MAX_BODY_BYTES = 256 * 1024

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FAILED = text("A page could not be made.")
_NOT_PROLONGED = text("A session could not be prolonged: the database cannot be written to.")
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionContext(RequestContext[str]):
    """A request: who asks, for what, and when. `person` is a name, "" for nobody.

    `key` is what the browser is known by, and the secret of its forms.
    """

    now: datetime
    key: str = field(repr=False)


class SessionPages[C: SessionContext](PageBase):
    """Answers logged-in people, and sends everybody else to the login."""

    cookies: ClassVar[LoginCookies]
    sessions: ClassVar[Sessions]
    faults: ClassVar[tuple[type[TranslatedError], ...]] = (AccountFault,)
    """Errors that a page says in words, as a conflict."""

    store: Store
    passwords: Passwords
    tries: GrowingWait

    def context(self, request: web.Request, name: str = "") -> C:
        """Return the context of a request, of nobody without a name."""
        raise NotImplementedError

    def refuse(self, context: C, status: int, words: Text) -> web.Response:
        """Render a page that refuses."""
        raise NotImplementedError

    def to_login(self, context: C) -> web.StreamResponse:
        """Redirect to the login, and back to the requested page afterwards."""
        raise NotImplementedError

    def database_problem(self, fault: DBAPIError) -> Text:
        """Return why the database cannot be used, and what to do."""
        raise NotImplementedError

    def looks(self, look: Look[Any, C]) -> Handler:
        """Make a handler for a page of people who are logged in."""

        async def handle(request: web.Request) -> web.StreamResponse:
            context = await self._context(request)
            return await look(self, context) if context.person else self.to_login(context)

        return handle

    def acts(self, act: Look[Any, C]) -> Handler:
        """Make a handler for their form."""
        return self.looks(_of_our_form(act))

    def welcomes(self, look: Look[Any, C]) -> Handler:
        """Make a handler for a page without a login: each visitor gets a key."""

        async def handle(request: web.Request) -> web.StreamResponse:
            context = await self._context(request)
            response = await look(self, context)
            if context.key != request.cookies.get(self.cookies.session):
                self.cookies.give_key(response, request, context.key)
            return response

        return handle

    def admits(self, act: Look[Any, C]) -> Handler:
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

    async def harden(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add the headers of a response before those of the pages around it are."""
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers["Cache-Control"] = "no-store"
        await harden(request, response)

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await self._answer_in_words(request, handler)
        except (InterfaceError, OperationalError) as fault:
            return self.refuse(self.context(request), 503, self.database_problem(fault))
        except web.HTTPException, asyncio.CancelledError, ConnectionError:
            raise
        except Exception:
            _LOGGER.exception(_FAILED)
            return self.refuse(self.context(request), 500, FAULT)

    async def _answer_in_words(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RequestRefused as refused:
            return await self._refuse(request, refused.status, refused.words)
        except self.faults as fault:
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
        return self.refuse(context, status, words) if context.person else self.to_login(context)

    async def _context(self, request: web.Request) -> C:
        nobody = self.context(request)
        if nobody.key != request.cookies.get(self.cookies.session):
            return nobody
        async with self.store.reading() as connection:
            session = await self.sessions.of_token(connection, nobody.key, nobody.now)
        if session is None:
            return nobody
        if session.is_seen_due:
            await self._see(nobody)
        return self.context(request, session.name)

    async def _see(self, context: C) -> None:
        """Prolong a session. Where that cannot be stored, it ends earlier."""
        try:
            async with self.store.writing() as connection:
                await self.sessions.seen(connection, context.key, context.now)
        except InterfaceError, OperationalError:
            _LOGGER.warning(_NOT_PROLONGED)


type Look[P: SessionPages[Any], C: SessionContext] = Callable[[P, C], Awaitable[web.StreamResponse]]


def _of_our_form[C: SessionContext](act: Look[Any, C]) -> Look[Any, C]:
    """Return an action that is only taken for a form of a page that this browser was shown."""

    async def handle(pages: SessionPages[C], context: C) -> web.StreamResponse:
        try:
            context = await context.filled()
        except UnreadableForm:
            return pages.refuse(context, 400, UNREADABLE)
        tokens = FormTokens(context.key)
        if not tokens.are_ours(context.request, context.person, context.typed(FIELD)):
            return pages.refuse(context, 403, STALE)
        return await act(pages, context)

    return handle
