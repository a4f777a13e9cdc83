"""Consometers: a home's meters in Home Assistant, and what it shares of them."""

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .kinds import ConsometersConfigEntry, is_node
from .linky import issues
from .linky.coordinator import LinkyCoordinator
from .node.coordinator import NodeCoordinator
from .services import async_setup_services

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

METER_PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR]
NODE_PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR, Platform.SWITCH]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Make the actions known, whether or not there is a node yet."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ConsometersConfigEntry) -> bool:
    """Open the link to a meter, or find the node, and make its entities."""
    if is_node(entry):
        entry.runtime_data = NodeCoordinator(hass, entry)
        await entry.runtime_data.async_start()
    else:
        entry.runtime_data = LinkyCoordinator(hass, entry)
        await entry.runtime_data.async_start()
    await hass.config_entries.async_forward_entry_setups(entry, _platforms(entry))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConsometersConfigEntry) -> bool:
    """Take the entities away; the task that reads or listens ends with the entry."""
    if not is_node(entry):
        issues.clear_passing(hass, entry)
    return await hass.config_entries.async_unload_platforms(entry, _platforms(entry))


async def async_remove_entry(hass: HomeAssistant, entry: ConsometersConfigEntry) -> None:
    """Leave nothing behind."""
    if not is_node(entry):
        issues.clear_all(hass, entry)


def _platforms(entry: ConsometersConfigEntry) -> list[Platform]:
    return NODE_PLATFORMS if is_node(entry) else METER_PLATFORMS
