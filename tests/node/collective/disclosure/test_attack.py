"""An attacker reads all that a collective ever publishes, and colludes with members.

Each member's record of an hour carries a mark of its own, in the digits of its value. So every
published figure shows which records it sums, whatever the program believes. What members do
meanwhile is random: they hold back, correct themselves, lie, join, are erased, become sites or
homes again, while administrators change the rules and look at previews.
"""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import cast

from hypothesis import example, given, strategies as st
import pytest

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.publication.dry_run import foresee
from consometers_node.collective.settings_file import read
from consometers_node.series import Interval
from consometers_node.store import Store
from consometers_node.store.collective.publication import PublishedCell
from consometers_node.store.collective.tables import GroupId, MemberId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.series import erase_series
from consometers_node.store.settings import DISCLOSURE_SECRET, set_secret
from testing.collectives.attack import STORIES, Attacker, Over, Unknown, disclosed
from testing.collectives.publishing import PublishingTown

AREAS = ["Lorient", "Lanester", None]
START = datetime(2026, 6, 30, 18, tzinfo=UTC)
"""Four hours before a month ends in the time of the collective."""
MONTH = START.date().replace(day=1)
HOURS = 8
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MOST = 10
"""Members of a scenario."""
OF_A_CHILD = 40
"""Homes of a collective below."""
VERSIONS = 2
_DIGIT = 2
_BASE = 1 << (_DIGIT * MOST * VERSIONS)
"""What a home draws, beside its mark."""
SETTINGS = """\
name = "Lorient"
identifier = "kersabiec"
[xmpp]
account = "coop@example.org"
"""

SECRET = bytes(range(32))
"""Of the confidential parameter: both runs of a scenario draw the same."""
TWINS = frozenset({0, 1})
"""Two honest and punctual homes of one commune."""
_OF_A_TWIN = 1_000
"""What each draws at least, in W; other honest homes beside them draw that."""
_LIE = 1_000
"""How often a liar beside them draws as much.

So no cell is so near to the p % rule that the pair of its largest homes, and with it the parameter,
decides: with liars, what hides them is too little, and without them more than enough. Only the
sums of a day may come near, whose pair is of liars or of both twins.
"""


type Key = tuple[GroupId, str, datetime]


def mark(home: int, version: int) -> int:
    return 1 << (_DIGIT * (home * VERSIONS + version))


def marked(watts: int) -> Iterator[tuple[int, int, int]]:
    """Yield the records that a sum is of: home, version, and how often."""
    for home in range(MOST):
        for version in range(VERSIONS):
            if times := watts // mark(home, version) % (1 << _DIGIT):
                yield home, version, times


