"""The contents of the dashboard, by the ids of entities and of statistics. Pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

type Ids = tuple[str, ...]

_SIGNS: Final = {"EUR": "€", "GBP": "£"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home. Powers and rates are entities, energies are statistics that have sums."""

    used_power: Ids = ()
    drawn_power: Ids = ()
    injected_power: Ids = ()
    produced_power: Ids = ()
    apparent_power: Ids = ()
    drawn: Ids = ()
    injected: Ids = ()
    produced: Ids = ()
    self_consumed: Ids = ()
    self_consumption: Ids = ()
    self_sufficiency: Ids = ()
    cost: Ids = ()
    """The statistics in which the Energy dashboard counts what is paid for grid energy."""
    saved: Ids = ()
    """What self-consumption saved."""
    tariff: Ids = ()
    next_tariff: Ids = ()
    next_tariff_start: Ids = ()
    price: Ids = ()
    colour_today: Ids = ()
    colour_tomorrow: Ids = ()
    peak_start: Ids = ()
    sun: Ids = ()
    currency: str = "EUR"
    sells_all: bool = False
    """Whether all production goes to the grid, under a contract of its own."""
    is_building: bool = False
    """Whether it is a public building, and nobody's home."""

    @property
    def currency_sign(self) -> str:
        """The currency as people write it: statistics have its code."""
        return _SIGNS.get(self.currency, self.currency)

    @property
    def has_grid(self) -> bool:
        """Whether any consumption of the home is known."""
        return bool(self.used_power or self.drawn_power or self.apparent_power or self.drawn)

    @property
    def has_panels(self) -> bool:
        """Whether any production of panels is known."""
        return bool(self.produced_power or self.produced)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """Panels of which the home holds shares: the entities of its part by the keys of their facts.

    None of it is the home's own production.
    """

    name: str
    entities: Mapping[str, str]
    statistic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncounted:
    """The statistics that have no row yet, by the table that a graph is drawn from.

    Of the others the first row, in the time of the home, where `now` is known.
    """

    minutes: Set[str] = frozenset()
    hours: Set[str] = frozenset()
    first_minutes: Mapping[str, datetime] = field(default_factory=dict)
    first_hours: Mapping[str, datetime] = field(default_factory=dict)
    now: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collective:
    """A collective: its entities by the keys of their facts, its statistics by their quantities."""

    name: str
    entities: Mapping[str, str]
    statistics: Mapping[str, str] = field(default_factory=dict)
    simulated: str | None = None
    """The statistic of what the home would have received of it: a simulation, none of its own."""
    missing: Ids = ()
    """The quantities that this home has not received yet."""
    is_site: bool = False
    """Whether the home is a public building there: no home, so none to compare with homes."""
    is_unread: bool = False
    """Whether the node cannot read all that the collective sends."""
