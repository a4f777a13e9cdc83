"""Serial ports of the machine or of the network, as people choose them."""

from homeassistant.components import usb
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
import serialx

from .const import DOMAIN


async def stable(hass: HomeAssistant, device: str) -> str:
    """Return a port's persistent name, which outlasts plugging dongles in another order."""
    return await hass.async_add_executor_job(usb.get_serial_by_id, device.strip())


def shown(device: str) -> str:
    """Return a port's display name: a URL without its key."""
    return serialx.redact_uri(device)


def readers(hass: HomeAssistant, device: str) -> list[ConfigEntry]:
    """Return our entries that read from a port."""
    entries = hass.config_entries.async_entries(DOMAIN)
    return [entry for entry in entries if entry.data.get(CONF_DEVICE) == device]
