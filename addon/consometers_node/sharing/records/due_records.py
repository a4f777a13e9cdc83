"""A node's series, and the records due to each peer.

All of it happens inside the transaction that the caller holds: a record, and the correction that it
makes due, are stored together or not at all.

What is due is what the blocks hold beyond a subscription's cursor. The outbox holds what is on its
way, and what was corrected behind the cursor.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from consometers_node.series import Block, Range, Record, Series
from consometers_node.store import PeerId, SeriesId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.coverage import all_coverage
from consometers_node.store.outbox import (
    queue_again_for,
    subscribers_beyond,
    take_turns,
)
from consometers_node.store.series import blocks, blocks_of_days, extent, put_blocks
from consometers_node.wire import NOTHING_BESIDE, Beside, Naming
from consometers_quoalise import MAX_PUSHED
from consometers_quoalise.records.identifier import BESIDE

SOON = timedelta(days=2)
"""A record that starts later than this is no record: clocks differ, but not by that."""

_DAY = timedelta(days=1)
_DAYS_AT_ONCE = 31


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
    from consometers_node.store.collective.published_series import published_extent  # noqa: PLC0415

    return await published_extent(connection, naming.collective, series, within)


async def beside(
    connection: AsyncConnection, naming: Naming, series: Series, records: Sequence[Record]
) -> Beside:
    """Return the numbers beside these records, where a collective sums them."""
    if not records or naming.collective is None or not naming.sums(series):
        return NOTHING_BESIDE
    within = Range(records[0].start, series.end(records[-1].start))
    return (await _published(connection, naming.collective, series, within))[1]


def at_once(most: int, *, sums: bool) -> int:
    """Return how many records fit a message: fewer sums, for other numbers go beside them."""
    return most // (1 + len(BESIDE)) if sums else most


async def _published(
    connection: AsyncConnection, collective: str, series: Series, within: Range
) -> tuple[list[Record], Beside]:
    # A home never loads the tables of a collective.
    from consometers_node.store.collective.published_series import published_records  # noqa: PLC0415

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
