"""What it costs to read an inverter's registers and to do nothing with them: a floor.

`python -m tools.bench.registers HOST PORT POLLS` is a program of its own, so that its CPU is that
of the reader alone. It reads whole models, as the integration does, over the same library.
"""

import asyncio
import sys
import time

from modbus_connection import ModbusTcpParams, ModbusUnit
from modbus_connection.model.sunspec import scan
from modbus_connection.tmodbus import ModbusConnection

_MODELS = frozenset((*range(101, 104), *range(111, 114), 160, *range(201, 205), *range(211, 215)))
_MOST_REGISTERS = 125


async def _cpu_ms(host: str, port: int, polls: int) -> float:
    connection = ModbusConnection(ModbusTcpParams(host=host, port=port))
    await connection.connect()
    try:
        unit = connection.for_unit(1)
        blocks = await _blocks(unit)
        before = time.process_time()
        for _ in range(polls):
            for address, count in blocks:
                await unit.read_holding_registers(address, count)
        return 1000 * (time.process_time() - before) / polls
    finally:
        await connection.close()


async def _blocks(unit: ModbusUnit) -> list[tuple[int, int]]:
    """Return the registers of the models that are measured, in as few requests as can be."""
    models = (await scan(unit, 40_000)).chain
    return [
        (address, min(_MOST_REGISTERS, model.address + model.span - address))
        for model in models
        if model.model_id in _MODELS
        for address in range(model.address, model.address + model.span, _MOST_REGISTERS)
    ]


async def floor_ms(host: str, port: int, polls: int) -> float:
    """Run the program, and give the CPU of a poll in ms."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.bench.registers", host, str(port), str(polls)),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _nothing = await process.communicate()
    if process.returncode:
        raise RuntimeError("The registers were not read.")
    return float(printed)


if __name__ == "__main__":
    host, port, polls = sys.argv[1:]
    print(asyncio.run(_cpu_ms(host, int(port), int(polls))))
