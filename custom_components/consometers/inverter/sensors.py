"""The sensors of an inverter, one line of the table per fact. `entity.py` makes them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfTemperature,
)
from homeassistant.helpers.typing import StateType

from .readings import Battery, Charging, Meter, Operating, Phases, PvString, Reading
from .state import InverterState

MOST_STRINGS: Final = 16
MOST_METERS: Final = 3

type ValueFn = Callable[[InverterState], StateType]


@dataclass(frozen=True, kw_only=True)
class InverterSensorDescription(SensorEntityDescription):
    """Describes a sensor of an inverter, or of a part that is wired to it.

    One is made once its value is known. What is `lasting` holds while the inverter sleeps too;
    what is `made` is zero then.
    It shows no more digits than a person would read, as each change is written to the database.
    """

    value_fn: ValueFn
    digits: int = 0
    part: str | None = None
    lasting: bool = False
    made: bool = False

    def value(self, state: InverterState) -> StateType:
        value = self.value_fn(state)
        if self.made and state.operating is Operating.SLEEPING and not (state.awake and value):
            return 0
        return round(value, self.digits or None) if isinstance(value, float) else value


_sensor = partial(InverterSensorDescription, state_class=SensorStateClass.MEASUREMENT)
_power = partial(
    _sensor,
    device_class=SensorDeviceClass.POWER,
    native_unit_of_measurement=UnitOfPower.WATT,
    suggested_display_precision=0,
)
_energy = partial(
    InverterSensorDescription,
    device_class=SensorDeviceClass.ENERGY,
    state_class=SensorStateClass.TOTAL_INCREASING,
    native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
    suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=2,
    lasting=True,
)
_current = partial(
    _sensor,
    device_class=SensorDeviceClass.CURRENT,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    suggested_display_precision=1,
    digits=1,
)
_voltage = partial(
    _sensor,
    device_class=SensorDeviceClass.VOLTAGE,
    native_unit_of_measurement=UnitOfElectricPotential.VOLT,
    suggested_display_precision=1,
    digits=1,
)
_frequency = partial(
    _sensor,
    translation_key="frequency",
    device_class=SensorDeviceClass.FREQUENCY,
    native_unit_of_measurement=UnitOfFrequency.HERTZ,
    suggested_display_precision=2,
    digits=2,
    entity_registry_enabled_default=False,
)


def sensors() -> Iterator[InverterSensorDescription]:
    """Yield the sensors that an inverter can have."""
    yield from _inverter()
    yield from _nameplate()
    for number in range(1, MOST_STRINGS + 1):
        yield from _string(number)
    for number in range(1, MOST_METERS + 1):
        yield from _meter(number)
    yield from _battery()


def _inverter() -> Iterator[InverterSensorDescription]:
    yield _power(
        key="power",
        translation_key="production_power",
        made=True,
        value_fn=_read(lambda reading: reading.production.power_w),
    )
    yield _energy(key="energy", translation_key="production_energy", value_fn=_counted("energy"))
    yield _sensor(
        key="apparent_power",
        device_class=SensorDeviceClass.APPARENT_POWER,
        native_unit_of_measurement=UnitOfApparentPower.VOLT_AMPERE,
        suggested_display_precision=0,
        entity_registry_enabled_default=False,
        value_fn=_read(lambda reading: reading.production.apparent_power_va),
    )
    yield _power(
        key="dc_power",
        made=True,
        entity_registry_enabled_default=False,
        value_fn=_read(lambda reading: reading.production.dc_power_w),
    )
    yield from _phases(
        None,
        lambda reading: reading.phases,
        lambda reading: reading.production.currents_a,
        lambda reading: reading.production.voltages_v,
    )
    yield _frequency(
        key="frequency", value_fn=_read(lambda reading: reading.production.frequency_hz)
    )
    yield _sensor(
        key="temperature",
        translation_key="inverter_temperature",
        device_class=SensorDeviceClass.TEMPERATURE,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_read(lambda reading: reading.production.temperature_c),
    )
    yield InverterSensorDescription(
        key="operating",
        device_class=SensorDeviceClass.ENUM,
        options=list(Operating),
        lasting=True,
        value_fn=lambda state: state.operating,
    )


def _nameplate() -> Iterator[InverterSensorDescription]:
    nameplate = partial(
        InverterSensorDescription,
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        lasting=True,
    )
    yield nameplate(
        key="rating",
        translation_key="rated_power",
        value_fn=_read(lambda reading: reading.rating_w),
    )
    yield nameplate(
        key="limit",
        translation_key="power_limit",
        value_fn=_read(lambda reading: reading.limit_w),
    )


def _string(number: int) -> Iterator[InverterSensorDescription]:
    string_value = partial(_of_string, number - 1)
    place = {"string": str(number)}
    yield _power(
        key=f"string_{number}_power",
        translation_key="string_power",
        made=True,
        translation_placeholders=place,
        value_fn=string_value(lambda string: string.power_w),
    )
    yield _energy(
        key=f"string_{number}_energy",
        translation_key="string_energy",
        translation_placeholders=place,
        entity_registry_enabled_default=False,
        value_fn=_counted(f"string_{number}_energy"),
    )
    yield _current(
        key=f"string_{number}_current",
        translation_key="string_current",
        translation_placeholders=place,
        entity_registry_enabled_default=False,
        value_fn=string_value(lambda string: string.current_a),
    )
    yield _voltage(
        key=f"string_{number}_voltage",
        translation_key="string_voltage",
        translation_placeholders=place,
        entity_registry_enabled_default=False,
        value_fn=string_value(lambda string: string.voltage_v),
    )


def _meter(number: int) -> Iterator[InverterSensorDescription]:
    meter_value, part = partial(_of_meter, number - 1), f"meter_{number}"
    yield _power(
        key=f"{part}_power",
        translation_key="meter_power",
        part=part,
        value_fn=_read(meter_value(lambda meter: meter.power_w)),
    )
    for way in ("imported", "exported"):
        key = f"{part}_{way}"
        yield _energy(key=key, translation_key=f"meter_{way}", part=part, value_fn=_counted(key))
    phases = meter_value(lambda meter: meter.phases)
    yield from _phases(
        part,
        phases,
        meter_value(lambda meter: meter.currents_a),
        meter_value(lambda meter: meter.voltages_v),
    )
    for phase in (1, 2, 3):
        yield _power(
            key=f"{part}_power_{phase}",
            translation_key="meter_power_phase",
            translation_placeholders={"phase": str(phase)},
            part=part,
            entity_registry_enabled_default=False,
            value_fn=_of_phase(
                phase, phases, meter_value(lambda meter: meter.powers_w), several=True
            ),
        )
    yield _frequency(
        key=f"{part}_frequency",
        part=part,
        value_fn=_read(meter_value(lambda meter: meter.frequency_hz)),
    )


def _battery() -> Iterator[InverterSensorDescription]:
    yield _sensor(
        key="battery_charge",
        device_class=SensorDeviceClass.BATTERY,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        part="battery",
        value_fn=_of_battery(lambda battery: battery.charge_percent),
    )
    yield _sensor(
        key="battery_health",
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        part="battery",
        value_fn=_of_battery(lambda battery: battery.health_percent),
    )
    yield _power(
        key="battery_power",
        part="battery",
        value_fn=_of_battery(lambda battery: battery.power_w),
    )
    yield _voltage(
        key="battery_voltage",
        translation_key="voltage",
        part="battery",
        entity_registry_enabled_default=False,
        value_fn=_of_battery(lambda battery: battery.voltage_v),
    )
    yield InverterSensorDescription(
        key="battery_capacity",
        device_class=SensorDeviceClass.ENERGY_STORAGE,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        part="battery",
        value_fn=_of_battery(lambda battery: battery.capacity_wh),
    )
    yield InverterSensorDescription(
        key="battery_state",
        device_class=SensorDeviceClass.ENUM,
        options=list(Charging),
        part="battery",
        value_fn=_of_battery(lambda battery: battery.charging),
    )


def _phases(
    part: str | None,
    phases: Callable[[Reading], int | None],
    currents: Callable[[Reading], Phases | None],
    voltages: Callable[[Reading], Phases | None],
) -> Iterator[InverterSensorDescription]:
    """Yield current and voltage: of the one phase there is, or of each of several."""
    prefix = "" if part is None else f"{part}_"
    for describe, quantity, values in (
        (_current, "current", currents),
        (_voltage, "voltage", voltages),
    ):
        sensor = partial(describe, part=part, entity_registry_enabled_default=False)
        yield sensor(
            key=f"{prefix}{quantity}",
            translation_key=quantity,
            value_fn=_of_phase(1, phases, values, several=False),
        )
        for phase in (1, 2, 3):
            yield sensor(
                key=f"{prefix}{quantity}_{phase}",
                translation_key=f"{quantity}_phase",
                translation_placeholders={"phase": str(phase)},
                value_fn=_of_phase(phase, phases, values, several=True),
            )


def _read(value: Callable[[Reading], StateType]) -> ValueFn:
    return lambda state: None if state.reading is None else value(state.reading)


def _counted(name: str) -> ValueFn:
    return lambda state: state.total_wh(name)


def _of_phase(
    phase: int,
    phases: Callable[[Reading], int | None],
    values: Callable[[Reading], Phases | None],
    *,
    several: bool,
) -> ValueFn:
    def value(reading: Reading) -> float | None:
        of_phases = values(reading)
        fits = ((phases(reading) or 1) > 1) is several
        return of_phases[phase - 1] if fits and of_phases is not None else None

    return _read(value)


def _of_string(index: int, value: Callable[[PvString], float | None]) -> ValueFn:
    return _read(
        lambda reading: value(reading.strings[index]) if index < len(reading.strings) else None
    )


def _of_meter[T](index: int, value: Callable[[Meter], T]) -> Callable[[Reading], T | None]:
    def of_reading(reading: Reading) -> T | None:
        meter = reading.meters[index] if index < len(reading.meters) else None
        return None if meter is None else value(meter)

    return of_reading


def _of_battery(value: Callable[[Battery], StateType]) -> ValueFn:
    return _read(lambda reading: None if reading.battery is None else value(reading.battery))
