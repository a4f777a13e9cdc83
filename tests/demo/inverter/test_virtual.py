"""A real reader on a real TCP port reads the inverter, and meets what goes wrong there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
import struct
from time import monotonic

from modbus_connection.exceptions import (
    GatewayTargetError,
    IllegalDataAddressError,
    IllegalFunctionError,
    ModbusConnectionError,
    ModbusError,
    ModbusTimeoutError,
)
from modbus_connection.model.sunspec import scan
from pymodbus.client import AsyncModbusTcpClient
import pytest

from demo.inverter import Inverter, Night, Scales, State, Stranger, VirtualInverter
from demo.inverter.profiles import PROFILES

from .inverters import BASE, NIGHT, NOON, ORIGIN, connection, inverter, read, unix, virtual

pytestmark = pytest.mark.usefixtures("socket_enabled")

IMPATIENT_S = 0.5
REGISTERS = struct.Struct(">HHHBBHH")


async def registers(served: VirtualInverter, count: int = 2, unit: int = 1) -> list[int]:
    """Read from the beginning of the map, over a connection of its own."""
    async with connection(served, IMPATIENT_S) as client:
        return await client.for_unit(unit).read_holding_registers(BASE, count)


@asynccontextmanager
async def raw(
    served: VirtualInverter,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(served.host, served.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize("name", PROFILES)
async def test_every_profile_is_read_over_tcp_as_it_is(name: str) -> None:
    async with virtual(name) as served, connection(served) as client:
        components = await read(client.for_unit(1))
    readings = inverter(name).readings(unix(NOON))
    made = components[1]
    assert made.w == pytest.approx(readings.power.power_w, abs=5)
    assert (made.tot_wh_inj if name == "der2018" else made.wh) == readings.energy_wh


async def test_another_library_reads_the_same() -> None:
    async with virtual() as served:
        client = AsyncModbusTcpClient(served.host, port=served.port)
        await client.connect()
        answer = await client.read_holding_registers(BASE, count=125, device_id=1)
        client.close()
        assert answer.registers == inverter().image(unix(NOON)).read(BASE, 125)


async def test_input_registers_are_the_same() -> None:
    async with virtual() as served, connection(served) as client:
        unit = client.for_unit(1)
        assert await unit.read_input_registers(BASE, 9) == await unit.read_holding_registers(
            BASE, 9
        )


async def test_nothing_can_be_written() -> None:
    async with virtual() as served, connection(served) as client:
        unit = client.for_unit(1)
        with pytest.raises(IllegalFunctionError):
            await unit.write_registers(BASE, [1, 2])
        with pytest.raises(IllegalFunctionError):
            await unit.write_register(BASE, 1)


@pytest.mark.parametrize("address", [0, BASE - 1, BASE + 409, 65_535])
async def test_what_is_not_in_the_map_is_an_illegal_address(address: int) -> None:
    async with virtual() as served, connection(served) as client:
        with pytest.raises(IllegalDataAddressError):
            await client.for_unit(1).read_holding_registers(address, 1)


async def test_a_request_in_pieces_or_without_sense_is_met_as_the_standard_says() -> None:
    async with virtual() as served, raw(served) as (reader, writer):
        request = REGISTERS.pack(7, 0, 6, 1, 3, BASE, 2)
        writer.write(request[:5])
        await asyncio.sleep(0.05)
        writer.write(request[5:] + REGISTERS.pack(8, 0, 6, 1, 3, BASE, 126))
        assert await reader.readexactly(13) == struct.pack(
            ">HHHBBBHH", 7, 0, 7, 1, 3, 4, 0x5375, 0x6E53
        )
        assert await reader.readexactly(9) == struct.pack(">HHHBBB", 8, 0, 3, 1, 0x83, 3)
        writer.write(struct.pack(">HHHBBH", 9, 0, 4, 1, 3, BASE))
        assert await reader.readexactly(9) == struct.pack(">HHHBBB", 9, 0, 3, 1, 0x83, 3)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""


async def test_two_inverters_answer_behind_one_gateway() -> None:
    units = {1: inverter("home"), 4: inverter("home", seed=2)}
    async with (
        VirtualInverter(units, start=NOON.timestamp(), speed=0) as served,
        connection(served) as client,
    ):
        first, second = [await read(client.for_unit(unit)) for unit in units]
    assert first[0].sn != second[0].sn
    assert first[1].wh != second[1].wh


async def test_a_wrong_unit_id_gets_nothing_or_the_gateways_refusal() -> None:
    async with virtual() as served:
        with pytest.raises(ModbusTimeoutError):
            await registers(served, unit=2)
        served.strangers(Stranger.GATEWAY)
        with pytest.raises(GatewayTargetError):
            await registers(served, unit=2)
        assert await registers(served) == [0x5375, 0x6E53]


async def test_an_inverter_that_sleeps_is_not_there_and_comes_back_on_the_same_port() -> None:
    async with virtual() as served:
        port = served.port
        served.night(Night.REFUSES)
        assert await registers(served)
        async with raw(served) as (reader, _):
            served.at = NIGHT
            async with asyncio.timeout(5):
                # Who was connected hears it.
                assert await reader.read() == b""
        with pytest.raises(ModbusConnectionError):
            await registers(served)
        served.at = NOON
        async with asyncio.timeout(5):
            while not await is_there(served):
                await asyncio.sleep(0.05)
        assert served.port == port


async def test_an_inverter_that_is_put_in_at_night_has_its_port() -> None:
    served = virtual(at=NIGHT)
    served.night(Night.REFUSES)
    async with served:
        assert served.port
        assert not await is_there(served)
        served.at = NOON
        async with asyncio.timeout(5):
            while not await is_there(served):
                await asyncio.sleep(0.05)


async def is_there(served: VirtualInverter) -> bool:
    try:
        await registers(served)
    except ModbusError:
        return False
    return True


async def test_an_inverter_that_sleeps_may_listen_and_say_nothing() -> None:
    async with virtual(at=NIGHT) as served:
        assert await registers(served)
        served.night(Night.SILENT)
        with pytest.raises(ModbusTimeoutError):
            await registers(served)
        served.at = NOON
        assert await registers(served)


async def test_energy_registers_are_zero_for_a_while() -> None:
    async with virtual() as served, connection(served) as client:
        served.zeros(30)
        zero = await read(client.for_unit(1))
        assert (zero[1].wh, zero[6].tot_wh_exp, zero[4].module[0].dcwh) == (None, None, None)
        assert zero[1].w > 0
        assert await client.for_unit(1).read_holding_registers(BASE + 70 + 24, 2) == [0, 0]
        served.at = NOON + timedelta(seconds=30)
        assert (await read(client.for_unit(1)))[1].wh > 0


async def test_they_are_so_every_morning() -> None:
    dawn = inverter().readings(unix(NOON)).awake_since
    assert dawn is not None
    async with (
        VirtualInverter(inverter(), start=dawn, speed=0) as served,
        connection(served) as client,
    ):
        served.zeros_at_dawn(20)
        assert (await read(client.for_unit(1)))[1].wh is None
        served.at += timedelta(seconds=20)
        assert (await read(client.for_unit(1)))[1].wh > 0


async def test_points_models_and_scale_factors_are_as_they_were_told_to_be() -> None:
    async with virtual() as served, connection(served) as client:
        served.missing({"W"})
        served.without({120, 121})
        components = await read(client.for_unit(1))
        assert [c.model_id for c in components] == [1, 101, 160, 1, 201]
        assert components[1].w is None
        served.scales(Scales.GARBAGE)
        assert (await read(client.for_unit(1)))[1].wh is None
        served.no_faults()
        assert len(await read(client.for_unit(1))) == 7


async def test_a_map_is_cut_in_the_middle_of_a_model() -> None:
    async with virtual() as served, connection(served) as client:
        served.cut(100)
        with pytest.raises(IllegalDataAddressError):
            await scan(client.for_unit(1), BASE)
        assert await client.for_unit(1).read_holding_registers(BASE, 100)


async def test_an_answer_comes_late() -> None:
    async with virtual() as served:
        served.delay(0.1)
        asked = monotonic()
        assert await registers(served)
        assert monotonic() - asked >= 0.1
        served.delay(2)
        with pytest.raises(ModbusTimeoutError):
            await registers(served)


async def test_an_answer_does_not_come_at_all() -> None:
    async with virtual() as served:
        served.silence()
        with pytest.raises(ModbusTimeoutError):
            await registers(served)
        served.no_faults()
        assert await registers(served)


async def test_a_busy_inverter_says_so() -> None:
    async with virtual() as served:
        served.busy()
        async with raw(served) as (reader, writer):
            writer.write(REGISTERS.pack(1, 0, 6, 1, 3, BASE, 2))
            assert (await reader.readexactly(9))[-2:] == bytes((0x83, 6))


async def test_an_address_is_refused_that_was_legal() -> None:
    async with virtual() as served:
        served.refuse_addresses()
        with pytest.raises(IllegalDataAddressError):
            await registers(served)


async def test_a_connection_breaks_in_mid_answer() -> None:
    async with virtual() as served:
        served.drop()
        async with raw(served) as (reader, writer):
            writer.write(REGISTERS.pack(1, 0, 6, 1, 3, BASE, 2))
            assert await reader.read() == struct.pack(">HHH", 1, 0, 7)
        with pytest.raises(ModbusConnectionError):
            await registers(served)


async def test_an_answer_to_something_else_is_told_from_the_right_one() -> None:
    async with virtual() as served:
        served.mistake()
        with pytest.raises(ModbusError):
            await registers(served)


async def test_some_take_only_one_connection_at_a_time() -> None:
    async with virtual() as served:
        served.one_connection()
        async with connection(served) as client:
            await client.for_unit(1).read_holding_registers(BASE, 1)
            with pytest.raises(ModbusConnectionError):
                await registers(served)
        async with asyncio.timeout(5):
            while not await is_there(served):
                await asyncio.sleep(0.05)


async def test_a_cable_is_pulled_out_and_put_in_again() -> None:
    async with virtual() as served, connection(served, IMPATIENT_S) as client:
        unit = client.for_unit(1)
        await unit.read_holding_registers(BASE, 1)
        await served.unplug()
        with pytest.raises(ModbusConnectionError):
            await unit.read_holding_registers(BASE, 1)
        await served.plug()
        assert await unit.read_holding_registers(BASE, 1)


async def test_what_happens_to_production_is_read() -> None:
    async with virtual() as served, connection(served) as client:
        unit = client.for_unit(1)
        usual = (await read(unit))[1]
        served.limit(0.5)
        assert (await read(unit))[1].w == pytest.approx(usual.w / 2, abs=1)
        served.fail()
        assert (await read(unit))[1].st == State.FAULT
        served.switch_off()
        assert (await read(unit))[1].st == State.OFF
        served.mend()
        assert (await read(unit))[1].w == usual.w
        served.jump(7000)
        assert (await read(unit))[1].wh == usual.wh + 7000
        served.restart()
        assert (await read(unit))[1].wh is None


async def test_faults_hit_the_same_requests_each_time() -> None:
    async def luck() -> list[bool]:
        async with virtual() as served, connection(served) as client:
            served.refuse_addresses(0.5)
            met = []
            for _ in range(20):
                try:
                    await client.for_unit(1).read_holding_registers(BASE, 1)
                except IllegalDataAddressError:
                    met.append(True)
                else:
                    met.append(False)
            assert served.requests == 20
            return met

    first = await luck()
    assert {*first} == {True, False}
    assert first == await luck()


async def test_the_sun_may_hurry() -> None:
    async with VirtualInverter(inverter(), start=NOON.timestamp(), speed=6000) as served:
        await asyncio.sleep(0.2)
        assert served.at - NOON > timedelta(minutes=15)


async def test_an_inverter_of_now_has_made_energy_for_years() -> None:
    async with VirtualInverter(Inverter(origin=ORIGIN)) as served, connection(served) as client:
        assert (await read(client.for_unit(1)))[1].wh > 100_000
