"""The base of all pages of a household's node: users, access, rendering."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
import logging
from typing import TYPE_CHECKING, Any, override
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.exc import InterfaceError, OperationalError

from consometers_node.household.database_problem import database_problem
from consometers_node.household.errors import Away, SourceFault
from consometers_node.household.node import HomeNode
from consometers_node.household.sharing.candidate_statistics import directions, preview, subscribed
from consometers_node.household.sharing.coverage import Calendar, Calendars
from consometers_node.household.sharing.sync import targets
from consometers_node.household.statistics import Proposal
from consometers_node.i18n.text import Text, text
from consometers_node.permission import Choice
from consometers_node.series import Device, Direction, Interval, Quantity, Series
from consometers_node.sharing.permissions.consent import DataRequest, Decisions, Preview
from consometers_node.store import PermissionId, SeriesId
from consometers_node.web.core import language
from consometers_node.web.core.access import API, Handler
from consometers_node.web.core.calendar_svg import Strip, draw
from consometers_node.web.core.consenting import ConsentPages, NotOffered, Offer, Unlisted
from consometers_node.web.core.csrf import FIELD, FormTokens
from consometers_node.web.core.page_base import ERRORS, FAULT, STALE, UNREADABLE, RequestRefused
from consometers_node.web.core.request_context import RequestContext, UnreadableForm
from consometers_node.wire import Naming
from consometers_quoalise import Role
from consometers_quoalise_network import Server

from .users import PageUsers, People

if TYPE_CHECKING:
    from .shown_file import ShownFile

type Look = Callable[[Pages, RequestContext], Awaitable[web.StreamResponse]]

_LOOKS_WITHIN_S = 20.0
_NAMES_WITHIN_S = 3.0
_NAMES_FOR_S = 600.0

NOT_ADMIN = text("Only an administrator of Home Assistant can change anything here.")
ONLY_ADMIN = text("Only an administrator of Home Assistant can export this.")
_ERRORS = {403: NOT_ADMIN, **ERRORS, 415: UNREADABLE}

_FAILED = text("A page could not be made.")
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class House:
    """Home Assistant's statistics, and the direction of their energy."""

    proposals: tuple[Proposal, ...]
    time_zone: str
    directions: Mapping[str, Direction]

    def direction(self, proposal: Proposal) -> Direction | None:
        """Return the direction that a person stated, else the Energy dashboard's."""
        return self.directions.get(proposal.statistic.id, proposal.direction)


@dataclass(frozen=True, slots=True)
class HomeStatistics:
    """A home's candidates for a data need."""

    node: HomeNode
    house: House
    question: DataRequest

    @property
    def offers(self) -> list[Offer]:
        """Registers before measured powers, the dashboard's first."""
        offers = []
        for proposal in self.house.proposals:
            series = self._series(proposal, self.question.need.interval)
            if series is not None:
                name = proposal.statistic.name
                offers.append(Offer(series, series.device, name, proposal.on_dashboard))
        return sorted(offers, key=lambda offer: offer.series.quantity is not Quantity.ENERGY)

    @property
    def unknown(self) -> int:
        quantities = {series.quantity for series in self.question.need.series}
        return sum(
            self.house.direction(proposal) is None and proposal.statistic.quantity in quantities
            for proposal in self.house.proposals
        )

    @property
    def intervals(self) -> list[Interval]:
        need = self.question.need
        if need.witness is not None:
            return [need.interval]
        return [interval for interval in Interval if interval.no_finer_than(need.interval)]

    @property
    def subscribed_kva(self) -> Mapping[Device, int]:
        """The subscribed power of the meters that say it."""
        return subscribed(self.house.proposals)

    def series(self, value: str, interval: Interval) -> Series:
        """Return the series of a statistic. Raises `NotOffered`."""
        for proposal in self.house.proposals:
            if proposal.statistic.id == value and (series := self._series(proposal, interval)):
                return series
        raise NotOffered(self.node.source.words.gone.fill(statistic=value[:100]))

    async def preview(self, choice: Choice, days: int) -> list[Preview]:
        """Return the candidates in Home Assistant."""
        return await preview(self.node.source, self.node.naming, self.question, choice, days=days)

    def _series(self, proposal: Proposal, interval: Interval) -> Series | None:
        direction = self.house.direction(proposal)
        if direction is None:
            return None
        series = proposal.series(interval, self.house.time_zone, direction)
        return series if self.question.need.asks_for(series) else None


