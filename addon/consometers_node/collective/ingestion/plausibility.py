"""Up to which power a record of a member is believed; what is beyond is set aside, and nobody's.

A home is believed up to 36 kW, the most that its contract can have in France, and once it has told
for a month up to ten times the largest of its own records that are a month older, whichever is
less. So nobody who drew 500 W all along draws 29 kW, nor works its way up to that in a day. But a
home that charges a car, or heats, for the first time is believed: up to 12 kW, the most that a
single-phase connection carries, anybody is. A site is believed up to 1 MW. An administrator may
believe a member up to more. What a collective tells are sums: it is not bounded here.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ...series import Quantity, Record, Series
from ...store.collective_tables import MemberId, MemberRow
from ...store.series import largest_of_days
from ...store.set_aside import Place
from ...store.tables import SeriesId
from ..members.members import Kind

CEILINGS_W = {Kind.HOME: 36_000, Kind.SITE: 1_000_000}
SURE_W = {Kind.HOME: 12_000, Kind.SITE: 1_000_000}
"""What is believed of anybody, whatever they told before."""
TIMES = 10
MONTH = timedelta(days=30)
MOST_BELIEVED_W = 10_000_000
"""What an administrator may say: more than any building draws."""
MOST_KEPT = 1_000
"""Records of one member that are set aside. Of more, none is kept."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A record that not everybody is believed."""

    member: MemberId
    kind: Kind
    number: SeriesId
    series: Series
    record: Record

    @property
    def place(self) -> Place:
        """Of which series it is, and when."""
        return self.number, self.record.start


def watts(series: Series, record: Record) -> int:
    """Return the mean power of a record."""
    if series.quantity.unit == "W":
        return record.value
    seconds = int((series.end(record.start) - record.start).total_seconds())
    return record.value * 3_600 // seconds


def doubtful(kind: Kind, series: Series, records: Iterable[Record]) -> tuple[Record, ...]:
    """Return the records that are more than anybody of this kind is believed."""
    if kind not in SURE_W:
        return ()
    most = SURE_W[kind]
    if series.quantity is Quantity.POWER:
        return tuple(record for record in records if record.value > most)
    return tuple(record for record in records if watts(series, record) > most)


async def unbelieved(connection: AsyncConnection, doubts: Collection[Doubt]) -> set[Doubt]:
    """Return which of these records are to be set aside, by what is known before they come."""
    believed = await _believed(connection, {doubt.member for doubt in doubts})
    last: dict[SeriesId, date] = {}
    for doubt in doubts:
        day = doubt.record.start.date()
        last[doubt.number] = max(day, last.get(doubt.number, day))
    known = {number: await _Largest.of(connection, number, day) for number, day in last.items()}
    aside = set()
    for doubt in doubts:
        most = max(_bound(doubt, known[doubt.number]), believed.get(doubt.member, 0))
        if watts(doubt.series, doubt.record) > most:
            aside.add(doubt)
    return aside


async def believe(connection: AsyncConnection, member: MemberId, most_w: int) -> None:
    """Store that the records of a member are believed up to this power."""
    told = update(MemberRow).where(MemberRow.id == member)
    await connection.execute(told.values(believed_w=most_w))


async def _believed(
    connection: AsyncConnection, members: Collection[MemberId]
) -> dict[MemberId, int]:
    query = select(MemberRow.id, MemberRow.believed_w).where(
        MemberRow.id.in_(members), MemberRow.believed_w.is_not(None)
    )
    rows = (await connection.execute(query)).tuples()
    return {member: most for member, most in rows if most is not None}


def _bound(doubt: Doubt, known: _Largest) -> int:
    ceiling = CEILINGS_W[doubt.kind]
    largest = known.until(doubt.record.start.date() - MONTH)
    if doubt.kind is not Kind.HOME or largest is None:
        return ceiling
    # A day that begins with the record is long enough to tell its power.
    own = TIMES * watts(doubt.series, Record(doubt.record.start, largest))
    return min(ceiling, max(SURE_W[doubt.kind], own))


@dataclass(frozen=True, slots=True)
class _Largest:
    """The largest values that are known of a series up to each of its UTC days."""

    days: tuple[date, ...]
    values: tuple[int, ...]

    @classmethod
    async def of(cls, connection: AsyncConnection, number: SeriesId, day: date) -> _Largest:
        days = await largest_of_days(connection, number, day - MONTH)
        return cls(
            tuple(day for day, _ in days), tuple(accumulate((most for _, most in days), max))
        )

    def until(self, day: date) -> int | None:
        """Return the largest value until a day, that included; None if nothing is known by then."""
        place = bisect_right(self.days, day)
        return self.values[place - 1] if place else None
