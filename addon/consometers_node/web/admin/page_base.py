"""The base of all pages of administration: access, rendering, logging."""

from collections.abc import Awaitable, Callable
from datetime import datetime
import time
from typing import TYPE_CHECKING, Any, override

from aiohttp import web
from sqlalchemy.exc import DBAPIError

from consometers_node.accounts.errors import AccountFault
from consometers_node.accounts.passwords import Passwords
from consometers_node.collective.calendar import Span
from consometers_node.collective.errors import CollectiveFault, database_problem
from consometers_node.collective.members.member_overview import MemberOverview, member_overview
from consometers_node.collective.members.members import Member, Members, known_spelling
from consometers_node.collective.services import Actions
from consometers_node.collective.settings import Settings
from consometers_node.i18n.text import Text, text
from consometers_node.rate_limit import GrowingWait
from consometers_node.sharing.names import load_naming
from consometers_node.sharing.permissions.consent import DataRequest, Decisions
from consometers_node.store import Store
from consometers_node.store.collective.tables import MemberId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.core import language
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.admin_pages import AdministratorPages
from consometers_node.web.core.consenting import Choosable, ConsentPages
from consometers_node.web.core.csrf import FormTokens
from consometers_node.web.core.language import LANGUAGES
from consometers_node.web.core.page_base import RequestRefused
from consometers_node.web.core.speech import Language
from consometers_node.wire import Naming
from consometers_quoalise import Role

from .published_sums import published_sums

if TYPE_CHECKING:
    from consometers_node.collective.monitoring.health import Watch

type Look = Callable[[AdminPages, AdminContext], Awaitable[web.StreamResponse]]

_SLOW_S, _ROSTER_KEPT_S = 0.25, 30.0
_OTHER_SPELLING = text("This commune is known here as “{known}”: write it that way.")
_NO_MEMBER = text("There is no such member.")


class AdminPages(ConsentPages[AdminContext], AdministratorPages):
    """Answers logged-in administrators, and sends everybody else to the login.

    `node` is the one that runs, which `watch` watches; None where none does.
    """

    role = Role.COLLECTIVE
    section = "municipalities/"
    faults = (AccountFault, CollectiveFault)

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
        self.proxies = settings.page.proxies
        self.passwords = passwords
        self.tries = tries
        self._now = now
        self._roster: tuple[Span, float, MemberOverview] | None = None

    def page(
        self, context: AdminContext, template: str, *, status: int = 200, **model: Any
    ) -> web.Response:
        """Render a template of `admin/`."""
        return self._page(context, f"admin/{template}", status, model)

    @override
    def shared(
        self, context: AdminContext, template: str, *, status: int = 200, **model: Any
    ) -> web.Response:
        return self._page(context, template, status, {"layout": "admin/layout.html"} | model)

    @override
    def consent_page(
        self, context: AdminContext, template: str, *, status: int = 200, **model: Any
    ) -> web.Response:
        ours = {
            "section_root": f"{context.home}{self.section}",
            "may_answer": True,
            "of_home": False,
            "scripts": self.files.scripts,
        }
        return self.shared(context, template, status=status, **ours | model)

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

    @override
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

    @override
    def context(self, request: web.Request, name: str = "") -> AdminContext:
        zone = self.settings.time_zone
        return AdminContext(
            request,
            Language(language.requested(request), zone),
            name,
            now=self._now().astimezone(zone),
            key=self.cookies.key_of(request),
        )

    @override
    def database_problem(self, fault: DBAPIError) -> Text:
        return database_problem(fault)


def _speaks(context: AdminContext) -> dict[str, str]:
    """Return the address of this page in each language."""
    url = context.request.rel_url.with_path(context.request.path, keep_query=True)
    return {tag: f"?{url.update_query(language=tag).query_string}" for tag in LANGUAGES}
