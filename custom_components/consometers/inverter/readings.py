"""A reading of an inverter, as plain values. None is an unknown value."""

from dataclasses import dataclass
from enum import StrEnum

type Phases = tuple[float | None, float | None, float | None]


class Operating(StrEnum):
    """The state of an inverter, in the order of SunSpec's numbers from 1 on."""

    OFF = "off"
    SLEEPING = "sleeping"
    STARTING = "starting"
    RUNNING = "running"
    THROTTLED = "throttled"
    SHUTTING_DOWN = "shutting_down"
    FAULT = "fault"
    STANDBY = "standby"


class Charging(StrEnum):
    """The state of a battery, in the order of SunSpec's numbers from 1 on."""

    OFF = "off"
    EMPTY = "empty"
    DISCHARGING = "discharging"
    CHARGING = "charging"
    FULL = "full"
    HOLDING = "holding"
    TESTING = "testing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The identity of a device."""

    maker: str
    model: str
    version: str
    serial: str

    @property
    def masked(self) -> str:
        """The end of the serial number: enough to distinguish one's inverters."""
        return f"…{self.serial[-4:]}" if self.serial else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """The power limits of an inverter."""

    rating_w: float | None = None
    limit_w: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """The inverter itself."""

    power_w: float | None
    apparent_power_va: float | None
    energy_wh: float | None
    frequency_hz: float | None
    currents_a: Phases
    voltages_v: Phases
    dc_power_w: float | None
    temperature_c: float | None
    operating: Operating | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PvString:
    """Panels in a row, on an input of their own."""

    power_w: float | None
    current_a: float | None
    voltage_v: float | None
    energy_wh: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter that the inverter reads. Which sign is which way depends on who put it in.

    It has phases of its own: one of three phases may stand behind an inverter of one.
    """

    phases: int
    power_w: float | None
    frequency_hz: float | None
    currents_a: Phases
    voltages_v: Phases
    powers_w: Phases
    imported_wh: float | None
    exported_wh: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """The cells behind a hybrid inverter. Power is positive while they are discharged."""

    charge_percent: float | None
    health_percent: float | None
    power_w: float | None
    voltage_v: float | None
    capacity_wh: float | None
    charging: Charging | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A whole reading. `phases` is how many the inverter feeds; `rating_w` its maximum."""

    phases: int
    rating_w: float | None
    limit_w: float | None
    production: Production
    strings: tuple[PvString, ...]
    meters: tuple[Meter | None, ...]
    battery: Battery | None
