"""A home with a grant asks its collective again, and so receives a changed need."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from consometers_node.permission import DataNeed, Permission, Permissions, State
from consometers_node.store import Store
from consometers_node.wire import write_need
from testing.homes.data_needs import NEED, NO, now
from testing.homes.running import RunningHome, StoringCollective, bare, decisions_confirmed, running
from testing.networks import Memory
from testing.run import DEADLINE_S
from testing.waiting import until
from testing.xmpp.fixtures import NewAccount, XmppNode

EVERY_S = 0.3
OTHER = replace(NEED, id="other")
NEWER = replace(NEED, version=2, purpose={"fr": "Autre chose."})
CHANGED = replace(NEED, purpose={"fr": "Vendre vos données."})


@pytest.fixture
async def house(
    file: Store,
    server: Memory,
    new_account: NewAccount,
    coop: XmppNode,
    collective: StoringCollective,
) -> AsyncIterator[RunningHome]:
    """A home that often asks again."""
    collective.needs = [write_need(NEED)]
    async with running(file, server, new_account(server), bare(coop), renewal_s=EVERY_S) as house:
        await house.connection.online(DEADLINE_S)
        yield house


async def permissions(house: RunningHome) -> list[Permission]:
    async with house.store.reading() as connection:
        return await Permissions(connection).all(house.ledger.peer.id)


async def asked_again(
    house: RunningHome, collective: StoringCollective, *needs: DataNeed
) -> list[Permission]:
    """Ask for this as a collective, and return what the home knows once it was asked twice more."""
    collective.needs = [write_need(need) for need in needs]
    count = len(collective.invitations)
    await until(lambda: len(collective.invitations) >= count + 2)
    return await permissions(house)


async def test_a_new_version_is_proposed_once(
    house: RunningHome, collective: StoringCollective
) -> None:
    granted = await house.grant()
    await decisions_confirmed(house)
    versions = {
        permission.need.version: permission
        for permission in await asked_again(house, collective, NEWER)
    }
    assert versions[1].id == granted
    assert (versions[1].state, versions[2].state) == (State.GRANTED, State.PROPOSED)
    assert versions[2].need == NEWER
    assert collective.invitations[-1] is None
    assert len(await asked_again(house, collective, NEWER)) == 2


async def test_another_need_is_proposed_until_it_is_refused(
    house: RunningHome, collective: StoringCollective
) -> None:
    await house.grant()
    await decisions_confirmed(house)
    # A need that changed without a new version is ignored.
    permissions = await asked_again(house, collective, CHANGED, OTHER)
    assert [(permission.need, permission.state) for permission in permissions] == [
        (NEED, State.GRANTED),
        (OTHER, State.PROPOSED),
    ]
    async with house.store.writing() as connection:
        await Permissions(connection).refuse(permissions[1].id, NO, now())
    permissions = await asked_again(house, collective, NEED, OTHER)
    assert [permission.state for permission in permissions] == [State.GRANTED, State.REFUSED]


async def test_a_collective_without_a_grant_is_not_asked(
    house: RunningHome, collective: StoringCollective
) -> None:
    await asyncio.sleep(3 * EVERY_S)
    assert collective.invitations == []
    await house.grant()
    await decisions_confirmed(house)
    await until(lambda: bool(collective.invitations))
