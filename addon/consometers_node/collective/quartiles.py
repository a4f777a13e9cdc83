"""How homes differ in a month, as it is told: what was told once of a month stays.

So nobody compares what was told before a home's records came late, or went, with what is after.
"""

from collections.abc import Iterable, Mapping
from dataclasses import astuple
from datetime import date, datetime
import json

from sqlalchemy.ext.asyncio import AsyncConnection

from ..quoalise import Data, DeviceType, Duration, Identifier, Number, Records, SeriesPath, describe
from ..series import Range, Series
from ..store.settings import set_setting, setting
from .calendar import days_of, instants, month_of
from .disclosure import Quartiles, WattMinutes
from .members import month_after
from .own import devices, named
from .release import Release

PATHS = (SeriesPath.LOWER_QUARTILE, SeriesPath.MEDIAN, SeriesPath.UPPER_QUARTILE)
MOST_MONTHS = 12
"""In one answer: each that was not told before is counted anew."""

_MINUTES = 60


def beside(daily: Identifier) -> list[Identifier]:
    """Give the quartiles that whoever may read the sums of days may read."""
    return [Identifier(daily.device, f"{daily.direction}/{path}") for path in PATHS]


def daily_of(asked: Identifier) -> Identifier | None:
    """Give the sums of days beside which quartiles stand; None of what are none."""
    if asked.direction is None or asked.quantity not in PATHS:
        return None
    return Identifier(asked.device, f"{asked.direction}/{SeriesPath.ENERGY_DAILY}")


def months_in(records: Range, time_zone: str) -> list[date]:
    """Give the civil months that begin in a range, in order."""
    month = month_of(records.start.date())
    found = []
    while (start := instants(time_zone, month).start) < records.end:
        if start >= records.start:
            found.append(month)
        month = month_after(month)
    return found


async def of_months(
    connection: AsyncConnection,
    release: Release,
    collective: str,
    series: Series,
    months: Iterable[date],
    *,
    at: datetime,
) -> dict[date, Quartiles]:
    """Give the quartiles of the group that a series of ours is of, in watt-minutes of a day."""
    groups = devices(collective, await named(connection)).items()
    found = {}
    for group in [one for one, device in groups if device == series.device]:
        for month in months:
            key = f"quartiles.{group}.{series.direction}.{month}"
            if (kept := await setting(connection, key)) is not None:
                homes, *values = json.loads(kept)
                found[month] = Quartiles(homes, *map(WattMinutes, values))
                continue
            one = await release.quartiles(connection, group, series.direction, month, at)
            if isinstance(one, Quartiles):
                found[month] = one
                await set_setting(connection, key, json.dumps(astuple(one)))
    return found


def told(asked: Identifier, found: Mapping[date, Quartiles], time_zone: str) -> Data:
    """Give what is told of months, in Wh: all three of them under the name of the median."""
    values: dict[str, dict[Number, Number]] = {path: {} for path in PATHS}
    for month, one in found.items():
        start = int(instants(time_zone, month).start.timestamp())
        days = len(days_of(month))
        for path, watt_minutes in zip(PATHS, (one.lower, one.median, one.upper), strict=True):
            values[path][start] = round(watt_minutes * days / _MINUTES)
    wanted = PATHS if asked.quantity == SeriesPath.MEDIAN else (asked.quantity,)
    names = {path: Identifier(asked.device, f"{asked.direction}/{path}") for path in wanted}
    return Data(
        describe(asked, Duration(months=1), DeviceType.COLLECTIVE),
        tuple(Records(str(names[path]), "Wh", values[path]) for path in wanted if values[path]),
    )
