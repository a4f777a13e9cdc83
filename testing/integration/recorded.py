"""Energies in the real recorder, as the tests write, count and read them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_import_statistics,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

HOUR = timedelta(hours=1)
FIVE_MINUTES = timedelta(minutes=5)


def metadata(statistic_id: str, unit: str = "kWh", name: str | None = None) -> StatisticMetaData:
    return StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=name,
        source=statistic_id.partition(":")[0] if ":" in statistic_id else "recorder",
        statistic_id=statistic_id,
        unit_class="energy" if unit.endswith("Wh") else None,
        unit_of_measurement=unit,
    )


async def write(
    hass: HomeAssistant, statistic_id: str, rows: Iterable[StatisticData], *unit_and_name: str
) -> None:
    """Write hours of an entity, or of an import."""
    add = async_add_external_statistics if ":" in statistic_id else async_import_statistics
    add(hass, metadata(statistic_id, *unit_and_name), rows)
    await async_wait_recording_done(hass)


async def record(
    hass: HomeAssistant, statistic_id: str, begin: datetime, energies_wh: Iterable[float]
) -> None:
    """Have a series consist of these hours, from the first one on."""
    sums = enumerate(accumulate(energies_wh))
    rows = [StatisticData(start=begin + n * HOUR, sum=total) for n, total in sums]
    await write(hass, statistic_id, rows, "Wh")


async def count_five_minutes(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, start: datetime
) -> datetime:
    """Have the recorder count five minutes once they are over, and return their end."""
    end = start + FIVE_MINUTES
    freezer.move_to(end + timedelta(seconds=10))
    await async_wait_recording_done(hass)
    get_instance(hass).queue_task(StatisticsTask(start, True))
    await async_wait_recording_done(hass)
    return end


async def rows_of(hass: HomeAssistant, statistic_id: str, period: Any = "hour") -> Sequence[Any]:
    """Return the sums, states and changes of a series, Wh."""
    statistics = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime(2010, 1, 1, tzinfo=UTC),
        None,
        {statistic_id},
        period,
        {"energy": "Wh"},
        {"sum", "state", "change"},
    )
    return statistics.get(statistic_id, [])
