"""Takes the past along: gives the energies of a new balance the hours that its sources counted.

Home Assistant's recorder counts the sum of an entity from 0 on, and takes the whole sum of a first
row for energy of its time. So the past begins at 0, and what was counted since is raised, instead
of the past being given sums below zero.

Rows that are there stay as they are, only sums that follow are raised. Hours of the past have no
state, as nobody saw the entity then: it distinguishes them from the recorder's own when what was
interrupted goes on.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
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
    """Import the past once, as soon as the recorder has counted the home's energies."""
    if not entry.runtime_data.has_past:
        after_each_count(hass, entry, f"{DOMAIN}: the past of a home", _Taking(hass, entry).take)


class _Taking:
    """Imports the past. A source may be missing at first, perhaps for months."""

    def __init__(self, hass: HomeAssistant, entry: BalanceConfigEntry) -> None:
        self._hass = hass
        self._entry = entry
        self._balance = entry.runtime_data.balance

    async def take(self) -> bool:
        """Import the past, and return whether the recorder had a row to join it to."""
        first = await self._first()
        if not first:
            return False
        if not self._balance.changed:
            await self._join(first)
        await self._entry.runtime_data.async_keep_past()
        return True

    async def _first(self) -> dict[str, Row]:
        """Return the first row that the recorder has of each energy since the balance began."""
        after, now = self._entry.created_at.timestamp(), dt_util.utcnow().timestamp()
        if self._balance.begun is not None:
            after = max(after, self._balance.begun.at)
        data = self._entry.runtime_data.data
        values = {entity_id: each.value(data) for entity_id, each in self._energies().items()}
        shown = {entity_id: wh for entity_id, wh in values.items() if wh is not None}
        if not shown:
            # A source is missing: the recorder need not look every time.
            return {}
        shown_rows = (
            await async_rows(
                self._hass, set(shown), after - _FIVE_MINUTES_S, after + HOUR_S, "5minute"
            ),
            await async_rows(self._hass, set(shown), after - HOUR_S, now, "hour"),
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

    async def _join(self, first: Mapping[str, Row]) -> None:
        sources = self._balance.sources.all
        metadata = await async_metadata(self._hass, sources | first.keys())
        if not sources <= metadata.keys():
            return
        until = max(row.hour for row in first.values())
        hours = await async_hours(self._hass, sources | first.keys(), until, needed=sources)
        past = await self._hass.async_add_executor_job(Past.from_hours, self._balance, hours, until)
        if past is None:
            return
        for entity_id, description in self._energies().items():
            if entity_id in first and entity_id in metadata:
                row = first[entity_id]
                own = [each for each in hours[entity_id] if each.end <= row.hour]
                join = await self._hass.async_add_executor_job(
                    Join.from_hours, past, _value(description), own, row
                )
                await async_join(
                    self._hass, metadata[entity_id], join.hours, row.start, join.raised_wh
                )

    def _energies(self) -> dict[str, BalanceSensorDescription]:
        """Return the energies of the home, by the ids of their entities."""
        registry, entry_id = er.async_get(self._hass), self._entry.entry_id
        energies: dict[str, BalanceSensorDescription] = {}
        for each in existing(self._entry):
            unique_id = f"{entry_id}_{each.key}"
            entity_id = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id)
            if entity_id is not None and each.device_class is SensorDeviceClass.ENERGY:
                energies[entity_id] = each
        return energies


def _value(description: BalanceSensorDescription) -> Callable[[Sums], float]:
    """Return what the entity would have shown, unrounded."""

    def value(sums: Sums) -> float:
        return description.value_fn(Shown(sums=sums, today=sums, powers=_NO_POWERS)) or 0.0

    return value
