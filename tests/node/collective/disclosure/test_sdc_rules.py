"""Which figures may be published, as a table."""

from typing import cast

from hypothesis import given, strategies as st
import pytest

from consometers_node.collective.disclosure.reasons import Reason, Withheld
from consometers_node.collective.disclosure.sdc_rules import Cell, Publication, Quartiles, quartiles
from consometers_node.series import Direction, Interval

CONSUMPTION, INJECTION, PRODUCTION, *_ = Direction


@pytest.mark.parametrize(
    ("minimum", "direction", "interval", "need"),
    [
        (10, CONSUMPTION, Interval.PT5M, 10),
        (3, PRODUCTION, Interval.P1D, 3),
        (None, CONSUMPTION, Interval.PT5M, None),
        (None, CONSUMPTION, Interval.PT30M, 5_000),
        (None, CONSUMPTION, Interval.PT1H, 5_000),
        (None, CONSUMPTION, Interval.P1D, 100),
        (None, INJECTION, Interval.PT30M, None),
        (None, PRODUCTION, Interval.PT1H, None),
        (None, INJECTION, Interval.P1D, 10),
        (None, PRODUCTION, Interval.P1D, 10),
    ],
)
def test_a_figure_takes_as_many_homes_as_agreed_or_by_law(
    minimum: int | None, direction: Direction, interval: Interval, need: int | None
) -> None:
    assert Publication(minimum=minimum).needed(direction, interval) == need


@pytest.mark.parametrize(
    ("interval", "need"),
    [(Interval.P1D, 100), (Interval.PT1H, None), (Interval.PT30M, None), (Interval.PT5M, None)],
)
def test_a_direction_that_the_law_does_not_name_takes_the_most_homes_that_it_names(
    interval: Interval, need: int | None
) -> None:
    heat = cast("Direction", "heat")
    assert Publication(minimum=None).needed(heat, interval) == need


def test_minimum_and_interval_are_bounded() -> None:
    assert Publication(minimum=3).minimum == 3
    with pytest.raises(ValueError, match="3 homes or more, not of 2"):
        Publication(minimum=2)
    with pytest.raises(ValueError, match="finer"):
        Publication(interval=Interval.P1D)


@pytest.mark.parametrize(
    ("cell", "need", "reason"),
    [
        (Cell(1_000, 10, 10, 100, 90), 10, None),
        (Cell(1_000, 9, 9, 100, 90), 10, Reason.BELOW_THRESHOLD),
        (Cell(1_000, 10, 10, 500, 380), 10, None),
        (Cell(1_000, 10, 10, 500, 381), 10, Reason.DOMINANCE),
        (Cell(1_000, 10, 10, 500, 411), 10, Reason.DOMINANCE),
        (Cell(1_000, 10, 5, 200, 200), 10, None),
        (Cell(1_000, 10, 4, 250, 250), 10, Reason.DOMINANCE),
        (Cell(1_000, 10, 4, 250, 250), 4, None),
        (Cell(1_000, 10, 3, 334, 333), 4, Reason.DOMINANCE),
        (Cell(1_000, 10, 3, 334, 333), 3, None),
        (Cell(0, 10), 10, None),
        (Cell(), 3, Reason.BELOW_THRESHOLD),
        (Cell(1_000, 4_999, 4_999, 100, 90), None, Reason.NEVER),
    ],
)
def test_cell_passes_or_has_a_reason(cell: Cell, need: int | None, reason: Reason | None) -> None:
    """The parameter of the p % rule is 24 %."""
    assert cell.suppression(need, lambda _: 2_400) == reason


@pytest.mark.parametrize(
    ("hidden", "p", "reason"),
    [
        (179, 1_800, Reason.DOMINANCE),
        (180, 1_800, None),
        (180, 1_801, Reason.DOMINANCE),
        (299, 2_990, None),
        (299, 3_000, Reason.DOMINANCE),
        (300, 3_000, None),
    ],
)
def test_p_is_compared_to_the_hundredth_of_a_percent(
    hidden: int, p: int, reason: Reason | None
) -> None:
    assert Cell(2_000 + hidden, 10, 10, 1_000, 1_000).suppression(10, lambda _: p) == reason


