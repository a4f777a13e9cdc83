"""The sums of collectives: how often a home looks for what there is of them."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

import pytest

from consometers_node.household.recorder.client import Recorder
from consometers_node.household.statistics_import.collective_statistics import (
    EVERY_S,
    FIRST_WAIT_S,
    CollectiveStatistics,
)
from consometers_node.household.statistics_import.plant_statistics import PlantStatistics
from consometers_node.permission import Permissions, State
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.household.plants import all_held_plants
from consometers_node.store.household.pulled import all_pulled
from consometers_node.store.peers import add_peer
from consometers_quoalise import Direction, Listed, NotAuthorized, Shares
from consometers_quoalise.records.identifier import identifier, organisation
from consometers_quoalise_network import Asking
from testing.homes.data_needs import STOP, now
from testing.homes.ledgers import Ledger

ALL = organisation("kersabiec")
ODD = 0.2
"""A wait is longer or shorter by less than this part of it."""


class EnoughWaits(Exception):
    """The home has waited as often as the test wants."""


@dataclass
class Collective:
    """A collective, its home's language, and the time: it passes while the home waits."""

    listed: list[Listed] = field(default_factory=list)
    time: float = 1_000.0
    waits: list[float] = field(default_factory=list)
    looks: int = 0
    most: int = 0
    later: dict[int, list[Listed]] = field(default_factory=dict)
    refuses: bool = False

    def clock(self) -> float:
        return self.time

    async def list_series(self, jid: str) -> list[Listed]:
        self.looks += 1
        if self.refuses:
            raise NotAuthorized
        self.listed += self.later.pop(self.looks, [])
        return self.listed

    async def connected(self) -> None:
        pass

    async def language(self) -> str:
        return "fr"


class SimulatedChanges(Changes):
    """Changes whose waits pass at once, in simulated time."""

    def __init__(self, collective: Collective) -> None:
        super().__init__()
        self.collective = collective

    async def after(self, seen: int, seconds: float | None = None) -> bool:
        if self.count != seen:
            return True
        if seconds is None:
            return await super().after(seen)
        if len(self.collective.waits) == self.collective.most:
            raise EnoughWaits
        self.collective.waits.append(seconds)
        self.collective.time += seconds
        return False


def sums(way: Direction) -> list[Listed]:
    name = identifier(f"{ALL}_{way}/power/active/raw")
    return [Listed(series=series) for series in (name, name.members)]


async def run_home(
    store: Store, collective: Collective, most: int, jid: str = "coop@example.org"
) -> None:
    """Run a home until it has waited so many times."""
    ledger = await Ledger.open(store, jid)
    await ledger.grant()
    async with store.writing() as connection:
        permissions = Permissions(connection)
        for notice in await permissions.notices(ledger.peer.id):
            await permissions.keep_receipt(notice.seq, "r", now())
    collective.most = most
    together = CollectiveStatistics(
        store,
        cast("Asking", collective),
        cast("Recorder", collective),
        SimulatedChanges(collective),
        clock=collective.clock,
    )
    with pytest.RaisesGroup(EnoughWaits):
        await together.run()


async def imported(store: Store, jid: str, *, ends: bool = True) -> dict[str, str]:
    """Return the statistics of a collective that lists the sums of all, by series."""
    await run_home(store, Collective(sums(Direction.CONSUMPTION)), 2, jid)
    async with store.writing() as connection:
        pulled = [each for each in await all_pulled(connection) if each.jid == jid]
        if ends:
            permissions = Permissions(connection)
            for permission in await permissions.all():
                if permission.state is State.GRANTED:
                    await permissions.withdraw(permission.id, STOP, now())
    return {each.statistic: each.identifier for each in pulled}


async def test_a_collective_never_gets_the_statistics_of_one_that_was_left(file: Store) -> None:
    first = await imported(file, "coop@energies.example")
    other = await imported(file, "other@elsewhere.example")
    assert len(first) == len(other) == 2
    assert sorted(first.values()) == sorted(other.values())
    assert not first.keys() & other.keys()
    assert await imported(file, "coop@energies.example") == first


async def test_a_collective_never_gets_the_statistic_of_anothers_plant(file: Store) -> None:
    plants = PlantStatistics(file, cast("Asking", Collective()), Changes())
    async with file.writing() as connection:
        first, other = [
            await add_peer(connection, jid, "Coop", now())
            for jid in ("coop@energies.example", "other@elsewhere.example")
        ]
    await plants.read(first, [plant("roof"), plant(f"roof-{other.id}")], "fr")
    before = await held(file, first.jid)
    await plants.read(other, [plant("roof"), plant("Roof"), plant("roof.2")], "fr")
    assert await held(file, first.jid) == before
    assert len(before) == 2
    assert len(await held(file, other.jid)) == 3
    await plants.read(first, [], "fr")
    await plants.read(other, [plant("roof"), plant(f"roof-{other.id}")], "fr")
    assert not (await held(file, other.jid)).keys() & before.keys()
    await plants.read(first, [plant("roof"), plant(f"roof-{other.id}")], "fr")
    assert await held(file, first.jid) == before


def plant(name: str) -> Listed:
    made = identifier(f"urn:dev:org:60060-{name}_production/power/active/raw")
    return Listed(series=made, first=now(), shares=Shares(name=name, held=1, total=2))


async def held(store: Store, jid: str) -> dict[str, str]:
    """Return the series of a collective's plants, by statistic."""
    async with store.reading() as connection:
        return {
            each.statistic: each.identifier
            for each in await all_held_plants(connection)
            if each.jid == jid
        }


async def test_waits_grow_until_one_look_a_day(file: Store) -> None:
    collective = Collective(sums(Direction.CONSUMPTION))
    await run_home(file, collective, 16)
    waits = collective.waits
    assert waits[0] == pytest.approx(FIRST_WAIT_S, rel=ODD)
    assert waits[-1] == pytest.approx(EVERY_S, rel=ODD)
    assert all(later > sooner for sooner, later in pairwise(waits[:11]))
    assert all(wait == pytest.approx(EVERY_S, rel=ODD) for wait in waits[-3:])


async def test_a_new_sum_shortens_the_next_wait(file: Store) -> None:
    collective = Collective(sums(Direction.CONSUMPTION))
    collective.later = {8: sums(Direction.PRODUCTION)}
    await run_home(file, collective, 9)
    assert collective.waits[6] > 10 * FIRST_WAIT_S
    assert collective.waits[7] == pytest.approx(FIRST_WAIT_S, rel=ODD)
    assert collective.waits[8] == pytest.approx(2 * FIRST_WAIT_S, rel=ODD)
    async with file.reading() as connection:
        # With the consumption per home.
        assert len(await all_pulled(connection)) == 3


async def test_refusals_slow_the_requests_to_one_an_hour(file: Store) -> None:
    collective = Collective(refuses=True)
    await run_home(file, collective, 12)
    assert collective.waits[-1] == pytest.approx(3600, rel=ODD)
