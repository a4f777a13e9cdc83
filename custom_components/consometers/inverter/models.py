"""SunSpec's models, as far as a household needs them, and the meaning of their points.

An address counts from the model's header. Source: github.com/sunspec/models.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from math import isfinite
from typing import Final, override

from modbus_connection.model import Component, FloatField, repeating_group
from modbus_connection.model.sunspec import (
    SunSpecComponent,
    acc32,
    enum16,
    int16,
    int32,
    string,
    uint16,
    uint32,
    uint64,
)

from .readings import (
    Battery,
    Charging,
    Identity,
    Meter,
    Operating,
    Phases,
    Production,
    PvString,
    Rating,
)

COMMON: Final = 1
NAMEPLATE: Final = 120
SETTINGS: Final = 121
STRINGS: Final = 160
CAPACITY: Final = 702
STORAGE: Final = 802

MODULES_AT: Final = 10
MODULE_SPAN: Final = 20
"""Where the modules of model 160 begin, and what each takes."""


class _Float(FloatField):
    """A float32 without the digits that nobody measured; what is no number is not known."""

    @override
    def decode(self, words: list[int], scale_exponent: int | None = None) -> float | None:
        value: float | None = super().decode(words, scale_exponent)
        return None if value is None or not isfinite(value) else round(value, 2)


class CommonModel(SunSpecComponent):
    """Model 1."""

    maker = string(2, 16)
    model = string(18, 16)
    version = string(42, 8)
    serial = string(50, 16)

    def value(self) -> Identity:
        return Identity(
            maker=(self.maker or "").strip(),
            model=(self.model or "").strip(),
            version=(self.version or "").strip(),
            serial=(self.serial or "").strip(),
        )


class IntegerInverter(SunSpecComponent):
    """Models 101 to 103."""

    current_1_a = uint16(3, scale_register=6)
    current_2_a = uint16(4, scale_register=6)
    current_3_a = uint16(5, scale_register=6)
    voltage_1_v = uint16(10, scale_register=13)
    voltage_2_v = uint16(11, scale_register=13)
    voltage_3_v = uint16(12, scale_register=13)
    power_w = int16(14, scale_register=15)
    frequency_hz = uint16(16, scale_register=17)
    apparent_power_va = int16(18, scale_register=19)
    energy_wh = acc32(24, scale_register=26)
    dc_power_w = int16(31, scale_register=32)
    cabinet_c = int16(33, scale_register=37)
    sink_c = int16(34, scale_register=37)
    transformer_c = int16(35, scale_register=37)
    other_c = int16(36, scale_register=37)
    operating = enum16(38)

    def value(self) -> Production:
        return _production(self, _nth(Operating, self.operating, 1))


class FloatInverter(SunSpecComponent):
    """Models 111 to 113."""

    current_1_a = _Float(4, count=2)
    current_2_a = _Float(6, count=2)
    current_3_a = _Float(8, count=2)
    voltage_1_v = _Float(16, count=2)
    voltage_2_v = _Float(18, count=2)
    voltage_3_v = _Float(20, count=2)
    power_w = _Float(22, count=2)
    frequency_hz = _Float(24, count=2)
    apparent_power_va = _Float(26, count=2)
    energy_wh = _Float(32, count=2)
    dc_power_w = _Float(38, count=2)
    cabinet_c = _Float(40, count=2)
    sink_c = _Float(42, count=2)
    transformer_c = _Float(44, count=2)
    other_c = _Float(46, count=2)
    operating = enum16(48)

    def value(self) -> Production:
        return _production(self, _nth(Operating, self.operating, 1))


class DerInverter(SunSpecComponent):
    """Model 701, which counts the same states from zero, and has nothing of the DC side."""

    wiring = enum16(2)
    operating = enum16(4)
    power_w = int16(10, scale_register=116)
    apparent_power_va = int16(11, scale_register=118)
    frequency_hz = uint32(17, scale_register=115)
    energy_wh = uint64(19, scale_register=120)
    cabinet_c = int16(36, scale_register=122)
    sink_c = int16(37, scale_register=122)
    transformer_c = int16(38, scale_register=122)
    other_c = int16(40, scale_register=122)
    current_1_a = int16(45, scale_register=113)
    voltage_1_v = uint16(47, scale_register=114)
    current_2_a = int16(68, scale_register=113)
    voltage_2_v = uint16(70, scale_register=114)
    current_3_a = int16(91, scale_register=113)
    voltage_3_v = uint16(93, scale_register=114)
    dc_power_w = None

    def value(self) -> Production:
        return _production(self, _nth(Operating, self.operating, 0))


class NameplateModel(SunSpecComponent):
    """Model 120."""

    rating_w = uint16(3, scale_register=4)

    def value(self) -> Rating:
        return Rating(rating_w=self.rating_w)


class SettingsModel(SunSpecComponent):
    """Model 121."""

    limit_w = uint16(2, scale_register=22)

    def value(self) -> Rating:
        return Rating(limit_w=self.limit_w)


class CapacityModel(SunSpecComponent):
    """Model 702."""

    rating_w = uint16(2, scale_register=45)
    limit_w = uint16(26, scale_register=45)

    def value(self) -> Rating:
        return Rating(rating_w=self.rating_w, limit_w=self.limit_w)


class StringModule(Component):
    """One module of model 160; its scale factors are the model's."""

    current_a = uint16(19, scale_register=2)
    voltage_v = uint16(20, scale_register=3)
    power_w = uint16(21, scale_register=4)
    energy_wh = acc32(22, scale_register=5)

    def value(self) -> PvString:
        return PvString(
            power_w=self.power_w,
            current_a=self.current_a,
            voltage_v=self.voltage_v,
            energy_wh=self.energy_wh,
        )


