"""Each test names the attack that a rule of publication answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
import hashlib
import hmac
from itertools import combinations, count, islice, permutations

from hypothesis import given, strategies as st
import pytest

from consometers_node.collective.disclosure.closing import (
    MonthGroups,
    add_up,
    close,
    close_counts,
    combine_small,
)
from consometers_node.collective.disclosure.confidential import ConfidentialParameter, magnitude
from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.disclosure.sdc_rules import P_PERCENT, Cell, Publication
from consometers_node.series import Direction
from consometers_protected_sums.pooling import Groups

MINIMUM = 10
AREAS = ("Guidel", "Lanester", "Lorient", "Ploemeur", "")

HOMES = st.integers(0, 2_000)
AREA = st.dictionaries(st.sampled_from(AREAS), st.lists(HOMES, max_size=25), max_size=len(AREAS))
MEMBERS = st.dictionaries(st.sampled_from(AREAS), st.integers(0, 25), max_size=len(AREAS))


def closed(
    parts: Mapping[str, list[int]],
    minimum: int | None = MINIMUM,
    members: Mapping[str, int] | None = None,
    p: int = 2_400,
) -> tuple[Mapping[Groups[str], Cell], Reason | None]:
    """Close an interval in which homes have these parts; in the month there were so many."""
    members = members or {area: len(some) for area, some in parts.items()}
    homes = count(1)
    cells = {
        area: Cell.of(some, list(islice(homes, len(some)))) for area, some in parts.items() if some
    }
    return close(cells, combine_small(members, minimum), minimum, lambda *_: p)


@pytest.mark.parametrize(
    ("parts", "members", "cells"),
    [
        ({"Lorient": [0] * 10}, {}, {"Lorient": (0, 10)}),
        (
            {"Guidel": [500] * 4, "Lorient": [500] * 30, "Lanester": [500] * 12},
            {},
            {"Guidel, Lanester": (8_000, 16), "Lorient": (15_000, 30)},
        ),
        (
            {"Guidel": [1] * 4, "Ploemeur": [1] * 7, "Lorient": [1] * 11},
            {},
            {"Guidel, Ploemeur": (11, 11), "Lorient": (11, 11)},
        ),
        # One home that heats a pool withheld a commune's whole day; now it is in another cell.
        (
            {"Lanester": [10] * 11 + [9_000], "Lorient": [900] * 40},
            {},
            {"Lanester, Lorient": (45_110, 52)},
        ),
        (
            {"Lorient": [900] * 40},
            {"Lanester": 12, "Lorient": 40},
            {"Lanester, Lorient": (36_000, 40)},
        ),
        (
            {"Guidel": [700], "Lorient": [900] * 40},
            {"Lorient": 40},
            {"Guidel, Lorient": (36_700, 41)},
        ),
    ],
    ids=[
        "zeros",
        "a small commune with the smallest other one",
        "small communes are enough together",
        "a dominated commune",
        "a commune without records",
        "a home that joins in a new commune during the month",
    ],
)
def test_communes_that_do_not_pass_are_published_with_others(
    parts: dict[str, list[int]], members: dict[str, int], cells: dict[str, tuple[int, int]]
) -> None:
    passed, reason = closed(parts, members=members)
    assert reason is None
    published = {
        ", ".join(sorted(areas)): (cell.watt_minutes, cell.homes) for areas, cell in passed.items()
    }
    assert published == cells


@pytest.mark.parametrize(
    ("parts", "minimum", "reason"),
    [
        ([500] * 9, MINIMUM, Reason.BELOW_THRESHOLD),
        # Two solar homes among eight without injection stay secret.
        ([0] * 8 + [900, 800], MINIMUM, Reason.DOMINANCE),
        ([500] * 9_000, None, Reason.NEVER),
    ],
)
def test_homes_that_do_not_pass_are_not_published(
    parts: list[int], minimum: int | None, reason: Reason
) -> None:
    assert closed({"Lorient": parts}, minimum) == ({}, reason)


def test_a_home_of_more_than_85_percent_is_never_published() -> None:
    """Insee's rule for one enterprise is contained in the p % rule."""
    for others in range(10, 60):
        parts = [1_000] + [round(1_000 * 15 / 85 / others) - 1] * others
        assert closed({"Lorient": parts}) == ({}, Reason.DOMINANCE)