class Pages(ConsentPages[RequestContext]):
    """Answers the users of Home Assistant."""

    role = Role.HOUSEHOLD

    def __init__(
        self,
        node: HomeNode,
        tokens: Callable[[web.Request], FormTokens],
        version: str,
        *,
        server: Server | None = None,
        people: PageUsers | None = None,
        base: str = "",
    ) -> None:
        """Prepare; `server` is where the servers of accounts are, if DNS does not name them.

        `tokens` makes the tokens of a request's forms. `people` says who sends a request: by
        default the users of the home's source. `base` is the path of a home's pages at a host,
        which also has the home's account.
        """
        super().__init__(version)
        self.node = node
        self.store = node.store
        self.server = server or Server()
        self.people = people or People(node.source.users)
        self.shown_file: ShownFile | None = None
        """What was read of a file that nobody has kept yet."""
        self.base = base
        self._tokens = tokens
        self._seen: tuple[int, date] | None = None
        self._calendars = Calendars()
        self._year: dict[SeriesId, tuple[Calendar, tuple[Strip, ...]]] = {}
        self._names: dict[str, Text] = {}
        self._named_at: float | None = None

    def looks(self, look: Look, *, by_anyone: bool = True) -> Handler:
        """Make a handler for a page that everybody at home may view, or administrators only."""

        async def handle(request: web.Request) -> web.StreamResponse:
            context = await self._context(request)
            if not (by_anyone or context.person.is_admin):
                return self.refuse(context, 403, ONLY_ADMIN)
            return await self._answer(look, context)

        return handle

    def acts(self, act: Look, *, by_anyone: bool = False) -> Handler:
        """Make a handler for a form, which only an administrator may send."""

        async def handle(request: web.Request) -> web.StreamResponse:
            context = await self._context(request)
            if not (by_anyone or context.person.is_admin):
                return self.refuse(context, 403, NOT_ADMIN)
            try:
                context = await context.filled()
            except UnreadableForm:
                return self.refuse(context, 400, UNREADABLE)
            return await self._checked(act, context)

        return handle

    def brings(self, act: Look, field: str, most_bytes: int) -> Handler:
        """Make a handler for a form with a file, which only an administrator may send."""

        async def handle(request: web.Request) -> web.StreamResponse:
            context = await self._context(request)
            if not context.person.is_admin:
                return self.refuse(context, 403, NOT_ADMIN)
            try:
                context = await context.filled_with_file(field, most_bytes)
            except UnreadableForm:
                return self.refuse(context, 400, UNREADABLE)
            return await self._checked(act, context)

        return handle

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn errors into pages."""
        try:
            return await handler(request)
        except web.HTTPException as error:
            if request.path.startswith(API) or error.status < 400:
                raise
            words = _ERRORS.get(error.status, UNREADABLE)
            response = self.refuse(await self._context(request), error.status, words)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response

    def page(
        self, context: RequestContext, template: str, *, status: int = 200, **model: Any
    ) -> web.Response:
        """Render a page."""
        return self.respond(
            template,
            context.language,
            status,
            person=context.person,
            root=context.root,
            here=context.path,
            token=self._tokens(context.request).of_person(context.person.id),
            is_hosted=self.is_hosted,
            scripts=self.files.scripts,
            done=context.asked("done"),
            source_words=self.node.source.words,
            has_files=self.node.source.files is not None,
            **model,
        )

    @property
    def is_hosted(self) -> bool:
        """Whether a host has the home's account, and lets its household in."""
        return bool(self.base)

    def refuse(self, context: RequestContext, status: int, words: Text) -> web.Response:
        """Render a page that refuses."""
        return self.page(context, "refused.html", status=status, missing=status == 404, words=words)

    @override
    def changed(self) -> None:
        self.node.look_again()

    async def house(self) -> House:
        """Read Home Assistant's statistics. Raises SourceFault."""
        source = self.node.source
        if source.problem is not None:
            raise Away(source.problem)
        try:
            async with asyncio.timeout(_LOOKS_WITHIN_S):
                proposals = tuple(await source.proposals())
                zone = await source.time_zone()
        except TimeoutError:
            raise Away(_SLOW) from None
        self._names |= {
            proposal.statistic.id: proposal.statistic.name
            for proposal in proposals
            if proposal.statistic.name is not None
        }
        async with self.node.store.reading() as connection:
            return House(proposals, zone, await directions(connection))

    @override
    async def naming(self) -> Naming:
        return self.node.naming

    @override
    async def choosable(self, question: DataRequest) -> HomeStatistics:
        try:
            house = await self.house()
        except SourceFault as fault:
            raise Unlisted(fault.text) from fault
        return HomeStatistics(self.node, house, question)

    @override
    async def objection(self, question: DataRequest, *, connects: bool) -> Text | None:
        if question.need.witness is None:
            return None
        # A home without protected sums never loads them.
        from consometers_node.household.protected_sums.witness_check import objection  # noqa: PLC0415

        return await objection(self.store, question, connects=connects)

    @override
    def sum_problem(self, permission_id: PermissionId) -> Text | None:
        enrolling = self.node.enrolling
        return None if enrolling is None else enrolling.problems.get(permission_id)

    @override
    def consent_page(
        self, context: RequestContext, template: str, *, status: int = 200, **model: Any
    ) -> web.Response:
        return self.page(
            context,
            template,
            status=status,
            layout="layout.html",
            section_root=context.root,
            may_answer=context.person.is_admin,
            of_home=True,
            **model,
        )

    @override
    def signer(self, context: RequestContext) -> str:
        return context.person.id

    @override
    def person_named(self, who: str) -> str:
        return self.people.name(who)

    @override
    def decisions(self, context: RequestContext) -> Decisions:
        return Decisions(self.store)

    @override
    async def names(self, language: str) -> Mapping[str, str]:
        """Return the names of statistics at their source, the last known ones if it is away."""
        now = asyncio.get_running_loop().time()
        is_old = self._named_at is None or now - self._named_at > _NAMES_FOR_S
        if is_old and self.node.source.problem is None:
            self._named_at = now
            with suppress(SourceFault, TimeoutError):
                async with asyncio.timeout(_NAMES_WITHIN_S):
                    await self.house()
        return {device: name.say(language) for device, name in self._names.items()}

    async def year(self) -> Mapping[SeriesId, tuple[Calendar, tuple[Strip, ...]]]:
        """Return the gaps of each series, computed and drawn once after each change."""
        now = datetime.now(UTC)
        seen = self.node.changes.count, now.date()
        if seen != self._seen:
            async with self.node.store.reading() as connection:
                reached = await targets(connection, self.node.source.memory, now)
                calendars = await self._calendars.look(connection, reached, now)
            before = {id(calendar): strip for calendar, strip in self._year.values()}
            self._year = {
                series_id: (calendar, before.get(id(calendar)) or draw(calendar))
                for series_id, calendar in calendars.items()
            }
            self._seen = seen
        return self._year

    async def _context(self, request: web.Request) -> RequestContext:
        from consometers_node.web.core.speech import Language  # noqa: PLC0415

        person = await self.people.of_request(request)
        source = self.node.source
        if source.files is None:
            # The machine is in the home.
            speech = Language(language.preferred(request), None)
        else:
            tag = language.preferred(request, await source.language())
            speech = Language(tag, ZoneInfo(await source.time_zone()))
        return RequestContext(request, speech, person, base=self.base)

    async def _checked(self, act: Look, context: RequestContext) -> web.StreamResponse:
        """Do what a form asks, if it comes from a page of ours."""
        tokens = self._tokens(context.request)
        if not tokens.are_ours(context.request, context.person.id, context.typed(FIELD)):
            return self.refuse(context, 403, STALE)
        return await self._answer(act, context)

    async def _answer(self, look: Look, context: RequestContext) -> web.StreamResponse:
        try:
            return await look(self, context)
        except RequestRefused as refused:
            return self.refuse(context, refused.status, refused.words)
        except SourceFault as fault:
            return self.refuse(context, 503, fault.text)
        except (InterfaceError, OperationalError) as fault:
            return self.refuse(context, 503, database_problem(fault))
        except web.HTTPException, asyncio.CancelledError, ConnectionError:
            raise
        except Exception:
            _LOGGER.exception(_FAILED)
            return self.refuse(context, 500, FAULT)


_SLOW = text("Home Assistant takes too long to answer: try again in a minute.")
