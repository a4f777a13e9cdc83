"""What of the sums was released, and what has changed since: disclosure's own.

Whoever changes a sum notes here what each home's part was before. Then nothing is released anew
that would tell of one home.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import batched
import struct
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Direction, Interval
from . import upsert
from .among import among
from .collective_tables import (
    GroupId,
    InGroupRow,
    MemberDayRow,
    MemberGroupRow,
    MemberId,
    MemberRow,
    ReleasedBlockRow,
    SumBlockRow,
    ToReleaseRow,
    UnreleasedRow,
)
from .parts import counts_in

type Part = tuple[int | None, ...]
"""What a member has in the places of a row, in watt-minutes; None where it told nothing."""

OUT = 0
"""The reason of what was released, other than of a day that is the sum of its hours."""

_REASONS = (
    select(
        ReleasedBlockRow.direction,
        ReleasedBlockRow.interval,
        ReleasedBlockRow.day,
        ReleasedBlockRow.reasons,
    )
    .join(MemberGroupRow, MemberGroupRow.id == ReleasedBlockRow.group_id)
    .where(MemberGroupRow.kind == "all")
)
_OUT_ANEW = _REASONS.where(
    among(ReleasedBlockRow.direction, "directions"),
    among(ReleasedBlockRow.interval, "intervals"),
    among(ReleasedBlockRow.day, "days"),
    ReleasedBlockRow.released_at.is_not(None),
    ReleasedBlockRow.final == 0,
)
_ALL_OUT = frozenset({OUT, 1})
"""Reasons of what was released, and of days that are the sums of their hours."""
_NONE = -1
_DAY = timedelta(days=1)
_AT_ONCE = 1_000
_NEWS = timedelta(days=2)
_TOGETHER = timedelta(seconds=10)


class RowKey(NamedTuple):
    """A row of sums, whichever group's: of a UTC day, or of a month, told by its first day."""

    direction: Direction
    interval: Interval
    day: date


@dataclass(frozen=True, slots=True)
class Noted:
    """A member's part of a row was this, and now is that."""

    row: RowKey
    member: MemberId
    is_home: bool
    before: Part
    now: Part


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a group's homes was released, as it is kept."""

    sums: tuple[int, ...]
    counts: tuple[int, ...]
    reasons: bytes
    final: bool
    released_at: datetime | None


@dataclass(slots=True)
class Unreleased:
    """A home's part of what was released, what it is now, and which changes were released.

    `kind` is what it has become: a home, or a site.
    """

    kind: str
    before: list[int | None]
    now: list[int | None]
    counted: bytearray


class Sums(NamedTuple):
    """The sums of the members of one kind in a group."""

    group: GroupId
    kind: str
    sums: tuple[int, ...]
    counts: tuple[int, ...]
    largest: tuple[int, ...]
    changed_at: datetime


class Size(NamedTuple):
    """How many members of a kind count in a group."""

    group: GroupId
    group_kind: str
    name: str
    member_kind: str
    members: int


async def note(connection: AsyncConnection, noted: Iterable[Noted], at: datetime) -> None:
    """Note what has changed of sums, for what was released of them and for what may be."""
    changed = list(noted)
    rows = {one.row for one in changed}
    if not rows:
        return
    await look_soon(connection, rows, at)
    out = await _out(connection, rows)
    homes: dict[tuple[RowKey, MemberId], tuple[Part, Part]] = {}
    for one in changed:
        if one.is_home and one.row in out:
            key = one.row, one.member
            before, now = homes.get(key, (one.before, one.now))
            homes[key] = _either(before, one.before), _either(now, one.now)
    members: defaultdict[RowKey, set[MemberId]] = defaultdict(set)
    for row, member in homes:
        members[row].add(member)
    known = {row: await _noted(connection, row, some) for row, some in members.items()}
    kept = [
        _row(row)
        | {
            "member_id": member,
            "before": _pack(before),
            "now": _pack(now),
            "counted": bytes(len(now)),
        }
        for (row, member), (before, now) in homes.items()
        if member in known[row] or _differ(before, now, out[row])
    ]
    await upsert.put(connection, UnreleasedRow, kept, "now")


async def look_soon(connection: AsyncConnection, rows: Collection[RowKey], at: datetime) -> None:
    """Look at rows that have changed: what is of long ago comes in many pieces, and waits a bit."""
    await _look(connection, {row: _due_at(row, at) for row in sorted(rows)})


async def due(connection: AsyncConnection, at: datetime, most: int) -> list[RowKey]:
    """Give rows to look at, days after what is finer."""
    query = (
        select(ToReleaseRow.direction, ToReleaseRow.interval, ToReleaseRow.day)
        .where(ToReleaseRow.due_at <= at)
        .order_by(ToReleaseRow.interval, ToReleaseRow.due_at, ToReleaseRow.day)
        .limit(most)
    )
    return [RowKey(*row) for row in await connection.execute(query)]