class StringsModel(SunSpecComponent):
    """Model 160, without its modules: `strings_model` has those for which there is room."""

    count = uint16(8)
    modules: Sequence[StringModule] = ()

    def value(self) -> tuple[PvString, ...]:
        return tuple(module.value() for module in self.modules[: int(self.count or 0)])


@cache
def strings_model(length: int) -> type[StringsModel]:
    """Return model 160 of a length. Further modules that it claims belong to another model."""

    class SizedStringsModel(StringsModel):
        modules = repeating_group(
            max(0, length - MODULES_AT + 2) // MODULE_SPAN, StringModule, stride=MODULE_SPAN
        )

    return SizedStringsModel


class IntegerMeter(SunSpecComponent):
    """Models 201 to 204."""

    current_1_a = int16(3, scale_register=6)
    current_2_a = int16(4, scale_register=6)
    current_3_a = int16(5, scale_register=6)
    voltage_1_v = int16(8, scale_register=15)
    voltage_2_v = int16(9, scale_register=15)
    voltage_3_v = int16(10, scale_register=15)
    frequency_hz = int16(16, scale_register=17)
    power_w = int16(18, scale_register=22)
    power_1_w = int16(19, scale_register=22)
    power_2_w = int16(20, scale_register=22)
    power_3_w = int16(21, scale_register=22)
    exported_wh = int32(38, scale_register=54)
    imported_wh = int32(46, scale_register=54)

    def value(self) -> Meter:
        return _meter(self)


class FloatMeter(SunSpecComponent):
    """Models 211 to 214."""

    current_1_a = _Float(4, count=2)
    current_2_a = _Float(6, count=2)
    current_3_a = _Float(8, count=2)
    voltage_1_v = _Float(12, count=2)
    voltage_2_v = _Float(14, count=2)
    voltage_3_v = _Float(16, count=2)
    frequency_hz = _Float(26, count=2)
    power_w = _Float(28, count=2)
    power_1_w = _Float(30, count=2)
    power_2_w = _Float(32, count=2)
    power_3_w = _Float(34, count=2)
    exported_wh = _Float(60, count=2)
    imported_wh = _Float(68, count=2)

    def value(self) -> Meter:
        return _meter(self)


class StorageModel(SunSpecComponent):
    """Model 802."""

    capacity_wh = uint16(3, scale_register=53)
    charge_percent = uint16(11, scale_register=56)
    health_percent = uint16(13, scale_register=58)
    charging = enum16(16)
    voltage_v = uint16(34, scale_register=59)
    power_w = int16(47, scale_register=63)

    def value(self) -> Battery:
        return Battery(
            charge_percent=self.charge_percent,
            health_percent=self.health_percent,
            power_w=self.power_w,
            voltage_v=self.voltage_v,
            capacity_wh=self.capacity_wh,
            charging=_nth(Charging, self.charging, 1),
        )


type InverterModel = IntegerInverter | FloatInverter | DerInverter
type MeterModel = IntegerMeter | FloatMeter

INVERTERS: Final[dict[int, type[InverterModel]]] = {
    103: IntegerInverter,
    102: IntegerInverter,
    101: IntegerInverter,
    113: FloatInverter,
    112: FloatInverter,
    111: FloatInverter,
    701: DerInverter,
}
"""Preferred models first: integers count energy to the Wh, however large it is."""

METERS: Final[dict[int, type[MeterModel]]] = {
    **dict.fromkeys((201, 202, 203, 204), IntegerMeter),
    **dict.fromkeys((211, 212, 213, 214), FloatMeter),
}


def phases(model_id: int, inverter: InverterModel) -> int:
    """Return how many phases an inverter feeds: the number of its model does, or its wiring."""
    return (inverter.wiring or 0) + 1 if isinstance(inverter, DerInverter) else model_id % 10


def _production(inverter: InverterModel, operating: Operating | None) -> Production:
    temperatures = (
        inverter.cabinet_c,
        inverter.sink_c,
        inverter.transformer_c,
        inverter.other_c,
    )
    return Production(
        power_w=inverter.power_w,
        apparent_power_va=inverter.apparent_power_va,
        energy_wh=inverter.energy_wh,
        frequency_hz=inverter.frequency_hz,
        currents_a=_currents(inverter),
        voltages_v=_voltages(inverter),
        dc_power_w=inverter.dc_power_w,
        temperature_c=next((each for each in temperatures if each is not None), None),
        operating=operating,
    )


def _meter(meter: MeterModel) -> Meter:
    return Meter(
        # One, two of a split phase, or three, as a star or a delta.
        phases=min(int(meter.model_id or 0) % 10, 3),
        power_w=meter.power_w,
        frequency_hz=meter.frequency_hz,
        currents_a=_currents(meter),
        voltages_v=_voltages(meter),
        powers_w=(meter.power_1_w, meter.power_2_w, meter.power_3_w),
        imported_wh=_counted(meter.imported_wh),
        exported_wh=_counted(meter.exported_wh),
    )


def _counted(energy_wh: float | None) -> float | None:
    """Return a meter's energy: Kostal's writes exports as negative."""
    return None if energy_wh is None else abs(energy_wh) or None


def _currents(model: InverterModel | MeterModel) -> Phases:
    return model.current_1_a, model.current_2_a, model.current_3_a


def _voltages(model: InverterModel | MeterModel) -> Phases:
    return model.voltage_1_v, model.voltage_2_v, model.voltage_3_v


def _nth[E: StrEnum](kinds: type[E], number: int | None, first: int) -> E | None:
    choices = list(kinds)
    if number is None or not first <= number < first + len(choices):
        return None
    return choices[number - first]
