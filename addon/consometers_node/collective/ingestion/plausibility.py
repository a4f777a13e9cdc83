"""The power up to which a member's record is plausible; records beyond it are set aside.

A home is believed up to 36 kW, the most that its contract can have in France, and once it has sent
records for a month up to ten times the largest of its own records that are a month older, whichever
is less. So a home that drew 500 W all along does not draw 29 kW, nor work its way up to that in a
day. But a home that charges a car, or heats, for the first time is believed: up to 12 kW, the most
that a single-phase connection carries, any home is. A site is believed up to 1 MW. An administrator
may believe a member up to more. A collective sends sums: it is not bounded here.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from operator import attrgetter, itemgetter

from sqlalchemy import select, update

from ...series import Record, Series
from ...store.collective_tables import MemberId, MemberRow
from ...store.connection import AsyncConnection
from ...store.series import largest_of_days
from ...store.set_aside import Place
from ...store.tables import SeriesId
from ..members.members import MemberKind

CEILINGS_W = {MemberKind.HOME: 36_000, MemberKind.SITE: 1_000_000}
SURE_W = {MemberKind.HOME: 12_000, MemberKind.SITE: 1_000_000}
"""Of any member, whatever its earlier records."""
TIMES = 10
MONTH = timedelta(days=30)
MOST_BELIEVED_W = 10_000_000
"""The most that an administrator may set: more than any building draws."""
MOST_KEPT = 1_000
"""Records of one member that are set aside. Any more are dropped."""


@dataclass(frozen=True, slots=True)
class DoubtfulRecord:
    """A record that is plausible for some members alone."""

    member: MemberId
    kind: MemberKind
    series_id: SeriesId
    series: Series
    record: Record

    @property
    def place(self) -> Place:
        """Its series, and its start."""
        return self.series_id, self.record.start


def watts(series: Series, record: Record) -> int:
    """Return the mean power of a record."""
    if series.quantity.is_mean:
        return record.value
    seconds = int((series.end(record.start) - record.start).total_seconds())
    return record.value * 3_600 // seconds


def doubtful(kind: MemberKind, series: Series, records: Iterable[Record]) -> tuple[Record, ...]:
    """Return the records that are more than any member of this kind is believed."""
    if kind not in SURE_W:
        return ()
    most = SURE_W[kind]
    if series.quantity.is_mean:
        return tuple(record for record in records if record.value > most)
    return tuple(record for record in records if watts(series, record) > most)


async def unbelieved(
    connection: AsyncConnection, doubts: Collection[DoubtfulRecord]
) -> set[DoubtfulRecord]:
    """Return which of these records to set aside, judged by the records stored before them."""
    believed = await _believed(connection, {doubt.member for doubt in doubts})
    in_order = sorted(doubts, key=attrgetter("record.start"))
    last = {doubt.series_id: doubt.record.start.date() for doubt in in_order}
    largest = {
        series_id: list(accumulate(await largest_of_days(connection, series_id, day - MONTH), _max))
        for series_id, day in last.items()
    }
    return {
        doubt
        for doubt in doubts
        if watts(doubt.series, doubt.record)
        > max(_bound(doubt, largest[doubt.series_id]), believed.get(doubt.member, 0))
    }


async def believe(connection: AsyncConnection, member: MemberId, most_w: int) -> None:
    """Accept the records of a member up to this power."""
    of_member = update(MemberRow).where(MemberRow.id == member)
    await connection.execute(of_member.values(accepted_w=most_w))


async def _believed(
    connection: AsyncConnection, members: Collection[MemberId]
) -> dict[MemberId, int]:
    query = select(MemberRow.id, MemberRow.accepted_w).where(
        MemberRow.id.in_(members), MemberRow.accepted_w.is_not(None)
    )
    rows = (await connection.execute(query)).tuples()
    return {member: most for member, most in rows if most is not None}


def _max(before: tuple[date, int], day: tuple[date, int]) -> tuple[date, int]:
    return day[0], max(before[1], day[1])


def _bound(doubt: DoubtfulRecord, largest: Sequence[tuple[date, int]]) -> int:
    """Return the plausible power of a record, by the largest value up to each day."""
    ceiling = CEILINGS_W[doubt.kind]
    place = bisect_right(largest, doubt.record.start.date() - MONTH, key=itemgetter(0))
    if doubt.kind is not MemberKind.HOME or not place:
        return ceiling
    # A day that begins with the record is long enough to show its power.
    own = TIMES * watts(doubt.series, Record(doubt.record.start, largest[place - 1][1]))
    return min(ceiling, max(SURE_W[doubt.kind], own))
