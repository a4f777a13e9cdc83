"""Published figures of intervals: of one, and of many together. Pure.

Sums and rates are computed of published cells alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from itertools import dropwhile, groupby
from typing import NamedTuple, Self

from ...series import Direction
from ...store.publication import PublishedCell, SharedEnergy
from ..disclosure.sdc_rules import Reason, Withheld
from .member_values import WH

_BOTH = (Direction.PRODUCTION, Direction.INJECTION)
_ALL_THREE = (*_BOTH, Direction.CONSUMPTION)

type Figure = PublishedCell | Withheld


class TimeSlot(NamedTuple):
    """An interval, in the time of the collective, with the published cell of each direction."""

    start: datetime
    end: datetime
    minutes: int
    """How long it is."""
    figures: Mapping[Direction, Figure]
    shared: SharedEnergy | None = None
    """The energy that members shared in it; None where that is not computed."""

    def cell(self, direction: Direction) -> PublishedCell | None:
        """Return what was published of a direction; None if nothing was."""
        figure = self.figures.get(direction)
        return figure if isinstance(figure, PublishedCell) else None

    @property
    def published(self) -> int:
        """How many directions were published."""
        return sum(isinstance(figure, PublishedCell) for figure in self.figures.values())


type Slots = Sequence[TimeSlot]


class Amount(NamedTuple):
    """Energy of some intervals, of which `published` were, of `ended` in all; else why it is not.

    `minutes` of `minutes_ended` were published; `in_part`: a day among them is not whole.
    `members`, of `members_counting` that counted, is the most that one of them sums; `per_member`
    is the average of one member, which is that of a home where there `are_homes` alone. In
    `lacking` of them, homes count that are not in it.
    """

    watt_minutes: int | None = None
    members: int = 0
    published: int = 0
    ended: int = 0
    why: Withheld | None = None
    per_member: int | None = None
    members_counting: int = 0
    are_homes: bool = True
    minutes: int = 0
    minutes_ended: int = 0
    lacking: int = 0
    in_part: bool = False

    @classmethod
    def of(cls, slots: Slots, direction: Direction) -> Self:
        """Return the sum of the published cells of a direction."""
        cells: list[PublishedCell] = []
        hidden: list[Withheld] = []
        minutes, in_part = 0, False
        for slot in slots:
            figure = slot.figures[direction]
            minutes += slot.minutes
            if isinstance(figure, Withheld):
                hidden.append(figure)
            else:
                cells.append(figure)
                in_part |= figure.minutes < slot.minutes
        if not cells:
            return cls(ended=len(hidden), why=weightiest(hidden), minutes_ended=minutes)
        return cls(
            sum([cell.watt_minutes for cell in cells]),
            max([cell.members for cell in cells]),
            len(cells),
            len(slots),
            None,
            sum([cell.per_member for cell in cells]),
            max([cell.members_counting for cell in cells]),
            all(cell.members == cell.homes for cell in cells),
            sum([cell.minutes for cell in cells]),
            minutes,
            sum([cell.lacks_homes for cell in cells]),
            in_part,
        )

    @property
    def wh(self) -> float | None:
        """The energy in Wh; None where none was published."""
        return _wh(self.watt_minutes)

    @property
    def per_member_wh(self) -> float | None:
        """The average of one member in Wh."""
        return _wh(self.per_member)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing from it."""
        return self.minutes >= self.minutes_ended and not self.lacking

    @property
    def hours(self) -> float:
        """How many hours were published."""
        return self.minutes / 60

    @property
    def hours_ended(self) -> float:
        """How many hours there were."""
        return self.minutes_ended / 60

    @property
    def how_many(self) -> tuple[int, int, int, int]:
        """Its days, published and in all, and its minutes where some days are incomplete."""
        minutes = (self.minutes, self.minutes_ended) if self.in_part else (0, 0)
        return (self.published, self.ended, *minutes)

    @property
    def gap(self) -> Self:
        """What it lacks, alike for all directions of equal coverage."""
        return self._replace(
            watt_minutes=None, members=0, per_member=None, members_counting=0, are_homes=True
        )


NOTHING = Amount()