def test_no_parameter_lets_more_pass_than_the_lower_bound_or_less_than_the_upper_one() -> None:
    """Outside its bounds nothing is asked of it, and no answer counts."""
    assert Cell(1_179, 10, 10, 1_000, 0).suppression(10, lambda _: 0) is Reason.DOMINANCE
    assert Cell(1_300, 10, 10, 1_000, 0).suppression(10, lambda _: 10_000) is None


PARTS = st.lists(st.integers(0, 50) | st.just(0), max_size=12)


@given(PARTS, PARTS)
def test_cells_of_two_groups_add_up_to_the_cell_of_all_their_homes(
    some: list[int], others: list[int]
) -> None:
    homes = range(1, len(some) + len(others) + 1)
    first, last = homes[: len(some)], homes[len(some) :]
    together = Cell.of(some + others, homes)
    assert Cell.of(some, first) + Cell.of(others, last) == together
    assert together.not_zero == sum(part > 0 for part in some + others)
    named = sorted(zip(some + others, homes, strict=True), reverse=True)[:2]
    assert together.pair == tuple(sorted([*(home for _, home in named), 0, 0][:2]))


def test_each_part_of_a_cell_is_of_a_home() -> None:
    """The largest part of no home would be hidden by the parameter of another pair."""
    with pytest.raises(ValueError, match="shorter"):
        Cell.of([9_000, 500], [7])


def test_cell_of_watts_becomes_one_of_their_energy() -> None:
    """Of each home the same: as many homes, and each part so many times as large."""
    watts = Cell(watt_minutes=1_250, homes=3, largest=900, second=300)
    assert watts * 60 == Cell(watt_minutes=75_000, homes=3, largest=54_000, second=18_000)


@pytest.mark.parametrize(
    ("others", "two"),
    [((6, 1), (7, 6)), ((4, 3), (7, 5)), ((9, 8), (9, 8)), ((9, 1), (9, 7)), ((5, 5), (7, 5))],
)
def test_two_largest_parts_of_two_groups_may_be_of_one_or_of_each(
    others: tuple[int, int], two: tuple[int, int]
) -> None:
    first = Cell(watt_minutes=12, homes=2, largest=7, second=5)
    second = Cell(watt_minutes=20, homes=9, largest=others[0], second=others[1])
    assert first + second == Cell(watt_minutes=32, homes=11, largest=two[0], second=two[1])
    assert second + first == first + second


@pytest.mark.parametrize(
    ("count", "need", "expected"),
    [
        (12, 3, Quartiles(12, 0, 35, 1_200)),
        (11, 3, Withheld(Reason.BELOW_THRESHOLD, 12)),
        (19, 20, Withheld(Reason.BELOW_THRESHOLD, 20)),
        (5_000, None, Withheld(Reason.NEVER)),
    ],
)
def test_quartiles_need_enough_homes_and_are_rounded(
    count: int, need: int | None, expected: Quartiles | Withheld
) -> None:
    assert quartiles(count, 0, 35, 1_234, need) == expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, 0), (9, 9), (99, 99), (104, 100), (105, 110), (994, 990), (995, 1_000), (1_249, 1_200)],
)
def test_quartiles_show_the_nearest_value_of_two_digits(value: int, shown: int) -> None:
    assert quartiles(12, value, value, value, 3) == Quartiles(12, shown, shown, shown)


@given(st.integers(0, 10**12))
def test_quartiles_are_rounded_to_two_digits(value: int) -> None:
    result = quartiles(12, value, value, value, 3)
    assert isinstance(result, Quartiles)
    assert len(str(result.median).rstrip("0")) <= 2
    assert abs(result.median - value) * 20 <= value
