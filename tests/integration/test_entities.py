"""What Home Assistant shows of each kind of meter."""

from collections.abc import Iterable

from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.consometers import sensor
from custom_components.consometers.const import (
    CONF_ESTIMATE_INJECTION,
    CONF_MODE,
    CONF_RAW_LABELS,
    DOMAIN,
)
from custom_components.consometers.tic import Mode

from . import frames
from .frames import ADDRESS, Kind
from .home import Home
from .ports import DEVICE, Line

KINDS = {
    "consumer": frames.CONSUMER,
    "three-phase": frames.THREE_PHASE.of(ADDRESS),
    "producer": frames.PRODUCER,
    "tempo": frames.STANDARD_TEMPO,
    "historique base": frames.BASE,
    "historique off-peak": frames.OFF_PEAK,
    "historique tempo": frames.TEMPO,
    "historique EJP": frames.EJP,
    "historique three-phase": frames.HISTORIQUE_THREE_PHASE,
}


async def home_with(
    hass: HomeAssistant, line: Line, kind: Kind, options: dict[str, bool] | None = None
) -> Home:
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Linky …3456",
        unique_id=ADDRESS,
        data={CONF_DEVICE: DEVICE, CONF_MODE: kind.mode},
        options=options or {},
        entry_id="01JTIC0000000000000000000A",
    )
    entry.add_to_hass(hass)
    home = Home(hass, entry, line)
    await home.start(kind)
    return home


def facts(home: Home) -> dict[str, dict[str, object]]:
    """Return all that a person can see of each entity, and what is kept of those that are off."""
    shown: dict[str, dict[str, object]] = {}
    entities = er.async_entries_for_config_entry(er.async_get(home.hass), home.entry.entry_id)
    for entity in sorted(entities, key=lambda entity: entity.entity_id):
        fact: dict[str, object] = {
            "key": entity.unique_id.removeprefix(f"{home.entry.entry_id}_"),
            "category": entity.entity_category,
        }
        if entity.disabled_by:
            fact["disabled"] = entity.original_name
            fact["unit"] = entity.unit_of_measurement
            fact["device_class"] = entity.original_device_class
        else:
            state = home.hass.states.get(entity.entity_id)
            assert state is not None, entity.entity_id
            fact["state"] = state.state
            fact["attributes"] = dict(state.attributes)
        shown[entity.entity_id] = fact
    return shown


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize("name", KINDS)
async def test_each_kind_of_meter_has_the_entities_that_it_can_fill(
    hass: HomeAssistant, line: Line, name: str, snapshot: SnapshotAssertion
) -> None:
    home = await home_with(hass, line, KINDS[name])
    assert facts(home) == snapshot


@pytest.mark.usefixtures("enable_custom_integrations", "entity_registry_enabled_by_default")
@pytest.mark.parametrize("name", KINDS)
async def test_no_entity_is_without_a_value_on_the_meter_that_brought_it(
    hass: HomeAssistant, line: Line, name: str
) -> None:
    home = await home_with(hass, line, KINDS[name])
    await home.hear(KINDS[name], 75)
    unknown = {
        str(fact["key"]) for fact in facts(home).values() if fact["state"] in ("unknown", "")
    }
    # These wait for steps of the register, for an overrun, or for a colour or a peak.
    allowed = {
        "active_power",
        "active_power_drawn",
        "active_power_injected",
        "time_to_cut_off",
        "colour_today",
        "colour_tomorrow",
        "peak_start",
        "peak_end",
    }
    assert unknown <= allowed


@pytest.mark.usefixtures("enable_custom_integrations", "entity_registry_enabled_by_default")
async def test_raw_labels_and_the_estimate_are_there_for_those_who_ask(
    hass: HomeAssistant, line: Line, snapshot: SnapshotAssertion
) -> None:
    options = {CONF_RAW_LABELS: True, CONF_ESTIMATE_INJECTION: True}
    home = await home_with(
        hass, line, frames.CONSUMER.but(SINSTS="00000", STGE="003A4601"), options
    )
    shown = {
        entity_id: (fact["state"], fact["attributes"])
        for entity_id, fact in facts(home).items()
        if str(fact["key"]).startswith(("raw_", "injected_power_estimated"))
    }
    assert shown == snapshot
    assert home.state("injected_power_estimated") == str(4 * 236)


async def test_a_meter_that_spoke_before_its_platforms_were_there_has_its_entities(
    hass: HomeAssistant, home: Home
) -> None:
    """Loading the platforms takes longer on a small machine than a few frames do."""
    await home.start(frames.CONSUMER)
    added: list[Entity] = []

    def add(
        new_entities: Iterable[Entity],
        update_before_add: bool = False,
        *,
        config_subentry_id: str | None = None,
    ) -> None:
        added.extend(new_entities)

    await sensor.async_setup_entry(hass, home.entry, add)
    keys = {entity.entity_description.key for entity in added}
    assert {"energy_drawn", "apparent_power", "voltage"} <= keys


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize(
    ("address", "named"),
    [
        (ADDRESS, ("Linky", "Landis+Gyr", "61", "2018")),
        ("031428123456", ("Electricity meter", "Itron", "28", "2014")),
    ],
)
async def test_the_device_is_the_meter(
    hass: HomeAssistant, line: Line, address: str, named: tuple[str, ...]
) -> None:
    data = {CONF_DEVICE: DEVICE, CONF_MODE: Mode.STANDARD}
    entry = MockConfigEntry(domain=DOMAIN, unique_id=address, data=data)
    entry.add_to_hass(hass)
    await Home(hass, entry, line).start(frames.CONSUMER.of(address))
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert (device.name, device.manufacturer, device.model_id, device.hw_version) == named
    assert device.serial_number == address
    assert device.identifiers == {(DOMAIN, entry.entry_id)}
