"""Counts of members, of those that deliver, and of waiting pushes: no names."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, case, func, or_, select

from consometers_node.series import Interval
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.tables import OutboxRow

from .tables import MemberPermissionRow, MemberPermissionSeriesRow, MemberRow

_LATE = timedelta(hours=3)
"""Homes send an hour in the hour after it, and a day in the day after it."""
_DAYS = timedelta(days=2)


class GrantingMembers(NamedTuple):
    """The members of a kind with a permission, and how many of them delivered lately.

    Of those that are `catching_up`, the past that they granted is still being read in; of those
    that are `unread`, even the last weeks of it. Those that have `begun` have delivered at least
    once.
    """

    members: int
    series: int
    delivering: int
    catching_up: int
    begun: int
    unread: int

    @property
    def silent(self) -> int:
        """How many delivered, and have stopped."""
        return self.begun - self.delivering


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCounts:
    """The members by their kind, and what waits in the database."""

    granting: dict[str, GrantingMembers]
    guests: int
    """Members without a permission."""
    outbox: int
    """Pushes of this collective to its own peers that were not acknowledged."""


async def count_members(connection: AsyncConnection, at: datetime) -> MemberCounts:
    """Count all of it, in a few queries of some milliseconds."""
    recent = or_(
        MemberPermissionSeriesRow.last_received_at >= at - _LATE,
        and_(
            MemberPermissionRow.interval == Interval.P1D,
            MemberPermissionSeriesRow.last_received_at >= at - _DAYS - _LATE,
        ),
    )
    delivers = func.max(case((recent, 1), else_=0))
    backfilled = MemberPermissionSeriesRow.backfilled_until
    behind = or_(backfilled.is_(None), backfilled < MemberPermissionRow.valid_from)
    catches_up = func.max(case((behind, 1), else_=0))
    is_unread = func.max(case((backfilled.is_(None), 1), else_=0))
    begun = func.max(case((MemberPermissionSeriesRow.last_received_at.is_not(None), 1), else_=0))
    each = (
        select(
            MemberRow.kind,
            func.count().label("series"),
            delivers.label("delivers"),
            catches_up.label("catches_up"),
            begun.label("begun"),
            is_unread.label("unread"),
        )
        .join(MemberPermissionRow, MemberPermissionRow.member_id == MemberRow.id)
        .join(MemberPermissionSeriesRow)
        .where(MemberPermissionRow.state == "granted", MemberRow.jid.is_not(None))
        .group_by(MemberRow.id, MemberRow.kind)
        .subquery()
    )
    names = ("series", "delivers", "catches_up", "begun", "unread")
    sums = (func.sum(each.c[name]) for name in names)
    by_kind = select(each.c.kind, func.count(), *sums).group_by(each.c.kind)
    rows = await connection.execute(by_kind)
    granting = {kind: GrantingMembers(*map(int, counts)) for kind, *counts in rows}
    joined = select(func.count()).where(MemberRow.jid.is_not(None), MemberRow.left_at.is_(None))
    everybody = (await connection.execute(joined)).scalar_one()
    waiting = select(func.count()).select_from(OutboxRow)
    return MemberCounts(
        granting=granting,
        guests=max(0, everybody - sum(kind.members for kind in granting.values())),
        outbox=(await connection.execute(waiting)).scalar_one(),
    )
