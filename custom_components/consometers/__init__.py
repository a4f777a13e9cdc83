"""Consometers: a home's meters in Home Assistant, and the data that it shares."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .dashboard.offer import async_offer_dashboard
from .issues import clear
from .kinds import kind_of
from .services import async_setup_services

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, whether or not there is a node yet, and offer the dashboard."""
    async_setup_services(hass)
    await async_offer_dashboard(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Open the link to a meter or an inverter, or find the node, and make its entities."""
    kind = kind_of(entry)
    entry.runtime_data = kind.runtime_data(hass, entry)
    await entry.runtime_data.async_start()
    await hass.config_entries.async_forward_entry_setups(entry, kind.platforms)
    if kind.with_entities is not None:
        kind.with_entities(hass, entry)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Take the entities away; the task that reads or listens ends with the entry."""
    return await hass.config_entries.async_unload_platforms(entry, kind_of(entry).platforms)


async def async_remove_entry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove all stored data."""
    clear(hass, entry)
    if (store := kind_of(entry).store) is not None:
        await store(hass, entry).async_remove()
