"""An attacker reads all that a collective publishes, time and again, and adds and subtracts.

Homes draw the same in all hours of a day, so that hours and days can be compared. Each story is
played twice, with other numbers: what comes out both times is no coincidence.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import combinations, product
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective.disclosure import Agreed, ByLaw, Publication
from consometers_node.collective.errors import Shown
from consometers_node.collective.members import Members
from consometers_node.collective.sites import Description
from consometers_node.series import Interval
from consometers_node.store import Store
from consometers_node.store.collective_tables import GroupId, MemberId
from consometers_node.store.series import erase_series

from .publishing import BEFORE, DAY, LATER, NOON, ZONE, Town

NEED = 3
AREAS = ["Lorient", "Lanester", None]
RULES = [
    Publication(basis=Agreed(NEED)),
    Publication(basis=Agreed(5)),
    Publication(basis=Agreed(4), interval=Interval.PT30M),
    Publication(basis=ByLaw()),
]
HOURS_A_DAY = 24
LEAST_W = 200_000_000_000

type Figure = tuple[str, str, datetime]
"""Whose, at which step, and of when."""
type Step = tuple[str, frozenset[int]]


class Played(Exception):
    """The story is over, and nothing of it is to be kept."""


class Story:
    """A town, what its homes drew in truth, and what the attacker has read."""

    def __init__(self, connection: AsyncConnection, seed: int) -> None:
        self.town = Town(connection, at=LATER)
        self.homes: list[MemberId] = []
        self.truth: dict[int, list[int]] = {}
        self.read: dict[Figure, int] = {}
        self._published: dict[tuple[GroupId, str, datetime], int] = {}
        self._random = Random(seed)
        self._gone: set[int] = set()
        self._looks = 0

    async def found(self, areas: list[int], dailies: int) -> None:
        for number, area in enumerate(areas):
            interval = Interval.P1D if number < dailies else Interval.PT1H
            self.homes.append(await self.town.member(AREAS[area], interval=interval))
            self.truth[number] = []

    async def step(self, step: Step) -> None:
        what, which = step
        some = [home for home in sorted(which) if home < len(self.homes)]
        match what:
            case "tell":
                for home in some:
                    if home not in self._gone:
                        await self._tell(home)
            case "erase":
                for home in some[:1]:
                    await self._erase(home)
            case "mistake":
                for home in some[:1]:
                    if home not in self._gone:
                        await self._mistake(home)
            case "rules":
                self.town.publication = RULES[min(which) % len(RULES)]
            case _:
                await self.town.look()
                await self._read()

    async def _tell(self, home: int) -> None:
        watts = LEAST_W + self._random.randrange(LEAST_W)
        self.truth[home].append(watts)
        member = self.homes[home]
        if self.town.series[member].interval is Interval.P1D:
            await self.town.tell(member, watts * HOURS_A_DAY, day=BEFORE)
        else:
            await self.town.tell(member, watts, day=BEFORE)
            await self.town.tell(member, watts)

    async def _erase(self, home: int) -> None:
        self._gone.add(home)
        connection, member = self.town.connection, self.homes[home]
        await erase_series(connection, [self.town.numbers[self.town.series[member]]])

    async def _mistake(self, home: int) -> None:
        """Show a home as a site, and take that back where it can be."""
        connection, member = self.town.connection, self.homes[home]
        members = Members(connection, ZoneInfo(ZONE))
        with suppress(Shown):
            async with connection.begin_nested():
                await members.present(member, f"{home}", Description())
                await members.hide(member)

    async def _read(self) -> None:
        """Read all that is published, which is what was read before and more."""
        self._looks += 1
        published = await self.town.published()
        for key, value in self._published.items():
            assert published[key] == value, "a published figure has changed"
        for key in published.keys() - self._published.keys():
            group, interval, start = key
            self.read[f"{group}", interval, start] = published[key]
        self._published = published

    def leaks(self) -> set[tuple[Figure, ...]]:
        """Give figures that make up, added and subtracted, what one home had or two together."""
        secrets = set(self._secrets())
        first_read = {value: figure for figure, value in reversed(self.read.items())}
        found = set()
        for many in (1, 2, 3):
            for values in combinations(first_read, many):
                for signs in product((1, -1), repeat=many - 1):
                    total = sum(n * value for n, value in zip((1, *signs), values, strict=True))
                    if abs(total) in secrets:
                        found.add(tuple(first_read[value] for value in values))
        return found

    def _secrets(self) -> Iterator[int]:
        """Give what each home had, by how much it changed, and what two of them had together."""
        each = {
            home: {*versions, *(abs(a - b) for a, b in combinations(versions, 2))}
            for home, versions in self.truth.items()
        }
        for known in each.values():
            yield from known
        for one, other in combinations(each.values(), 2):
            yield from (a + b for a, b in product(one, other))
            yield from (abs(a - b) for a, b in product(one, other))


async def play(
    file: Store, areas: list[int], dailies: int, steps: list[Step], seed: int
) -> set[tuple[Figure, ...]]:
    leaks: set[tuple[Figure, ...]] = set()
    with suppress(Played):
        async with file.writing() as connection:
            story = Story(connection, seed)
            await story.found(areas, dailies)
            for step in [*steps, ("look", frozenset[int]())]:
                await story.step(step)
            leaks = story.leaks()
            raise Played
    return leaks


SOME = st.frozensets(st.integers(0, 8), min_size=1)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["tell", "tell", "tell", "look", "look", "erase", "mistake", "rules"]), SOME
    ),
    min_size=2,
    max_size=8,
)


@pytest.mark.timeout(300)
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.integers(0, 2), min_size=5, max_size=9),
    st.integers(0, 3),
    st.frozensets(st.integers(0, 8), min_size=4),
    STEPS,
)
async def test_no_sum_of_figures_is_what_one_home_had_or_two(
    file: Store, areas: list[int], dailies: int, first: frozenset[int], steps: list[Step]
) -> None:
    told: list[Step] = [("tell", first), ("look", first), *steps]
    leaks = await play(file, areas, dailies, told, 1)
    if leaks:
        leaks &= await play(file, areas, dailies, told, 2)
    assert not leaks


async def test_the_attacker_finds_what_is_not_protected(file: Store) -> None:
    async with file.writing() as connection:
        story = Story(connection, 1)
        await story.found([0, 0, 0, 0], 0)
        await story.step(("tell", frozenset({0, 1, 2})))
        await story.step(("look", frozenset()))
        assert not story.leaks()
        figure = next(iter(story.read))
        story.read["again", "PT1H", NOON] = story.read[figure] + 17
        story.truth[3].append(17)
        assert story.leaks()


async def test_a_site_that_was_published_is_no_home_again(file: Store) -> None:
    async with file.writing() as connection:
        town = Town(connection)
        site = await town.member(kind="site", name="École")
        await town.tell(site, 600)
        await town.look()
        assert await town.shown("École", kind="site") == [600] * HOURS_A_DAY
        with pytest.raises(Shown):
            await Members(connection, ZoneInfo(ZONE)).hide(site)


async def test_a_site_by_mistake_hides_others_as_a_home_once_that_is_put_right(file: Store) -> None:
    async with file.writing() as connection:
        town = Town(connection)
        site = await town.member(kind="site", name="École")
        await town.members(2)
        await town.tell(list(town.series), 300)
        await Members(connection, ZoneInfo(ZONE)).hide(site)
        await town.look()
        assert await town.shown() == [3 * 300] * HOURS_A_DAY
        assert await town.shown("École", kind="site") == []


async def test_a_home_becomes_a_site_from_the_next_month_on(file: Store) -> None:
    """Before the month from which it is shown, it is hidden among homes as ever."""
    async with file.writing() as connection:
        town = Town(connection)
        homes = await town.members(3)
        await town.tell(homes, 300, day=BEFORE)
        await town.look(NOON - timedelta(hours=12))
        await town.people.present(homes[0], "École", Description())
        await town.tell(homes, 300, day=DAY)
        await town.look()
        assert await town.shown() == [3 * 300] * HOURS_A_DAY
        assert await town.shown("École", kind="site") == []
