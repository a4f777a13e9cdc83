"""The recorder's own helpers, in Wh and for energies alone.

None of them finds the first row of a series: `_firsts` asks the database for that.
"""

from collections.abc import Iterable, Mapping, Set
from datetime import timedelta
from itertools import batched
from typing import Final, Literal

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.db_schema import Statistics, StatisticsShortTerm
from homeassistant.components.recorder.models import StatisticData, StatisticMetaData
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_import_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.const import UnitOfEnergy
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.recorder import session_scope
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import EnergyConverter
from sqlalchemy import func, select

from .rows import Row, Rows

_YEAR_S: Final = timedelta(days=365).total_seconds()
"""The most read at once."""
_WRITTEN_AT_ONCE: Final = 1_000
_SAME_WH: Final = 0.001

type Period = Literal["hour", "5minute"]


async def async_metadata(hass: HomeAssistant, ids: Iterable[str]) -> dict[str, StatisticMetaData]:
    """Return how the recorder stores each series, of those that are energies."""
    return await get_instance(hass).async_add_executor_job(_metadata, hass, set(ids))


async def async_firsts(
    hass: HomeAssistant, hours: Set[str], minutes: Set[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the first hour of each of some series that has one, and the first five minutes."""
    return await get_instance(hass).async_add_executor_job(_both_firsts, hass, hours, minutes)


async def async_rows(
    hass: HomeAssistant, ids: Iterable[str], start: float, end: float, period: Period
) -> dict[str, list[Row]]:
    """Return the rows of some series that have a sum."""
    return await get_instance(hass).async_add_executor_job(
        _rows, hass, set(ids), start, end, period
    )


async def async_hours(
    hass: HomeAssistant, ids: Set[str], until: float, *, needed: Set[str]
) -> dict[str, list[Row]]:
    """Return hours up to a moment, back to a year in which a needed series has none."""
    hours: dict[str, list[Row]] = {each: [] for each in ids}
    while True:
        since = until - _YEAR_S
        part = await async_rows(hass, ids, since, until, "hour")
        for each, rows in part.items():
            hours[each] = [*rows, *hours[each]]
        if not all(part.get(each) for each in needed):
            return hours
        until = since


async def async_join(
    hass: HomeAssistant,
    metadata: StatisticMetaData,
    hours: Rows,
    start: float,
    raised_wh: float,
) -> None:
    """Import hours into a series, and raise its sums from a moment on.

    All of it is queued before anything is waited for: it is done whole, or not at all.
    """
    recorder = get_instance(hass)
    for part in batched(hours, _WRITTEN_AT_ONCE, strict=False):
        async_import_statistics(hass, metadata, _data(metadata, part))
    if abs(raised_wh) > _SAME_WH:
        recorder.async_adjust_statistics(
            metadata["statistic_id"],
            dt_util.utc_from_timestamp(start),
            raised_wh,
            UnitOfEnergy.WATT_HOUR,
        )
    await recorder.async_block_till_done()


@callback
def async_replace(
    hass: HomeAssistant, metadata: StatisticMetaData, hours: Rows, minutes: Rows
) -> None:
    """Replace a series by these hours and these five minutes.

    All of it is queued at once: no statistics are generated in between.
    """
    recorder = get_instance(hass)
    recorder.async_clear_statistics([metadata["statistic_id"]])
    async_import_statistics(hass, metadata, _data(metadata, hours))
    recorder.async_import_statistics(metadata, _data(metadata, minutes), StatisticsShortTerm)


@callback
def async_external(
    hass: HomeAssistant, metadata: StatisticMetaData, sums: Mapping[float, float], *, instead: bool
) -> None:
    """Add sums in Wh at the end of hours, by their start, to a series without an entity.

    `instead` of all that it has. All of it is queued at once.
    """
    if instead:
        get_instance(hass).async_clear_statistics([metadata["statistic_id"]])
    convert = EnergyConverter.converter_factory(
        UnitOfEnergy.WATT_HOUR, metadata["unit_of_measurement"]
    )
    rows = (
        StatisticData(start=dt_util.utc_from_timestamp(at), sum=convert(wh))
        for at, wh in sums.items()
    )
    for part in batched(rows, _WRITTEN_AT_ONCE, strict=False):
        async_add_external_statistics(hass, metadata, part)


def _data(metadata: StatisticMetaData, rows: Iterable[Row]) -> list[StatisticData]:
    convert = EnergyConverter.converter_factory(
        UnitOfEnergy.WATT_HOUR, metadata["unit_of_measurement"]
    )
    data = []
    for row in rows:
        statistic = StatisticData(
            start=dt_util.utc_from_timestamp(row.start), sum=convert(row.sum_wh)
        )
        if row.state_wh is not None:
            statistic["state"] = convert(row.state_wh)
        data.append(statistic)
    return data


def _metadata(hass: HomeAssistant, ids: set[str]) -> dict[str, StatisticMetaData]:
    return {
        each: metadata
        for each, (_, metadata) in get_metadata(hass, statistic_ids=ids).items()
        if metadata["unit_of_measurement"] in EnergyConverter.VALID_UNITS
    }


def _both_firsts(
    hass: HomeAssistant, hours: Set[str], minutes: Set[str]
) -> tuple[dict[str, float], dict[str, float]]:
    return _firsts(hass, Statistics, hours), _firsts(hass, StatisticsShortTerm, minutes)


def _firsts(
    hass: HomeAssistant, table: type[Statistics | StatisticsShortTerm], ids: Set[str]
) -> dict[str, float]:
    metadata = get_metadata(hass, statistic_ids=set(ids))
    names = {number: each for each, (number, _) in metadata.items()}
    first = func.min(table.start_ts)
    query = select(table.metadata_id, first).where(table.metadata_id.in_(names))
    with session_scope(hass=hass, read_only=True) as session:
        rows = session.execute(query.group_by(table.metadata_id))
        return {names[number]: start for number, start in rows if number is not None}


def _rows(
    hass: HomeAssistant, ids: set[str], start: float, end: float, period: Period
) -> dict[str, list[Row]]:
    statistics = statistics_during_period(
        hass,
        dt_util.utc_from_timestamp(start),
        dt_util.utc_from_timestamp(end),
        ids,
        period,
        {EnergyConverter.UNIT_CLASS: UnitOfEnergy.WATT_HOUR},
        {"state", "sum"},
    )
    return {
        each: [
            Row(start=row["start"], end=row["end"], sum_wh=sum_wh, state_wh=row.get("state"))
            for row in rows
            if (sum_wh := row.get("sum")) is not None
        ]
        for each, rows in statistics.items()
    }
