"""Diagnostics of a meter and its link, without what identifies the home."""

from collections.abc import Mapping
from dataclasses import asdict
import re
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.const import CONF_DEVICE

from ..const import CONF_HISTORY, CONF_JOINED
from ..ports import shown
from ..tic import Frame, Reading
from .coordinator import LinkyCoordinator

# A group that was refused may be the address with an error in it.
_DIGIT = re.compile(r"\d")


async def diagnostics(coordinator: LinkyCoordinator) -> dict[str, Any]:
    """Return the state of the link, the meter's facts, its labels and the last frame."""
    entry, state = coordinator.config_entry, coordinator.state
    events = coordinator.reader.events
    # The id of an imported series holds the delivery point.
    history = dict.fromkeys(entry.data.keys() & {CONF_HISTORY, CONF_JOINED}, REDACTED)
    return {
        "entry": {
            "data": {**entry.data, CONF_DEVICE: shown(coordinator.device), **history},
            "options": dict(entry.options),
        },
        "link": {
            "available": coordinator.last_update_success,
            "good": coordinator.link_good,
            "quality_percent": state.quality.percent,
            "counters": asdict(state.decoder.counters),
            "story": [f"{event.at:%Y-%m-%d %H:%M:%S} {event.what}" for event in events],
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