async def are_due(
    connection: AsyncConnection, direction: Direction, interval: Interval, days: Collection[date]
) -> set[date]:
    """Give those of these days whose rows are to be looked at, now or later."""
    query = select(ToReleaseRow.day).where(
        ToReleaseRow.direction == direction,
        ToReleaseRow.interval == interval,
        ToReleaseRow.day.in_(days),
    )
    return set((await connection.execute(query)).scalars())


async def look_again(connection: AsyncConnection, rows: Mapping[RowKey, datetime | None]) -> None:
    """Look at rows then, or when something changes."""
    looked_at = [_row(row) for row, at in rows.items() if at is None]
    if looked_at:
        this = delete(ToReleaseRow).where(
            ToReleaseRow.direction == bindparam("direction"),
            ToReleaseRow.interval == bindparam("interval_minutes"),
            ToReleaseRow.day == bindparam("day"),
        )
        await connection.execute(this, looked_at)
    later = [_row(row) | {"due_at": at} for row, at in rows.items() if at is not None]
    await upsert.put(connection, ToReleaseRow, later, "due_at")


async def withheld(
    connection: AsyncConnection,
    interval: Interval,
    first: date = date.min,
    last: date = date.max,
) -> list[RowKey]:
    """Give the rows of which something is not released, or a change of it, days last.

    They are those of a step, and of civil days, whose row is told by the first of the month.
    """
    steps = (interval, Interval.P1D)
    query = (
        select(SumBlockRow.direction, SumBlockRow.interval, SumBlockRow.day)
        .join(MemberGroupRow, MemberGroupRow.id == SumBlockRow.group_id)
        .where(
            MemberGroupRow.kind == "all",
            SumBlockRow.interval.in_(steps),
            SumBlockRow.day.between(first, last),
        )
        .distinct()
    )
    there = {RowKey(*row) for row in await connection.execute(query)}
    looked_at = _REASONS.where(
        ReleasedBlockRow.interval.in_(steps), ReleasedBlockRow.day.between(first, last)
    )
    for *row, reasons in await connection.execute(looked_at):
        if _ALL_OUT.issuperset(reasons):
            there.discard(RowKey(*row))
    changed = (
        select(UnreleasedRow.direction, UnreleasedRow.interval, UnreleasedRow.day)
        .where(UnreleasedRow.interval.in_(steps), UnreleasedRow.day.between(first, last))
        .distinct()
    )
    there |= {RowKey(*row) for row in await connection.execute(changed)}
    return sorted(there, key=lambda row: (row.interval.minutes, row.day, row.direction))


async def look_at_withheld(connection: AsyncConnection, interval: Interval, at: datetime) -> None:
    """Look again then at all of which something is withheld, as rules may have changed."""
    rows = await withheld(connection, interval)
    for some in batched(rows, _AT_ONCE, strict=False):
        await _look(connection, dict.fromkeys(some, at))


async def _look(connection: AsyncConnection, rows: Mapping[RowKey, datetime]) -> None:
    """Look at rows then, unless they are looked at sooner."""
    soon = [_row(row) | {"due_at": at} for row, at in rows.items()]
    await upsert.put(connection, ToReleaseRow, soon, "due_at", only_less="due_at")


async def sums(
    connection: AsyncConnection, direction: Direction, interval: Interval, days: Collection[date]
) -> dict[date, list[Sums]]:
    """Give the sums of all groups on these days."""
    query = select(SumBlockRow.__table__).where(
        SumBlockRow.direction == direction,
        SumBlockRow.interval == interval,
        SumBlockRow.day.in_(days),
    )
    found: dict[date, list[Sums]] = {day: [] for day in days}
    for row in await connection.execute(query):
        numbers = _numbers(row.sums), _numbers(row.counts, "I"), _numbers(row.largest)
        found[row.day].append(Sums(row.group_id, row.kind, *numbers, row.changed_at))
    return found


async def released(
    connection: AsyncConnection,
    direction: Direction,
    interval: Interval,
    days: Collection[date],
    group: GroupId | None = None,
) -> dict[date, dict[GroupId, Kept]]:
    """Give what was released of rows on these days, by group: of all groups, or of one."""
    query = select(ReleasedBlockRow.__table__).where(
        ReleasedBlockRow.direction == direction,
        ReleasedBlockRow.interval == interval,
        ReleasedBlockRow.day.in_(days),
    )
    if group is not None:
        query = query.where(ReleasedBlockRow.group_id == group)
    found: dict[date, dict[GroupId, Kept]] = {day: {} for day in days}
    for row in await connection.execute(query):
        numbers = _numbers(row.sums), _numbers(row.counts, "I")
        found[row.day][row.group_id] = Kept(*numbers, row.reasons, bool(row.final), row.released_at)
    return found