@given(AREA, MEMBERS, st.integers(3, 12))
def test_cells_share_no_home_and_each_passes(
    parts: dict[str, list[int]], members: dict[str, int], minimum: int
) -> None:
    """Homes may have joined, left or moved since the month began, and may hold back."""
    cells, _ = closed(parts, minimum, members)
    areas = [area for groups in cells for area in groups]
    assert len(areas) == len(set(areas))
    for groups, cell in cells.items():
        homes = [part for area in groups for part in parts.get(area, ())]
        assert (sum(homes), len(homes)) == (cell.watt_minutes, cell.homes)
        assert len(homes) >= minimum
    if cells:
        # No home is left over: a total is of all homes with records, or there is none.
        assert sum(cell.homes for cell in cells.values()) == sum(map(len, parts.values()))


def test_groups_that_are_together_in_one_kind_of_homes_are_together_in_all() -> None:
    """Otherwise the figure of both less that of one is a few homes of the other."""
    by_records = {
        frozenset({"Guidel"}): Cell(100, 10),
        frozenset({"Lanester"}): Cell(200, 10),
        frozenset({"Lorient"}): Cell(300, 10),
    }
    protected = {frozenset({"Guidel", "Lanester"}): Cell(40, 10)}
    added = add_up([by_records, protected])
    assert {groups: (cell.watt_minutes, cell.homes) for groups, cell in added.items()} == {
        frozenset({"Guidel", "Lanester"}): (340, 30),
        frozenset({"Lorient"}): (300, 10),
    }


@given(AREA, st.integers(100 * P_PERCENT[0], 100 * P_PERCENT[-1]))
def test_no_member_can_estimate_another_to_within_p_percent(
    parts: dict[str, list[int]], p: int
) -> None:
    """A member knows its own part, and that no other is negative: the rest bounds each of them."""
    for groups, cell in closed(parts, 3, p=p)[0].items():
        homes = [part for area in groups for part in parts.get(area, ())]
        for own, other in permutations(sorted(homes, reverse=True)[:6], 2):
            bound = cell.watt_minutes - own
            assert 10_000 * (bound - other) >= p * other


def test_two_of_three_homes_that_are_not_zero_never_learn_the_third() -> None:
    """“10 homes”, of which seven are zero."""
    three = {"Lorient": [0] * 7 + [500] * 3}
    assert closed(three) == ({}, Reason.DOMINANCE)
    cells, reason = closed(three | {"Lanester": [0] * 8 + [500] * 2})
    assert reason is None
    assert set(cells) == {frozenset({"Lorient", "Lanester"})}


def test_what_is_pooled_is_judged_by_the_parameter_of_all_its_groups() -> None:
    asked: list[tuple[Groups[str], tuple[int, int]]] = []

    def parameter(groups: Groups[str], cell: Cell) -> int:
        asked.append((groups, cell.pair))
        return 3_000

    # 250 W hide the larger from the other: 25 % in Lorient, and with Lanester too.
    cells = {
        "Lorient": Cell.of([1_000, 900, *[25] * 10], range(1, 13)),
        "Lanester": Cell.of([0] * 10, range(21, 31)),
    }
    assert close(cells, combine_small(dict.fromkeys(cells, 12), 10), 10, parameter)[0] == {}
    both = frozenset(cells)
    assert set(asked) == {(frozenset({"Lorient"}), (1, 2)), (both, (1, 2))}


@given(st.binary(min_size=32, max_size=32), st.integers(1, 99), st.integers(1, 99))
def test_parameter_is_within_its_bounds_and_the_same_each_time(
    secret: bytes, home: int, other: int
) -> None:
    cell = Cell(1, 10, 10, 1, 0, home, other)
    turned = Cell(1, 10, 10, 1, 0, other, home)
    p = PARAMETER(secret, Direction.CONSUMPTION, DAY)({2, 1}, cell)
    assert 100 * P_PERCENT[0] <= p <= 100 * P_PERCENT[-1]
    assert p == PARAMETER(secret, Direction.CONSUMPTION, DAY)([1, 2], turned)


