"""From a peer's records to the hours of Home Assistant's statistics.

    path after the direction      an hour has
    power/active/raw    W         the energy of its time: mean power times time, added up
    energy/active/daily Wh        the energy of a civil day, if it is the first hour of that day
    energy/active/index Wh        what the register shows at its end

An hour of a load curve is there once all of it came; else it is missing, never a part of it. An
hour is one of UTC, as in the recorder. Where midnight is no whole hour of UTC, the first hour that
starts in the day holds the day, and Home Assistant counts it to that day.

**Exact sums.** Energies are rounded to a sixteenth of a Wh, which doubles add without an error, in
whatever order: half an hour of whole W is exact, ten minutes of them to 0.03 Wh.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from math import floor, fsum, gcd
from zoneinfo import ZoneInfo

from consometers_node.household.readings import HOUR
from consometers_node.i18n.text import TranslatedError, text
from consometers_quoalise import (
    Data,
    Duration,
    Identifier,
    Measurement,
    Number,
    Records,
    SeriesPath,
)
from consometers_quoalise.records.values import ALLOWED

type States = Mapping[datetime, float]
"""The values of hours, in Wh, by their start."""

_HOUR_S = 3600
_SIXTEENTHS = 16
_HALF_DAY = timedelta(hours=12)
_ENOUGH_TO_TELL = 12
"""Records whose spacing is their interval, though one or the other may be missing."""


class Unsuitable(TranslatedError):
    """This series cannot be imported; `text` says which ones can."""


class SeriesKind(StrEnum):
    """The kind of a series' values, by its path after the direction."""

    LOAD_CURVE = SeriesPath.POWER
    DAILY = SeriesPath.ENERGY_DAILY
    REGISTER = SeriesPath.ENERGY_INDEX

    @classmethod
    def from_identifier(cls, series: Identifier) -> SeriesKind:
        """Return the kind of a series. Raises `Unsuitable`."""
        if series.direction is None or series.quantity not in cls:
            raise Unsuitable(
                _PATH,
                found=series.path or str(series),
                known=", ".join(f"…/{kind}" for kind in cls),
            )
        return cls(series.quantity)