async def reasons(
    connection: AsyncConnection,
    direction: Direction,
    interval: Interval,
    days: Collection[date],
    group: GroupId,
) -> dict[date, tuple[bytes, tuple[int, ...]]]:
    """Give why rows of a group are withheld, from the first to the last day, and of how many homes.

    That is all of what was released of them that a year of hours is looked through for.
    """
    query = select(ReleasedBlockRow.day, ReleasedBlockRow.reasons, ReleasedBlockRow.counts).where(
        ReleasedBlockRow.group_id == group,
        ReleasedBlockRow.direction == direction,
        ReleasedBlockRow.interval == interval,
        ReleasedBlockRow.day.between(min(days), max(days)),
    )
    rows = await connection.execute(query)
    return {day: (said, _numbers(counts, "I")) for day, said, counts in rows}


async def put_released(
    connection: AsyncConnection, kept: Mapping[RowKey, Mapping[GroupId, Kept]]
) -> None:
    """Keep what was released of rows, by group, in place of what was before."""
    columns = ("sums", "counts", "reasons", "final", "released_at")
    values = [
        _row(row)
        | {
            "group_id": group,
            "sums": _bytes(one.sums),
            "counts": _bytes(one.counts, "I"),
            "reasons": one.reasons,
            "final": int(one.final),
            "released_at": one.released_at,
        }
        for row, of in kept.items()
        for group, one in of.items()
    ]
    await upsert.put(connection, ReleasedBlockRow, values, *columns)


async def days_at_other_steps(
    connection: AsyncConnection,
    direction: Direction,
    days: Collection[date],
    steps: Collection[Interval],
) -> set[date]:
    """Give those UTC days of which something was released at a step that is none of these."""
    query = select(ReleasedBlockRow.day).where(
        ReleasedBlockRow.direction == direction,
        ReleasedBlockRow.interval.not_in(steps),
        ReleasedBlockRow.day.in_(days),
        ReleasedBlockRow.released_at.is_not(None),
    )
    return set((await connection.execute(query.distinct())).scalars())


async def unreleased(
    connection: AsyncConnection, direction: Direction, interval: Interval, days: Collection[date]
) -> dict[date, dict[MemberId, Unreleased]]:
    """Give the homes whose part of rows has changed since these were released."""
    query = (
        select(
            UnreleasedRow.day,
            UnreleasedRow.member_id,
            MemberRow.kind,
            UnreleasedRow.before,
            UnreleasedRow.now,
            UnreleasedRow.counted,
        )
        .join(MemberRow, MemberRow.id == UnreleasedRow.member_id)
        .where(
            UnreleasedRow.direction == direction,
            UnreleasedRow.interval == interval,
            UnreleasedRow.day.in_(days),
        )
    )
    found: dict[date, dict[MemberId, Unreleased]] = {day: {} for day in days}
    for day, member, kind, before, now, counted in await connection.execute(query):
        one = Unreleased(kind, _unpack(before), _unpack(now), bytearray(counted))
        found[day][member] = one
    return found


async def put_unreleased(
    connection: AsyncConnection, row: RowKey, changed: Mapping[MemberId, Unreleased]
) -> None:
    """Keep which changes were released by now."""
    for member, one in changed.items():
        await connection.execute(
            update(UnreleasedRow)
            .where(*_is(UnreleasedRow, row), UnreleasedRow.member_id == member)
            .values(before=_pack(one.before), counted=bytes(one.counted))
        )


async def sizes(connection: AsyncConnection, month: date) -> list[Size]:
    """Tell of each group of a month how many members of each kind count in it."""
    query = (
        select(
            MemberGroupRow.id,
            MemberGroupRow.kind,
            MemberGroupRow.name,
            MemberRow.kind,
            func.count(),
        )
        .join(InGroupRow, InGroupRow.group_id == MemberGroupRow.id)
        .join(MemberRow, MemberRow.id == InGroupRow.member_id)
        .where(*counts_in(month))
        .group_by(MemberGroupRow.id, MemberRow.kind)
        .order_by(MemberGroupRow.id)
    )
    return [Size(*row) for row in await connection.execute(query)]


async def homes_in(connection: AsyncConnection, group: GroupId, month: date) -> int:
    """Tell how many homes count in a group in a month."""
    query = (
        select(func.count())
        .select_from(InGroupRow)
        .join(MemberRow, MemberRow.id == InGroupRow.member_id)
        .where(InGroupRow.group_id == group, MemberRow.kind == "home", *counts_in(month))
    )
    return (await connection.execute(query)).scalar_one()


