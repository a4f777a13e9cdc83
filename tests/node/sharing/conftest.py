"""A home on one server and a collective on another, which federate."""

from collections.abc import AsyncIterator

import pytest

from consometers_node.store import Store
from demo.prosody import Prosody

from ..xmpp.conftest import (
    MakeNode,
    NewAccount,
    Node,
    authority,
    new_account,
    new_node,
    new_plain,
    one,
    own,
    servers,
    stack,
    two,
)
from .houses import Collective, House, bare, running

__all__ = ["authority", "new_account", "new_node", "new_plain", "one", "own", "servers"]
__all__ += ["stack", "two"]


@pytest.fixture
def collective() -> Collective:
    return Collective()


@pytest.fixture
async def coop(two: Prosody, new_node: MakeNode, collective: Collective) -> Node:
    return await new_node(two, collective, keep=collective.keep)


@pytest.fixture
async def house(
    file: Store, one: Prosody, new_account: NewAccount, coop: Node
) -> AsyncIterator[House]:
    async with running(file, one, new_account(one), bare(coop)) as house:
        await house.connection.online()
        yield house
