"""Fixes for issues, with one button."""

from collections.abc import Iterable
from itertools import chain
from typing import override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .const import CONF_MODE
from .linky.coordinator import LinkyConfigEntry
from .linky.entities.binary_sensors import binary_sensors
from .linky.entities.entity import Description
from .linky.entities.sensors import estimates, raw_labels, sensors
from .linky.issues import MODE_CHANGED


class AdoptModeFlow(ConfirmRepairFlow):
    """Sets the entry's mode to the meter's, and removes entities without a label in it."""

    def __init__(self, entry: LinkyConfigEntry, mode: str) -> None:
        """Store the entry."""
        self._entry = entry
        self._mode = mode

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        if user_input is not None:
            self._remove_what_is_gone()
            entries = self.hass.config_entries
            entries.async_update_entry(
                self._entry, data={**self._entry.data, CONF_MODE: self._mode}
            )
            entries.async_schedule_reload(self._entry.entry_id)
        return await super().async_step_confirm(user_input)

    def _remove_what_is_gone(self) -> None:
        if self._entry.state is not ConfigEntryState.LOADED:
            return
        state = self._entry.runtime_data.state
        if not state.identified or state.mode != self._mode:
            # Unknown facts cannot be known to be gone.
            return
        descriptions: Iterable[Description] = chain(
            sensors(), raw_labels(), estimates(), binary_sensors()
        )
        gone = {
            f"{self._entry.entry_id}_{description.key}"
            for description in descriptions
            if not description.exists(state)
        }
        registry = er.async_get(self.hass)
        for entity in er.async_entries_for_config_entry(registry, self._entry.entry_id):
            if entity.unique_id in gone:
                registry.async_remove(entity.entity_id)


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the flow of an issue: for most it is enough to have read it."""
    if data is not None and data["kind"] == MODE_CHANGED:
        entry = hass.config_entries.async_get_entry(str(data["entry_id"]))
        if entry is not None:
            return AdoptModeFlow(entry, str(data["mode"]))
    return ConfirmRepairFlow()
