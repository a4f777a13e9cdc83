"""A home's monthly consumption from the grid, from what it shares with a collective."""

from collections.abc import Mapping
from datetime import date

from consometers_node.series import Direction, Interval, Range, Series
from consometers_node.store import SeriesId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.series import blocks

from .totals import days_of, of_whole_days

_HOUR_MINUTES = 60


async def drawn(
    connection: AsyncConnection, shared: Mapping[SeriesId, Series], month: date
) -> int | None:
    """Return the Wh of a civil month, of each device by its finest series; None if not known.

    A day of which something is missing counts as the others do.
    """
    finest: dict[str, tuple[SeriesId, Series]] = {}
    for series_id, series in shared.items():
        before = finest.get(series.device)
        if series.direction is Direction.CONSUMPTION and (
            before is None or series.interval.minutes < before[1].interval.minutes
        ):
            finest[series.device] = series_id, series
    totals = [await _month_total(connection, *candidate, month) for candidate in finest.values()]
    measured = [total for total in totals if total is not None]
    return sum(measured) if measured and len(measured) == len(totals) else None


async def _month_total(
    connection: AsyncConnection, series_id: SeriesId, series: Series, month: date
) -> int | None:
    days = list(days_of(month))
    whole = Range(days[0].start, days[-1].end)
    stored = await blocks(connection, series_id, series, whole)
    values = {record.start: record.value for block in stored for record in block.records(whole)}
    by_day: list[int | None] = []
    for day in days:
        starts = [instant for utc in day.days() for instant in series.starts(utc) if instant in day]
        values_of_day = [values[start] for start in starts if start in values]
        by_day.append(sum(values_of_day) if starts and len(values_of_day) == len(starts) else None)
    total = of_whole_days(by_day)
    if total is None or not series.quantity.is_mean or series.interval is Interval.P1D:
        return total
    return round(total * series.interval.minutes / _HOUR_MINUTES)
