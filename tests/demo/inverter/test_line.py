"""A real reader on a real serial port reads the inverter, and meets what goes wrong there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from modbus_connection import ModbusSerialParams
from modbus_connection.exceptions import (
    GatewayTargetError,
    ModbusError,
    ModbusTimeoutError,
)
from modbus_connection.tmodbus import ModbusConnection
import pytest
import serialx
from tmodbus.utils.crc import calculate_crc16, validate_crc16

from demo.inverter import Stranger, VirtualInverter
from demo.inverter.line import BAUD, BAUDS
from testing.inverters import BASE, NOON, inverter, read, unix
from testing.run import DEADLINE_S

IMPATIENT_S = 0.3
MARKER = [0x5375, 0x6E53]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[VirtualInverter]:
    """Serve two units on one line, for which time stands still."""
    units = {1: inverter("home"), 4: inverter("home", seed=2)}
    line = tmp_path / "line"
    async with VirtualInverter(units, line=line, start=NOON.timestamp(), speed=0) as served:
        yield served


@asynccontextmanager
async def connection(
    served: VirtualInverter, baud: int = BAUD, timeout: float = DEADLINE_S
) -> AsyncIterator[ModbusConnection]:
    assert served.device is not None
    params = ModbusSerialParams(device=served.device, baudrate=baud)
    connection = ModbusConnection(params, timeout=timeout)
    try:
        yield connection
    finally:
        await connection.close()


async def marker(
    served: VirtualInverter, unit: int = 1, baud: int = BAUD, timeout: float = DEADLINE_S
) -> list[int]:
    async with connection(served, baud, timeout) as client:
        return await client.for_unit(unit).read_holding_registers(BASE, 2)


async def test_all_models_are_read_on_a_line(served: VirtualInverter) -> None:
    async with connection(served) as client:
        components = await read(client.for_unit(1))
    power_w = inverter().readings(unix(NOON)).power.power_w
    assert components[1].w == pytest.approx(power_w, abs=5)


@pytest.mark.parametrize("baud", BAUDS)
async def test_only_its_own_speed_is_understood(tmp_path: Path, baud: int) -> None:
    line = tmp_path / "line"
    other = next(each for each in BAUDS if each != baud)
    async with VirtualInverter(
        inverter(), line=line, baud=baud, start=NOON.timestamp(), speed=0
    ) as served:
        assert await marker(served, baud=baud) == MARKER
        with pytest.raises(ModbusTimeoutError):
            await marker(served, baud=other, timeout=IMPATIENT_S)
        assert served.requests == 1


async def test_a_wrong_unit_id_gets_nothing_or_the_gateways_refusal(
    served: VirtualInverter,
) -> None:
    with pytest.raises(ModbusTimeoutError):
        await marker(served, unit=2, timeout=IMPATIENT_S)
    served.set_faults(stranger=Stranger.GATEWAY)
    with pytest.raises(GatewayTargetError):
        await marker(served, unit=2)
    assert await marker(served) == MARKER


async def test_damaged_and_dropped_answers_are_errors(served: VirtualInverter) -> None:
    served.set_faults(mistaken=1)
    with pytest.raises(ModbusError):
        await marker(served, timeout=IMPATIENT_S)
    served.no_faults()
    served.set_faults(dropped=1)
    with pytest.raises(ModbusTimeoutError):
        await marker(served, timeout=IMPATIENT_S)
    served.no_faults()
    assert await marker(served) == MARKER


async def test_noise_before_a_request_is_skipped(served: VirtualInverter) -> None:
    assert served.device is not None
    request = bytes((1, 3, BASE >> 8, BASE & 0xFF, 0, 2))
    request += calculate_crc16(request)
    reader, writer = await serialx.open_serial_connection(served.device, baudrate=BAUD)
    writer.write(b"\x00\xff\x01" + request)
    answer = await reader.readexactly(9)
    assert answer[:-2] == bytes((1, 3, 4)) + b"SunS"
    assert validate_crc16(answer)
    writer.close()
    await writer.wait_closed()
