"""A collective, and a home of another domain that is about to join it: on a network in memory."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from consometers_node.store import Store
from testing.collectives.publishing import PublishingTown
from testing.collectives.running import Coop, Run, cooperating
from testing.homes.running import RunningHome, running
from testing.networks import Memory, in_memory
from testing.run import DEADLINE_S
from testing.xmpp.fixtures import NewAccount


@pytest.fixture
def hosts() -> tuple[Memory, Memory]:
    return in_memory()


@pytest.fixture
def server(hosts: tuple[Memory, Memory]) -> Memory:
    return hosts[0]


@pytest.fixture
def other_server(hosts: tuple[Memory, Memory]) -> Memory:
    return hosts[1]


@pytest.fixture
def run(store: Store, other_server: Memory, new_account: NewAccount, tmp_path: Path) -> Run:
    """Run the same collective, once or again."""
    return partial(cooperating, store, other_server, new_account(other_server), tmp_path)


@pytest.fixture
async def coop(run: Run) -> AsyncIterator[Coop]:
    async with run() as coop:
        yield coop


@pytest.fixture
async def house(
    file: Store, server: Memory, new_account: NewAccount, coop: Coop
) -> AsyncIterator[RunningHome]:
    async with running(file, server, new_account(server), coop.jid) as house:
        await house.connection.online(DEADLINE_S)
        yield house


@pytest.fixture
async def town(store: Store) -> AsyncIterator[PublishingTown]:
    """A town in one transaction."""
    async with store.writing() as connection:
        yield PublishingTown(connection)


@pytest.fixture
async def file_town(file: Store) -> AsyncIterator[PublishingTown]:
    """The same in a file alone, where both databases say the same."""
    async with file.writing() as connection:
        yield PublishingTown(connection)
