"""The series that members let this collective read, and how far each was read."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update

from consometers_node.series import Direction, Interval, Range, Series
from consometers_node.store.engine.any_of import among
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_node.store.series import SERIES_FACTS
from consometers_node.store.tables import SeriesId, SeriesRow

from .set_aside import some_apart
from .tables import (
    MemberId,
    MemberPermissionId,
    MemberPermissionRow,
    MemberPermissionSeriesRow,
    MemberRow,
)

_NAMES_AT_ONCE = 1_000

type Key = tuple[MemberPermissionId, str]
"""A permission of a member, and the name of one of its series."""


@dataclass(frozen=True, slots=True)
class MemberSeries:
    """A series that may be read at no finer interval than that.

    `records` is when they start; at its end the permission ends too. What the series is of is
    known from its first records on. Where `is_masked`, masked reports come, and no record.

    `subscribed_kva` is the subscribed power of its meter, as the member says it; `accepted_w` the
    power up to which an administrator accepts the member's records.
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
    invalid_at: datetime | None
    has_records_set_aside: bool
    reading: str
    masked_direction: Direction | None
    subscribed_kva: int | None
    accepted_w: int | None
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


_FACTS = columns_of(
    MemberPermissionSeriesRow,
    MemberSeries,
    permission=MemberPermissionSeriesRow.permission_id,
    member=MemberPermissionRow.member_id,
    jid=MemberRow.jid,
    kind=MemberRow.kind,
    interval=MemberPermissionRow.interval,
    has_records_set_aside=some_apart(MemberPermissionSeriesRow.series_id),
    reading=MemberPermissionRow.reading,
    accepted_w=MemberRow.accepted_w,
)
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
_UNDER_NAMES = _GRANTED.where(among(names=MemberPermissionSeriesRow.identifier)).with_for_update(
    read=True, of=MemberPermissionRow
)
_UNDER_PERMISSIONS = _GRANTED.where(
    among(ids=MemberPermissionSeriesRow.permission_id)
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
        among(
            ids=MemberPermissionSeriesRow.permission_id, names=MemberPermissionSeriesRow.identifier
        )
    )
    .values(last_received_at=bindparam("at"))
)


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
    return (await connection.execute(query)).scalar_one()


async def granting_members(connection: AsyncConnection) -> set[str]:
    """Return the bare JIDs of all members with a valid permission."""
    return set(filter(None, (await connection.execute(_GRANTING)).scalars()))


async def members_without_subscription(connection: AsyncConnection) -> set[str]:
    """Return the bare JIDs of the members with a grant that was not yet requested from them."""
    return set(filter(None, (await connection.execute(_WITHOUT_SUBSCRIPTION)).scalars()))


async def note_received(connection: AsyncConnection, keys: Iterable[Key], at: datetime) -> None:
    """Note when records of these series came."""
    ids, names = zip(*keys, strict=True)
    await connection.execute(_NOTE_RECEIVED, {"ids": ids, "names": names, "at": at})


async def update_series(connection: AsyncConnection, key: Key, **values: object) -> None:
    """Store facts of a series: see `MemberPermissionSeriesRow`."""
    permission, name = key
    row = (
        MemberPermissionSeriesRow.permission_id == permission,
        MemberPermissionSeriesRow.identifier == name,
    )
    await connection.execute(update(MemberPermissionSeriesRow).where(*row).values(**values))


async def _read(
    connection: AsyncConnection, query: Select[Any], **values: object
) -> list[MemberSeries]:
    read = []
    for row in await connection.execute(query, values):
        start, end, *of_series = row[len(_FACTS) :]
        series = None if row.series_id is None else Series(*of_series)
        facts: tuple[Any, ...] = (*row[: len(_FACTS)], Range(start, end), series)
        read.append(MemberSeries(*facts))
    return read
