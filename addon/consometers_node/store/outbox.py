"""Records on their way to peers: queued, sent, acknowledged. Nothing enters unpermitted.

A row says which records leave, not what is in them: that is read from the blocks when they are
sent, so that a value which was corrected meanwhile goes out corrected.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, or_, select, update

from consometers_node.series import Range, Series

from .engine.any_of import among
from .engine.connection import AsyncConnection
from .engine.errors import NotPermitted, only_with_permission
from .engine.exclusive import lock
from .peers import move_cursor
from .series import SERIES_FACTS
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

    `stanza` is the message that carries them, or carried them before. `id` is 0 until they are
    stored.
    """

    permission: PermissionId
    series_id: SeriesId
    records: Range
    stanza: str | None = field(default=None, compare=False)
    id: int = 0


_COLUMNS = (
    OutboxRow.permission_id,
    OutboxRow.series_id,
    OutboxRow.range_start,
    OutboxRow.range_end,
    OutboxRow.stanza,
    OutboxRow.id,
)


async def take_turns(connection: AsyncConnection) -> None:
    """Serialise changes of blocks and their sending until the transaction ends.

    Else a value could leave while it is corrected, and neither would know of the other.
    """
    await lock(connection, "outbox")


async def queue(
    connection: AsyncConnection,
    records: Iterable[tuple[PeerId, Queued]],
    *,
    at: datetime,
    sent_at: datetime | None = None,
) -> None:
    """Queue records for peers, or store that they leave at once in their stanzas.

    Raises NotPermitted: then none must leave.
    """
    rows = [
        {
            "peer_id": peer,
            "permission_id": queued.permission,
            "series_id": queued.series_id,
            "range_start": queued.records.start,
            "range_end": queued.records.end,
            "stanza": queued.stanza,
            "queued_at": at,
            "sent_at": sent_at,
        }
        for peer, queued in records
    ]
    if rows:
        with only_with_permission():
            await connection.execute(insert(OutboxRow), rows)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A peer that is sent a series now: by which permission, and up to where it has been."""

    peer: PeerId
    permission: PermissionId
    identification: str
    reading: str
    records: Range
    since: datetime
    reached: datetime | None

    def behind(self, within: Range) -> Range:
        """Return which part of a range it was already sent; an empty range for none."""
        if self.reached is None:
            return Range(within.start, within.start)
        sent = Range(within.start, max(within.start, self.reached))
        return within.clip(sent).clip(self.records)

    def beyond(self, until: datetime) -> Range:
        """Return the range that it was not sent yet, until then."""
        start = max(self.reached or self.since, self.records.start)
        return Range(start, max(start, min(until, self.records.end)))


_SENT_UNTIL = select(func.max(OutboxRow.range_end)).where(
    OutboxRow.peer_id == SubscriptionRow.peer_id,
    OutboxRow.series_id == SubscriptionRow.series_id,
    OutboxRow.stanza.is_not(None),
)
_SUBSCRIBERS = (
    select(
        SubscriptionRow.series_id,
        SubscriptionRow.peer_id,
        PermittedRow.permission_id,
        PermittedRow.identification,
        PermittedRow.reading,
        PermittedRow.records_from,
        PermittedRow.valid_until,
        SubscriptionRow.since,
        SubscriptionRow.cursor,
        _SENT_UNTIL.scalar_subquery(),
    )
    .where(
        among(series=SubscriptionRow.series_id),
        PermittedRow.peer_id == SubscriptionRow.peer_id,
        PermittedRow.series_id == SubscriptionRow.series_id,
    )
    .order_by(SubscriptionRow.peer_id, PermittedRow.records_from, PermittedRow.permission_id)
)
_SOME_SUBSCRIBERS = _SUBSCRIBERS.where(among(peers=SubscriptionRow.peer_id))
_AFTER = bindparam("after", type_=SubscriptionRow.cursor.type)
_SUBSCRIBERS_BEYOND = _SUBSCRIBERS.where(
    or_(SubscriptionRow.cursor > _AFTER, _SENT_UNTIL.scalar_subquery() > _AFTER)
)


async def subscribers(
    connection: AsyncConnection,
    series_ids: Collection[SeriesId],
    peers: Collection[PeerId] | None = None,
) -> dict[SeriesId, list[Subscriber]]:
    """Return the subscribers of each series that has any, each once, of all peers or of some.

    Of two permissions that name it the one counts that reaches further back.
    """
    if peers is None:
        return await _read(connection, _SUBSCRIBERS, {"series": series_ids})
    return await _read(connection, _SOME_SUBSCRIBERS, {"series": series_ids, "peers": peers})


async def subscribers_beyond(
    connection: AsyncConnection, series_ids: Collection[SeriesId], after: datetime
) -> dict[SeriesId, list[Subscriber]]:
    """Return those subscribers that were sent something of a later instant: mostly none."""
    return await _read(connection, _SUBSCRIBERS_BEYOND, {"series": series_ids, "after": after})


async def _read(
    connection: AsyncConnection, query: Select[Any], values: Mapping[str, object]
) -> dict[SeriesId, list[Subscriber]]:
    by_series: dict[SeriesId, dict[PeerId, Subscriber]] = {}
    rows = await connection.execute(query, values)
    for series_id, peer, permission, identification, reading, start, end, since, *ends in rows:
        reached = max(filter(None, ends), default=None)
        records = Range(start, end)
        subscriber = Subscriber(peer, permission, identification, reading, records, since, reached)
        by_series.setdefault(series_id, {}).setdefault(peer, subscriber)
    return {series_id: list(by_peer.values()) for series_id, by_peer in by_series.items()}


async def queue_again_for(
    connection: AsyncConnection,
    series_id: SeriesId,
    corrected: Iterable[tuple[Subscriber, Range]],
    *,
    at: datetime,
) -> None:
    """Queue corrected records for many peers, in place of their waiting ones.

    Only those behind a cursor: a receipt of others would move it past what was never sent. Raises
    NotPermitted.
    """
    again = [
        (subscriber.peer, Queued(subscriber.permission, series_id, records))
        for subscriber, within in corrected
        if (records := subscriber.behind(within))
    ]
    if not again:
        return
    waiting = delete(OutboxRow).where(
        OutboxRow.peer_id == bindparam("peer"),
        OutboxRow.series_id == series_id,
        OutboxRow.stanza.is_(None),  # Of what was sent, the receipt may still come.
        OutboxRow.range_start >= bindparam("start"),
        OutboxRow.range_end <= bindparam("end"),
    )
    spans = [
        {"peer": peer, "start": queued.records.start, "end": queued.records.end}
        for peer, queued in again
    ]
    await connection.execute(waiting, spans)
    await queue(connection, again, at=at)


async def cut(connection: AsyncConnection, queued: Queued, at: datetime) -> None:
    """Split a queued row at an instant within it."""
    gone = delete(OutboxRow).where(OutboxRow.id == queued.id)
    row = await connection.execute(gone.returning(OutboxRow.peer_id, OutboxRow.queued_at))
    peer, since = row.one()
    parts = Range(queued.records.start, at), Range(at, queued.records.end)
    halves = [(peer, replace(queued, records=part, stanza=None)) for part in parts]
    await queue(connection, halves, at=since)


async def sending(
    connection: AsyncConnection, queued: Collection[Queued], stanza: str, at: datetime
) -> None:
    """Store the stanza in which records are about to leave. Raises NotPermitted."""
    ids = [each.id for each in queued]
    sent = update(OutboxRow).where(OutboxRow.id.in_(ids)).values(stanza=stanza, sent_at=at)
    with only_with_permission():
        result = await connection.execute(sent)
    if result.rowcount != len(ids):
        raise NotPermitted("the permission ended, and what was queued went with it")


@dataclass(frozen=True, slots=True)
class WaitingRecords:
    """Records that wait to be sent to a peer, which knows their series by this identification."""

    peer: PeerId
    identification: str
    reading: str
    queued: Queued
    series: Series


async def unsent(
    connection: AsyncConnection,
    peers: Collection[PeerId],
    held_back: Collection[PermissionId] = (),
) -> list[WaitingRecords]:
    """Return the rows to send to these peers, the oldest first, as far as they may leave now.

    What is granted by those permissions is held back.
    """
    query = (
        select(
            OutboxRow.peer_id,
            PermittedRow.identification,
            PermittedRow.reading,
            *_COLUMNS,
            *SERIES_FACTS,
        )
        .where(
            PermittedRow.permission_id == OutboxRow.permission_id,
            PermittedRow.series_id == OutboxRow.series_id,
            SeriesRow.id == OutboxRow.series_id,
            OutboxRow.peer_id.in_(peers),
            OutboxRow.sent_at.is_(None),
            OutboxRow.permission_id.not_in(held_back),
        )
        .order_by(OutboxRow.id)
    )
    rows = await connection.execute(query)
    return [
        WaitingRecords(peer, identification, reading, _queued(row[:6]), Series(*row[6:]))
        for peer, identification, reading, *row in rows
    ]


async def peers_to_send_to(connection: AsyncConnection) -> Sequence[PeerId]:
    """Return the peers with waiting rows."""
    query = select(OutboxRow.peer_id).where(OutboxRow.sent_at.is_(None)).distinct()
    return (await connection.execute(query)).scalars().all()


async def still_queued(connection: AsyncConnection, stanzas: Collection[str]) -> set[str | None]:
    """Return the stanzas whose records are still queued, and may reach a peer."""
    query = select(OutboxRow.stanza).where(OutboxRow.stanza.in_(stanzas))
    return set((await connection.execute(query)).scalars())


async def acknowledged(connection: AsyncConnection, peer: PeerId, stanza: str) -> list[Queued]:
    """Remove confirmed rows from the outbox, move the peer's cursors, and return the rows.

    Nothing is returned for a stanza that is unknown, or was confirmed before.
    """
    taken = delete(OutboxRow).where(OutboxRow.peer_id == peer, OutboxRow.stanza == stanza)
    rows = await connection.execute(taken.returning(*_COLUMNS))
    received = [_queued(row) for row in rows]
    for queued in received:
        await move_cursor(connection, peer, queued.series_id, queued.records.end)
    return received


async def unacknowledged(
    connection: AsyncConnection, peer: PeerId
) -> tuple[dict[SeriesId, list[Range]], datetime | None]:
    """Return the ranges of each series that are queued for a peer, or sent and not confirmed.

    With them comes when the oldest was queued; None where there are none.
    """
    query = select(
        OutboxRow.series_id, OutboxRow.range_start, OutboxRow.range_end, OutboxRow.queued_at
    ).where(OutboxRow.peer_id == peer)
    ranges: dict[SeriesId, list[Range]] = {}
    oldest = None
    for series_id, start, end, at in await connection.execute(query):
        ranges.setdefault(series_id, []).append(Range(start, end))
        oldest = min(at, oldest or at)
    return ranges, oldest


async def send_again(connection: AsyncConnection, peer: PeerId | None = None) -> int:
    """Queue again what was sent to a peer, or to any, and not confirmed.

    The message that carried it is remembered: its receipt may still come.
    """
    permitted = select(PermittedRow.permission_id).where(
        PermittedRow.permission_id == OutboxRow.permission_id,
        PermittedRow.series_id == OutboxRow.series_id,
    )
    again = update(OutboxRow).where(OutboxRow.sent_at.is_not(None), permitted.exists())
    if peer is not None:
        again = again.where(OutboxRow.peer_id == peer)
    return (await connection.execute(again.values(sent_at=None))).rowcount


def _queued(row: Sequence[Any]) -> Queued:
    permission, series_id, start, end, stanza, row_id = row
    return Queued(permission, series_id, Range(start, end), stanza, row_id)
