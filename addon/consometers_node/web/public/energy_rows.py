"""What a chart has of each interval, and what it all adds up to. Pure.

Energy is in Wh. Whatever is computed is computed of released figures alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from itertools import takewhile
from typing import Self

from ...collective.disclosure.sdc_rules import Reason, Released, Withheld, are_comparable
from ...collective.publication.queries import Told
from ...collective.publication.rates import self_consumption, self_sufficiency
from ...series import Direction

PER_WH = 60

_BOTH = (Direction.PRODUCTION, Direction.INJECTION)
_ALL_THREE = (*_BOTH, Direction.CONSUMPTION)

type Figures = Mapping[Direction, Sequence[Told]]


@dataclass(frozen=True, slots=True)
class Amount:
    """Energy of some intervals, of which `out` were published out of `of`; else why it is not.

    `minutes` of `minutes_of` were published; `in_part`: a day among them is not whole. `members`,
    of `members_counting` that counted, is the most that one of them sums; `per_member_wh` is the
    average of one member, which is that of a home where there `are_homes` alone. In `lacking` of
    them, homes count that are not in it.
    """

    wh: float | None = None
    members: int = 0
    out: int = 0
    of: int = 0
    why: Withheld | None = None
    per_member_wh: float | None = None
    members_counting: int = 0
    are_homes: bool = True
    minutes: int = 0
    minutes_of: int = 0
    lacking: int = 0
    in_part: bool = False

    @classmethod
    def of_all(cls, told: Iterable[Told]) -> Self:
        """Return the sum of what was published."""
        out: list[Released] = []
        hidden: list[Withheld] = []
        minutes_of, in_part = 0, False
        for one in told:
            minutes = one.minutes
            minutes_of += minutes
            if isinstance(one.figure, Released):
                out.append(one.figure)
                in_part |= one.figure.minutes < minutes
            else:
                hidden.append(one.figure)
        return cls(
            wh=sum(one.watt_minutes for one in out) / PER_WH if out else None,
            members=max((one.members for one in out), default=0),
            out=len(out),
            of=len(out) + len(hidden),
            why=None if out else _weightiest(hidden),
            per_member_wh=sum(one.per_member for one in out) / PER_WH if out else None,
            members_counting=max((one.members_counting for one in out), default=0),
            are_homes=all(one.members == one.homes for one in out),
            minutes=sum(one.minutes for one in out),
            minutes_of=minutes_of,
            lacking=sum(one.lacks_homes for one in out),
            in_part=in_part,
        )

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out of it."""
        return self.minutes >= self.minutes_of and not self.lacking

    @property
    def hours(self) -> float:
        """How many hours were published."""
        return self.minutes / 60

    @property
    def hours_of(self) -> float:
        """How many hours there were."""
        return self.minutes_of / 60

    @property
    def how_many(self) -> tuple[int, int, int, int]:
        """Of how many days of how many it is, and of how many minutes where of some in part."""
        of_these = (self.minutes, self.minutes_of) if self.in_part else (0, 0)
        return (self.out, self.of, *of_these)

    @property
    def gap(self) -> Self:
        """What is left out of it, alike for all directions of which as much is."""
        return replace(
            self,
            wh=None,
            members=0,
            per_member_wh=None,
            members_counting=0,
            are_homes=True,
        )


NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates of the same intervals, in watt-minutes of each direction; `out` is how many there are.

    Whatever is computed of two directions is of the intervals of which both are known, and of days
    of which as many hours are: of one that is of more of them, it would be wrong.
    """

    production: int = 0
    injection: int = 0
    consumption: int = 0
    out: int = 0
    minutes: int = 0
    """How much of them was published."""

    @property
    def spot(self) -> int | None:
        """What was used where it was made; None where that cannot be told."""
        if not self.out or not 0 <= self.injection <= self.production:
            return None
        return self.production - self.injection

    @property
    def used(self) -> int | None:
        """All that was used, wherever it came from; None where that cannot be told."""
        return None if self.spot is None else self.spot + self.consumption

    @property
    def self_consumption(self) -> Fraction | None:
        """Which share of production was used on the spot; None where that cannot be told."""
        return self_consumption(self.production, self.injection)

    @property
    def self_sufficiency(self) -> Fraction | None:
        """Which share of use was produced; None where that cannot be told."""
        return self_sufficiency(self.production, self.injection, self.consumption)


@dataclass(frozen=True, slots=True)
class Row:
    """What flowed in an interval, or in many that are shown as one.

    `both` is of the intervals of which production and injection are known, `rates` of those of
    which consumption is as well.
    """

    start: datetime
    end: datetime
    amounts: Mapping[Direction, Amount]
    both: Rates = Rates()
    rates: Rates = Rates()

    def __getitem__(self, direction: Direction) -> Amount:
        return self.amounts.get(direction, NOTHING)

    @property
    def made(self) -> Amount:
        """What panels made."""
        return self[Direction.PRODUCTION]

    @property
    def fed(self) -> Amount:
        """What was fed into the grid."""
        return self[Direction.INJECTION]

    @property
    def drawn(self) -> Amount:
        """What was drawn from the grid."""
        return self[Direction.CONSUMPTION]

    @property
    def spot_wh(self) -> float | None:
        """What was used where it was made; None where that cannot be told."""
        return _wh(self.both.spot)

    @property
    def split_wh(self) -> float | None:
        """What was made and is known to be used on the spot or fed into the grid."""
        return None if self.both.spot is None else _wh(self.both.production)

    @property
    def knows_use(self) -> bool:
        """Whether all that was used is known, and not only what was drawn."""
        return self.rates.used is not None

    @property
    def used_wh(self) -> float | None:
        """All that was used, wherever it came from: what was drawn, where nothing else is known."""
        return _wh(self.rates.used) if self.knows_use else self.drawn.wh

    @property
    def sells_all(self) -> bool:
        """Return whether all that panels made was fed into the grid: a contract that sells it."""
        return bool(self.both.production) and self.both.production == self.both.injection

    @property
    def compared(self) -> float | None:
        """What was made, beside what was used; None where that cannot be told."""
        used = self.rates.used
        return self.rates.production / used if used else None

    @property
    def gaps(self) -> Mapping[Amount, Sequence[Direction]]:
        """Return what is suppressed of it, or of some of its days, by why and of how many."""
        found: dict[Amount, list[Direction]] = {}
        for direction, one in self.amounts.items():
            if not one.is_whole:
                found.setdefault(one.gap, []).append(direction)
        return found

    @property
    def is_known(self) -> bool:
        """Return whether anything of it was released."""
        return any(one.wh is not None for one in self.amounts.values())

    @property
    def members(self) -> int:
        """Return how many members its figures sum."""
        return max((one.members for one in self.amounts.values()), default=0)

    @property
    def members_counting(self) -> int:
        """How many members counted, of those that its figures sum."""
        return max((one.members_counting for one in self.amounts.values()), default=0)

    @property
    def are_homes(self) -> bool:
        """Whether its figures sum homes alone."""
        return all(one.are_homes for one in self.amounts.values())

    @property
    def hours(self) -> float:
        """How long it is."""
        # Of two times of one zone, Python takes the difference of what clocks show.
        return (self.end.timestamp() - self.start.timestamp()) / 3600


def rows(figures: Figures) -> list[Row]:
    """Return a row for each interval."""
    return [
        _row({direction: [one] for direction, one in zip(figures, told, strict=True)})
        for told in zip(*figures.values(), strict=True)
    ]


def together(figures: Figures) -> Row | None:
    """Return one row for all intervals; None where there is none."""
    return _row(figures) if next(iter(figures.values()), ()) else None


def by_month(figures: Figures) -> list[Figures]:
    """Part days by their months."""
    return _parted(figures, lambda start: (start.year, start.month))


def by_year(figures: Figures) -> list[Figures]:
    """Part days by their years."""
    return _parted(figures, lambda start: (start.year, 1))


def _parted(figures: Figures, part_of: Callable[[datetime], tuple[int, int]]) -> list[Figures]:
    parts: dict[tuple[int, int], dict[Direction, list[Told]]] = {}
    for direction, told in figures.items():
        for one in told:
            part = parts.setdefault(part_of(one.start), {})
            part.setdefault(direction, []).append(one)
    return [parts[part] for part in sorted(parts)]


def rates(figures: Figures) -> Rates:
    """Compute them of those intervals of which all three were released."""
    return _rates(figures, _ALL_THREE)


def begun(figures: Figures, first: date | None) -> Figures:
    """Leave out what is before the first day of which anybody told: nobody owes anything of it."""
    told = zip(*figures.values(), strict=True)
    skipped = sum(
        1 for _ in takewhile(lambda some: all(_is_before(one, first) for one in some), told)
    )
    return {direction: some[skipped:] for direction, some in figures.items()}


def _is_before(told: Told, first: date | None) -> bool:
    """Return whether it is of before that day, and nothing is known of it."""
    figure, start = told.figure, told.start
    is_missing = isinstance(figure, Withheld) and figure.reason is Reason.NOT_YET
    return is_missing and first is not None and start.date() < first


def spelled(why: Withheld) -> str:
    """Name a reason as programs read it."""
    return why.reason.name.lower().replace("_", "-")


def _row(figures: Figures) -> Row:
    told = next(iter(figures.values()))
    amounts = {direction: Amount.of_all(some) for direction, some in figures.items()}
    both, three = _rates(figures, _BOTH), _rates(figures, _ALL_THREE)
    return Row(told[0].start, told[-1].end, amounts, both, three)


def _rates(figures: Figures, wanted: Sequence[Direction]) -> Rates:
    if any(one not in figures for one in wanted):
        return Rates()
    sums, out, minutes = [0] * len(wanted), 0, 0
    for some in zip(*(figures[one] for one in wanted), strict=True):
        known = [one.figure for one in some if isinstance(one.figure, Released)]
        if len(known) == len(wanted) and are_comparable(known):
            sums = [whole + one.watt_minutes for whole, one in zip(sums, known, strict=True)]
            out += 1
            minutes += known[0].minutes
    made, fed, drawn = (*sums, 0)[: len(_ALL_THREE)]
    return Rates(made, fed, drawn, out, minutes)


def _wh(watt_minutes: int | None) -> float | None:
    return None if watt_minutes is None else watt_minutes / PER_WH


def _weightiest(hidden: Iterable[Withheld]) -> Withheld | None:
    """Return of many reasons one that people can do something about, rather than wait."""
    told = list(hidden)
    said = [one for one in told if one.reason is not Reason.NOT_YET]
    return next(iter(said or told), None)
