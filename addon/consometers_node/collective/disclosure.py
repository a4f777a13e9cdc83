"""What of a collective's sums may leave: thresholds, dominance, and what could be subtracted.

Figures in, `Released` or `Withheld` out, with words for people. docs/disclosure.md has the reasons:
whatever is published is a sum of parts that share no home in any interval, and each of these parts
passes by itself. So nothing that is computed from what was published says more than they do.

Sums are in watt-minutes. Only homes hide each other: a site chose to be named, and what a
collective below tells was released by itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import NewType

from ..quoalise.text import Text, text
from ..series import Direction, Interval

WattMinutes = NewType("WattMinutes", int)
"""Mean power in W by the minutes of an interval: 60 are a Wh."""

LEAST_MINIMUM = 3
"""Of two homes, each would know the other's."""
DEFAULT_MINIMUM = 10
MOST_OF_ONE_PERCENT = 85
"""What one home may be of a figure (Insee's rule of dominance)."""

_DAY = timedelta(days=1)
_ANY = timedelta.max


@dataclass(frozen=True, slots=True)
class Threshold:
    """How many points a series wants whose step and length are these, or longer and shorter.

    None is never.
    """

    step: timedelta
    length: timedelta
    consumption: int | None
    injection: int | None

    def points(self, direction: Direction) -> int | None:
        """Give how many of the points that a direction is counted at. Panels inject."""
        return self.consumption if direction is Direction.CONSUMPTION else self.injection


