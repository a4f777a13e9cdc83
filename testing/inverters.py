"""Inverters that were put in lately, and readers of them: modbus-connection, as core reads.

Its generator makes the components from the published definitions.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from typing import Any

from modbus_connection import ModbusTcpParams, ModbusUnit
from modbus_connection.mock import MockModbusConnection
from modbus_connection.model.sunspec import SunSpecComponent, scan
from modbus_connection.model.sunspec.generate import generate_source
from modbus_connection.tmodbus import ModbusConnection

from demo.inverter import PROFILES, Image, Inverter, VirtualInverter
from demo.inverter.sunspec import DEFINITIONS
from packages.tic.tests.meters import NIGHT, NOON, ORIGIN, unix
from testing.run import DEADLINE_S

__all__ = ["NIGHT", "NOON", "unix"]

BASE = 40_000


def inverter(name: str = "home", *, seed: int = 1) -> Inverter:
    return Inverter(PROFILES[name], seed=seed, origin=ORIGIN)


def virtual(name: str = "home", at: datetime = NOON) -> VirtualInverter:
    """Return an inverter for which time stands still."""
    return VirtualInverter(inverter(name), start=at.timestamp(), speed=0)


@cache
def component_class(model_id: int) -> type[SunSpecComponent]:
    room: dict[str, Any] = {}
    exec(generate_source([DEFINITIONS[model_id]]), room)
    (made,) = (
        thing
        for thing in room.values()
        if isinstance(thing, type)
        and issubclass(thing, SunSpecComponent)
        and thing is not SunSpecComponent
    )
    return made


async def read(unit: ModbusUnit, base: int = BASE) -> Sequence[Any]:
    """Scan a unit and read all of its models, in the order of the map."""
    components = []
    for model in (await scan(unit, base)).chain:
        component = component_class(model.model_id)(unit, model)
        await component.async_update()
        components.append(component)
    return components


async def decoded(image: Image) -> Sequence[Any]:
    """Read an image without a wire."""
    unit = MockModbusConnection().for_unit(1)
    unit.holding.update(image.registers)
    return await read(unit)


async def model(image: Image, model_id: int) -> Any:
    """Read one model of an image: the last with that number."""
    return next(c for c in reversed(await decoded(image)) if c.model_id == model_id)


@asynccontextmanager
async def connection(
    served: VirtualInverter, timeout: float = DEADLINE_S
) -> AsyncIterator[ModbusConnection]:
    params = ModbusTcpParams(host=served.host, port=served.port)
    connection = ModbusConnection(params, timeout=timeout)
    try:
        yield connection
    finally:
        await connection.close()
