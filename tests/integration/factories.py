"""Entries of the integration, as Home Assistant has kept them: none of them is set up."""

from typing import Any

from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.consometers.const import (
    CONF_BASE,
    CONF_KIND,
    CONF_MODE,
    CONF_UNIT_ID,
    DOMAIN,
    KIND_INVERTER,
)
from custom_components.consometers.tic import Mode
from demo.inverter import VirtualInverter

from .frames import ADDRESS
from .ports import DEVICE


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
