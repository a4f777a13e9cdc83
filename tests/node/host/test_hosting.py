"""A hosted home falls asleep once nothing waits, and wakes in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consometers_node.host.accounts.homes import HomeFault
from consometers_node.host.homes import hosted_node
from consometers_node.host.homes.hosted_node import AGAIN, Connect, furnish, running
from consometers_node.host.homes.hosting import HostedHomes
from consometers_node.host.homes.register import HomeRegister, HostedHome
from consometers_node.permission import Permissions
from consometers_node.sharing.account import load
from consometers_node.store.peers import add_peer
from consometers_quoalise_network import Identity, Transport
from consometers_quoalise_network.errors import NoAnswer
from testing.homes.data_needs import NEED, grant, now
from testing.networks import Memory, in_memory, transport
from testing.waiting import eventually

ADDRESS = "ker-anna@homes.test"
PEER = "coop@two.test"


@pytest.fixture
async def memory() -> Memory:
    return in_memory()[0]


@pytest.fixture
async def register(tmp_path: Path) -> AsyncIterator[HomeRegister]:
    with closing(HomeRegister.open(tmp_path)) as register:
        yield register


@pytest.fixture
async def home(register: HomeRegister) -> HostedHome:
    home = register.add(ADDRESS, datetime.now(UTC))
    await furnish(home, "en")
    return home


@pytest.fixture
def connect(memory: Memory) -> Connect:
    def connect(who: Identity) -> Transport:
        return transport(memory, who.account.jid)

    return connect


async def test_a_new_home_has_its_address_and_rests_until_its_time_of_day(
    home: HostedHome, connect: Connect
) -> None:
    async with running(home, connect, "fr") as hosted:
        who = await load(hosted.node.store)
        assert who is not None
        assert who.account.jid == ADDRESS
        assert await hosted.node.source.language() == "en"

        async def busy() -> bool:
            return hosted.is_busy

        await eventually(busy, lambda is_busy: not is_busy)
        assert not hosted.knows(PEER)
        first = await hosted.next_due()
        assert timedelta() < first - datetime.now(UTC) <= timedelta(days=1)
        assert await hosted.next_due() == first


async def test_a_home_without_a_language_has_that_of_its_host(
    register: HomeRegister, connect: Connect
) -> None:
    """Its making was cut off."""
    register.add(ADDRESS, datetime.now(UTC))
    async with HostedHomes(register, connect, "en") as homes, homes.open(ADDRESS) as node:
        assert await node.source.language() == "en"


async def test_a_home_whose_making_was_cut_off_is_completed_by_the_next_try(
    register: HomeRegister, connect: Connect
) -> None:
    register.add(ADDRESS, datetime.now(UTC))
    async with HostedHomes(register, connect, "fr") as homes:
        await homes.create(ADDRESS, "en")
        async with homes.open(ADDRESS) as node:
            who = await load(node.store)
            assert who is not None
            assert who.account.jid == ADDRESS
            assert await node.source.language() == "en"


async def test_a_home_with_a_withdrawal_to_tell_stays_awake_and_is_due_soon(
    home: HostedHome, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its collective is away."""
    async with running(home, connect, "fr") as hosted:
        async with hosted.node.store.writing() as connection:
            peer = await add_peer(connection, PEER, "Coop", now())
            await grant(Permissions(connection), peer.id)
        hosted.node.look_again()

        async def busy() -> bool:
            return await hosted.waits() and hosted.is_busy

        await eventually(busy, bool)
        await asyncio.sleep(2 * hosted_node.LOOKS_EVERY_S)
        assert hosted.is_busy
        assert await hosted.next_due() <= datetime.now(UTC) + AGAIN
        monkeypatch.setattr(hosted_node, "AWAITS_PEERS_S", 0)
        assert not hosted.is_busy


async def test_who_is_met_while_a_home_is_awake_may_ask_it_at_once(
    home: HostedHome, connect: Connect
) -> None:
    async with running(home, connect, "fr") as hosted:
        async with hosted.node.store.writing() as connection:
            peer = await add_peer(connection, PEER, "Coop", now())
            await Permissions(connection).propose(peer.id, NEED, now())
        hosted.node.look_again()

        async def knows() -> bool:
            return hosted.knows(PEER) and not hosted.knows("stranger@two.test")

        await eventually(knows, bool)
        assert list(await hosted.peers()) == [PEER]


async def test_a_home_whose_server_is_away_falls_asleep(
    home: HostedHome, memory: Memory, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted_node, "CONNECTS_WITHIN_S", 0.2)
    memory.network.register(ADDRESS)
    memory.network.drop(ADDRESS, NoAnswer(jid=ADDRESS))
    async with running(home, connect, "fr") as hosted:
        assert hosted.is_busy
        await asyncio.sleep(0.3)
        assert not hosted.is_busy


async def test_a_damaged_home_is_erased_once_its_household_gives_up(
    home: HostedHome, register: HomeRegister, connect: Connect
) -> None:
    (home.folder / "node.db").write_bytes(b"no database" * 1_000)
    async with HostedHomes(register, connect, "fr") as homes:
        with pytest.raises(HomeFault):
            await homes.erase(ADDRESS)
        assert home.folder.exists()
        await homes.erase(ADDRESS, untold=True)
        assert not home.folder.exists()
        assert await homes.size_bytes(ADDRESS) == 0
        # As after an erasure that was cut off.
        await homes.erase(ADDRESS)
        with pytest.raises(HomeFault, match="was deleted here"):
            async with homes.open(ADDRESS):
                pass
        await homes.create(ADDRESS, "fr")
        async with homes.open(ADDRESS) as node:
            assert await node.source.language() == "fr"
        assert await homes.size_bytes(ADDRESS) > 0


async def test_a_home_in_use_is_closed_before_it_is_erased(
    home: HostedHome, register: HomeRegister, connect: Connect
) -> None:
    async with HostedHomes(register, connect, "fr") as homes:
        async with homes.open(ADDRESS):
            pass
        await homes.erase(ADDRESS)
        assert not home.folder.exists()
        assert len(register) == 0
