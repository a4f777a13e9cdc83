"""The sensors of a collective, one line of the table per fact. `sensor.py` makes entities."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, override

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

from .answers import Collective, Last, Month, Plant, Sums, Today, Words
from .simulation import Period
from .simulation_coordinator import CURRENCY, Simulation
from .surplus import Forecast, best, stretches

type Fact = float | datetime | None
type Attributes = Mapping[str, str | int | float | datetime | None]

ATTRIBUTES: Final = frozenset(
    {
        *("start", "end", "month", "lower_quartile_wh", "upper_quartile_wh"),
        *("total_shares", "corrected"),
        *("name_en", "name_fr", "participant", "participants", "objective"),
        *("first_day", "last_day", "low", "high", "rank_first", "rank_last"),
        *("least_homes", "refused_hours", "enrolled_homes"),
        *("key", "until", "note", "local_price", "usual_price_wh"),
    }
)
"""Attributes of the sensors of sums."""


@dataclass(frozen=True, kw_only=True)
class CollectiveSensorDescription(SensorEntityDescription):
    """Describes a sensor of data to a collective, or from it."""

    value_fn: Callable[[Collective], Fact]
    attributes_fn: Callable[[Collective], Attributes] = lambda collective: {}
    reset_fn: Callable[[Collective], datetime | None] = lambda collective: None
    of_sums: bool = False
    of_a_witness: bool = False

    def is_told(self, collective: Collective) -> bool:
        """Return whether the fact exists."""
        is_always_told = not (self.of_sums or self.of_a_witness)
        return is_always_told or self.value_fn(collective) is not None


@dataclass(frozen=True, kw_only=True)
class ChallengeSensorDescription(CollectiveSensorDescription):
    """Describes a sensor of the challenge of this home's commune."""

    @override
    def is_told(self, collective: Collective) -> bool:
        """Return whether there is a challenge, though it may be too early for a figure."""
        return collective.challenge is not None


@dataclass(frozen=True, kw_only=True)
class PlantSensorDescription(SensorEntityDescription):
    """Describes a sensor of this home's part of a plant."""

    value_fn: Callable[[Plant], Fact]
    attributes_fn: Callable[[Plant], Attributes] = lambda plant: {}
    reset_fn: Callable[[Plant], datetime | None] = lambda plant: None


def _of_sums[T](
    part: Callable[[Sums], T | None], fact: Callable[[T], Fact]
) -> Callable[[Collective], Fact]:
    """Read a fact of a part of the sums, where there is such a part."""

    def value(collective: Collective) -> Fact:
        sums_part = None if collective.sums is None else part(collective.sums)
        return None if sums_part is None else fact(sums_part)

    return value


def _last(fact: Callable[[Last], Fact]) -> Callable[[Collective], Fact]:
    return _of_sums(lambda sums: sums.last, fact)


def _today(fact: Callable[[Today], Fact]) -> Callable[[Collective], Fact]:
    return _of_sums(lambda sums: sums.today, fact)


def _month(fact: Callable[[Month], Fact]) -> Callable[[Collective], Fact]:
    return _of_sums(lambda sums: sums.month, fact)


def _interval(collective: Collective) -> Attributes:
    last = None if collective.sums is None else collective.sums.last
    return {} if last is None else {"start": last.start, "end": last.end}


def _its_month(collective: Collective) -> Attributes:
    month = None if collective.sums is None else collective.sums.month
    return {} if month is None else {"month": month.month}


def _quartiles(collective: Collective) -> Attributes:
    month = None if collective.sums is None else collective.sums.month
    if month is None:
        return {}
    quartiles = {"lower_quartile_wh": month.lower, "upper_quartile_wh": month.upper}
    return {"month": month.month, **quartiles}


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
        "refused_hours": protected.refused_hours,
        "enrolled_homes": protected.homes,
    }


def _midnight(collective: Collective) -> datetime | None:
    today = None if collective.sums is None else collective.sums.today
    return None if today is None else dt_util.start_of_local_day(today.date)


def _percent(rate: float | None) -> float | None:
    return None if rate is None else round(100 * rate, 1)


@dataclass(frozen=True, kw_only=True)
class SurplusSensorDescription(SensorEntityDescription):
    """Describes a sensor of a collective's expected surplus."""

    value_fn: Callable[[Sequence[Forecast]], datetime | None]


def _next_surplus(hours: Sequence[Forecast]) -> datetime | None:
    return next((stretch.start for stretch in stretches(hours)), None)


def _best_hour(hours: Sequence[Forecast]) -> datetime | None:
    now = dt_util.utcnow()
    hour = best(hour for hour in hours if hour.start > now)
    return None if hour is None else hour.start


SURPLUS_SENSORS: Final = (
    SurplusSensorDescription(
        key="next_surplus",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_next_surplus,
    ),
    SurplusSensorDescription(
        key="best_hour",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_best_hour,
    ),
)


