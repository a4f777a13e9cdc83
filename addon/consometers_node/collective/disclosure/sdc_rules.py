"""The rules of statistical disclosure control: which sums of homes may be published. Pure.

A *cell* is one figure: the homes of a group, in one direction, in one interval. It is published, or
suppressed for a `Reason`. All is in watt-minutes, of which 60 are a Wh. docs/disclosure.md says
which attack each rule answers. Only homes hide each other: a site chose to be named, and what a
collective below publishes is public.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from heapq import nlargest

from consometers_node.series import Direction, Interval

from .reasons import Reason, Withheld

LEAST_MINIMUM = 3
"""Of two homes, each would know the other's."""
DEFAULT_MINIMUM = 10
P_PERCENT = range(18, 31)
"""The bounds of p: nobody may estimate a home's part more closely than the lower one (p % rule).

That contains Insee's rule of dominance, by which one home is at most 85 % of a figure. Within these
bounds p is confidential: see `confidential`.
"""
NOT_ZERO = 5
"""The least number of homes of a cell that are not zero, where any is; or its minimum, if less."""
LONGEST_WAIT = timedelta(hours=48)
"""The most that an administrator may choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """How a collective publishes: sums of how many homes, at which step beside days, how soon.

    Members agreed to sums of a `minimum` of them. Without one they agreed to nothing more than what
    the law lets anybody publish; what is published can be collected, so a series has no end.

    An interval waits for homes that have not sent its record until nothing new has come for `wait`,
    and for `longest_wait` at most; a day, for homes that send days alone, for `day_wait`. Raises
    ValueError.
    """

    minimum: int | None = DEFAULT_MINIMUM
    interval: Interval = Interval.PT1H
    wait: timedelta = timedelta(minutes=20)
    longest_wait: timedelta = timedelta(hours=2)
    day_wait: timedelta = timedelta(hours=12)

    def __post_init__(self) -> None:
        if self.minimum is not None and self.minimum < LEAST_MINIMUM:
            raise ValueError(f"a sum is of {LEAST_MINIMUM} homes or more, not of {self.minimum}")
        if self.interval is Interval.P1D:
            raise ValueError("days are published anyway: the step beside them is finer")
        if not self.wait <= self.longest_wait <= LONGEST_WAIT:
            raise ValueError("the longest wait is no shorter than the wait, and 48 hours at most")

    def needed(self, direction: Direction, interval: Interval) -> int | None:
        """Return how many homes a figure takes; None where no number is enough."""
        if self.minimum is not None:
            return self.minimum
        return _by_law(direction, interval)

    def is_over(self, *, is_complete: bool, since_end: timedelta, quiet: timedelta) -> bool:
        """Return whether an interval closes now.

        `is_complete`: all expected homes have sent its record. `since_end`: time since it ended,
        `quiet` since the last new record of it or its end, both while the collective was online.
        """
        if is_complete or since_end >= self.longest_wait:
            return True
        return since_end >= self.wait and quiet >= self.wait


def _by_law(direction: Direction, interval: Interval) -> int | None:
    """Return how many points a series without an end takes; None where no number is enough.

    Code de l'énergie, D111-63. It binds network operators; here it is for what anybody may read.
    What it does not name takes the most points that it names, or is never published.
    """
    if interval is Interval.P1D:
        return 10 if direction in {Direction.INJECTION, Direction.PRODUCTION} else 100
    return 5_000 if direction is Direction.CONSUMPTION and interval.minutes >= 30 else None


@dataclass(frozen=True, slots=True)
class Quartiles:
    """The quartiles of homes: a quarter, a half and three quarters of them have at most this."""

    homes: int
    lower: int
    median: int
    upper: int


def quartiles(
    homes: int, lower: int, median: int, upper: int, need: int | None
) -> Quartiles | Withheld:
    """Return quartiles, each of which is what one home has, as far as they may leave.

    There are enough homes in each quarter to hide each other, and of each value no more than two
    digits are published.
    """
    if need is None:
        return Withheld(Reason.NEVER)
    least = max(need, 4 * LEAST_MINIMUM)
    if homes < least:
        return Withheld(Reason.BELOW_THRESHOLD, least)
    return Quartiles(homes, *map(_two_digits, (lower, median, upper)))


def _two_digits(value: int) -> int:
    step = int("1".ljust(len(str(value)) - 1, "0"))
    return (value + step // 2) // step * step


@dataclass(frozen=True, slots=True)
class Cell:
    """The sum of some homes in one interval, with its two largest parts, and whose these are.

    `not_zero` is how many of the parts are not zero.
    """

    watt_minutes: int = 0
    homes: int = 0
    not_zero: int = 0
    largest: int = 0
    second: int = 0
    largest_home: int = 0
    second_home: int = 0

    @classmethod
    def of(cls, parts: Sequence[int], homes: Sequence[int]) -> Cell:
        """Return the cell of these homes, numbers from 1 on; no part of them is negative."""
        pairs = zip(parts, homes, strict=True)
        (largest, home), (second, other), *_ = [*nlargest(2, pairs), (0, 0), (0, 0)]
        not_zero = len(parts) - parts.count(0)
        return cls(sum(parts), len(parts), not_zero, largest, second, home, other)

    def __mul__(self, minutes: int) -> Cell:
        """Return the cell of homes each of whose parts is so many times as large."""
        return replace(
            self,
            watt_minutes=self.watt_minutes * minutes,
            largest=self.largest * minutes,
            second=self.second * minutes,
        )

    def __add__(self, other: Cell) -> Cell:
        """Return the cell of both, which have no home in common."""
        (largest, home), (second, next_home), *_ = sorted(
            (
                (self.largest, self.largest_home),
                (self.second, self.second_home),
                (other.largest, other.largest_home),
                (other.second, other.second_home),
            ),
            reverse=True,
        )
        return Cell(
            self.watt_minutes + other.watt_minutes,
            self.homes + other.homes,
            self.not_zero + other.not_zero,
            largest,
            second,
            home,
            next_home,
        )

    @property
    def pair(self) -> tuple[int, int]:
        """The homes of the two largest parts, whichever is larger."""
        return min(self.largest_home, self.second_home), max(self.largest_home, self.second_home)

    def suppression(self, minimum: int | None, p: Callable[[Cell], int]) -> Reason | None:
        """Return why the cell may not be published; None if it may.

        `minimum` is how many homes the threshold rule wants, None if no number is enough; `p`
        returns the parameter of the p % rule for a cell, in hundredths of a percent. The rule holds
        against each home of the cell, also one that lies about itself: what is left without the two
        largest parts hides the largest from the second.
        """
        if minimum is None:
            return Reason.NEVER
        if self.homes < minimum:
            return Reason.BELOW_THRESHOLD
        if self.watt_minutes and self.not_zero < min(NOT_ZERO, minimum):
            return Reason.DOMINANCE
        hidden_in = 100 * (self.watt_minutes - self.largest - self.second)
        if hidden_in >= P_PERCENT[-1] * self.largest:
            return None
        if hidden_in < P_PERCENT[0] * self.largest or 100 * hidden_in < p(self) * self.largest:
            return Reason.DOMINANCE
        return None
