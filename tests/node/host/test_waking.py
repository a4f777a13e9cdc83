"""A home wakes when somebody needs it, few are awake, and what fails in one ends it alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
import logging
from pathlib import Path

import pytest

from consometers_node.host.homes import due as due_module, waking as waking_module
from consometers_node.host.homes.due import DueHomes
from consometers_node.host.homes.register import HomeRegister, HostedHome
from consometers_node.host.homes.waking import (
    AGAIN_AFTER,
    LEAST_REST,
    HomeBroken,
    Homes,
    NoHome,
    TooManyAwake,
)
from consometers_node.store.engine.file import RESERVE_BYTES
from testing.homes.hosted import SmallHome, SmallHomes
from testing.run import DEADLINE_S
from testing.waiting import eventually

NOW = datetime(2026, 12, 3, 14, tzinfo=UTC)
A, B, C = (f"{name}@homes.test" for name in "abc")
PEER = "coop@two.test"
SOON = 0.05


@pytest.fixture
def small() -> SmallHomes:
    return SmallHomes()


@pytest.fixture
async def register(tmp_path: Path) -> AsyncIterator[HomeRegister]:
    register = HomeRegister.open(tmp_path)
    for address in (A, B, C):
        register.add(address, NOW)
    yield register
    register.close()


@pytest.fixture
async def homes(register: HomeRegister, small: SmallHomes) -> AsyncIterator[Homes[SmallHome]]:
    async with Homes(register, small.open, idle_s=SOON, now=lambda: NOW) as homes:
        yield homes


async def sleeps(homes: Homes[SmallHome], address: str = A) -> None:
    async def awake() -> bool:
        return homes.is_awake(address)

    await eventually(awake, lambda is_awake: not is_awake)


async def test_a_home_that_is_used_is_open_and_closes_after(
    homes: Homes[SmallHome], small: SmallHomes, register: HomeRegister
) -> None:
    small.acquainted[A], small.due[A] = {PEER}, NOW + timedelta(days=1)
    async with homes.awake(A) as node, homes.awake(A) as same:
        assert node is same
        await node.write("mine")
        await asyncio.sleep(3 * SOON)
        assert await node.read() == "mine"
    await sleeps(homes)
    assert small.now_open == {}
    assert register.of(A).due_at == NOW + timedelta(days=1)
    assert register.knows(A, PEER)
    async with homes.awake(A) as node, homes.awake(B) as other:
        assert await node.read() == "mine"
        assert await other.read() is None
    assert small.opened == [A, A, B]


async def test_homes_share_what_is_set_aside_on_the_disk(
    homes: Homes[SmallHome], register: HomeRegister, tmp_path: Path
) -> None:
    """Each would take two megabytes for itself."""
    async with homes.awake(A) as node, homes.awake(B), node.store.withdrawing():
        assert not (tmp_path / "homes.reserve").exists()
    await sleeps(homes)
    await sleeps(homes, B)
    assert [path.name for path in tmp_path.rglob("*.reserve")] == ["homes.reserve"]
    assert (tmp_path / "homes.reserve").stat().st_size == RESERVE_BYTES


async def test_a_busy_home_stays_open(homes: Homes[SmallHome], small: SmallHomes) -> None:
    async with homes.awake(A) as node:
        node.is_busy = True
    await asyncio.sleep(4 * SOON)
    assert homes.is_awake(A)
    node.is_busy = False
    await sleeps(homes)


async def test_there_is_no_home_where_there_is_none(homes: Homes[SmallHome]) -> None:
    with pytest.raises(NoHome):
        async with homes.awake("nobody@homes.test"):
            pass


async def test_a_home_that_was_closing_opens_again(
    homes: Homes[SmallHome], small: SmallHomes
) -> None:
    async with homes.awake(A):
        pass
    await sleeps(homes)
    for _ in range(20):
        async with homes.awake(A) as node:
            assert await node.read() is None
        await asyncio.sleep(SOON)
    assert small.most_open == 1


async def test_few_are_awake_and_those_at_rest_make_way(
    register: HomeRegister, small: SmallHomes
) -> None:
    async with Homes(register, small.open, most_awake=2, now=lambda: NOW) as homes:
        for address in (A, B, C, A):
            async with homes.awake(address):
                pass
        assert small.opened == [A, B, C, A]
        assert small.most_open == 2
    assert small.now_open == {}


async def test_who_finds_all_places_taken_waits_and_is_turned_away(
    register: HomeRegister, small: SmallHomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waking_module, "TURN_S", 0.2)
    async with Homes(register, small.open, most_awake=1, now=lambda: NOW) as homes:
        async with homes.awake(A):
            with pytest.raises(TooManyAwake):
                async with homes.awake(B):
                    pass
            assert homes.wake(B)
            monkeypatch.setattr(waking_module, "MOST_WANTED", 1)
            assert not homes.wake(C)
            assert not homes.is_awake(B)

        async def b_is_awake() -> bool:
            return homes.is_awake(B)

        await eventually(b_is_awake, bool)
        assert small.most_open == 1


async def test_a_peer_wakes_a_home_that_knows_it_alone(
    homes: Homes[SmallHome], small: SmallHomes, register: HomeRegister
) -> None:
    register.rest(A, NOW, None, [PEER])
    assert not homes.unclaimed(A, "stranger@two.test")
    assert not homes.unclaimed(B, PEER)
    assert not homes.unclaimed("nobody@homes.test", PEER)
    assert small.opened == []
    small.acquainted[A] = {"town@two.test"}
    assert homes.unclaimed(A, PEER)
    assert homes.knows(A, PEER)
    async with homes.awake(A):
        # Once it is open, it says whom it knows itself.
        assert homes.knows(A, "town@two.test")
        assert not homes.knows(A, PEER)
    assert small.opened == [A]


async def test_a_damaged_file_stops_its_home_alone(
    homes: Homes[SmallHome],
    small: SmallHomes,
    register: HomeRegister,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for address in (A, B):
        register.rest(address, NOW, None, [PEER])
        async with homes.awake(address) as node:
            await node.write(address)
        await sleeps(homes, address)
    (register.of(A).folder / "node.db").write_bytes(b"no database" * 1_000)
    async with homes.awake(B) as other:
        with pytest.raises(HomeBroken) as raised:
            async with homes.awake(A):
                pass
        assert await other.read() == B
    home = register.of(A)
    assert home.problem is not None
    assert home.problem.say() == raised.value.text.say()
    assert home.due_at == NOW + AGAIN_AFTER
    assert "n’est pas une base" in home.problem.say("fr")
    assert not homes.unclaimed(A, PEER)
    assert not register.is_broken(B)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    # The operator finds the file by its folder, whose name says nothing of the household.
    assert A not in caplog.text


async def test_a_home_that_a_power_cut_ended_is_due(
    homes: Homes[SmallHome], small: SmallHomes, register: HomeRegister
) -> None:
    """It had not fallen asleep, so nobody who knows it could wake it."""
    small.acquainted[A] = {PEER}
    async with homes.awake(A):
        assert register.due(NOW, 10) == [A]
    await sleeps(homes)
    assert register.due(NOW, 10) == []
    assert register.knows(A, PEER)


async def test_a_fault_of_the_program_stops_its_home_alone(
    register: HomeRegister, small: SmallHomes, caplog: pytest.LogCaptureFixture
) -> None:
    @asynccontextmanager
    async def open_home(home: HostedHome) -> AsyncIterator[SmallHome]:
        async with small.open(home) as node, asyncio.TaskGroup() as tasks:
            yield node
            if home.address == A:
                tasks.create_task(fail())

    async def fail() -> None:
        raise AssertionError

    async with Homes(register, open_home, idle_s=SOON, now=lambda: NOW) as homes:
        async with homes.awake(B), homes.awake(A):
            pass
        await sleeps(homes)
        await sleeps(homes, B)
    problem = register.of(A).problem
    assert problem is not None
    assert problem.say() == "A fault of the program stopped this home. The log says where."
    assert register.of(B).problem is None
    assert "AssertionError" in caplog.text


async def test_the_end_closes_all_that_is_open(register: HomeRegister, small: SmallHomes) -> None:
    async with AsyncExitStack() as stack:
        homes = await stack.enter_async_context(Homes(register, small.open, now=lambda: NOW))
        async with homes.awake(A) as node:
            node.due = NOW
        assert homes.wake(B)
    assert small.now_open == {}
    assert register.of(A).due_at == NOW + LEAST_REST
    assert homes.wake(C)
    assert not homes.is_awake(C)


async def test_homes_wake_when_they_are_due(
    register: HomeRegister, small: SmallHomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_module, "PAUSE_S", 0.05)
    monkeypatch.setattr(due_module, "RESERVED", 1)
    now = [NOW]
    homes = Homes(register, small.open, most_awake=2, idle_s=SOON, now=lambda: now[0])
    async with homes:
        due = DueHomes(homes, now=lambda: now[0])
        task = asyncio.create_task(due.run())
        await asyncio.sleep(3 * SOON)
        assert small.opened == []
        for address in (A, B):
            register.rest(address, NOW, NOW + timedelta(hours=1), ())
        due.look_again()
        await asyncio.sleep(3 * SOON)
        assert small.opened == []
        now[0] += timedelta(hours=1)
        due.look_again()

        async def none_is_due() -> bool:
            return register.next_due() is None

        await eventually(none_is_due, bool)
        assert sorted(small.opened) == [A, B]
        # A place is left for others.
        assert small.most_open == 1
        task.cancel()
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.wait({task})
