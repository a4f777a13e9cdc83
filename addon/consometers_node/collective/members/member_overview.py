"""All members at a glance: who delivers, the share of granted records stored, the problems.

Shares are counted in records of UTC days: no energy is read. A day counts from the first one that a
member lets this collective read up to yesterday. A member that sends two directions has half of a
day if one of them is missing.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import distinct, func, select

from consometers_node.collective.calendar import Span
from consometers_node.permission import Reading
from consometers_node.series import Block, Device, Direction, Interval, Series
from consometers_node.store import SeriesId
from consometers_node.store.collective.tables import (
    MemberId,
    MemberPermissionRow,
    MemberPermissionSeriesRow,
    MemberRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.series import SERIES_FACTS
from consometers_node.store.tables import BlockRow, SeriesRow

from .members import MemberKind

SILENT_AFTER = timedelta(days=3)
"""Homes send an hour within the next one, a day within the next day; and networks fail."""

_DAY = timedelta(days=1)
_WHOLE = 0.9999
_IS_READ = MemberPermissionRow.reading == Reading.INDIVIDUAL


class Status(StrEnum):
    """The state of a member."""

    GUEST = "guest"
    """It was admitted, and has granted nothing yet."""
    DELIVERING = "delivering"
    SILENT = "silent"
    """No granted records have come for long."""
    LEFT = "left"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEntry:
    """A member. `since` and `until` are the first and the last civil day that are granted whole.

    They are None where none of its records may be read. `there` is the share of the granted records
    of the window that is here, None where no day of the window is granted. What `is_masked` is in
    protected sums alone: there are no records of it.
    """

    id: MemberId
    pseudonym: str
    kind: MemberKind
    name: str | None
    nickname: str | None
    area: str | None
    status: Status
    joined_at: datetime
    since: date | None
    until: date | None
    last_received_at: datetime | None
    problems: int
    invalid: int
    there: float | None
    is_masked: bool

    @property
    def title(self) -> str:
        """What administrators call it."""
        return self.name or self.nickname or self.pseudonym

    def grants(self, day: date) -> bool:
        """Return whether records of a civil day are granted."""
        return self.since is not None and self.until is not None and self.since <= day <= self.until


@dataclass(frozen=True, slots=True)
class DayOfAll:
    """A day: how many members grant it, and how many of these have it whole or in part."""

    day: date
    granted: int
    whole: int
    partly: int

    @property
    def missing(self) -> int:
        return max(0, self.granted - self.whole - self.partly)


@dataclass(frozen=True, slots=True)
class MemberOverview:
    """All present and former members, and each day of the window."""

    entries: list[MemberEntry]
    days: list[DayOfAll]


async def member_overview(
    connection: AsyncConnection, zone: ZoneInfo, window: Span, at: datetime
) -> MemberOverview:
    """Return all members, in a few queries whose cost grows with the days of the window."""
    shares_of = {
        member: _mean(directions)
        for member, directions in (await _by_direction(connection, window)).items()
    }
    granted = (
        select(
            MemberPermissionRow.member_id,
            func.min(MemberPermissionRow.records_from).filter(_IS_READ).label("since"),
            func.max(MemberPermissionRow.valid_until).filter(_IS_READ).label("until"),
            func.max(MemberPermissionRow.valid_from).label("given_at"),
            func.max(MemberPermissionSeriesRow.last_received_at).label("last_received_at"),
            func.count(MemberPermissionSeriesRow.problem).label("problems"),
            func.count(MemberPermissionSeriesRow.invalid_at).label("invalid"),
        )
        .join(MemberPermissionSeriesRow)
        .where(MemberPermissionRow.state == "granted")
        .group_by(MemberPermissionRow.member_id)
        .subquery()
    )
    query = (
        select(MemberRow.__table__, granted)
        .outerjoin(granted, granted.c.member_id == MemberRow.id)
        .order_by(MemberRow.id)
    )
    entries = [
        _entry(row, zone, sum(shares_of.get(row.id, {}).values()), window, at)
        for row in await connection.execute(query)
    ]
    some: Counter[date] = Counter()
    whole: Counter[date] = Counter()
    for days in shares_of.values():
        some.update(day for day, share in days.items() if share > 0)
        whole.update(day for day, share in days.items() if share >= _WHOLE)
    return MemberOverview(entries, list(_days(entries, some, whole, window)))


async def shares(
    connection: AsyncConnection, members: Collection[MemberId], window: Span
) -> dict[MemberId, dict[date, float]]:
    """Return the stored share of each day of the window, of some members: from 0 to 1."""
    directions = await _by_direction(connection, window, members)
    return {member: _mean(directions.get(member, {})) for member in members}


async def shares_by_direction(
    connection: AsyncConnection, member: MemberId, window: Span
) -> dict[Direction, dict[date, float]]:
    """Return the stored share of each day of the window of one member, by direction."""
    return (await _by_direction(connection, window, [member])).get(member, {})


async def _by_direction(
    connection: AsyncConnection, window: Span, members: Collection[MemberId] | None = None
) -> dict[MemberId, dict[Direction, dict[date, float]]]:
    """Return the stored share of each day, of members that grant something, by direction.

    Of a device with several series the best one counts.
    """
    granted = (
        select(MemberPermissionRow.member_id, SeriesRow.id, *SERIES_FACTS)
        .join(
            MemberPermissionSeriesRow,
            MemberPermissionSeriesRow.permission_id == MemberPermissionRow.id,
        )
        .join(SeriesRow)
        .where(MemberPermissionRow.state == "granted")
        .distinct()
    )
    if members is not None:
        granted = granted.where(MemberPermissionRow.member_id.in_(list(members)))
    directions: dict[MemberId, dict[Direction, dict[date, float]]] = {}
    whose: dict[SeriesId, tuple[MemberId, Series]] = {}
    for member, series_id, *facts in await connection.execute(granted):
        series = Series(*facts)
        whose[series_id] = member, series
        directions.setdefault(member, {}).setdefault(series.direction, {})
    # The block of a UTC day has the civil day that starts in it: the next one, east of Greenwich.
    days = BlockRow.day.between(window.first - _DAY, window.last + _DAY)
    query = select(BlockRow.series_id, BlockRow.day, BlockRow.packed).where(
        days, BlockRow.series_id.in_(granted.with_only_columns(SeriesRow.id))
    )
    shares: dict[tuple[MemberId, Direction, date], dict[Device, float]] = {}
    for series_id, day, packed in await connection.execute(query):
        if series_id not in whose:
            continue
        member, series = whose[series_id]
        civil_day = day
        if series.interval is Interval.P1D and (starts := series.starts(day)):
            civil_day = starts[0].astimezone(ZoneInfo(series.time_zone)).date()
        if window.first <= civil_day <= window.last:
            missing, total = Block.missing(packed)
            devices = shares.setdefault((member, series.direction, civil_day), {})
            share = (total - missing) / total
            devices[series.device] = max(share, devices.get(series.device, 0.0))
    for (member, direction, day), devices in shares.items():
        directions[member][direction][day] = sum(devices.values()) / len(devices)
    return directions


def _mean(by_direction: Mapping[Direction, Mapping[date, float]]) -> dict[date, float]:
    """Return the mean of all directions, for each day with records."""
    means: dict[date, float] = {}
    for days in by_direction.values():
        for day, share in days.items():
            means[day] = means.get(day, 0.0) + share / len(by_direction)
    return means


async def granted_needs(connection: AsyncConnection) -> set[str]:
    """Return the data needs with a valid permission."""
    query = select(distinct(MemberPermissionRow.need)).where(MemberPermissionRow.state == "granted")
    return set((await connection.execute(query)).scalars())


def _entry(row: Any, zone: ZoneInfo, share: float, window: Span, at: datetime) -> MemberEntry:
    since = until = None
    days = 0
    if row.since is not None:
        start = row.since.astimezone(zone)
        since = start.date() + (start.time() != time.min) * _DAY
        until = (row.until.astimezone(zone) - _DAY).date()
        days = max(0, (min(window.last, until) - max(window.first, since)).days + 1)
    return MemberEntry(
        id=row.id,
        pseudonym=row.pseudonym,
        kind=MemberKind(row.kind),
        name=row.name,
        nickname=row.nickname,
        area=row.area,
        status=_status(row, at),
        joined_at=row.joined_at,
        since=since,
        until=until,
        last_received_at=row.last_received_at,
        problems=row.problems or 0,
        invalid=row.invalid or 0,
        there=min(1.0, share / days) if days else None,
        is_masked=row.since is None and row.given_at is not None,
    )


def _status(row: Any, at: datetime) -> Status:
    if row.jid is None:
        return Status.ERASED
    if row.given_at is None:
        return Status.GUEST if row.left_at is None else Status.LEFT
    last = row.last_received_at or row.given_at
    return Status.SILENT if last < at - SILENT_AFTER else Status.DELIVERING


def _days(
    entries: list[MemberEntry], some: Counter[date], whole: Counter[date], window: Span
) -> Iterator[DayOfAll]:
    """Count the members that grant each day, by those whose permissions begin and end on it."""
    steps: Counter[date] = Counter()
    for entry in entries:
        if entry.since and entry.until and max(window.first, entry.since) <= entry.until:
            steps[max(window.first, entry.since)] += 1
            steps[entry.until + _DAY] -= 1
    granted = 0
    for day in window:
        granted += steps[day]
        # Of the day on which a permission begins, a part may be here and is not counted.
        all_of_it = min(granted, whole[day])
        yield DayOfAll(day, granted, all_of_it, min(granted, some[day]) - all_of_it)
