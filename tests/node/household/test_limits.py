"""A collective that lists or sends too much holds up no other, and fills little of the recorder."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import cast

import pytest

from consometers_node.household.recorder.client import Recorder
from consometers_node.household.statistics_import.collective_statistics import (
    CollectiveStatistics,
)
from consometers_node.household.statistics_import.limits import (
    MOST_PLANTS,
    MOST_PLANTS_EVER,
    MOST_SHARES,
    RowBudget,
)
from consometers_node.household.statistics_import.plant_statistics import PlantStatistics
from consometers_node.permission import Permissions
from consometers_node.series import Device
from consometers_node.sharing.changes import Changes
from consometers_node.store import PermissionId, Store
from consometers_node.store.household.plants import all_held_plants
from consometers_node.store.household.pulled import all_pulled
from consometers_quoalise import Direction, Listed, SeriesPath, Shares
from consometers_quoalise.records.identifier import organisation, series
from consometers_quoalise_network import Asking
from testing.home_assistant.toy import utc
from testing.homes.data_needs import HOURLY, now
from testing.homes.ledgers import Ledger
from testing.run import DEADLINE_S
from testing.waiting import until

SLOW, QUICK = "slow@example.org", "quick@example.org"


def plants(count: int, name: str = "plant", held: int = 1, total: int = 100) -> list[Listed]:
    return [
        Listed(
            series=series(
                organisation(f"{name}.{number}"), Direction.PRODUCTION, SeriesPath.ENERGY_DAILY
            ),
            first=utc("1990-01-01T00:00"),
            last=utc("2026-01-01T00:00"),
            shares=Shares(name=f"{name} {number}", held=held, total=total),
        )
        for number in range(count)
    ]


@dataclass
class Collectives:
    """One collective that answers nothing about its plants' months, and one that does."""

    looks: list[str] = field(default_factory=list)
    asked_for_months: int = 0
    ended: bool = False

    async def list_series(self, jid: str) -> list[Listed]:
        self.looks.append(jid)
        return plants(300) if jid == SLOW else []

    async def get_history(self, _jid: str, *_which: object) -> object:
        self.asked_for_months += 1
        try:
            return await asyncio.Event().wait()
        finally:
            self.ended = True

    async def connected(self) -> None:
        pass

    async def language(self) -> str:
        return "en"


async def granted(store: Store, jid: str) -> tuple[Ledger, PermissionId]:
    ledger = await Ledger.open(store, jid, replace(HOURLY, device=Device(f"sensor.{jid[:4]}")))
    permission = await ledger.grant()
    async with store.writing() as connection:
        permissions = Permissions(connection)
        for notice in await permissions.notices(ledger.peer.id):
            await permissions.keep_receipt(notice.seq, "r", now())
    return ledger, permission


async def left(store: Store) -> int:
    """Count what of plants is still imported."""
    async with store.reading() as connection:
        return len(await all_pulled(connection)) + len(await all_held_plants(connection))


async def test_a_slow_collective_with_300_plants_holds_up_no_other_and_a_withdrawal_ends_it(
    file: Store,
) -> None:
    collectives, changes = Collectives(), Changes()
    slow, permission = await granted(file, SLOW)
    await granted(file, QUICK)
    together = CollectiveStatistics(
        file,
        cast("Asking", collectives),
        cast("Recorder", collectives),
        changes,
        first_wait_s=0.01,
    )
    task = asyncio.create_task(together.run())
    try:
        await until(lambda: collectives.asked_for_months == 1)
        await until(lambda: collectives.looks.count(QUICK) == 3)
        assert collectives.looks.count(SLOW) == 1
        async with file.reading() as connection:
            assert len(await all_pulled(connection)) == MOST_PLANTS
        await slow.withdraw(permission)
        changes.notify()
        await until(lambda: collectives.ended)
        looks = collectives.looks.count(QUICK)
        await until(lambda: collectives.looks.count(QUICK) > looks)
        async with asyncio.timeout(DEADLINE_S):
            while await left(file):
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_plants_that_change_each_day_are_few_in_all(file: Store) -> None:
    ledger, _ = await granted(file, SLOW)
    statistics = PlantStatistics(file, cast("Asking", None), Changes())
    ever = set[str]()
    for day in range(10):
        await statistics.read(ledger.peer, plants(300, f"day-{day}"), "en")
        async with file.reading() as connection:
            held = await all_held_plants(connection)
        assert len(held) <= MOST_PLANTS
        ever |= {plant.statistic for plant in held}
    assert len(ever) == MOST_PLANTS_EVER
    await statistics.read(ledger.peer, plants(300, "day-0"), "en")
    async with file.reading() as connection:
        assert len(await all_held_plants(connection)) == MOST_PLANTS


async def test_plants_that_are_read_and_those_of_which_the_home_has_a_part_come_first(
    file: Store,
) -> None:
    ledger, _ = await granted(file, SLOW)
    statistics = PlantStatistics(file, cast("Asking", None), Changes())
    mine = plants(2, "mine")
    await statistics.read(ledger.peer, [*plants(300, "other", held=0), *mine[:1]], "en")
    await statistics.read(ledger.peer, [*plants(300, "more"), *mine], "en")
    async with file.reading() as connection:
        names = {plant.name for plant in await all_held_plants(connection)}
    assert "mine 0" in names


@pytest.mark.parametrize(("held", "total"), [(101, 100), (1, MOST_SHARES + 1)])
async def test_impossible_shares_are_left_out(file: Store, held: int, total: int) -> None:
    ledger, _ = await granted(file, SLOW)
    statistics = PlantStatistics(file, cast("Asking", None), Changes())
    listed = [*plants(1, "good"), *plants(1, "bad", held, total)]
    await statistics.read(ledger.peer, listed, "en")
    async with file.reading() as connection:
        assert [plant.name for plant in await all_held_plants(connection)] == ["good 0"]


async def test_a_peer_waits_for_the_next_day_once_its_rows_are_spent() -> None:
    time, waits = [1_000.0], list[float]()

    async def rest(seconds: float) -> None:
        waits.append(seconds)
        time[0] += seconds

    budget = RowBudget(100, clock=lambda: time[0], rest=rest)
    await budget.turn(SLOW)
    budget.count(SLOW, 99)
    await budget.turn(SLOW)
    time[0] += 3_600
    budget.count(SLOW, 2)
    await budget.turn(QUICK)
    assert not waits
    assert budget.is_spent(SLOW)
    await budget.turn(SLOW)
    assert waits == [timedelta(hours=23).total_seconds()]
    assert not budget.is_spent(SLOW)
