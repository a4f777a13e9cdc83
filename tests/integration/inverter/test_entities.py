"""What Home Assistant shows of an inverter and of what is wired to it."""

from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from syrupy.assertion import SnapshotAssertion

from .roof import Roof


def facts(roof: Roof) -> dict[str, dict[str, object]]:
    """Return all that a person can see of each entity."""
    shown: dict[str, dict[str, object]] = {}
    entities = er.async_entries_for_config_entry(er.async_get(roof.hass), roof.entry.entry_id)
    for entity in sorted(entities, key=lambda entity: entity.entity_id):
        state = roof.hass.states.get(entity.entity_id)
        shown[entity.entity_id] = {
            "key": entity.unique_id.removeprefix(f"{roof.entry.entry_id}_"),
            "category": entity.entity_category,
            "state": None if state is None else state.state,
            "attributes": None if state is None else dict(state.attributes),
        }
    return shown


@pytest.mark.parametrize("profile", ["home", "school", "float", "der2018", "hybrid"])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_all_that_an_inverter_says_is_shown(roof: Roof, snapshot: SnapshotAssertion) -> None:
    await roof.start()
    assert facts(roof) == snapshot


async def test_what_is_wired_to_it_is_a_device_of_its_own(roof: Roof) -> None:
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