class Hours:
    """The records of a series by hour; the last one counts."""

    def __init__(
        self, series: Identifier, time_zone: str, part: float = 1.0, *, per_member: bool = False
    ) -> None:
        """Begin with nothing. `time_zone` is the home's, and so is `part` of the energy.

        A sum is divided by the number of its members `per_member`. Raises `Unsuitable`.
        """
        self.kind = SeriesKind.from_identifier(series)
        self._series = series
        self._zone = ZoneInfo(time_zone)
        self._part_of_all = part
        self._per_member = per_member
        self._interval_s: int | None = None
        self._parts: dict[datetime, dict[int, _Part]] = {}
        self.dropped = 0
        """How many impossible values came."""

    def take(self, data: Data) -> set[datetime]:
        """Add records of this series, and return their hours. Raises `Unsuitable`.

        Impossible values are dropped one by one.
        """
        touched: set[datetime] = set()
        measurement = data.metadata.measurement or Measurement()
        for records in data.records:
            if records.name == str(self._series):
                factor = _factor(self.kind, records.unit or measurement.unit)
                self._learn_interval(measurement.sampling_interval, records)
                values = self._possible(self.kind, records.values, factor)
                touched |= self._take(self._per_member_values(values, data))
        return touched

    def whole(self, hours: Iterable[datetime]) -> dict[datetime, float]:
        """Return the values of the complete hours among these."""
        parts = {hour: self._parts.get(hour, {}).values() for hour in hours}
        return {
            hour: _rounded(fsum(part.wh for part in hour_parts))
            for hour, hour_parts in parts.items()
            if sum(part.seconds for part in hour_parts) == _HOUR_S
        }

    def keep_last(self, count: int) -> None:
        """Forget hours older than the last ones."""
        for hour in sorted(self._parts)[:-count]:
            del self._parts[hour]

    def forget(self, hours: Iterable[datetime]) -> None:
        """Forget the records of some hours."""
        for hour in hours:
            self._parts.pop(hour, None)

    def like(self) -> Hours:
        """Start over, with the interval already known."""
        other = Hours(self._series, self._zone.key, self._part_of_all, per_member=self._per_member)
        other._interval_s = self._interval_s
        return other

    def learn(self, other: Hours) -> None:
        """Copy what another one has learned of the interval."""
        self._interval_s = other._interval_s or self._interval_s

    def _possible(
        self, kind: str, values: Mapping[Number, Number], factor: int = 1
    ) -> Mapping[Number, Number]:
        """Return the possible values, in W, Wh or one, and count the others."""
        possible = ALLOWED[kind].of(values, factor)
        self.dropped += len(values) - len(possible)
        return possible

    def _per_member_values(
        self, values: Mapping[Number, Number], data: Data
    ) -> Mapping[Number, Number]:
        """Return values; per member, those beside which their number stands."""
        if not self._per_member:
            return values
        counted = str(self._series.members)
        sent = next((each.values for each in data.records if each.name == counted), {})
        counts = self._possible(SeriesPath.MEMBERS, sent)
        return {at: wh / counts[at] for at, wh in values.items() if counts.get(at)}

    def _learn_interval(self, interval: Duration | None, records: Records) -> None:
        if interval is None:
            self._interval_s = _spacing(records) or self._interval_s
        elif interval == Duration(seconds=interval.seconds):
            self._interval_s = interval.seconds
        elif self.kind is SeriesKind.LOAD_CURVE:
            raise Unsuitable(_INTERVAL, found=interval)
        else:
            self._interval_s = None

    def _take(self, values: Mapping[Number, Number]) -> set[datetime]:
        touched: set[datetime] = set()
        for time_s, value in values.items():
            part = self._part(time_s, value * self._part_of_all)
            if part is None:
                continue
            touched.add(part.hour)
            if part.seconds:
                hour_parts = self._parts.setdefault(part.hour, {})
                for other in [
                    previous for previous in hour_parts.values() if previous.overlaps(part)
                ]:
                    del hour_parts[other.start_s]
                hour_parts[part.start_s] = part
        return touched

    def _part(self, time_s: Number, value: float) -> _Part | None:
        """Return which part of an hour a record is; None if it is no part of one."""
        if time_s != int(time_s):
            return None
        start_s = int(time_s)
        match self.kind:
            case SeriesKind.LOAD_CURVE:
                return self._of_power(start_s, value)
            case SeriesKind.DAILY:
                return _Part.all_of(
                    first_of_day(datetime.fromtimestamp(start_s, UTC), self._zone), value
                )
            case SeriesKind.REGISTER:
                fine = self._interval_s is not None and self._interval_s <= _HOUR_S
                if fine and start_s % _HOUR_S:
                    return None
                ended = -(-start_s // _HOUR_S) * _HOUR_S
                return _Part.all_of(datetime.fromtimestamp(ended, UTC) - HOUR, value)

    def _of_power(self, start_s: int, value_w: float) -> _Part | None:
        hour = datetime.fromtimestamp(start_s - start_s % _HOUR_S, UTC)
        length = self._interval_s
        if length is None:
            return _Part(hour, start_s, 0, 0)
        if length < 1 or _HOUR_S % length:
            raise Unsuitable(_INTERVAL, found=f"{length} s")
        if start_s % length:
            return None
        return _Part(hour, start_s, length, value_w * length / _HOUR_S)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of an hour; without seconds if its length is unknown."""

    hour: datetime
    start_s: int
    seconds: int
    wh: float

    @classmethod
    def all_of(cls, hour: datetime, wh: float) -> _Part:
        return cls(hour, int(hour.timestamp()), _HOUR_S, wh)

    def overlaps(self, other: _Part) -> bool:
        return (
            self.start_s < other.start_s + other.seconds
            and other.start_s < self.start_s + self.seconds
        )


def first_of_day(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the first whole hour of the civil day that begins nearest to an instant.

    A peer's civil days may be those of another zone, or begin at midnight UTC.
    """
    day = (instant + _HALF_DAY).astimezone(zone).date()
    midnight = datetime.combine(day, time(), zone).astimezone(UTC)
    return midnight - (midnight - _EPOCH) % -HOUR


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _spacing(records: Records) -> int | None:
    """Return the interval of records that state none; None if they are too few to show it."""
    if len(records.values) < _ENOUGH_TO_TELL:
        return None
    times = [int(time_s) for time_s in records.values]
    return gcd(*(time_s - times[0] for time_s in times))


def _factor(kind: SeriesKind, unit: str | None) -> int:
    """Return the factor that turns a value into W or Wh."""
    factors = _UNITS[kind]
    # Without a unit, a value has that of the path.
    factor = 1 if unit is None else factors.get(unit)
    if factor is None:
        raise Unsuitable(_UNIT, found=unit, known=", ".join(factors))
    return factor


_ENERGY = {"Wh": 1, "kWh": 1000}
_UNITS: Mapping[SeriesKind, Mapping[str, int]] = {
    SeriesKind.LOAD_CURVE: {"W": 1, "kW": 1000},
    SeriesKind.DAILY: _ENERGY,
    SeriesKind.REGISTER: _ENERGY,
}


def _rounded(wh: float) -> float:
    return floor(wh * _SIXTEENTHS + 0.5) / _SIXTEENTHS


_PATH = text(
    "“{found}” is no series that can be imported: a direction is followed by one of {known}."
)
_UNIT = text("A series in {found} cannot be imported: the peer would have to send {known}.")
_INTERVAL = text(
    "A load curve at a resolution of {found} cannot be imported: it must divide an hour, such as"
    " PT30M."
)
