"""A witness refuses what the rules of a collective suppress."""

from hypothesis import example, given, strategies as st

from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.disclosure.sdc_rules import P_PERCENT, Cell
from consometers_protected_sums.opening import DOMINANCE_PERCENT
from consometers_protected_sums.reports import MOST_WH


@given(
    st.lists(st.integers(0, MOST_WH), min_size=1, max_size=12)
    | st.lists(st.integers(0, 3), min_size=1, max_size=12)
)
@example([49_300, 41_800, 8_874])
@example([4932, 4180, 887, 0])
@example([489, 423, *[1] * 88])
def test_dominance_rule_covers_the_p_percent_rule(parts: list[int]) -> None:
    total, squares = sum(parts), sum(part * part for part in parts)
    cell = Cell.of(parts, range(1, len(parts) + 1))
    if cell.suppression(1, lambda _: 100 * P_PERCENT[0]) is Reason.DOMINANCE:
        assert 100 * squares > DOMINANCE_PERCENT[-1] * total**2