LAW = (
    Threshold(_DAY, _ANY, 100, 10),
    Threshold(timedelta(minutes=30), _DAY, 100, 10),
    Threshold(timedelta(minutes=30), 31 * _DAY, 500, 50),
    Threshold(timedelta(minutes=30), _ANY, 5_000, None),
)
"""Code de l'énergie, D111-63. It binds network operators; here it is for what anybody may read."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """Members agreed to sums of so many of them. Raises ValueError under `LEAST_MINIMUM`."""

    minimum: int = DEFAULT_MINIMUM

    def __post_init__(self) -> None:
        if self.minimum < LEAST_MINIMUM:
            raise ValueError(f"a sum is of {LEAST_MINIMUM} homes or more, not of {self.minimum}")

    def needed(self, direction: Direction, interval: Interval) -> int | None:
        """Give how many homes a figure wants."""
        return self.minimum


@dataclass(frozen=True, slots=True)
class ByLaw:
    """Nobody agreed to more than what the law lets anybody publish.

    What is published can be collected, so a series has no end.
    """

    def needed(self, direction: Direction, interval: Interval) -> int | None:
        """Give how many homes a figure wants; None where no number is enough."""
        return points(timedelta(minutes=interval.minutes), _ANY, direction)


type Basis = Agreed | ByLaw


def points(step: timedelta, length: timedelta, direction: Direction) -> int | None:
    """Give how many points the law wants for a series; None where no number is enough."""
    rows = [row for row in LAW if row.step <= step and length <= row.length]
    enough = [count for row in rows if (count := row.points(direction)) is not None]
    return min(enough, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """How a collective publishes: on which basis, at which step beside days, and how soon.

    What has not come when an interval ended `wait` ago is late (a day: `day_wait`), and what came
    is settled when it has not changed for as long. Raises ValueError.
    """

    basis: Basis
    interval: Interval = Interval.PT1H
    wait: timedelta = timedelta(minutes=20)
    day_wait: timedelta = timedelta(hours=12)

    def __post_init__(self) -> None:
        if self.interval is Interval.P1D:
            raise ValueError("days are published anyway: the step beside them is finer")

    def needed(self, direction: Direction, interval: Interval) -> int | None:
        """Give how many homes a figure wants; None where no number is enough."""
        return self.basis.needed(direction, interval)

    def waits(self, interval: Interval) -> timedelta:
        """Give how long after its end an interval waits for whoever is late."""
        return self.day_wait if interval is Interval.P1D else self.wait


class Reason(IntEnum):
    """Why a figure is withheld, in a byte; the first two say that it is not."""

    NONE = 0
    HOURS = 1
    """A day that is the sum of its hours, which were released."""
    NOT_YET = 2
    TOO_FEW = 3
    DOMINATED = 4
    SUBTRACTED = 5
    NEVER = 6
    SUMMED = 7
    STEP = 8
    PARTLY = 9
    RULES = 10
    """Too few, when it was decided: fewer are enough since."""

    @property
    def is_out(self) -> bool:
        """Tell whether the figure was released."""
        return self in {Reason.NONE, Reason.HOURS}


_WORDS = {
    Reason.NOT_YET: text("withheld: not everybody has told yet", "masqué : il manque des relevés"),
    Reason.TOO_FEW: text(
        "withheld: it takes {need} homes at least, and there are {have}",
        "masqué : il faut au moins {need} foyers, il y en a {have}",
    ),
    Reason.DOMINATED: text(
        "withheld: one home makes most of it",
        "masqué : un seul foyer en fait la plus grande partie",
    ),
    Reason.SUBTRACTED: text(
        "withheld: with it, one could compute the figure of a group that is too small",
        "masqué : il permettrait de calculer le chiffre d’un groupe trop petit",
    ),
    Reason.NEVER: text(
        "withheld: a figure of so short a time is not published, whatever the number of homes",
        "masqué : un chiffre d’une durée si courte ne se publie pas, quel que soit le nombre de"
        " foyers",
    ),
    Reason.SUMMED: text(
        "withheld: it is counted in its day", "masqué : il est compté dans sa journée"
    ),
    Reason.STEP: text(
        "withheld: this day is published at another step",
        "masqué : ce jour est publié à un autre pas de temps",
    ),
    Reason.PARTLY: text(
        "withheld: some of its hours are", "masqué : une partie de ses heures l’est"
    ),
    Reason.RULES: text(
        "withheld: it took more homes at that time",
        "masqué : il fallait plus de foyers à ce moment-là",
    ),
}


@dataclass(frozen=True, slots=True)
class Released:
    """A figure that may leave: the energy, and how many members it sums."""

    watt_minutes: WattMinutes
    members: int


@dataclass(frozen=True, slots=True)
class Withheld:
    """A figure that may not leave, and why: so many homes there are, and so many it takes."""

    reason: Reason
    have: int = 0
    need: int | None = None

    @property
    def words(self) -> Text:
        """Give what people read in its place."""
        return _WORDS[self.reason].fill(have=self.have, need=self.need)


type Figure = Released | Withheld


@dataclass(frozen=True, slots=True)
class Quartiles:
    """How homes differ: a quarter, a half and three quarters of them have at most this."""

    homes: int
    lower: WattMinutes
    median: WattMinutes
    upper: WattMinutes


def quartiles(
    homes: int, lower: int, median: int, upper: int, need: int | None
) -> Quartiles | Withheld:
    """Give quartiles, each of which is what one home has, as far as they may leave.

    There are enough homes in each quarter to hide each other, and of each value no more than two
    digits are told.
    """
    if need is None:
        return Withheld(Reason.NEVER, homes)
    least = max(need, 4 * LEAST_MINIMUM)
    if homes < least:
        return Withheld(Reason.TOO_FEW, homes, least)
    return Quartiles(homes, *(WattMinutes(_two_digits(one)) for one in (lower, median, upper)))


def _two_digits(value: int) -> int:
    step = int("1".ljust(len(str(value)) - 1, "0"))
    return (value + step // 2) // step * step


@dataclass(frozen=True, slots=True)
class Cell:
    """What the homes of a group have together in one interval.

    `largest` is the most that one of them has in it, or something above. `below` counts the
    members of collectives whose own sums are added to it.
    """

    watt_minutes: int
    homes: int
    largest: int
    below: int = 0

    @classmethod
    def of(cls, parts: Iterable[int]) -> Cell:
        """Give the cell of these homes, from what each has in it."""
        each = [abs(part) for part in parts]
        return cls(sum(each), len(each), max(each, default=0))

    def without(self, other: Cell) -> Cell:
        """Give the cell of those who are in this one and not in the other, which it holds."""
        rest = self.watt_minutes - other.watt_minutes
        largest = min(self.largest, rest)
        return Cell(rest, self.homes - other.homes, largest, self.below - other.below)

    def also(self, other: Cell) -> Cell:
        """Give the cell of both, which hold nobody in common."""
        return Cell(
            self.watt_minutes + other.watt_minutes,
            self.homes + other.homes,
            max(self.largest, other.largest),
            self.below + other.below,
        )


NOBODY = Cell(0, 0, 0)


def fault(cell: Cell, need: int | None) -> Withheld | None:
    """Tell why a cell may not leave; None if it may.

    Where there are homes, they are enough by themselves: what collectives below tell is known.
    """
    if need is None:
        return Withheld(Reason.NEVER, cell.homes)
    count = cell.homes or cell.below
    if count < need:
        return Withheld(Reason.TOO_FEW, count, need)
    if cell.largest * 100 > cell.watt_minutes * MOST_OF_ONE_PERCENT:
        return Withheld(Reason.DOMINATED, cell.homes, need)
    return None


@dataclass(frozen=True, slots=True)
class Parting[K]:
    """What of a whole and its children may leave: `None`, or why not.

    If the whole may, so may `rest`: what is in it and in no child that may.
    """

    whole: Withheld | None
    children: Mapping[K, Withheld | None]
    rest: Cell


def part[K](whole: Cell, children: Mapping[K, Cell], need: int | None) -> Parting[K]:
    """Part a whole in children that share nobody, so that what each leaves over passes as well.

    The smallest child that passes is withheld until what is in no published child passes, or is
    nobody. Children need not make up the whole.
    """
    why = {key: fault(cell, need) for key, cell in children.items()}
    shown = sorted(
        (key for key, reason in why.items() if reason is None),
        key=lambda key: (children[key].homes, children[key].below),
    )
    rest = whole
    for key in shown:
        rest = rest.without(children[key])
    while (rest.homes or rest.below) and fault(rest, need) is not None:
        if not shown:
            return Parting(fault(whole, need), why, whole)
        hidden = shown.pop(0)
        why[hidden] = Withheld(Reason.SUBTRACTED, children[hidden].homes, need)
        # Added up anew: what is above the largest of the rest may be less by now.
        rest = whole
        for key in shown:
            rest = rest.without(children[key])
    if not shown:
        return Parting(fault(whole, need), why, whole)
    return Parting(None, why, rest)
