"""Telling members what is new of what is known of all of them.

They are many, and are told the same. So it is looked up once who is behind, records are read once
for all, and what has arrived is noted together with what leaves next, in one transaction. Otherwise
it is as in `sharing.delivery`: what leaves stands in the outbox before, and its receipt takes it
out. A member that gives none is left alone for a while, longer each time.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import logging
import random
from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncConnection

from ..permission import Identification
from ..quoalise import MAX_PUSHED, Data, QuoaliseError
from ..series import Range, Series
from ..sharing.changes import Changes
from ..sharing.delivery import FIRST_DELAY_S, LONGEST_DELAY_S
from ..sharing.ledger import (
    SOON,
    at_once,
    members_of,
    message_number,
    next_records,
    receipts_key,
    records_of,
)
from ..sharing.pauses import paused
from ..store import NotPermitted, PeerId, SeriesId, Store
from ..store.outbox import (
    Leaving,
    Queued,
    acknowledged,
    are_on_their_way,
    cut,
    leave,
    send_again,
    sending,
    take_turns,
    told_of,
    unsent_of,
    unsent_to_members,
)
from ..store.series import extent
from ..store.settings import settings_like
from ..store.subscriptions import told_to_members
from ..wire import Naming, told
from ..xmpp import Connection, NetworkError, Pushing
from .readers import addresses, member_peer

AT_ONCE = 32
"""Messages that are on their way: as many as `Pushing` has room for."""
LONGEST_WAIT_S = 15.0
"""For a receipt: a node that is there gives it in a second."""

_OFFLINE_S = 3600.0
_TOGETHER_S = 0.02
_RESTS = 10
"""How many times as long as a look takes there is no other one."""

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Message:
    peer: PeerId
    jid: str
    stanza: str
    data: Data
    confirms: bool


class Telling:
    """Tells members, each as long as it is one."""

    def __init__(
        self,
        store: Store,
        naming: Naming,
        connection: Connection,
        pushing: Pushing,
        changes: Changes,
        *,
        first_delay_s: float = FIRST_DELAY_S,
        receipt_within_s: float = LONGEST_WAIT_S,
    ) -> None:
        """Prepare; nobody is told yet."""
        self._store = store
        self._naming = naming
        self._connection = connection
        self._pushing = pushing
        self._changes = changes
        self._first_delay_s = first_delay_s
        self._receipt_within_s = min(receipt_within_s, LONGEST_WAIT_S)
        self._flying: dict[PeerId, tuple[_Message, asyncio.Task[bool]]] = {}
        self._behind: deque[PeerId] = deque()
        self._news: dict[SeriesId, tuple[Series, datetime]] = {}
        self._delays: dict[PeerId, float] = {}
        self._rests: dict[PeerId, float] = {}
        self._looked: tuple[int, float] | None = None
        self._rested = 0.0
        self._wake = asyncio.Event()

    def heard(self, peer: PeerId) -> None:
        """Take the word that a member is there: what waits for it leaves now."""
        self._delays.pop(peer, None)
        if self._rests.pop(peer, None) is not None:
            self._looked = None
            self._wake.set()

    async def received(self, jid: str, message_id: str) -> None:
        """Note a receipt that came after time."""
        async with self._store.writing() as connection:
            peer = await member_peer(connection, jid)
            if peer is None:
                return
            await acknowledged(connection, peer.id, message_id)
        self.heard(peer.id)

    async def run(self) -> NoReturn:
        """Tell on. Ends when it is cancelled."""
        async with self._store.writing() as connection:
            for peer in await unsent_to_members(connection, sent=True):
                await send_again(connection, peer)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._online()
                seen = self._changes.count
                leaving: Sequence[_Message] = ()
                try:
                    leaving = await self._turn(seen)
                except NotPermitted:
                    # They are looked up again.
                    self._looked = None
                for one in leaving:
                    self._flying[one.peer] = one, tasks.create_task(self._push(one))
                if len(self._flying) >= AT_ONCE or not (leaving or self._behind):
                    await self._wait(seen)

    async def _turn(self, seen: int) -> list[_Message]:
        """Note what has arrived, and give what leaves next, noted as leaving."""
        now, clock = datetime.now(UTC), asyncio.get_running_loop().time()
        ended = {peer: one for peer, one in self._flying.items() if one[1].done()}
        async with self._store.writing() as connection:
            await take_turns(connection)
            for peer, (message, task) in ended.items():
                if not task.cancelled() and task.result():
                    await acknowledged(connection, peer, message.stanza)
                else:
                    await send_again(connection, peer)
            await self._cancel_what_ended(connection, ended)
            if not self._behind and self._is_due(seen, clock):
                await self._look(connection, now, clock, ended)
                self._looked = seen, clock
                took = asyncio.get_running_loop().time() - clock
                self._rested = clock + _RESTS * took
            room = AT_ONCE - len(self._flying) + len(ended)
            peers = [self._behind.popleft() for _ in range(min(room, len(self._behind)))]
            leaving = await self._leave(connection, peers, now)
        for peer, (_, task) in ended.items():
            del self._flying[peer]
            self._note(peer, clock, arrived=not task.cancelled() and task.result())
        return leaving

    def _note(self, peer: PeerId, clock: float, *, arrived: bool) -> None:
        if arrived:
            self._delays.pop(peer, None)
            # It may be behind with something else.
            self._behind.append(peer)
            return
        delay = self._delays.get(peer, self._first_delay_s)
        self._delays[peer] = min(2 * delay, LONGEST_DELAY_S)
        self._rests[peer] = clock + random.uniform(0.5, 1) * delay  # noqa: S311  not a secret

    def _is_due(self, seen: int, clock: float) -> bool:
        if self._looked is None:
            return True
        if self._looked[0] != seen:
            return self._rested <= clock
        return self._looked[1] + self._first_delay_s <= clock and any(
            at <= clock for at in self._rests.values()
        )

    async def _look(
        self,
        connection: AsyncConnection,
        now: datetime,
        clock: float,
        ended: Collection[PeerId],
    ) -> None:
        """Find who is behind."""
        self._news = {}
        behind = dict.fromkeys(await unsent_to_members(connection))
        for number, series in (await told_to_members(connection)).items():
            soon = Range(datetime.fromtimestamp(0, UTC), now + SOON)
            known = await extent(connection, number, series, soon)
            if known is None:
                continue
            self._news[number] = series, known.end
            behind |= dict.fromkeys(
                one.peer
                for one in await told_of(connection, number)
                if max(one.reached or one.since, one.records.start) < known.end
            )
        self._rests = {peer: at for peer, at in self._rests.items() if at > clock}
        self._behind.extend(
            peer
            for peer in behind
            if peer not in self._rests and (peer in ended or peer not in self._flying)
        )

    async def _leave(
        self, connection: AsyncConnection, peers: Collection[PeerId], now: datetime
    ) -> list[_Message]:
        """Give one message for each of these that is behind, noted as leaving."""
        busy = self._rests.keys() | {
            peer for peer, (_, task) in self._flying.items() if not task.done()
        }
        peers = [peer for peer in dict.fromkeys(peers) if peer not in busy]
        jids = await addresses(connection, peers)
        held_back = await paused(connection)
        deaf = set(await settings_like(connection, "peer."))
        parts = _Parts(connection, self._naming)
        leaving: dict[PeerId, _Message] = {}

        def message(peer: PeerId, stanza: str, data: Data) -> None:
            confirms = receipts_key(peer) not in deaf
            leaving[peer] = _Message(peer, jids[peer], stanza, data, confirms)

        for peer, queued, series in await unsent_of(connection, list(jids)):
            if peer in leaving or queued.permission in held_back:
                continue
            data, over = await parts.of(queued.series_id, series, queued.records)
            if over is not None:
                await cut(connection, queued, over)
                self._behind.append(peer)
                continue
            stanza = message_number(queued, data, self._pushing.new_id())
            await sending(connection, [queued], stanza, now)
            message(peer, stanza, data)
        rows: list[Leaving] = []
        for number, (series, _) in self._news.items():
            left = [peer for peer in jids if peer not in leaving]
            for one in await told_of(connection, number, left) if left else ():
                start = max(one.reached or one.since, one.records.start)
                if one.permission in held_back:
                    continue
                within = await parts.beyond(number, series, start, now)
                if within is None:
                    continue
                data, _over = await parts.of(number, series, within)
                queued = Queued(0, one.permission, number, within)
                stanza = message_number(queued, data, self._pushing.new_id())
                rows.append(Leaving(one.peer, queued, stanza))
                message(one.peer, stanza, data)
        await leave(connection, rows, now)
        return list(leaving.values())

    async def _cancel_what_ended(
        self, connection: AsyncConnection, arrived: Collection[PeerId]
    ) -> None:
        """Let nothing leave of a permission that has ended meanwhile."""
        flying = {
            message.stanza: task
            for peer, (message, task) in self._flying.items()
            if peer not in arrived
        }
        for number in flying.keys() - await are_on_their_way(connection, list(flying)):
            flying[number].cancel()

    async def _push(self, one: _Message) -> bool:
        """Push a message, and tell whether it arrived."""
        if not len(one.data):
            return True
        try:
            await self._pushing.push(
                one.jid,
                one.data,
                message_id=one.stanza,
                receipt=one.confirms,
                seconds=self._receipt_within_s,
            )
        except (NetworkError, QuoaliseError) as fault:
            _LOGGER.debug("a member is told later: %s", fault)
            return False
        return True

    async def _wait(self, seen: int) -> None:
        """Wait until something arrived, changed, or is to be tried again."""
        clock = asyncio.get_running_loop().time()
        self._wake.clear()
        waits: set[asyncio.Task[object]] = {
            asyncio.create_task(self._wake.wait()),
            asyncio.create_task(self._changes.after(seen)),
        }
        flying = {task for _, task in self._flying.values()}
        again = max(
            min(self._rests.values(), default=clock + _OFFLINE_S), clock + self._first_delay_s
        )
        if self._looked is None or self._looked[0] != seen:
            again = max(self._rested, clock)
        try:
            await asyncio.wait(
                {*waits, *flying},
                timeout=again - clock,
                return_when=asyncio.FIRST_COMPLETED,
            )
            # What comes at about the same time is noted together.
            await asyncio.sleep(_TOGETHER_S)
        finally:
            for one in waits:
                one.cancel()

    async def _online(self) -> None:
        while not self._connection.is_online:
            seen = self._changes.count
            try:
                await self._connection.online(_OFFLINE_S)
            except NetworkError as fault:
                if fault.lasting:
                    await self._changes.after(seen)


class _Parts:
    """Records that many are told, read once in a transaction."""

    def __init__(self, connection: AsyncConnection, naming: Naming) -> None:
        self._connection = connection
        self._naming = naming
        self._data: dict[tuple[SeriesId, Range], tuple[Data, datetime | None]] = {}
        self._beyond: dict[tuple[SeriesId, datetime], Range | None] = {}

    async def of(
        self, number: SeriesId, series: Series, within: Range
    ) -> tuple[Data, datetime | None]:
        """Give what is told of a range, and where a message is full if it is before its end."""
        key = number, within
        if key not in self._data:
            connection, naming = self._connection, self._naming
            records = await records_of(connection, number, series, within)
            most = at_once(MAX_PUSHED, naming, series)
            members = await members_of(connection, naming, number, series, records[:most])
            name = naming.name(series, "", Identification.PSEUDONYM)
            over = records[most].start if len(records) > most else None
            self._data[key] = told(name, series, records[:most], members), over
        return self._data[key]

    async def beyond(
        self, number: SeriesId, series: Series, start: datetime, now: datetime
    ) -> Range | None:
        """Give the next records from an instant on, as many as a message holds."""
        key = number, start
        if key not in self._beyond:
            within = Range(start, max(start, now + SOON))
            most = at_once(MAX_PUSHED, self._naming, series)
            self._beyond[key] = await next_records(self._connection, number, series, within, most)
        return self._beyond[key]
