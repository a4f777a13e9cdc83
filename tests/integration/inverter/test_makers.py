"""Registers of real devices, as their owners published them, mean what their owners saw.

Each is a fact from a public issue of evcc-io/evcc, whose texts are under no licence: values alone
are written down here, without serial numbers. What was not published is "not implemented".
"""

from collections.abc import Mapping, Sequence
import struct

from modbus_connection.mock import MockModbusConnection
import pytest

from custom_components.consometers.inverter.link import Link
from custom_components.consometers.inverter.readings import Meter, Operating, Reading
from custom_components.consometers.inverter.sensors import sensors
from custom_components.consometers.inverter.state import InverterState

NO_UINT, NO_INT, NO_FLOAT = 0xFFFF, 0x8000, (0x7FC0, 0x0000)

# github.com/evcc-io/evcc/issues/15445: a meter of three phases behind a SolarEdge of one (model
# 101), the whole of model 203 but its header.
SOLAREDGE_METER = bytes.fromhex(
    "0067 0030 0008 002e ffff 5bfd 5bfd 5c4f 5a69 0000 0000 0000 0000 fffe 1385 fffe"
    "ffc6 043f ff85 fc02 0000 01e8 0456 0094 040d 0000 fe1b ff1e ffaf ff4f 0000"
    "080f dae5 1946 2403 fffe 0144 8402 015e 6054 0000 0000 0000 0000"
    "0114 0820 0028 f5e8 0053 b622 00b1 3867 0000"
)
# github.com/evcc-io/evcc/issues/18358: the smart energy meter of a Kostal.
KOSTAL_METER = bytes.fromhex(
    "8000 0406 00d0 00a0 fffe 8000 59c6 5aae 5aad 8000 8000 8000 8000 fffe 1386 fffe"
    "0133 00eb 002f 0018 0001 0135 00ec 002f 001d 0001 ffe3 fff2 0000 fff1 0001"
    "03e3 03e6 03e8 0348 fffd ffb6 d9fd ffdd ef20 ffe4 73de ffe0 ba02"
    "002e 108f 0018 22c1 0017 c1ff 0011 e8cc 0000"
)
# github.com/evcc-io/evcc/issues/12070: a SolarEdge SE5000H, which feeds one phase.
SOLAREDGE = {2: 165, 3: 165, 6: 0xFFFE, 7: 2311, 10: 2311, 13: 0xFFFF, 14: 0, 15: 0}
# github.com/evcc-io/evcc/issues/31535: a Kostal Plenticore plus, which feeds three.
KOSTAL = {
    2: 429,
    3: 146,
    4: 137,
    5: 145,
    6: 0xFFFE,
    10: 2286,
    11: 2291,
    12: 2274,
    13: 0xFFFF,
    14: 940,
    15: 0,
    16: 4999,
    17: 0xFFFE,
    18: 978,
    19: 0,
    24: 869,
    25: 34_886,
    26: 0,
}
# github.com/evcc-io/evcc/issues/16924: a Fronius Symo, whose numbers are floating-point.
FRONIUS = {
    2: 0.75,
    4: 0.25,
    6: 0.25,
    8: 0.25,
    10: 399.4,
    12: 398.8,
    14: 397.8,
    16: 230.6,
    18: 229.6,
    20: 230.4,
    22: 177,
    24: 50,
    26: 177,
    28: 0,
    30: 100,
    32: 26_320_000,
    38: 193.84,
}


def words(data: bytes) -> Sequence[int]:
    return struct.unpack(f">{len(data) // 2}H", data)


def model(number: int, length: int, points: Mapping[int, int], absent: int = NO_INT) -> list[int]:
    """Return a model whose other points are not implemented."""
    return [number, length, *(points.get(at, absent) for at in range(2, length + 2))]


def common(maker: str, name: str) -> list[int]:
    def text(value: str, registers: int) -> Sequence[int]:
        return words(value.encode().ljust(2 * registers, b"\0"))

    return [1, 65, *text(maker, 16), *text(name, 16), *[0] * 32, 0]


