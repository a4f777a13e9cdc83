"""What lying members learn of the largest home of their cell, tried on a few cells."""

from datetime import date
from statistics import median

import pytest

from consometers_node.series import Direction
from tools.bench.collective.attackers import (
    AS_IT_IS,
    BY_MONTH,
    HONEST_PERCENT,
    KNOWN,
    MOST_HIDDEN,
    Attack,
    attacked,
    hidden,
)

CELLS, NIGHTS = 16, 10
ALONE, COLLUDING = Attack(1, 9, 36_000), Attack(3, 9, 36_000)


@pytest.mark.parametrize("attack", [ALONE, COLLUDING], ids=["alone", "with colluders"])
def test_liar_measures_the_largest_home_where_the_parameter_is_known(attack: Attack) -> None:
    """The attack works: what follows is due to the parameter."""
    errors = attacked(KNOWN, "a third heats", attack, CELLS, nights=NIGHTS)
    assert median(errors.attack) < 0.005
    assert median(errors.honest) > 0.05


def test_colluders_calibrate_a_parameter_that_is_the_same_for_all_pairs() -> None:
    errors = attacked(BY_MONTH, "a third heats", COLLUDING, CELLS, nights=NIGHTS)
    assert median(errors.attack) < 0.02


@pytest.mark.parametrize("attack", [ALONE, COLLUDING], ids=["alone", "with colluders"])
def test_confidential_parameter_hides_the_largest_home_from_liars(attack: Attack) -> None:
    errors = attacked(AS_IT_IS, "a third heats", attack, CELLS, nights=NIGHTS)
    assert median(errors.attack) > HONEST_PERCENT / 100


def test_liar_that_is_believed_up_to_12_kw_learns_no_more_than_an_honest_member() -> None:
    errors = attacked(AS_IT_IS, "all heat", Attack(1, 9, 12_000), CELLS, nights=NIGHTS)
    assert median(errors.attack) == pytest.approx(median(errors.honest), abs=0.005)


def test_rules_hide_little_of_a_street() -> None:
    days = [date(2026, month, 15) for month in range(1, 13)]
    counts = dict(hidden(40, 2, days))
    for direction in Direction:
        assert counts[direction].hours == 24 * len(days)
        assert counts[direction].shares["energy"] <= MOST_HIDDEN["energy"]
        assert counts[direction].shares["hours"] <= MOST_HIDDEN["hours"]
