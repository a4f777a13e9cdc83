"""A second Linky, which counts what panels sell: recognised by itself, and named so."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from consometers_tic import encode_frame
from consometers_tic_virtual import Contract, Linky, Option
from custom_components.consometers.const import CONF_PRODUCTION
from custom_components.consometers.linky.state import LinkyState
from packages.tic.tests.samples import frame_bytes
from testing.integration import frames
from testing.integration.entries import meter_entry
from testing.integration.flows import Flow
from testing.integration.frames import ADDRESS, OTHER_ADDRESS, Kind
from testing.integration.ports import OTHER_DEVICE, LoopClock, MeterLine, Port, Ports
from testing.integration.views import MeterView

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")

NAMES = {
    "energy_injected": "Energy produced",
    "active_power_injected": "Power produced (derived)",
    "apparent_power_injected": "Apparent power produced",
    "highest_injection_today": "Highest production today",
    "energy_drawn": "Energy drawn",
}


@pytest.mark.parametrize(
    ("kind", "of_production"),
    [
        (frames.CONSUMER, False),
        (frames.PRODUCER, False),
        (frames.PRODUCTION, True),
        (frames.PRODUCTION.but(NGTF=None, LTARF=None), None),
        (frames.BASE, None),
    ],
)
def test_a_production_meter_is_recognised(kind: Kind, of_production: bool | None) -> None:
    state = LinkyState()
    for second in range(4):
        state.feed(frame_bytes(kind.mode, kind.groups), float(second))
    assert state.identified
    assert state.of_production is of_production


@pytest.mark.parametrize("option", Option)
def test_the_meter_of_the_demo_is_recognised(option: Option) -> None:
    linky, state = Linky(contract=Contract(option, producer=True)), LinkyState()
    for second in range(4):
        state.feed(encode_frame(linky.frame(linky.since + second)), float(second))
    assert state.of_production is (option is Option.PRODUCER)


def device_of(hass: HomeAssistant, entry: ConfigEntry) -> dr.DeviceEntry:
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device


def names(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, str]:
    """Return what entities are called, without their device."""
    registry, prefix = er.async_get(hass), f"{entry.entry_id}_"
    entries = er.async_entries_for_config_entry(registry, entry.entry_id)
    called = {each.unique_id.removeprefix(prefix): str(each.original_name) for each in entries}
    return {key: called[key] for key in NAMES}


async def test_a_production_meter_is_added_under_names_of_production(
    hass: HomeAssistant, line: MeterLine
) -> None:
    flow = await (await Flow.begin(hass, "meter")).listen()
    await line.send(frames.PRODUCTION)
    await flow.hear()
    assert flow.placeholders["production"] == "✓"
    entry = (await flow.submit()).entry
    assert entry.title == "Linky production …3456"
    assert entry.data[CONF_PRODUCTION] is True
    await line.send(frames.PRODUCTION, 4)
    await hass.async_block_till_done()
    assert device_of(hass, entry).name == "Production Linky"
    assert names(hass, entry) == NAMES
    assert hass.states.get("sensor.production_linky_energy_produced") is not None
    index = er.async_get(hass).async_get("sensor.production_linky_energy_drawn_index_non_conso")
    assert index is not None
    assert index.disabled_by is er.RegistryEntryDisabler.INTEGRATION


@pytest.fixture
def other(hass: HomeAssistant, entry: MockConfigEntry, clock: LoopClock, ports: Ports) -> MeterView:
    """Return the same home's second meter."""
    second = meter_entry(hass, OTHER_ADDRESS, device=OTHER_DEVICE)
    return MeterView(hass, second, MeterLine(clock, ports.plug(OTHER_DEVICE)))


async def test_two_meters_of_a_home_have_different_names(home: MeterView, other: MeterView) -> None:
    await home.start(frames.CONSUMER)
    await other.hear(frames.PRODUCTION.of(OTHER_ADDRESS), 4)
    devices = [device_of(each.hass, each.entry).name for each in (home, other)]
    assert devices == ["Linky", "Production Linky"]
    assert (home.entry.title, other.entry.title) == ("Linky …3456", "Linky production …4321")
    assert names(other.hass, other.entry) == NAMES
    assert home.state("energy_drawn") == other.state("energy_drawn")
    drawn = [each.entity_id("energy_drawn") for each in (home, other)]
    assert drawn == ["sensor.linky_energy_drawn", "sensor.production_linky_energy_drawn"]


async def test_a_contract_may_change_either_way(home: MeterView) -> None:
    await home.start(frames.PRODUCER)
    before = home.entity_id("energy_injected")
    assert (home.entry.title, device_of(home.hass, home.entry).name) == ("Linky …3456", "Linky")
    for kind, title, device, name in (
        (frames.PRODUCTION, "Linky production …3456", "Production Linky", "Energy produced"),
        (frames.PRODUCER, "Linky …3456", "Linky", "Energy injected"),
    ):
        await home.hear(kind, 4)
        await home.hear(kind, 4)
        assert (home.entry.title, device_of(home.hass, home.entry).name) == (title, device)
        assert names(home.hass, home.entry)["energy_injected"] == name
        assert home.entity_id("energy_injected") == before
        assert home.entry_state == "loaded"


async def test_a_chosen_title_stays(hass: HomeAssistant, home: MeterView) -> None:
    hass.config_entries.async_update_entry(home.entry, title="Roof")
    await home.start(frames.PRODUCTION)
    assert home.entry.title == "Roof"
    assert home.entry.data[CONF_PRODUCTION] is True


async def test_a_production_meter_stays_one(home: MeterView) -> None:
    await home.start(frames.PRODUCTION)
    await home.hear(frames.BASE, 8)
    assert home.entry.data[CONF_PRODUCTION] is True


async def test_a_replaced_production_meter_has_a_title_of_production(
    home: MeterView, port: Port
) -> None:
    await home.start(frames.PRODUCTION)
    await home.hear(frames.PRODUCTION.of(OTHER_ADDRESS), 8)
    assert home.entry.unique_id == OTHER_ADDRESS != ADDRESS
    assert home.entry.title == "Linky production …4321"
    assert device_of(home.hass, home.entry).name == "Production Linky"
