"""A node's series, and the records due to each peer.

All of it happens inside the transaction that the caller holds: a record, and the correction that it
makes due, are stored together or not at all.

What is due is what the blocks hold beyond a subscription's cursor. The outbox holds what is on its
way, and what was corrected behind the cursor.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import batched

from ..permission import Identification, Reading
from ..quoalise import MAX_PUSHED, Data, Identifier, Reports, Text
from ..quoalise.data import encode
from ..quoalise.markup import serialise
from ..quoalise.protected_sums import write_reports
from ..series import Block, Range, Record, Series
from ..store import PeerId, SeriesId
from ..store.connection import AsyncConnection
from ..store.coverage import all_coverage
from ..store.outbox import (
    Queued,
    Subscriber,
    WaitingRecords,
    cut,
    queue,
    queue_again_for,
    sending,
    subscribers,
    subscribers_beyond,
    take_turns,
    unsent,
)
from ..store.series import blocks, blocks_of_days, extent, put_blocks
from ..wire import Naming, Unsayable, encode_series
from .restriction import paused

SOON = timedelta(days=2)
"""A record that starts later than this is no record: clocks differ, but not by that."""

_DAY = timedelta(days=1)
_DAYS_AT_ONCE = 31


@dataclass(frozen=True, slots=True)
class RecordsMessage:
    """Records about to leave for a peer, under the id that its receipt will name."""

    peer: PeerId
    id: str
    data: Data | Reports
    queued: Queued


def receipts_key(peer: PeerId) -> str:
    """Return the key of the setting for a peer without receipts: "no", or unset."""
    return f"peer.{peer}.receipts"


async def keep(
    connection: AsyncConnection,
    series_ids: Mapping[Series, SeriesId],
    blocks: Iterable[Block],
    at: datetime,
) -> bool:
    """Store these blocks, and queue corrections for peers. Return whether anything is new."""
    await take_turns(connection)
    blocks = list(blocks)
    covered = await all_coverage(connection)
    days: dict[SeriesId, tuple[Series, set[date]]] = {}
    for block in blocks:
        days.setdefault(series_ids[block.series], (block.series, set()))[1].add(block.day)
    stored = await blocks_of_days(connection, days)
    corrected: dict[tuple[Series, bool], list[Range]] = {}
    new: dict[SeriesId, dict[date, Block]] = {}
    for block in blocks:
        series_id = series_ids[block.series]
        key = series_id, block.day
        before = stored.get(key)
        if block == before:
            continue
        new.setdefault(series_id, {})[block.day] = stored[key] = block
        if (span := _difference(before, block)) is not None:
            read, day = covered.get(series_id), Range.of_day(block.day)
            first = read is None or not read.covers(day)
            corrected.setdefault((block.series, first), []).append(span)
    await put_blocks(connection, {series_id: days.values() for series_id, days in new.items()}, at)
    await queue_again(connection, series_ids, corrected, at)
    return bool(new)


async def queue_again(
    connection: AsyncConnection,
    series_ids: Mapping[Series, SeriesId],
    corrected: Mapping[tuple[Series, bool], Iterable[Range]],
    at: datetime,
) -> None:
    """Queue these records for the subscribers whose cursor is past them.

    The keys are a series, and whether its records were read for the first time. Such records, where
    they are older than a subscription, correct nothing: the subscriber asks for the past where it
    wants it.
    """
    if not corrected:
        return
    after = min(span.start for spans in corrected.values() for span in spans)
    ids = [series_ids[series] for series, _ in corrected]
    by_series = await subscribers_beyond(connection, ids, after)
    for (series, first), spans in corrected.items():
        series_id = series_ids[series]
        readers = by_series.get(series_id, ())
        for span in _joined(series, spans) if readers else ():
            starts = [max(span.start, each.since) if first else span.start for each in readers]
            parts = [Range(start, max(start, span.end)) for start in starts]
            pairs = zip(readers, parts, strict=True)
            await queue_again_for(connection, series_id, pairs, at=at)


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
    parts = _Parts(connection, naming)
    messages: dict[PeerId, RecordsMessage | Text] = {}

    def name(peer: PeerId, identification: str, series: Series) -> Identifier | None:
        try:
            return naming.name(series, peers[peer], Identification(identification))
        except Unsayable as fault:
            messages[peer] = fault.text
            return None

    async def payload(
        reader: WaitingRecords | Subscriber, queued: Queued, series: Series
    ) -> tuple[Data | Reports, datetime | None] | None:
        """Return as `_Parts.of` does; None where nothing can be said of the series now."""
        if reader.reading == Reading.SUM:
            return await parts.masked(peers[reader.peer], queued, series, at)
        identifier = name(reader.peer, reader.identification, series)
        if identifier is None:
            return None
        return await parts.of(identifier, queued.series_id, series, queued.records)

    def message(peer: PeerId, queued: Queued, data: Data | Reports) -> RecordsMessage:
        message = RecordsMessage(peer, _message_id(queued, data, new_id()), data, queued)
        messages[peer] = message
        return message

    left = set(peers)
    while left:
        waiting, left = await unsent(connection, left, held_back), set()
        for row in waiting:
            queued = row.queued
            if row.peer in messages:
                continue
            content = await payload(row, queued, row.series)
            if content is None:
                continue
            data, over = content
            if over is not None:
                # A hole was filled since it was queued.
                await cut(connection, queued, over)
                left.add(row.peer)
                continue
            await sending(connection, [queued], message(row.peer, queued, data).id, at)
    leaving = []
    for series_id, series in series_by_id.items():
        if not (rest := peers.keys() - messages.keys()):
            break
        readers = await subscribers(connection, [series_id], rest)
        for reader in readers.get(series_id, ()):
            if reader.permission in held_back:
                continue
            due = await parts.beyond(series_id, series, reader.beyond(at + SOON))
            if due is None:
                continue
            queued = Queued(reader.permission, series_id, due.clip(reader.records))
            content = await payload(reader, queued, series)
            if content is None:
                continue
            stanza = message(reader.peer, queued, content[0]).id
            leaving.append((reader.peer, replace(queued, stanza=stanza)))
    await queue(connection, leaving, at=at, sent_at=at)
    return messages


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
            most = at_once(MAX_PUSHED, self._naming, series)
            first = records[:most]
            members = await members_of(self._connection, self._naming, series, first)
            over = records[most].start if len(records) > most else None
            self._data[key] = encode_series(name, series, first, members), over
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
        over = records[MAX_PUSHED].start if len(records) > MAX_PUSHED else None
        return mask(keys, collective, queued.permission, series, records[:MAX_PUSHED]), over

    async def beyond(self, series_id: SeriesId, series: Series, within: Range) -> Range | None:
        """Return where the first records in a range are, as many as a message holds."""
        key = series_id, within
        if key not in self._beyond:
            self._beyond[key] = await self._next(series_id, series, within)
        return self._beyond[key]

    async def _next(self, series_id: SeriesId, series: Series, within: Range) -> Range | None:
        records: list[Record] = []
        most = at_once(MAX_PUSHED, self._naming, series)
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


async def records_of(
    connection: AsyncConnection, naming: Naming, series_id: SeriesId, series: Series, within: Range
) -> list[Record]:
    """Return the records of a series that start in a range, in order."""
    if naming.collective is not None and naming.sums(series):
        return (await _published(connection, naming.collective, series, within))[0]
    stored = await blocks(connection, series_id, series, within)
    return [record for block in stored for record in block.records(within)]


async def extent_of(
    connection: AsyncConnection, naming: Naming, series_id: SeriesId, series: Series, within: Range
) -> Range | None:
    """Return the range from the first record to the end of the last one; None if there is none."""
    if naming.collective is None or not naming.sums(series):
        return await extent(connection, series_id, series, within)
    # A home never loads the tables of a collective.
    from ..store.published_series import published_extent  # noqa: PLC0415

    return await published_extent(connection, naming.collective, series, within)


async def members_of(
    connection: AsyncConnection, naming: Naming, series: Series, records: Sequence[Record]
) -> list[Record]:
    """Return how many members each of these records sums, where a collective sums them."""
    if not records or naming.collective is None or not naming.sums(series):
        return []
    within = Range(records[0].start, series.end(records[-1].start))
    return (await _published(connection, naming.collective, series, within))[1]


def at_once(most: int, naming: Naming, series: Series) -> int:
    """Return how many records fit a message: half as many where counts go beside them."""
    return most // 2 if naming.sums(series) else most


async def _published(
    connection: AsyncConnection, collective: str, series: Series, within: Range
) -> tuple[list[Record], list[Record]]:
    # A home never loads the tables of a collective.
    from ..store.published_series import published_records  # noqa: PLC0415

    return await published_records(connection, collective, series, within)


def _difference(stored: Block | None, block: Block) -> Range | None:
    """Return the range from the first new or changed record to the end of the last one."""
    before = set() if stored is None else set(stored.records())
    new = [record.start for record in block.records() if record not in before]
    return Range(min(new), block.series.end(max(new))) if new else None


def _joined(series: Series, spans: Iterable[Range]) -> list[Range]:
    """Join spans with little between them, as much as a message holds."""
    most = MAX_PUSHED * timedelta(minutes=series.interval.minutes)
    joined: list[Range] = []
    for span in sorted(spans, key=lambda span: span.start):
        before = joined[-1] if joined else None
        if before and span.start - before.end <= _DAY and span.end - before.start <= most:
            joined[-1] = Range(before.start, span.end)
        else:
            joined.append(span)
    return joined
