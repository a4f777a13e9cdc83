"""The sensors of a collective, one line of the table per fact. `entities.py` makes entities."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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
    UnitOfEnergy,
    UnitOfPower,
    UnitOfTime,
)
from homeassistant.util import dt as dt_util

from .api.answers import Collective, DayEnergy, DayRate, Last, Month, Plant, Words
from .computed.simulation import Period
from .computed.simulation_coordinator import CURRENCY, Simulation
from .computed.surplus import Forecast, best, stretches

SIGNED: Final = "signed"
"""The attribute with a change as it is written, with its sign."""
COUNTED: Final = "counted"
"""The attribute that says how many hours a figure covers, where they are not all."""

type Fact = float | datetime | None
type Attributes = Mapping[str, str | int | float | datetime | None]

ATTRIBUTES: Final = frozenset(
    {
        *("start", "end", "hours", "month", "lower_quartile_wh", "upper_quartile_wh"),
        *("total_shares", "corrected"),
        *("name_en", "name_fr", "participant", "participants", "objective"),
        *("first_day", "last_day", "low", "high", "rank_first", "rank_last"),
        *("least_homes", "invalid_hours", "enrolled_homes"),
        *("key", "until", "hours", "of_hours", "note", "local_price", "usual_price_wh"),
        *(SIGNED, COUNTED),
    }
)
"""Attributes of the sensors of sums."""


@dataclass(frozen=True, kw_only=True)
class FactDescription[T](SensorEntityDescription):
    """Describes a sensor of a fact: of a collective, a plant, a forecast or a simulation."""

    value_fn: Callable[[T], Fact]
    attributes_fn: Callable[[T], Attributes] = lambda source: {}
    reset_fn: Callable[[T], datetime | None] = lambda source: None
    is_change: bool = False
    """Whether its state is a difference in percent. Home Assistant writes no plus sign."""


@dataclass(frozen=True, kw_only=True)
class CollectiveSensorDescription(FactDescription[Collective]):
    """Describes a sensor of data to a collective, or from it.

    One `of_sums` is made once its value is known.
    """

    of_sums: bool = False
    exists_fn: Callable[[Collective], bool] = lambda collective: True

    def has_facts(self, collective: Collective) -> bool:
        """Return whether the fact exists."""
        is_known = not self.of_sums or self.value_fn(collective) is not None
        return is_known and self.exists_fn(collective)


def _fact_of[S, T](part: Callable[[S], T | None], fact: Callable[[T], Fact]) -> Callable[[S], Fact]:
    """Read a fact of a part, where there is such a part."""

    def value(source: S) -> Fact:
        of_source = part(source)
        return None if of_source is None else fact(of_source)

    return value


def _last(fact: Callable[[Last], Fact]) -> Callable[[Collective], Fact]:
    return _fact_of(lambda collective: collective.last, fact)


def _figure(key: str, collective: Collective) -> DayEnergy | DayRate | None:
    if collective.today is None:
        return None
    figure: DayEnergy | DayRate = getattr(collective.today.figures, key)
    return figure


def _day_energy(key: str, collective: Collective) -> Fact:
    figure = _figure(key, collective)
    return None if figure is None else figure.value


def _day_rate(key: str, collective: Collective) -> Fact:
    figure = _figure(key, collective)
    return None if figure is None or figure.value is None else _percent(figure.value)


def _hours_covered(key: str, collective: Collective) -> Attributes:
    """Return the hours that a figure covers: the others are hidden, or not published yet."""
    figure = _figure(key, collective)
    return {} if figure is None else {"hours": figure.hours}


def _month(fact: Callable[[Month], Fact]) -> Callable[[Collective], Fact]:
    return _fact_of(lambda collective: collective.month, fact)


def _interval(source: Collective | Plant) -> Attributes:
    return {} if source.last is None else {"start": source.last.start, "end": source.last.end}


def _its_month(source: Collective | Plant) -> Attributes:
    return {} if source.month is None else {"month": source.month.month}


def _midnight(source: Collective | Plant) -> datetime | None:
    return None if source.today is None else dt_util.start_of_local_day(source.today.date)


def _quartiles(collective: Collective) -> Attributes:
    month = collective.month
    if month is None:
        return {}
    return {
        **_its_month(collective),
        "lower_quartile_wh": month.lower,
        "upper_quartile_wh": month.upper,
    }


def _opened_hours(collective: Collective) -> Fact:
    protected = collective.protected
    if protected is None or protected.opened_hours is None:
        return None
    return sum(protected.opened_hours.values())


def _of_witness(collective: Collective) -> Attributes:
    protected = collective.protected
    if protected is None:
        return {}
    return {
        "least_homes": protected.least_homes,
        "invalid_hours": protected.invalid_hours,
        "enrolled_homes": protected.homes,
    }


def signed(percent: float, language: str) -> str:
    """Write a change as the pages of a collective do: +0.4%, −12%."""
    rounded = round(percent, 1)
    sign = "−" if rounded < 0 else "+" if rounded > 0 else ""
    number = f"{abs(rounded):.1f}".removesuffix(".0")
    if language.partition("-")[0] == "fr":
        return f"{sign}{number.replace('.', ',')}\u202f%"
    return f"{sign}{number}%"


def _percent(rate: float | None) -> float | None:
    return None if rate is None else round(100 * rate, 1)


def _next_surplus(hours: Sequence[Forecast]) -> datetime | None:
    return next((stretch.start for stretch in stretches(hours)), None)


def _best_start(hours: Sequence[Forecast]) -> datetime | None:
    stretch = best(hours)
    return None if stretch is None else stretch.start


def _best_end(hours: Sequence[Forecast]) -> datetime | None:
    stretch = best(hours)
    return None if stretch is None else stretch.end


SURPLUS_SENSORS: Final[tuple[FactDescription[Sequence[Forecast]], ...]] = (
    FactDescription(
        key="next_surplus",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_next_surplus,
    ),
    FactDescription(
        key="best_start",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_best_start,
    ),
    FactDescription(
        key="best_end",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_best_end,
    ),
)


@dataclass(frozen=True, kw_only=True)
class SimulationSensorDescription(FactDescription[Simulation]):
    """Describes a sensor of what a home would have received of a collective's injection."""

    of_prices: bool = False

    def has_facts(self, collective: Collective) -> bool:
        """Return whether the collective states the required facts: prices, for a saving."""
        return not self.of_prices or collective.prices is not None


