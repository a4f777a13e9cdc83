"""The rows of an imported statistic: sums that follow from states, in whatever order these come."""

from datetime import timedelta
import random

from hypothesis import given, strategies as st
import pytest

from consometers_node.household.recorder.reading import Flag, Row
from consometers_node.household.statistics_import.hours import Kind
from consometers_node.household.statistics_import.sums import differing, flags, ours, rise, summed

from .toy import utc

START = utc("2026-01-01")
HOUR = timedelta(hours=1)

FLOWS = [Kind.LOAD_CURVE, Kind.DAILY]


def rows(kind: Kind, states: dict[int, float]) -> list[Row]:
    return list(summed(kind, None, [], {START + n * HOUR: state for n, state in states.items()}))


def numbers(made: list[Row]) -> list[tuple[float | None, float | None]]:
    return [(row.state, row.sum) for row in made]


@pytest.mark.parametrize("kind", FLOWS)
def test_energies_add_up_from_the_first_row_on_and_over_holes(kind: Kind) -> None:
    made = rows(kind, {0: 10, 1: 20, 5: 30})
    assert numbers(made) == [(10, 10), (20, 30), (30, 60)]


def test_a_register_goes_from_zero() -> None:
    made = rows(Kind.REGISTER, {0: 5_000, 24: 5_100, 48: 5_250})
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
    before = Row(start=START, state=1_000, sum=70)
    row = Row(start=START + 24 * HOUR, state=shown, sum=0)
    assert rise(Kind.REGISTER, before, row) == (wh, flag)
    flagged = list(flags(Kind.REGISTER, before, [row]))
    assert flagged == ([(row, flag)] if flag else [])
    (made,) = summed(Kind.REGISTER, before, [row], {})
    assert made.sum == 70 + wh


def test_a_correction_changes_its_row_and_the_sums_after_it() -> None:
    held = rows(Kind.LOAD_CURVE, {0: 10, 1: 20, 2: 30})
    made = list(summed(Kind.LOAD_CURVE, held[0], held[1:], {START + HOUR: 25}))
    assert numbers(made) == [(25, 35), (30, 65)]
    assert differing(made, held) == made


def test_what_is_told_again_changes_nothing() -> None:
    held = rows(Kind.LOAD_CURVE, {0: 10, 1: 20, 2: 30})
    made = list(summed(Kind.LOAD_CURVE, held[0], held[1:], {START + HOUR: 20}))
    assert differing(made, held) == []


def test_a_past_before_the_first_row_raises_all_sums() -> None:
    held = rows(Kind.LOAD_CURVE, {5: 10, 6: 20})
    made = list(summed(Kind.LOAD_CURVE, None, held, {START: 7}))
    assert numbers(made) == [(7, 7), (10, 17), (20, 37)]


def test_sums_that_were_written_by_halves_are_mended() -> None:
    good = rows(Kind.LOAD_CURVE, {n: 10 + n for n in range(10)})
    late = [Row(start=row.start, state=row.state, sum=(row.sum or 0) - 4) for row in good[6:]]
    held = good[:6] + late
    assert ours(Kind.LOAD_CURVE, held)
    assert differing(summed(Kind.LOAD_CURVE, None, held, {}), held) == good[6:]


def test_rows_of_another_making_are_not_ours() -> None:
    # Such as a portal's, of which the state is a register.
    others = [Row(start=START + n * HOUR, state=5_000 + 10 * n, sum=10 * n) for n in range(50)]
    assert not ours(Kind.LOAD_CURVE, others)
    assert ours(Kind.REGISTER, others)
    assert not ours(Kind.REGISTER, rows(Kind.LOAD_CURVE, dict.fromkeys(range(50), 10)))
    assert ours(Kind.LOAD_CURVE, [])


@given(
    corrections=st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 16 * 5_000)), min_size=1, max_size=60
    ),
    kind=st.sampled_from(list(Kind)),
    size=st.integers(1, 9),
    seed=st.integers(),
)
def test_corrections_in_any_order_give_exactly_the_rows_of_the_last_states(
    corrections: list[tuple[int, int]], kind: Kind, size: int, seed: int
) -> None:
    last = {hour: sixteenths / 16 for hour, sixteenths in corrections}
    held: dict[int, Row] = {}
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
