"""All members at a glance: who tells, how much of what was granted is there, and what is wrong.

What is there is counted in records of civil days: no energy is read. A day counts from the first
that a member lets this collective read up to yesterday. A member that tells in two directions has
half of a day if one of them is missing.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Float, Subquery, and_, case, cast, distinct, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Direction
from ..store.collective_tables import (
    GivenRow,
    GivenSeriesRow,
    MemberDayRow,
    MemberId,
    MemberRow,
)
from ..store.tables import SeriesRow
from .members import Kind

SILENT_AFTER = timedelta(days=3)
"""Homes tell of an hour within the next one, of a day within the next day; and networks fail."""

_DAY = timedelta(days=1)
_WHOLE = 0.9999
_SHARE = cast(MemberDayRow.records, Float) / MemberDayRow.expected


class Status(StrEnum):
    """How it is with a member."""

    GUEST = "guest"
    """It was let in, and gave nothing yet."""
    TELLING = "telling"
    SILENT = "silent"
    """Nothing came for long of what it granted."""
    LEFT = "left"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Window:
    """Civil days, both included."""

    first: date
    last: date

    @classmethod
    def before(cls, today: date, days: int) -> Window:
        """Give the last days that are over."""
        return cls(today - days * _DAY, today - _DAY)

    @property
    def days(self) -> list[date]:
        """Each of them, the first one first."""
        return [self.first + n * _DAY for n in range((self.last - self.first).days + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A member. `there` is the share of what was granted of the window that is there.

    `since` and `until` are the first and the last civil day that are granted whole; None of whoever
    grants nothing. `there` is None where no day of the window is.
    """

    id: MemberId
    pseudonym: str
    kind: Kind
    name: str | None
    area: str | None
    status: Status
    joined_at: datetime
    heard_at: datetime | None
    permissions: int
    problems: int
    since: date | None
    until: date | None
    directions: int
    there: float | None

    def grants(self, day: date) -> bool:
        """Tell whether records of a civil day are granted."""
        return self.since is not None and self.until is not None and self.since <= day <= self.until


