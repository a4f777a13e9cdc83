"""The actions: pause sharing with a collective, and resume it."""

from functools import partial
from typing import Final

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_device_and_config_entry
import probatio as vol

from .const import DOMAIN, KIND_NODE
from .entries import kind
from .node.coordinator import NodeCoordinator, require_administrator
from .node.devices import collective_id

ACTIONS: Final = {"pause_sharing": True, "resume_sharing": False}
"""Each action, and whether it pauses."""

_SCHEMA = vol.Schema({vol.Required(ATTR_DEVICE_ID): vol.All(cv.ensure_list, [cv.string])})


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, paused in ACTIONS.items():
        hass.services.async_register(
            DOMAIN, name, partial(_pause, hass, paused=paused), schema=_SCHEMA
        )


async def _pause(hass: HomeAssistant, call: ServiceCall, *, paused: bool) -> None:
    """Pause or resume for every targeted collective, or for none if one is unknown."""
    await require_administrator(hass, call.context)
    meant = [_collective(hass, device_id) for device_id in call.data[ATTR_DEVICE_ID]]
    for coordinator, collective in meant:
        await coordinator.async_pause(collective, paused=paused)


def _collective(hass: HomeAssistant, device_id: str) -> tuple[NodeCoordinator, str]:
    device, entry = async_get_device_and_config_entry(hass, DOMAIN, device_id)
    is_node = kind(entry) == KIND_NODE
    collective = collective_id(entry, device.identifiers) if is_node else None
    if collective is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_a_collective",
            translation_placeholders={"device": device.name_by_user or device.name or device_id},
        )
    return entry.runtime_data, collective