async def groups_of(
    connection: AsyncConnection, members: Collection[MemberId], month: date
) -> dict[MemberId, set[GroupId]]:
    """Give the groups in which members count in a month."""
    found: dict[MemberId, set[GroupId]] = {member: set() for member in members}
    for some in batched(members, _AT_ONCE, strict=False):
        query = select(InGroupRow.member_id, InGroupRow.group_id).where(
            InGroupRow.member_id.in_(some), *counts_in(month)
        )
        for member, group in await connection.execute(query):
            found[member].add(group)
    return found


async def of_days_alone(
    connection: AsyncConnection, direction: Direction, days: Sequence[date], most: int
) -> list[tuple[date, MemberId, int]]:
    """Give what homes have on these civil days that tell all of it in so few records, or fewer."""
    query = (
        select(MemberDayRow.day, MemberDayRow.member_id, MemberDayRow.watt_minutes)
        .join(MemberRow, MemberRow.id == MemberDayRow.member_id)
        .where(
            MemberDayRow.direction == direction,
            MemberDayRow.day.in_(days),
            MemberDayRow.records == MemberDayRow.expected,
            MemberDayRow.expected <= most,
            MemberRow.kind == "home",
        )
    )
    return [(day, member, energy) for day, member, energy in await connection.execute(query)]


async def final(connection: AsyncConnection, member: MemberId) -> None:
    """Let what was released with a member stay as it is."""
    stays = select(InGroupRow.group_id, InGroupRow.from_month, InGroupRow.until_month)
    for group, first, end in await connection.execute(stays.where(InGroupRow.member_id == member)):
        # The civil days of a month begin up to a day before it, or after.
        with_it = [
            ReleasedBlockRow.group_id == group,
            ReleasedBlockRow.day >= first - _DAY,
            ReleasedBlockRow.final == 0,
        ]
        if end is not None:
            with_it.append(ReleasedBlockRow.day <= end)
        await connection.execute(update(ReleasedBlockRow).where(*with_it).values(final=1))
    await connection.execute(delete(UnreleasedRow).where(UnreleasedRow.member_id == member))


async def _out(connection: AsyncConnection, rows: Collection[RowKey]) -> dict[RowKey, bytes]:
    """Give the reasons of those rows of which something was released that may be anew."""
    which = {
        "directions": list({row.direction for row in rows}),
        "intervals": list({row.interval for row in rows}),
        "days": list({row.day for row in rows}),
    }
    found = await connection.execute(_OUT_ANEW, which)
    return {RowKey(*row): reasons for *row, reasons in found}


async def _noted(
    connection: AsyncConnection, row: RowKey, members: Collection[MemberId]
) -> set[MemberId]:
    """Give of whom, among these members, a change of a row is noted."""
    these = UnreleasedRow.member_id.in_(members)
    query = select(UnreleasedRow.member_id).where(*_is(UnreleasedRow, row), these)
    return set((await connection.execute(query)).scalars())


def _due_at(row: RowKey, at: datetime) -> datetime:
    news = at.date() - _NEWS
    is_news = row.day >= (news.replace(day=1) if row.interval is Interval.P1D else news)
    return at if is_news else at + _TOGETHER


def _differ(before: Part, now: Part, reasons: bytes) -> bool:
    """Tell whether a part changes where something was released."""
    places = zip(before, now, reasons, strict=True)
    return any(old != new and reason == OUT for old, new, reason in places)


def _either(part: Part, other: Part) -> Part:
    """Give what a member has in a row of which two groups each have some places."""
    return tuple(b if a is None else a for a, b in zip(part, other, strict=True))


def _row(row: RowKey) -> dict[str, object]:
    return {"direction": row.direction, "interval_minutes": row.interval, "day": row.day}


def _is(
    table: type[UnreleasedRow], row: RowKey
) -> tuple[ColumnElement[bool], ColumnElement[bool], ColumnElement[bool]]:
    return table.direction == row.direction, table.interval == row.interval, table.day == row.day


def _pack(part: Iterable[int | None]) -> bytes:
    return _bytes([_NONE if one is None else one for one in part])


def _unpack(kept: bytes) -> list[int | None]:
    return [None if one == _NONE else one for one in _numbers(kept)]


def _bytes(numbers: Sequence[int], code: str = "q") -> bytes:
    return struct.pack(f"<{len(numbers)}{code}", *numbers)


def _numbers(kept: bytes, code: str = "q") -> tuple[int, ...]:
    return struct.unpack(f"<{len(kept) // struct.calcsize(code)}{code}", kept)
