"""What collectives one level below let this one read: of some of it they may tell no figure."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ...permission.states import State
from ...quoalise.identifier import identifier
from ...series import Direction
from ...store.collective_tables import GivenRow, GivenSeriesRow, GroupId, InGroupRow, MemberRow
from ...store.memberships import counts_in
from ..groups import counts_as
from ..members.members import Kind


@dataclass(frozen=True, slots=True)
class Below:
    """How many collectives count in a group, and of which directions they let sums be read."""

    collectives: int
    allowed: frozenset[Direction]


async def below(connection: AsyncConnection, group: GroupId, month: date) -> Below:
    """Look at the collectives that count in a group in a month."""
    holds = and_(GivenRow.member_id == MemberRow.id, GivenRow.state == State.GRANTED)
    query = (
        select(MemberRow.id, GivenSeriesRow.identifier)
        .join(InGroupRow, InGroupRow.member_id == MemberRow.id)
        .join(GivenRow, holds, isouter=True)
        .join(GivenSeriesRow, GivenSeriesRow.given_id == GivenRow.id, isouter=True)
        .where(MemberRow.kind == Kind.COLLECTIVE, counts_as(group), counts_in(month))
    )
    found = (await connection.execute(query)).tuples().all()
    directions = (identifier(name).direction for _, name in found if name)
    return Below(
        len({member for member, _ in found}),
        frozenset(Direction(one) for one in directions if one is not None),
    )