@dataclass
class Story:
    """A town, and all that was ever published of it."""

    town: PublishingTown
    random: Random
    folder: Path
    minimum: int
    homes: dict[int, MemberId] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    public: dict[int, range] = field(default_factory=dict)
    """In which hours a member is public by itself."""
    daily: set[int] = field(default_factory=set)
    named: set[int] = field(default_factory=set)
    below: set[int] = field(default_factory=set)
    """Collectives of the collective, whose figures are public."""
    sent: set[tuple[int, int]] = field(default_factory=set)
    attacker: Attacker = field(default_factory=Attacker)
    published: dict[Key, int] = field(default_factory=dict)
    cells: dict[Key, PublishedCell] = field(default_factory=dict)
    seeds: tuple[int, int] | None = None
    """What each twin draws; None where there are no twins."""

    @property
    def twins(self) -> frozenset[int]:
        return frozenset() if self.seeds is None else TWINS

    def _rules(self) -> Publication:
        """Return rules by which no fewer homes are enough."""
        stricter = self.random.choice([0, 0, 1, None])
        if stricter is None:
            return Publication(minimum=None)
        return Publication(minimum=self.minimum + stricter)

    async def populate(self) -> None:
        self.town.publication = Publication(minimum=self.minimum)
        for number in range(self.random.randrange(4, 7)):
            await self._join(area="Lorient" if number in self.twins else None)
        for _ in range(self.random.randrange(3)):
            await self._join(Interval.P1D)
        if self.random.random() < 0.5:
            self.below.add(child := await self._join(kind="collective"))
            self.public[child] = range(HOURS)

    async def play(self) -> None:
        for hour in range(HOURS):
            await self._hour(hour)
        await self._send_days()
        await self.look(START + timedelta(days=3))

    async def _hour(self, hour: int) -> None:
        end = START + (hour + 1) * HOUR
        self.town.at = end + 5 * MINUTE
        late = []
        for home in self.homes:
            if home in self.daily | self.gone:
                continue
            if self.random.random() < 0.8 or home in self.twins:
                await self._send(home, hour)
            else:
                late.append(home)
        await self.look(self.town.at)
        await self._mischief(hour)
        await self.look(end + 40 * MINUTE)
        for home in late:
            await self._send(home, hour)
        await self.look(end + 45 * MINUTE)

    async def _mischief(self, hour: int) -> None:
        event = self.random.choice(
            [
                "nothing",
                "correct",
                "erase",
                "join",
                "name",
                "home",
                "move",
                "rules",
                "rules",
                "preview",
            ]
        )
        hourly = [home for home in self.homes if home not in self.daily | self.gone | self.twins]
        match event:
            case "correct" if chosen := [(h, n) for h, n in sorted(self.sent) if h in hourly]:
                await self._send(*self.random.choice(chosen), version=1)
            case "erase" if hourly:
                await self._erase(self.random.choice(hourly))
            case "join" if len(self.homes) < MOST:
                await self._join()
            case "name" if homes := [home for home in hourly if home not in self.public]:
                await self._name(self.random.choice(homes), hour)
            case "home" if sites := sorted(self.named & set(hourly)):
                await self._take_back(self.random.choice(sites), hour)
            case "move" if homes := [home for home in hourly if home not in self.public]:
                member = self.homes[self.random.choice(homes)]
                await self.town.people.set_area(member, self.random.choice(AREAS))
            case "rules":
                self.town.publication = self._rules()
            case "preview":
                await self._preview()

    async def _join(
        self, interval: Interval = Interval.PT1H, kind: str = "home", area: str | None = None
    ) -> int:
        number = len(self.homes)
        if area is None and kind == "home":
            area = self.random.choice(AREAS)
        member = await self.town.member(area, kind=kind, interval=interval, since=MONTH)
        self.homes[number] = member
        if interval is Interval.P1D:
            self.daily.add(number)
        return number

    async def _send(self, home: int, hour: int, version: int = 0) -> None:
        """Send the truth, mostly; a liar draws nothing, or more than all together."""
        times = self.random.choice([1] * 8 + [0, 8 if self.seeds is None else _LIE])
        watts = times * _BASE + mark(home, version)
        if self.seeds is not None:
            watts = times * _OF_A_TWIN
            if home in TWINS:
                watts = _OF_A_TWIN + Random(self.seeds[home] + hour).randrange(100, _OF_A_TWIN)
        start = START + hour * HOUR
        self.sent.add((home, hour))
        count = OF_A_CHILD if home in self.below else None
        await self.town.record_hour(self.homes[home], watts, start, count=count)

    async def _send_days(self) -> None:
        self.town.at = START + timedelta(days=2)
        for home in self.daily:
            if self.random.random() < 0.9:
                watt_hours = 12 * _OF_A_TWIN if self.seeds else 12 * _BASE + mark(home, 0)
                # The record of a civil day starts on the UTC day before.
                day = START.date() - timedelta(days=1)
                await self.town.record(self.homes[home], watt_hours, day=day)

    async def _erase(self, home: int) -> None:
        self.gone.add(home)
        series = self.town.series[self.homes[home]]
        await erase_series(self.town.connection, [self.town.numbers[series]])
        for key in [key for key in self.town.received if key[0] == series]:
            del self.town.received[key]

    async def _name(self, home: int, hour: int) -> None:
        self.named.add(home)
        await self.town.show_by_name(self.homes[home], f"Site {home}")
        month = await self.town.people.first_free_month()
        # Records from before that month stay as secret as ever.
        turn = datetime(month.year, month.month, 1, tzinfo=self.town.people.zone)
        self.public[home] = range(max(0, -(-(turn - START) // HOUR)), HOURS)

    async def _take_back(self, home: int, hour: int) -> None:
        """Withdraw the name of a site: what closes from then on is secret again."""
        self.named.remove(home)
        await self.town.unname(self.homes[home])
        start = START + hour * HOUR
        is_closed = any(each.start == start for each in await self.town.closed(start.date()))
        self.public[home] = range(self.public[home].start, hour + is_closed)

    async def _preview(self) -> None:
        """Look at what other rules would show; administrators may, and nothing of it is left."""
        connection = self.town.connection

        class Same:
            @asynccontextmanager
            async def writing(self) -> AsyncIterator[AsyncConnection]:
                yield connection

        file = self.folder / "collective.toml"
        file.write_text(SETTINGS)
        settings = read(file, {})
        await foresee(cast("Store", Same()), settings, self._rules(), self.town.at)

    async def look(self, at: datetime) -> None:
        await self.town.look(at)
        cells = await self.town.all_cells()
        for key, cell in self.cells.items():
            assert cells[key] == cell, "a published figure has changed"
        if self.seeds is not None:
            self.cells = cells
            return
        self.published = {key: cell.watt_minutes for key, cell in cells.items()}
        for key in cells.keys() - self.cells.keys():
            self._see(key, self.published)
            self._count(key, cells)
        self.cells = cells

    def _count(self, key: Key, cells: Mapping[Key, PublishedCell]) -> None:
        """See the counts of a cell: each says which homes are in it, and nothing else."""
        _, interval, start = key
        if interval != Interval.PT1H:
            return
        cell = cells[key]
        of_one = cell.homes_watt_minutes, cell.homes
        if not cell.homes:
            of_one = cell.watt_minutes, cell.members
        assert cell.average == (of_one[0] + of_one[1] // 2) // of_one[1]
        hour = (start - START) // HOUR
        inside = {home for home, _, _ in marked(cell.watt_minutes // 60)}
        secret = {home for home in inside if hour not in self.public.get(home, ())}
        assert cell.homes == len(secret)
        assert cell.homes <= cell.counting
        children = len(inside & self.below)
        assert cell.members == len(inside) - children + OF_A_CHILD * children
        self.attacker.see({(home, ("sent", hour)): 1 for home in secret})

    def _see(self, key: Key, published: dict[Key, int]) -> None:
        group, interval, start = key
        if interval == Interval.PT1H:
            watts, left = divmod(published[key], 60)
            hour = (start - START) // HOUR
        else:
            hours = [
                value
                for (place, step, begins), value in published.items()
                if place == group and step == Interval.PT1H and start <= begins < start + 24 * HOUR
            ]
            # The rest is of the homes that send days alone.
            watts, left = divmod(published[key] - sum(hours), 60)
            hour = -1
        assert not left
        self.attacker.see(
            {
                (home, (hour, version)): times
                for home, version, times in marked(watts)
                if hour not in self.public.get(home, ())
            }
        )

    def leaks(self) -> set[int]:
        """Return homes that colluding members, fewer than the minimum, disclose."""
        return disclosed(self.attacker.figures, self.homes, self.minimum)


@pytest.fixture
async def other(new_database: Callable[[str], Awaitable[Path | str]]) -> AsyncIterator[Store]:
    """Another database, of the level above."""
    opened = await Store.open(await new_database("sqlite"))
    yield opened
    await opened.close()


@pytest.mark.timeout(600)
@STORIES
@given(st.integers(0, 10**9), st.sampled_from([3, 4]))
# In these a site is named no longer in the hour that closes.
@example(276934, 4)
@example(175555, 4)
async def test_colluding_members_learn_nothing_of_others(
    file: Store, tmp_path: Path, seed: int, minimum: int
) -> None:
    """They compute published cells less their own records, and nothing about fewer others."""
    with suppress(Over):
        async with file.writing() as connection:
            town = PublishingTown(connection, at=START)
            scenario = Story(town, Random(seed), tmp_path, minimum)
            await scenario.populate()
            await scenario.play()
            assert not scenario.leaks()
            raise Over


@pytest.mark.timeout(600)
@STORIES
@given(st.integers(0, 10**9), st.sampled_from([3, 4]), st.integers(0, 10**9))
async def test_nothing_tells_two_homes_of_a_commune_apart(
    file: Store, tmp_path: Path, seed: int, minimum: int, drawn: int
) -> None:
    """Whichever of them drew what: cells, counts, averages, reasons and closing times are alike."""
    seen = []
    for seeds in ((drawn, drawn + 100), (drawn + 100, drawn)):
        with suppress(Over):
            async with file.writing() as connection:
                await set_secret(connection, DISCLOSURE_SECRET, SECRET)
                town = PublishingTown(connection, at=START)
                scenario = Story(town, Random(seed), tmp_path, minimum, seeds=seeds)
                await scenario.populate()
                await scenario.play()
                closed = [await town.rows(table) for table in ("closed_interval", "member_group")]
                seen.append((scenario.cells, closed))
                raise Over
    assert seen[0] == seen[1]
    assert seen[0][1][0]


LEVELS = {"cooperative": range(5), "municipality": range(5, 9)}
"""The homes of each level."""
_OF_A_LEVEL = _BASE >> _DIGIT * VERSIONS
"""What such a home draws, beside its mark: what a collective sends is bounded."""


@pytest.mark.timeout(600)
@STORIES
@given(st.integers(0, 10**9), st.sampled_from([3, 4]))
async def test_a_municipality_and_its_cooperative_disclose_nobody(
    file: Store, other: Store, seed: int, minimum: int
) -> None:
    """The municipality has homes of its own, and adds the cooperative's published cells to them.

    The attacker reads what both publish: the one less the other leaves the homes in between.
    """
    random, attacker = Random(seed), Attacker()
    with suppress(Over):
        async with file.writing() as below, other.writing() as above:
            towns = {
                name: PublishingTown(connection, Publication(minimum=minimum), at=START)
                for name, connection in zip(LEVELS, (below, above), strict=True)
            }
            members = {
                home: await town.member(random.choice(AREAS), since=MONTH)
                for name, town in towns.items()
                for home in LEVELS[name]
            }
            cooperative, municipality = towns.values()
            child = await municipality.member(kind="collective", since=MONTH)
            seen = set[tuple[str, Key]]()
            for hour in range(HOURS):
                start = START + hour * HOUR
                for minutes in (5, 45):
                    for name, town in towns.items():
                        town.at = start + HOUR + minutes * MINUTE
                        for home in LEVELS[name]:
                            # Some send late, some never.
                            if random.random() < 0.6:
                                watts = random.choice([_OF_A_LEVEL] * 9 + [0])
                                watts += mark(home, minutes == 45)
                                await town.record_hour(members[home], watts, start)
                        await town.look(town.at)
                        for key, cell in (await town.all_cells()).items():
                            if (name, key) in seen or key[1] != Interval.PT1H:
                                continue
                            seen.add((name, key))
                            figure: dict[Unknown, int] = {
                                (home, (key[2], version)): times
                                for home, version, times in marked(cell.watt_minutes // 60)
                                if home in members
                            }
                            attacker.see(figure)
                            own = {home for home, _ in figure} & set(LEVELS[name])
                            assert cell.homes == len(own) <= cell.counting
                            if town is cooperative and key[0] == await town.group("all", ""):
                                watts, count = cell.watt_minutes // 60, cell.members
                                await municipality.record_hour(child, watts, key[2], count=count)
            assert {name for name, _ in seen} == set(LEVELS) or not seen
            assert not disclosed(attacker.figures, members, minimum)
            raise Over


def test_the_attacker_finds_the_difference_of_two_releases() -> None:
    """The first version released an hour again when somebody came late: this attacker sees it."""
    attacker = Attacker()
    homes = range(10)
    attacker.see({(home, 0): 1 for home in homes})
    attacker.see({(home, 0): 1 for home in [*homes, 99]})
    assert attacker.singled_out(fewer_than=2) == {99}
