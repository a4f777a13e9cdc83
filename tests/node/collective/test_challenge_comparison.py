"""How participants of a challenge compare: what all have in common drops out, scatter stays."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
import math
from random import Random

from hypothesis import given, strategies as st
import pytest

from consometers_node.collective.calendar import Span
from consometers_node.collective.challenges.comparison import (
    LEAST_WEEKS,
    Comparison,
    DayUse,
    Uses,
    compare,
    student_t,
    weeks_of,
)

FIRST = date(2026, 10, 5)
DAY = timedelta(days=1)
NAMES = ("a", "b", "c", "d")

FACTORS = st.floats(0.5, 2.0)
WEEKS = st.integers(3, 12)


def weeks(count: int) -> list[Span]:
    return weeks_of(Span(FIRST, FIRST + (7 * count - 1) * DAY))


def days(factors: Sequence[float], before: float = 10_000.0) -> Uses:
    """Return days of weeks in which a home used so many times what it had used before."""
    return {
        FIRST + n * DAY: DayUse(before * factors[n // 7], before) for n in range(7 * len(factors))
    }


def outcome(comparison: Comparison) -> Mapping[str, tuple[float, ...]]:
    return {
        name: (standing.change, standing.low or 0, standing.high or 0)
        for name, standing in comparison.standings.items()
    }


@given(
    weather=st.lists(FACTORS, min_size=3, max_size=12),
    saved=st.floats(0.02, 0.4),
    before=st.lists(st.floats(1_000, 50_000), min_size=4, max_size=4),
)
def test_a_factor_common_to_all_drops_out_and_a_saving_stays(
    weather: list[float], saved: float, before: list[float]
) -> None:
    uses = {name: days(weather, size) for name, size in zip(NAMES, before, strict=True)}
    uses["a"] = days([(1 - saved) * factor for factor in weather], before[0])
    comparison = compare(uses, weeks(len(weather)))
    first = comparison.standings["a"]
    assert first.change == pytest.approx(-saved, abs=1e-9)
    assert first.low is not None
    assert first.high is not None
    assert first.low - 1e-9 <= -saved <= first.high + 1e-9
    assert (first.first, first.last) == (1, 1)
    assert {(each.first, each.last) for each in comparison.standings.values()} == {(1, 1), (2, 4)}
    for name in NAMES[1:]:
        # The others stand above their mean; the saving is a third of it.
        assert math.log1p(comparison.standings[name].change) == pytest.approx(
            -math.log(1 - saved) / 3, abs=1e-9
        )


@given(
    noise=st.lists(st.lists(FACTORS, min_size=4, max_size=4), min_size=3, max_size=9),
    weather=st.lists(FACTORS, min_size=9, max_size=9),
)
def test_common_weather_changes_no_figure(noise: list[list[float]], weather: list[float]) -> None:
    def compared(factors: Sequence[float]) -> Comparison:
        uses = {
            name: days([week[n] * factor for week, factor in zip(noise, factors, strict=False)])
            for n, name in enumerate(NAMES)
        }
        return compare(uses, weeks(len(noise)))

    calm, stormy = compared([1.0] * 9), compared(weather)
    for name, figures in outcome(calm).items():
        assert outcome(stormy)[name] == pytest.approx(figures, abs=1e-9)
    for standing in calm.standings.values():
        assert standing.first is not None
        assert standing.last is not None
        assert 1 <= standing.first <= standing.last <= len(NAMES)


@given(st.lists(st.lists(FACTORS, min_size=3, max_size=3), min_size=3, max_size=8), st.randoms())
def test_the_order_of_participants_changes_nothing(
    factors: list[list[float]], random: Random
) -> None:
    uses = {name: days([week[n] for week in factors]) for n, name in enumerate(NAMES[:3])}
    shuffled = list(uses.items())
    random.shuffle(shuffled)
    ours, theirs = (compare(each, weeks(len(factors))) for each in (uses, dict(shuffled)))
    for name, figures in outcome(ours).items():
        assert outcome(theirs)[name] == pytest.approx(figures, abs=1e-9)
        standing, other = ours.standings[name], theirs.standings[name]
        assert (standing.first, standing.last) == (other.first, other.last)


def test_confidence_interval_holds_the_true_saving_at_its_stated_rate() -> None:
    """Of 400 challenges whose weeks scatter by 5 %, the interval has the saving in some 380."""
    random = Random(20)
    held = apart = 0
    rounds = 400
    for _ in range(rounds):
        uses = {
            name: days(
                [(0.9 if name == "a" else 1) * math.exp(random.gauss(0, 0.05)) for _ in range(6)]
            )
            for name in NAMES
        }
        comparison = compare(uses, weeks(6))
        mine = comparison.standings["a"]
        assert mine.low is not None
        assert mine.high is not None
        held += mine.low <= -0.1 <= mine.high
        apart += all(comparison.standings[name].first != 1 for name in NAMES[1:])
    assert 0.92 < held / rounds < 0.98
    # Saving a tenth is seen in many of them, and not in all.
    assert 0.15 < apart / rounds < 0.9


def test_equal_homes_are_ranked_apart_no_more_often_than_stated() -> None:
    random = Random(20)
    wrong = 0
    rounds = 400
    for _ in range(rounds):
        uses = {name: days([math.exp(random.gauss(0, 0.08)) for _ in range(6)]) for name in NAMES}
        standing = compare(uses, weeks(6)).standings["a"]
        wrong += (standing.first, standing.last) != (1, 4)
    assert wrong / rounds < 0.06


def test_week_missing_for_one_participant_counts_for_nobody() -> None:
    uses = {name: dict(days([1.0] * 6)) for name in NAMES}
    uses["a"] = dict(days([0.9] * 6))
    for n in range(4):
        # Three days of the second week are left, of a participant that had saved more in it.
        uses["a"].pop(FIRST + (7 + n) * DAY)
    for n in (21, 22, 23):
        uses["b"].pop(FIRST + n * DAY)
        uses["a"][FIRST + n * DAY] = DayUse(1.0, 10_000.0)
    comparison = compare(uses, weeks(6))
    assert [week.days for week in comparison.weeks] == [7, 7, 4, 7, 7]
    assert comparison.standings["a"].change == pytest.approx(-0.1)


def test_participant_without_half_of_the_weeks_is_left_out() -> None:
    uses = {name: days([1.0] * 6) for name in NAMES[:3]}
    uses["c"] = days([0.5] * 2)
    comparison = compare(uses, weeks(6))
    assert set(comparison.standings) == {"a", "b"}
    assert len(comparison.weeks) == 6


@pytest.mark.parametrize(
    "uses",
    [
        {},
        {"a": days([1.0] * 4)},
        {"a": {}, "b": {}},
        {"a": days([1.0] * 4), "b": {}},
        {"a": days([1.0] * 4), "b": days([1.0] * 4, before=0.0)},
        {
            "a": dict(list(days([1.0] * 4).items())[:14]),
            "b": dict(list(days([1.0] * 4).items())[14:]),
        },
    ],
    ids=["nobody", "a single one", "nothing", "only one of two", "no use", "no week in common"],
)
def test_incomparable_participants_are_not_ranked(uses: dict[str, Uses]) -> None:
    comparison = compare(uses, weeks(4))
    assert not comparison.standings
    assert not comparison.is_conclusive
    assert not compare(uses, []).standings


def test_fewer_than_three_weeks_show_a_change_and_no_rank() -> None:
    uses = {name: days([1.0] * (LEAST_WEEKS - 1)) for name in NAMES}
    comparison = compare(uses, weeks(LEAST_WEEKS - 1))
    assert not comparison.is_ranked
    assert {standing.first for standing in comparison.standings.values()} == {None}


def test_weeks_begin_with_the_first_day_and_the_last_may_be_short() -> None:
    assert weeks_of(Span(FIRST, FIRST + 15 * DAY)) == [
        Span(FIRST, FIRST + 6 * DAY),
        Span(FIRST + 7 * DAY, FIRST + 13 * DAY),
        Span(FIRST + 14 * DAY, FIRST + 15 * DAY),
    ]


@pytest.mark.parametrize(
    ("degrees", "confidence", "expected"),
    [
        (1, 0.95, 12.706),
        (2, 0.95, 4.303),
        (3, 0.99, 5.841),
        (10, 0.95, 2.228),
        (30, 0.99, 2.750),
        (52, 0.95, 2.007),
    ],
)
def test_student_t_matches_published_tables(
    degrees: int, confidence: float, expected: float
) -> None:
    assert student_t(confidence, degrees) == pytest.approx(expected, abs=5e-4)
