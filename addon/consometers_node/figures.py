"""The published figures, each once: its words, unit, formula, basis and comparison. Pure.

Pages, walls, cards, files, open data, metrics, a home's API and the glossary derive from this
table: the key of a figure is its name in addresses, columns and answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from fractions import Fraction
from typing import Final, NamedTuple

from .i18n.text import Text, text
from .series import Direction


class Basis(NamedTuple):
    """What a figure covers: the intervals in which all its directions cover the same homes.

    A `simultaneous` one compares energies of the same moment: it leaves out what homes send by the
    day alone.
    """

    directions: tuple[Direction, ...]
    simultaneous: bool = False


class Unit(StrEnum):
    """The unit of a figure, as SenML writes it."""

    ENERGY = "Wh"
    RATIO = "/"


class Comparison(Enum):
    """How a figure is compared with that of an earlier period."""

    EQUAL_MEMBERSHIP = auto()
    """The earlier energy is scaled, interval by interval, to the present number of members."""
    AS_PUBLISHED = auto()
    """The earlier rate is that of the members of that time."""


class Energies(NamedTuple):
    """Energies of the same intervals and homes, in one unit; 0 where a basis has none.

    `shared` sums the smaller of injection and consumption, interval by interval.
    """

    production: int = 0
    injection: int = 0
    consumption: int = 0
    shared: int = 0

    @property
    def self_consumed(self) -> int | None:
        """Production that was not injected; None where more was injected than produced."""
        return self.production - self.injection if self.injection <= self.production else None

    @property
    def consumed(self) -> int | None:
        """All consumption, from panels and from the grid."""
        own = self.self_consumed
        return None if own is None else own + self.consumption


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of a group of members over some intervals.

    `value` returns it in the unit of the energies, or as a ratio; None where the energies
    contradict each other, or nothing divides.
    """

    title: Text
    meaning: Text
    """A sentence for the glossary and for the description of the open data."""
    formula: str
    """The formula over other figures' keys, for the open data."""
    unit: Unit
    basis: Basis
    value: Callable[[Energies], int | Fraction | None]
    average: Text | None = None
    """“{value} per home”, of an energy of which homes have an average."""
    among_neighbours: bool = False
    """Whether it takes several members: a building alone has none."""

    @property
    def comparison(self) -> Comparison:
        """How it is compared with an earlier period."""
        if self.unit is Unit.ENERGY:
            return Comparison.EQUAL_MEMBERSHIP
        return Comparison.AS_PUBLISHED


_PER_HOME = text("{value} per home")
_PER_ROOF = text("{value} per roof with panels ({count})")

_ALL_THREE: Final = (Direction.PRODUCTION, Direction.INJECTION, Direction.CONSUMPTION)
_SELF_USE: Final = Basis((Direction.PRODUCTION, Direction.INJECTION))
_BALANCE: Final = Basis(_ALL_THREE)
_EXCHANGE: Final = Basis((Direction.INJECTION, Direction.CONSUMPTION), simultaneous=True)
_COVERAGE: Final = Basis(_ALL_THREE, simultaneous=True)

FIGURES: Final[Mapping[str, Figure]] = {
    "production": Figure(
        title=text("Solar production"),
        meaning=text("Energy produced by the panels, used on the spot or not."),
        formula="production",
        unit=Unit.ENERGY,
        basis=Basis((Direction.PRODUCTION,)),
        value=lambda energies: energies.production,
        average=_PER_ROOF,
    ),
    "injection": Figure(
        title=text("To the grid"),
        meaning=text("Energy that members feed into the grid."),
        formula="injection",
        unit=Unit.ENERGY,
        basis=Basis((Direction.INJECTION,)),
        value=lambda energies: energies.injection,
        average=_PER_HOME,
    ),
    "consumption": Figure(
        title=text("From the grid"),
        meaning=text("Energy that members draw from the grid."),
        formula="consumption",
        unit=Unit.ENERGY,
        basis=Basis((Direction.CONSUMPTION,)),
        value=lambda energies: energies.consumption,
        average=_PER_HOME,
    ),
    "self-consumed": Figure(
        title=text("Used on the spot"),
        meaning=text("Production that is used at the same moment under the same roof."),
        formula="production − injection",
        unit=Unit.ENERGY,
        basis=_SELF_USE,
        value=lambda energies: energies.self_consumed,
    ),
    "total-consumption": Figure(
        title=text("Consumed"),
        meaning=text("All energy that members use, from the panels and from the grid."),
        formula="production − injection + consumption",
        unit=Unit.ENERGY,
        basis=_BALANCE,
        value=lambda energies: energies.consumed,
        average=_PER_HOME,
    ),
    "shared-locally": Figure(
        title=text("Shared locally"),
        meaning=text(
            "Energy that some members feed into the grid while others draw as much: the surplus"
            " that stays among neighbours."
        ),
        formula="Σ min(injection, consumption)",
        unit=Unit.ENERGY,
        basis=_EXCHANGE,
        value=lambda energies: energies.shared,
        among_neighbours=True,
    ),
    "production-share": Figure(
        title=text("Production as a share of our consumption"),
        meaning=text("Production divided by consumption: above 100% if more was produced."),
        formula="production / (production − injection + consumption)",
        unit=Unit.RATIO,
        basis=_BALANCE,
        value=lambda energies: _ratio(energies.production, energies.consumed),
    ),
    "local-coverage": Figure(
        title=text("Covered by our panels"),
        meaning=text(
            "The share of our consumption that members’ panels cover at the same moment, under the"
            " same roof or at a neighbour’s."
        ),
        formula=(
            "(production − injection + Σ min(injection, consumption))"
            " / (production − injection + consumption)"
        ),
        unit=Unit.RATIO,
        basis=_COVERAGE,
        value=lambda energies: _ratio(
            _sum(energies.self_consumed, energies.shared), energies.consumed
        ),
        among_neighbours=True,
    ),
    "self-sufficiency": Figure(
        title=text("Self-sufficiency"),
        meaning=text(
            "The share of our consumption that is covered at the same moment by the panels of the"
            " same roof."
        ),
        formula="(production − injection) / (production − injection + consumption)",
        unit=Unit.RATIO,
        basis=_BALANCE,
        value=lambda energies: _ratio(energies.self_consumed, energies.consumed),
    ),
    "self-consumption": Figure(
        title=text("Self-consumption"),
        meaning=text(
            "The share of our panels’ production that is used at the same moment under the same"
            " roof. The rest goes to the grid, to the neighbours."
        ),
        formula="(production − injection) / production",
        unit=Unit.RATIO,
        basis=_SELF_USE,
        value=lambda energies: _ratio(energies.self_consumed, energies.production),
    ),
}
"""All figures by key, in the order in which they are listed."""

COMBINED: Final = tuple(
    dict.fromkeys(figure.basis for figure in FIGURES.values() if len(figure.basis.directions) > 1)
)
"""The bases of figures that combine directions."""


def _sum(energy: int | None, other: int) -> int | None:
    return None if energy is None else energy + other


def _ratio(part: int | None, whole: int | None) -> Fraction | None:
    return None if part is None or not whole else Fraction(part, whole)
