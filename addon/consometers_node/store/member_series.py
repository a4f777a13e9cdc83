"""The series that members let this collective read, and how far each was read."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update

from ..series import Direction, Interval, Range, Series
from .any_of import among, pair_among
from .collective_tables import (
    MemberId,
    MemberPermissionId,
    MemberPermissionRow,
    MemberPermissionSeriesRow,
    MemberRow,
)
from .connection import AsyncConnection
from .series import SERIES_FACTS
from .set_aside import some_apart
from .tables import SeriesId, SeriesRow

_NAMES_AT_ONCE = 1_000

_FACTS = (
    MemberPermissionSeriesRow.permission_id,
    MemberPermissionSeriesRow.identifier,
    MemberPermissionRow.member_id,
    MemberRow.jid,
    MemberRow.kind,
    MemberPermissionRow.interval,
    MemberPermissionSeriesRow.series_id,
    MemberPermissionSeriesRow.backfilled_until,
    MemberPermissionSeriesRow.subscribed_at,
    MemberPermissionSeriesRow.last_received_at,
    MemberPermissionSeriesRow.problem,
    some_apart(MemberPermissionSeriesRow.series_id),
    MemberPermissionRow.reading,
    MemberPermissionSeriesRow.masked_direction,
)
"""The columns of the first fields of `MemberSeries`, in their order."""
_GRANTED = (
    select(
        *_FACTS, MemberPermissionRow.records_from, MemberPermissionRow.valid_until, *SERIES_FACTS
    )
    .join(MemberPermissionRow, MemberPermissionRow.id == MemberPermissionSeriesRow.permission_id)
    .join(MemberRow, MemberRow.id == MemberPermissionRow.member_id)
    .outerjoin(SeriesRow, SeriesRow.id == MemberPermissionSeriesRow.series_id)
    .where(MemberPermissionRow.state == "granted", MemberRow.jid.is_not(None))
    .order_by(
        MemberPermissionRow.records_from,
        MemberPermissionSeriesRow.permission_id,
        MemberPermissionSeriesRow.identifier,
    )
)
_OF_MEMBER = _GRANTED.where(MemberRow.jid == bindparam("jid"))
_UNDER_NAMES = _GRANTED.where(among(MemberPermissionSeriesRow.identifier, "names")).with_for_update(
    read=True, of=MemberPermissionRow
)
_UNDER_PERMISSIONS = _GRANTED.where(
    among(MemberPermissionSeriesRow.permission_id, "ids")
).with_for_update(read=True, of=MemberPermissionRow)
_GRANTING = (
    select(MemberRow.jid)
    .join(MemberPermissionRow, MemberPermissionRow.member_id == MemberRow.id)
    .where(MemberPermissionRow.state == "granted", MemberRow.jid.is_not(None))
)
_WITHOUT_SUBSCRIPTION = _GRANTING.join(MemberPermissionSeriesRow).where(
    MemberPermissionSeriesRow.subscribed_at.is_(None)
)
_NOTE_RECEIVED = (
    update(MemberPermissionSeriesRow)
    .where(
        pair_among(
            MemberPermissionSeriesRow.permission_id,
            MemberPermissionSeriesRow.identifier,
            ("ids", "names"),
        )
    )
    .values(last_received_at=bindparam("at"))
)

type Key = tuple[MemberPermissionId, str]
"""A permission of a member, and the name of one of its series."""


@dataclass(frozen=True, slots=True)
class MemberSeries:
    """A series that may be read at no finer interval than that.

    `records` is when they start; at its end the permission ends too. What the series is of is
    known from its first records on. Where `is_masked`, masked reports come, and no record.
    """

    permission: MemberPermissionId
    identifier: str
    member: MemberId
    jid: str
    kind: str
    interval: Interval
    series_id: SeriesId | None
    backfilled_until: datetime | None
    subscribed_at: datetime | None
    last_received_at: datetime | None
    problem: str | None
    has_records_set_aside: bool
    reading: str
    masked_direction: Direction | None
    records: Range
    series: Series | None

    @property
    def key(self) -> Key:
        """Its identifier."""
        return self.permission, self.identifier

    @property
    def is_masked(self) -> bool:
        return self.reading == "sum"

    def of_direction(self, direction: Direction) -> MemberSeries:
        """Return it as the series whose masked reports are of a direction."""
        return replace(self, masked_direction=direction)


async def under_names(connection: AsyncConnection, names: Collection[str]) -> list[MemberSeries]:
    """Return the grants under these names, locked until the transaction ends."""
    granted = []
    for batch in batched(names, _NAMES_AT_ONCE, strict=False):
        granted += await _read(connection, _UNDER_NAMES, names=batch)
    return granted


async def under_permissions(
    connection: AsyncConnection, permissions: Collection[str]
) -> list[MemberSeries]:
    """Return the series of valid permissions, locked until the transaction ends."""
    if not permissions:
        return []
    return await _read(connection, _UNDER_PERMISSIONS, ids=list(permissions))


async def of_member(connection: AsyncConnection, jid: str) -> list[MemberSeries]:
    """Return the grants of a member (its bare JID)."""
    return await _read(connection, _OF_MEMBER, jid=jid)


async def last_received_at(connection: AsyncConnection) -> datetime | None:
    """Return when records last came of any member."""
    query = select(func.max(MemberPermissionSeriesRow.last_received_at))
    last: datetime | None = (await connection.execute(query)).scalar_one()
    return last


async def granting_members(connection: AsyncConnection) -> set[str]:
    """Return the bare JIDs of all members with a valid permission."""
    return {jid for jid in (await connection.execute(_GRANTING)).scalars() if jid is not None}


async def members_without_subscription(connection: AsyncConnection) -> set[str]:
    """Return the bare JIDs of the members with a grant that was not yet requested from them."""
    return {
        jid
        for jid in (await connection.execute(_WITHOUT_SUBSCRIPTION)).scalars()
        if jid is not None
    }


async def learn(connection: AsyncConnection, key: Key, series: SeriesId) -> None:
    """Store the series of a permission, once its first records determine it."""
    await _set(connection, key, series_id=series)


async def note_received(connection: AsyncConnection, keys: Iterable[Key], at: datetime) -> None:
    """Note when records of these series came."""
    ids, names = zip(*keys, strict=True)
    await connection.execute(_NOTE_RECEIVED, {"ids": ids, "names": names, "at": at})


async def note_subscribed(connection: AsyncConnection, key: Key, at: datetime) -> None:
    """Note that the member sends new records."""
    await _set(connection, key, subscribed_at=at)


async def note_backfilled(connection: AsyncConnection, key: Key, until: datetime) -> None:
    """Note up to where the past was requested, and that there is no problem."""
    await _set(connection, key, backfilled_until=until, problem=None)


async def note_problem(connection: AsyncConnection, key: Key, problem: str) -> None:
    """Note why records stopped."""
    await _set(connection, key, problem=problem)


async def _set(connection: AsyncConnection, key: Key, **values: object) -> None:
    permission, name = key
    row = (
        MemberPermissionSeriesRow.permission_id == permission,
        MemberPermissionSeriesRow.identifier == name,
    )
    await connection.execute(update(MemberPermissionSeriesRow).where(*row).values(**values))


async def _read(
    connection: AsyncConnection, query: Select[Any], **values: object
) -> list[MemberSeries]:
    return [_member_series(*row) for row in await connection.execute(query, values)]


def _member_series(*row: Any) -> MemberSeries:
    series = None if row[6] is None else Series(*row[16:])
    fields: tuple[Any, ...] = (*row[:14], Range(*row[14:16]), series)
    return MemberSeries(*fields)
