"""What is on its way to peers: queued, sent, acknowledged. Nothing gets in without permission.

A row tells which records leave, not what they say: that is read from the blocks when they are
sent, so that a value which was corrected meanwhile goes out corrected.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Range, Series
from .any_of import among
from .errors import NotPermitted, only_with_permission
from .series import SERIES_FACTS
from .subscriptions import move_cursor
from .tables import (
    OutboxRow,
    PeerId,
    PermissionId,
    PermittedRow,
    SeriesId,
    SeriesRow,
    SubscriptionRow,
)


@dataclass(frozen=True, slots=True)
class Queued:
    """Records of a series, those that start in a range, that are to be sent to a peer.

    `stanza` is the message that carried them before, if one did.
    """

    id: int
    permission: PermissionId
    series_id: SeriesId
    records: Range
    stanza: str | None = field(default=None, compare=False)


_COLUMNS = (
    OutboxRow.id,
    OutboxRow.permission_id,
    OutboxRow.series_id,
    OutboxRow.range_start,
    OutboxRow.range_end,
    OutboxRow.stanza,
)

_TURN = "SELECT pg_advisory_xact_lock(7331)"


async def take_turns(connection: AsyncConnection) -> None:
    """Serialise changes of blocks and their sending until the transaction ends.

    Else a value could leave while it is corrected, and neither would know of the other. In SQLite
    there is one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text(_TURN))


async def queue(
    connection: AsyncConnection,
    peer: PeerId,
    permission: PermissionId,
    number: SeriesId,
    records: Range,
    *,
    at: datetime,
) -> None:
    """Queue records for a peer. Raises NotPermitted."""
    row = _row(peer, permission, number, records, queued_at=at)
    with only_with_permission():
        await connection.execute(insert(OutboxRow), [row])


@dataclass(frozen=True, slots=True)
class Told:
    """A peer that is told of a series now: by which permission, and up to where it has been."""

    peer: PeerId
    permission: PermissionId
    identification: str
    records: Range
    since: datetime
    reached: datetime | None

    def behind(self, within: Range) -> Range:
        """Return what of a range it was sent already; an empty range where that is nothing."""
        if self.reached is None:
            return Range(within.start, within.start)
        sent = Range(within.start, max(within.start, self.reached))
        return within.clip(sent).clip(self.records)


def _told_of(*, of_all: bool) -> Select[Any]:
    """Return the subscribers of series, of all peers or of some."""
    of = [among(OutboxRow.series_id, "numbers"), OutboxRow.stanza.is_not(None)]
    if not of_all:
        of.append(among(OutboxRow.peer_id, "peers"))
    sent = (
        select(
            OutboxRow.peer_id,
            OutboxRow.series_id,
            func.max(OutboxRow.range_end).label("until"),
        )
        .where(*of)
        .group_by(OutboxRow.peer_id, OutboxRow.series_id)
        .subquery()
    )
    query = (
        select(
            SubscriptionRow.series_id,
            SubscriptionRow.peer_id,
            PermittedRow.permission_id,
            PermittedRow.identification,
            PermittedRow.records_from,
            PermittedRow.valid_until,
            SubscriptionRow.since,
            SubscriptionRow.cursor,
            sent.c.until,
        )
        .join(
            PermittedRow,
            and_(
                PermittedRow.peer_id == SubscriptionRow.peer_id,
                PermittedRow.series_id == SubscriptionRow.series_id,
            ),
        )
        .outerjoin(
            sent,
            and_(
                sent.c.peer_id == SubscriptionRow.peer_id,
                sent.c.series_id == SubscriptionRow.series_id,
            ),
        )
        .where(among(SubscriptionRow.series_id, "numbers"))
        .order_by(SubscriptionRow.peer_id, PermittedRow.records_from, PermittedRow.permission_id)
    )
    return query if of_all else query.where(among(SubscriptionRow.peer_id, "peers"))


_TOLD_OF, _SOME_TOLD_OF = _told_of(of_all=True), _told_of(of_all=False)


async def told_of(
    connection: AsyncConnection, number: SeriesId, peers: Collection[PeerId] | None = None
) -> list[Told]:
    """Return the subscribers of a series, each once, of all peers or of some."""
    return (await told_of_each(connection, [number], peers)).get(number, [])


