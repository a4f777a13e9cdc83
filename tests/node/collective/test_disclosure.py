"""Which figures may leave, as a table, and that no part of a whole can be subtracted out."""

from datetime import timedelta

from hypothesis import given, strategies as st
import pytest

from consometers_node.collective.disclosure import (
    NOBODY,
    Agreed,
    Basis,
    ByLaw,
    Cell,
    Publication,
    Quartiles,
    Reason,
    WattMinutes,
    Withheld,
    fault,
    part,
    points,
    quartiles,
)
from consometers_node.series import Direction, Interval

CONSUMPTION, INJECTION, PRODUCTION = Direction
DAY, ALWAYS = timedelta(days=1), timedelta.max


@pytest.mark.parametrize(
    ("step_minutes", "days", "consumption", "injection"),
    [
        (29, 1, None, None),
        (30, 1, 100, 10),
        (30, 2, 500, 50),
        (60, 31, 500, 50),
        (60, 32, 5_000, None),
        (1440, 1, 100, 10),
        (1440, 3660, 100, 10),
    ],
)
def test_the_law_has_a_table(
    step_minutes: int, days: int, consumption: int | None, injection: int | None
) -> None:
    step, length = timedelta(minutes=step_minutes), days * DAY
    assert points(step, length, CONSUMPTION) == consumption
    assert points(step, length, INJECTION) == injection
    assert points(step, length, PRODUCTION) == injection


@pytest.mark.parametrize(
    ("basis", "direction", "interval", "need"),
    [
        (Agreed(), CONSUMPTION, Interval.PT5M, 10),
        (Agreed(3), PRODUCTION, Interval.P1D, 3),
        (ByLaw(), CONSUMPTION, Interval.PT5M, None),
        (ByLaw(), CONSUMPTION, Interval.PT30M, 5_000),
        (ByLaw(), CONSUMPTION, Interval.P1D, 100),
        (ByLaw(), INJECTION, Interval.PT1H, None),
        (ByLaw(), PRODUCTION, Interval.P1D, 10),
    ],
)
def test_a_basis_says_how_many_it_takes(
    basis: Basis, direction: Direction, interval: Interval, need: int | None
) -> None:
    assert basis.needed(direction, interval) == need


def test_what_nobody_may_set_is_refused() -> None:
    with pytest.raises(ValueError, match="3 homes or more, not of 2"):
        Agreed(2)
    with pytest.raises(ValueError, match="finer"):
        Publication(basis=Agreed(), interval=Interval.P1D)


@pytest.mark.parametrize(
    ("cell", "need", "reason"),
    [
        (Cell(1_000, 10, 100), 10, None),
        (Cell(1_000, 9, 100), 10, Reason.TOO_FEW),
        (Cell(1_000, 10, 850), 10, None),
        (Cell(1_000, 10, 851), 10, Reason.DOMINATED),
        (Cell(0, 10, 0), 10, None),
        (NOBODY, 3, Reason.TOO_FEW),
        (Cell(1_000, 4_999, 100), None, Reason.NEVER),
        # Homes beside a collective below are on their own; without homes, its members count.
        (Cell(1_000, 9, 100, below=50), 10, Reason.TOO_FEW),
        (Cell(0, 0, 0, below=10), 10, None),
        (Cell(0, 0, 0, below=9), 10, Reason.TOO_FEW),
    ],
)
def test_a_figure_passes_or_says_why_not(
    cell: Cell, need: int | None, reason: Reason | None
) -> None:
    found = fault(cell, need)
    assert (found and found.reason) == reason


def test_what_is_withheld_says_why_in_both_languages() -> None:
    few = Withheld(Reason.TOO_FEW, 7, 10)
    assert few.words.say("fr") == "masqué : il faut au moins 10 foyers, il y en a 7"
    assert few.words.say("en") == "withheld: it takes 10 homes at least, and there are 7"
    for reason in [reason for reason in Reason if not reason.is_out]:
        words = Withheld(reason, 7, 10).words
        assert words.say("fr").startswith("masqué : ")
        assert words.say("en").startswith("withheld: ")


