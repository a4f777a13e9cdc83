"""Erasing what a member told: nothing of it is left but what was published with others' records.

The register of what was given stays as proof, and the member as a number and a pseudonym that
nobody can tell from any other. What was published stays: a sum is nobody's data. The caller wipes
the database afterwards.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from ...quoalise import Erased, Identifier
from ...quoalise.identifier import identifier
from ...series import Block, Range, Series
from ...store import Store
from ...store.clock import Confirmed
from ...store.collective_tables import GivenId, GivenRow, GivenSeriesRow, MemberId, MemberRow
from ...store.exclusive import alone
from ...store.member_counts import counts, put_counts
from ...store.outbox import take_turns
from ...store.series import SERIES_FACTS, blocks, count_records, erase_series, put_blocks
from ...store.set_aside import remove_before
from ...store.settings import set_setting, setting
from ...store.tables import BlockRow, DataNeedRow, MemberCountRow, PeerRow, SeriesId, SeriesRow
from .. import access_log
from ..members.invitations import forget_note
from ..members.members import Members
from ..output_series import forget_old_names
from ..permissions import claims, member_permissions
from ..permissions.member_permissions import Actor, Given

TELL_FOR = timedelta(days=30)
"""How long after its end the node of an erased member is told of it, if it cannot be at once."""

_EVER = datetime(1978, 7, 5, tzinfo=UTC)
_NEVER = datetime(2100, 1, 1, tzinfo=UTC)
_TO_WIPE = "to wipe"
"""Something was erased that may still be found in the files."""


@dataclass(frozen=True, slots=True)
class _Brought:
    """A series whose records came by permissions that have ended.

    Records that start from `kept` on stay by another permission of the member; None stay if None.
    """

    name: Identifier
    number: SeriesId
    series: Series
    by: GivenId
    kept: datetime | None

    @property
    def gone(self) -> Range:
        """When the records start that are to be erased."""
        return Range(_EVER, self.kept or _NEVER)


async def erase(
    store: Store, zone: ZoneInfo, one: Given, at: datetime, actor: Actor = Actor.CLOCK
) -> tuple[Erased, ...]:
    """Erase what a permission brought, and tell what that was; with the last, its member too.

    What somebody wants erased of another permission of the member goes with it; what another one
    lets be kept stays.
    """
    async with store.writing() as connection:
        # In the order of the intake.
        await take_turns(connection)
        await alone(connection)
        members = Members(connection, zone)
        asked = {
            of.id: of
            for of in await member_permissions.due(connection, None)
            if of.member == one.member
        }
        current = await member_permissions.get(connection, one.id)
        ended = asked | ({one.id: current} if current.series else {})
        brought = await _brought(connection, one.member, ended)
        counts = await count_records(
            connection, {of.number: (of.series, [of.gone]) for of in brought}
        )
        whole = [of.number for of in brought if of.kept is None]
        for of in brought:
            if of.kept is not None:
                await _hand_on(connection, one.member, of, ended)
                await _shorten(connection, of, at)
        await erase_series(connection, whole)
        await connection.execute(delete(GivenSeriesRow).where(GivenSeriesRow.given_id.in_(ended)))
        await connection.execute(delete(SeriesRow).where(SeriesRow.id.in_(whole)))
        await claims.let_go(connection, one.member)
        for number, of_that in ended.items():
            total = sum(counts[of.number] for of in brought if of.by == number)
            await member_permissions.note(connection, number, of_that.state, actor, erased=total)
        await set_setting(connection, _TO_WIPE, "yes")
        await forget_old_names(connection)
        await forget_if_gone(members, one.member, at)
        return tuple(Erased(of.name, counts[of.number]) for of in brought)


async def erase_member(
    store: Store, zone: ZoneInfo, member: MemberId, at: datetime
) -> tuple[Erased, ...]:
    """End all that a member gave in the collective's name, and erase it.

    Its address alone is kept until its node was told, or for `TELL_FOR`: see `forget_told`.
    """
    async with store.writing() as connection:
        members = Members(connection, zone)
        ended = [
            await member_permissions.terminate(members, one.id, at)
            for one in await member_permissions.of_member(connection, member)
        ]
        for one in ended:
            await member_permissions.erase_at_once(connection, one.id, at)
        await forget_if_gone(members, member, at)
    left = next((one for one in ended if one.series), None)
    return () if left is None else await erase(store, zone, left, at, Actor.COLLECTIVE)


async def is_wiped(connection: AsyncConnection) -> bool:
    """Return whether nothing of what was erased is in the files of the database."""
    return await setting(connection, _TO_WIPE) is None


async def erase_old_names(connection: AsyncConnection) -> None:
    """Erase the series under the names of sites that are to be named no longer."""
    if await forget_old_names(connection):
        await set_setting(connection, _TO_WIPE, "yes")


async def wipe(store: Store) -> bool:
    """Leave nothing of what was erased in the files of the database.

    Tells whether that is done: not while another process uses it. Then `Upkeep` does it.
    """
    if not await store.shrink():
        return False
    async with store.writing() as connection:
        await set_setting(connection, _TO_WIPE, None)
    return True


async def _hand_on(
    connection: AsyncConnection, member: MemberId, of: _Brought, ended: Collection[GivenId]
) -> None:
    """Note with the permissions that let a series be kept which one it is."""
    its = select(GivenRow.id).where(GivenRow.member_id == member)
    await connection.execute(
        update(GivenSeriesRow)
        .where(
            GivenSeriesRow.identifier == str(of.name),
            GivenSeriesRow.series_id.is_(None),
            GivenSeriesRow.given_id.in_(its),
            GivenSeriesRow.given_id.not_in(ended),
        )
        .values(series_id=of.number)
    )


async def forget_if_gone(members: Members, member: MemberId, at: datetime) -> bool:
    """Forget who a member was that gives nothing more, holds nothing here and knows so.

    Of one that does not know so yet, only its address is kept, to tell it, and not for ever.
    """
    connection = members.connection
    holds = select(GivenSeriesRow.given_id).join(GivenRow).where(GivenRow.member_id == member)
    if (await connection.execute(holds)).first() is not None:
        return False
    known = await members.get(member)
    if known.invitation_id is not None:
        await forget_note(connection, known.invitation_id)
    is_untold = any(one.member == member for one in await member_permissions.untold(connection))
    if is_untold and (known.left_at is None or at < known.left_at + TELL_FOR):
        await members.forget_description(known)
        return False
    if known.jid is not None:
        await access_log.rename(connection, known.jid, known.pseudonym)
        asked = exists().where(DataNeedRow.peer_id == PeerRow.id)
        await connection.execute(delete(PeerRow).where(PeerRow.jid == known.jid, ~asked))
    await members.forget(member, at)
    return True


async def forget_told(members: Members, at: Confirmed) -> int:
    """Forget whoever's records are erased, once its node was told or too late; tell how many."""
    holds = exists().where(
        GivenRow.member_id == MemberRow.id, GivenSeriesRow.given_id == GivenRow.id
    )
    left = select(MemberRow.id).where(
        MemberRow.left_at.is_not(None), MemberRow.jid.is_not(None), ~holds
    )
    count = 0
    for member in (await members.connection.execute(left)).scalars().all():
        count += await forget_if_gone(members, member, at)
    if count:
        await set_setting(members.connection, _TO_WIPE, "yes")
    return count