def _hours(simulation: Simulation, period: Period | None) -> Attributes:
    hours = {} if period is None else {"hours": period.hours, "of_hours": period.of_hours}
    return {"key": simulation.key, "until": simulation.until, **hours}


def _day_s_hours(simulation: Simulation) -> Attributes:
    return _hours(simulation, simulation.today)


def _month_s_hours(simulation: Simulation) -> Attributes:
    return _hours(simulation, simulation.month)


def _saving(simulation: Simulation) -> Attributes:
    prices, month = simulation.prices, simulation.month
    return {
        **_month_s_hours(simulation),
        "local_price": None if prices is None else prices.local,
        "usual_price_wh": None if month is None else round(month.at_usual_price),
    }


def _this_day(simulation: Simulation) -> datetime:
    return dt_util.start_of_local_day(simulation.day)


def _this_month(simulation: Simulation) -> datetime:
    return dt_util.start_of_local_day(simulation.day.replace(day=1))


def _received(period: Period | None) -> float | None:
    return None if period is None else period.received


def _covered(period: Period | None) -> float | None:
    return None if period is None else _percent(period.covered)


_simulated_energy = partial(
    SimulationSensorDescription,
    device_class=SensorDeviceClass.ENERGY,
    state_class=SensorStateClass.TOTAL,
    native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
    suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=2,
)
_simulated_rate = partial(
    SimulationSensorDescription,
    native_unit_of_measurement=PERCENTAGE,
    suggested_display_precision=0,
)

SIMULATION_NOTE: Final[Words] = {
    "en": "Simulation of collective self-consumption (code de l’énergie, L315-2), from published "
    "hours. A real operation takes a contract; Enedis counts it by half hours; grid charges and "
    "taxes apply to what is shared.",
    "fr": "Simulation d’autoconsommation collective (code de l’énergie, L315-2), d’après les "
    "heures publiées. Une opération réelle demande un contrat ; Enedis la compte par demi-heure ; "
    "l’acheminement et les taxes s’appliquent à l’énergie partagée.",
}

HOURS_COUNTED: Final[Words] = {
    "en": "{hours} of {of_hours} hours",
    "fr": "{hours} heures sur {of_hours}",
}

# The recorder has the energy of each published hour under an id of its own.
SIMULATION_SENSORS: Final = (
    _simulated_energy(
        key="simulated_today",
        translation_key="collective_simulated_today",
        value_fn=lambda simulation: _received(simulation.today),
        attributes_fn=_day_s_hours,
        reset_fn=_this_day,
    ),
    _simulated_rate(
        key="simulated_coverage_today",
        translation_key="collective_simulated_coverage_today",
        value_fn=lambda simulation: _covered(simulation.today),
        attributes_fn=_day_s_hours,
    ),
    _simulated_energy(
        key="simulated_month",
        translation_key="collective_simulated_month",
        value_fn=lambda simulation: _received(simulation.month),
        attributes_fn=_month_s_hours,
        reset_fn=_this_month,
    ),
    _simulated_rate(
        key="simulated_coverage_month",
        translation_key="collective_simulated_coverage_month",
        value_fn=lambda simulation: _covered(simulation.month),
        attributes_fn=_month_s_hours,
    ),
    SimulationSensorDescription(
        key="simulated_saving_month",
        translation_key="collective_simulated_saving_month",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=CURRENCY,
        suggested_display_precision=2,
        value_fn=lambda simulation: None if simulation.month is None else simulation.month.saved,
        attributes_fn=_saving,
        reset_fn=_this_month,
        of_prices=True,
    ),
)

