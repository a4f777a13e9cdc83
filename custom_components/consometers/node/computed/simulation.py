"""What a home would have received of what members injected: a simulation. Pure.

Code de l'énergie, L315-2 and D315-4: in each interval, a home of a collective self-consumption
operation is allocated what is produced times its coefficient, at most what it used. Without
coefficients it is allocated in proportion to its use (D315-6). What a home cannot use of its part
goes to no other home: it stays the surplus of those who produced it.

So the parts of all members add up to what the collective's page shows as shared locally, the
smaller of injection and consumption, where they are in proportion to use. Equal and fixed parts,
which do not follow the use of an hour, add up to that at most.

A real operation counts half hours; Home Assistant keeps hours. Each energy is rounded down, to a
sixteenth of a Wh, whose sums are exact.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import Final

_SIXTEENTHS: Final = 16
_MEAN_WITHIN: Final = 1 / (2 * _SIXTEENTHS)
"""A published mean is rounded to a sixteenth of a Wh."""
_KWH: Final = 1_000


class Key(StrEnum):
    """The key that divides the injection among homes."""

    USE = "use"
    EQUAL = "equal"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Meter:
    """The home's consumption: statistics, and those with a price, in € per kWh."""

    drawn: tuple[str, ...] = ()
    prices: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour, in Wh: what members injected and drew, what this home drew, and a mean member."""

    start: float
    injected: float
    drawn: float
    own: float
    per_member: float | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """What the home would have received in an hour, of what it drew, in Wh.

    `price` is what a kWh from the grid cost it, in €.
    """

    start: float
    received: float
    own: float
    price: float | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """Allocations of a time, together."""

    received: float
    own: float
    at_usual_price: float
    """What was received in hours of which no price of the home is known."""
    saved: float | None
    """In €; None without prices of the collective."""
    hours: int
    of_hours: int
    """How many hours are in it, of those from its beginning to the last known one."""

    @property
    def covered(self) -> float | None:
        """Which share of its consumption the home would have received; None of nothing."""
        return self.received / self.own if self.own else None


def received(hour: Hour, key: Key, coefficient: float = 0.0) -> float | None:
    """Return what a home would have received in an hour; None where its part is unknown.

    `coefficient` is its fixed part of one.
    """
    match key:
        case Key.USE:
            # A home that does not share is not in the sum.
            whole = max(hour.drawn, hour.own)
            part = hour.injected * hour.own / whole if whole else 0.0
        case Key.EQUAL:
            if hour.per_member is None or hour.per_member <= _MEAN_WITHIN or not hour.drawn:
                return None
            # The largest number of members that has such a mean: no part is too large.
            members = floor(hour.drawn / (hour.per_member - _MEAN_WITHIN))
            part = hour.injected / max(1, members)
        case Key.FIXED:
            part = hour.injected * coefficient
    return floor(min(part, hour.own) * _SIXTEENTHS) / _SIXTEENTHS


def nearest(energy: float) -> float:
    """Return an energy in whole sixteenths of a Wh, as all sums are: the recorder has kWh."""
    return round(energy * _SIXTEENTHS) / _SIXTEENTHS


def price(priced: Iterable[tuple[float | None, float]]) -> float | None:
    """Return the mean price of an hour, of what each index counted and what a kWh costs by it."""
    counted = [(energy, each) for energy, each in priced if energy is not None and energy > 0]
    total = sum(energy for energy, _ in counted)
    return sum(energy * each for energy, each in counted) / total if total else None


def together(
    allocations: Iterable[Allocation],
    of_hours: int,
    local_price: float | None,
    usual_price: float | None,
) -> Period | None:
    """Return a period of some of its hours; None without any. Prices are in € per kWh.

    Where the home's own is not known, the usual one of the grid counts.
    """
    hours = list(allocations)
    if not hours:
        return None
    saved = None
    if local_price is not None and usual_price is not None:
        prices = [usual_price if hour.price is None else hour.price for hour in hours]
        saved = sum(
            hour.received / _KWH * (grid_price - local_price)
            for hour, grid_price in zip(hours, prices, strict=True)
        )
    return Period(
        received=sum(hour.received for hour in hours),
        own=sum(hour.own for hour in hours),
        at_usual_price=sum(hour.received for hour in hours if hour.price is None),
        saved=saved,
        hours=len(hours),
        of_hours=of_hours,
    )
