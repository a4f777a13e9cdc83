"""Adding an inverter, saying where it is now, choosing how often it is asked."""

from collections.abc import Callable

from homeassistant.components.modbus import connection as modbus_connection
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowContext,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PORT
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

from .roof import NOON, ORIGIN, Roof

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    flows = hass.config_entries.flow
    flow = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    return await flows.async_configure(flow["flow_id"], {"next_step_id": "inverter"})


async def move(hass: HomeAssistant, entry: ConfigEntry, to: str = "network") -> ConfigFlowResult:
    context = ConfigFlowContext(source=SOURCE_RECONFIGURE, entry_id=entry.entry_id)
    flow = await hass.config_entries.flow.async_init(DOMAIN, context=context)
    assert (flow["type"], flow["step_id"]) == (FlowResultType.MENU, "reconfigure_inverter")
    step = {"next_step_id": f"reconfigure_inverter_{to}"}
    return await hass.config_entries.flow.async_configure(flow["flow_id"], step)


async def submit(
    hass: HomeAssistant, flow: ConfigFlowResult, inverter: VirtualInverter, unit_id: int = 1
) -> ConfigFlowResult:
    typed = {CONF_HOST: inverter.host, CONF_PORT: inverter.port, CONF_UNIT_ID: unit_id}
    return await hass.config_entries.flow.async_configure(flow["flow_id"], typed)


async def confirm(hass: HomeAssistant, flow: ConfigFlowResult) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    await hass.async_block_till_done()
    return result


