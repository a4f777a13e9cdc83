"""The statistics of a home that may become series, and those that a collective's sums become."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from consometers_node.i18n.text import Text
from consometers_node.series import Device, Direction, Interval, Quantity, Series

StatisticId = NewType("StatisticId", str)
"""An entity's id for what the recorder made of its states, `domain:name` for what was imported."""

IN_COMMON = "consometers:collective_"
"""Prefixes of the statistics of a collective's sums: none of them is this home's."""

AVERAGES = "consometers:average_"
"""Prefixes of the statistics of a collective's consumption per home."""

PARTS = "consometers:part_"
"""Prefixes of the statistics of this home's part of a plant: made elsewhere, for it."""

SIMULATIONS = "consometers:simulated_"
"""Prefixes of what the integration computes from a collective's sums and this home's meter."""

FROM_COLLECTIVES = (IN_COMMON, AVERAGES, PARTS)
"""Those that this node writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsRow:
    """One row of the recorder, stamped at its start: `sum` and `state` in Wh, `mean` in W."""

    start: datetime
    sum: float | None = None
    state: float | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """A statistic of energy, with a sum, or of power, with a mean."""

    id: StatisticId
    quantity: Quantity
    name: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A statistic that a household may share, which states or corrects its direction."""

    statistic: Statistic
    direction: Direction | None = None
    """None where it is unknown, such as for a battery, or a power that goes both ways."""
    on_dashboard: bool = False
    """Whether the Energy dashboard shows it."""
    subscribed_kva: int | None = None
    """The subscribed power of its meter; None where it is no register of a meter that says it."""

    def series(self, interval: Interval, time_zone: str, direction: Direction) -> Series:
        """Return the series at an interval, in a direction."""
        device = Device(self.statistic.id)
        return Series(device, direction, self.statistic.quantity, interval, time_zone)


def statistic_id(series: Series) -> StatisticId:
    """Return the statistic of a series, which is the name of its device."""
    return StatisticId(series.device)


def is_imported(series: Series) -> bool:
    """Return whether an integration imports a series from elsewhere, such as a supplier's portal.

    The id of its statistic has a domain before a colon then; an entity's id has none.
    """
    return ":" in series.device
