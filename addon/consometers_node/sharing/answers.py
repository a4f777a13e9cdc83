"""A node's answers to its peers: granted records, and nothing else.

A peer without a grant gets the same answer, whether what it asks for is there or not.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import override

from sqlalchemy.exc import InterfaceError, OperationalError

from consometers_node.i18n.text import text
from consometers_node.permission import (
    ForbiddenChange,
    Identification,
    Permissions,
    Permitted,
    Reading,
    State,
    UnknownPermission,
)
from consometers_node.series import Range, Record
from consometers_node.store import NotPermitted, PermissionId, Store
from consometers_node.store.answers import Answer, log_answer
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.outbox import take_turns
from consometers_node.store.peers import Peer, peer_by_jid, subscribe, unsubscribe
from consometers_node.store.series import all_series
from consometers_node.store.settings import set_setting
from consometers_node.wire import Naming, encode_series
from consometers_node.wire.encode import unit
from consometers_node.wire.naming import device_type
from consometers_node.wire.needs import write_interval
from consometers_quoalise import (
    MAX_RECORDS,
    BadRequest,
    Data,
    Device,
    GetHistory,
    Identifier,
    ItemNotFound,
    Listed,
    Node,
    NotAuthorized,
    Receipt,
    ResourceConstraint,
    Role,
    iso8601,
)
from consometers_quoalise.records.metadata import COUNT
from consometers_quoalise_network import Answerer, Asker

from .records.due_records import SOON, at_once, beside, extent_of, receipts_key, records_of
from .restriction import paused

_A_SECOND = timedelta(seconds=1)
_JUST_NOW = timedelta(days=1)

_NOT_THEN = text("No permission covers records of that period: read records from {start} on.")
_TOO_MANY = text("More than {most} records requested: request a shorter period, then the next one.")
_PAUSED = {
    Role.HOUSEHOLD: text("The household has paused this: ask again later."),
    Role.COLLECTIVE: text("The collective has paused this: ask again later."),
}
_ONLY_SUMS = text(
    "Only sums with these records may be read: they are sent masked as they come, and not on"
    " request."
)
_STILL_READ = text("This node is still reading that part of its history: ask again in a minute.")
_UNSETTLED = text(
    "This node has just started, and is waiting for your receipt of the permission: confirm it,"
    " then ask again."
)


type Answered = Callable[[Peer, Node], None]
"""Called with a peer and its request, after the answer."""
type Confirms = Callable[[str], Awaitable[bool | None]]
"""Returns whether a full address confirms messages; None if it does not say."""
type Settled = Callable[[Peer], Awaitable[bool]]
"""Returns whether a peer has confirmed its grants since the node started."""


class Answers(Answerer):
    """Answers from the database, under its permissions. A role adds its own commands."""

    passing = (InterfaceError, OperationalError)

    def __init__(
        self, store: Store, naming: Naming, answered: Answered, confirms: Confirms, settled: Settled
    ) -> None:
        self._store = store
        self._naming = naming
        self._answered = answered
        self._confirms = confirms
        self._settled = settled

    @override
    async def get_history(self, asker: Asker, request: GetHistory) -> Data:
        now = datetime.now(UTC)
        asked = Range(*map(_whole_second, request.range(now)))
        await self._settle(asker)
        async with self._store.writing() as connection:
            peer = await self._peer(connection, asker)
            grants = await self._grants(connection, peer, self.permitted_by(request.identifier))
            grants = [grant for grant in grants if grant.reading is Reading.INDIVIDUAL]
            if not grants:
                raise NotAuthorized(_ONLY_SUMS.by_language)
            grant = max(grants, key=lambda grant: _length(asked.clip(grant.records)))
            records = asked.clip(grant.records)
            if asked and not records:
                start = iso8601.shown(grant.records.start)
                raise NotAuthorized(_NOT_THEN.fill(start=start).by_language)
            if await self.still_reads(connection, grant, records, now):
                raise ResourceConstraint(_STILL_READ.by_language)
            data, count = await self.history(connection, request.identifier, grant, records, now)
            if records:
                answer = Answer(
                    peer=peer.id,
                    permission=grant.permission,
                    series_id=grant.series_id,
                    command=Node.GET_HISTORY,
                    records=records,
                    count=count,
                    at=now,
                )
                with _as_refusal():
                    await log_answer(connection, answer)
        self._answered(peer, Node.GET_HISTORY)
        return data

    @override
    async def subscribe(self, asker: Asker, series: Identifier) -> None:
        now = datetime.now(UTC)
        await self._settle(asker)
        async with self._store.writing() as connection:
            # What is stored before it is read, and what is stored after it is sent.
            await take_turns(connection)
            peer = await self._peer(connection, asker)
            grant = (await self._grants(connection, peer, series))[0]
            cursor = await self._first_cursor(connection, grant, now)
            with _as_refusal():
                await subscribe(connection, peer.id, grant.series_id, now, cursor)
        # A peer that waits for its answer is online.
        confirms = await self._confirms(asker.full)
        if confirms is not None:
            async with self._store.writing() as connection:
                key, told_so = receipts_key(peer.id), None if confirms else "no"
                await set_setting(connection, key, told_so)
        self._answered(peer, Node.SUBSCRIBE)

    @override
    async def unsubscribe(self, asker: Asker, series: Identifier) -> None:
        async with self._store.writing() as connection:
            peer = await self._peer(connection, asker)
            for grant in await self._grants(connection, peer, series):
                await unsubscribe(connection, peer.id, grant.series_id)
        self._answered(peer, Node.UNSUBSCRIBE)

    @override
    async def list_series(self, asker: Asker) -> Iterable[Listed]:
        await self._settle(asker)
        async with self._store.reading() as connection:
            peer = await self.peer_of(connection, asker)
            if peer is None:
                return []
            listed = {}
            for grant in await Permissions(connection).permitted(peer.id):
                if grant.reading is Reading.SUM:
                    continue
                name = self._naming.name(grant.series, peer.jid, grant.identification)
                stored = await self._extent(connection, grant, grant.records)
                listed[name] = Listed(
                    series=name,
                    interval=write_interval(grant.series.interval),
                    unit=unit(grant.series),
                    first=stored.start if stored else None,
                    last=_last(grant, stored) if stored else None,
                    device=device_type(grant.series, name),
                )
                if self._naming.sums(grant.series):
                    counts = replace(listed[name], series=name.members, unit=COUNT)
                    listed[name.members] = counts
        self._answered(peer, Node.LIST_SERIES)
        return listed.values()

    @override
    async def terminate(self, asker: Asker, permission: str) -> Receipt:
        now = datetime.now(UTC)
        permission_id = PermissionId(permission)
        async with self._store.writing() as connection:
            peer = await self._peer(connection, asker)
            permissions = Permissions(connection)
            try:
                stored = await permissions.get(permission_id)
                if stored.peer != peer.id:
                    raise ItemNotFound
                if stored.state is not State.TERMINATED:
                    await permissions.terminate(permission_id, now)
            except UnknownPermission, ForbiddenChange:
                raise ItemNotFound from None
        self._answered(peer, Node.TERMINATE)
        return Receipt(permission=permission, state=State.TERMINATED, time=now)

    def permitted_by(self, asked: Identifier) -> Identifier:
        """Return the series that a peer must be granted in order to request this one."""
        return asked

    async def history(
        self,
        connection: AsyncConnection,
        asked: Identifier,
        grant: Permitted,
        records: Range,
        now: datetime,
    ) -> tuple[Data, int]:
        """Return the records of a range, and their number. Raises BadRequest."""
        values = await self._records(connection, grant, records, now)
        others = await beside(connection, self._naming, grant.series, values)
        return encode_series(asked, grant.series, values, others), len(values)

    async def peer_of(self, connection: AsyncConnection, asker: Asker) -> Peer | None:
        """Return the asking peer, if it is known."""
        return await peer_by_jid(connection, asker.jid)

    async def still_reads(
        self, connection: AsyncConnection, grant: Permitted, records: Range, now: datetime
    ) -> bool:
        """Return whether records of a range are still on their way from the source."""
        return False

    async def _settle(self, asker: Asker) -> None:
        """End a permission that an older state of this node brought back."""
        async with self._store.reading() as connection:
            peer = await self.peer_of(connection, asker)
            if peer is None or peer.is_member:
                return
            if not await Permissions(connection).permitted(peer.id):
                return
        if not await self._settled(peer):
            raise ResourceConstraint(_UNSETTLED.by_language)

    async def _peer(self, connection: AsyncConnection, asker: Asker) -> Peer:
        peer = await self.peer_of(connection, asker)
        if peer is None:
            raise NotAuthorized
        return peer

    async def _grants(
        self, connection: AsyncConnection, peer: Peer, asked: Identifier
    ) -> list[Permitted]:
        """Return the permissions, at least one, under which a peer may read a series, or refuse it.

        A reader of a sum may read what stands beside it.
        """
        sums = asked.summed if self._naming.collective else None
        permitted = await Permissions(connection).permitted(peer.id)
        named = [
            grant
            for grant in permitted
            if self._naming.name(grant.series, peer.jid, grant.identification) == (sums or asked)
        ]
        if named:
            held_back = await paused(connection)
            if free := [grant for grant in named if grant.permission not in held_back]:
                return free
            raise ResourceConstraint(_PAUSED[self.role].by_language)
        # One answer is for what is not granted and for what is not here. A peer that was granted
        # something may know that a name is nobody's; but not which other series a device has, nor
        # whose delivery point it has guessed.
        guessed = asked.device.delivery_point is not None
        if permitted and not guessed and asked.device not in await self._devices(connection, peer):
            raise ItemNotFound
        raise NotAuthorized

    async def _devices(self, connection: AsyncConnection, peer: Peer) -> set[Device]:
        """Return the names of all devices for a peer, pseudonyms those of a home."""
        return {
            self._naming.name(series, peer.jid, Identification.PSEUDONYM).device
            for series in (await all_series(connection)).values()
            if self._naming.may_name(series)
        }

    async def _records(
        self, connection: AsyncConnection, grant: Permitted, records: Range, now: datetime
    ) -> list[Record]:
        """Return the records of a range, or refuse it if they are too many for an answer."""
        end = max(records.start, min(records.end, now + SOON))
        past = records.clip(Range(records.start, end))
        step = timedelta(minutes=grant.series.interval.minutes)
        stored = await self._extent(connection, grant, past)
        if stored is None:
            return []
        most = at_once(MAX_RECORDS, sums=self._naming.sums(grant.series))
        # This many are refused unread: there are no more holes than that.
        if _length(stored) > 2 * most * step:
            raise BadRequest(_TOO_MANY.fill(most=most).by_language)
        values = await records_of(
            connection, self._naming, grant.series_id, grant.series, stored.clip(past)
        )
        if len(values) > most:
            raise BadRequest(_TOO_MANY.fill(most=most).by_language)
        return values

    async def _first_cursor(
        self, connection: AsyncConnection, grant: Permitted, now: datetime
    ) -> datetime:
        """Return the start of a subscription: the first record that nobody can have requested.

        Where there is none, a day back: a record that comes twice does no harm. What only sums may
        be read of is never asked for: all of it is sent.
        """
        if grant.reading is Reading.SUM:
            return grant.records.start
        today = Range(now - _JUST_NOW, now).clip(grant.records)
        stored = await self._extent(connection, grant, today)
        return stored.end if stored else today.start

    async def _extent(
        self, connection: AsyncConnection, grant: Permitted, within: Range
    ) -> Range | None:
        return await extent_of(connection, self._naming, grant.series_id, grant.series, within)


def _last(grant: Permitted, stored: Range) -> datetime:
    """Return the start of the last record."""
    end = stored.end - timedelta(microseconds=1)
    days = (end.date() - timedelta(days=n) for n in range(3))
    return next(
        start for day in days for start in reversed(grant.series.starts(day)) if start <= end
    )


def _length(records: Range) -> timedelta:
    return records.end - records.start


def _whole_second(instant: datetime) -> datetime:
    """Return the first whole second from then on: records start at whole ones."""
    return instant if not instant.microsecond else instant.replace(microsecond=0) + _A_SECOND


@contextmanager
def _as_refusal() -> Iterator[None]:
    """Refuse the peer where the database refuses."""
    try:
        yield
    except NotPermitted:
        raise NotAuthorized from None
