"""Reads the recorder: years of it month by month, or again the days that may have changed."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import batched, groupby, product

from consometers_node.series import Block, Range, Series

from .client import Period, Recorder, Rest, patiently
from .reading import (
    Flag,
    Reading,
    Rows,
    StatisticsRow,
    changed,
    needs_hours,
    reach,
    read,
    wants_five_minutes,
)
from .statistics import StatisticId, is_imported, statistic_id

AGAIN_OWN = timedelta(days=7)
"""How far back the recorder's own statistics are read again."""
AGAIN_IMPORTED = timedelta(days=35)
"""The same for what was imported: cloud meters rewrite thirty days."""

FIVE_MINUTE_ROWS = timedelta(days=10)
"""How long Home Assistant keeps them by default."""

_STATISTICS_AT_ONCE = 8
# There are twelve times as many 5-minute rows as hours.
_FIVE_MINUTES_AT_ONCE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What was read of some series over some whole days: all that is there, or all that changed.

    A series without a reading has nothing there, or nothing new.
    """

    series: Sequence[Series]
    days: Range
    readings: Sequence[Reading]


async def catch_up(
    recorder: Recorder,
    series: Iterable[Series],
    within: Range,
    *,
    absences: Sequence[Range] = (),
    rest: Rest = asyncio.sleep,
) -> AsyncGenerator[Chunk]:
    """Read the UTC days of a range, the oldest month first, and all of its series before the next.

    `absences` says when Home Assistant was off, or may have been, as far as that is known.

    Takes as long a rest after each question as the answer took, so that Home Assistant has at least
    half of its time for itself. While it is away this waits; to end that, cancel. What was yielded
    is complete: go on with the days after it.
    """
    for days, group in product(months(within), _groups(series)):
        readings = await _read(recorder, group, days, absences, rest)
        new = [reading for reading in readings if changed(reading, None)]
        yield Chunk(group, days, new)


async def read_again(
    recorder: Recorder,
    series: Iterable[Series],
    now: datetime,
    stored: Iterable[Block],
    *,
    absences: Sequence[Range] = (),
    rest: Rest = asyncio.sleep,
) -> AsyncGenerator[Chunk]:
    """Read the last days again, and return the blocks that changed.

    `stored` holds the blocks of the days of `window` of each series; `absences` are those of
    `catch_up`.
    """
    blocks = {(block.series, block.day): block for block in stored}
    by_window = groupby(sorted(series, key=is_imported), key=partial(window, now=now))
    for days, group in ((days, group) for days, same in by_window for group in _groups(same)):
        readings = await _read(recorder, group, days, absences, rest)
        news = (
            changed(reading, blocks.get((reading.block.series, reading.block.day)))
            for reading in readings
        )
        new = [reading for reading in news if reading is not None]
        yield Chunk(group, days, new)


async def flags(
    recorder: Recorder, series: Series, days: Range, *, absences: Sequence[Range] = ()
) -> set[Flag]:
    """Return why records of some days are missing, where the recorder has rows of them."""
    readings = await _read(recorder, [series], days, absences, asyncio.sleep)
    return {flag for reading in readings for flag in reading.flags.values()}


def window(series: Series, now: datetime) -> Range:
    """Return the whole UTC days, including today, in which a series may still change."""
    back = AGAIN_IMPORTED if is_imported(series) else AGAIN_OWN
    return Range(
        Range.of_day((now - back).astimezone(UTC).date()).start,
        Range.of_day(now.astimezone(UTC).date()).end,
    )


def days_to_read(series: Series, records: Range, now: datetime) -> Range:
    """Return the whole UTC days, including today, that the records of a grant need.

    Hours are kept for ever. What is made of 5-minute rows is only there as long as these are.
    """
    start = records.start
    if not needs_hours(series):
        start = max(start, now - FIVE_MINUTE_ROWS)
    end = Range.of_day(min(now, records.end).astimezone(UTC).date()).end
    return Range(min(Range.of_day(start.astimezone(UTC).date()).start, end), end)


def still_to_read(needed: Range, covered: Range | None) -> list[Range]:
    """Return the unread days before today, the newest first.

    What was read is one range, and stays one: what is given grows it on either side.
    """
    if covered is None:
        return [needed] if needed else []
    left = [
        Range(covered.end, max(covered.end, needed.end)),
        Range(min(needed.start, covered.start), covered.start),
    ]
    return [days for days in left if days]


def _groups(some: Iterable[Series]) -> list[list[Series]]:
    """Group series that are read at once: eight statistics, each with all its series."""
    by_name: dict[StatisticId, list[Series]] = {}
    for series in some:
        by_name.setdefault(statistic_id(series), []).append(series)
    batches = batched(by_name.values(), _STATISTICS_AT_ONCE, strict=False)
    return [[series for same in batch for series in same] for batch in batches]


def months(within: Range) -> Iterator[Range]:
    """Cut the whole UTC days of a range where months begin."""
    for _, same in groupby(within.days(), key=lambda day: (day.year, day.month)):
        days = list(same)
        yield Range(Range.of_day(days[0]).start, Range.of_day(days[-1]).end)


async def _read(
    recorder: Recorder,
    group: Sequence[Series],
    days: Range,
    absences: Sequence[Range],
    rest: Rest,
) -> list[Reading]:
    """Read whole days of some series: hours first, and 5-minute rows where they are needed."""
    needs = {series: reach(series, days, absences) for series in group if needs_hours(series)}
    hours = await _rows(recorder, needs, "hour", rest)
    holes: dict[Series, Range] = {}
    for series in group:
        hour_rows = hours.get(statistic_id(series), ())
        if (hole := wants_five_minutes(series, days, hour_rows, absences)) is not None:
            holes[series] = hole
    fine = await _rows(recorder, holes, "5minute", rest)
    readings: list[Reading] = []
    for series in group:
        name = statistic_id(series)
        rows = Rows(hours=hours.get(name, ()), five_minutes=fine.get(name, ()))
        # What an integration imported was measured elsewhere.
        off = () if is_imported(series) else absences
        readings += read(series, days.days(), rows, absences=off)
    return readings


async def _rows(
    recorder: Recorder, spans: Mapping[Series, Range], period: Period, rest: Rest
) -> dict[StatisticId, list[StatisticsRow]]:
    rows: dict[StatisticId, list[StatisticsRow]] = {}
    if not spans:
        return rows
    names = list(dict.fromkeys(map(statistic_id, spans)))
    start = min(span.start for span in spans.values())
    end = max(span.end for span in spans.values())
    step = end - start if period == "hour" else _FIVE_MINUTES_AT_ONCE
    for within in Range(start, end).parts(step):
        answer = await patiently(recorder, partial(recorder.rows, names, period, within), rest)
        for name, more in answer.items():
            rows.setdefault(name, []).extend(more)
    return rows
