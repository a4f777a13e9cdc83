"""Reads the recorder: years of it month by month, or again the days that may have changed."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    Iterable,
    Mapping,
    Sequence,
)
from datetime import datetime, timedelta
from functools import partial
from itertools import batched, groupby, product

from consometers_node.household.days import months, needs_hours
from consometers_node.household.readings import Chunk, Flag, Reading
from consometers_node.household.statistics import (
    StatisticId,
    StatisticsRow,
    is_imported,
    statistic_id,
)
from consometers_node.household.waiting import Rest, patiently
from consometers_node.series import Block, Range, Series

from .client import Period, Recorder
from .memory import MEMORY
from .reading import Rows, changed, reach, read, wants_five_minutes

_STATISTICS_AT_ONCE = 8
# There are twelve times as many 5-minute rows as hours.
_FIVE_MINUTES_AT_ONCE = timedelta(days=7)


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

    `stored` holds the blocks of the days of `MEMORY.window` of each series; `absences` are those of
    `catch_up`.
    """
    blocks = {(block.series, block.day): block for block in stored}
    by_window = groupby(sorted(series, key=is_imported), key=partial(MEMORY.window, now=now))
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


def _groups(some: Iterable[Series]) -> list[list[Series]]:
    """Group series that are read at once: eight statistics, each with all its series."""
    by_name: dict[StatisticId, list[Series]] = {}
    for series in some:
        by_name.setdefault(statistic_id(series), []).append(series)
    batches = batched(by_name.values(), _STATISTICS_AT_ONCE, strict=False)
    return [[series for same in batch for series in same] for batch in batches]


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
