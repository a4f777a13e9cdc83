"""Outgoing records: the energy of an interval as its mean power, that of a civil day in Wh.

Beside the values of a collective stand how many members each of them sums, and whether homes are
missing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from consometers_node.series import Interval, Quantity, Record, Series
from consometers_quoalise import Data, Identifier, Number, Records, describe
from consometers_quoalise.records.metadata import COUNT

from .naming import device_type
from .needs import write_interval

_HOUR_MINUTES = 60

type Beside = Mapping[str, Mapping[datetime, int]]
"""Counts beside the values of a collective, by the path of their series."""

NOTHING_BESIDE: Beside = MappingProxyType({})


def encode_series(
    name: Identifier, series: Series, records: Iterable[Record], beside: Beside = NOTHING_BESIDE
) -> Data:
    """Return the description of a series for a peer, under the name that it has there.

    Under the name of a series `beside` it, that one comes alone.
    """
    value_unit, factor = _scale(series)
    summed = name.summed or name
    parts = [(summed, value_unit, _values(records, factor))]
    for path, counts in beside.items():
        values: dict[Number, Number] = {int(at.timestamp()): n for at, n in counts.items()}
        parts.append((summed.beside(path), COUNT, values))
    if name.summed is not None:
        parts = [part for part in parts if part[0] == name]
    return Data(
        describe(name, write_interval(series.interval), device_type(series, name)),
        tuple(
            Records(str(identifier), unit, values) for identifier, unit, values in parts if values
        ),
    )


def unit(series: Series) -> str:
    """Return the unit of a series as it leaves."""
    return _scale(series)[0]


def _values(records: Iterable[Record], factor: int) -> dict[Number, Number]:
    return {int(record.start.timestamp()): record.value * factor for record in records}


def _scale(series: Series) -> tuple[str, int]:
    if series.quantity.is_mean or series.interval is Interval.P1D:
        return series.quantity.unit, 1
    # An hour holds a whole number of each interval, so that no Wh is lost.
    return Quantity.POWER.unit, _HOUR_MINUTES // series.interval.minutes
