"""Adding an inverter, saying where it is now, choosing how often it is asked."""

from collections.abc import Callable

from homeassistant.components.modbus import connection as modbus_connection
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
)
from homeassistant.const import CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
import pytest

from custom_components.consometers.const import (
    CONF_BASE,
    CONF_INTERVAL,
    CONF_KIND,
    CONF_UNIT_ID,
    DOMAIN,
    KIND_INVERTER,
)
from demo.inverter import PROFILES, Image, Inverter, Stranger, VirtualInverter
from testing.integration.flows import Flow, suggested
from testing.integration.inverter import (
    NOON,
    ORIGIN,
    InverterPatience,
    InverterView,
    move,
    typed,
    virtual,
)

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")


async def add(hass: HomeAssistant, inverter: VirtualInverter, unit_id: int = 1) -> ConfigEntry:
    flow = await (await Flow.begin(hass, "inverter")).submit(typed(inverter, unit_id))
    return (await flow.submit()).entry


async def test_the_flow_shows_the_inverter_before_it_adds_it(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    flow = await Flow.begin(hass, "inverter")
    assert (flow.step, flow.errors) == ("inverter", {})
    assert inverter.requests == 0

    assert (await flow.submit(typed(inverter))).step == "inverter_found"
    assert flow.placeholders == {
        "inverter": "Kersabiec Solaire K1",
        "serial": f"…{inverter.inverters[0].serial[-4:]}",
        "rating": "3000 W",
        "phases": "1",
        "power": "2260 W",
        "energy": "118 kWh",
        "strings": "2",
        "meters": "1",
        "battery": "✗",
    }
    entry = (await flow.submit()).entry
    assert entry.title == f"Kersabiec Solaire K1 …{inverter.inverters[0].serial[-4:]}"
    assert entry.data == {CONF_KIND: KIND_INVERTER, **typed(inverter), CONF_BASE: 40_000}
    assert entry.options == {CONF_INTERVAL: 30}
    assert entry.state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("base", [0, 40_000, 50_000])
async def test_the_map_may_begin_at_other_addresses(
    hass: HomeAssistant, socket_enabled: None, base: int
) -> None:
    async with virtual(Inverter(PROFILES["home"], origin=ORIGIN, base=base)) as served:
        entry = await add(hass, served)
        assert entry.data[CONF_BASE] == base
        await hass.config_entries.async_unload(entry.entry_id)


async def test_inverters_behind_one_gateway_share_a_connection(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    units = {unit: Inverter(PROFILES["bare"], seed=unit, origin=ORIGIN) for unit in (1, 126)}
    async with VirtualInverter(units, start=NOON.timestamp(), speed=0) as served:
        served.set_faults(lonely=True)
        for unit_id in units:
            await add(hass, served, unit_id)
        entries = hass.config_entries.async_loaded_entries(DOMAIN)
        assert [entry.data[CONF_UNIT_ID] for entry in entries] == [1, 126]
        # Home Assistant 2026.9 does not list its connections: two of them would be refused.
        connections = getattr(modbus_connection, "async_get_connection_info", None)
        if connections is not None:
            (connection,) = connections(hass)
            assert connection.units == {
                entry.entry_id: [entry.data[CONF_UNIT_ID]] for entry in entries
            }
        registry = dr.async_get(hass)
        names = {
            device.name
            for entry in entries
            for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
        }
        ends = {unit.serial[-4:] for unit in units.values()}
        assert names == {f"Kersabiec Solaire K1 …{end}" for end in ends}
        assert len(names) == len(units)
        assert not [each for each in hass.states.async_entity_ids("sensor") if each.endswith("_2")]
        for entry in entries:
            await hass.config_entries.async_unload(entry.entry_id)
        assert connections is None or connections(hass) == []


NO_MAP = Image(dict.fromkeys(range(60_000), 0))

type Spoil = Callable[[VirtualInverter], object]

WRONG = [
    pytest.param(
        lambda v: v.set_faults(stranger=Stranger.GATEWAY), 7, "no_such_unit", id="wrong unit"
    ),
    pytest.param(
        lambda v: v.set_faults(stranger=Stranger.SILENT), 7, "no_answer", id="silent unit"
    ),
    pytest.param(lambda v: v.set_faults(silent=1), 1, "no_answer", id="silence"),
    pytest.param(lambda v: v.set_faults(illegal=1), 1, "not_sunspec", id="refuses"),
    pytest.param(lambda v: v.set_faults(cut=100), 1, "not_sunspec", id="half a map"),
    pytest.param(lambda v: v.set_faults(without={101}), 1, "no_inverter", id="no inverter"),
    pytest.param(lambda v: v.units.update({1: NO_MAP}), 1, "not_sunspec", id="no map"),
]


@pytest.mark.parametrize(("spoil", "unit_id", "error"), WRONG)
async def test_an_error_is_shown_and_can_be_retried(
    hass: HomeAssistant,
    inverter: VirtualInverter,
    patience: InverterPatience,
    *,
    spoil: Spoil,
    unit_id: int,
    error: str,
) -> None:
    units = dict(inverter.units)
    spoil(inverter)
    if error == "no_answer":
        await patience.expect_silence()
    flow = await (await Flow.begin(hass, "inverter")).submit(typed(inverter, unit_id))
    assert (flow.step, flow.errors) == ("inverter", {"base": error})
    inverter.units.update(units)
    inverter.no_faults()
    await patience.expect_answers()
    assert (await flow.submit(typed(inverter))).step == "inverter_found"


async def test_an_unreachable_address_is_an_error(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    await inverter.unplug()
    flow = await (await Flow.begin(hass, "inverter")).submit(typed(inverter))
    assert flow.errors == {"base": "no_answer"}


async def test_an_inverter_is_added_once(hass: HomeAssistant, roof: InverterView) -> None:
    await roof.start()
    flow = await (await Flow.begin(hass, "inverter")).submit(typed(roof.inverter))
    assert flow.reason == "inverter_already_configured"


class TestReconfigure:
    async def test_a_moved_inverter_is_read_at_its_new_address(
        self, hass: HomeAssistant, roof: InverterView
    ) -> None:
        await roof.start()
        total = roof.amount("energy")
        async with virtual(roof.inverter.inverters[0]) as moved:
            flow = await move(hass, roof.entry, moved)
            assert flow.reason == "inverter_reconfigure_successful"
            assert roof.entry.data[CONF_PORT] == moved.port
            assert roof.entry.data[CONF_KIND] == KIND_INVERTER
            assert roof.amount("energy") == total
            await roof.unload()

    async def test_an_inverter_without_a_serial_number_may_move(
        self, hass: HomeAssistant, inverter: VirtualInverter
    ) -> None:
        inverter.inverters[0].serial = ""
        entry = await add(hass, inverter)
        assert entry.unique_id == f"sunspec:127.0.0.1:{inverter.port}:1"
        async with virtual(inverter.inverters[0]) as moved:
            flow = await move(hass, entry, moved)
            assert flow.reason == "inverter_reconfigure_successful"
            assert entry.unique_id == f"sunspec:127.0.0.1:{moved.port}:1"
            assert entry.state is ConfigEntryState.LOADED
            await hass.config_entries.async_unload(entry.entry_id)

    async def test_another_inverter_is_refused(
        self, hass: HomeAssistant, roof: InverterView
    ) -> None:
        await roof.start()
        async with virtual(Inverter(PROFILES["bare"], seed=2, origin=ORIGIN)) as other:
            flow = await move(hass, roof.entry, other)
            assert flow.errors == {"base": "other_inverter"}


async def test_the_interval_is_chosen(hass: HomeAssistant, roof: InverterView) -> None:
    """An inverter that was added before new ones were asked less often keeps its interval."""
    await roof.start()
    flow = await hass.config_entries.options.async_init(roof.entry.entry_id)
    assert flow["step_id"] == "inverter"
    assert suggested(flow["data_schema"]) == {CONF_INTERVAL: 10}
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {CONF_INTERVAL: 60})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert roof.coordinator.update_interval is not None
    assert roof.coordinator.update_interval.total_seconds() == 60
