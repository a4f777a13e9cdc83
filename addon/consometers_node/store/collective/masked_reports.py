"""Masked reports of members, and the requests to witnesses to open them."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from consometers_node.series import Direction, Interval, Range
from consometers_node.store.engine import upsert
from consometers_node.store.engine.any_of import among
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import aliased, columns_of
from consometers_node.store.tables import SeriesRow

from .tables import (
    ClosedIntervalRow,
    DeviceClaimRow,
    MaskedReportRow,
    MemberId,
    MemberPermissionId,
    MemberPermissionRow,
    MemberPermissionSeriesRow,
    OpeningRow,
)


class StoredReport(NamedTuple):
    """A masked value of an hour, with its proof."""

    permission: MemberPermissionId
    day: date
    nonce: bytes
    masked: bytes


class SumPermission(NamedTuple):
    """A permission by which a member sends masked reports of a direction, with the need it answers.

    `identifier` names the series, `records_from` is its first instant, `last_received_at` is when
    reports last came.
    """

    id: MemberPermissionId
    member: MemberId
    need: str
    version: int
    identifier: str
    records_from: datetime
    last_received_at: datetime | None
    is_granted: bool


@dataclass(frozen=True, slots=True)
class StoredOpening:
    """A request to a witness to open sums of an hour: see `OpeningRow`."""

    direction: Direction
    start: datetime
    witness: str
    groups: str
    verification_key: bytes
    request: bytes
    asked_at: datetime
    sums_sent: bool = False
    answer: str | None = None


_REPORT_FACTS = columns_of(MaskedReportRow, StoredReport, permission=MaskedReportRow.permission_id)
_OPENING_FACTS = columns_of(OpeningRow, StoredOpening, sums_sent=OpeningRow.sums_sent == 1)
_SUM_PERMISSION_FACTS = columns_of(
    MemberPermissionRow,
    SumPermission,
    member=MemberPermissionRow.member_id,
    identifier=MemberPermissionSeriesRow.identifier,
    last_received_at=MemberPermissionSeriesRow.last_received_at,
    is_granted=MemberPermissionRow.state == "granted",
)
_NOTE_RECEIVED = (
    update(MemberPermissionSeriesRow)
    .where(among(ids=MemberPermissionSeriesRow.permission_id))
    .values(last_received_at=bindparam("at"))
)
_NOTE_INVALID = (
    update(MemberPermissionSeriesRow)
    .where(
        among(ids=MemberPermissionSeriesRow.permission_id),
        MemberPermissionSeriesRow.invalid_at.is_distinct_from(bindparam("hour")),
    )
    .values(invalid_at=bindparam("hour"))
)


async def put_reports(
    connection: AsyncConnection, reports: Iterable[tuple[Direction, datetime, StoredReport]]
) -> None:
    """Store reports of hours, each in place of the former one."""
    rows = [
        {"direction": direction, "start": start, "permission_id": report.permission}
        | {"day": report.day, "nonce": report.nonce, "masked": report.masked}
        for direction, start, report in reports
    ]
    await upsert.put(connection, MaskedReportRow, rows)


async def reports_of_hour(
    connection: AsyncConnection, direction: Direction, start: datetime
) -> list[StoredReport]:
    """Return the reports of an hour, in the order of their permissions."""
    query = (
        select(*_REPORT_FACTS)
        .where(MaskedReportRow.direction == direction, MaskedReportRow.start == start)
        .order_by(MaskedReportRow.permission_id)
    )
    return [StoredReport(*row) for row in await connection.execute(query)]


async def hours_too_late(
    connection: AsyncConnection, hours: Collection[tuple[Direction, datetime]]
) -> set[tuple[Direction, datetime]]:
    """Return which of these hours are closed, or in an opening: they accept no more reports."""
    if not hours:
        return set()
    first, last = min(start for _, start in hours), max(start for _, start in hours)
    closed = select(ClosedIntervalRow.direction, ClosedIntervalRow.start).where(
        ClosedIntervalRow.direction.in_({direction for direction, _ in hours}),
        ClosedIntervalRow.interval == Interval.PT1H,
        ClosedIntervalRow.protected.in_((0, 1)),  # by the whole key
        ClosedIntervalRow.start.between(first, last),
    )
    opening = select(OpeningRow.direction, OpeningRow.start).where(
        OpeningRow.start.between(first, last)
    )
    late = {tuple(row) for query in (closed, opening) for row in await connection.execute(query)}
    return {hour for hour in hours if hour in late}


async def sum_permissions(
    connection: AsyncConnection, direction: Direction
) -> dict[MemberPermissionId, SumPermission]:
    """Return the permissions by which reports of a direction came, those that ended too.

    Of two of one member, the one that holds comes last.
    """
    query = (
        select(*_SUM_PERMISSION_FACTS)
        .join(
            MemberPermissionSeriesRow,
            MemberPermissionSeriesRow.permission_id == MemberPermissionRow.id,
        )
        .where(MemberPermissionSeriesRow.masked_direction == direction)
        .order_by("is_granted", MemberPermissionRow.valid_from, MemberPermissionRow.id)
    )
    return {row.id: SumPermission(*row) for row in await connection.execute(query)}


async def summed_directions(connection: AsyncConnection) -> set[Direction]:
    """Return the directions in which homes count in protected sums."""
    direction = MemberPermissionSeriesRow.masked_direction
    query = (
        select(direction)
        .join(
            MemberPermissionRow, MemberPermissionRow.id == MemberPermissionSeriesRow.permission_id
        )
        .where(direction.is_not(None), MemberPermissionRow.state == "granted")
        .distinct()
    )
    return {way for (way,) in await connection.execute(query) if way is not None}


async def read_individually(connection: AsyncConnection, direction: Direction) -> set[MemberId]:
    """Return the members with reports of a direction whose records of it may be read, too."""
    masked = (
        select(MemberPermissionRow.member_id)
        .join(MemberPermissionSeriesRow)
        .where(MemberPermissionSeriesRow.masked_direction == direction)
    )
    query = (
        select(SeriesRow.member_id)
        .join(MemberPermissionSeriesRow, MemberPermissionSeriesRow.series_id == SeriesRow.id)
        .join(
            MemberPermissionRow, MemberPermissionRow.id == MemberPermissionSeriesRow.permission_id
        )
        .where(
            SeriesRow.direction == direction,
            MemberPermissionRow.state == "granted",
            SeriesRow.member_id.in_(masked),
        )
    )
    return set(map(MemberId, (await connection.execute(query)).scalars()))


async def claimed_by_others(connection: AsyncConnection) -> set[tuple[MemberId, str]]:
    """Return the devices that members name without counting there: see `claims`."""
    query = select(DeviceClaimRow.member_id, DeviceClaimRow.device).where(
        DeviceClaimRow.counts == 0
    )
    return set((await connection.execute(query)).tuples())


async def note_reports(
    connection: AsyncConnection,
    permissions: Collection[tuple[MemberPermissionId, Direction]],
    at: datetime,
) -> None:
    """Note when reports of these permissions came."""
    for direction in {direction for _, direction in permissions}:
        ids = [permission for permission, way in permissions if way is direction]
        of_direction = _NOTE_RECEIVED.where(MemberPermissionSeriesRow.masked_direction == direction)
        await connection.execute(of_direction, {"ids": ids, "at": at})


async def note_invalid(
    connection: AsyncConnection,
    permissions: Collection[MemberPermissionId],
    direction: Direction,
    hour: datetime | None,
) -> None:
    """Store the hour of an invalid report with these permissions; None clears it."""
    await connection.execute(
        _NOTE_INVALID.where(MemberPermissionSeriesRow.masked_direction == direction),
        {"ids": list(permissions), "hour": hour},
    )


def _first_report(direction: Direction) -> ScalarSelect[datetime]:
    first = select(func.min(MaskedReportRow.start)).where(MaskedReportRow.direction == direction)
    return first.scalar_subquery()


_FIRST_REPORTS = select(*map(_first_report, Direction))


async def first_reports(connection: AsyncConnection) -> dict[Direction, datetime]:
    """Return the first hour of which a report is held, by direction."""
    starts = (await connection.execute(_FIRST_REPORTS)).one()
    return {way: start for way, start in zip(Direction, starts, strict=True) if start is not None}


async def openings(
    connection: AsyncConnection,
    direction: Direction | None = None,
    start: datetime | None = None,
    *,
    unanswered: bool = False,
) -> list[StoredOpening]:
    """Return the requests to witnesses, in the order of time: of an hour of a direction, or all."""
    query = select(*_OPENING_FACTS).order_by(
        OpeningRow.start, OpeningRow.direction, OpeningRow.witness
    )
    if direction is not None:
        query = query.where(OpeningRow.direction == direction, OpeningRow.start == start)
    if unanswered:
        query = query.where(OpeningRow.answer.is_(None))
    return [StoredOpening(*row) for row in await connection.execute(query)]


async def waiting_since(connection: AsyncConnection) -> datetime | None:
    """Return since when the first opening has waited for an answer; None where none does."""
    query = select(func.min(OpeningRow.asked_at)).where(OpeningRow.answer.is_(None))
    since: datetime | None = (await connection.execute(query)).scalar_one()
    return since


async def store_opening(connection: AsyncConnection, opening: StoredOpening) -> None:
    """Store a request to a witness."""
    row = asdict(opening) | {"sums_sent": int(opening.sums_sent)}
    await connection.execute(insert(OpeningRow).values(row))


async def ask_less(connection: AsyncConnection, opening: StoredOpening) -> None:
    """Replace a request that a witness refused before its sums left."""
    values = {"groups": opening.groups, "request": opening.request}
    asked = *_is(opening), OpeningRow.sums_sent == 0
    await connection.execute(update(OpeningRow).where(*asked).values(values))


async def note_sums_sent(connection: AsyncConnection, opening: StoredOpening) -> bool:
    """Note that the sums of an opening leave; return whether this request still waits for them.

    From then on, no sums of other homes leave for this hour: `ask_less` does nothing.
    """
    asked = *_is(opening), OpeningRow.request == opening.request, OpeningRow.answer.is_(None)
    noted = await connection.execute(update(OpeningRow).where(*asked).values(sums_sent=1))
    return noted.rowcount > 0


async def store_answer(connection: AsyncConnection, opening: StoredOpening, answer: str) -> None:
    """Store a witness's answer to an opening, if the request is still the same."""
    asked = *_is(opening), OpeningRow.request == opening.request, OpeningRow.answer.is_(None)
    await connection.execute(update(OpeningRow).where(*asked).values(answer=answer))


