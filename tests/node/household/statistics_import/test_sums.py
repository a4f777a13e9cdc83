"""The rows of an imported statistic: sums that follow from states, in whatever order these come."""

from datetime import timedelta
import random

from hypothesis import given, strategies as st
import pytest

from consometers_node.household.readings import Flag
from consometers_node.household.statistics import StatisticsRow
from consometers_node.household.statistics_import.hours import SeriesKind
from consometers_node.household.statistics_import.sums import differing, flags, ours, rise, summed
from testing.home_assistant.toy import utc

START = utc("2026-01-01")
HOUR = timedelta(hours=1)

FLOWS = [SeriesKind.LOAD_CURVE, SeriesKind.DAILY]


def rows(kind: SeriesKind, states: dict[int, float]) -> list[StatisticsRow]:
    return list(summed(kind, None, [], {START + n * HOUR: state for n, state in states.items()}))


def numbers(made: list[StatisticsRow]) -> list[tuple[float | None, float | None]]:
    return [(row.state, row.sum) for row in made]


@pytest.mark.parametrize("kind", FLOWS)
def test_energies_add_up_from_the_first_row_on_and_over_holes(kind: SeriesKind) -> None:
    made = rows(kind, {0: 10, 1: 20, 5: 30})
    assert numbers(made) == [(10, 10), (20, 30), (30, 60)]


def test_sums_of_a_register_start_at_zero() -> None:
    made = rows(SeriesKind.REGISTER, {0: 5_000, 24: 5_100, 48: 5_250})
    assert numbers(made) == [(5_000, 0), (5_100, 100), (5_250, 250)]


@pytest.mark.parametrize(
    ("shown", "wh", "flag"),
    [
        (1_000, 0, None),
        (1_500, 500, None),
        (899, 899, Flag.RESTARTED),
        (0, 0, Flag.RESTARTED),
        (950, 0, Flag.BACKWARDS),
        (900_000_000, 0, Flag.ABSURD),
    ],
)
def test_a_register_that_goes_back_or_leaps_gives_no_wrong_energy(
    shown: float, wh: float, flag: Flag | None
) -> None:
    before = StatisticsRow(start=START, state=1_000, sum=70)
    row = StatisticsRow(start=START + 24 * HOUR, state=shown, sum=0)
    assert rise(SeriesKind.REGISTER, before, row) == (wh, flag)
    flagged = list(flags(SeriesKind.REGISTER, before, [row]))
    assert flagged == ([(row, flag)] if flag else [])
    (made,) = summed(SeriesKind.REGISTER, before, [row], {})
    assert made.sum == 70 + wh


def test_rows_of_other_programs_are_recognised() -> None:
    # Such as a portal's, whose state is a register.
    others = [
        StatisticsRow(start=START + n * HOUR, state=5_000 + 10 * n, sum=10 * n) for n in range(50)
    ]
    assert not ours(SeriesKind.LOAD_CURVE, others)
    assert ours(SeriesKind.REGISTER, others)
    assert not ours(SeriesKind.REGISTER, rows(SeriesKind.LOAD_CURVE, dict.fromkeys(range(50), 10)))
    assert ours(SeriesKind.LOAD_CURVE, [])


@given(
    corrections=st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 16 * 5_000)), min_size=1, max_size=60
    ),
    kind=st.sampled_from(list(SeriesKind)),
    size=st.integers(1, 9),
    seed=st.integers(),
)
def test_corrections_in_any_order_give_exactly_the_rows_of_the_last_states(
    corrections: list[tuple[int, int]], kind: SeriesKind, size: int, seed: int
) -> None:
    last = {hour: sixteenths / 16 for hour, sixteenths in corrections}
    held: dict[int, StatisticsRow] = {}
    messages = [corrections[n : n + size] for n in range(0, len(corrections), size)]
    twice = random.Random(seed).randrange(len(messages))
    messages.insert(twice, messages[twice])
    for message in messages:
        states = {START + hour * HOUR: sixteenths / 16 for hour, sixteenths in message}
        first = min(states)
        stored = [held[hour] for hour in sorted(held)]
        before = [row for row in stored if row.start < first]
        after = [row for row in stored if row.start >= first]
        for row in differing(summed(kind, before[-1] if before else None, after, states), stored):
            held[round((row.start - START) / HOUR)] = row
    assert [held[hour] for hour in sorted(held)] == rows(kind, last)
