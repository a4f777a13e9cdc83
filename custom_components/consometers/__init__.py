"""Consometers: a home's meters in Home Assistant."""

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant

from .linky import issues
from .linky.coordinator import ConsometersConfigEntry, LinkyCoordinator

PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR]


async def async_setup_entry(hass: HomeAssistant, entry: ConsometersConfigEntry) -> bool:
    """Open the link to a meter and make its entities."""
    entry.runtime_data = LinkyCoordinator(hass, entry)
    await entry.runtime_data.async_start()
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConsometersConfigEntry) -> bool:
    """Take the entities away; the reader task ends with the entry."""
    issues.clear_passing(hass, entry)
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: ConsometersConfigEntry) -> None:
    """Leave nothing behind."""
    issues.clear_all(hass, entry)