class Rates(NamedTuple):
    """Rates of the same intervals, in watt-minutes of each direction; so many were `published`.

    Whatever is computed of two directions is of the intervals of which both are known, and of days
    of which as many hours are: of one that is of more of them, it would be wrong.
    """

    production: int = 0
    injection: int = 0
    consumption: int = 0
    published: int = 0
    minutes: int = 0
    """How much of them was published."""

    @classmethod
    def of(cls, slots: Slots, directions: Sequence[Direction] = _ALL_THREE) -> Self:
        """Compute them of the intervals of which all these directions were published."""
        cells = [row for slot in slots if (row := _comparable(slot, directions))]
        sums = [sum([cell.watt_minutes for cell in column]) for column in zip(*cells, strict=True)]
        made, fed, drawn = (*sums, 0, 0, 0)[: len(_ALL_THREE)]
        return cls(made, fed, drawn, len(cells), sum([row[0].minutes for row in cells]))

    @property
    def spot(self) -> int | None:
        """The self-consumption; None where that is unknown."""
        if not self.published or not 0 <= self.injection <= self.production:
            return None
        return self.production - self.injection

    @property
    def used(self) -> int | None:
        """All consumption, whatever its source; None where that is unknown."""
        return None if self.spot is None else self.spot + self.consumption

    @property
    def used_wh(self) -> float | None:
        """All consumption, in Wh."""
        return _wh(self.used)

    @property
    def production_share(self) -> Fraction | None:
        """Production as a share of consumption: more than 1 where it was more."""
        return _share(self.production, self.used)

    @property
    def self_consumption(self) -> Fraction | None:
        """Which share of production was consumed on the spot; None where that is unknown."""
        return _share(self.spot, self.production)

    @property
    def self_sufficiency(self) -> Fraction | None:
        """Which share of consumption was produced; None where that is unknown."""
        return _share(self.spot, self.used)


NO_RATES = Rates()
NO_SHARED = SharedEnergy()


@dataclass(frozen=True, slots=True)
class FlowRow:
    """The energies of an interval, or of many that are shown as one.

    `both` is of the intervals of which production and injection are known, `rates` of those of
    which consumption is as well.
    """

    start: datetime
    end: datetime
    amounts: Mapping[Direction, Amount]
    both: Rates = NO_RATES
    rates: Rates = NO_RATES
    shared: SharedEnergy = NO_SHARED

    def __getitem__(self, direction: Direction) -> Amount:
        return self.amounts.get(direction, NOTHING)

    @property
    def made(self) -> Amount:
        """Production."""
        return self[Direction.PRODUCTION]

    @property
    def fed(self) -> Amount:
        """Injection."""
        return self[Direction.INJECTION]

    @property
    def drawn(self) -> Amount:
        """Energy drawn from the grid."""
        return self[Direction.CONSUMPTION]

    @property
    def spot_wh(self) -> float | None:
        """Self-consumption; None where that is unknown."""
        return _wh(self.both.spot)

    @property
    def split_wh(self) -> float | None:
        """Production that is known to be consumed on the spot or injected."""
        return None if self.both.spot is None else _wh(self.both.production)

    @property
    def knows_use(self) -> bool:
        """Whether all consumption is known, and not only what was drawn."""
        return self.rates.used is not None

    @property
    def used_wh(self) -> float | None:
        """All consumption, whatever its source; what was drawn, where nothing else is known."""
        return self.rates.used_wh if self.knows_use else self.drawn.wh

    @property
    def shared_wh(self) -> float | None:
        """What some members injected while others drew as much; None where that is not known."""
        return _wh(self.shared.watt_minutes) if self.shared.minutes else None

    @property
    def shared_hours(self) -> float:
        """For how many hours shared energy is known."""
        return self.shared.minutes / 60

    @property
    def sells_all(self) -> bool:
        """Return whether all production was injected: a contract that sells it."""
        return bool(self.both.production) and self.both.production == self.both.injection

    @property
    def gaps(self) -> Mapping[Amount, Sequence[Direction]]:
        """Return what is suppressed of it or of its days: the reasons, with their counts."""
        gaps: dict[Amount, list[Direction]] = {}
        for direction, amount in self.amounts.items():
            if not amount.is_whole:
                gaps.setdefault(amount.gap, []).append(direction)
        return gaps

    @property
    def is_known(self) -> bool:
        """Return whether anything of it was published."""
        return any(amount.published for amount in self.amounts.values())

    @property
    def members(self) -> int:
        """Return how many members its figures sum."""
        return max((amount.members for amount in self.amounts.values()), default=0)

    @property
    def members_counting(self) -> int:
        """How many members counted, of those that its figures sum."""
        return max((amount.members_counting for amount in self.amounts.values()), default=0)

    @property
    def are_homes(self) -> bool:
        """Whether its figures sum homes alone."""
        return all(amount.are_homes for amount in self.amounts.values())

    @property
    def hours(self) -> float:
        """How long it is."""
        # Between two times of one zone, Python subtracts clock times.
        return (self.end.timestamp() - self.start.timestamp()) / 3600