@dataclass(frozen=True, kw_only=True)
class SimulationSensorDescription(SensorEntityDescription):
    """Describes a sensor of what a home would have received of a collective's injection."""

    value_fn: Callable[[Simulation], Fact]
    attributes_fn: Callable[[Simulation], Attributes] = lambda simulation: {}
    reset_fn: Callable[[Simulation], datetime | None] = lambda simulation: None
    of_prices: bool = False

    def is_told(self, collective: Collective) -> bool:
        """Return whether the collective states the required facts: prices, for a saving."""
        return not self.of_prices or (
            collective.sums is not None and collective.sums.prices is not None
        )


def _key(simulation: Simulation) -> Attributes:
    return {"key": simulation.key, "until": simulation.until}


def _saving(simulation: Simulation) -> Attributes:
    prices, month = simulation.prices, simulation.month
    return {
        **_key(simulation),
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
    attributes_fn=_key,
)
_simulated_rate = partial(
    SimulationSensorDescription,
    native_unit_of_measurement=PERCENTAGE,
    suggested_display_precision=0,
    attributes_fn=_key,
)

SIMULATION_NOTE: Final[Words] = {
    "en": "Simulation of collective self-consumption (code de l’énergie, L315-2), from published "
    "hours. A real operation takes a contract; Enedis counts it by half hours; grid charges and "
    "taxes apply to what is shared.",
    "fr": "Simulation d’autoconsommation collective (code de l’énergie, L315-2), d’après les "
    "heures publiées. Une opération réelle demande un contrat ; Enedis la compte par demi-heure ; "
    "l’acheminement et les taxes s’appliquent à l’énergie partagée.",
}

# The recorder has the energy of each published hour under an id of its own.
SIMULATION_SENSORS: Final = (
    _simulated_energy(
        key="simulated_today",
        translation_key="collective_simulated_today",
        value_fn=lambda simulation: _received(simulation.today),
        reset_fn=_this_day,
    ),
    _simulated_rate(
        key="simulated_coverage_today",
        translation_key="collective_simulated_coverage_today",
        value_fn=lambda simulation: _covered(simulation.today),
    ),
    _simulated_energy(
        key="simulated_month",
        translation_key="collective_simulated_month",
        value_fn=lambda simulation: _received(simulation.month),
        reset_fn=_this_month,
    ),
    _simulated_rate(
        key="simulated_coverage_month",
        translation_key="collective_simulated_coverage_month",
        value_fn=lambda simulation: _covered(simulation.month),
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
    _power(
        key="consumption_power",
        translation_key="collective_consumption_power",
        value_fn=_last(lambda last: last.mean_w(last.consumption)),
    ),
    _power(
        key="injection_power",
        translation_key="collective_injection_power",
        value_fn=_last(lambda last: last.mean_w(last.injection)),
    ),
    _power(
        key="production_power",
        translation_key="collective_production_power",
        value_fn=_last(lambda last: last.mean_w(last.production)),
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
        of_a_witness=True,
    ),
    _of_today(
        key="consumption_today",
        translation_key="collective_consumption_today",
        value_fn=_today(lambda today: today.consumption),
    ),
    _of_today(
        key="injection_today",
        translation_key="collective_injection_today",
        value_fn=_today(lambda today: today.injection),
    ),
    _of_today(
        key="production_today",
        translation_key="collective_production_today",
        value_fn=_today(lambda today: today.production),
    ),
    _rate(
        key="self_consumption_today",
        value_fn=_today(lambda today: _percent(today.self_consumption_rate)),
    ),
    _rate(
        key="self_sufficiency_today",
        value_fn=_today(lambda today: _percent(today.self_sufficiency_rate)),
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
    ),
    ChallengeSensorDescription(
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
    ),
)


def _part_interval(plant: Plant) -> Attributes:
    return {} if plant.last is None else {"start": plant.last.start, "end": plant.last.end}


def _part_month(plant: Plant) -> Attributes:
    return {} if plant.month is None else {"month": plant.month.month}


PLANT_SENSORS: Final = (
    PlantSensorDescription(
        key="power",
        translation_key="collective_part_power",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda plant: (
            None if plant.last is None else plant.last.mean_w(plant.last.production)
        ),
        attributes_fn=_part_interval,
    ),
    PlantSensorDescription(
        key="energy_today",
        translation_key="collective_part_today",
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        value_fn=lambda plant: None if plant.today is None else plant.today.production,
        reset_fn=lambda plant: (
            None if plant.today is None else dt_util.start_of_local_day(plant.today.date)
        ),
    ),
    PlantSensorDescription(
        key="month",
        translation_key="collective_part_month",
        device_class=SensorDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=1,
        value_fn=lambda plant: None if plant.month is None else plant.month.production,
        attributes_fn=_part_month,
    ),
    PlantSensorDescription(
        key="coverage",
        translation_key="collective_part_coverage",
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        value_fn=lambda plant: None if plant.month is None else _percent(plant.month.coverage),
        attributes_fn=_part_month,
    ),
    PlantSensorDescription(
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