@dataclass(frozen=True, slots=True)
class DayOfAll:
    """Of so many members that grant a day, how many are there whole, and how many in part."""

    day: date
    granted: int
    whole: int
    partly: int

    @property
    def missing(self) -> int:
        """Members of whom nothing of the day is there."""
        return max(0, self.granted - self.whole - self.partly)


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who is or was here, and each day of the window."""

    entries: list[Entry]
    days: list[DayOfAll]


async def roster(
    connection: AsyncConnection, zone: ZoneInfo, window: Window, at: datetime
) -> Roster:
    """Look at all members: some queries, whose cost is that of the days of the window."""
    granted = await _granted(connection, zone)
    shares = await _by_member(connection, window)
    query = select(
        MemberRow.id,
        MemberRow.pseudonym,
        MemberRow.jid,
        MemberRow.kind,
        MemberRow.name,
        MemberRow.area,
        MemberRow.joined_at,
        MemberRow.left_at,
    ).order_by(MemberRow.id)
    entries = [
        _entry(row, granted.get(row.id), shares.get(row.id, 0.0), window, at)
        for row in await connection.execute(query)
    ]
    told = await _by_day(connection, window)
    return Roster(entries, list(_days(entries, told, window)))


async def shares(
    connection: AsyncConnection, members: Collection[MemberId], window: Window
) -> dict[MemberId, dict[date, float]]:
    """Give which share of each day of the window is there, of some members: from 0 to 1."""
    there = _there(window, members=members)
    query = select(there.c.member_id, there.c.day, there.c.share)
    found: dict[MemberId, dict[date, float]] = {member: {} for member in members}
    for member, day, share in await connection.execute(query):
        found[member][day] = min(1.0, float(share))
    return found


async def shares_by_direction(
    connection: AsyncConnection, member: MemberId, window: Window
) -> dict[Direction, dict[date, float]]:
    """Give which share of each day of the window is there of one member, by direction."""
    query = select(
        MemberDayRow.direction, MemberDayRow.day, MemberDayRow.records, MemberDayRow.expected
    ).where(MemberDayRow.member_id == member, MemberDayRow.day.between(window.first, window.last))
    found: dict[Direction, dict[date, float]] = {}
    for direction, day, records, expected in await connection.execute(query):
        found.setdefault(direction, {})[day] = records / expected
    return found


@dataclass(frozen=True, slots=True)
class _Granted:
    since: date
    until: date
    permissions: int
    directions: int
    heard_at: datetime | None
    given_at: datetime
    problems: int


def _series_of() -> Any:
    return (
        select(GivenRow.member_id)
        .join(GivenSeriesRow, GivenSeriesRow.given_id == GivenRow.id)
        .outerjoin(SeriesRow, SeriesRow.id == GivenSeriesRow.series_id)
        .where(GivenRow.state == "granted")
        .group_by(GivenRow.member_id)
    )


async def _granted(connection: AsyncConnection, zone: ZoneInfo) -> dict[MemberId, _Granted]:
    query = _series_of().add_columns(
        func.min(GivenRow.records_from),
        func.max(GivenRow.valid_until),
        func.count(distinct(GivenRow.id)),
        func.count(distinct(SeriesRow.direction)),
        func.max(GivenSeriesRow.heard_at),
        func.max(GivenRow.valid_from),
        func.count(GivenSeriesRow.problem),
    )
    return {
        member: _Granted(
            _first_whole_day(since.astimezone(zone)),
            (until.astimezone(zone) - _DAY).date(),
            *numbers,
        )
        for member, since, until, *numbers in await connection.execute(query)
    }


def _first_whole_day(since: datetime) -> date:
    return since.date() + (since.time() != time.min) * _DAY


async def _by_member(connection: AsyncConnection, window: Window) -> dict[MemberId, float]:
    """Give how many days of each member are there, in parts of a day."""
    ways = _ways()
    query = (
        select(ways.c.member_id, func.sum(_SHARE))
        .join(MemberDayRow, _of(ways, window))
        .group_by(ways.c.member_id)
    )
    count = select(ways.c.member_id, func.count()).group_by(ways.c.member_id)
    ways_of = dict((await connection.execute(count)).tuples().all())
    return {
        member: float(share) / ways_of[member] for member, share in await connection.execute(query)
    }


async def _by_day(connection: AsyncConnection, window: Window) -> dict[date, tuple[int, int]]:
    """Give of how many members something of each day is there, and of how many all of it."""
    # Most tell in one direction: their rows are not to be put together first.
    ways = _ways(count=1)
    whole = case((MemberDayRow.records == MemberDayRow.expected, 1), else_=0)
    single = (
        select(MemberDayRow.day, func.count(), func.sum(whole))
        .select_from(ways)
        .join(MemberDayRow, _of(ways, window))
        .group_by(MemberDayRow.day)
    )
    there = _there(window, several=True)
    several = select(
        there.c.day, func.count(), func.sum(case((there.c.share >= _WHOLE, 1), else_=0))
    ).group_by(there.c.day)
    found: dict[date, tuple[int, int]] = {}
    for query in (single, several):
        for day, some, all_of_it in await connection.execute(query):
            had, had_whole = found.get(day, (0, 0))
            found[day] = had + int(some), had_whole + int(all_of_it)
    return found


def _ways(count: int | None = None) -> Subquery:
    """Give in which directions each member tells; of those alone that tell in so many."""
    told = (
        select(GivenRow.member_id, SeriesRow.direction)
        .join(GivenSeriesRow, GivenSeriesRow.given_id == GivenRow.id)
        .join(SeriesRow, SeriesRow.id == GivenSeriesRow.series_id)
        .where(GivenRow.state == "granted")
    )
    if count is None:
        return told.distinct().subquery()
    of_each = told.with_only_columns(
        GivenRow.member_id, func.min(SeriesRow.direction).label("direction")
    )
    having = func.count(distinct(SeriesRow.direction)) == count
    return of_each.group_by(GivenRow.member_id).having(having).subquery()


def _of(ways: Subquery, window: Window) -> ColumnElement[bool]:
    """Say that a row is of a member and a direction, and of the window: its key is found so."""
    return and_(
        MemberDayRow.member_id == ways.c.member_id,
        MemberDayRow.direction == ways.c.direction,
        MemberDayRow.day.between(window.first, window.last),
    )


def _there(
    window: Window, *, members: Collection[MemberId] | None = None, several: bool = False
) -> Subquery:
    """Give which share of a day of the window is there, of whoever grants and told any of it.

    It is of these members alone, or of `several`: those that tell in more than one direction.
    """
    ways = _ways()
    count = select(ways.c.member_id, func.count().label("ways")).group_by(ways.c.member_id)
    if members is not None:
        count = count.where(ways.c.member_id.in_(list(members)))
    counted = (count.having(func.count() > 1) if several else count).subquery()
    share = func.sum(_SHARE) / counted.c.ways
    return (
        select(MemberDayRow.member_id, MemberDayRow.day, share.label("share"))
        .select_from(counted)
        .join(ways, ways.c.member_id == counted.c.member_id)
        .join(MemberDayRow, _of(ways, window))
        .group_by(MemberDayRow.member_id, MemberDayRow.day, counted.c.ways)
        .subquery()
    )


async def answered(connection: AsyncConnection) -> set[str]:
    """Give the data needs that somebody answers now."""
    query = select(distinct(GivenRow.need)).where(GivenRow.state == "granted")
    return set((await connection.execute(query)).scalars())


def _entry(row: Any, granted: _Granted | None, share: float, window: Window, at: datetime) -> Entry:
    days = 0
    if granted is not None:
        first, last = max(window.first, granted.since), min(window.last, granted.until)
        days = max(0, (last - first).days + 1)
    return Entry(
        id=row.id,
        pseudonym=row.pseudonym,
        kind=Kind(row.kind),
        name=row.name,
        area=row.area,
        status=_status(row, granted, at),
        joined_at=row.joined_at,
        heard_at=granted.heard_at if granted else None,
        permissions=granted.permissions if granted else 0,
        problems=granted.problems if granted else 0,
        since=granted.since if granted else None,
        until=granted.until if granted else None,
        directions=granted.directions if granted else 0,
        there=min(1.0, float(share) / days) if days else None,
    )


def _status(row: Any, granted: _Granted | None, at: datetime) -> Status:
    if row.jid is None:
        return Status.ERASED
    if granted is None:
        return Status.GUEST if row.left_at is None else Status.LEFT
    heard = granted.heard_at or granted.given_at
    return Status.SILENT if heard < at - SILENT_AFTER else Status.TELLING


def _days(
    entries: list[Entry], told: dict[date, tuple[int, int]], window: Window
) -> Iterator[DayOfAll]:
    """Count who grants each day, by who begins and who ends on it."""
    days = window.days
    steps = [0] * (len(days) + 1)
    for one in entries:
        if one.since is None or one.until is None:
            continue
        first, last = max(window.first, one.since), min(window.last, one.until)
        if first <= last:
            steps[(first - window.first).days] += 1
            steps[(last - window.first).days + 1] -= 1
    for day, granted in zip(days, accumulate(steps), strict=False):
        # Of the day on which a grant begins, a part may be there and is not counted.
        some, whole = (min(granted, one) for one in told.get(day, (0, 0)))
        yield DayOfAll(day, granted, whole, some - whole)
