"""The supplier's calendar: which rate runs when, the days of Tempo and EJP, mobile peaks.

Which days are red or EJP is drawn by lot, within the rules of the real ones. All turns fall on
whole ten minutes.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from consometers_tic import Colour

from .contract import COLOURS, RATES, Option, Rate
from .world import SEGMENT_S
from .world.civil import PARIS, is_public_holiday, local
from .world.noise import unit

OFF_PEAK = {Option.TEMPO: (22, 6)}
"""Hours of legal time at which off-peak hours begin and end, where not 23 and 7."""
PEAK_NOTICE_S = 1800
"""How long before an EJP peak the notice of historique mode (PEJP) comes."""

_USUAL_OFF_PEAK = (23, 7)
_TEMPO_TURNS, _COLOUR_KNOWN = 6, 20
_EJP_KNOWN, _EJP_FIRST, _EJP_LAST = 17, 7, 1
_RED_DAYS, _WHITE_DAYS, _EJP_DAYS = 22, 43, 22
_RED_LOT, _WHITE_LOT, _EJP_LOT = 501, 502, 503
_COLD_MONTHS = (11, 12, 1, 2, 3)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Peak:
    """A mobile peak, in Unix seconds; `announced_at` is when the meter hears of it."""

    start: int
    end: int
    announced_at: int


@dataclass(frozen=True, slots=True)
class Period:
    """What the calendar says at one moment; `peaks` are those known and not over, up to three."""

    rate: Rate
    distributor_index: int
    colour_today: Colour | None
    colour_tomorrow: Colour | None
    peaks: tuple[Peak, ...]
    peak_now: int
    peak_notice: int


class Calendar:
    """One option's calendar. Further peaks can be announced."""

    def __init__(self, option: Option, seed: int = 1) -> None:
        self.option = option
        self._seed = seed
        self._announced: list[Peak] = []

    def announce(self, now: int, notice_s: int = 1800, lasts_s: int = 3600) -> Peak:
        """Announce a mobile peak that starts on the next ten minutes after the notice."""
        start = -(-(now + notice_s) // SEGMENT_S) * SEGMENT_S
        peak = Peak(start, start + -(-lasts_s // SEGMENT_S) * SEGMENT_S, now)
        self._announced.append(peak)
        return peak

    def at(self, second: int) -> Period:
        """Return what holds at a Unix time."""
        civil = local(second)
        peaks = self._peaks(second, civil)
        now = next((n for n, peak in enumerate(peaks, 1) if peak.start <= second), 0)
        notice = next((n for n, peak in enumerate(peaks, 1) if peak.start > second), 0)
        tempo = self.option is Option.TEMPO
        return Period(
            rate=self._rate(civil, peak=now > 0),
            distributor_index=self._distributor_index(civil),
            colour_today=self._colour_today(civil, peak=now > 0) if tempo else None,
            colour_tomorrow=self._colour_tomorrow(civil) if tempo else None,
            peaks=peaks,
            peak_now=now,
            peak_notice=notice,
        )

    def indexes_at(self, second: int) -> tuple[int, int]:
        """Return the supplier's and the distributor's index alone."""
        civil = local(second)
        peak = any(peak.start <= second for peak in self._peaks(second, civil))
        return self._rate(civil, peak=peak).index, self._distributor_index(civil)

    def _rate(self, civil: datetime, *, peak: bool) -> Rate:
        rates = RATES[self.option]
        match self.option:
            case Option.BASE | Option.PRODUCER:
                return rates[0]
            case Option.HC:
                return rates[0 if self._off_peak(civil) else 1]
            case Option.EJP:
                return rates[1 if peak else 0]
            case Option.TEMPO:
                colour = COLOURS.index(self._colour_today(civil, peak=peak))
                return rates[2 * colour + (0 if self._off_peak(civil) else 1)]

    def _distributor_index(self, civil: datetime) -> int:
        """Off-peak and peak hours of the cold season, then those of the warm one."""
        return (1 if self._off_peak(civil) else 2) + (0 if civil.month in _COLD_MONTHS else 2)

    def _off_peak(self, civil: datetime) -> bool:
        first, last = OFF_PEAK.get(self.option, _USUAL_OFF_PEAK)
        return civil.hour >= first or civil.hour < last

    def _colour_today(self, civil: datetime, *, peak: bool) -> Colour:
        day = civil.date() if civil.hour >= _TEMPO_TURNS else civil.date() - _DAY
        return Colour.RED if peak else self.colour(day)

    def _colour_tomorrow(self, civil: datetime) -> Colour | None:
        if civil.hour >= _COLOUR_KNOWN:
            return self.colour(civil.date() + _DAY)
        return self.colour(civil.date()) if civil.hour < _TEMPO_TURNS else None

    def colour(self, day: date) -> Colour:
        """Return the colour of the Tempo day that starts at six of that date."""
        red, white = _tempo_days(self._seed, day.year if day.month >= 9 else day.year - 1)
        return Colour.RED if day in red else Colour.WHITE if day in white else Colour.BLUE

    def _peaks(self, second: int, civil: datetime) -> tuple[Peak, ...]:
        peaks = [*self._announced]
        if self.option in (Option.EJP, Option.TEMPO):
            peaks += (
                peak
                for days in (-1, 0, 1)
                if (peak := self._peak_of(civil.date() + days * _DAY)) is not None
            )
        alive = [peak for peak in peaks if peak.announced_at <= second < peak.end]
        return tuple(sorted(alive, key=lambda peak: peak.start)[:3])

    def _peak_of(self, day: date) -> Peak | None:
        if self.option is Option.TEMPO:
            if self.colour(day) is not Colour.RED:
                return None
            return Peak(
                _unix(day, _TEMPO_TURNS),
                _unix(day + _DAY, _TEMPO_TURNS),
                _unix(day - _DAY, _COLOUR_KNOWN),
            )
        winter = day.year if day.month >= 9 else day.year - 1
        if day not in _ejp_days(self._seed, winter):
            return None
        return Peak(
            _unix(day, _EJP_FIRST), _unix(day + _DAY, _EJP_LAST), _unix(day - _DAY, _EJP_KNOWN)
        )


def _unix(day: date, hour: int) -> int:
    return int(datetime.combine(day, time(hour), PARIS).timestamp())


def _winter(year: int) -> list[date]:
    first = date(year, 11, 1)
    days = (first + n * _DAY for n in range(151))
    return [day for day in days if day.weekday() < 5 and not is_public_holiday(day)]


def _by_lot(days: list[date], seed: int, count: int) -> frozenset[date]:
    return frozenset(sorted(days, key=lambda day: unit(seed, day.toordinal()))[:count])


@lru_cache(maxsize=16)
def _ejp_days(seed: int, year: int) -> frozenset[date]:
    return _by_lot(_winter(year), seed + _EJP_LOT, _EJP_DAYS)


@lru_cache(maxsize=16)
def _tempo_days(seed: int, year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Return the red and the white days from September of that year to August of the next."""
    red = _by_lot(_winter(year), seed + _RED_LOT, _RED_DAYS)
    first = date(year, 10, 1)
    days = (first + n * _DAY for n in range(240))
    white = [day for day in days if day.weekday() < 6 and day not in red]
    return red, _by_lot(white, seed + _WHITE_LOT, _WHITE_DAYS)
