"""What a chart has of each interval, and what it all adds up to. Pure.

Energy is in Wh. Whatever is computed is computed of released figures alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Self

from ...collective.disclosure import Figure, Reason, Released, Withheld
from ...collective.published import Told
from ...collective.sums import self_consumption, self_sufficiency
from ...series import Direction

PER_WH = 60

type Figures = Mapping[Direction, Sequence[Told]]


@dataclass(frozen=True, slots=True)
class Amount:
    """Energy of some intervals, of which `out` were released out of `of`; else why it is not.

    `members` is the most that one of them sums.
    """

    wh: float | None = None
    members: int = 0
    out: int = 0
    of: int = 0
    why: Withheld | None = None

    @classmethod
    def of_all(cls, figures: Iterable[Figure]) -> Self:
        """Add up what was released."""
        wanted = list(figures)
        out = [one for one in wanted if isinstance(one, Released)]
        hidden = [one for one in wanted if isinstance(one, Withheld)]
        return cls(
            sum(one.watt_minutes for one in out) / PER_WH if out else None,
            max((one.members for one in out), default=0),
            len(out),
            len(wanted),
            None if out else _weightiest(hidden),
        )

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is left out of it."""
        return self.out == self.of


NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates of the same intervals, in watt-minutes of each direction."""

    production: int = 0
    injection: int = 0
    consumption: int = 0

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
    """What flowed in an interval, or in many that are shown as one."""

    start: datetime
    end: datetime
    amounts: Mapping[Direction, Amount]

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
        if self.made.wh is None or self.fed.wh is None or self.fed.wh > self.made.wh:
            return None
        return self.made.wh - self.fed.wh

    @property
    def used_wh(self) -> float | None:
        """All that was used, wherever it came from."""
        return None if self.drawn.wh is None else self.drawn.wh + (self.spot_wh or 0)

    @property
    def sells_all(self) -> bool:
        """Tell whether all that panels made was fed into the grid: a contract that sells it."""
        return bool(self.made.wh) and self.made.wh == self.fed.wh

    @property
    def compared(self) -> float | None:
        """What was made, beside what was used; None where that cannot be told."""
        return None if self.made.wh is None or not self.used_wh else self.made.wh / self.used_wh

    @property
    def is_known(self) -> bool:
        """Tell whether anything of it was released."""
        return any(one.wh is not None for one in self.amounts.values())

    @property
    def members(self) -> int:
        """Give how many members its figures sum."""
        return max((one.members for one in self.amounts.values()), default=0)

    @property
    def hours(self) -> float:
        """How long it is."""
        # Of two times of one zone, Python takes the difference of what clocks show.
        return (self.end.timestamp() - self.start.timestamp()) / 3600


def rows(figures: Figures) -> list[Row]:
    """Give a row for each interval."""
    return [
        Row(
            told[0].start,
            told[0].end,
            {
                direction: Amount.of_all([one.figure])
                for direction, one in zip(figures, told, strict=True)
            },
        )
        for told in zip(*figures.values(), strict=True)
    ]


def together(figures: Figures) -> Row | None:
    """Give one row for all intervals; None where there is none."""
    told = next(iter(figures.values()), ())
    if not told:
        return None
    amounts = {
        direction: Amount.of_all(one.figure for one in some) for direction, some in figures.items()
    }
    return Row(told[0].start, told[-1].end, amounts)


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
    wanted = (Direction.PRODUCTION, Direction.INJECTION, Direction.CONSUMPTION)
    if any(one not in figures for one in wanted):
        return Rates()
    production = injection = consumption = 0
    for three in zip(*(figures[one] for one in wanted), strict=True):
        made, fed, drawn = (one.figure for one in three)
        if isinstance(made, Released) and isinstance(fed, Released) and isinstance(drawn, Released):
            production += made.watt_minutes
            injection += fed.watt_minutes
            consumption += drawn.watt_minutes
    return Rates(production, injection, consumption)


def _weightiest(hidden: Iterable[Withheld]) -> Withheld | None:
    """Give of many reasons one that people can do something about, rather than wait."""
    told = list(hidden)
    said = [one for one in told if one.reason is not Reason.NOT_YET]
    return next(iter(said or told), None)
