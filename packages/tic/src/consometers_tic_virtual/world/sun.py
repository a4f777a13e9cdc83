"""The sun over Lorient, the clouds, and what panels make of them.

The sun's place follows the Astronomical Almanac's short formula (0.01 degree); the clear sky is
Haurwitz's, the clouds' shade Kasten and Czeplak's.
"""

from dataclasses import dataclass
from math import asin, atan2, cos, exp, pi, pow, radians, sin

from .noise import smooth

LATITUDE, LONGITUDE = 47.75, -3.37
_SIN_LAT, _COS_LAT = sin(radians(LATITUDE)), cos(radians(LATITUDE))
_J2000_S = 946_728_000
_DAY_S = 86_400
_TILT = radians(30)
_SIN_TILTED, _COS_TILTED = sin(radians(LATITUDE) - _TILT), cos(radians(LATITUDE) - _TILT)
_SKY_SEEN = (1 + cos(_TILT)) / 2
_LOSSES = 0.78
_INVERTER_PER_KWP_W = 900
_WEATHER, _HOURS, _GUSTS = 101, 102, 103


@dataclass(frozen=True, slots=True)
class SunDay:
    """The sun's declination on one UTC day and the second of it at which it stands in the south."""

    sin_declination: float
    cos_declination: float
    noon_s: float

    @classmethod
    def of(cls, day: int) -> SunDay:
        """Return that of a day, counted from 1970."""
        n = (day * _DAY_S + _DAY_S / 2 - _J2000_S) / _DAY_S
        mean = radians((280.460 + 0.9856474 * n) % 360)
        anomaly = radians((357.528 + 0.9856003 * n) % 360)
        ecliptic = mean + radians(1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
        obliquity = radians(23.439)
        declination = asin(sin(obliquity) * sin(ecliptic))
        ascension = atan2(cos(obliquity) * sin(ecliptic), cos(ecliptic))
        equation = (mean - ascension + pi) % (2 * pi) - pi
        noon = _DAY_S / 2 - (LONGITUDE / 360 + equation / (2 * pi)) * _DAY_S
        return cls(sin(declination), cos(declination), noon)

    def sin_elevation(self, second_of_day: float) -> float:
        """Return the sine of the sun's height; below 0 it is night."""
        return _SIN_LAT * self.sin_declination + _COS_LAT * self.cos_declination * cos(
            self._hour_angle(second_of_day)
        )

    def on_panels(self, second_of_day: float) -> float:
        """Return the cosine of the angle between the sun and panels that face south."""
        return _SIN_TILTED * self.sin_declination + _COS_TILTED * self.cos_declination * cos(
            self._hour_angle(second_of_day)
        )

    def _hour_angle(self, second_of_day: float) -> float:
        return (second_of_day - self.noon_s) * (2 * pi / _DAY_S)


def clouds(seed: int, second: float) -> float:
    """Return the part of the sky that is covered, 0 to 1. Winters are grey."""
    weather = smooth(seed + _WEATHER, second / (1.7 * _DAY_S))
    hours = smooth(seed + _HOURS, second / 14_400)
    gusts = smooth(seed + _GUSTS, second / 1500)
    winter = cos(2 * pi * (second / _DAY_S - 15) / 365.25)
    cover = 1.2 * weather + 0.7 * (hours - 0.5) + 0.45 * (gusts - 0.5) + 0.13 * winter
    return min(1.0, max(0.0, cover))


def production_w(sun: SunDay, second_of_day: float, cover: float, kwp: float) -> float:
    """Return the power of panels of that peak power, tilted by 30 degrees to the south."""
    height = sun.sin_elevation(second_of_day)
    if height <= 0 or kwp == 0:
        return 0.0
    horizontal = 1098 * height * exp(-0.057 / height) * (1 - 0.75 * pow(cover, 3.4))
    diffuse = 0.15 + 0.85 * pow(cover, 1.5)
    beam = min(4.0, max(0.0, sun.on_panels(second_of_day)) / height)
    plane = horizontal * ((1 - diffuse) * beam + diffuse * _SKY_SEEN)
    return min(kwp * plane * _LOSSES, kwp * _INVERTER_PER_KWP_W)