def meter(number: int, data: bytes) -> list[int]:
    rest = [0] * (105 - len(data) // 2)
    return [number, 105, *words(data), *rest]


def floats(number: int, points: Mapping[int, float], operating: int) -> list[int]:
    registers = dict(enumerate(NO_FLOAT * 29, 2))
    for at, value in points.items():
        registers |= dict(enumerate(words(struct.pack(">f", value)), at))
    return model(number, 60, registers | {48: operating})


async def read(*models: list[int]) -> Reading:
    unit = MockModbusConnection().for_unit(1)
    registers = [0x5375, 0x6E53, *(word for each in models for word in each), 0xFFFF, 0]
    unit.holding.update(dict(enumerate(registers, 40_000)))
    return await Link(unit).read()


def meter_of(reading: Reading) -> Meter:
    (only,) = reading.meters
    assert only is not None
    return only


async def test_a_solaredge_of_one_phase_has_a_meter_of_three() -> None:
    reading = await read(
        common("SolarEdge", "SE5000H-RW000BNN"),
        model(101, 50, SOLAREDGE),
        common("SolarEdge", "SE-RGMTR-1D-240C-A"),
        meter(203, SOLAREDGE_METER),
    )
    assert reading.phases == 1
    assert reading.production.voltages_v[0] == 231.1
    three = meter_of(reading)
    assert three.phases == 3
    assert three.currents_a == (4.8, 0.8, 4.6)
    assert three.voltages_v == (235.49, 236.31, 231.45)
    assert three.powers_w == (1087.0, -123.0, -1022.0)
    assert (three.power_w, three.frequency_hz) == (-58, 49.97)
    assert (three.imported_wh, three.exported_wh) == (18_090_016, 21_267_458)


@pytest.mark.parametrize("number", [203, 204])
async def test_the_phases_of_a_meter_are_shown_behind_an_inverter_of_one(number: int) -> None:
    state = InverterState()
    state.take(
        await read(
            common("SolarEdge", "SE5000H-RW000BNN"),
            model(101, 50, SOLAREDGE),
            meter(number, SOLAREDGE_METER),
        ),
        0.0,
    )
    shown = {each.key for each in sensors() if each.value_fn(state) is not None}
    assert {"current", "voltage"} <= shown
    for fact in ("current", "voltage", "power"):
        assert {f"meter_1_{fact}_{phase}" for phase in (1, 2, 3)} <= shown
    assert shown.isdisjoint({"current_1", "voltage_1", "meter_1_current", "meter_1_voltage"})


async def test_negative_exports_of_a_kostal_are_counted() -> None:
    reading = await read(
        common("KOSTAL", "PLENTICORE plus8"), model(103, 50, KOSTAL), meter(203, KOSTAL_METER)
    )
    production = reading.production
    assert (production.power_w, production.apparent_power_va) == (940, 978)
    assert production.energy_wh == 56_985_670
    assert production.voltages_v == (228.6, 229.1, 227.4)
    of_grid = meter_of(reading)
    assert of_grid.power_w == 3_070
    assert of_grid.powers_w == (2_350.0, 470.0, 240.0)
    assert of_grid.currents_a == (10.3, 2.08, 1.6)
    assert (of_grid.imported_wh, of_grid.exported_wh) == (3_018_895, 4_793_859)


async def test_a_fronius_sends_floating_point_numbers() -> None:
    reading = await read(common("Fronius", "Symo 8.2-3-M"), floats(113, FRONIUS, 4))
    production = reading.production
    assert reading.phases == 3
    assert production.operating is Operating.RUNNING
    assert (production.power_w, production.dc_power_w) == (177, 193.84)
    assert production.energy_wh == 26_320_000
    assert production.voltages_v == (230.6, 229.6, 230.4)
    assert production.temperature_c is None
