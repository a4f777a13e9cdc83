"""The base of a host's pages: those of households, and those of its operators."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network
import re
from typing import Any, override

from aiohttp import web
from sqlalchemy.exc import DBAPIError

from consometers_node.accounts.passwords import Passwords
from consometers_node.host.accounts import spaces
from consometers_node.host.accounts.services import SpaceServices
from consometers_node.host.accounts.spaces import Space
from consometers_node.host.homes.hosting import HostedHomes
from consometers_node.host.settings import HostSettings
from consometers_node.i18n.text import Text, around, text
from consometers_node.rate_limit import GrowingWait
from consometers_node.store import Store
from consometers_node.store.engine.errors import reason
from consometers_node.web.core import language
from consometers_node.web.core.access import harden
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.admin_pages import AdministratorPages
from consometers_node.web.core.csrf import FormTokens
from consometers_node.web.core.language import LANGUAGES
from consometers_node.web.core.logins import TRIES, LoginCookies
from consometers_node.web.core.session_pages import SessionContext, SessionPages
from consometers_node.web.core.speech import Language

type Look = Callable[[SpacePages, SessionContext], Awaitable[web.StreamResponse]]
type OperatorLook = Callable[[OperatorPages, AdminContext], Awaitable[web.StreamResponse]]

COOKIES = LoginCookies("consometers-space", path="/")

_PLAIN = re.compile(r"/[a-z0-9/_-]{0,200}")
_AWAY = text("The database cannot be used ({said}). Nothing was changed: try again later.")


@dataclass(frozen=True, slots=True)
class HostServices:
    """What all pages of a host stand on. Tests pass a clock, and cheaper passwords."""

    store: Store
    settings: HostSettings
    homes: HostedHomes
    version: str
    passwords: Passwords
    tries: GrowingWait
    now: Callable[[], datetime]

    @property
    def spaces(self) -> SpaceServices:
        return SpaceServices(
            self.store, self.homes, self.settings.domain, self.settings.most_spaces
        )


def services_of(
    store: Store, settings: HostSettings, homes: HostedHomes, version: str
) -> HostServices:
    """Return what the pages of a host stand on."""
    return HostServices(
        store,
        settings,
        homes,
        version,
        Passwords(),
        GrowingWait(TRIES),
        lambda: datetime.now(UTC).replace(microsecond=0),
    )


class _HostPages[C: SessionContext](SessionPages[C]):
    def __init__(self, host: HostServices) -> None:
        super().__init__(host.version)
        self.host = host
        self.store = host.store
        self.settings = host.settings
        self.proxies: Collection[IPv4Network | IPv6Network] = host.settings.page.proxies
        self.passwords = host.passwords
        self.tries = host.tries

    def page(self, context: C, template: str, *, status: int = 200, **model: Any) -> web.Response:
        """Render a template of `host/`."""
        return self.shared(context, f"host/{template}", status=status, **model)

    def shared(self, context: C, template: str, *, status: int = 200, **model: Any) -> web.Response:
        """Render a template that other roles have too, in the layout of a host."""
        url = context.request.rel_url.with_path(context.request.path, keep_query=True)
        response = self.respond(
            template,
            context.language,
            status,
            layout="host/layout.html",
            speaks={tag: f"?{url.update_query(language=tag).query_string}" for tag in LANGUAGES},
            person=context.person,
            root=context.root,
            home=self.first_page(context),
            here=context.request.path,
            token=FormTokens(context.key).of_person(context.person),
            title=self.settings.name,
            operator=self.settings.operator,
            domain=self.settings.domain,
            is_operator=isinstance(context, AdminContext),
            done=context.asked("done"),
            **model,
        )
        language.remember(context.request, response)
        return response

    def first_page(self, context: C) -> str:
        """Return the relative path to the first page."""
        return context.root

    @override
    def refuse(self, context: C, status: int, words: Text) -> web.Response:
        return self.page(context, "refused.html", status=status, missing=status == 404, words=words)

    @override
    def database_problem(self, fault: DBAPIError) -> Text:
        return around(_AWAY, reason(fault))

    def _speech(self, request: web.Request) -> Language:
        return Language(
            language.requested(request, self.settings.language), self.settings.time_zone
        )

    def _now(self) -> datetime:
        return self.host.now().astimezone(self.settings.time_zone)


class SpacePages(_HostPages[SessionContext]):
    """Answers households. `person` is the name of a space: no address names one."""

    cookies = COOKIES
    sessions = spaces.SESSIONS

    @override
    def context(self, request: web.Request, name: str = "") -> SessionContext:
        key = self.cookies.key_of(request)
        return SessionContext(request, self._speech(request), name, now=self._now(), key=key)

    @override
    def to_login(self, context: SessionContext) -> web.Response:
        path = context.request.path
        if context.request.method not in {"GET", "HEAD"}:
            return context.go("login?ended=yes")
        return context.go(f"login?next={path[1:]}" if _PLAIN.fullmatch(path) else "login")

    @override
    async def harden(self, request: web.Request, response: web.StreamResponse) -> None:
        # Static files have a policy of their own, and are stored by browsers.
        if request.path.startswith("/static/"):
            await harden(request, response)
        else:
            await super().harden(request, response)

    async def space(self, context: SessionContext) -> Space:
        """Return the space of the household that asks."""
        async with self.store.reading() as connection:
            return await spaces.find(connection, context.person)


class OperatorPages(_HostPages[AdminContext], AdministratorPages):
    """Answers the operators of a host, who see no energy."""

    @override
    def context(self, request: web.Request, name: str = "") -> AdminContext:
        key = self.cookies.key_of(request)
        return AdminContext(request, self._speech(request), name, now=self._now(), key=key)

    @override
    def first_page(self, context: AdminContext) -> str:
        return context.home
