"""The first page tells whether data goes where the household wants, and only there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from ..household.coverage import Calendar
from ..household.sync import progress
from ..permission import State
from ..quoalise import Text
from ..quoalise.text import text
from ..series import Interval
from ..sharing import consent_text
from ..sharing.account import load
from ..sharing.restriction import pause, resume
from ..sharing.status import Answered, Collective, Shared, collectives, told_of
from ..store import PeerId, SeriesId
from ..store.clock import confirm
from .calendar_svg import Strip
from .handlers import Desk, Refused
from .visit import Visit

type Year = Mapping[SeriesId, tuple[Calendar, Strip]]

_NO_COLLECTIVE = text("There is no such collective.", context="web page")


@dataclass(frozen=True, slots=True)
class Card:
    """One collective, and all that the page tells of it."""

    id: PeerId
    name: str
    jid: str
    stands: str
    """sharing, paused, trouble, asked or nothing"""
    waiting: int
    waiting_since: datetime | None
    until: datetime | None
    problem: Text | None
    permissions: Sequence[Answered]
    rows: Sequence[Row]

    @property
    def asks(self) -> list[Answered]:
        """What waits for an answer."""
        return [one for one in self.permissions if one.permission.state is State.PROPOSED]

    @property
    def holds(self) -> list[Answered]:
        """What was allowed and holds."""
        return [one for one in self.permissions if one.permission.state is State.GRANTED]

    @property
    def intervals(self) -> list[Interval]:
        """How fine what is shared is."""
        return sorted({row.shared.series.interval for row in self.rows}, key=_minutes)


@dataclass(frozen=True, slots=True)
class Row:
    """A series that is shared, and what is missing of it."""

    shared: Shared
    calendar: Calendar | None
    strip: Strip | None


async def show(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Return how it stands with each collective."""
    node = desk.node
    now = datetime.now(UTC)
    known = await desk.year()
    async with node.store.reading() as connection:
        doubt = await node.clock.look(connection)
        found = await collectives(connection, now, await progress(connection, now))
    account = await load(node.store)
    network = node.network_problem
    return desk.page(
        visit,
        "home.html",
        cards=[_card(desk, one, known, now) for one in found],
        account=account.account.jid if account else None,
        network=node.database_problem or (network.text if network else None),
        home=node.home_problem,
        doubt=doubt if doubt and doubt.is_wrong else None,
        directions=consent_text.DIRECTIONS,
        intervals=consent_text.INTERVALS,
        states=consent_text.STATES,
    )


async def confirm_clock(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Take the household's word for the clock."""
    async with desk.node.store.writing() as connection:
        await confirm(connection, desk.node.clock.now())
    desk.changed()
    return visit.go()


async def hold(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Hold back all that a collective was granted."""
    return await _change(desk, visit, paused=True)


async def go_on(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Resume sharing."""
    return await _change(desk, visit, paused=False)


async def _change(desk: Desk, visit: Visit, *, paused: bool) -> web.StreamResponse:
    number = PeerId(int(visit.request.match_info["peer"]))
    store = desk.node.store
    async with store.reading() as connection:
        known = {one.peer.id for one in await collectives(connection, datetime.now(UTC))}
    if number not in known:
        raise Refused(404, _NO_COLLECTIVE)
    async with store.withdrawing() as connection:
        await (pause if paused else resume)(connection, number)
    desk.changed()
    return visit.go()


def _card(desk: Desk, one: Collective, known: Year, now: datetime) -> Card:
    network = desk.node.network
    delivery = network.sharing.deliveries.get(one.peer.id) if network else None
    problem = delivery.problem if delivery and one.shared else None
    rows = [Row(each, *known.get(each.grant.series_id, (None, None))) for each in one.shared]
    told = told_of(one, now)
    return Card(
        id=one.peer.id,
        name=one.peer.name,
        jid=one.peer.jid,
        stands=_stands(one, problem, told),
        waiting=one.waiting,
        waiting_since=one.waiting_since,
        until=one.acknowledged_until,
        problem=problem,
        permissions=told,
        rows=rows,
    )


def _stands(one: Collective, problem: Text | None, told: Sequence[Answered]) -> str:
    if one.paused:
        return "paused"
    if one.shared:
        return "trouble" if problem else "sharing"
    is_asked = any(each.permission.state is State.PROPOSED for each in told)
    return "asked" if is_asked else "nothing"


def _minutes(interval: Interval) -> int:
    return interval.minutes
