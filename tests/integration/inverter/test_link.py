"""What registers mean, read from modbus-connection's own mock: no wire, no Home Assistant."""

import struct

from modbus_connection import IllegalDataAddressError, ModbusTimeoutError
from modbus_connection.mock import MockModbusConnection, MockModbusUnit
from modbus_connection.model.sunspec import SunSpecModel
import pytest

from custom_components.consometers.inverter.link import Link, NoAnswer
from demo.inverter import PROFILES, Inverter
from testing.integration.inverter import NOON, ORIGIN

SECOND = int(NOON.timestamp())


def unit(inverter: Inverter) -> MockModbusUnit:
    unit = MockModbusConnection().for_unit(1)
    unit.holding.update(inverter.image(SECOND).registers)
    return unit


async def model_of(link: Link, number: int) -> SunSpecModel:
    (model,) = (model for model in (await link.find()).models if model.model_id == number)
    return model


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_link_reads_the_inverter_s_measurements(profile: str) -> None:
    inverter = Inverter(PROFILES[profile], origin=ORIGIN)
    reading, real = await Link(unit(inverter)).read(), inverter.readings(SECOND)
    phases = PROFILES[profile].phases
    assert reading.rating_w == PROFILES[profile].rating_va
    production = reading.production
    assert production.power_w == pytest.approx(real.power.power_w, abs=6)
    assert production.energy_wh == real.energy_wh
    assert production.frequency_hz == pytest.approx(real.hz, abs=0.01)
    assert production.temperature_c == pytest.approx(real.cabinet_c, abs=0.1)
    voltages = [volts for volts in production.voltages_v if volts is not None]
    assert voltages == pytest.approx(list(real.power.legs_v), abs=0.1)
    assert len(voltages) >= phases
    for string, direct in zip(reading.strings, real.strings, strict=True):
        assert string.power_w == pytest.approx(direct.power_w, abs=1)
        assert string.energy_wh == direct.energy_wh
    if real.grid is not None:
        (meter,) = reading.meters
        assert meter is not None
        assert meter.imported_wh == pytest.approx(real.grid.drawn_wh, rel=1e-6)
        assert meter.exported_wh == pytest.approx(real.grid.injected_wh, rel=1e-6)
    if real.cells is not None:
        assert reading.battery is not None
        assert reading.battery.capacity_wh == real.cells.capacity_wh


async def test_a_refused_model_leaves_the_others_readable() -> None:
    asked = unit(Inverter(PROFILES["home"], origin=ORIGIN))
    link = Link(asked)
    strings = await model_of(link, 160)
    asked.fail_read(strings.address + 8, IllegalDataAddressError())
    for _ in range(3):
        reading = await link.read()
        assert reading.strings == ()
        assert reading.production.power_w is not None
        assert reading.meters[0] is not None
    asked.fail_read(strings.address + 8, None)
    assert len((await link.read()).strings) == 2
    asked.fail_read(strings.address, IllegalDataAddressError())
    registers = (await link.image())["holding"]
    assert registers[str(strings.address)] == [160, strings.length]


def words(text: str, registers: int) -> list[int]:
    return list(struct.unpack(f">{registers}H", text.encode().ljust(2 * registers, b"\0")))


NETWORK = 12
OF_A_MAKER = 64_207


async def test_an_image_leaves_out_unread_models() -> None:
    real = Inverter(PROFILES["home"], origin=ORIGIN).image(SECOND)
    *_, end = real.registers
    name, address = "south-roof", "192.0.2.17"
    models = [
        *[NETWORK, 98, *words(name, 49), *words(address, 49)],
        *[OF_A_MAKER, 20, *words(name, 20)],
    ]
    asked = MockModbusConnection().for_unit(1)
    asked.holding.update(dict(enumerate([*real.registers.values()][:-2] + models, 40_000)))
    asked.holding.update(dict(enumerate([0xFFFF, 0], end - 1 + len(models))))
    blocks = (await Link(asked).image())["holding"]
    assert blocks[str(end - 1)] == [NETWORK, 98]
    assert blocks[str(end - 1 + 100)] == [OF_A_MAKER, 20]
    text = b"".join(word.to_bytes(2) for block in blocks.values() for word in block)
    assert b"KS" not in text
    assert name.encode() not in text
    assert address.encode() not in text
    again = MockModbusConnection().for_unit(1)
    for at, block in blocks.items():
        again.holding.update(dict(enumerate(block, int(at))))
    assert await Link(again).read() == await Link(asked).read()


@pytest.mark.parametrize(("reported", "strings"), [(0, 0), (1, 1), (2, 2), (3, 2), (0xFFFF, 0)])
async def test_the_length_of_the_model_bounds_the_strings(reported: int, strings: int) -> None:
    asked = unit(Inverter(PROFILES["home"], origin=ORIGIN))
    link = Link(asked)
    asked.holding[(await model_of(link, 160)).address + 8] = reported
    assert len((await link.read()).strings) == strings


async def test_an_image_leaves_out_alarm_texts() -> None:
    asked = unit(Inverter(PROFILES["der2018"], origin=ORIGIN))
    link = Link(asked)
    model = await model_of(link, 701)
    asked.holding.update(dict(enumerate(words("Roof of the school", 32), model.address + 123)))
    blocks = (await link.image())["holding"][str(model.address)]
    assert len(blocks) == model.span
    assert b"Roof" not in b"".join(word.to_bytes(2) for word in blocks)


async def test_the_map_is_searched_once() -> None:
    asked = unit(Inverter(PROFILES["home"], origin=ORIGIN))
    link = Link(asked)
    await link.read()
    asked.read_events.clear()
    await link.read()
    assert len(asked.read_events) <= 5


async def test_the_inverter_is_searched_again_after_silence() -> None:
    asked = unit(Inverter(PROFILES["home"], origin=ORIGIN))
    link = Link(asked)
    await link.read()
    asked.fail_requests(ModbusTimeoutError())
    with pytest.raises(NoAnswer):
        await link.read()
    asked.fail_requests(None)
    asked.read_events.clear()
    await link.read()
    assert asked.read_events[0].address == 40_000
