"""What one peer is told: what was decided here, and the records that are due.

One message of records is on its way at a time. It stands in the outbox before it leaves, and its
receipt takes it out, so that whatever ends this task loses nothing: what has no receipt leaves
again. A withdrawal takes the row, and with it the message, wherever that is.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import logging
from typing import NoReturn

from ..backoff import Backoff
from ..quoalise import QuoaliseError, Text
from ..store import NotPermitted, Store
from ..store.outbox import acknowledged, is_on_its_way, send_again
from ..store.peers import Peer
from ..store.settings import setting
from ..wire import Naming, Unsayable
from ..xmpp import PUSH_SECONDS, Asking, Connection, NetworkError, Pushing
from .changes import Changes
from .ledger import Message, next_message, receipts_key
from .notices import Notices, is_away

FIRST_DELAY_S = 30.0
LONGEST_DELAY_S = 6 * 3600.0
"""The server of a peer that is away may hold what is sent to it: it is not sent often."""
_OFFLINE_S = 3600.0

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Network:
    """The connection, and what is done over it."""

    connection: Connection
    asking: Asking
    pushing: Pushing


class Delivery:
    """Tells one peer."""

    def __init__(
        self,
        store: Store,
        peer: Peer,
        naming: Naming,
        network: Network,
        changes: Changes,
        *,
        first_delay_s: float = FIRST_DELAY_S,
        receipt_within_s: float = PUSH_SECONDS,
    ) -> None:
        """Prepare; nothing is told yet."""
        self.peer = peer
        self._store = store
        self._naming = naming
        self._connection = network.connection
        self._pushing = network.pushing
        self._changes = changes
        self._backoff = Backoff(first_delay_s, LONGEST_DELAY_S)
        self._receipt_within_s = receipt_within_s
        self._notices = Notices(store, peer, naming, network.asking, network.connection.language)
        self._settled = asyncio.Event()
        self._heard = Changes()
        self._offline: Text | None = None
        self._untold: Text | None = None
        self._unsent: Text | None = None

    @property
    def problem(self) -> Text | None:
        """Why the peer is not told, for people; None if it is."""
        return self._offline or self._untold or self._unsent

    def heard(self) -> None:
        """Take the word that the peer is there: what waits for it leaves now."""
        self._heard.tell()

    async def settled(self, seconds: float) -> bool:
        """Wait until the peer has confirmed what it was granted, since the node started."""
        try:
            async with asyncio.timeout(seconds):
                await self._settled.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> NoReturn:
        """Tell the peer all that comes up. Ends when it is cancelled."""
        await self._queue_anew()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_decisions())
            tasks.create_task(self._tell_records())
        raise AssertionError

    async def _tell_decisions(self) -> NoReturn:
        delays = self._backoff.delays()
        while True:
            await self._online()
            seen, heard = self._changes.count, self._heard.count
            try:
                if await self._notices.tell():
                    self._changes.tell()
            except (NetworkError, QuoaliseError, Unsayable) as fault:
                self._untold = fault.text
                waits = [self._changes.after(seen)]
                if is_away(fault):
                    waits.append(self._heard.after(heard))
                await _first(waits, next(delays))
            else:
                self._untold = None
                self._settled.set()
                delays = self._backoff.delays()
                await self._changes.after(seen)

    async def _tell_records(self) -> NoReturn:
        await self._settled.wait()
        delays = self._backoff.delays()
        while True:
            await self._online()
            seen, heard = self._changes.count, self._heard.count
            try:
                while await self._send_one():
                    self._unsent = None
                    delays = self._backoff.delays()
            except NotPermitted:
                _LOGGER.info("a permission ended while records were about to leave by it")
            except (NetworkError, QuoaliseError, Unsayable) as fault:
                self._unsent = fault.text
                await self._heard.after(heard, next(delays))
                await self._queue_anew()
            else:
                self._unsent = None
                await self._changes.after(seen)

    async def _send_one(self) -> bool:
        """Send what is due next, and return once the peer has it. False if nothing is due."""
        now = datetime.now(UTC)
        async with self._store.writing() as connection:
            number = self._pushing.new_id()
            message = await next_message(connection, self.peer, self._naming, number, now)
            confirms = await setting(connection, receipts_key(self.peer.id)) != "no"
        if message is None:
            return False
        if len(message.data):
            await self._push(message, receipt=confirms)
        await self.received(message.id)
        return True

    async def received(self, message_id: str) -> None:
        """Note that the peer has what a message carried."""
        async with self._store.writing() as connection:
            await acknowledged(connection, self.peer.id, message_id)

    async def _push(self, message: Message, *, receipt: bool) -> None:
        """Push a message as long as it may. Raises NotPermitted where that ends meanwhile."""
        push = asyncio.create_task(
            self._pushing.push(
                self.peer.jid,
                message.data,
                message_id=message.id,
                receipt=receipt,
                seconds=self._receipt_within_s,
            )
        )
        try:
            while not push.done():
                seen = self._changes.count
                if not await self._still_leaves(message):
                    raise NotPermitted("the permission ended, and what was on its way went with it")
                change = asyncio.create_task(self._changes.after(seen))
                try:
                    await asyncio.wait({push, change}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    change.cancel()
            await push
        finally:
            # A push that is cancelled leaves nothing that could still be sent.
            push.cancel()

    async def _still_leaves(self, message: Message) -> bool:
        async with self._store.reading() as connection:
            return await is_on_its_way(connection, self.peer.id, message.id)

    async def _queue_anew(self) -> None:
        """Queue what has no receipt."""
        async with self._store.writing() as connection:
            await send_again(connection, self.peer.id)

    async def _online(self) -> None:
        """Wait for the network. What only a person can help is tried again after a change."""
        while not self._connection.is_online:
            seen = self._changes.count
            try:
                await self._connection.online(_OFFLINE_S)
            except NetworkError as fault:
                self._offline = fault.text
                if fault.lasting:
                    await self._changes.after(seen)
        self._offline = None


async def _first(waits: Sequence[Coroutine[None, None, bool]], seconds: float) -> None:
    """Wait for one of several things, or until time is over."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
