"""Erasing what a member told: nothing of it is left but what was published with others' records.

The register of what was given stays as proof, and the member as a number and a pseudonym that
nobody can tell from any other. It goes month by month, so that what others tell is kept in between:
after each, all sums are right, and what is interrupted is still due. Whoever calls this wipes the
database afterwards.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json
from time import monotonic
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from ..quoalise import Erased, Identifier
from ..quoalise.identifier import identifier
from ..series import Block, Range, Series
from ..sharing.names import COLLECTIVE
from ..store import Store
from ..store.clock import Confirmed
from ..store.collective_tables import (
    GivenId,
    GivenRow,
    GivenSeriesRow,
    MemberDayRow,
    MemberId,
    MemberRow,
)
from ..store.member_counts import counts, put_count
from ..store.outbox import take_turns
from ..store.series import SERIES_FACTS, blocks, count_records, put_block
from ..store.set_aside import remove_before
from ..store.settings import set_setting, setting
from ..store.sums import alone
from ..store.tables import BlockRow, DataNeedRow, MemberCountRow, PeerRow, SeriesId, SeriesRow
from . import claims, given, reads, release, tally
from .given import Actor, Given
from .held import Change
from .invitations import forget_note
from .members import Members

STEP_S = 0.5
"""How long others wait about, while something is erased; a month at least is, each time."""

TELL_FOR = timedelta(days=30)
"""How long after its end the node of an erased member is told of it, if it cannot be at once."""

_EVER = datetime(1978, 7, 5, tzinfo=UTC)
_NEVER = datetime(2100, 1, 1, tzinfo=UTC)
_ERASING = "erasing."
"""Of a member: what is being erased, by name, as it was counted before."""
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
    erased: dict[str, int] = {}
    while True:
        async with store.writing() as connection:
            # In the order of whoever takes in what members tell.
            await take_turns(connection)
            await alone(connection)
            step = _Step(Members(connection, zone), one.member, at, actor)
            await step.look(one)
            erased |= await step.count()
            if not await step.erase(STEP_S):
                continue
            await step.finish()
        return tuple(Erased(identifier(name), n) for name, n in erased.items())


async def erase_member(
    store: Store, zone: ZoneInfo, member: MemberId, at: datetime
) -> tuple[Erased, ...]:
    """End all that a member gave in the collective's name, and erase it.

    Its address alone is kept until its node was told, or for `TELL_FOR`: see `forget_told`.
    """
    async with store.writing() as connection:
        members = Members(connection, zone)
        ended = [
            await given.terminate(members, one.id, at)
            for one in await given.of_member(connection, member)
        ]
        for one in ended:
            await given.erase_at_once(connection, one.id, at)
        await forget_if_gone(members, member, at)
    left = next((one for one in ended if one.series), None)
    return () if left is None else await erase(store, zone, left, at, Actor.COLLECTIVE)


async def is_wiped(connection: AsyncConnection) -> bool:
    """Tell whether nothing of what was erased is in the files of the database."""
    return await setting(connection, _TO_WIPE) is None


async def wipe(store: Store) -> bool:
    """Leave nothing of what was erased in the files of the database.

    Tells whether that is done: not while another process uses it. Then `Upkeep` does it.
    """
    if not await store.shrink():
        return False
    async with store.writing() as connection:
        await set_setting(connection, _TO_WIPE, None)
    return True


class _Step:
    """A part of an erasure, in one transaction."""

    def __init__(self, members: Members, member: MemberId, at: datetime, actor: Actor) -> None:
        self._members = members
        self._connection = members.connection
        self._member = member
        self._at = at
        self._actor = actor
        self._ended: dict[GivenId, Given] = {}
        self._brought: list[_Brought] = []
        self._counted: dict[GivenId, dict[str, int]] = {}

    async def look(self, one: Given) -> None:
        """See what is due, a permission and others of its member that somebody wants erased."""
        due = await given.due(self._connection, None)
        self._ended = {of.id: of for of in due if of.member == self._member}
        current = await given.get(self._connection, one.id)
        if current.series:
            self._ended[one.id] = current
        self._brought = await _brought(self._connection, self._member, self._ended)

    async def count(self) -> dict[str, int]:
        """Tell how many records there are, or were before some were erased, by name."""
        key = f"{_ERASING}{self._member}"
        kept = await setting(self._connection, key)
        self._counted = {} if kept is None else json.loads(kept)
        known = {name for names in self._counted.values() for name in names}
        new = [of for of in self._brought if str(of.name) not in known]
        counts = await count_records(
            self._connection, {of.number: (of.series, [of.gone]) for of in new}
        )
        for of in new:
            self._counted.setdefault(of.by, {})[str(of.name)] = counts[of.number]
        if new:
            await set_setting(self._connection, key, json.dumps(self._counted))
        return {name: n for names in self._counted.values() for name, n in names.items()}

    async def erase(self, seconds: float) -> bool:
        """Erase month by month, for so long about; tell whether all of them are gone."""
        collective = await setting(self._connection, COLLECTIVE)
        if collective is not None and any(any(one.values()) for one in self._counted.values()):
            # What was released with the member stays as it is, whatever of it goes now.
            await release.forget(self._connection, self._member, collective, self._at)
        cut = {of.number: of.kept.date() for of in self._brought if of.kept is not None}
        numbers = [of.number for of in self._brought]
        until = monotonic() + seconds
        while await tally.erase_month(self._connection, self._member, numbers, self._at, cut):
            if monotonic() >= until:
                return False
        return True

    async def finish(self) -> None:
        """Erase what is left, and note it."""
        for of in self._brought:
            if of.kept is not None:
                await _shorten(self._connection, self._member, of, self._at)
        whole = [of.number for of in self._brought if of.kept is None]
        named = delete(GivenSeriesRow).where(GivenSeriesRow.given_id.in_(self._ended))
        await self._connection.execute(named)
        await self._connection.execute(delete(SeriesRow).where(SeriesRow.id.in_(whole)))
        await claims.let_go(self._connection, self._member, self._at)
        for number, of_that in self._ended.items():
            total = sum(self._counted.get(number, {}).values())
            await given.note(self._connection, number, of_that.state, self._actor, erased=total)
        await set_setting(self._connection, f"{_ERASING}{self._member}", None)
        await set_setting(self._connection, _TO_WIPE, "yes")
        await forget_if_gone(self._members, self._member, self._at)


async def forget_if_gone(members: Members, member: MemberId, at: datetime) -> bool:
    """Forget who a member was that gives nothing more, holds nothing here and knows so.

    Of one that does not know so yet, only its address is kept, to tell it, and not for ever.
    """
    connection = members.connection
    holds = select(GivenSeriesRow.given_id).join(GivenRow).where(GivenRow.member_id == member)
    if (await connection.execute(holds)).first() is not None:
        return False
    known = await members.get(member)
    if known.invitation is not None:
        await forget_note(connection, known.invitation)
    is_untold = any(one.member == member for one in await given.untold(connection))
    if is_untold and (known.left_at is None or at < known.left_at + TELL_FOR):
        await members.forget_description(known)
        return False
    if known.jid is not None:
        await reads.rename(connection, known.jid, known.pseudonym)
        asked = exists().where(DataNeedRow.peer_id == PeerRow.id)
        await connection.execute(delete(PeerRow).where(PeerRow.jid == known.jid, ~asked))
    await connection.execute(delete(MemberDayRow).where(MemberDayRow.member_id == member))
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
    await remove_before(connection, of.number, of.kept)
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
