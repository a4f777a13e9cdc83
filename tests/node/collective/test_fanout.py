"""Many members receive the same records: each all of them, message by message, while permitted."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import func, select

from consometers_node.collective.members.members import Members
from consometers_node.collective.members.subscribers import Subscribers, addresses, end
from consometers_node.permission import Permissions
from consometers_node.series import Device, Direction, Interval, Series
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.records.fanout import AT_ONCE, Fanout
from consometers_node.sharing.restriction import pause, resume
from consometers_node.store import PeerId, Store
from consometers_node.store.collective.published_series import own_series
from consometers_node.store.peers import MEMBER, peer_by_jid, subscribe
from consometers_node.store.tables import OutboxRow
from consometers_node.wire import Naming
from consometers_quoalise import Data
from consometers_quoalise.records.identifier import organisation
from consometers_quoalise_network import Pushing
from consometers_quoalise_network.errors import NotAcknowledged
from consometers_quoalise_xmpp import XmppTransport
from testing.collectives.members import ZONE, join
from testing.collectives.published import Sum, publish
from testing.databases.fixtures import Place
from testing.homes.data_needs import now, queue
from testing.homes.ledgers import HOUR, midnight
from testing.run import DEADLINE_S
from testing.waiting import until

ALL = organisation("kersabiec")
MANY = AT_ONCE + 8
START = midnight(-1)
WAYS = (Direction.CONSUMPTION, Direction.PRODUCTION)
SERIES = {way: own_series(Device(str(ALL)), way, Interval.PT1H, ZONE.key) for way in WAYS}


@dataclass
class Network:
    """A connection that delivers messages to members, or fails to."""

    is_online: bool = True
    got: defaultdict[str, dict[str, dict[datetime, int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    away: set[str] = field(default_factory=set)
    holds: asyncio.Event = field(default_factory=asyncio.Event)
    flying: set[str] = field(default_factory=set)
    tried: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    confirmed: list[bool] = field(default_factory=list)
    _count: int = 0

    def new_id(self) -> str:
        self._count += 1
        return f"m{self._count}"

    async def push(
        self, peer: str, data: Data, *, message_id: str, receipt: bool, seconds: float
    ) -> None:
        assert peer not in self.flying
        assert len(self.flying) < AT_ONCE
        self.flying.add(peer)
        self.tried.append(peer)
        self.ids[peer] = message_id
        self.confirmed.append(receipt)
        try:
            await self.holds.wait()
            await asyncio.sleep(0)
            if peer in self.away:
                raise NotAcknowledged(peer=peer)
        finally:
            self.flying.discard(peer)
        for record in data.records:
            values = {
                datetime.fromtimestamp(int(at), UTC): int(value)
                for at, value in record.values.items()
            }
            self.got[peer][record.name] |= values


@dataclass
class Stage:
    """A collective with members, and its released records."""

    store: Store
    network: Network = field(default_factory=Network)
    changes: Changes = field(default_factory=Changes)
    released: dict[Series, dict[datetime, int]] = field(default_factory=dict)

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[Fanout]:
        fanout = Fanout(
            self.store,
            Naming(bytes(32), collective="kersabiec"),
            cast("XmppTransport", self.network),
            pushing=cast("Pushing", self.network),
            changes=self.changes,
            addresses=addresses,
            first_delay_s=0.1,
        )
        task: asyncio.Task[object] = asyncio.create_task(fanout.run())
        try:
            yield fanout
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def release(self, way: Direction, values: dict[int, int]) -> None:
        series = SERIES[way]
        released = self.released.setdefault(series, {})
        released |= {START + hour * HOUR: value for hour, value in values.items()}
        new = [Sum(START + hour * HOUR, value * 60, MANY) for hour, value in values.items()]
        async with self.store.writing() as connection:
            await publish(connection, {series: new}, now())
        self.changes.notify()

    def behind(self, jids: Set[str]) -> dict[str, object]:
        """Return which of these lack a released record, and what each has."""
        wanted = {
            f"{series.device}_{series.direction}/power/active/raw": values
            for series, values in self.released.items()
        }
        wanted |= {
            f"{name}/members": dict.fromkeys(values, MANY) for name, values in wanted.items()
        }
        return {jid: self.network.got[jid] for jid in jids if self.network.got[jid] != wanted}

    async def outbox(self) -> int:
        async with self.store.reading() as connection:
            query = select(func.count()).select_from(OutboxRow)
            return (await connection.execute(query)).scalar_one()

    async def peer(self, jid: str) -> PeerId:
        async with self.store.reading() as connection:
            member = await Members(connection, ZONE).named(jid)
            peer = await peer_by_jid(connection, MEMBER + member.pseudonym)
            assert peer is not None
            return peer.id

    async def all_received(self, jids: Set[str] = frozenset()) -> None:
        await until(lambda: not self.behind(jids or EVERYBODY))


EVERYBODY = {f"home{n}@example.org" for n in range(MANY)}


@pytest.fixture
async def stage(
    patterns: dict[str, Place],
    new_place: Callable[[str], Place],
    copy_of: Callable[[Place], Place],
) -> AsyncIterator[Stage]:
    """Everybody has subscribed before anything was released."""
    if __name__ not in patterns:
        patterns[__name__] = new_place("sqlite")
        pattern = await Store.open(patterns[__name__])
        await _subscribe_all(pattern)
        await pattern.close()
    store = await Store.open(copy_of(patterns[__name__]))
    stage = Stage(store)
    stage.network.holds.set()
    yield stage
    await store.close()


async def _subscribe_all(store: Store) -> None:
    readers = Subscribers(ALL, ZONE.key)
    async with store.writing() as connection:
        for n in range(MANY):
            member, _ = await join(connection, f"home{n}")
            await readers.grant(connection, member.pseudonym, Interval.PT1H, now())
            peer = await peer_by_jid(connection, MEMBER + member.pseudonym)
            assert peer is not None
            for entry in await Permissions(connection).permitted(peer.id):
                if entry.series in SERIES.values():
                    await subscribe(connection, peer.id, entry.series_id, now(), START)


async def test_each_subscriber_receives_each_record(stage: Stage) -> None:
    async with stage.delivering():
        for way in WAYS:
            await stage.release(way, {0: 100, 1: 200})
        await stage.all_received()
        await stage.release(WAYS[0], {2: 300})
        await stage.all_received()
        await stage.release(WAYS[0], {-3: 150})
        await stage.all_received()
        async with asyncio.timeout(DEADLINE_S):
            while await stage.outbox():
                await asyncio.sleep(0.02)
    assert len(stage.network.tried) == 4 * MANY


async def test_a_subscriber_that_is_away_delays_no_other(stage: Stage) -> None:
    gone = {f"home{n}@example.org" for n in range(5)}
    stage.network.away = set(gone)
    async with stage.delivering() as fanout:
        await stage.release(WAYS[0], {0: 100})
        await stage.all_received(EVERYBODY - gone)
        assert stage.behind(gone).keys() == gone
        stage.network.away = set()
        for jid in gone:
            fanout.note_online(await stage.peer(jid))
        await stage.all_received()


async def test_a_late_receipt_counts(stage: Stage) -> None:
    jid = "home3@example.org"
    stage.network.away = {jid}
    async with stage.delivering() as fanout:
        await stage.release(WAYS[0], {0: 100})
        await stage.all_received(EVERYBODY - {jid})
        async with asyncio.timeout(DEADLINE_S):
            while await stage.outbox() > 1:
                await asyncio.sleep(0.02)
        other = await stage.peer("home4@example.org")
        await fanout.received(other, stage.network.ids[jid])
        assert await stage.outbox() == 1
        await fanout.received(await stage.peer(jid), stage.network.ids[jid])
        assert await stage.outbox() == 0


async def test_unconfirmed_messages_are_sent_again_after_a_restart(stage: Stage) -> None:
    stage.network.holds.clear()
    async with stage.delivering():
        await stage.release(WAYS[0], {0: 100})
        await until(lambda: len(stage.network.flying) == AT_ONCE)
    first = dict(stage.network.ids)
    stage.network.holds.set()
    async with stage.delivering():
        await stage.all_received()
    # Under the same id: its receipt may still have come.
    assert {jid: stage.network.ids[jid] for jid in first} == first


async def test_a_subscriber_that_leaves_during_delivery_receives_no_more(stage: Stage) -> None:
    stage.network.holds.clear()
    async with stage.delivering():
        await stage.release(WAYS[0], {0: 100})
        await until(lambda: len(stage.network.flying) == AT_ONCE)
        jid = min(stage.network.flying)
        async with stage.store.writing() as connection:
            member = await Members(connection, ZONE).named(jid)
            await end(connection, member.pseudonym)
        stage.changes.notify()
        await until(lambda: jid not in stage.network.flying)
        stage.network.holds.set()
        await stage.all_received(EVERYBODY - {jid})
        await stage.release(WAYS[0], {1: 100})
        await stage.all_received(EVERYBODY - {jid})
    assert jid not in stage.network.got


async def test_a_paused_subscriber_receives_the_backlog_later(stage: Stage) -> None:
    jid = "home7@example.org"
    peer = await stage.peer(jid)
    async with stage.store.writing() as connection:
        await pause(connection, peer)
    async with stage.delivering():
        await stage.release(WAYS[0], {0: 100})
        await stage.all_received(EVERYBODY - {jid})
        assert jid not in stage.network.got
        async with stage.store.writing() as connection:
            await resume(connection, peer)
        stage.changes.notify()
        await stage.all_received()


async def test_a_long_correction_is_sent_in_parts(stage: Stage) -> None:
    jid = "home9@example.org"
    peer = await stage.peer(jid)
    hours = 24 * 25
    await stage.release(WAYS[0], {n - hours: n for n in range(hours)})
    async with stage.store.writing() as connection:
        (message,) = [
            each
            for each in await Permissions(connection).permitted(peer)
            if each.series == SERIES[WAYS[0]]
        ]
        since = START - hours * HOUR
        within = replace(message.records, start=since, end=START)
        await queue(connection, peer, message.permission, message.series_id, within)
    async with stage.delivering():
        await stage.all_received({jid})
    assert stage.network.tried.count(jid) == 2
    assert timedelta(hours=hours) == START - since
