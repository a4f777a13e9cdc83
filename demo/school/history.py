"""The past of meters and panels, written into Home Assistant's statistics.

The recorder counts the sum of a register from the first state that it saw of it. What came before
is given sums below zero, so that the past runs into the present without a step.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import time
from typing import Any, Final

from consometers_tic_virtual import Linky
from consometers_tic_virtual.world import SEGMENT_S, Energy
from demo.hass import Api, HassError, State

HOUR: Final = timedelta(hours=1)
PAST: Final = timedelta(days=732)
"""Two years, so that each day has one a year before."""

_WH_PER_UNIT: Final = {"Wh": 1, "kWh": 1_000, "MWh": 1_000_000}
_WRITTEN_WITHIN_S: Final = 600


type Figure = Callable[[Energy], int]

# Energy entities, by the key of their fact.
_REGISTERS: Final[Mapping[str, Figure]] = {
    "energy_drawn": lambda count: count.drawn_wh,
    "energy_injected": lambda count: count.injected_wh,
    "energy": lambda count: count.production_wh,
}
# Mean power of an hour or less, by what was counted in it.
_POWERS: Final[Mapping[str, Figure]] = {
    "active_power_drawn": lambda count: count.drawn_wh,
    "active_power_injected": lambda count: count.injected_wh,
    "active_power": lambda count: count.drawn_wh - count.injected_wh,
    "power": lambda count: count.production_wh,
}


@dataclass(frozen=True, kw_only=True)
class Hour:
    """An hour: the registers at its end, and at each sixth of it."""

    start: datetime
    end: Energy
    sixths: tuple[Energy, ...]


def hours(since: datetime, until: datetime, *linkys: Linky) -> Iterator[Hour]:
    """Yield the whole hours between two moments, as meters and their inverters counted them."""
    start = whole_hour(since)
    before = _counted(linkys, start)
    while start + HOUR <= until:
        sixths: list[Energy] = []
        for n in range(1, 7):
            now = _counted(linkys, start + timedelta(seconds=n * SEGMENT_S))
            sixths.append(now - before)
            before = now
        yield Hour(start=start, end=before, sixths=tuple(sixths))
        start += HOUR


def _counted(linkys: Sequence[Linky], at: datetime) -> Energy:
    """Return the sum of the meters and the inverters behind them."""
    registers = [linky.registers_at(at) for linky in linkys]
    return Energy(
        production_wh=sum(linky.world.energy(at).production_wh for linky in linkys),
        drawn_wh=sum(counted.drawn_wh for counted in registers),
        injected_wh=sum(counted.injected_wh for counted in registers),
    )


def whole_hour(at: datetime) -> datetime:
    """The hour in which a moment is."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


async def import_history(api: Api, entity_ids: Mapping[str, str], past: list[Hour]) -> None:
    """Write hours into the statistics of these entities.

    On return all of it is in the database: the registers' come last.
    """
    if not past:
        return
    for key, power_w in _POWERS.items():
        if key in entity_ids:
            await _import_power(api, entity_ids[key], power_w, past)
    registers = {entity_ids[key]: wh for key, wh in _REGISTERS.items() if key in entity_ids}
    for entity_id, value_wh in registers.items():
        await _import_register(api, entity_id, value_wh, past)
    for entity_id, value_wh in registers.items():
        await _is_written(api, entity_id, value_wh(past[-1].end), past[-1].start)


async def _is_written(api: Api, entity_id: str, value_wh: int, start: datetime) -> None:
    """Wait until the recorder has written an hour: it does so in the order of the imports."""
    until = time.monotonic() + _WRITTEN_WITHIN_S
    while time.monotonic() < until:
        for row in await api.statistics(entity_id, "hour", start, start + HOUR):
            if (state := row.get("state")) is not None and round(state) == value_wh:
                return
        await asyncio.sleep(0.2)
    raise HassError(f"{entity_id}: its past was not written within {_WRITTEN_WITHIN_S} s.")


async def _import_register(api: Api, entity_id: str, value_wh: Figure, past: list[Hour]) -> None:
    state = await api.state(entity_id)
    unit = state["attributes"]["unit_of_measurement"]
    wh = _WH_PER_UNIT[unit]
    zero_wh = await _zero_wh(api, entity_id, state)
    rows = [
        {
            "start": hour.start.isoformat(),
            "state": value_wh(hour.end) / wh,
            "sum": (value_wh(hour.end) - zero_wh) / wh,
        }
        for hour in past
    ]
    meta = {"unit_of_measurement": unit, "unit_class": "energy", "has_sum": True, "mean_type": 0}
    await api.import_statistics({"statistic_id": entity_id, **meta}, rows)


async def _zero_wh(api: Api, entity_id: str, state: State) -> float:
    """The register's value at the start of the recorder's sum."""
    since = datetime.now(UTC) - timedelta(days=9)
    for row in await api.statistics(entity_id, "5minute", since):
        value_wh, sum_wh = row.get("state"), row.get("sum")
        if value_wh is not None and sum_wh is not None:
            return value_wh - sum_wh
    for seen in (*await api.history(entity_id, since), state):
        with suppress(ValueError):
            return float(seen["state"]) * _WH_PER_UNIT[state["attributes"]["unit_of_measurement"]]
    raise ValueError(f"{entity_id} has no value yet")


async def _import_power(api: Api, entity_id: str, power_w: Figure, past: list[Hour]) -> None:
    rows: list[dict[str, Any]] = []
    for hour in past:
        powers = [6 * power_w(sixth) for sixth in hour.sixths]
        rows.append(
            {
                "start": hour.start.isoformat(),
                "mean": sum(powers) / len(powers),
                "min": min(powers),
                "max": max(powers),
            }
        )
    meta = {"unit_of_measurement": "W", "unit_class": "power", "has_sum": False, "mean_type": 1}
    await api.import_statistics({"statistic_id": entity_id, **meta}, rows)
