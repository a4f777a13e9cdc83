"""The hours of a series before its meter was read, from the energies of a file. Pure."""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from ..enedis_files import Kind, Reading, Series
from ..recorder.rows import HOUR_S, Row

_FINEST_FIRST: Final = (Kind.CURVE, Kind.DAYS, Kind.REGISTERS)
_HOUR: Final = timedelta(hours=1)


def hours(series: Iterable[Series], until: float) -> list[Row]:
    """Return the sums at the end of hours up to a moment, which begin at zero.

    An hour of which a step is missing has no row, and its energy is not counted. A day without a
    curve has its energy in its last hour: at its end the sum is right, before it nothing is known.
    """
    energies: dict[float, float] = {}
    covered: dict[float, float] = {}
    for each in _finest(series):
        start, end = each.start.timestamp(), each.end.timestamp()
        if end > until:
            continue
        hour = (end - 1) // HOUR_S * HOUR_S
        energies[hour] = energies.get(hour, 0.0) + each.energy_wh
        seconds = HOUR_S if each.length > _HOUR else end - max(start, hour)
        covered[hour] = covered.get(hour, 0.0) + seconds
    rows, sum_wh = [], 0.0
    for hour in sorted(energies):
        if covered[hour] >= HOUR_S and hour + HOUR_S <= until:
            sum_wh += energies[hour]
            rows.append(Row(start=hour, end=hour + HOUR_S, sum_wh=sum_wh, state_wh=None))
    return rows


def _finest(series: Iterable[Series]) -> list[Reading]:
    """Return the readings of all kinds; one that overlaps a finer one is left out."""
    chosen: list[Reading] = []
    for each in sorted(series, key=lambda each: _FINEST_FIRST.index(each.kind)):
        ends = [reading.end for reading in chosen]
        more = []
        for reading in each.readings:
            # The first of those that end after it begins.
            place = bisect_left(ends, reading.start + timedelta(microseconds=1))
            if place == len(chosen) or chosen[place].start >= reading.end:
                more.append(reading)
        chosen = sorted([*chosen, *more], key=lambda reading: reading.end)
    return chosen