DAY = date(2026, 12, 1)
PARAMETER = ConfidentialParameter
PAIR = Cell(1, 10, 10, 1, 0, 1, 2)


def test_parameter_differs_by_secret_direction_groups_homes_magnitude_day_and_month() -> None:
    """So nothing that is found on one of them, even exactly, says what another has."""
    secret, drawn = bytes(32), Direction.CONSUMPTION
    others = [
        PARAMETER(bytes(31) + b"1", drawn, DAY)({1}, PAIR),
        PARAMETER(secret, Direction.INJECTION, DAY)({1}, PAIR),
        PARAMETER(secret, drawn, DAY)({1, 2}, PAIR),
        PARAMETER(secret, drawn, DAY)({12}, PAIR),
        PARAMETER(secret, drawn, DAY)({1}, Cell(1, 10, 10, 1, 0, 1, 3)),
        PARAMETER(secret, drawn, DAY + timedelta(days=1))({1}, PAIR),
        PARAMETER(secret, drawn, date(2027, 1, 1))({1}, PAIR),
        PARAMETER(secret, drawn, DAY)({1}, replace(PAIR, largest=2)),
    ]
    assert len({*others, PARAMETER(secret, drawn, DAY)({1}, PAIR)}) == len(others) + 1


def test_parameter_of_two_days_differs_by_the_same_for_each_pair_of_a_month() -> None:
    """A day has one value: with one for each pair, each liar would be another sample of it."""
    differences = {
        PARAMETER(bytes(32), Direction.CONSUMPTION, DAY + timedelta(days=1))({1}, cell)
        - PARAMETER(bytes(32), Direction.CONSUMPTION, DAY)({1}, cell)
        for cell in (PAIR, Cell(1, 10, 10, 1, 0, 1, 3), Cell(1, 10, 10, 1, 0, 4, 3))
    }
    assert len(differences) == 1


def test_what_tells_two_pairs_apart_lasts_for_a_month() -> None:
    """Of two pairs on one day, the part that the day gives is the same."""

    def apart(day: date) -> int:
        of_day = PARAMETER(bytes(32), Direction.CONSUMPTION, day)
        return of_day({1}, PAIR) - of_day({1}, Cell(1, 10, 10, 1, 0, 1, 3))

    months = [DAY, date(2026, 11, 1), date(2025, 12, 1)]
    assert len({*map(apart, months)}) == len(months)
    assert apart(DAY) == apart(DAY + timedelta(days=30))


NEAR = st.tuples(st.integers(299, 1_000), st.integers(180, 299)).map(
    lambda drawn: [1_000, drawn[0], drawn[1] - 20, 10, 10, *[0] * 5]
)
"""Parts of ten homes, of which the parameter decides."""


def outcome(parts: Sequence[int], secret: bytes) -> Reason | None:
    cell = Cell.of(parts, range(1, len(parts) + 1))
    parameter = PARAMETER(secret, Direction.CONSUMPTION, DAY)
    return close({1: cell}, MonthGroups({frozenset({1})}), MINIMUM, parameter)[1]


def exchanged(parts: Sequence[int], first: int, second: int) -> list[int]:
    others = [*parts]
    others[first], others[second] = parts[second], parts[first]
    return others


@given(NEAR, st.binary(min_size=32, max_size=32), st.sampled_from([*combinations(range(2, 10), 2)]))
def test_an_exchange_that_leaves_the_pair_of_the_largest_shows_nothing(
    parts: list[int], secret: bytes, homes: tuple[int, int]
) -> None:
    """Which of the two largest homes is the larger one, and which of the others drew what."""
    for first, second in ((0, 1), homes):
        assert outcome(parts, secret) == outcome(exchanged(parts, first, second), secret)


