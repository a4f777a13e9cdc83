"""The power up to which a member's record is plausible; records beyond it are set aside.

What a home draws is believed up to its subscribed power, as its meter says it and its permission
sends it; what it draws without saying that, feeds in or makes, up to 12 kW, the most that a
single-phase connection carries. So nobody has to be watched for a month first, and a home that
charges a car for the first time is believed. A site is believed up to 1 MW. An administrator may
accept a member's records up to more. A collective sends sums: it is not bounded here.

The subscribed power is the home's own word: see docs/disclosure.md.
"""

from sqlalchemy import update

from consometers_node.collective.members.members import MemberKind
from consometers_node.series import Direction, Record, Series
from consometers_node.store.collective.member_series import MemberSeries
from consometers_node.store.collective.tables import MemberId, MemberRow
from consometers_node.store.engine.connection import AsyncConnection
from consometers_quoalise.federation.permissions import SUBSCRIBED_KVA

UNSAID_W = 12_000
"""Of a home whose subscribed power is not known, and of what panels make."""
OVERRUN = 1.3
"""Up to so many times the subscribed power, a meter does not cut off (Enedis-NOI-CPT_54E §7)."""
CEILING_W = 1_000 * SUBSCRIBED_KVA[-1]
SITE_W = 1_000_000
MOST_BELIEVED_W = 10_000_000
"""The most that an administrator may set: more than any building draws."""
MOST_KEPT = 1_000
"""Records of one member that are set aside. Any more are dropped."""


def watts(series: Series, record: Record) -> int:
    """Return the mean power of a record."""
    if series.quantity.is_mean:
        return record.value
    seconds = int((series.end(record.start) - record.start).total_seconds())
    return record.value * 3_600 // seconds


def plausible_w(granted: MemberSeries, direction: Direction) -> int | None:
    """Return the power up to which records of a series are plausible; None without a bound."""
    match MemberKind(granted.kind):
        case MemberKind.COLLECTIVE:
            return None
        case MemberKind.SITE:
            bound = SITE_W
        case MemberKind.HOME:
            bound = _of_home(granted.subscribed_kva, direction)
    return max(bound, granted.accepted_w or 0)


async def believe(connection: AsyncConnection, member: MemberId, most_w: int) -> None:
    """Accept the records of a member up to this power."""
    of_member = update(MemberRow).where(MemberRow.id == member)
    await connection.execute(of_member.values(accepted_w=most_w))


def _of_home(subscribed_kva: int | None, direction: Direction) -> int:
    if subscribed_kva is None or direction is not Direction.CONSUMPTION:
        return UNSAID_W
    return min(CEILING_W, round(subscribed_kva * 1_000 * OVERRUN))
