"""A home on one server and a collective on another, which federate."""

from collections.abc import AsyncIterator

import pytest

from consometers_node.store import Store
from demo.prosody import Prosody
from tests.deadline import DEADLINE_S

from ..xmpp.conftest import MakeNode, NewAccount, Node
from .houses import Collective, House, bare, running


@pytest.fixture
def collective() -> Collective:
    return Collective()


@pytest.fixture
async def coop(other_server: Prosody, new_node: MakeNode, collective: Collective) -> Node:
    return await new_node(other_server, collective, keep=collective.keep)


@pytest.fixture
async def house(
    file: Store, server: Prosody, new_account: NewAccount, coop: Node
) -> AsyncIterator[House]:
    async with running(file, server, new_account(server), bare(coop)) as house:
        await house.connection.online(DEADLINE_S)
        yield house
