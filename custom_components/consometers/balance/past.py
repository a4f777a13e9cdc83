"""Takes the past along: gives the energies of a new balance the hours that its sources counted.

Home Assistant's recorder counts the sum of an entity from 0 on, and takes the whole sum of a first
row for energy of its time. So the past begins at 0, and what was counted since is raised, instead
of the past being given sums below zero.

Rows that are there stay as they are, only sums that follow are raised. Hours of the past have no
state, as nobody saw the entity then: it distinguishes them from the recorder's own when what was
interrupted goes on.
"""

from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from typing import Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..entries import sensor_id
from ..recorder.rows import HOUR_S, Row
from ..recorder.statistics import async_hours, async_join, async_metadata, async_rows
from ..recorder.waiting import after_each_count
from .entity import existing
from .hours import Join, Past
from .sensors import BalanceSensorDescription
from .state import Powers, Sums
from .tracker import BalanceConfigEntry, Shown

_FIVE_MINUTES_S: Final = 300
_NO_POWERS: Final = Powers(production_w=None, injected_w=None, drawn_w=None)


@callback
def take_past_along(hass: HomeAssistant, entry: BalanceConfigEntry) -> None:
    """Import the past once, as soon as the recorder has counted the home's energies.

    A source may be missing at first, perhaps for months.
    """
    if not entry.runtime_data.has_past:
        take = partial(_take, hass, entry)
        after_each_count(hass, entry, f"{DOMAIN}: the past of a home", take)


async def _take(hass: HomeAssistant, entry: BalanceConfigEntry) -> bool:
    """Import the past, and return whether the recorder had a row to join it to."""
    first = await _first(hass, entry)
    if not first:
        return False
    if not entry.runtime_data.balance.changed:
        await _join(hass, entry, first)
    await entry.runtime_data.async_keep_past()
    return True


async def _first(hass: HomeAssistant, entry: BalanceConfigEntry) -> dict[str, Row]:
    """Return the first row that the recorder has of each energy since the balance began."""
    tracker = entry.runtime_data
    after, now = entry.created_at.timestamp(), dt_util.utcnow().timestamp()
    if tracker.balance.start is not None:
        after = max(after, tracker.balance.start.at)
    shown = {
        entity_id: wh
        for entity_id, each in _energies(hass, entry).items()
        if (wh := each.value(tracker.data)) is not None
    }
    if not shown:
        # A source is missing: the recorder need not look every time.
        return {}
    ids = set(shown)
    shown_rows = (
        await async_rows(hass, ids, after - _FIVE_MINUTES_S, after + HOUR_S, "5minute"),
        await async_rows(hass, ids, after - HOUR_S, now, "hour"),
    )
    first: dict[str, Row] = {}
    for entity_id, shown_wh in shown.items():
        own = [
            row
            for rows in shown_rows
            for row in rows.get(entity_id, ())
            # An entity that shows more belongs to another balance, which had this name before.
            if row.end > after and row.state_wh is not None and row.state_wh < shown_wh + 1
        ]
        if own:
            first[entity_id] = min(own, key=attrgetter("end"))
    return first


async def _join(hass: HomeAssistant, entry: BalanceConfigEntry, first: Mapping[str, Row]) -> None:
    balance, sources = entry.runtime_data.balance, entry.runtime_data.balance.sources.all
    metadata = await async_metadata(hass, sources | first.keys())
    if not sources <= metadata.keys():
        return
    until = max(row.hour for row in first.values())
    hours = await async_hours(hass, sources | first.keys(), until, needed=sources)
    midnight = dt_util.start_of_local_day().timestamp()
    past = await hass.async_add_executor_job(Past.from_hours, balance, hours, until, midnight)
    if past is None:
        return
    for entity_id, description in _energies(hass, entry).items():
        if entity_id in first and entity_id in metadata:
            row, value = first[entity_id], _value(description)
            own = [each for each in hours[entity_id] if each.end <= row.hour]
            join = await hass.async_add_executor_job(Join.from_hours, past, value, own, row)
            await async_join(hass, metadata[entity_id], join.hours, row.start, join.raised_wh)
    balance.extend_day(midnight, past.midnight.since(past.at_start))
    entry.runtime_data.show()


def _energies(
    hass: HomeAssistant, entry: BalanceConfigEntry
) -> dict[str, BalanceSensorDescription]:
    """Return the energies of the home, by the ids of their entities."""
    return {
        entity_id: each
        for each in existing(entry)
        if each.device_class is SensorDeviceClass.ENERGY
        and (entity_id := sensor_id(hass, entry, each.key)) is not None
    }


def _value(description: BalanceSensorDescription) -> Callable[[Sums], float]:
    """Return what the entity would have shown, unrounded."""

    def value(sums: Sums) -> float:
        return description.value_fn(Shown(sums=sums, today=sums, powers=_NO_POWERS)) or 0.0

    return value
