"""Each test names the attack that a rule of publication answers."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import permutations
from random import Random

from hypothesis import given, settings, strategies as st
import pytest

from consometers_node.collective.disclosure.closing import Groups, close, combine_small
from consometers_node.collective.disclosure.sdc_rules import (
    P_PERCENT,
    Cell,
    Publication,
    Reason,
)

from .attack import Attacker

MINIMUM = 10
AREAS = ("Guidel", "Lanester", "Lorient", "Ploemeur", "")

HOMES = st.integers(0, 2_000)
AREA = st.dictionaries(st.sampled_from(AREAS), st.lists(HOMES, max_size=25), max_size=len(AREAS))


def closed(
    parts: Mapping[str, list[int]],
    minimum: int | None = MINIMUM,
    members: Mapping[str, int] | None = None,
) -> tuple[Mapping[Groups[str], Cell], Reason | None]:
    """Close an interval in which homes have these parts; in the month there were so many."""
    members = members or {area: len(some) for area, some in parts.items()}
    cells = {area: Cell.of(some) for area, some in parts.items() if some}
    return close(cells, combine_small(members, minimum), minimum)


def published(
    closing: tuple[Mapping[Groups[str], Cell], Reason | None],
) -> dict[frozenset[str], tuple[int, int]]:
    cells, reason = closing
    assert reason is None
    return {groups: (cell.watt_minutes, cell.homes) for groups, cell in cells.items()}


def test_nine_homes_are_not_published() -> None:
    assert closed({"Lorient": [500] * 9}) == ({}, Reason.BELOW_THRESHOLD)


def test_two_solar_homes_among_eight_without_injection_stay_secret() -> None:
    assert closed({"Lorient": [0] * 8 + [900, 800]}) == ({}, Reason.DOMINANCE)


def test_all_zero_is_known_of_all() -> None:
    assert published(closed({"Lorient": [0] * 10})) == {frozenset({"Lorient"}): (0, 10)}


def test_a_home_of_more_than_85_percent_is_never_published() -> None:
    """Insee's rule for one enterprise is contained in the p % rule."""
    for others in range(10, 60):
        parts = [1_000] + [round(1_000 * 15 / 85 / others) - 1] * others
        assert closed({"Lorient": parts}) == ({}, Reason.DOMINANCE)


def test_a_small_commune_is_published_with_the_smallest_other_one() -> None:
    cells = published(closed({"Guidel": [500] * 4, "Lorient": [500] * 30, "Lanester": [500] * 12}))
    assert cells == {
        frozenset({"Guidel", "Lanester"}): (8_000, 16),
        frozenset({"Lorient"}): (15_000, 30),
    }
    assert [sum(facts) for facts in zip(*cells.values(), strict=True)] == [23_000, 46]


def test_small_communes_are_enough_together() -> None:
    assert published(closed({"Guidel": [1] * 4, "Ploemeur": [1] * 7, "Lorient": [1] * 11})) == {
        frozenset({"Guidel", "Ploemeur"}): (11, 11),
        frozenset({"Lorient"}): (11, 11),
    }


def test_a_dominated_commune_does_not_hide_the_hour_of_all() -> None:
    """One home that heats a pool withheld a commune's whole day; now it is in another cell."""
    closing = closed({"Lanester": [10] * 11 + [9_000], "Lorient": [900] * 40})
    assert published(closing) == {frozenset({"Lanester", "Lorient"}): (45_110, 52)}


def test_a_commune_without_records_is_pooled_like_any_other() -> None:
    members = {"Lanester": 12, "Lorient": 40}
    assert published(closed({"Lorient": [900] * 40}, members=members)) == {
        frozenset({"Lanester", "Lorient"}): (36_000, 40)
    }


def test_a_home_that_joins_in_a_new_commune_during_the_month_is_pooled() -> None:
    members = {"Lorient": 40}
    closing = closed({"Guidel": [700], "Lorient": [900] * 40}, members=members)
    assert published(closing) == {frozenset({"Guidel", "Lorient"}): (36_700, 41)}


def test_where_no_number_is_enough_nothing_is_published() -> None:
    assert closed({"Lorient": [500] * 9_000}, None) == ({}, Reason.NEVER)


@given(AREA, st.integers(3, 12))
def test_cells_share_no_home_and_each_passes(parts: dict[str, list[int]], minimum: int) -> None:
    cells, _ = closed(parts, minimum)
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


class Town:
    """Homes that join, leave, hold back, lie or are erased, and all that is ever published."""

    def __init__(self, random: Random, minimum: int) -> None:
        self.random = random
        self.minimum = minimum
        self.area = {home: random.choice(AREAS) for home in range(random.randrange(4, 16))}
        self.attacker = Attacker()
        self.hours = 0

    def month(self, hours: int) -> None:
        """Publish some hours of a month."""
        members = {
            area: sum(other == area for other in self.area.values()) for area in self.area.values()
        }
        together = combine_small(members, self.minimum)
        for _ in range(hours):
            self.hours += 1
            responding = [home for home in self.area if self.random.random() < 0.8]
            cells: dict[str, Cell] = {}
            for home in responding:
                part = Cell.of([self.random.choice([0, 40, 500, 9_000])])
                cells[self.area[home]] = cells.get(self.area[home], Cell()) + part
            for groups in close(cells, together, self.minimum)[0]:
                inside = [home for home in responding if self.area[home] in groups]
                self.attacker.see({(home, self.hours): 1 for home in inside})

    def change(self) -> None:
        """Change who is there, where they are, and which rules hold."""
        for home in list(self.area):
            if self.random.random() < 0.2:
                del self.area[home]
            elif self.random.random() < 0.1:
                self.area[home] = self.random.choice(AREAS)
        for _ in range(self.random.randrange(4)):
            self.area[max(self.area, default=0) + 100] = self.random.choice(AREAS)


def colluding(town: Town, random: Random) -> Iterator[set[int]]:
    """Yield sets of homes, fewer than the minimum, that share all that they know."""
    homes = sorted({home for figure in town.attacker.figures for (home, _), _ in figure})
    for count in range(min(town.minimum, len(homes))):
        yield set(random.sample(homes, count))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 5))
def test_colluding_members_learn_of_no_fewer_others_than_a_cell_less_themselves(
    seed: int, minimum: int
) -> None:
    random = Random(seed)
    town = Town(random, minimum)
    for _ in range(3):
        town.month(2)
        town.change()
    for traitors in colluding(town, random):
        attacker = Attacker()
        for figure in town.attacker.figures:
            left = {unknown: times for unknown, times in figure if unknown[0] not in traitors}
            attacker.see(left)
        assert not attacker.singled_out(fewer_than=minimum - len(traitors))


def test_the_attacker_finds_the_difference_of_two_releases() -> None:
    """The first version released an hour again when somebody came late: this attacker sees it."""
    attacker = Attacker()
    homes = range(10)
    attacker.see({(home, 0): 1 for home in homes})
    attacker.see({(home, 0): 1 for home in [*homes, 99]})
    assert attacker.singled_out(fewer_than=2) == {99}


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
def test_an_hour_closes_once_nothing_new_comes(
    is_complete: bool, since_end: int, quiet: int, closes: bool
) -> None:
    since, silence = since_end * MINUTES, quiet * MINUTES
    by_default = Publication()
    assert by_default.is_over(is_complete=is_complete, since_end=since, quiet=silence) is closes


@pytest.mark.parametrize("longest", [timedelta(minutes=19), timedelta(hours=49)])
def test_waits_are_bounded(longest: timedelta) -> None:
    with pytest.raises(ValueError, match="48 hours"):
        Publication(longest_wait=longest)
