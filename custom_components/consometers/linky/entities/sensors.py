"""The sensors of a meter, one line of the table per fact. `entity.py` makes entities of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

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
    UnitOfPower,
    UnitOfReactiveEnergy,
    UnitOfTime,
)
from homeassistant.helpers.typing import StateType

from ...tic import CATALOGUE, LABELS, Breaker, Colour, Euridis, Kind, Mode, PowerLine, Status
from ..pacing import Pace
from ..prices import PRICE
from ..state import LinkyState

type ValueFn = Callable[[LinkyState], StateType | datetime]

_MAX_STATE = 255


def _is_known(value_fn: ValueFn) -> Callable[[LinkyState], bool]:
    return lambda state: value_fn(state) is not None


@dataclass(frozen=True, kw_only=True)
class LinkySensorDescription(SensorEntityDescription):
    """Describes a sensor: what it shows, from when on it exists, and at what pace it is written.

    It exists from the moment on when its value is first known, unless `exists_fn` says otherwise.
    `attributes` are what else is known of the value, by name: such as the `time` that it is of.
    `register` names the index of the supplier whose tariff it is named after; `on_production` is
    its name on a meter of production.
    """

    value_fn: ValueFn
    exists_fn: Callable[[LinkyState], bool] | None = None
    attributes: Mapping[str, ValueFn] = field(default_factory=dict)
    pace: Pace = Pace.CHANGE
    register: str | None = None
    on_production: str | None = None

    def exists(self, state: LinkyState) -> bool:
        """Return whether the meter has such a fact."""
        return (self.exists_fn or _is_known(self.value_fn))(state)


_energy = partial(
    LinkySensorDescription,
    device_class=SensorDeviceClass.ENERGY,
    state_class=SensorStateClass.TOTAL_INCREASING,
    native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
    suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=2,
    pace=Pace.REGISTER,
)
_apparent_power = partial(
    LinkySensorDescription,
    device_class=SensorDeviceClass.APPARENT_POWER,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfApparentPower.VOLT_AMPERE,
    pace=Pace.POWER,
)
_power = partial(
    LinkySensorDescription,
    device_class=SensorDeviceClass.POWER,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfPower.WATT,
    pace=Pace.POWER,
)
_current = partial(
    LinkySensorDescription,
    device_class=SensorDeviceClass.CURRENT,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    suggested_display_precision=0,
    pace=Pace.POWER,
)
_voltage = partial(
    LinkySensorDescription,
    device_class=SensorDeviceClass.VOLTAGE,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfElectricPotential.VOLT,
    pace=Pace.REGISTER,
)
_diagnostic = partial(LinkySensorDescription, entity_category=EntityCategory.DIAGNOSTIC)
_hidden = partial(_diagnostic, entity_registry_enabled_default=False)


def sensors() -> Iterator[LinkySensorDescription]:
    """Yield the sensors that a meter can have, whatever its mode and its phases."""
    yield from _registers()
    yield from _powers()
    yield from _maxima()
    yield from _phases()
    yield from _tariff()
    yield from _diagnostics()


def raw_labels() -> Iterator[LinkySensorDescription]:
    """Yield a sensor per label, as it is sent. What identifies the home has none."""
    paces = {
        Kind.MEASURE: Pace.POWER,
        Kind.REGISTER: Pace.REGISTER,
        Kind.MAXIMUM: Pace.REGISTER,
        Kind.CLOCK: Pace.REGISTER,
    }
    for label in LABELS:
        if not label.personal and label.same_as is None:
            yield _diagnostic(
                key=f"raw_{label.name.lower()}",
                translation_key="raw",
                translation_placeholders={"label": label.name},
                value_fn=partial(_raw, label.name),
                attributes=_at(label.name) if label.horodated else {},
                pace=paces.get(label.kind, Pace.CHANGE),
            )


def estimates() -> Iterator[LinkySensorDescription]:
    """Yield derived values, for those who ask for them."""
    yield _apparent_power(
        key="injected_power_estimated",
        value_fn=lambda state: state.injected_power_va,
        exists_fn=lambda state: state.can_estimate_injection,
    )


def energies(state: LinkyState) -> Iterator[LinkySensorDescription]:
    """Yield the energies that a meter counts."""
    for description in _registers():
        if description.device_class is SensorDeviceClass.ENERGY and description.exists(state):
            yield description


def price(currency: str) -> LinkySensorDescription:
    """Return the present price of a kWh, for those who entered prices."""
    return LinkySensorDescription(
        key=PRICE,
        native_unit_of_measurement=f"{currency}/{UnitOfEnergy.KILO_WATT_HOUR}",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=4,
        value_fn=lambda state: state.price,
    )


def _registers() -> Iterator[LinkySensorDescription]:
    yield _energy(key="energy_drawn", value_fn=lambda state: state.energy_drawn_wh)
    yield _energy(
        key="energy_injected",
        on_production="production_energy",
        value_fn=_number("EAIT"),
    )
    # A contract uses a few of the ten indexes; another appears when it first counts.
    for n in range(1, 11):
        register = f"EASF{n:02}"
        yield _energy(
            key=f"energy_index_{n}",
            translation_key="energy_index",
            translation_placeholders={"index": str(n)},
            register=register,
            value_fn=_number(register),
            exists_fn=partial(_is_used, register),
        )
    for name, label in CATALOGUE[Mode.HISTORIQUE].items():
        # BASE is the whole energy drawn.
        if label.kind is Kind.REGISTER and name != "BASE":
            yield _energy(key=f"energy_{name.lower()}", value_fn=_number(name))
    for n in range(1, 5):
        yield _energy(
            key=f"energy_distributor_{n}",
            translation_key="energy_distributor",
            translation_placeholders={"index": str(n)},
            entity_registry_enabled_default=False,
            value_fn=_number(f"EASD{n:02}"),
            exists_fn=partial(_is_used, f"EASD{n:02}"),
        )
    for n in range(1, 5):
        yield LinkySensorDescription(
            key=f"reactive_energy_{n}",
            translation_key="reactive_energy",
            translation_placeholders={"quadrant": str(n)},
            device_class=SensorDeviceClass.REACTIVE_ENERGY,
            state_class=SensorStateClass.TOTAL_INCREASING,
            native_unit_of_measurement=UnitOfReactiveEnergy.VOLT_AMPERE_REACTIVE_HOUR,
            suggested_unit_of_measurement=UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR,
            suggested_display_precision=2,
            entity_registry_enabled_default=False,
            pace=Pace.REGISTER,
            value_fn=_number(f"ERQ{n}"),
        )


def _powers() -> Iterator[LinkySensorDescription]:
    yield _power(
        key="active_power_drawn",
        value_fn=lambda state: state.active_power_drawn_w,
        exists_fn=lambda state: state.energy_drawn_wh is not None,
    )
    yield _power(
        key="active_power_injected",
        on_production="active_power_produced",
        value_fn=lambda state: state.active_power_injected_w,
        exists_fn=lambda state: state.producer,
    )
    yield _power(
        key="active_power",
        value_fn=lambda state: state.active_power_w,
        exists_fn=lambda state: state.producer,
    )
    yield _apparent_power(key="apparent_power", value_fn=_number("SINSTS", "PAPP"))
    yield _apparent_power(
        key="apparent_power_injected",
        on_production="apparent_power_produced",
        value_fn=_number("SINSTI"),
    )
    yield LinkySensorDescription(
        key="time_to_cut_off",
        # It is unknown, unless a cut-off is expected, which another entity says in words.
        entity_registry_visible_default=False,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        pace=Pace.POWER,
        value_fn=lambda state: state.seconds_to_cut_off,
        exists_fn=lambda state: state.subscribed_power_kva is not None,
    )


def _maxima() -> Iterator[LinkySensorDescription]:
    # On a sunny morning the maximum grows from second to second.
    maximum = partial(_apparent_power, pace=Pace.REGISTER)
    yesterday = partial(maximum, entity_registry_enabled_default=False)
    yield maximum(key="highest_power_today", **_dated("SMAXSN"))
    yield yesterday(key="highest_power_yesterday", **_dated("SMAXSN-1", "PMAX"))
    yield maximum(
        key="highest_injection_today",
        on_production="highest_production_today",
        **_dated("SMAXIN"),
    )
    yield yesterday(
        key="highest_injection_yesterday",
        on_production="highest_production_yesterday",
        **_dated("SMAXIN-1"),
    )
    curve = partial(_power, pace=Pace.CHANGE, entity_registry_enabled_default=False)
    yield curve(key="load_curve_drawn", **_dated("CCASN"))
    yield curve(key="load_curve_injected", on_production="load_curve_produced", **_dated("CCAIN"))


def _phases() -> Iterator[LinkySensorDescription]:
    def single(state: LinkyState) -> bool:
        return state.phases == 1

    yield _current(key="current", value_fn=_number("IRMS1", "IINST"), exists_fn=single)
    yield _voltage(
        key="voltage",
        value_fn=_number("URMS1"),
        exists_fn=lambda state: single(state) and state.reading("URMS1") is not None,
    )
    mean = partial(_voltage, pace=Pace.CHANGE, entity_registry_enabled_default=False)
    yield mean(
        key="mean_voltage",
        **_dated("UMOY1"),
        exists_fn=lambda state: single(state) and state.reading("UMOY1") is not None,
    )
    for n in (1, 2, 3):
        phase = {"phase": str(n)}
        yield _current(
            key=f"current_{n}",
            translation_key="current_phase",
            translation_placeholders=phase,
            value_fn=_number(f"IRMS{n}", f"IINST{n}"),
            exists_fn=_on_three_phases(f"IRMS{n}", f"IINST{n}"),
        )
        yield _voltage(
            key=f"voltage_{n}",
            translation_key="voltage_phase",
            translation_placeholders=phase,
            value_fn=_number(f"URMS{n}"),
            exists_fn=_on_three_phases(f"URMS{n}"),
        )
        yield mean(
            key=f"mean_voltage_{n}",
            translation_key="mean_voltage_phase",
            translation_placeholders=phase,
            **_dated(f"UMOY{n}"),
            exists_fn=_on_three_phases(f"UMOY{n}"),
        )
        yield _apparent_power(
            key=f"apparent_power_{n}",
            translation_key="apparent_power_phase",
            translation_placeholders=phase,
            value_fn=_number(f"SINSTS{n}"),
        )
        for day, suffix in (("today", ""), ("yesterday", "-1")):
            yield _apparent_power(
                key=f"highest_power_{day}_{n}",
                translation_key=f"highest_power_{day}_phase",
                translation_placeholders=phase,
                pace=Pace.REGISTER,
                entity_registry_enabled_default=False,
                **_dated(f"SMAXSN{n}{suffix}"),
            )


def _tariff() -> Iterator[LinkySensorDescription]:
    colour = partial(
        LinkySensorDescription,
        device_class=SensorDeviceClass.ENUM,
        options=list(Colour),
        exists_fn=lambda state: state.has_colours,
    )
    moment = partial(
        LinkySensorDescription,
        device_class=SensorDeviceClass.TIMESTAMP,
        exists_fn=lambda state: state.has_peaks and state.mode is Mode.STANDARD,
    )
    yield LinkySensorDescription(key="tariff", value_fn=lambda state: state.tariff.label)
    next_change = partial(LinkySensorDescription, pace=Pace.REGISTER)
    yield next_change(
        key="next_tariff",
        value_fn=_next_tariff,
        attributes={PRICE: lambda state: state.next_price},
    )
    yield next_change(
        key="next_tariff_start",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda state: None if state.next_change is None else state.next_change.at,
    )
    yield colour(key="colour_today", value_fn=lambda state: state.tariff.colour_today)
    yield colour(key="colour_tomorrow", value_fn=lambda state: state.tariff.colour_tomorrow)
    yield moment(
        key="peak_start",
        value_fn=lambda state: state.tariff.peaks[0].start if state.tariff.peaks else None,
    )
    yield moment(
        key="peak_end",
        value_fn=lambda state: state.tariff.peaks[0].end if state.tariff.peaks else None,
    )
    yield _diagnostic(key="contract", value_fn=lambda state: state.tariff.contract)
    for key, label in (
        ("tariff_index", "NTARF"),
        ("calendar_day", "NJOURF"),
        ("calendar_day_tomorrow", "NJOURF+1"),
    ):
        yield _hidden(key=key, value_fn=_number(label))
    for key, label in (("schedule_tomorrow", "PJOURF+1"), ("schedule_peak_day", "PPOINTE")):
        yield _hidden(key=key, value_fn=partial(_schedule, label))


def _diagnostics() -> Iterator[LinkySensorDescription]:
    subscribed = partial(
        _diagnostic,
        device_class=SensorDeviceClass.APPARENT_POWER,
        native_unit_of_measurement=UnitOfApparentPower.KILO_VOLT_AMPERE,
    )
    yield subscribed(key="subscribed_power", value_fn=lambda state: state.subscribed_power_kva)
    yield subscribed(
        key="cut_off_power",
        entity_registry_enabled_default=False,
        value_fn=_number("PCOUP"),
    )
    yield _diagnostic(
        key="breaker",
        device_class=SensorDeviceClass.ENUM,
        options=list(Breaker),
        value_fn=_status(lambda status: status.breaker),
    )
    yield _diagnostic(key="message", value_fn=lambda state: state.text("MSG1"))
    yield _diagnostic(key="short_message", value_fn=lambda state: state.text("MSG2"))
    yield _diagnostic(
        key="link_quality",
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        pace=Pace.REGISTER,
        value_fn=lambda state: state.quality.percent,
        exists_fn=lambda state: state.identified,
    )
    for key, count in (
        ("refused_groups", lambda state: sum(state.decoder.counters.rejected.values())),
        ("resynchronisations", lambda state: state.decoder.counters.resyncs),
    ):
        yield _hidden(
            key=key,
            state_class=SensorStateClass.TOTAL_INCREASING,
            pace=Pace.REGISTER,
            value_fn=count,
        )
    yield _hidden(
        key="clock",
        device_class=SensorDeviceClass.TIMESTAMP,
        pace=Pace.REGISTER,
        value_fn=partial(_time, "DATE"),
    )
    yield _hidden(
        key="power_line",
        device_class=SensorDeviceClass.ENUM,
        options=list(PowerLine),
        value_fn=_status(lambda status: status.power_line),
    )
    yield _hidden(
        key="euridis",
        device_class=SensorDeviceClass.ENUM,
        options=list(Euridis),
        value_fn=_status(lambda status: status.euridis),
    )
    yield _hidden(
        key="highest_current",
        device_class=SensorDeviceClass.CURRENT,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        suggested_display_precision=0,
        value_fn=_number("IMAX"),
    )


def _status(fact: Callable[[Status], str | None]) -> Callable[[LinkyState], str | None]:
    return lambda state: None if state.status is None else fact(state.status)


def _number(*labels: str) -> Callable[[LinkyState], int | None]:
    return lambda state: state.number(*labels)


def _dated(*labels: str) -> dict[str, Any]:
    """Return the state of a sensor from a number with a time."""
    return {"value_fn": _number(*labels), "attributes": _at(labels[0])}


def _at(label: str) -> Mapping[str, ValueFn]:
    return {"time": partial(_time, label)}


def _on_three_phases(*labels: str) -> Callable[[LinkyState], bool]:
    return lambda state: state.phases == 3 and state.reading(*labels) is not None


def _is_used(register: str, state: LinkyState) -> bool:
    return bool(state.number(register)) or (
        state.tariff.register == register and state.reading(register) is not None
    )


def _next_tariff(state: LinkyState) -> str | None:
    change = state.next_change
    return None if change is None else state.tariff_names.get(change.register)


def _time(label: str, state: LinkyState) -> datetime | None:
    return state.time(label)


def _raw(label: str, state: LinkyState) -> str | None:
    reading = state.reading(label)
    if reading is None:
        return None
    return (reading.group.raw or reading.group.raw_horodate or "")[:_MAX_STATE]


def _schedule(label: str, state: LinkyState) -> str | None:
    """Write a schedule in one line: when which index begins."""
    value = state.value(label)
    if not isinstance(value, tuple):
        return None
    slots = (f"{slot.start:%H:%M} → {slot.index or '='}" for slot in value)
    return ", ".join(slots)[:_MAX_STATE] or None
