"""When a collective is likely to have a surplus: members inject more than others draw. Pure.

Each hour of today and tomorrow is compared with the same hour of the days before, the newest first,
and with days of its kind above all: at weekends a school uses little. A forecast of sunshine, where
there is one, says how much sunnier a day is than those.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

HOUR: Final = timedelta(hours=1)
PAST_DAYS: Final = 14
_HALF_LIFE_DAYS: Final = 3.0
_OTHER_KIND: Final = 0.1
"""How much a working day says of a weekend's use, and the other way round."""
_LEAST_SUN, _MOST_SUN = 0.2, 2.0
_WORKING_DAYS: Final = 5


@dataclass(frozen=True, slots=True)
class Flows:
    """What members injected and drew in an hour, Wh. `start` is in the time of the home."""

    start: datetime
    injected: float
    drawn: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What members are likely to inject and to draw in an hour, Wh."""

    start: datetime
    injected: float
    drawn: float

    @property
    def end(self) -> datetime:
        """The end of the hour."""
        # In UTC: an hour is no longer where clocks change.
        return (self.start.astimezone() + HOUR).astimezone(self.start.tzinfo)

    @property
    def is_surplus(self) -> bool:
        """Whether more is injected than drawn."""
        return self.injected > self.drawn

    @property
    def covered(self) -> float | None:
        """Which share of what is drawn comes from members, at most 1; None where nothing is."""
        return min(1.0, self.injected / self.drawn) if self.drawn else None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hours that follow each other."""

    start: datetime
    end: datetime


def forecast(
    past: Iterable[Flows], hours: Iterable[datetime], sun: Mapping[date, float]
) -> list[Forecast]:
    """Return a forecast of each hour that the past says something of.

    `sun` is the forecast of a day's production of any panels near by, of past days as well.
    """
    by_hour: dict[int, list[Flows]] = {}
    for flows in past:
        by_hour.setdefault(flows.start.hour, []).append(flows)
    forecasts = (_of_hour(by_hour.get(hour.hour, ()), hour, sun) for hour in hours)
    return [each for each in forecasts if each is not None]


def _of_hour(past: Sequence[Flows], start: datetime, sun: Mapping[date, float]) -> Forecast | None:
    today = start.date()
    injected = drawn = of_injection = of_use = 0.0
    sunny = of_sun = 0.0
    for flows in past:
        day = flows.start.date()
        age = (today - day).days
        if not 0 < age <= PAST_DAYS:
            continue
        weight = 0.5 ** (age / _HALF_LIFE_DAYS)
        injected += weight * flows.injected
        of_injection += weight
        if day in sun:
            sunny += weight * sun[day]
            of_sun += weight
        alike = weight if _is_working(day) == _is_working(today) else weight * _OTHER_KIND
        drawn += alike * flows.drawn
        of_use += alike
    if not of_injection:
        return None
    brighter = 1.0
    if today in sun and sunny:
        brighter = min(_MOST_SUN, max(_LEAST_SUN, sun[today] * of_sun / sunny))
    return Forecast(start, brighter * injected / of_injection, drawn / of_use)


def stretches(hours: Iterable[Forecast]) -> list[Stretch]:
    """Return the stretches of hours of surplus, in order."""
    return _in_a_row(hour for hour in hours if hour.is_surplus)


def _in_a_row(hours: Iterable[Forecast]) -> list[Stretch]:
    joined: list[Stretch] = []
    for hour in hours:
        if joined and joined[-1].end == hour.start:
            joined[-1] = Stretch(joined[-1].start, hour.end)
        else:
            joined.append(Stretch(hour.start, hour.end))
    return joined


def best(hours: Iterable[Forecast]) -> Stretch | None:
    """Return the first hours in a row in which members cover most of what is drawn."""
    sunny = [hour for hour in hours if hour.injected > 0]
    most = max((hour.covered or 0.0 for hour in sunny), default=None)
    rows = _in_a_row(hour for hour in sunny if (hour.covered or 0.0) == most)
    return rows[0] if rows else None


def _is_working(day: date) -> bool:
    return day.weekday() < _WORKING_DAYS
