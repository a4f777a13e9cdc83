"""The way to an inverter: finds its map of models, reads it. It never writes."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
import logging
from typing import Any, Final, Literal, Protocol

from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT
from modbus_connection import (
    GatewayPathUnavailableError,
    GatewayTargetError,
    ModbusConnectionError,
    ModbusError,
    ModbusExceptionError,
    ModbusSerialParams,
    ModbusTcpParams,
    ModbusTimeoutError,
    ModbusUnit,
    ServerDeviceBusyError,
)
from modbus_connection.model.sunspec import (
    SunSpecComponent,
    SunSpecError,
    SunSpecModel,
    SunSpecModels,
    scan,
)
import serialx
from serialx.common import UnknownUriScheme

from ..const import CONF_BAUDRATE, CONF_FRAMING, CONF_UNIT_ID
from ..ports import shown
from ..tic.link import LinkError, PortBusy, not_opened
from .models import (
    CAPACITY,
    COMMON,
    INVERTERS,
    METERS,
    MODULE_SPAN,
    MODULES_AT,
    NAMEPLATE,
    SETTINGS,
    STORAGE,
    STRINGS,
    CapacityModel,
    CommonModel,
    DerInverter,
    InverterModel,
    MeterModel,
    NameplateModel,
    SettingsModel,
    StorageModel,
    StringsModel,
    phases,
    strings_model,
)
from .readings import Identity, Reading

_LOGGER = logging.getLogger(__name__)

BASES: Final = (40_000, 50_000, 0)
"""Where a map may begin, first where most do. Source: SunSpec Device Information Model §3.1."""

FRAMINGS: Final[dict[str, tuple[Literal["N", "E", "O"], Literal[1, 2]]]] = {
    "8N1": ("N", 1),
    "8E1": ("E", 1),
    "8O1": ("O", 1),
    "8N2": ("N", 2),
}
"""Parity and stop bits, by their name."""

_MOST_REGISTERS: Final = 125
_HIDDEN: Final = 0x5858  # "XX"
_READ: Final = frozenset(
    (COMMON, NAMEPLATE, SETTINGS, STRINGS, CAPACITY, STORAGE, *INVERTERS, *METERS)
)
"""Models whose contents we know."""
_PAUSES_S: Final = (0.1, 0.3, 0.6)
"""A port that was let go a moment ago may be held still: Home Assistant 2026.9 closes it later."""
_FAILURES: Final = (ModbusError, OSError, serialx.SerialException)
"""Exceptions of a unit. A port that goes away while it is open is no error of Modbus."""


class NoAnswer(LinkError):
    """Nothing answers at the address, or not in time."""

    key = "no_answer"


class NoAnswerOnLine(NoAnswer):
    """Nobody on the serial line answers, or not in time."""

    key = "no_answer_on_line"


class PortTaken(LinkError):
    """A meter of ours is read from the port."""

    key = "port_taken"


class NoSuchUnit(LinkError):
    """A gateway answers that the unit does not."""

    key = "no_such_unit"


class NotSunSpec(LinkError):
    """A device answers, and has no SunSpec map."""

    key = "not_sunspec"


class NoInverter(LinkError):
    """The map has no inverter in it."""

    key = "no_inverter"


class OtherInverter(LinkError):
    """It is not the one that the entry was made for."""

    key = "other_inverter"


class LinkInUse(LinkError):
    """Somebody speaks to the host or on the line with other settings."""

    key = "link_in_use"


def on_a_line(data: Mapping[str, Any]) -> bool:
    """Return whether an inverter is on a serial line, and not on the network."""
    return CONF_DEVICE in data


def parameters(data: Mapping[str, Any]) -> ModbusTcpParams | ModbusSerialParams:
    """Return what core shares a connection by."""
    if not on_a_line(data):
        return ModbusTcpParams(host=data[CONF_HOST], port=data[CONF_PORT])
    parity, stopbits = FRAMINGS[data[CONF_FRAMING]]
    return ModbusSerialParams(
        device=data[CONF_DEVICE],
        baudrate=data[CONF_BAUDRATE],
        parity=parity,
        stopbits=stopbits,
    )


def place(data: Mapping[str, Any]) -> str:
    """Return where an inverter is, without secrets."""
    return shown(data[CONF_DEVICE]) if on_a_line(data) else str(data[CONF_HOST])


def unique_id(identity: Identity, data: Mapping[str, Any]) -> str:
    """Name an inverter by its maker and serial number, or else by where it is."""
    if identity.serial:
        return f"sunspec:{identity.maker}:{identity.serial}"
    at = data[CONF_DEVICE] if on_a_line(data) else f"{data[CONF_HOST]}:{data[CONF_PORT]}"
    return f"sunspec:{at}:{data[CONF_UNIT_ID]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """The detected models, as components that read themselves."""

    base: int
    models: Sequence[SunSpecModel]
    identity: Identity
    phases: int
    rating_w: float | None
    limit_w: float | None
    inverter: InverterModel
    strings: StringsModel | None
    meters: tuple[MeterModel, ...]
    battery: StorageModel | None


class _Valued[V](Protocol):
    """A model that reads itself."""

    async def async_update(self) -> None: ...

    def value(self) -> V: ...


class Link:
    """Reads one unit. Its map is looked up again after anything went wrong."""

    def __init__(
        self, unit: ModbusUnit, bases: Sequence[int] = BASES, *, on_a_line: bool = False
    ) -> None:
        """Store the address, and where its map may begin."""
        self._unit = unit
        self._bases = bases
        self._meant = _meant_on_a_line if on_a_line else _meant
        self._map: Map | None = None
        self._mute: set[type] = set()
        """Models that are in the map and do not answer."""

    async def find(self) -> Map:
        """Find the map, or return the known one. Raises LinkError."""
        for pause_s in _PAUSES_S:
            try:
                return await self._sought()
            except PortBusy:
                await asyncio.sleep(pause_s)
        return await self._sought()

    async def _sought(self) -> Map:
        if self._map is None:
            try:
                self._map = await self._find()
            except _FAILURES as error:
                raise self._meant(error) from error
        return self._map

    async def read(self) -> Reading:
        """Read all measures. Raises LinkError."""
        inverter_map = await self.find()
        try:
            return await self._read(inverter_map)
        except _FAILURES as error:
            self._map = None
            raise self._meant(error) from error
        except SunSpecError as error:
            self._map = None
            raise NotSunSpec from error

    def forget(self) -> None:
        """Look the map up again next time."""
        self._map = None

    async def image(self) -> dict[str, dict[str, list[int]]]:
        """Read the raw registers of the map, without those that identify the device.

        Of models that we know nothing of, there is the header: they may hold a name, an address.
        So it is for those that are in the map and are refused.

        Raises:
            LinkError: it does not answer.
        """
        inverter_map = await self.find()
        registers = {str(inverter_map.base): [0x5375, 0x6E53]}
        try:
            for model in inverter_map.models:
                registers[str(model.address)] = await self._words(model)
        except _FAILURES as error:
            raise self._meant(error) from error
        end = inverter_map.models[-1]
        registers[str(end.address + end.span)] = [0xFFFF, 0]
        return {"holding": registers}

    async def _find(self) -> Map:
        base, models = await self._scan()
        try:
            return await self._map_of(base, models)
        except SunSpecError as error:
            raise NotSunSpec from error

    async def _scan(self) -> tuple[int, SunSpecModels]:
        failure: ModbusError | SunSpecError | None = None
        for base in self._bases:
            try:
                return base, await scan(self._unit, base)
            except ModbusConnectionError, GatewayTargetError, GatewayPathUnavailableError:
                raise
            except SunSpecError as error:
                failure = error
            except ModbusError as error:
                failure = failure or error
        if isinstance(failure, ModbusTimeoutError):
            raise failure
        raise NotSunSpec from failure

    async def _map_of(self, base: int, models: SunSpecModels) -> Map:
        unit = self._unit
        common, model = models.first(COMMON), models.first(*INVERTERS)
        if common is None or model is None:
            raise NoInverter
        who = CommonModel(unit, common)
        await who.async_update()
        inverter = INVERTERS[model.model_id](unit, model)
        await inverter.async_update()
        values = [
            await self._optional(_component(unit, NameplateModel, models.first(NAMEPLATE))),
            await self._optional(_component(unit, SettingsModel, models.first(SETTINGS))),
            await self._optional(_component(unit, CapacityModel, models.first(CAPACITY))),
        ]
        ratings = [rating for rating in values if rating is not None]
        return Map(
            base=base,
            models=models.chain,
            identity=who.value(),
            phases=phases(model.model_id, inverter),
            rating_w=next((r.rating_w for r in ratings if r.rating_w), None),
            limit_w=next((r.limit_w for r in ratings if r.limit_w), None),
            inverter=inverter,
            strings=_strings(unit, models.first(STRINGS)),
            meters=tuple(
                METERS[each.model_id](unit, each)
                for each in models.chain
                if each.model_id in METERS
            ),
            battery=_component(unit, StorageModel, models.first(STORAGE)),
        )

    async def _read(self, inverter_map: Map) -> Reading:
        await inverter_map.inverter.async_update()
        return Reading(
            phases=inverter_map.phases,
            rating_w=inverter_map.rating_w,
            limit_w=inverter_map.limit_w,
            production=inverter_map.inverter.value(),
            strings=await self._optional(inverter_map.strings) or (),
            meters=tuple([await self._optional(meter) for meter in inverter_map.meters]),
            battery=await self._optional(inverter_map.battery),
        )

    async def _optional[V](self, component: _Valued[V] | None) -> V | None:
        """Read an optional value; None if it has none.

        Raises:
            ModbusConnectionError, ModbusTimeoutError: nobody is there any more.
            SunSpecMapShiftError: it stands elsewhere now.
        """
        if component is None:
            return None
        try:
            await component.async_update()
        except ModbusConnectionError, ModbusTimeoutError:
            raise
        except ModbusError as error:
            if type(component) not in self._mute:
                # It answered before: perhaps it stands elsewhere now.
                _LOGGER.debug("%s is not answered: %s", type(component).__name__, error)
                self._mute.add(type(component))
                self._map = None
            return None
        self._mute.discard(type(component))
        return component.value()

    async def _words(self, model: SunSpecModel) -> list[int]:
        if model.model_id not in _READ:
            return [model.model_id, model.length]
        words: list[int] = []
        while len(words) < model.span:
            count = min(_MOST_REGISTERS, model.span - len(words))
            at = model.address + len(words)
            try:
                words += await self._unit.read_holding_registers(at, count)
            except ModbusExceptionError:
                return [model.model_id, model.length]
        for start, count in _identifying(model):
            hidden = words[start : start + count]
            words[start : start + count] = [_HIDDEN] * len(hidden)
        return words


def _component[C: SunSpecComponent](
    unit: ModbusUnit, component: type[C], model: SunSpecModel | None
) -> C | None:
    return None if model is None else component(unit, model)


def _strings(unit: ModbusUnit, model: SunSpecModel | None) -> StringsModel | None:
    return None if model is None else strings_model(model.length)(unit, model)


def _identifying(model: SunSpecModel) -> Iterator[tuple[int, int]]:
    """Yield where serial numbers stand, names that people gave to strings, and free text."""
    if model.model_id == COMMON:
        yield 50, 16
    elif model.model_id == STRINGS:
        for start in range(MODULES_AT, model.span, MODULE_SPAN):
            yield start + 1, 8
    elif INVERTERS.get(model.model_id) is DerInverter:
        yield 123, 32


def _meant_on_a_line(error: Exception) -> LinkError:
    meant = _meant(error)
    if not isinstance(meant, NoAnswer):
        return meant
    return _not_opened(error) or NoAnswerOnLine()


def _not_opened(error: Exception) -> LinkError | None:
    """Return the reason why a port could not be opened, if that is what happened."""
    if not isinstance(error, ModbusConnectionError):
        return None
    for cause in _causes(error):
        if isinstance(cause, OSError | ValueError | UnknownUriScheme):
            return not_opened(cause)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _meant(error: Exception) -> LinkError:
    if isinstance(error, GatewayTargetError | GatewayPathUnavailableError):
        return NoSuchUnit()
    if isinstance(error, ModbusExceptionError) and not isinstance(error, ServerDeviceBusyError):
        return NotSunSpec()
    return NoAnswer()
