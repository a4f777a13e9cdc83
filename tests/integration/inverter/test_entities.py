"""What Home Assistant shows of an inverter and of what is wired to it."""

from homeassistant.helpers import device_registry as dr
import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.consometers.const import DOMAIN
from testing.integration.inverter import InverterView


@pytest.mark.parametrize("profile", ["home", "school", "float", "der2018", "hybrid"])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_every_reading_of_an_inverter_is_shown(
    roof: InverterView, snapshot: SnapshotAssertion
) -> None:
    await roof.start()
    assert roof.facts() == snapshot


async def test_a_connected_meter_is_its_own_device(roof: InverterView) -> None:
    await roof.start()
    devices = dr.async_entries_for_config_entry(dr.async_get(roof.hass), roof.entry.entry_id)
    inverter, meter = devices
    assert (inverter.manufacturer, inverter.model) == ("Kersabiec Solaire", "K1")
    assert inverter.serial_number == roof.inverter.inverters[0].serial
    assert inverter.sw_version == "1.4.2"
    end = inverter.serial_number[-4:]
    assert inverter.name == f"Kersabiec Solaire K1 …{end}"
    assert meter.name == f"{inverter.name}: meter"
    assert meter.via_device_id == inverter.id


async def test_a_disconnected_device_is_removed(roof: InverterView) -> None:
    registry = dr.async_get(roof.hass)
    battery = registry.async_get_or_create(
        config_entry_id=roof.entry.entry_id,
        identifiers={(DOMAIN, f"{roof.entry.entry_id}_battery")},
    )
    await roof.start()
    assert registry.async_get(battery.id) is None
