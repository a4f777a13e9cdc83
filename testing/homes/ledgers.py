"""A node's database, the records of one home in it, and a peer that upserts what it receives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from consometers_node.i18n.text import Text
from consometers_node.permission import Choice, DataNeed, Permissions
from consometers_node.series import Block, Range, Record, Series
from consometers_node.sharing.records.due_records import keep
from consometers_node.sharing.records.record_messages import RecordsMessage, next_messages
from consometers_node.store import PermissionId, SeriesId, Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.coverage import set_coverage
from consometers_node.store.outbox import acknowledged, send_again
from consometers_node.store.peers import (
    Peer,
    Subscription,
    add_peer,
    subscribe,
    subscribed_series,
    subscriptions,
)
from consometers_node.store.series import add_series
from consometers_node.wire import Naming
from consometers_quoalise import Data
from testing.databases.fixtures import Place
from testing.databases.sql import plain
from testing.homes.data_needs import CHOICE, HOURLY, NEED, STOP, grant, now

NAMING = Naming(bytes(range(32)), "30001610071843")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def midnight(days: int = 0) -> datetime:
    """Return the turn of a UTC day, so many days from today on."""
    return now().replace(hour=0, minute=0, second=0) + days * DAY


def hours(start: datetime, values: Iterable[int | None]) -> dict[datetime, int | None]:
    return {start + n * HOUR: value for n, value in enumerate(values)}


@dataclass
class Ledger:
    """A home, and one peer of it."""

    store: Store
    peer: Peer
    series_id: SeriesId
    series: Series = HOURLY
    sent: dict[datetime, int] = field(default_factory=dict)
    """What the peer has."""
    times: list[Range] = field(default_factory=list)
    """Which records it was sent, in order."""
    naming: Naming = NAMING

    @classmethod
    async def open(
        cls, store: Store, jid: str = "coop@example.org", series: Series = HOURLY
    ) -> Ledger:
        async with store.writing() as connection:
            peer = await add_peer(connection, jid, "Coop", now())
            return cls(store, peer, await add_series(connection, series), series)

    async def grant(self, need: DataNeed = NEED, choice: Choice = CHOICE) -> PermissionId:
        chosen = replace(choice, series=frozenset({self.series}))
        async with self.store.writing() as connection:
            return await grant(Permissions(connection), self.peer.id, need, chosen)

    async def withdraw(self, permission: PermissionId) -> None:
        async with self.store.writing() as connection:
            await Permissions(connection).withdraw(permission, STOP, now())

    async def subscribe(
        self, cursor: datetime | None = None, since: datetime | None = None
    ) -> None:
        async with self.store.writing() as connection:
            await subscribe(connection, self.peer.id, self.series_id, since or now(), cursor)

    async def cover(self, start: datetime, end: datetime) -> None:
        async with self.store.writing() as connection:
            await set_coverage(connection, self.series_id, Range(start, end))

    async def keep(self, values: Mapping[datetime, int | None]) -> bool:
        """Store whole days, in which there is nothing but these records."""
        days: dict[date, list[Record]] = {}
        for start, value in values.items():
            records = days.setdefault(start.astimezone(UTC).date(), [])
            if value is not None:
                records.append(Record(start, value))
        blocks = [Block.of(self.series, day, records) for day, records in days.items()]
        async with self.store.writing() as connection:
            return await keep(connection, {self.series: self.series_id}, blocks, now())

    async def next(
        self, message_id: str = "message", at: datetime | None = None
    ) -> RecordsMessage | None:
        async with self.store.writing() as connection:
            return await self.next_in(connection, message_id, at)

    async def due(self, message_id: str = "message") -> RecordsMessage:
        message = await self.next(message_id)
        assert message is not None
        return message

    async def next_in(
        self, connection: AsyncConnection, message_id: str, at: datetime | None = None
    ) -> RecordsMessage | None:
        messages = await next_messages(
            connection,
            self.naming,
            {self.peer.id: self.peer.jid},
            await subscribed_series(connection),
            new_id=lambda: message_id,
            at=at or now(),
        )
        message = messages.get(self.peer.id)
        assert not isinstance(message, Text)
        return message

    async def receive(self, message: RecordsMessage) -> None:
        """Store at the peer what came, and confirm it."""
        self.record_message(message)
        async with self.store.writing() as connection:
            await acknowledged(connection, self.peer.id, message.id)

    def record_message(self, message: RecordsMessage) -> None:
        self.times.append(message.queued.records)
        for records in data_of(message).records:
            for second, value in records.values.items():
                self.sent[datetime.fromtimestamp(float(second), UTC)] = int(value)

    async def receive_all(self) -> list[Range]:
        """Deliver to the peer all that is due, and return which ranges it was sent."""
        self.times = []
        count = 0
        while (message := await self.next(f"m{count}")) is not None:
            await self.receive(message)
            count += 1
            assert count < 200, "it never ends"
        return self.times

    async def restart(self) -> None:
        async with self.store.writing() as connection:
            await send_again(connection, self.peer.id)

    async def cursor(self) -> datetime | None:
        return (await self.subscription()).cursor

    async def subscription(self) -> Subscription:
        async with self.store.reading() as connection:
            (subscription,) = await subscriptions(connection, self.peer.id)
            return subscription


def data_of(message: RecordsMessage) -> Data:
    """Return what a message carries, which is not masked."""
    assert isinstance(message.data, Data)
    return message.data


def run_out(place: Place, permission: PermissionId) -> None:
    """End a permission a minute ago, as its owner can: by taking the rule away."""
    with plain(place) as owner:
        on = "" if owner.kind == "sqlite" else " ON permission"
        owner.run(
            f"DROP TRIGGER permission_terms_stand{on}",
            f"UPDATE permission SET valid_until = {{now}} - 60 WHERE id = '{permission}'",
        )