async def test_what_was_found_is_shown_before_it_is_added(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    flow = await start(hass)
    assert (flow["step_id"], flow["errors"]) == ("inverter", {})
    assert inverter.requests == 0

    flow = await submit(hass, flow, inverter)
    assert flow["step_id"] == "inverter_found"
    assert flow["description_placeholders"] == {
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
    result = await confirm(hass, flow)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"Kersabiec Solaire K1 …{inverter.inverters[0].serial[-4:]}"
    assert result["data"] == {
        CONF_KIND: KIND_INVERTER,
        CONF_HOST: inverter.host,
        CONF_PORT: inverter.port,
        CONF_UNIT_ID: 1,
        CONF_BASE: 40_000,
    }
    assert result["options"] == {CONF_INTERVAL: 30}
    assert result["result"].state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(result["result"].entry_id)


@pytest.mark.parametrize("base", [0, 40_000, 50_000])
async def test_its_map_may_begin_elsewhere(
    hass: HomeAssistant, socket_enabled: None, base: int
) -> None:
    inverter = Inverter(PROFILES["home"], origin=ORIGIN, base=base)
    async with VirtualInverter(inverter, start=NOON.timestamp(), speed=0) as served:
        result = await confirm(hass, await submit(hass, await start(hass), served))
        assert result["data"][CONF_BASE] == base
        await hass.config_entries.async_unload(result["result"].entry_id)


async def test_inverters_behind_one_gateway_share_a_connection(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    units = {unit: Inverter(PROFILES["bare"], seed=unit, origin=ORIGIN) for unit in (1, 126)}
    async with VirtualInverter(units, start=NOON.timestamp(), speed=0) as served:
        served.one_connection()
        for unit_id in units:
            await confirm(hass, await submit(hass, await start(hass), served, unit_id))
        entries = hass.config_entries.async_loaded_entries(DOMAIN)
        assert [entry.data[CONF_UNIT_ID] for entry in entries] == [1, 126]
        # Home Assistant 2026.9 does not tell of its connections: two of them would be refused.
        told = getattr(modbus_connection, "async_get_connection_info", None)
        if told is not None:
            (connection,) = told(hass)
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
        assert told is None or told(hass) == []


NO_MAP = Image(dict.fromkeys(range(60_000), 0))

type Spoil = Callable[[VirtualInverter], object]

WRONG = [
    pytest.param(lambda v: v.strangers(Stranger.GATEWAY), 7, "no_such_unit", id="wrong unit"),
    pytest.param(lambda v: v.strangers(Stranger.SILENT), 7, "no_answer", id="silent unit"),
    pytest.param(lambda v: v.silence(), 1, "no_answer", id="silence"),
    pytest.param(lambda v: v.refuse_addresses(), 1, "not_sunspec", id="refuses"),
    pytest.param(lambda v: v.cut(100), 1, "not_sunspec", id="half a map"),
    pytest.param(lambda v: v.without({101}), 1, "no_inverter", id="no inverter"),
    pytest.param(lambda v: v.units.update({1: NO_MAP}), 1, "not_sunspec", id="no map"),
]


@pytest.mark.parametrize(("spoil", "unit_id", "error"), WRONG)
async def test_what_is_wrong_is_said_and_may_be_tried_again(
    hass: HomeAssistant, inverter: VirtualInverter, spoil: Spoil, unit_id: int, error: str
) -> None:
    units = dict(inverter.units)
    spoil(inverter)
    flow = await submit(hass, await start(hass), inverter, unit_id)
    assert (flow["step_id"], flow["errors"]) == ("inverter", {"base": error})
    inverter.units.update(units)
    inverter.no_faults()
    flow = await submit(hass, flow, inverter)
    assert flow["step_id"] == "inverter_found"


async def test_nothing_at_the_address_is_said(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    await inverter.unplug()
    flow = await submit(hass, await start(hass), inverter)
    assert flow["errors"] == {"base": "no_answer"}


async def test_an_inverter_is_added_once(hass: HomeAssistant, roof: Roof) -> None:
    await roof.start()
    flow = await submit(hass, await start(hass), roof.inverter)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "inverter_already_configured")


class TestReconfigure:
    async def test_it_is_read_at_its_new_address(self, hass: HomeAssistant, roof: Roof) -> None:
        await roof.start()
        total = roof.number("energy")
        moved = VirtualInverter(roof.inverter.inverters[0], start=NOON.timestamp(), speed=0)
        async with moved:
            flow = await move(hass, roof.entry)
            assert flow["step_id"] == "reconfigure_inverter_network"
            flow = await submit(hass, flow, moved)
            assert flow["reason"] == "inverter_reconfigure_successful"
            await hass.async_block_till_done()
            assert roof.entry.data[CONF_PORT] == moved.port
            assert roof.entry.data[CONF_KIND] == KIND_INVERTER
            assert roof.number("energy") == total
            await hass.config_entries.async_unload(roof.entry.entry_id)

    async def test_one_without_a_serial_number_may_move_too(
        self, hass: HomeAssistant, inverter: VirtualInverter
    ) -> None:
        inverter.inverters[0].serial = ""
        result = await confirm(hass, await submit(hass, await start(hass), inverter))
        entry = result["result"]
        assert entry.unique_id == f"sunspec:127.0.0.1:{inverter.port}:1"
        moved = VirtualInverter(inverter.inverters[0], start=NOON.timestamp(), speed=0)
        async with moved:
            flow = await submit(hass, await move(hass, entry), moved)
            assert flow["reason"] == "inverter_reconfigure_successful"
            await hass.async_block_till_done()
            assert entry.unique_id == f"sunspec:127.0.0.1:{moved.port}:1"
            assert entry.state is ConfigEntryState.LOADED
            await hass.config_entries.async_unload(entry.entry_id)

    async def test_another_inverter_is_refused(self, hass: HomeAssistant, roof: Roof) -> None:
        await roof.start()
        other = Inverter(PROFILES["bare"], seed=2, origin=ORIGIN)
        async with VirtualInverter(other, start=NOON.timestamp(), speed=0) as served:
            flow = await submit(hass, await move(hass, roof.entry), served)
            assert flow["errors"] == {"base": "other_inverter"}


async def test_the_interval_is_chosen(hass: HomeAssistant, roof: Roof) -> None:
    """An inverter that was added before new ones were asked less often keeps its interval."""
    await roof.start()
    flow = await hass.config_entries.options.async_init(roof.entry.entry_id)
    assert flow["step_id"] == "inverter"
    assert flow["data_schema"] is not None
    (field,) = flow["data_schema"].schema
    assert field.description == {"suggested_value": 10}
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {CONF_INTERVAL: 60})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert roof.coordinator.update_interval is not None
    assert roof.coordinator.update_interval.total_seconds() == 60
