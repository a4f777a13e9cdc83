"""What Home Assistant shows of each kind of meter."""

from collections.abc import Iterable

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import Entity
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
from syrupy.assertion import SnapshotAssertion

from consometers_node.household.recorder.statistics import subscribed_powers
from consometers_node.household.statistics import StatisticId
from custom_components.consometers import sensor
from custom_components.consometers.const import (
    CONF_ESTIMATE_INJECTION,
    CONF_RAW_LABELS,
    DOMAIN,
)
from testing.integration import frames
from testing.integration.entries import meter_entry
from testing.integration.frames import ADDRESS, Kind
from testing.integration.ports import MeterLine
from testing.integration.views import MeterView

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


SUBSCRIBED_KVA = {
    "consumer": 9,
    "three-phase": 12,
    "historique base": 6,
    "historique three-phase": 12,
}


async def home_with(hass: HomeAssistant, line: MeterLine, kind: Kind, **options: bool) -> MeterView:
    home = MeterView(hass, meter_entry(hass, mode=kind.mode, options=options), line)
    await home.start(kind)
    return home


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize("name", KINDS)
async def test_each_kind_of_meter_has_its_entities(
    hass: HomeAssistant, line: MeterLine, name: str, snapshot: SnapshotAssertion
) -> None:
    home = await home_with(hass, line, KINDS[name])
    assert home.facts() == snapshot


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize(("name", "kva"), SUBSCRIBED_KVA.items())
async def test_the_node_reads_the_subscribed_power_of_a_meter(
    hass: HomeAssistant, line: MeterLine, hass_ws_client: WebSocketGenerator, name: str, kva: int
) -> None:
    await home_with(hass, line, KINDS[name])
    assert await async_setup_component(hass, "config", {})
    client = await hass_ws_client()
    answers = []
    for command in ("config/entity_registry/list_for_display", "get_states"):
        await client.send_json_auto_id({"type": command})
        answers.append((await client.receive_json())["result"])
    powers = subscribed_powers(*answers)
    assert powers[StatisticId("sensor.linky_energy_drawn")] == kva


@pytest.mark.usefixtures("enable_custom_integrations", "entity_registry_enabled_by_default")
@pytest.mark.parametrize("name", KINDS)
async def test_every_entity_has_a_value_on_its_meter(
    hass: HomeAssistant, line: MeterLine, name: str
) -> None:
    home = await home_with(hass, line, KINDS[name])
    await home.hear(KINDS[name], 75)
    unknown = {
        str(fact["key"]) for fact in home.facts().values() if fact["state"] in ("unknown", "")
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
async def test_raw_labels_and_the_estimate_are_optional(
    hass: HomeAssistant, line: MeterLine, snapshot: SnapshotAssertion
) -> None:
    options = {CONF_RAW_LABELS: True, CONF_ESTIMATE_INJECTION: True}
    kind = frames.CONSUMER.but(SINSTS="00000", STGE="003A4601")
    home = await home_with(hass, line, kind, **options)
    shown = {
        entity_id: (fact["state"], fact["attributes"])
        for entity_id, fact in home.facts().items()
        if str(fact["key"]).startswith(("raw_", "injected_power_estimated"))
    }
    assert shown == snapshot
    assert home.state("injected_power_estimated") == str(4 * 236)


async def test_frames_before_the_platforms_make_entities(
    hass: HomeAssistant, home: MeterView
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
async def test_the_device_describes_the_meter(
    hass: HomeAssistant, line: MeterLine, address: str, named: tuple[str, ...]
) -> None:
    entry = meter_entry(hass, address)
    await MeterView(hass, entry, line).start(frames.CONSUMER.of(address))
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert (device.name, device.manufacturer, device.model_id, device.hw_version) == named
    assert device.serial_number == address
    assert device.identifiers == {(DOMAIN, entry.entry_id)}
