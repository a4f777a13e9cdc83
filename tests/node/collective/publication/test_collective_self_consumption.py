"""What members could share, with more panels or more members."""

from fractions import Fraction

from hypothesis import given, strategies as st
import pytest

from consometers_node.collective.publication.reading.collective_self_consumption import Exchanges

AMOUNTS = st.integers(0, 10**6)
INTERVALS = st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=30)


@given(INTERVALS, st.integers(0, 400), st.integers(1, 400))
def test_each_interval_shares_the_smaller_of_injection_and_consumption(
    intervals: list[tuple[int, int]], panels: int, members: int
) -> None:
    sun = Exchanges(intervals).simulate(panels, members)
    more = Fraction(panels, 100), Fraction(members, 100)
    assert sun.shared == sum(min(more[0] * fed, more[1] * drawn) for fed, drawn in intervals)
    assert sun.injected == more[0] * sum(fed for fed, _ in intervals)
    assert sun.drawn == more[1] * sum(drawn for _, drawn in intervals)


@given(INTERVALS)
def test_more_panels_never_share_less(
    intervals: list[tuple[int, int]],
) -> None:
    exchanges = Exchanges(intervals)
    shared = [exchanges.simulate(percent).shared for percent in range(0, 401, 50)]
    assert shared == sorted(shared)
    for share in (exchanges.simulate().used_share, exchanges.simulate().covered_share):
        assert share is None or 0 <= share <= 1


def test_empty_exchanges_have_no_share() -> None:
    sun = Exchanges([]).simulate()
    assert (sun.shared_wh, sun.used_share, sun.covered_share) == (0, None, None)


@pytest.mark.parametrize(("panels", "members"), [(-1, 100), (100, 0)])
def test_impossible_cases_are_refused(panels: int, members: int) -> None:
    with pytest.raises(ValueError, match="members"):
        Exchanges([(1, 1)]).simulate(panels, members)
