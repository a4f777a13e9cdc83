"""Diagnostics: the state of what an entry is, without its owner."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .kinds import kind_of


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ConfigEntry
) -> dict[str, Any]:
    """Return the state of a meter and its link, of an inverter, a home or a node."""
    return await kind_of(entry).diagnostics(entry.runtime_data)
