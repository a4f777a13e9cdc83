"""A household's database with permissions in all states, and an attacker with plain SQL."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from consometers_node.permission import Permissions
from consometers_node.store import PeerId, PermissionId, SeriesId, Store
from consometers_node.store.peers import add_peer
from consometers_node.store.series import add_series
from testing.databases.fixtures import KINDS, Place
from testing.databases.sql import PlainSql, plain
from testing.homes.data_needs import (
    FINE,
    HOURLY,
    INJECTED,
    NEED,
    NO,
    POWER,
    PRODUCED,
    PRODUCED_POWER,
    STOP,
    grant,
    now,
)


@dataclass(frozen=True)
class PermissionsOfEachState:
    """One permission in each state, all asked for by the cooperative; the town was granted none."""

    coop: PeerId
    other: PeerId
    hourly: SeriesId
    fine: SeriesId
    injected: SeriesId
    produced: SeriesId
    power: SeriesId
    produced_power: SeriesId
    granted: PermissionId
    withdrawn: PermissionId
    terminated: PermissionId
    refused: PermissionId
    proposed: PermissionId


async def make_world(store: Store) -> PermissionsOfEachState:
    async with store.writing() as connection:
        permissions = Permissions(connection)
        coop = (await add_peer(connection, "coop@example.org", "Coop", now())).id
        other = (await add_peer(connection, "town@example.org", "Town", now())).id
        withdrawn = await grant(permissions, coop, replace(NEED, id="withdrawn"))
        await permissions.withdraw(withdrawn, STOP, now())
        terminated = await grant(permissions, coop, replace(NEED, id="terminated"))
        await permissions.terminate(terminated, now())
        refused = await permissions.propose(coop, replace(NEED, id="refused"), now())
        await permissions.refuse(refused, NO, now())
        return PermissionsOfEachState(
            coop=coop,
            other=other,
            hourly=await add_series(connection, HOURLY),
            fine=await add_series(connection, FINE),
            injected=await add_series(connection, INJECTED),
            produced=await add_series(connection, PRODUCED),
            power=await add_series(connection, POWER),
            produced_power=await add_series(connection, PRODUCED_POWER),
            granted=await grant(permissions, coop),
            withdrawn=withdrawn,
            terminated=terminated,
            refused=refused,
            proposed=await permissions.propose(coop, replace(NEED, id="proposed"), now()),
        )


@pytest.fixture(scope="session", params=KINDS)
def settled(
    request: pytest.FixtureRequest, new_place: Callable[[str], Place]
) -> tuple[Place, PermissionsOfEachState]:
    """Make a world once: each test leaves it as it was."""
    place = new_place(request.param)

    async def make() -> PermissionsOfEachState:
        store = await Store.open(place)
        try:
            return await make_world(store)
        finally:
            await store.close()

    with ThreadPoolExecutor(1) as thread:
        return place, thread.submit(asyncio.run, make()).result()


@pytest.fixture
def world(settled: tuple[Place, PermissionsOfEachState]) -> PermissionsOfEachState:
    return settled[1]


@pytest.fixture
def cheat(settled: tuple[Place, PermissionsOfEachState]) -> Iterator[PlainSql]:
    """An attacker's transaction, which is rolled back in the end."""
    with plain(settled[0]) as connection:
        connection.run("BEGIN")
        yield connection
        connection.run("ROLLBACK")
