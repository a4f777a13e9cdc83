"""Diagnostics of an inverter, without where it is."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.const import CONF_DEVICE, CONF_HOST

from ..tic.link import LinkError
from .coordinator import InverterCoordinator


async def diagnostics(coordinator: InverterCoordinator) -> dict[str, Any]:
    """Return the state of an inverter, and its registers."""
    entry, state = coordinator.config_entry, coordinator.state
    where = dict.fromkeys(entry.data.keys() & {CONF_DEVICE, CONF_HOST}, REDACTED)
    return {
        "entry": {"data": {**entry.data, **where}, "options": dict(entry.options)},
        "presence": state.presence.name.lower(),
        "known": sorted(coordinator.known_keys),
        "counters": state.remember(),
        "reading": None if state.reading is None else asdict(state.reading),
        "device": await _registers(coordinator),
    }


async def _registers(coordinator: InverterCoordinator) -> dict[str, Any]:
    """Return its registers as they are now; the last ones, if it does not answer."""
    try:
        device = await coordinator.async_image()
    except LinkError as error:
        return {"error": error.key, **(coordinator.image or {}), "serial": REDACTED}
    return {**device, "serial": REDACTED}