async def told_of_each(
    connection: AsyncConnection,
    numbers: Collection[SeriesId],
    peers: Collection[PeerId] | None = None,
) -> dict[SeriesId, list[Told]]:
    """Return the subscribers of each series, each peer once; series without any are left out.

    Of two permissions that name it the one counts that reaches further back.
    """
    found: dict[SeriesId, dict[PeerId, Told]] = {}
    values: dict[str, object] = {"numbers": numbers}
    if peers is not None:
        values["peers"] = peers
    rows = await connection.execute(_TOLD_OF if peers is None else _SOME_TOLD_OF, values)
    for number, peer, permission, identification, start, end, since, *ends in rows:
        reached = max((one for one in ends if one is not None), default=None)
        told = Told(peer, permission, identification, Range(start, end), since, reached)
        found.setdefault(number, {}).setdefault(peer, told)
    return {number: list(each.values()) for number, each in found.items()}


async def queue_again_for(
    connection: AsyncConnection,
    number: SeriesId,
    records: Iterable[tuple[Told, Range]],
    *,
    at: datetime,
) -> None:
    """Queue records that were corrected for many peers, in place of what waits of them.

    Only those behind a cursor: a receipt of others would move it past what was never sent. Raises
    NotPermitted.
    """
    rows = [
        _row(one.peer, one.permission, number, part, queued_at=at)
        for one, within in records
        if (part := one.behind(within))
    ]
    if not rows:
        return
    waiting = delete(OutboxRow).where(
        OutboxRow.peer_id == bindparam("peer", type_=OutboxRow.peer_id.type),
        OutboxRow.series_id == number,
        OutboxRow.stanza.is_(None),  # Of what was sent, the receipt may still come.
        OutboxRow.range_start >= bindparam("first", type_=OutboxRow.range_start.type),
        OutboxRow.range_end <= bindparam("last", type_=OutboxRow.range_end.type),
    )
    of = [
        {"peer": row["peer_id"], "first": row["range_start"], "last": row["range_end"]}
        for row in rows
    ]
    await connection.execute(waiting, of)
    with only_with_permission():
        await connection.execute(insert(OutboxRow), rows)


async def cut(connection: AsyncConnection, queued: Queued, at: datetime) -> None:
    """Queue the records of a row in two rows, before and from an instant within it on."""
    row = select(OutboxRow.peer_id, OutboxRow.queued_at).where(OutboxRow.id == queued.id)
    peer, since = (await connection.execute(row)).one()
    await connection.execute(delete(OutboxRow).where(OutboxRow.id == queued.id))
    for part in (Range(queued.records.start, at), Range(at, queued.records.end)):
        await queue(connection, peer, queued.permission, queued.series_id, part, at=since)


async def sending(
    connection: AsyncConnection, queued: Collection[Queued], stanza: str, at: datetime
) -> None:
    """Store the stanza in which records are about to leave. Raises NotPermitted."""
    numbers = [one.id for one in queued]
    sent = update(OutboxRow).where(OutboxRow.id.in_(numbers)).values(stanza=stanza, sent_at=at)
    with only_with_permission():
        result = await connection.execute(sent)
    if result.rowcount != len(numbers):
        raise NotPermitted("the permission ended, and what was queued went with it")


@dataclass(frozen=True, slots=True)
class Leaving:
    """Records that leave at once, in a stanza of this id."""

    peer: PeerId
    queued: Queued
    stanza: str