def test_another_pair_of_the_largest_may_have_another_outcome() -> None:
    """The limit: a cell so near to the rule says which homes are its largest, to the secret."""
    parts = [1_000, 900, 220, 10, 10, *[0] * 5]
    other = exchanged(parts, 1, 2)
    secrets = [number.to_bytes(32) for number in range(100)]
    differing = [secret for secret in secrets if outcome(parts, secret) != outcome(other, secret)]
    assert 0 < len(differing) < len(secrets)


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (7, 7), (8, 8), (9, 8), (10, 10), (1_000, 896), (1_024, 1_024)]
)
def test_magnitude_has_three_bits(value: int, expected: int) -> None:
    """Values within an eighth to a quarter of each other share it."""
    assert magnitude(value) == expected


def test_parameters_fill_their_spread() -> None:
    drawn = [
        PARAMETER(secret.to_bytes(32), Direction.CONSUMPTION, DAY)({1}, PAIR)
        for secret in range(2_000)
    ]
    assert min(drawn) < 1_850
    assert max(drawn) > 2_950
    assert 2_380 < sum(drawn) / len(drawn) < 2_420
    assert "secret" not in repr(PARAMETER(bytes(32), Direction.CONSUMPTION, DAY))


def drawn(subject: str, most: int) -> int:
    """Return the number from 0 to `most` that a secret of zeros draws for a subject in JSON."""
    digest = hmac.new(bytes(32), subject.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") % (most + 1)


@pytest.mark.parametrize(
    ("direction", "word"),
    [(Direction.CONSUMPTION, "consumption"), (Direction.INJECTION, "injection")],
)
def test_parameter_of_a_secret_is_the_same_in_each_version(direction: Direction, word: str) -> None:
    """Otherwise an update would decide the hours of a restored database again, by another one."""
    of_pair = drawn(f'["pair", "2026-12", [1, 2], "{word}", [3, 12], 896]', 900)
    of_day = drawn(f'["day", "2026-12-01", "{word}", [3, 12], 896]', 300)
    cell = Cell(9_000, 10, 10, 1_000, 900, 2, 1)
    assert PARAMETER(bytes(32), direction, DAY)({12, 3}, cell) == 1_800 + of_pair + of_day


@pytest.mark.parametrize(
    ("homes", "together", "minimum", "passed", "reason"),
    [
        ({"a": 10, "b": 30}, (), MINIMUM, ["a", "b"], None),
        ({"a": 9}, (), MINIMUM, [], Reason.BELOW_THRESHOLD),
        ({"a": 9, "b": 30, "c": 12}, (), MINIMUM, ["a+c", "b"], None),
        ({"a": 12, "b": 30}, ("a+c", "b"), MINIMUM, ["a+c", "b"], None),
        ({"a": 5, "b": 30}, ("a+c", "b"), MINIMUM, ["a+b+c"], None),
        ({"a": 9_000}, (), None, [], Reason.NEVER),
    ],
)
def test_homes_of_unknown_energy_are_published_together_by_their_number(
    homes: dict[str, int],
    together: tuple[str, ...],
    minimum: int | None,
    passed: list[str],
    reason: Reason | None,
) -> None:
    """The groups that a witness is asked for."""
    units = MonthGroups(frozenset(unit.split("+")) for unit in together)
    published, why = close_counts(homes, units, minimum)
    assert ([spelled(groups) for groups in published], why) == (passed, reason)


def spelled(groups: Groups[str]) -> str:
    return "+".join(sorted(groups))


@pytest.mark.parametrize(
    ("homes", "units"),
    [
        ({"a": 10, "b": 30}, {"a", "b"}),
        ({"a": 4, "b": 30, "c": 12}, {"a+c", "b"}),
        ({"c": 12, "b": 30, "a": 4}, {"a+c", "b"}),
        ({"a": 4, "b": 5, "c": 30}, {"a+b+c"}),
        ({"a": 4, "b": 6, "c": 30}, {"a+b", "c"}),
        ({"a": 4, "b": 6, "c": 3}, {"a+b+c"}),
        # Of two that are as large, the first by name, whatever the order of the database.
        ({"a": 4, "b": 12, "c": 12}, {"a+b", "c"}),
        ({"c": 12, "b": 12, "a": 4}, {"a+b", "c"}),
        ({"a": 9}, {"a"}),
        ({}, set()),
    ],
)
def test_small_communes_of_a_month_are_combined_with_the_smallest(
    homes: dict[str, int], units: set[str]
) -> None:
    assert {spelled(groups) for groups in combine_small(homes, MINIMUM)} == units


def test_without_a_number_that_is_enough_all_communes_are_one() -> None:
    assert set(combine_small({"a": 40, "b": 9_000}, None)) == {frozenset({"a", "b"})}


def cells_of(parts: Mapping[str, tuple[int, ...]]) -> dict[Groups[str], Cell]:
    """Return cells by their groups, of which `a+b` names two."""
    return {
        frozenset(unit.split("+")): Cell(watt_minutes=sum(some), homes=len(some))
        for unit, some in parts.items()
    }


@pytest.mark.parametrize(
    ("kinds", "added"),
    [
        ([], {}),
        ([{"b": (1, 2), "a": (3,)}], {"a": (3,), "b": (1, 2)}),
        ([{"a": (1,), "b": (2,)}, {"b": (30,), "a": (40,)}], {"a": (1, 40), "b": (2, 30)}),
        ([{"a": (1,), "b": (2,), "c": (9,)}, {"a+b": (30,)}], {"a+b": (1, 2, 30), "c": (9,)}),
        ([{"a+b": (30,)}, {"a": (1,), "b": (2,), "c": (9,)}], {"a+b": (1, 2, 30), "c": (9,)}),
        # Each kind says something of b: the difference of the two would be a commune by itself.
        ([{"a": (1,), "b+c": (2,)}, {"a+b": (3,), "c": (4,)}], {"a+b+c": (1, 2, 3, 4)}),
        ([{"a": (1,)}, {"b": (2,)}, {"a+b": (3,)}], {"a+b": (1, 2, 3)}),
    ],
    ids=[
        "no kind",
        "one",
        "the same communes",
        "the second coarser",
        "the first coarser",
        "each with another neighbour",
        "three",
    ],
)
def test_kinds_of_homes_add_up_in_the_finest_groups_that_all_have(
    kinds: list[dict[str, tuple[int, ...]]], added: dict[str, tuple[int, ...]]
) -> None:
    result = add_up(map(cells_of, kinds))
    assert result == cells_of(added)
    assert [spelled(groups) for groups in result] == sorted(added)


def test_cells_are_published_in_the_order_of_their_names() -> None:
    """Nothing of how they came to be is in it, such as which of them did not pass at first."""
    parts = {"c": [500] * 30, "a": [500] * 4, "b": [500] * 12, "d": [500] * 40}
    assert [spelled(groups) for groups in closed(parts)[0]] == ["a+b", "c", "d"]


MINUTES = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("is_complete", "since_end", "quiet", "closes"),
    [
        (True, 1, 1, True),
        (False, 19, 19, False),
        (False, 20, 20, True),
        (False, 30, 11, False),
        (False, 119, 19, False),
        (False, 120, 0, True),
    ],
)
def test_incomplete_hour_closes_after_a_quiet_time(
    is_complete: bool, since_end: int, quiet: int, closes: bool
) -> None:
    since, silence = since_end * MINUTES, quiet * MINUTES
    by_default = Publication()
    assert by_default.is_over(is_complete=is_complete, since_end=since, quiet=silence) is closes


@pytest.mark.parametrize(
    ("wait", "longest"),
    [
        (timedelta(minutes=20), timedelta(minutes=20)),
        (timedelta(0), timedelta(hours=2)),
        (timedelta(minutes=20), timedelta(hours=48)),
    ],
)
def test_waits_may_be_as_long_as_their_bounds(wait: timedelta, longest: timedelta) -> None:
    publication = Publication(wait=wait, longest_wait=longest)
    assert (publication.wait, publication.longest_wait) == (wait, longest)


@pytest.mark.parametrize("longest", [timedelta(minutes=19), timedelta(hours=49)])
def test_waits_are_bounded(longest: timedelta) -> None:
    with pytest.raises(ValueError, match="48 hours"):
        Publication(longest_wait=longest)
