"""Sends decisions to a peer; once it confirms them, `Fanout` sends records."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import NoReturn

from consometers_node.i18n.protocol import sentence
from consometers_node.i18n.text import Text
from consometers_node.store import Store
from consometers_node.store.peers import Peer
from consometers_node.wire import Naming, Unsayable
from consometers_quoalise import QuoaliseError
from consometers_quoalise_network import Asking, NetworkError, Transport
from consometers_quoalise_network.backoff import Backoff

from .changes import Changes
from .permissions.decision_delivery import DecisionDelivery, is_away
from .records.fanout import FIRST_DELAY_S, LONGEST_DELAY_S, Fanout

_OFFLINE_S = 3600.0


class Delivery:
    """Sends to one peer."""

    def __init__(
        self,
        store: Store,
        peer: Peer,
        naming: Naming,
        *,
        connection: Transport,
        asking: Asking,
        changes: Changes,
        fanout: Fanout,
        first_delay_s: float = FIRST_DELAY_S,
    ) -> None:
        """Prepare; nothing is sent yet."""
        self.peer = peer
        self._connection = connection
        self._changes = changes
        self._fanout = fanout
        self._backoff = Backoff(first_delay_s, LONGEST_DELAY_S)
        self._decisions = DecisionDelivery(store, peer, naming, asking, connection.language)
        self._settled = asyncio.Event()
        self._arrivals = Changes()
        self._offline: Text | None = None
        self._refusal: Text | None = None

    @property
    def problem(self) -> Text | None:
        """Why the peer gets nothing, for people; None if it does."""
        return self._offline or self._refusal or self._fanout.problems.get(self.peer.id)

    @property
    def is_settled(self) -> bool:
        """Whether the peer has confirmed its grants since the node started."""
        return self._settled.is_set()

    def note_online(self) -> None:
        """Note that the peer is online: pending messages leave now."""
        self._arrivals.notify()
        self._fanout.note_online(self.peer.id)

    async def settled(self, seconds: float) -> bool:
        """Wait until it is settled; False on timeout."""
        try:
            async with asyncio.timeout(seconds):
                await self._settled.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> NoReturn:
        """Send a peer what is due until cancelled."""
        delays = self._backoff.delays()
        while True:
            await self._online()
            seen, arrivals = self._changes.count, self._arrivals.count
            try:
                if await self._decisions.send():
                    self._changes.notify()
            except (NetworkError, QuoaliseError, Unsayable) as fault:
                self._refusal = sentence(fault)
                waits = [self._changes.after(seen)]
                if is_away(fault):
                    waits.append(self._arrivals.after(arrivals))
                await _first(waits, next(delays))
            else:
                self._refusal = None
                if not self._settled.is_set():
                    self._settled.set()
                    self._changes.notify()
                delays = self._backoff.delays()
                await self._changes.after(seen)

    async def _online(self) -> None:
        """Wait for the network; after a failure that only a person can repair, for a change."""
        while not self._connection.is_online:
            seen = self._changes.count
            try:
                await self._connection.online(_OFFLINE_S)
            except NetworkError as fault:
                self._offline = sentence(fault)
                if fault.lasting:
                    await self._changes.after(seen)
        self._offline = None


async def _first(waits: Sequence[Coroutine[None, None, bool]], seconds: float) -> None:
    """Wait for one of several events, or a timeout."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
