"""Whoever pushes too much waits, and keeps nobody else waiting."""

import asyncio
from collections import Counter

import pytest

from consometers_node.quoalise import Data, NotAuthorized
from consometers_node.xmpp import NotKept, Traffic, receiving
from consometers_node.xmpp.errors import NotAcknowledged
from demo.prosody import Prosody

from ..sharing.houses import until
from .conftest import MakeNode, Node
from .home import NOW, records


class Kept:
    """Counts what comes from whom, and keeps nothing of a peer that is held."""

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()
        self.hours: list[float] = []
        self.held: str | None = None
        self.let_go = asyncio.Event()
        self.fails = False

    async def keep(self, sender: str, data: Data) -> None:
        self.came[sender] += 1
        self.hours += [time for one in data.records for time in one.values]
        if sender == self.held:
            await self.let_go.wait()
        if self.fails:
            raise NotKept


def bare(node: Node) -> str:
    return node.connection.stream.boundjid.bare


async def test_what_one_peer_pushed_is_kept_in_its_order(one: Prosody, new_node: MakeNode) -> None:
    kept = Kept()
    sender, receiver = await new_node(one), await new_node(one, keep=kept.keep)
    async with asyncio.TaskGroup() as group:
        for hour in range(20):
            told = records(NOW.replace(hour=hour), 1)
            group.create_task(sender.pushing.push(bare(receiver), told))
    assert kept.hours == sorted(kept.hours)
    assert len(kept.hours) == 20


async def test_no_server_archives_what_is_pushed_nor_its_receipt(
    one: Prosody, new_node: MakeNode
) -> None:
    sender, receiver = await new_node(one), await new_node(one, keep=Kept().keep)
    await sender.pushing.push(bare(receiver), records(NOW, 1))
    archived = {file.stem for file in one.folder.glob("data/*/archive/*.list")}
    assert archived.isdisjoint(bare(node).partition("@")[0] for node in (sender, receiver))


async def test_a_peer_that_is_kept_slowly_holds_nobody_up(one: Prosody, new_node: MakeNode) -> None:
    kept = Kept()
    slow, other = await new_node(one), await new_node(one)
    receiver = await new_node(one, keep=kept.keep)
    kept.held = bare(slow)
    waits = asyncio.create_task(slow.pushing.push(bare(receiver), records(NOW, 1)))
    await other.pushing.push(bare(receiver), records(NOW, 1))
    assert not waits.done()
    kept.let_go.set()
    await waits


async def test_a_peer_that_pushes_too_often_is_slowed_alone(
    one: Prosody, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "PER_MINUTE", 3)
    kept = Kept()
    flooding, other = await new_node(one), await new_node(one)
    receiver = await new_node(one, keep=kept.keep)
    flood = [
        asyncio.create_task(flooding.pushing.push(bare(receiver), records(NOW, 1)))
        for _ in range(10)
    ]
    while kept.came[bare(flooding)] < 3:
        await asyncio.sleep(0.01)
    await other.pushing.push(bare(receiver), records(NOW, 1))
    assert kept.came == {bare(flooding): 3, bare(other): 1}
    for one_push in flood:
        one_push.cancel()


async def test_beyond_its_room_a_peer_is_not_heard_and_others_are(
    one: Prosody, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "MAX_OF_ONE", 2)
    kept = Kept()
    flooding, other = await new_node(one), await new_node(one)
    receiver = await new_node(one, keep=kept.keep)
    kept.held = bare(flooding)
    first, second, third = [
        asyncio.create_task(flooding.pushing.push(bare(receiver), records(NOW, 1), seconds=seconds))
        for seconds in (30, 30, 1)
    ]
    await other.pushing.push(bare(receiver), records(NOW, 1))
    with pytest.raises(NotAcknowledged):
        await third
    kept.let_go.set()
    await asyncio.wait_for(asyncio.gather(first, second), 10)
    assert kept.came == {bare(flooding): 2, bare(other): 1}


async def test_what_was_not_kept_leaves_room_for_what_comes_next(
    one: Prosody, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "MAX_SIZE", 1)
    kept = Kept()
    kept.fails = True
    sender, receiver = await new_node(one), await new_node(one, keep=kept.keep)
    with pytest.raises(NotAcknowledged):
        await sender.pushing.push(bare(receiver), records(NOW, 1), seconds=0.5)
    kept.fails = False
    await sender.pushing.push(bare(receiver), records(NOW, 1))


async def test_where_all_room_is_taken_the_newest_of_whoever_holds_most_makes_way(
    one: Prosody, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, traffic = Kept(), Traffic()
    flooding, other = await new_node(one), await new_node(one)
    receiver = await new_node(one, keep=kept.keep, traffic=traffic)
    kept.held = bare(flooding)
    monkeypatch.setattr(receiving, "MAX_SIZE", 12_000)
    flood = [
        asyncio.create_task(flooding.pushing.push(bare(receiver), records(NOW, 1), seconds=30))
        for _ in range(10)
    ]
    await until(lambda: traffic.dropped > 0)
    dropped = traffic.dropped
    await other.pushing.push(bare(receiver), records(NOW, 1), seconds=10)
    assert traffic.dropped > dropped
    assert kept.came == {bare(flooding): 1, bare(other): 1}
    for waits in flood:
        waits.cancel()


async def test_who_may_no_longer_push_once_its_turn_has_come_is_refused(
    one: Prosody, new_node: MakeNode
) -> None:
    kept, may = Kept(), {"everybody"}
    sender = await new_node(one)
    receiver = await new_node(one, keep=kept.keep, knows=lambda _peer: bool(may))
    kept.held = bare(sender)
    first, second = [
        asyncio.create_task(sender.pushing.push(bare(receiver), records(NOW, 1), seconds=30))
        for _ in range(2)
    ]
    await until(lambda: kept.came[bare(sender)] == 1)
    may.clear()
    kept.let_go.set()
    await first
    with pytest.raises(NotAuthorized):
        await second
    assert kept.came[bare(sender)] == 1
