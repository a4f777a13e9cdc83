"""A home and a collective of another domain, on a network in memory."""

from collections.abc import AsyncIterator

import pytest

from consometers_node.store import Store
from testing.homes.running import RunningHome, StoringCollective, bare, running
from testing.networks import Memory, in_memory
from testing.run import DEADLINE_S
from testing.xmpp.fixtures import MakeNode, NewAccount, XmppNode


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
def collective() -> StoringCollective:
    return StoringCollective()


@pytest.fixture
async def coop(other_server: Memory, new_node: MakeNode, collective: StoringCollective) -> XmppNode:
    return await new_node(other_server, collective, keep=collective.keep)


@pytest.fixture
async def house(
    file: Store, server: Memory, new_account: NewAccount, coop: XmppNode
) -> AsyncIterator[RunningHome]:
    async with running(file, server, new_account(server), bare(coop)) as house:
        await house.connection.online(DEADLINE_S)
        yield house