async def _brought(
    connection: AsyncConnection, member: MemberId, ended: Collection[GivenId]
) -> list[_Brought]:
    """Return the series whose records came by these permissions of a member, each once."""
    query = (
        select(GivenSeriesRow.identifier, GivenSeriesRow.given_id, SeriesRow.id, *SERIES_FACTS)
        .join(SeriesRow, SeriesRow.id == GivenSeriesRow.series_id)
        .where(GivenSeriesRow.given_id.in_(ended))
        .order_by(GivenSeriesRow.identifier)
    )
    rows = (await connection.execute(query)).all()
    # Which series it is may be noted with one permission that names it.
    other = aliased(GivenSeriesRow)
    others = (
        select(GivenSeriesRow.series_id, func.min(GivenRow.records_from))
        .join(other, other.identifier == GivenSeriesRow.identifier)
        .join(GivenRow, GivenRow.id == other.given_id)
        .join(SeriesRow, SeriesRow.id == GivenSeriesRow.series_id)
        .where(
            GivenSeriesRow.given_id.in_(ended),
            other.given_id.not_in(ended),
            GivenRow.member_id == member,
            GivenRow.interval <= SeriesRow.interval,
            or_(other.series_id.is_(None), other.series_id == GivenSeriesRow.series_id),
        )
        .group_by(GivenSeriesRow.series_id)
    )
    kept = dict((await connection.execute(others)).tuples().all())
    found = {
        number: _Brought(identifier(name), number, Series(*facts), by, kept.get(number))
        for name, by, number, *facts in rows
    }
    return list(found.values())


async def _shorten(connection: AsyncConnection, of: _Brought, at: datetime) -> None:
    """Erase the records of a series that start before others let them be kept."""
    assert of.kept is not None
    gone, stays = of.gone, Range(of.kept, _NEVER)
    known = {one.day: one for one in await blocks(connection, of.number, of.series, gone)}
    counted = {one.day: one for one in await counts(connection, of.number, of.series, gone)}
    left = {day: _left(block, stays) for day, block in known.items()}
    left_counts = {day: _left(block, stays) for day, block in counted.items()}
    await remove_before(connection, of.number, of.kept)
    for table, days in ((BlockRow, left), (MemberCountRow, left_counts)):
        empty = [day for day, block in days.items() if block is None]
        rows = delete(table).where(table.series_id == of.number, table.day.in_(empty))
        await connection.execute(rows)
    await put_blocks(connection, {of.number: filter(None, left.values())}, at)
    await put_counts(connection, {of.number: filter(None, left_counts.values())})


def _left(block: Block, within: Range) -> Block | None:
    """Return what of a block starts in a range; None where that is nothing."""
    left = Block.of(block.series, block.day, block.records(within))
    return left if any(value is not None for value in left.values) else None
