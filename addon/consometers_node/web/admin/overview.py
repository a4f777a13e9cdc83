"""The first page: what needs a person, then how much of what was granted is there, worst first."""

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.calendar import Span
from ...collective.members.member_overview import Entry, MemberOverview, Status, shares
from ...collective.members.members import Members
from ...collective.permissions import member_permissions, needs
from ...collective.permissions.member_permissions import MemberPermission
from ...store.clock import confirm
from . import heatmap
from .alerts import Weight, concerns
from .handlers import AdminDesk
from .pager import Pager
from .visit import Visit
from .words import STATUSES

_SPANS = (30, 60)
_AT_ONCE = 25
_HERE = frozenset({Status.DELIVERING, Status.SILENT, Status.GUEST})


@dataclass(frozen=True, slots=True)
class Line:
    """A member, and its days."""

    entry: Entry
    row: heatmap.Row


@dataclass(frozen=True, slots=True)
class Going:
    """What a member brought that is about to be erased because its time is over."""

    pseudonym: str
    given: MemberPermission


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Return whether anything is wrong, and with whom."""
    span = next((days for days in _SPANS if visit.asked("days") == str(days)), _SPANS[0])
    window = Span.before(visit.today, span)
    async with desk.store.reading() as connection:
        doubt = await desk.node.clock.look(connection) if desk.node is not None else None
        going = await _going(desk, connection)
        found = await desk.roster(connection, window, visit.now)
        concerned = await concerns(desk, visit, connection, found)
        here = sum(one.status in _HERE for one in found.entries)
        asked = bool(await needs.offered(connection))
        told = sorted(
            (one for one in found.entries if one.there is not None),
            key=lambda one: (one.there, one.pseudonym),
        )
        pager = Pager.of(visit, len(told), _AT_ONCE)
        some = told[pager.first : pager.end]
        days = await shares(connection, [one.id for one in some], window)
    return desk.page(
        visit,
        "overview.html",
        # What is missing at the beginning, the steps to the first member say.
        concerns=[one for one in concerned if here or one.weight is Weight.WRONG],
        doubt=doubt,
        going=going[:_AT_ONCE],
        more_going=max(0, len(going) - _AT_ONCE),
        present=here,
        span=span,
        spans=_SPANS,
        window=window,
        counts=_counts(found),
        whole=sum(one.there >= 1 for one in told if one.there is not None),
        told=len(told),
        columns=heatmap.columns(found.days),
        days=found.days,
        lines=[Line(one, heatmap.row(one, days[one.id], window)) for one in some],
        pager=pager,
        asked=asked,
        statuses=STATUSES,
        heat=heatmap,
    )


async def confirm_clock(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Take an administrator's word for the clock."""
    async with desk.store.writing() as connection:
        await confirm(connection, visit.now)
        await desk.note(connection, visit, "clock confirmed")
    desk.changed()
    return visit.go("?done=clock")


async def _going(desk: AdminDesk, connection: AsyncConnection) -> list[Going]:
    members = Members(connection, desk.settings.time_zone)
    found = sorted(
        await member_permissions.announced(connection), key=lambda one: (one.erase_at, one.id)
    )
    return [Going((await members.get(one.member)).pseudonym, one) for one in found]


def _counts(found: MemberOverview) -> dict[Status, int]:
    return {status: sum(one.status is status for one in found.entries) for status in Status}