# The recorder keeps the sums of the past under ids of their own, each at its hour. Here they come
# later than that, so only what is counted over a day has statistics.
_power = partial(
    CollectiveSensorDescription,
    device_class=SensorDeviceClass.POWER,
    native_unit_of_measurement=UnitOfPower.WATT,
    suggested_unit_of_measurement=UnitOfPower.KILO_WATT,
    suggested_display_precision=1,
    attributes_fn=_interval,
    of_sums=True,
)
_energy = partial(
    CollectiveSensorDescription,
    device_class=SensorDeviceClass.ENERGY,
    native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
    suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=0,
    of_sums=True,
)
_of_today = partial(_energy, state_class=SensorStateClass.TOTAL, reset_fn=_midnight)
_rate = partial(
    CollectiveSensorDescription,
    native_unit_of_measurement=PERCENTAGE,
    suggested_display_precision=0,
    of_sums=True,
)

_FLOWS: Final = ("consumption", "injection", "production")


def _mean_w(flow: str, last: Last) -> int | None:
    return last.mean_w(getattr(last, flow))


COLLECTIVE_SENSORS: Final = (
    CollectiveSensorDescription(
        key="last_acknowledged",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda collective: collective.acknowledged_until,
    ),
    CollectiveSensorDescription(
        key="waiting",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda collective: collective.waiting,
    ),
    *(
        _power(
            key=f"{flow}_power",
            translation_key=f"collective_{flow}_power",
            value_fn=_last(partial(_mean_w, flow)),
        )
        for flow in _FLOWS
    ),
    CollectiveSensorDescription(
        key="members",
        translation_key="collective_members",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_last(lambda last: last.members),
        attributes_fn=_interval,
        of_sums=True,
    ),
    CollectiveSensorDescription(
        key="sums_until",
        translation_key="collective_sums_until",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_last(lambda last: last.end),
        of_sums=True,
    ),
    CollectiveSensorDescription(
        key="protected_hours",
        translation_key="collective_protected_hours",
        native_unit_of_measurement=UnitOfTime.HOURS,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_opened_hours,
        attributes_fn=_of_witness,
        exists_fn=lambda collective: _opened_hours(collective) is not None,
    ),
    *(
        _of_today(
            key=f"{key}_today",
            translation_key=f"collective_{key}_today",
            value_fn=partial(_day_energy, key),
            attributes_fn=partial(_hours_covered, key),
        )
        for key in (*_FLOWS, "shared_locally")
    ),
    *(
        _rate(
            key=f"{key}_today",
            value_fn=partial(_day_rate, key),
            attributes_fn=partial(_hours_covered, key),
        )
        for key in ("local_coverage", "self_consumption", "self_sufficiency")
    ),
    _energy(
        key="month_mine",
        translation_key="collective_month_mine",
        value_fn=_month(lambda month: month.mine),
        attributes_fn=_its_month,
    ),
    _energy(
        key="month_median",
        translation_key="collective_month_median",
        value_fn=_month(lambda month: month.median),
        attributes_fn=_quartiles,
    ),
    _rate(
        key="month_difference",
        translation_key="collective_month_difference",
        value_fn=_month(lambda month: _percent(month.difference)),
        attributes_fn=_its_month,
        is_change=True,
    ),
    CollectiveSensorDescription(
        key="challenge",
        translation_key="collective_challenge",
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        value_fn=lambda collective: (
            None if collective.challenge is None else collective.challenge.change
        ),
        attributes_fn=lambda collective: (
            collective.challenge.attributes if collective.challenge else {}
        ),
        is_change=True,
        # It may be too early for a figure.
        exists_fn=lambda collective: collective.challenge is not None,
    ),
)

PLANT_SENSORS: Final[tuple[FactDescription[Plant], ...]] = (
    FactDescription(
        key="power",
        translation_key="collective_part_power",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda plant: (
            None if plant.last is None else plant.last.mean_w(plant.last.production)
        ),
        attributes_fn=_interval,
    ),
    FactDescription(
        key="energy_today",
        translation_key="collective_part_today",
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        value_fn=lambda plant: None if plant.today is None else plant.today.production,
        reset_fn=_midnight,
    ),
    FactDescription(
        key="month",
        translation_key="collective_part_month",
        device_class=SensorDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=1,
        value_fn=lambda plant: None if plant.month is None else plant.month.production,
        attributes_fn=_its_month,
    ),
    FactDescription(
        key="coverage",
        translation_key="collective_part_coverage",
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        value_fn=lambda plant: None if plant.month is None else _percent(plant.month.coverage),
        attributes_fn=_its_month,
    ),
    FactDescription(
        key="shares",
        translation_key="collective_part_shares",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda plant: plant.shares,
        attributes_fn=lambda plant: {
            "total_shares": plant.total_shares,
            "corrected": plant.corrected,
        },
    ),
)