def together(slots: Slots) -> FlowRow | None:
    """Return one row for all intervals; None where there is none."""
    if not slots:
        return None
    amounts = {direction: Amount.of(slots, direction) for direction in slots[0].figures}
    rates = Rates.of(slots, _BOTH), Rates.of(slots)
    return FlowRow(slots[0].start, slots[-1].end, amounts, *rates, shared_of(slots))


def shared_of(slots: Slots) -> SharedEnergy:
    """Return members' shared energy, of the intervals in which it is known."""
    parts = [slot.shared for slot in slots if slot.shared is not None]
    return SharedEnergy(*map(sum, zip(*parts, strict=True))) if parts else NO_SHARED


def cells_of(slots: Slots) -> list[PublishedCell]:
    """Return everything published of some intervals."""
    figures = [figure for slot in slots for figure in slot.figures.values()]
    return [figure for figure in figures if isinstance(figure, PublishedCell)]


def rows(slots: Slots) -> list[FlowRow]:
    """Return a row for each interval."""
    return [row for slot in slots if (row := together([slot])) is not None]


def by_month(days: Slots) -> list[Slots]:
    """Part days by their months."""
    months = groupby(days, lambda slot: (slot.start.year, slot.start.month))
    return [list(month) for _, month in months]


def by_year(days: Slots) -> list[Slots]:
    """Part days by their years."""
    return [list(year) for _, year in groupby(days, lambda slot: slot.start.year)]


def begun(slots: Slots, first: date | None) -> Slots:
    """Leave out days before the first closed one: nothing is missing there."""

    def is_before(slot: TimeSlot) -> bool:
        is_early = first is not None and slot.start.date() < first
        return is_early and all(map(is_open, slot.figures.values()))

    return list(dropwhile(is_before, slots))


def compares(slot: TimeSlot, other: TimeSlot | None, direction: Direction) -> bool:
    """Return whether both days are published as a whole, or as many hours of each."""
    cell, then = slot.cell(direction), other and other.cell(direction)
    if cell is None or other is None or then is None:
        return False
    are_whole = cell.minutes >= slot.minutes and then.minutes >= other.minutes
    return are_whole or cell.minutes == then.minutes


def is_open(figure: Figure) -> bool:
    """Return whether nothing is known of a figure yet."""
    return isinstance(figure, Withheld) and figure.reason is Reason.NOT_YET


def weightiest(hidden: Iterable[Withheld]) -> Withheld | None:
    """Return one of many reasons, preferably one that people can do something about."""
    return min(hidden, key=is_open, default=None)


def _comparable(slot: TimeSlot, directions: Sequence[Direction]) -> list[PublishedCell]:
    """Return the cells of these directions if a rate may be computed of them, else none.

    All are there, of as much of a day, with homes in all or in none.
    """
    cells = [cell for direction in directions if (cell := slot.cell(direction)) is not None]
    alike = [
        cell
        for cell in cells
        if cell.minutes == cells[0].minutes and cell.lacks_homes == cells[0].lacks_homes
    ]
    return alike if len(alike) == len(directions) else []


def _share(part: int | None, whole: int | None) -> Fraction | None:
    return None if part is None or not whole else Fraction(part, whole)


def _wh(watt_minutes: int | None) -> float | None:
    return None if watt_minutes is None else watt_minutes / WH
