"""How an inverter does, and its registers, without whose it is."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.const import CONF_DEVICE, CONF_HOST

from .coordinator import InverterCoordinator
from .link import InverterError


async def diagnostics(coordinator: InverterCoordinator) -> dict[str, Any]:
    """Return what is known, and the registers as they are now."""
    entry, state = coordinator.config_entry, coordinator.state
    where = dict.fromkeys(entry.data.keys() & {CONF_DEVICE, CONF_HOST}, REDACTED)
    return {
        "entry": {"data": {**entry.data, **where}, "options": dict(entry.options)},
        "presence": state.presence.name.lower(),
        "known": sorted(coordinator.known_keys),
        "counters": state.remember(),
        "reading": None if state.reading is None else asdict(state.reading),
        "device": await _device(coordinator),
    }


async def _device(coordinator: InverterCoordinator) -> dict[str, Any]:
    try:
        inverter_map = await coordinator.link.find()
        image = await coordinator.link.image()
    except InverterError as error:
        return {"error": error.key}
    return {
        "maker": inverter_map.identity.maker,
        "model": inverter_map.identity.model,
        "version": inverter_map.identity.version,
        "serial": REDACTED,
        "base": inverter_map.base,
        "models": [[model.model_id, model.address, model.length] for model in inverter_map.models],
        "registers": image,
    }
