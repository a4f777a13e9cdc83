"""Entries of the integration, as Home Assistant has kept them: none of them is set up."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from consometers_tic import Mode
from custom_components.consometers.const import (
    CONF_BASE,
    CONF_KIND,
    CONF_MODE,
    CONF_UNIT_ID,
    DOMAIN,
    KIND_INVERTER,
)
from demo.inverter import VirtualInverter
from testing.integration.frames import ADDRESS
from testing.integration.ports import DEVICE


def meter_entry(
    hass: HomeAssistant,
    address: str = ADDRESS,
    *,
    device: str = DEVICE,
    mode: Mode = Mode.STANDARD,
    **more: Any,
) -> MockConfigEntry:
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=f"Linky …{address[-4:]}",
        unique_id=address,
        data={CONF_DEVICE: device, CONF_MODE: mode},
        entry_id=f"01JTIC00000000000000{address[-6:]}",
        **more,
    )
    entry.add_to_hass(hass)
    return entry


async def inverter_entry(
    hass: HomeAssistant, inverter: VirtualInverter, **place: Any
) -> MockConfigEntry:
    """Return an entry for an inverter in Lorient, where the sun is."""
    await hass.config.async_update(latitude=47.75, longitude=-3.37, time_zone="Europe/Paris")
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Kersabiec Solaire K1",
        unique_id=f"sunspec:Kersabiec Solaire:{inverter.inverters[0].serial}",
        data={CONF_KIND: KIND_INVERTER, CONF_UNIT_ID: 1, CONF_BASE: 40_000, **place},
        entry_id="01JSUN0000000000000000000A",
    )
    entry.add_to_hass(hass)
    return entry


def add_sensors(
    hass: HomeAssistant,
    data: Mapping[str, Any],
    name: str,
    *keys: str,
    options: Mapping[str, Any] | None = None,
    **registered: Any,
) -> None:
    """Add an entry that says it was set up, and sensors of it, of which nobody writes a state."""
    entry = MockConfigEntry(
        domain=DOMAIN, data=data, options=options, state=ConfigEntryState.LOADED
    )
    entry.add_to_hass(hass)
    for key in keys:
        er.async_get(hass).async_get_or_create(
            "sensor",
            DOMAIN,
            f"{entry.entry_id}_{key}",
            config_entry=entry,
            suggested_object_id=f"{name}_{key}",
            **registered,
        )