@pytest.mark.parametrize(
    ("count", "need", "told"),
    [
        (12, 3, Quartiles(12, WattMinutes(0), WattMinutes(35), WattMinutes(1_200))),
        (11, 3, Withheld(Reason.TOO_FEW, 11, 12)),
        (19, 20, Withheld(Reason.TOO_FEW, 19, 20)),
        (5_000, None, Withheld(Reason.NEVER, 5_000)),
    ],
)
def test_quartiles_are_told_of_enough_homes_and_roughly(
    count: int, need: int | None, told: Quartiles | Withheld
) -> None:
    assert quartiles(count, 0, 35, 1_234, need) == told


@given(st.integers(0, 10**12))
def test_two_digits_are_told(value: int) -> None:
    found = quartiles(12, value, value, value, 3)
    assert isinstance(found, Quartiles)
    assert len(str(found.median).rstrip("0")) <= 2
    assert abs(found.median - value) * 20 <= value


def homes(*parts: int) -> Cell:
    return Cell.of(parts)


@pytest.mark.parametrize(
    ("children", "nowhere", "whole", "shown"),
    [
        # All is shown where all of it passes.
        ({"a": 10 * (5,), "b": 12 * (5,)}, (), None, {"a", "b"}),
        # One child that is too small, or one home without an area, would be the difference.
        ({"a": 10 * (5,), "b": 12 * (5,), "c": 9 * (5,)}, (), None, {"b"}),
        ({"a": 10 * (5,), "b": 12 * (5,)}, (5,), None, {"b"}),
        # Two that are too small hide each other.
        ({"a": 10 * (5,), "b": 6 * (5,), "c": 4 * (5,)}, (), None, {"a"}),
        ({"a": 10 * (5,), "b": 6 * (5,)}, 4 * (5,), None, {"a"}),
        # Nobody's figure is nothing to subtract.
        ({"a": 10 * (5,), "b": ()}, (), None, {"a"}),
        # A home that is most of the rest is as good as alone in it.
        ({"a": 10 * (5,), "b": (*9 * (1,), 60)}, (), None, set()),
        ({"a": 10 * (500,), "b": (*9 * (1,), 60)}, (), None, set()),
        # With the only child that passes hidden, the whole may be shown.
        ({"a": 10 * (5,)}, (5,), None, set()),
        ({"a": 6 * (5,)}, 3 * (5,), Reason.TOO_FEW, set()),
    ],
)
def test_what_is_left_over_passes_as_well(
    children: dict[str, tuple[int, ...]],
    nowhere: tuple[int, ...],
    whole: Reason | None,
    shown: set[str],
) -> None:
    cells = {name: homes(*parts) for name, parts in children.items()}
    all_of_them = [one for parts in children.values() for one in parts] + list(nowhere)
    parting = part(homes(*all_of_them), cells, 10)
    assert (parting.whole and parting.whole.reason) == whole
    assert {name for name, why in parting.children.items() if why is None} == shown


def test_the_child_that_is_hidden_for_another_says_so() -> None:
    children = {"a": homes(*10 * (5,)), "b": homes(*3 * (5,))}
    parting = part(homes(*13 * (5,)), children, 10)
    assert parting.children == {
        "a": Withheld(Reason.SUBTRACTED, 10, 10),
        "b": Withheld(Reason.TOO_FEW, 3, 10),
    }


def test_collectives_below_are_not_told_apart_either() -> None:
    children = {"a": Cell(0, 0, 0, below=20), "b": Cell(0, 0, 0, below=4)}
    parting = part(Cell(0, 0, 0, below=24), children, 10)
    assert parting.whole is None
    assert parting.children["a"] == Withheld(Reason.SUBTRACTED, 0, 10)


PARTS = st.lists(st.integers(0, 1_000), max_size=14)


@given(st.lists(PARTS, max_size=6), PARTS, st.integers(3, 12))
def test_whatever_is_computed_from_what_is_shown_passes(
    areas: list[list[int]], nowhere: list[int], need: int
) -> None:
    cells = {number: homes(*parts) for number, parts in enumerate(areas)}
    everybody = [one for parts in areas for one in parts] + nowhere
    parting = part(homes(*everybody), cells, need)
    shown = {number for number, why in parting.children.items() if why is None}
    if parting.whole is not None:
        assert not shown
        return
    left = [one for number, parts in enumerate(areas) if number not in shown for one in parts]
    left += nowhere
    atoms = [areas[number] for number in shown] + ([left] if left else [])
    for atom in atoms:
        assert len(atom) >= need
        assert max(atom) * 100 <= sum(atom) * 85
