"""Sends records to all their readers.

Thousands may be sent the same. So one look finds who is behind, records are read once for all, and
what has arrived is noted together with what leaves next, in one transaction. One message is on its
way to a peer at a time. It stands in the outbox before it leaves, and its receipt takes it out, so
that nothing is lost when this task ends: what has no receipt leaves again. A withdrawal takes the
row, and with it the message, wherever that is. A peer that sends no receipt is left alone for a
while, longer each time.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
import logging
import random
from typing import NoReturn

from consometers_node.i18n.protocol import sentence
from consometers_node.i18n.text import Text, text
from consometers_node.series import Range, Series
from consometers_node.sharing.changes import Changes
from consometers_node.store import NotPermitted, PeerId, SeriesId, Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.outbox import (
    acknowledged,
    peers_to_send_to,
    send_again,
    still_queued,
    subscribers,
    take_turns,
)
from consometers_node.store.peers import subscribed_series
from consometers_node.store.settings import settings_like
from consometers_node.wire import Naming, Unsayable
from consometers_quoalise import QuoaliseError
from consometers_quoalise_network import PUSH_SECONDS, NetworkError, Pushing, Transport

from .due_records import SOON, extent_of, receipts_key
from .record_messages import RecordsMessage, next_messages

FIRST_DELAY_S = 30.0
LONGEST_DELAY_S = 6 * 3600.0
"""The server of an offline peer may hold messages: a peer is not sent to often."""
AT_ONCE = 32
"""Messages under way: as many as `Pushing` has room for."""

_OFFLINE_S = 3600.0
_TOGETHER_S = 0.02
_PAUSE_PER_LOOK = 10
"""Times the length of a look until the next one."""

_ENDED_MEANWHILE = text("A permission ended while records were about to leave by it.")
_LOGGER = logging.getLogger(__name__)

type Addresses = Callable[[AsyncConnection, Collection[PeerId]], Awaitable[dict[PeerId, str]]]
"""Returns the bare JIDs of the peers to which records may be sent now."""


class Fanout:
    """Sends records to all peers, each as long as it may read them."""

    def __init__(
        self,
        store: Store,
        naming: Naming,
        connection: Transport,
        *,
        pushing: Pushing,
        changes: Changes,
        addresses: Addresses,
        first_delay_s: float = FIRST_DELAY_S,
        receipt_within_s: float = PUSH_SECONDS,
    ) -> None:
        """Prepare; nothing is sent yet."""
        self.problems: dict[PeerId, Text] = {}
        """Why nothing arrives at a peer, for people."""
        self._store = store
        self._naming = naming
        self._connection = connection
        self._pushing = pushing
        self._changes = changes
        self._addresses = addresses
        self._first_delay_s = first_delay_s
        self._receipt_within_s = receipt_within_s
        self._in_flight: dict[PeerId, tuple[RecordsMessage, asyncio.Task[Text | None]]] = {}
        self._pending: deque[PeerId] = deque()
        self._due_series: dict[SeriesId, Series] = {}
        self._delays: dict[PeerId, float] = {}
        self._paused_until: dict[PeerId, float] = {}
        self._looked: tuple[int, float] | None = None
        self._next_look = 0.0
        self._wake = asyncio.Event()

    def note_online(self, peer: PeerId) -> None:
        """Note that a peer is online: pending messages leave now."""
        self._delays.pop(peer, None)
        if self._paused_until.pop(peer, None) is not None:
            self._looked = None
            self._wake.set()

    async def received(self, peer: PeerId, message_id: str) -> None:
        """Note a late receipt, or one of an earlier run."""
        async with self._store.writing() as connection:
            arrived = await acknowledged(connection, peer, message_id)
        if arrived:
            self.problems.pop(peer, None)
        self.note_online(peer)

    async def run(self) -> NoReturn:
        """Send until cancelled."""
        async with self._store.writing() as connection:
            await send_again(connection)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._online()
                seen = self._changes.count
                leaving: Sequence[tuple[RecordsMessage, str, bool]] = ()
                try:
                    leaving = await self._turn(seen)
                except NotPermitted:
                    _LOGGER.info(_ENDED_MEANWHILE)
                    self._looked = None
                for message, jid, confirms in leaving:
                    push = tasks.create_task(self._push(message, jid, confirms=confirms))
                    self._in_flight[message.peer] = message, push
                if len(self._in_flight) >= AT_ONCE or not (leaving or self._pending):
                    await self._wait(seen)

    async def _turn(self, seen: int) -> list[tuple[RecordsMessage, str, bool]]:
        """Note what has arrived, and return what leaves next, noted as leaving.

        Each message goes to an address, which confirms it or not.
        """
        now, clock = datetime.now(UTC), asyncio.get_running_loop().time()
        ended = {
            peer: (sent, task) for peer, (sent, task) in self._in_flight.items() if task.done()
        }
        failed = {
            peer: words
            for peer, (_, task) in ended.items()
            if not task.cancelled() and (words := task.result()) is not None
        }
        async with self._store.writing() as connection:
            await take_turns(connection)
            for peer, (message, task) in ended.items():
                if task.cancelled() or peer in failed:
                    await send_again(connection, peer)
                else:
                    await acknowledged(connection, peer, message.id)
            await self._cancel_what_ended(connection, ended)
            paused_until = {peer: at for peer, at in self._paused_until.items() if at > clock}
            busy = paused_until.keys() | failed.keys() | (self._in_flight.keys() - ended.keys())
            if not self._pending and self._is_due(seen, clock):
                await self._look(connection, now, busy)
                self._looked, self._paused_until = (seen, clock), paused_until
                took = asyncio.get_running_loop().time() - clock
                self._next_look = clock + _PAUSE_PER_LOOK * took
            room = AT_ONCE - len(self._in_flight) + len(ended)
            first = [self._pending.popleft() for _ in range(min(room, len(self._pending)))]
            peers = [peer for peer in dict.fromkeys(first) if peer not in busy]
            jids = await self._addresses(connection, peers) if peers else {}
            without_receipts = await settings_like(connection, "peer.")
            due = await next_messages(
                connection,
                self._naming,
                jids,
                self._due_series,
                new_id=self._pushing.new_id,
                at=now,
            )
        for peer in ended:
            del self._in_flight[peer]
        for peer in ended.keys() - failed.keys():
            self._delays.pop(peer, None)
            self.problems.pop(peer, None)
            # It may be behind with something else.
            self._pending.append(peer)
        unsayable = {peer: words for peer, words in due.items() if isinstance(words, Text)}
        for peer, words in (failed | unsayable).items():
            self._fail(peer, words, clock)
        return [
            (message, jids[peer], receipts_key(peer) not in without_receipts)
            for peer, message in due.items()
            if isinstance(message, RecordsMessage)
        ]

    def _fail(self, peer: PeerId, words: Text, clock: float) -> None:
        self.problems[peer] = words
        delay = self._delays.get(peer, self._first_delay_s)
        self._delays[peer] = min(2 * delay, LONGEST_DELAY_S)
        self._paused_until[peer] = clock + random.uniform(0.5, 1) * delay  # noqa: S311  not a secret

    def _is_due(self, seen: int, clock: float) -> bool:
        if self._looked is None:
            return True
        if self._looked[0] != seen:
            return self._next_look <= clock
        return self._looked[1] + self._first_delay_s <= clock and any(
            at <= clock for at in self._paused_until.values()
        )

    async def _look(
        self, connection: AsyncConnection, now: datetime, busy: Collection[PeerId]
    ) -> None:
        """Find the peers that are behind."""
        pending = dict.fromkeys(await peers_to_send_to(connection))
        soon = Range(datetime.fromtimestamp(0, UTC), now + SOON)
        series = await subscribed_series(connection)
        extents = {
            series_id: await extent_of(connection, self._naming, series_id, each, soon)
            for series_id, each in series.items()
        }
        ends = {series_id: extent.end for series_id, extent in extents.items() if extent}
        self._due_series = {series_id: series[series_id] for series_id in ends}
        for series_id, readers in (await subscribers(connection, ends)).items():
            pending |= dict.fromkeys(
                reader.peer for reader in readers if reader.beyond(ends[series_id])
            )
        self._pending.extend(peer for peer in pending if peer not in busy)
        self.problems = {
            peer: words for peer, words in self.problems.items() if peer in busy or peer in pending
        }

    async def _cancel_what_ended(
        self, connection: AsyncConnection, arrived: Collection[PeerId]
    ) -> None:
        """Cancel messages under permissions that have ended meanwhile."""
        in_flight = {
            message.id: task
            for peer, (message, task) in self._in_flight.items()
            if peer not in arrived
        }
        for message_id in in_flight.keys() - await still_queued(connection, list(in_flight)):
            in_flight[message_id].cancel()

    async def _push(self, message: RecordsMessage, jid: str, *, confirms: bool) -> Text | None:
        """Push a message. Return why it did not arrive; None if it did."""
        if not len(message.data):
            return None
        try:
            await self._pushing.push(
                jid,
                message.data,
                message_id=message.id,
                receipt=confirms,
                seconds=self._receipt_within_s,
            )
        except (NetworkError, QuoaliseError, Unsayable) as fault:
            _LOGGER.debug("a peer is sent its records later: %s", fault)
            return sentence(fault)
        return None

    async def _wait(self, seen: int) -> None:
        """Wait until a message arrived, something changed, or a retry is due."""
        clock = asyncio.get_running_loop().time()
        self._wake.clear()
        waits: set[asyncio.Task[object]] = {
            asyncio.create_task(self._wake.wait()),
            asyncio.create_task(self._changes.after(seen)),
        }
        in_flight = {task for _, task in self._in_flight.values()}
        again = max(
            min(self._paused_until.values(), default=clock + _OFFLINE_S),
            clock + self._first_delay_s,
        )
        if self._looked is None or self._looked[0] != seen:
            again = max(self._next_look, clock)
        try:
            await asyncio.wait(
                {*waits, *in_flight},
                timeout=again - clock,
                return_when=asyncio.FIRST_COMPLETED,
            )
            # Arrivals at about the same time are noted together.
            await asyncio.sleep(_TOGETHER_S)
        finally:
            for wait in waits:
                wait.cancel()

    async def _online(self) -> None:
        """Wait for the network; after a failure that only a person can repair, for a change."""
        while not self._connection.is_online:
            seen = self._changes.count
            try:
                await self._connection.online(_OFFLINE_S)
            except NetworkError as fault:
                if fault.lasting:
                    await self._changes.after(seen)
