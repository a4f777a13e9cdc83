"""Simultaneous transactions on PostgreSQL: the second waits for the first, and sees its result."""

import asyncio

import pytest

from consometers_node.store import Store
from testing.databases.cheating import LEAVING, entry, insert
from testing.databases.fixtures import Place
from testing.databases.sql import PlainSql, Refused, plain
from testing.homes.permissions import PermissionsOfEachState, make_world

pytestmark = pytest.mark.parametrize("place", ["postgresql"], indirect=True)


@pytest.fixture
async def world(store: Store) -> PermissionsOfEachState:
    return await make_world(store)


async def waiting(who: PlainSql, statement: str) -> asyncio.Task[object]:
    """Return the task of a statement that has to wait."""
    task: asyncio.Task[object] = asyncio.create_task(asyncio.to_thread(who.run, statement))
    await asyncio.sleep(0.1)
    assert not task.done()
    return task


@pytest.mark.parametrize("table", LEAVING)
async def test_a_withdrawal_waits_for_a_pending_delivery(
    place: Place, world: PermissionsOfEachState, table: str
) -> None:
    with plain(place) as node, plain(place) as household:
        node.run("BEGIN", insert(table, world))
        withdrawing = await waiting(household, entry(world.granted, "withdrawn"))
        node.run("COMMIT")
        await withdrawing
        assert node.value("SELECT count(*) FROM outbox") == 0


@pytest.mark.parametrize("table", LEAVING)
async def test_a_delivery_waits_for_a_pending_withdrawal(
    place: Place, world: PermissionsOfEachState, table: str
) -> None:
    with plain(place) as node, plain(place) as household:
        household.run("BEGIN", entry(world.granted, "withdrawn"))
        leaving = await waiting(node, insert(table, world))
        household.run("COMMIT")
        with pytest.raises(Refused):
            await leaving
        assert node.value(f"SELECT count(*) FROM {table}") == 0


async def test_simultaneous_withdrawals_have_one_entry(
    place: Place, world: PermissionsOfEachState
) -> None:
    with plain(place) as first, plain(place) as other:
        first.run("BEGIN", entry(world.granted, "withdrawn"))
        second = await waiting(other, entry(world.granted, "withdrawn"))
        first.run("COMMIT")
        with pytest.raises(Refused):
            await second
