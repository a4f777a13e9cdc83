"""An attacker reads all that a collective publishes, time and again, and adds and subtracts.

Homes draw the same in all hours of a day, so that hours and days can be compared. Each story is
played twice, with other numbers: what comes out both times is no coincidence.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations, product
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective.disclosure import Agreed, ByLaw, Publication
from consometers_node.collective.errors import Shown
from consometers_node.collective.members import Members
from consometers_node.collective.moving import moving
from consometers_node.collective.release import forget
from consometers_node.collective.rules import take_up
from consometers_node.collective.sites import Description
from consometers_node.series import Interval
from consometers_node.store import Store
from consometers_node.store.collective_tables import MemberId

from .erasing import erase
from .publishing import BEFORE, DAY, LATER, ZONE, Town

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

type Figure = tuple[str, str, int]
"""Whose, of what, and in which look."""
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
        self._random = Random(seed)
        self._gone: set[int] = set()
        self._looks = 0

    async def found(self, areas: list[int], dailies: int) -> None:
        await take_up(self.town.connection, self.town.publication, self.town.at)
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
                town = self.town
                town.publication = RULES[min(which) % len(RULES)]
                await take_up(town.connection, town.publication, town.at)
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
        await forget(connection, member, "kersabiec", self.town.at)
        series = self.town.series[member]
        await erase(connection, member, [self.town.numbers[series]], self.town.at)

    async def _mistake(self, home: int) -> None:
        """Show a home as a site, and take that back where it can be."""
        connection, member = self.town.connection, self.homes[home]
        members = Members(connection, ZoneInfo(ZONE))
        with suppress(Shown):
            async with connection.begin_nested():
                async with moving(connection, member, self.town.at):
                    await members.present(member, f"{home}", Description())
                async with moving(connection, member, self.town.at):
                    await members.hide(member)

    async def _read(self) -> None:
        self._looks += 1
        for kind, name in self.town.groups:
            hours = await self.town.shown(name, kind=kind, day=DAY)
            for value in {value for value in hours[:20] if value is not None}:
                self.read[name, "hour", self._looks] = value
            if (civil := await self.town.civil(name, kind=kind)) is not None:
                self.read[name, "day", self._looks] = civil // HOURS_A_DAY

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
        story.read["", "hour", 2] = story.read["", "hour", 1] + 17
        story.truth[3].append(17)
        assert story.leaks()


async def test_what_was_shown_as_a_site_hides_nobody_in_that_month(file: Store) -> None:
    async with file.writing() as connection:
        town = Town(connection)
        site = await town.member(kind="site", name="École")
        await town.tell(site, 600)
        await town.look()
        # Where no home is, nothing hides, and no standing is kept of what everybody sees.
        assert await town.shown("École", kind="site") == [600] * HOURS_A_DAY
        assert await town.kept("released_block") == []
        await town.members(2)
        with pytest.raises(Shown):
            await Members(connection, ZoneInfo(ZONE)).hide(site)


async def test_a_site_by_mistake_hides_others_as_a_home_once_that_is_put_right(file: Store) -> None:
    async with file.writing() as connection:
        town = Town(connection)
        site = await town.member(kind="site", name="École")
        await town.members(2)
        await town.tell(list(town.series), 300)
        members = Members(connection, ZoneInfo(ZONE))
        async with moving(connection, site, town.at):
            await members.hide(site)
        await town.look()
        assert await town.shown() == [3 * 300] * HOURS_A_DAY
        assert await town.shown("École", kind="site") == []
