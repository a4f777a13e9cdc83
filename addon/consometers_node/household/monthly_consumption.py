"""What this home drew from the grid in a month, from what it shares with a collective."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Direction, Interval, Quantity, Range, Series
from ..store import SeriesId
from ..store.series import blocks
from .totals import days_of, of_whole_days

_HOUR_MINUTES = 60


async def drawn(
    connection: AsyncConnection, shared: Mapping[SeriesId, Series], month: date
) -> int | None:
    """Return the Wh of a civil month, of each device by its finest series; None if not known.

    A day of which something is missing counts as the others do.
    """
    finest: dict[str, tuple[SeriesId, Series]] = {}
    for number, series in shared.items():
        before = finest.get(series.device)
        if series.direction is Direction.CONSUMPTION and (
            before is None or series.interval.minutes < before[1].interval.minutes
        ):
            finest[series.device] = number, series
    totals = [await _of(connection, *one, month) for one in finest.values()]
    known = [total for total in totals if total is not None]
    return sum(known) if known and len(known) == len(totals) else None


async def _of(
    connection: AsyncConnection, number: SeriesId, series: Series, month: date
) -> int | None:
    days = [Range(start, end) for start, end in days_of(month)]
    whole = Range(days[0].start, days[-1].end)
    known = await blocks(connection, number, series, whole)
    values = {record.start: record.value for block in known for record in block.records(whole)}
    found: list[int | None] = []
    for day in days:
        starts = [one for utc in day.days() for one in series.starts(utc) if one in day]
        told = [values[start] for start in starts if start in values]
        found.append(sum(told) if starts and len(told) == len(starts) else None)
    total = of_whole_days(found)
    if total is None or series.quantity is Quantity.ENERGY or series.interval is Interval.P1D:
        return total
    return round(total * series.interval.minutes / _HOUR_MINUTES)
