"""Erasing what a member told: nothing of it is left but what was published with others' records.

The register of what was given stays as proof, and the member as a number and a pseudonym that
nobody can tell from any other. Whoever calls this lets the store `shrink` afterwards.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from ..quoalise import Erased, Identifier
from ..quoalise.identifier import identifier
from ..series import Block, Range, Series
from ..sharing.names import COLLECTIVE
from ..store.collective_tables import (
    GivenId,
    GivenRow,
    GivenSeriesRow,
    MemberDayRow,
    MemberId,
    MemberRow,
)
from ..store.member_counts import counts, put_count
from ..store.series import SERIES_FACTS, blocks, count_records, put_block
from ..store.settings import setting
from ..store.tables import BlockRow, DataNeedRow, MemberCountRow, PeerRow, SeriesId, SeriesRow
from . import given, reads, release, tally
from .given import Actor, Given
from .held import Change
from .invitations import forget_note
from .members import Members

_EVER = datetime(1978, 7, 5, tzinfo=UTC)
_NEVER = datetime(2100, 1, 1, tzinfo=UTC)


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
    members: Members, one: Given, at: datetime, actor: Actor = Actor.CLOCK
) -> tuple[Erased, ...]:
    """Erase what a permission brought, and tell what that was; with the last, its member too.

    What another permission of the member is due to leave by then goes with it, and what another
    one lets be kept stays.
    """
    connection = members.connection
    due = {of.id: of for of in await given.due(connection, at) if of.member == one.member}
    ended = {**due, one.id: one}
    brought = await _brought(connection, ended)
    counts = await count_records(connection, {of.number: (of.series, [of.gone]) for of in brought})
    collective = await setting(connection, COLLECTIVE)
    if collective is not None and any(counts.values()):
        await release.forget(connection, one.member, collective)
    whole = [of.number for of in brought if of.kept is None]
    await tally.erase(connection, one.member, whole, at)
    for of in brought:
        if of.kept is not None:
            await _shorten(connection, one.member, of, at)
    await connection.execute(delete(GivenSeriesRow).where(GivenSeriesRow.given_id.in_(ended)))
    await connection.execute(delete(SeriesRow).where(SeriesRow.id.in_(whole)))
    for number, of_that in ended.items():
        total = sum(counts[of.number] for of in brought if of.by == number)
        await given.note(connection, number, of_that.state, actor, at, erased=total)
    await forget_if_gone(members, one.member, at)
    return tuple(Erased(of.name, counts[of.number]) for of in brought)


async def forget_if_gone(members: Members, member: MemberId, at: datetime) -> bool:
    """Forget who a member was that gives nothing more, holds nothing here and knows so."""
    connection = members.connection
    holds = select(GivenSeriesRow.given_id).join(GivenRow).where(GivenRow.member_id == member)
    if (await connection.execute(holds)).first() is not None:
        return False
    if any(one.member == member for one in await given.untold(connection)):
        return False
    known = await members.get(member)
    if known.jid is not None:
        await reads.rename(connection, known.jid, known.pseudonym)
        asked = exists().where(DataNeedRow.peer_id == PeerRow.id)
        await connection.execute(delete(PeerRow).where(PeerRow.jid == known.jid, ~asked))
    await connection.execute(delete(MemberDayRow).where(MemberDayRow.member_id == member))
    await members.forget(member, at)
    if known.invitation is not None:
        await forget_note(connection, known.invitation)
    return True


async def erase_member(members: Members, member: MemberId, at: datetime) -> tuple[Erased, ...]:
    """End all that a member gave in the collective's name, and erase it.

    Its address is kept until its node was told: see `forget_told`.
    """
    erased: tuple[Erased, ...] = ()
    for one in await given.of_member(members.connection, member):
        ended = await given.terminate(members, one.id, at)
        await given.erase_at(members.connection, one.id, at)
        if ended.series:
            erased += await erase(members, ended, at, Actor.COLLECTIVE)
    await forget_if_gone(members, member, at)
    return erased


async def forget_told(members: Members, at: datetime) -> int:
    """Forget whoever's records are erased and whose node was told since; tell how many."""
    holds = exists().where(
        GivenRow.member_id == MemberRow.id, GivenSeriesRow.given_id == GivenRow.id
    )
    left = select(MemberRow.id).where(
        MemberRow.left_at.is_not(None), MemberRow.jid.is_not(None), ~holds
    )
    count = 0
    for member in (await members.connection.execute(left)).scalars().all():
        count += await forget_if_gone(members, member, at)
    return count


async def _brought(connection: AsyncConnection, ended: Collection[GivenId]) -> list[_Brought]:
    """Give the series whose records came by these permissions, each once."""
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


async def _shorten(
    connection: AsyncConnection, member: MemberId, of: _Brought, at: datetime
) -> None:
    """Erase the records of a series that start before others let them be kept."""
    assert of.kept is not None
    gone, stays = of.gone, Range(of.kept, _NEVER)
    known = {one.day: one for one in await blocks(connection, of.number, of.series, gone)}
    counted = {one.day: one for one in await counts(connection, of.number, of.series, gone)}
    left = {day: _left(block, stays) for day, block in known.items()}
    left_counts = {day: _left(block, stays) for day, block in counted.items()}
    changes = [
        Change(
            member=member,
            series=of.series,
            day=day,
            before=block,
            after=left[day],
            members_before=counted.get(day),
            members_after=left_counts.get(day),
        )
        for day, block in known.items()
    ]
    await tally.record(connection, changes, at)
    for table, days in ((BlockRow, left), (MemberCountRow, left_counts)):
        empty = [day for day, block in days.items() if block is None]
        rows = delete(table).where(table.series_id == of.number, table.day.in_(empty))
        await connection.execute(rows)
    for block in filter(None, left.values()):
        await put_block(connection, of.number, block, at)
    for block in filter(None, left_counts.values()):
        await put_count(connection, of.number, block)


def _left(block: Block, within: Range) -> Block | None:
    """Give what of a block starts in a range; None where that is nothing."""
    left = Block.of(block.series, block.day, block.records(within))
    return left if any(value is not None for value in left.values) else None
