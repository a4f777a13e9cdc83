"""A real reader on a real TCP port reads the inverter, and meets what goes wrong there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
import socket
import struct
from time import monotonic

from modbus_connection.exceptions import (
    IllegalDataAddressError,
    IllegalFunctionError,
    ModbusError,
    ModbusTimeoutError,
)
from pymodbus.client import AsyncModbusTcpClient
import pytest

from demo.inverter import Night, VirtualInverter
from demo.inverter.profiles import PROFILES
from testing.inverters import BASE, NIGHT, NOON, connection, inverter, read, unix, virtual
from testing.run import DEADLINE_S

pytestmark = pytest.mark.usefixtures("socket_enabled")

IMPATIENT_S = 0.5
REGISTERS = struct.Struct(">HHHBBHH")


async def registers(served: VirtualInverter, timeout: float = DEADLINE_S) -> list[int]:
    """Read from the beginning of the map, over a connection of its own."""
    async with connection(served, timeout) as client:
        return await client.for_unit(1).read_holding_registers(BASE, 2)


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
async def test_every_profile_is_read_over_tcp(name: str) -> None:
    async with virtual(name) as served, connection(served) as client:
        components = await read(client.for_unit(1))
    readings = inverter(name).readings(unix(NOON))
    made = components[1]
    assert made.w == pytest.approx(readings.power.power_w, abs=5)
    assert (made.tot_wh_inj if name == "der2018" else made.wh) == readings.energy_wh


async def test_another_library_reads_holding_and_input_registers() -> None:
    async with virtual() as served:
        client = AsyncModbusTcpClient(served.host, port=served.port)
        await client.connect()
        holding = await client.read_holding_registers(BASE, count=125, device_id=1)
        inputs = await client.read_input_registers(BASE, count=125, device_id=1)
        client.close()
    assert holding.registers == inputs.registers == inverter().image(unix(NOON)).read(BASE, 125)


async def test_nothing_can_be_written() -> None:
    async with virtual() as served, connection(served) as client:
        unit = client.for_unit(1)
        with pytest.raises(IllegalFunctionError):
            await unit.write_registers(BASE, [1, 2])
        with pytest.raises(IllegalFunctionError):
            await unit.write_register(BASE, 1)


@pytest.mark.parametrize("address", [0, BASE - 1, BASE + 409, 65_535])
async def test_an_unmapped_register_is_an_illegal_address(address: int) -> None:
    async with virtual() as served, connection(served) as client:
        with pytest.raises(IllegalDataAddressError):
            await client.for_unit(1).read_holding_registers(address, 1)


async def test_split_and_malformed_requests_get_standard_answers() -> None:
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


async def test_an_inverter_started_at_night_keeps_its_port() -> None:
    served = virtual(at=NIGHT)
    served.set_faults(night=Night.REFUSES)
    async with served:
        assert served.port
        assert not await answers(served)
        served.at = NOON
        async with asyncio.timeout(DEADLINE_S):
            while not await answers(served):
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("turns", range(6))
async def test_a_reader_that_comes_while_an_inverter_is_unplugged_leaves_nothing(
    turns: int,
) -> None:
    """Whatever the event loop has already done of its connection."""
    faults: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.set_exception_handler(lambda _loop, fault: faults.append(fault))
    async with virtual() as served:
        with socket.create_connection((served.host, served.port)):
            for _ in range(turns):
                await asyncio.sleep(0)
            before = asyncio.all_tasks()
            await served.unplug()
            assert asyncio.all_tasks() <= before
            await asyncio.sleep(0.01)
    assert faults == []


async def answers(served: VirtualInverter) -> bool:
    try:
        await registers(served)
    except ModbusError:
        return False
    return True


async def test_a_delay_makes_answers_late() -> None:
    async with virtual() as served:
        served.set_faults(delay_s=0.1)
        asked = monotonic()
        assert await registers(served)
        assert monotonic() - asked >= 0.1
        served.set_faults(delay_s=2)
        with pytest.raises(ModbusTimeoutError):
            await registers(served, timeout=IMPATIENT_S)


async def test_faults_hit_the_same_requests_each_time() -> None:
    async def illegal_answers() -> list[bool]:
        async with virtual() as served, connection(served) as client:
            served.set_faults(illegal=0.5)
            illegal = []
            for _ in range(20):
                try:
                    await client.for_unit(1).read_holding_registers(BASE, 1)
                except IllegalDataAddressError:
                    illegal.append(True)
                else:
                    illegal.append(False)
            assert served.requests == 20
            return illegal

    first = await illegal_answers()
    assert {*first} == {True, False}
    assert first == await illegal_answers()


async def test_the_speed_accelerates_the_sun() -> None:
    async with VirtualInverter(inverter(), start=NOON.timestamp(), speed=6000) as served:
        await asyncio.sleep(0.2)
        assert served.at - NOON > timedelta(minutes=15)
