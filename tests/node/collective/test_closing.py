"""Each test names the attack that a rule of publication answers."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import permutations

from hypothesis import given, strategies as st
import pytest

from consometers_node.collective.disclosure.closing import Groups, close, combine_small
from consometers_node.collective.disclosure.sdc_rules import (
    P_PERCENT,
    Cell,
    Publication,
    Reason,
)

MINIMUM = 10
AREAS = ("Guidel", "Lanester", "Lorient", "Ploemeur", "")

HOMES = st.integers(0, 2_000)
AREA = st.dictionaries(st.sampled_from(AREAS), st.lists(HOMES, max_size=25), max_size=len(AREAS))
MEMBERS = st.dictionaries(st.sampled_from(AREAS), st.integers(0, 25), max_size=len(AREAS))


def closed(
    parts: Mapping[str, list[int]],
    minimum: int | None = MINIMUM,
    members: Mapping[str, int] | None = None,
) -> tuple[Mapping[Groups[str], Cell], Reason | None]:
    """Close an interval in which homes have these parts; in the month there were so many."""
    members = members or {area: len(some) for area, some in parts.items()}
    cells = {area: Cell.of(some) for area, some in parts.items() if some}
    return close(cells, combine_small(members, minimum), minimum)


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


@given(AREA)
def test_no_member_can_estimate_another_to_within_p_percent(
    parts: dict[str, list[int]],
) -> None:
    """A member knows its own part, and that no other is negative: the rest bounds each of them."""
    for groups, cell in closed(parts, 3)[0].items():
        homes = [part for area in groups for part in parts.get(area, ())]
        for own, other in permutations(sorted(homes, reverse=True)[:6], 2):
            bound = cell.watt_minutes - own
            assert 100 * (bound - other) >= P_PERCENT * other


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


@pytest.mark.parametrize("longest", [timedelta(minutes=19), timedelta(hours=49)])
def test_waits_are_bounded(longest: timedelta) -> None:
    with pytest.raises(ValueError, match="48 hours"):
        Publication(longest_wait=longest)
