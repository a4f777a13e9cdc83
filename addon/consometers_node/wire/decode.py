"""Incoming records: a peer's message in the node's nouns.

The inverse of `naming` and `encode`. The device determines the direction of `production`: a meter
counts injection, an inverter the panels' production.

Beside the values of a collective stand those of `…/members`: how many members each of them sums;
and those of `…/without-homes`: from which of them homes are missing.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import floor

from consometers_node.i18n.text import text
from consometers_node.series import Device, Direction, Interval, Quantity, Record, Series
from consometers_quoalise import Data, DeviceType, Identifier, Metadata, Records, SeriesPath
from consometers_quoalise.records.identifier import BESIDE, identifier
from consometers_quoalise.records.values import ALLOWED, MOST_MEMBERS

from .needs import Unsayable, read_interval

_FACTORS: Mapping[str, Mapping[str | None, int]] = {
    SeriesPath.POWER: {None: 1, "W": 1, "kW": 1000},
    SeriesPath.ENERGY_DAILY: {None: 1, "Wh": 1, "kWh": 1000},
}
"""Without a unit, a value has that of the path."""
_PRODUCED = {
    DeviceType.METER: Direction.INJECTION,
    DeviceType.INVERTER: Direction.PRODUCTION,
    DeviceType.COLLECTIVE: Direction.PRODUCTION,
}

_NO_SUCH_PATH = text("“{found}” is no stored series: a direction is followed by one of {known}.")
_WHO_PRODUCES = text(
    "“{found}” may be injected or produced: say in the metadata which device it is, one of {known}."
)
_UNIT = text("Records in {found} are not accepted here: send {known}.")
_NEGATIVE = text(
    "{found} is below zero: the direction is in the name of the series, so send what flows that"
    " way, or nothing."
)
_NO_COUNT = text("{found} members is impossible: send a whole number of at most {most}.")
_PART_OF_A_SECOND = text("A record starts at {found}: send intervals that start at whole seconds.")


@dataclass(frozen=True, slots=True)
class DecodedSeries:
    """Values under one name, in W or Wh, by the start of their interval.

    `members` says how many members some of them sum; homes are missing from those of `lacking`.
    """

    name: Identifier
    unit: str | None
    values: Mapping[datetime, float]
    members: Mapping[datetime, int]
    lacking: Set[datetime] = frozenset()

    def records(self) -> tuple[Record, ...]:
        """Return them as records, in whole W or Wh. Raises `Unsayable`."""
        factor = self._factor()
        return tuple(Record(start, _whole(value * factor)) for start, value in self.values.items())

    def _factor(self) -> int:
        factors = _FACTORS[self.name.quantity]
        if self.unit not in factors:
            units = ", ".join(unit for unit in factors if unit)
            raise Unsayable(_UNIT, found=self.unit, known=units)
        return factors[self.unit]


def decode(data: Data) -> tuple[DecodedSeries, ...]:
    """Return the series of a message, by name. Raises `Unsayable`."""
    measurement = data.metadata.measurement
    by_name = {records.name: records for records in data.records}
    series = []
    for records in data.records:
        if records.name.rpartition("/")[2] in BESIDE:
            continue
        counts = by_name.get(f"{records.name}/{SeriesPath.MEMBERS}")
        without = by_name.get(f"{records.name}/{SeriesPath.WITHOUT_HOMES}")
        series.append(
            DecodedSeries(
                identifier(records.name),
                records.unit or (measurement.unit if measurement else None),
                _instants(records),
                {at: _count(n) for at, n in _instants(counts).items()} if counts else {},
                {at for at, mark in _instants(without).items() if mark} if without else frozenset(),
            )
        )
    return tuple(series)


def read_series(
    name: Identifier,
    metadata: Metadata,
    time_zone: str,
    *,
    finest: Interval,
    before: Series | None = None,
) -> Series:
    """Return the series with this name. Raises `Unsayable`.

    What is not said is as it was before (`before`), an interval never said the finest that was
    granted. A device is what its URN says.
    """
    if name.quantity not in _FACTORS:
        named, paths = name.path or str(name), ", ".join(f"…/{path}" for path in _FACTORS)
        raise Unsayable(_NO_SUCH_PATH, found=named, known=paths)
    daily = name.quantity == SeriesPath.ENERGY_DAILY
    return Series(
        Device(str(name.device)),
        _direction(name, metadata, before),
        Quantity.ENERGY if daily else Quantity.POWER,
        Interval.P1D if daily else _interval(metadata, finest, before),
        time_zone,
    )


def _direction(name: Identifier, metadata: Metadata, before: Series | None) -> Direction:
    match name.direction:
        case Direction.CONSUMPTION | Direction.INJECTION:
            return name.direction
        case None:
            raise Unsayable(_NO_SUCH_PATH, found=name.path, known=", ".join(_FACTORS))
        case Direction.PRODUCTION:
            pass  # What a meter sends out is called so, too.
    device_type = metadata.device.type if metadata.device else None
    if device_type in _PRODUCED:
        return _PRODUCED[DeviceType(device_type)]
    if before is not None:
        return before.direction
    if name.device.delivery_point is not None:
        return Direction.INJECTION
    raise Unsayable(_WHO_PRODUCES, found=name.path, known=", ".join(_PRODUCED))


def _interval(metadata: Metadata, finest: Interval, before: Series | None) -> Interval:
    interval = metadata.measurement.sampling_interval if metadata.measurement else None
    if interval is not None:
        return read_interval(interval)
    return before.interval if before is not None else finest


def _instants(records: Records) -> dict[datetime, float]:
    values = {}
    for second, value in records.values.items():
        if not isinstance(second, int):
            raise Unsayable(_PART_OF_A_SECOND, found=second)
        values[_instant(second)] = value
    return values


@lru_cache(maxsize=4_096)
def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _count(count: float) -> int:
    if count not in ALLOWED[SeriesPath.MEMBERS]:
        raise Unsayable(_NO_COUNT, found=count, most=MOST_MEMBERS)
    return int(count)


def _whole(value: float) -> int:
    if value < 0:
        raise Unsayable(_NEGATIVE, found=value)
    return value if isinstance(value, int) else floor(value + 0.5)