async def leave(connection: AsyncConnection, leaving: Iterable[Leaving], at: datetime) -> None:
    """Queue records of many peers that leave at once. Raises NotPermitted: then none must."""
    rows = []
    for one in leaving:
        of = one.queued
        row = _row(one.peer, of.permission, of.series_id, of.records, queued_at=at, sent_at=at)
        rows.append({**row, "stanza": one.stanza})
    if rows:
        with only_with_permission():
            await connection.execute(insert(OutboxRow), rows)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Records that wait to be sent to a peer, which knows their series by this identification."""

    peer: PeerId
    identification: str
    queued: Queued
    series: Series


async def unsent(
    connection: AsyncConnection,
    peers: Collection[PeerId],
    held_back: Collection[PermissionId] = (),
) -> list[Waiting]:
    """Return what is to be sent to these peers, the oldest first, as far as it may leave now.

    What is granted by those permissions is held back.
    """
    query = (
        select(OutboxRow.peer_id, PermittedRow.identification, *_COLUMNS, *SERIES_FACTS)
        .join(
            PermittedRow,
            and_(
                PermittedRow.permission_id == OutboxRow.permission_id,
                PermittedRow.series_id == OutboxRow.series_id,
            ),
        )
        .join(SeriesRow, SeriesRow.id == OutboxRow.series_id)
        .where(
            OutboxRow.peer_id.in_(peers),
            OutboxRow.sent_at.is_(None),
            OutboxRow.permission_id.not_in(held_back),
        )
        .order_by(OutboxRow.id)
    )
    rows = await connection.execute(query)
    return [
        Waiting(peer, identification, _queued(row[:6]), Series(*row[6:]))
        for peer, identification, *row in rows
    ]


async def unconfirmed(connection: AsyncConnection, *, sent: bool) -> list[PeerId]:
    """Return the peers for which something waits to be sent, or was `sent` and not confirmed."""
    state = OutboxRow.sent_at.is_not(None) if sent else OutboxRow.sent_at.is_(None)
    return list(
        (await connection.execute(select(OutboxRow.peer_id).where(state).distinct())).scalars()
    )


async def are_on_their_way(connection: AsyncConnection, stanzas: Collection[str]) -> set[str]:
    """Return those of some stanzas of which what they carry may still reach a peer."""
    query = select(OutboxRow.stanza).where(OutboxRow.stanza.in_(stanzas))
    return {one for one in (await connection.execute(query)).scalars() if one is not None}


async def acknowledged(connection: AsyncConnection, peer: PeerId, stanza: str) -> list[Queued]:
    """Take what a peer has confirmed out of the outbox, move its cursors, and give it.

    Nothing is given for a stanza that is unknown, or was confirmed before.
    """
    taken = delete(OutboxRow).where(OutboxRow.peer_id == peer, OutboxRow.stanza == stanza)
    rows = await connection.execute(taken.returning(*_COLUMNS))
    received = [_queued(row) for row in rows]
    for one in received:
        await move_cursor(connection, peer, one.series_id, one.records.end)
    return received


async def waiting_since(connection: AsyncConnection, peer: PeerId) -> datetime | None:
    """Return when the oldest of what waits for a peer was queued; None if nothing waits."""
    query = select(OutboxRow.queued_at).where(OutboxRow.peer_id == peer)
    return (
        await connection.execute(query.order_by(OutboxRow.queued_at).limit(1))
    ).scalar_one_or_none()


async def on_their_way(connection: AsyncConnection, peer: PeerId) -> dict[SeriesId, list[Range]]:
    """Return the ranges of each series that are queued for a peer, or sent and not confirmed."""
    query = select(OutboxRow.series_id, OutboxRow.range_start, OutboxRow.range_end)
    found: dict[SeriesId, list[Range]] = {}
    for number, start, end in await connection.execute(query.where(OutboxRow.peer_id == peer)):
        found.setdefault(number, []).append(Range(start, end))
    return found


async def send_again(connection: AsyncConnection, peer: PeerId) -> int:
    """Queue anew what was sent to a peer and not confirmed, and tell how many rows it was.

    The message that carried it is remembered: its receipt may still come.
    """
    permitted = (
        select(PermittedRow.permission_id)
        .where(
            PermittedRow.permission_id == OutboxRow.permission_id,
            PermittedRow.series_id == OutboxRow.series_id,
        )
        .exists()
    )
    again = (
        update(OutboxRow)
        .where(OutboxRow.peer_id == peer, OutboxRow.sent_at.is_not(None), permitted)
        .values(sent_at=None)
    )
    return (await connection.execute(again)).rowcount


def _row(
    peer: PeerId, permission: PermissionId, number: SeriesId, records: Range, **times: datetime
) -> dict[str, object]:
    return {
        "peer_id": peer,
        "permission_id": permission,
        "series_id": number,
        "range_start": records.start,
        "range_end": records.end,
        **times,
    }


def _queued(row: Sequence[Any]) -> Queued:
    number, permission, series, start, end, stanza = row
    return Queued(number, permission, series, Range(start, end), stanza)
