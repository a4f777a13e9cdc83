"""Records as they leave: the energy of an interval as its mean power, that of a civil day in Wh."""

from collections.abc import Iterable

from consometers_node.quoalise import Data, Identifier, Number, Records, describe
from consometers_node.series import Interval, Quantity, Record, Series

from .naming import device_type
from .needs import write_interval

_HOUR_MINUTES = 60


def told(name: Identifier, series: Series, records: Iterable[Record]) -> Data:
    """Give what a peer is told of a series, under the name that it has there."""
    unit, factor = _scale(series)
    values: dict[Number, Number] = {
        int(record.start.timestamp()): record.value * factor for record in records
    }
    metadata = describe(name, write_interval(series.interval), device_type(series))
    return Data(metadata, (Records(str(name), unit, values),) if values else ())


def unit(series: Series) -> str:
    """Give the unit of a series as it leaves."""
    return _scale(series)[0]


def _scale(series: Series) -> tuple[str, int]:
    if series.quantity is Quantity.POWER:
        return Quantity.POWER.unit, 1
    if series.interval is Interval.P1D:
        return Quantity.ENERGY.unit, 1
    # An hour holds a whole number of each interval, so that no Wh is lost.
    return Quantity.POWER.unit, _HOUR_MINUTES // series.interval.minutes