def _is(opening: StoredOpening) -> tuple[ColumnElement[bool], ...]:
    return (
        OpeningRow.direction == opening.direction,
        OpeningRow.start == opening.start,
        OpeningRow.witness == opening.witness,
    )


_OPENED = exists().where(
    OpeningRow.direction == MaskedReportRow.direction, OpeningRow.start == MaskedReportRow.start
)


async def answered_hours(
    connection: AsyncConnection, most: int
) -> list[tuple[Direction, datetime]]:
    """Return hours all of whose requests to witnesses are answered, the first ones."""
    waiting = aliased(OpeningRow)
    query = (
        select(OpeningRow.direction, OpeningRow.start)
        .where(
            OpeningRow.answer.is_not(None),
            ~exists().where(
                waiting.direction == OpeningRow.direction,
                waiting.start == OpeningRow.start,
                waiting.answer.is_(None),
            ),
        )
        .distinct()
        .order_by(OpeningRow.start, OpeningRow.direction)
        .limit(most)
    )
    return [(direction, start) for direction, start in await connection.execute(query)]


async def waiting_hours(
    connection: AsyncConnection, within: Range
) -> set[tuple[Direction, datetime]]:
    """Return the hours that start in a range of which a protected sum is not closed yet."""
    start = OpeningRow.start
    query = select(OpeningRow.direction, start).where(start >= within.start, start < within.end)
    return set((await connection.execute(query)).tuples())


async def forget_opened(connection: AsyncConnection, direction: Direction, start: datetime) -> None:
    """Remove the reports of an hour whose protected sum was closed, with its openings."""
    for table in (MaskedReportRow, OpeningRow):
        gone = table.direction == direction, table.start == start
        await connection.execute(delete(table).where(*gone))


async def forget_closed(connection: AsyncConnection, direction: Direction, start: datetime) -> None:
    """Remove the reports of an hour that was closed, and those before, that are in no opening."""
    gone = MaskedReportRow.direction == direction, MaskedReportRow.start <= start, ~_OPENED
    await connection.execute(delete(MaskedReportRow).where(*gone))


async def forget_before(connection: AsyncConnection, start: datetime) -> None:
    """Remove the reports of hours that started before then and are in no opening."""
    old = delete(MaskedReportRow).where(MaskedReportRow.start < start, ~_OPENED)
    await connection.execute(old)


async def erase_reports(
    connection: AsyncConnection, permissions: Collection[MemberPermissionId]
) -> int:
    """Remove the reports of permissions of hours that are in no opening; count them."""
    gone = MaskedReportRow.permission_id.in_(permissions), ~_OPENED
    return (await connection.execute(delete(MaskedReportRow).where(*gone))).rowcount
