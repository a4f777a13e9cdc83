"""Consometers: a home's meters in Home Assistant, and the data that it shares."""

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .balance.past import take_past_along
from .balance.tracker import BalanceTracker
from .const import DOMAIN
from .dashboard.household import own_meter
from .dashboard.offer import async_offer_dashboard
from .entries import store
from .history.continuing import clear_issues, continue_history
from .inverter import issues as inverter_issues
from .inverter.coordinator import InverterCoordinator
from .kinds import ConsometersConfigEntry, is_balance, is_inverter, is_node
from .linky import issues
from .linky.coordinator import LinkyCoordinator
from .node.coordinator import NodeCoordinator
from .node.surplus_coordinator import sun_store
from .services import async_setup_services

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

SENSOR_ALONE = [Platform.SENSOR]
METER_PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR]
NODE_PLATFORMS = [Platform.BINARY_SENSOR, Platform.CALENDAR, Platform.SENSOR, Platform.SWITCH]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, whether or not there is a node yet, and offer the dashboard."""
    async_setup_services(hass)
    await async_offer_dashboard(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ConsometersConfigEntry) -> bool:
    """Open the link to a meter or an inverter, or find the node, and make its entities."""
    if is_node(entry):
        entry.runtime_data = NodeCoordinator(hass, entry, own_meter)
    elif is_inverter(entry):
        entry.runtime_data = InverterCoordinator(hass, entry)
    elif is_balance(entry):
        entry.runtime_data = BalanceTracker(hass, entry)
    else:
        entry.runtime_data = LinkyCoordinator(hass, entry)
    await entry.runtime_data.async_start()
    await hass.config_entries.async_forward_entry_setups(entry, _platforms(entry))
    if is_balance(entry):
        take_past_along(hass, entry)
    continue_history(hass, entry)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConsometersConfigEntry) -> bool:
    """Take the entities away; the task that reads or listens ends with the entry."""
    if is_inverter(entry):
        inverter_issues.clear_passing(hass, entry)
        await entry.runtime_data.async_stop()
    elif is_balance(entry):
        await entry.runtime_data.async_stop()
    elif not is_node(entry):
        issues.clear_passing(hass, entry)
    return await hass.config_entries.async_unload_platforms(entry, _platforms(entry))


async def async_remove_entry(hass: HomeAssistant, entry: ConsometersConfigEntry) -> None:
    """Remove all stored data."""
    if is_inverter(entry):
        inverter_issues.clear_all(hass, entry)
        await store(hass, entry).async_remove()
    elif is_balance(entry):
        await store(hass, entry).async_remove()
    elif is_node(entry):
        await sun_store(hass, entry).async_remove()
    else:
        issues.clear_all(hass, entry)
        clear_issues(hass, entry)


def _platforms(entry: ConsometersConfigEntry) -> list[Platform]:
    if is_inverter(entry) or is_balance(entry):
        return SENSOR_ALONE
    return NODE_PLATFORMS if is_node(entry) else METER_PLATFORMS
