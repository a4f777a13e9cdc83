"""The messages that take due records to each peer.

Records are read and noted as leaving in one transaction, which the caller holds.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import batched

from consometers_node.i18n.text import Text
from consometers_node.permission import Identification, Reading
from consometers_node.series import Range, Record, Series
from consometers_node.sharing.restriction import paused
from consometers_node.store import PeerId, PermissionId, SeriesId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.outbox import (
    Queued,
    Subscriber,
    WaitingRecords,
    cut,
    queue,
    sending,
    subscribers,
    take_turns,
    unsent,
)
from consometers_node.wire import Naming, Unsayable, encode_series
from consometers_quoalise import MAX_PUSHED, Data, Identifier, Reports
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation.protected_sums import MAX_REPORTS, write_reports
from consometers_quoalise.records.data import encode

from .due_records import SOON, at_once, beside, records_of

_DAYS_AT_ONCE = 31


@dataclass(frozen=True, slots=True)
class RecordsMessage:
    """Records about to leave for a peer, under the id that its receipt will name."""

    peer: PeerId
    id: str
    data: Data | Reports
    queued: Queued


async def next_messages(
    connection: AsyncConnection,
    naming: Naming,
    peers: Mapping[PeerId, str],
    series_by_id: Mapping[SeriesId, Series],
    *,
    new_id: Callable[[], str],
    at: datetime,
) -> dict[PeerId, RecordsMessage | Text]:
    """Return one message for each of these peers, by their bare JIDs, to which something is due.

    What waits in the outbox goes before what these series have beyond the peers' cursors. All of it
    is noted as leaving. Instead of a message there may be the reason why what is due cannot be said
    to a peer. Where only sums may be read, the records are masked. Raises NotPermitted if something
    must not leave after all.
    """
    await take_turns(connection)
    held_back = await paused(connection)
    messages = _Messages(connection, naming, peers, new_id, at)
    await messages.add_waiting(held_back)
    await messages.add_beyond(series_by_id, held_back)
    return messages.by_peer


class _Messages:
    """The messages of one transaction, one to a peer."""

    def __init__(
        self,
        connection: AsyncConnection,
        naming: Naming,
        peers: Mapping[PeerId, str],
        new_id: Callable[[], str],
        at: datetime,
    ) -> None:
        self._connection = connection
        self._naming = naming
        self._peers = peers
        self._new_id = new_id
        self._at = at
        self._parts = _Parts(connection, naming)
        self.by_peer: dict[PeerId, RecordsMessage | Text] = {}

    async def add_waiting(self, held_back: Collection[PermissionId]) -> None:
        """Take what waits in the outbox, the oldest of each peer first."""
        left = set(self._peers)
        while left:
            waiting, left = await unsent(self._connection, left, held_back), set()
            for row in waiting:
                if row.peer in self.by_peer:
                    continue
                content = await self._payload(row, row.queued, row.series)
                if content is None:
                    continue
                data, over = content
                if over is not None:
                    # A hole was filled since it was queued.
                    await cut(self._connection, row.queued, over)
                    left.add(row.peer)
                    continue
                stanza = self._add(row.peer, row.queued, data)
                await sending(self._connection, [row.queued], stanza, self._at)

    async def add_beyond(
        self, series_by_id: Mapping[SeriesId, Series], held_back: Collection[PermissionId]
    ) -> None:
        """Take what these series have beyond the cursors of peers without a message."""
        leaving = []
        for series_id, series in series_by_id.items():
            if not (rest := self._peers.keys() - self.by_peer.keys()):
                break
            readers = await subscribers(self._connection, [series_id], rest)
            for reader in readers.get(series_id, ()):
                if reader.permission in held_back:
                    continue
                within = reader.beyond(self._at + SOON)
                due = await self._parts.beyond(series_id, series, within)
                if due is None:
                    continue
                queued = Queued(reader.permission, series_id, due.clip(reader.records))
                content = await self._payload(reader, queued, series)
                if content is None:
                    continue
                data, over = content
                if over is not None:
                    # A message holds fewer reports than records.
                    queued = replace(queued, records=Range(queued.records.start, over))
                stanza = self._add(reader.peer, queued, data)
                leaving.append((reader.peer, replace(queued, stanza=stanza)))
        await queue(self._connection, leaving, at=self._at, sent_at=self._at)

    async def _payload(
        self, reader: WaitingRecords | Subscriber, queued: Queued, series: Series
    ) -> tuple[Data | Reports, datetime | None] | None:
        """Return as `_Parts.of` does; None where nothing can be said of the series now."""
        peer = self._peers[reader.peer]
        if reader.reading == Reading.SUM:
            return await self._parts.masked(peer, queued, series, self._at)
        try:
            identifier = self._naming.name(series, peer, Identification(reader.identification))
        except Unsayable as fault:
            self.by_peer[reader.peer] = fault.text
            return None
        return await self._parts.of(identifier, queued.series_id, series, queued.records)

    def _add(self, peer: PeerId, queued: Queued, data: Data | Reports) -> str:
        """Add a message. Return its id."""
        message = RecordsMessage(peer, _message_id(queued, data, self._new_id()), data, queued)
        self.by_peer[peer] = message
        return message.id


class _Parts:
    """Records that many peers are sent, read once in a transaction."""

    def __init__(self, connection: AsyncConnection, naming: Naming) -> None:
        self._connection = connection
        self._naming = naming
        self._data: dict[tuple[SeriesId, Identifier, Range], tuple[Data, datetime | None]] = {}
        self._beyond: dict[tuple[SeriesId, Range], Range | None] = {}

    async def of(
        self, name: Identifier, series_id: SeriesId, series: Series, within: Range
    ) -> tuple[Data, datetime | None]:
        """Return the data of a range, and where a message is full if it is before its end."""
        # Two series of one delivery point, one finer than the other, have the same name.
        key = series_id, name, within
        if key not in self._data:
            records = await records_of(self._connection, self._naming, series_id, series, within)
            most = at_once(MAX_PUSHED, sums=self._naming.sums(series))
            first = records[:most]
            others = await beside(self._connection, self._naming, series, first)
            over = records[most].start if len(records) > most else None
            self._data[key] = encode_series(name, series, first, others), over
        return self._data[key]

    async def masked(
        self, collective: str, queued: Queued, series: Series, at: datetime
    ) -> tuple[Reports, datetime | None] | None:
        """Return the same of masked records; None without a key, or with one of a later day."""
        # A home without protected sums never loads them.
        from .masked_reports import load_keys, mask  # noqa: PLC0415

        keys = await load_keys(self._connection, queued.permission)
        if keys is None or keys.day_key.day > at.astimezone(UTC).date():
            return None
        records = await records_of(
            self._connection, self._naming, queued.series_id, series, queued.records
        )
        over = records[MAX_REPORTS].start if len(records) > MAX_REPORTS else None
        return mask(keys, collective, queued.permission, series, records[:MAX_REPORTS]), over

    async def beyond(self, series_id: SeriesId, series: Series, within: Range) -> Range | None:
        """Return where the first records in a range are, as many as a message holds."""
        key = series_id, within
        if key not in self._beyond:
            self._beyond[key] = await self._next(series_id, series, within)
        return self._beyond[key]

    async def _next(self, series_id: SeriesId, series: Series, within: Range) -> Range | None:
        records: list[Record] = []
        most = at_once(MAX_PUSHED, sums=self._naming.sums(series))
        for days in batched(within.days(), _DAYS_AT_ONCE, strict=False):
            part = Range(Range.of_day(days[0]).start, Range.of_day(days[-1]).end).clip(within)
            records += await records_of(self._connection, self._naming, series_id, series, part)
            if len(records) >= most:
                break
        return Range(within.start, series.end(records[:most][-1].start)) if records else None


def _message_id(queued: Queued, data: Data | Reports, new: str) -> str:
    """Return the id of a message: that of before where it says the same.

    So a receipt that takes longer than anyone waits for it counts when it comes.
    """
    encoded = serialise(write_reports(data)) if isinstance(data, Reports) else encode(data)
    mark = f".{sha256(encoded).hexdigest()[:12]}"
    before = queued.stanza
    return before if before is not None and before.endswith(mark) else f"{new}{mark}"
