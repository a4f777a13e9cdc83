"""Diagnostics: the state of a meter, an inverter or a node, without its owner."""

from collections.abc import Mapping
from dataclasses import asdict
import re
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.const import CONF_DEVICE, CONF_HOST
from homeassistant.core import HomeAssistant

from .balance.tracker import BalanceTracker
from .const import CONF_HISTORY, CONF_JOINED
from .inverter.coordinator import InverterCoordinator
from .inverter.link import InverterError
from .kinds import ConsometersConfigEntry, is_balance, is_inverter, is_node
from .linky.coordinator import LinkyCoordinator
from .node.diagnostics import diagnostics as of_node
from .ports import shown
from .tic import Frame, Reading

# A group that was refused may be the address with an error in it.
_DIGIT = re.compile(r"\d")


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ConsometersConfigEntry
) -> dict[str, Any]:
    """Return the state of a meter and its link, of an inverter, or of a node."""
    if is_inverter(entry):
        return await _of_inverter(entry.runtime_data)
    if is_balance(entry):
        return _of_balance(entry.runtime_data)
    return of_node(entry.runtime_data) if is_node(entry) else _of_meter(entry.runtime_data)


async def _of_inverter(coordinator: InverterCoordinator) -> dict[str, Any]:
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
    except InverterError as error:
        return {"error": error.key, **(coordinator.image or {}), "serial": REDACTED}
    return {**device, "serial": REDACTED}


def _of_balance(tracker: BalanceTracker) -> dict[str, Any]:
    """Return the sources, what each counted, and the sums."""
    return {
        "entry": {"data": dict(tracker.config_entry.data)},
        "balance": tracker.balance.remember(),
        "powers": asdict(tracker.data.powers),
    }


def _of_meter(coordinator: LinkyCoordinator) -> dict[str, Any]:
    entry, state = coordinator.entry, coordinator.state
    # The id of an imported series holds the delivery point.
    history = dict.fromkeys(entry.data.keys() & {CONF_HISTORY, CONF_JOINED}, REDACTED)
    return {
        "entry": {
            "data": {**entry.data, CONF_DEVICE: shown(coordinator.device), **history},
            "options": dict(entry.options),
        },
        "link": {
            "available": coordinator.available,
            "good": coordinator.link_good,
            "quality_percent": state.quality.percent,
            "counters": asdict(state.decoder.counters),
            "story": [f"{event.at:%Y-%m-%d %H:%M:%S} {event.what}" for event in coordinator.story],
        },
        "meter": {
            "maker": coordinator.address.maker,
            "year": coordinator.address.year,
            "type": coordinator.address.type,
            "mode": state.mode,
            "phases": state.phases,
            "producer": state.producer,
            "of_production": state.of_production,
            "tariff": asdict(state.tariff),
        },
        "catalogue": _catalogue(state.meter.readings),
        "last_frame": None if state.last_frame is None else _frame(state.last_frame),
    }


def _catalogue(readings: Mapping[str, Reading]) -> dict[str, Any]:
    """Describe the labels that this meter sends."""
    return {
        name: {
            "meaning": reading.group.label.meaning,
            "length": reading.group.label.length,
            "unit": reading.group.label.unit,
            "kind": reading.group.label.kind.value,
            "believed": REDACTED if reading.group.label.personal else reading.group.raw,
        }
        for name, reading in readings.items()
    }


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "mode": frame.mode,
        "complete": frame.complete,
        "groups": {
            name: {
                "raw": REDACTED if group.label.personal else group.raw,
                "horodate": group.raw_horodate,
            }
            for name, group in frame.groups.items()
        },
        "rejected": [
            {"raw": _DIGIT.sub("#", rejected.raw), "reason": rejected.reason}
            for rejected in frame.rejected
        ],
    }
