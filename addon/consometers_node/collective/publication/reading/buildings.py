"""Public buildings beside one another: their consumption by floor area, and a year before.

All of it is computed of the published figures of each building. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consometers_node.series import Direction

from .queries import Place
from .values import Compared, FlowRow, Value


@dataclass(frozen=True, slots=True)
class BuildingUse:
    """The consumption of one building in a period; `compared`, beside that of a year before."""

    place: Place
    whole: FlowRow | None
    compared: Compared | None = None

    @property
    def key(self) -> str:
        """The figure that has all its consumption: without panels, all is from the grid."""
        directions = self.whole.directions if self.whole is not None else ()
        has_panels = Direction.PRODUCTION in directions or Direction.INJECTION in directions
        return "total-consumption" if has_panels else "consumption"

    @property
    def used(self) -> Value | None:
        """Its consumption; None before its first published day."""
        return None if self.whole is None else self.whole[self.key]

    @property
    def wh(self) -> float | None:
        """Its consumption in Wh; None where it is not published."""
        return None if self.used is None else self.used.wh

    @property
    def produced_wh(self) -> float | None:
        """The production of its panels in Wh."""
        return None if self.whole is None else self.whole["production"].wh

    @property
    def surface_m2(self) -> int | None:
        """Its floor area; None where nobody stated it."""
        return None if self.place.description is None else self.place.description.surface_m2

    @property
    def wh_per_m2(self) -> float | None:
        """Its consumption by floor area, in Wh/m²."""
        return self.wh / self.surface_m2 if self.wh is not None and self.surface_m2 else None

    @property
    def in_both(self) -> tuple[float, float] | None:
        """Its consumption now and a year before, over the hours published of both."""
        if self.compared is None:
            return None
        # One building is as many members as it was.
        now, before = self.compared.now[self.key].wh, self.compared.then[self.key].wh
        return None if now is None or not before else (now, before)

    @property
    def change(self) -> float | None:
        """The change of its consumption, as a part of that a year before."""
        return _change([self])


@dataclass(frozen=True, slots=True)
class BuildingUses:
    """All public buildings of a collective, and their sums."""

    each: Sequence[BuildingUse]

    @property
    def counted(self) -> Sequence[BuildingUse]:
        """Those whose consumption is published."""
        return [use for use in self.each if use.wh is not None]

    @property
    def with_surface(self) -> Sequence[BuildingUse]:
        """Those of which the floor area is stated too, the largest consumption by m² first."""
        uses = [(use.wh_per_m2, use) for use in self.each]
        by_area = [(wh, use) for wh, use in uses if wh is not None]
        return [use for _, use in sorted(by_area, key=lambda pair: -pair[0])]

    @property
    def compared(self) -> Sequence[BuildingUse]:
        """Those whose consumption is published a year before too."""
        return [use for use in self.each if use.in_both is not None]

    @property
    def wh(self) -> float | None:
        """Their consumption in Wh; None where none is published."""
        return _sum(use.wh for use in self.each)

    @property
    def produced_wh(self) -> float | None:
        """The production of their panels in Wh."""
        return _sum(use.produced_wh for use in self.each)

    @property
    def surface_m2(self) -> int:
        """The floor area of those that have a consumption by floor area."""
        return sum(use.surface_m2 or 0 for use in self.with_surface)

    @property
    def wh_per_m2(self) -> float | None:
        """Their consumption by floor area, in Wh/m²."""
        wh = _sum(use.wh for use in self.with_surface)
        return None if wh is None else wh / self.surface_m2

    @property
    def change(self) -> float | None:
        """The change of the consumption of all that are compared."""
        return _change(self.each)


def _sum(energies: Iterable[float | None]) -> float | None:
    present = [wh for wh in energies if wh is not None]
    return sum(present) if present else None


def _change(uses: Iterable[BuildingUse]) -> float | None:
    pairs = [pair for use in uses if (pair := use.in_both) is not None]
    before = sum(then for _, then in pairs)
    return sum(now for now, _ in pairs) / before - 1 if before else None
