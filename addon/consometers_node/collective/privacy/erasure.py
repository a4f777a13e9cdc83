"""Erasure of a member's records: only sums that were published with others' records stay.

The register of permissions stays as proof, and the member as an id and a pseudonym that say nothing
of it. Published sums stay: they are nobody's personal data. What becomes of each column is declared
with it: see `Erasure` in `store/engine/declaration.py`. The caller wipes the database afterwards.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, func, or_, select, update

from consometers_node.collective.members.invitations import forget_note
from consometers_node.collective.members.members import Members
from consometers_node.collective.output_series import forget_old_names
from consometers_node.collective.permissions import claims, member_permissions
from consometers_node.collective.permissions.member_permissions import (
    MemberPermission,
    PermissionActor,
)
from consometers_node.series import Block, Range, Series
from consometers_node.store import Store
from consometers_node.store.clock import Confirmed
from consometers_node.store.collective import access_log
from consometers_node.store.collective.masked_reports import erase_reports
from consometers_node.store.collective.set_aside import remove_before
from consometers_node.store.collective.tables import (
    MemberId,
    MemberPermissionId,
    MemberPermissionRow,
    MemberPermissionSeriesRow,
    MemberRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import Erasure, aliased
from consometers_node.store.engine.exclusive import alone
from consometers_node.store.outbox import take_turns
from consometers_node.store.personal import delete_rows
from consometers_node.store.series import (
    SERIES_FACTS,
    blocks,
    count_records,
    counts,
    days_of,
    erase_series,
    put_blocks,
    put_counts,
)
from consometers_node.store.settings import set_setting, setting
from consometers_node.store.tables import (
    BlockRow,
    DataNeedRow,
    MemberCountRow,
    PeerRow,
    SeriesId,
    SeriesRow,
)
from consometers_quoalise import Erased, Identifier
from consometers_quoalise.records.identifier import identifier

NOTIFY_FOR = timedelta(days=30)
"""How long after the end an erased member is notified, if its node cannot be reached at once."""

_EVER = datetime(1978, 7, 5, tzinfo=UTC)
_NEVER = datetime(2100, 1, 1, tzinfo=UTC)
_TO_WIPE = "to wipe"
"""A setting: erased data may remain in the files."""


@dataclass(frozen=True, slots=True)
class _EndedSeries:
    """A series whose records came by a permission that has ended.

    Records that start from `retained_from` on stay by another permission of the member; all are
    erased if it is None.
    """

    name: Identifier
    id: SeriesId
    series: Series
    permission_id: MemberPermissionId
    retained_from: datetime | None

    @property
    def erased(self) -> Range:
        """When the erased records start."""
        return Range(_EVER, self.retained_from or _NEVER)


async def erase(
    store: Store,
    zone: ZoneInfo,
    permission: MemberPermission,
    at: datetime,
    actor: PermissionActor = PermissionActor.CLOCK,
) -> tuple[Erased, ...]:
    """Erase the records of a permission, with the last one its member too; return what they were.

    Erasures that were asked for of other permissions of the member are done with it. Records that
    another permission lets be kept stay.
    """
    async with store.writing() as connection:
        # In the order of the write queue.
        await take_turns(connection)
        await alone(connection)
        members = Members(connection, zone)
        ended = {
            other.id: other
            for other in await member_permissions.due(connection, None)
            if other.member == permission.member
        }
        current = await member_permissions.get(connection, permission.id)
        if current.series:
            ended[current.id] = current
        erased = await _ended_series(connection, permission.member, ended)
        counts = await count_records(
            connection, {each.id: (each.series, [each.erased]) for each in erased}
        )
        for each in erased:
            if each.retained_from is not None:
                await _hand_on(connection, permission.member, each, ended)
                await _shorten(connection, each, each.retained_from, at)
        whole = [each.id for each in erased if each.retained_from is None]
        await erase_series(connection, whole)
        await erase_reports(connection, ended)
        await delete_rows(connection, Erasure.WITH_PERMISSION, list(ended))
        await connection.execute(delete(SeriesRow).where(SeriesRow.id.in_(whole)))
        await claims.let_go(connection, permission.member)
        for other in ended.values():
            total = sum(counts[each.id] for each in erased if each.permission_id == other.id)
            await member_permissions.note(connection, other.id, other.state, actor, erased=total)
        await order_wipe(connection)
        await forget_old_names(connection)
        await forget_if_gone(members, permission.member, at)
        return tuple(Erased(each.name, counts[each.id]) for each in erased)


async def erase_due(store: Store, zone: ZoneInfo, now: Confirmed | None, at: datetime) -> int:
    """Erase the records that are due: see `member_permissions.due`; return how many times."""
    count = 0
    while True:
        async with store.reading() as connection:
            due = await member_permissions.due(connection, now)
        if not due:
            return count
        await erase(store, zone, due[0], at)
        count += 1


async def erase_member(
    store: Store, zone: ZoneInfo, member: MemberId, at: datetime
) -> tuple[Erased, ...]:
    """End all permissions of a member in the collective's name, and erase their records.

    Its address alone is kept until its node was notified, or for `NOTIFY_FOR`: see
    `forget_notified`.
    """
    async with store.writing() as connection:
        members = Members(connection, zone)
        ended = [
            await member_permissions.terminate(members, permission.id, at)
            for permission in await member_permissions.of_member(connection, member)
        ]
        for permission in ended:
            await member_permissions.erase_at_once(connection, permission.id, at)
        await forget_if_gone(members, member, at)
    first = next((permission for permission in ended if permission.series), None)
    return () if first is None else await erase(store, zone, first, at, PermissionActor.COLLECTIVE)


async def order_wipe(connection: AsyncConnection) -> None:
    """Store that erased data may remain in the files."""
    await set_setting(connection, _TO_WIPE, "yes")


async def is_wiped(connection: AsyncConnection) -> bool:
    """Return whether no erased data are left in the files of the database."""
    return await setting(connection, _TO_WIPE) is None


async def wipe(store: Store) -> bool:
    """Overwrite erased data in the files of the database.

    Return whether that is done: not while another process uses it. Then `Retention` does it.
    """
    if not await store.shrink():
        return False
    async with store.writing() as connection:
        await set_setting(connection, _TO_WIPE, None)
    return True


async def _hand_on(
    connection: AsyncConnection,
    member: MemberId,
    each: _EndedSeries,
    ended: Collection[MemberPermissionId],
) -> None:
    """Note the id of a series with the other permissions that let it be kept."""
    own = select(MemberPermissionRow.id).where(MemberPermissionRow.member_id == member)
    await connection.execute(
        update(MemberPermissionSeriesRow)
        .where(
            MemberPermissionSeriesRow.identifier == str(each.name),
            MemberPermissionSeriesRow.series_id.is_(None),
            MemberPermissionSeriesRow.permission_id.in_(own),
            MemberPermissionSeriesRow.permission_id.not_in(ended),
        )
        .values(series_id=each.id)
    )


async def forget_if_gone(members: Members, member_id: MemberId, at: datetime) -> bool:
    """Forget a member without permissions, records, or a notice that it still has to get.

    Of one that was not notified yet only the address is kept, for some time.
    """
    connection = members.connection
    stored = (
        select(MemberPermissionSeriesRow.permission_id)
        .join(MemberPermissionRow)
        .where(MemberPermissionRow.member_id == member_id)
    )
    if (await connection.execute(stored)).first() is not None:
        return False
    member = await members.get(member_id)
    if member.invitation_id is not None:
        await forget_note(connection, member.invitation_id)
    pending = await member_permissions.not_notified(connection)
    is_pending = any(permission.member == member_id for permission in pending)
    if is_pending and (member.left_at is None or at < member.left_at + NOTIFY_FOR):
        await members.forget_description(member)
        return False
    if member.jid is not None:
        await access_log.rename(connection, member.jid, member.pseudonym)
        asked = exists().where(DataNeedRow.peer_id == PeerRow.id)
        await connection.execute(delete(PeerRow).where(PeerRow.jid == member.jid, ~asked))
    await members.forget(member_id, at)
    return True


async def forget_notified(members: Members, at: Confirmed) -> int:
    """Forget members whose records are erased and whose node was notified, or cannot be any more.

    Return how many.
    """
    stored = exists().where(
        MemberPermissionRow.member_id == MemberRow.id,
        MemberPermissionSeriesRow.permission_id == MemberPermissionRow.id,
    )
    left = select(MemberRow.id).where(
        MemberRow.left_at.is_not(None), MemberRow.jid.is_not(None), ~stored
    )
    count = 0
    for member in (await members.connection.execute(left)).scalars().all():
        count += await forget_if_gone(members, member, at)
    if count:
        await order_wipe(members.connection)
    return count


async def _ended_series(
    connection: AsyncConnection, member: MemberId, ended: Collection[MemberPermissionId]
) -> list[_EndedSeries]:
    """Return the series whose records came by these permissions of a member, each once."""
    query = (
        select(
            MemberPermissionSeriesRow.identifier,
            MemberPermissionSeriesRow.permission_id,
            SeriesRow.id,
            *SERIES_FACTS,
        )
        .join(SeriesRow)
        .where(MemberPermissionSeriesRow.permission_id.in_(ended))
        .order_by(MemberPermissionSeriesRow.identifier)
    )
    rows = (await connection.execute(query)).all()
    # Which series it is may be noted with one permission that names it.
    other = aliased(MemberPermissionSeriesRow)
    others = (
        select(MemberPermissionSeriesRow.series_id, func.min(MemberPermissionRow.records_from))
        .join(other, other.identifier == MemberPermissionSeriesRow.identifier)
        .join(MemberPermissionRow, MemberPermissionRow.id == other.permission_id)
        .join(SeriesRow, SeriesRow.id == MemberPermissionSeriesRow.series_id)
        .where(
            MemberPermissionSeriesRow.permission_id.in_(ended),
            other.permission_id.not_in(ended),
            MemberPermissionRow.member_id == member,
            MemberPermissionRow.interval <= SeriesRow.interval,
            or_(other.series_id.is_(None), other.series_id == MemberPermissionSeriesRow.series_id),
        )
        .group_by(MemberPermissionSeriesRow.series_id)
    )
    retained_from = dict((await connection.execute(others)).tuples().all())
    ended_series = {
        key: _EndedSeries(
            identifier(name), key, Series(*facts), permission_id, retained_from.get(key)
        )
        for name, permission_id, key, *facts in rows
    }
    return list(ended_series.values())


async def _shorten(
    connection: AsyncConnection, each: _EndedSeries, retained_from: datetime, at: datetime
) -> None:
    """Erase the records of a series that start before another permission lets them be kept."""
    of_series = connection, each.id, each.series, each.erased
    left = _after(retained_from, await blocks(*of_series))
    left_counts = _after(retained_from, await counts(*of_series))
    await remove_before(connection, each.id, retained_from)
    for table in (BlockRow, MemberCountRow):
        days = table.series_id == each.id, table.day <= days_of(each.erased)[1]
        await connection.execute(delete(table).where(*days))
    await put_blocks(connection, {each.id: left}, at)
    await put_counts(connection, {each.id: left_counts})


def _after(start: datetime, stored: Collection[Block]) -> list[Block]:
    """Return the blocks with the records that start from an instant on, those that have any."""
    stays = Range(start, _NEVER)
    left = (Block.of(block.series, block.day, block.records(stays)) for block in stored)
    return [block for block in left if any(value is not None for value in block.values)]
