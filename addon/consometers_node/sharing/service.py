"""A node on the network: it answers its peers, and sends each what is due."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
import logging
from typing import NoReturn

from consometers_node.permission import Permissions
from consometers_node.store import PeerId, Store
from consometers_node.store.clock import Clock, ClockDoubtReason
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household import letters
from consometers_node.store.peers import Peer, all_peers, peer_by_jid
from consometers_node.wire import Naming
from consometers_quoalise import Node
from consometers_quoalise_network import (
    PUSH_SECONDS,
    Answering,
    Asking,
    NetworkError,
    Pushing,
    Traffic,
    Transport,
)

from .access_requests import AccessRequests
from .answers import Answered, Answers, Confirms, Settled
from .changes import Changes, KnownPeers
from .delivery import Delivery
from .permissions.renewal import EVERY_S, Renewal
from .records.fanout import FIRST_DELAY_S, Addresses, Fanout

_CLOCK_EVERY_S = 60.0
"""How often the clock is checked, and expired permissions are registered."""
_SAYS_WITHIN_S = 10.0
_SETTLES_WITHIN_S = 20.0

_LOGGER = logging.getLogger(__name__)


type MakeAnswers = Callable[[Store, Naming, Answered, Confirms, Settled], Answers]
"""Makes a role's answers: its class, or a factory of it."""


@dataclass(frozen=True, slots=True)
class MemberPeers:
    """Finds members of a collective that read its sums: each is a peer by its pseudonym."""

    addresses: Addresses
    peer: Callable[[AsyncConnection, str], Awaitable[Peer | None]]


class Sharing:
    """A node's grants over one connection, with its role's answers.

    Make it before the connection is entered.
    """

    def __init__(
        self,
        store: Store,
        naming: Naming,
        connection: Transport,
        changes: Changes,
        make_answers: MakeAnswers,
        *,
        clock: Clock,
        first_delay_s: float = FIRST_DELAY_S,
        receipt_within_s: float = PUSH_SECONDS,
        renewal_s: float = EVERY_S,
        traffic: Traffic | None = None,
        members: MemberPeers | None = None,
        knows: Callable[[str], bool] = lambda _peer: False,
    ) -> None:
        """Prepare; nothing is sent yet.

        `members` are those of a collective that read its sums; `knows` says which others are no
        strangers.
        """
        self._clock = clock
        connection.on_login(self._logged_in)
        self._store = store
        self._naming = naming
        self._connection = connection
        self._changes = changes
        self._first_delay_s = first_delay_s
        self.deliveries: dict[PeerId, Delivery] = {}
        """The delivery to each peer."""
        self.asking = Asking(connection)
        self.access = AccessRequests(store, self.asking)
        self._renewal = Renewal(store, self.asking, changes, every_s=renewal_s)
        self._members = members
        self._peers = KnownPeers(changes)
        self._knows_others = knows
        self.pushing = Pushing(connection, self._late, knows=self._knows)
        self._fanout = Fanout(
            store,
            naming,
            connection,
            pushing=self.pushing,
            changes=changes,
            addresses=self._addresses,
            first_delay_s=first_delay_s,
            receipt_within_s=receipt_within_s,
        )
        answers = make_answers(store, naming, self._answered, self._confirms, self._settled)
        self.announcement = connection.announce(answers.role)
        Answering(connection, answers, traffic, knows=self._knows)

    async def run(self) -> NoReturn:
        """Send all peers what is due, later peers included, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._expire())
            tasks.create_task(self._renewal.run())
            tasks.create_task(self._fanout.run())
            tasks.create_task(self.access.run())
            while True:
                seen = self._changes.count
                async with self._store.reading() as connection:
                    peers = await all_peers(connection)
                self._peers.are((peer.jid for peer in peers), seen)
                for peer in peers:
                    if peer.id not in self.deliveries:
                        self.deliveries[peer.id] = delivery = Delivery(
                            self._store,
                            peer,
                            self._naming,
                            connection=self._connection,
                            asking=self.asking,
                            changes=self._changes,
                            fanout=self._fanout,
                            first_delay_s=self._first_delay_s,
                        )
                        tasks.create_task(delivery.run())
                await self._changes.after(seen)

    async def _addresses(
        self, connection: AsyncConnection, peers: Collection[PeerId]
    ) -> dict[PeerId, str]:
        """Return the addresses of those of these peers to which records may be sent now."""
        jids = await self._members.addresses(connection, peers) if self._members else {}
        for peer in peers:
            delivery = self.deliveries.get(peer)
            if delivery is not None and delivery.is_settled:
                jids[peer] = delivery.peer.jid
        return jids

    def _knows(self, jid: str) -> bool:
        return self._peers(jid) or self._knows_others(jid)

    def _answered(self, peer: Peer, node: Node) -> None:
        if (delivery := self.deliveries.get(peer.id)) is not None:
            delivery.note_online()
        else:
            self._fanout.note_online(peer.id)
        changing = {Node.SUBSCRIBE, Node.TERMINATE, Node.SEND_LETTER}
        if node in changing and not peer.is_member:
            self._changes.notify()

    async def _confirms(self, full: str) -> bool | None:
        try:
            async with asyncio.timeout(_SAYS_WITHIN_S):
                return await self._connection.sends_receipts(full)
        except NetworkError, TimeoutError:
            return None

    async def _settled(self, peer: Peer) -> bool:
        if (delivery := self.deliveries.get(peer.id)) is None:
            return False
        # A peer that asks is online to confirm.
        delivery.note_online()
        return await delivery.settled(_SETTLES_WITHIN_S)

    async def _late(self, jid: str, message_id: str) -> None:
        """Note a late receipt, or one of an earlier run."""
        async with self._store.reading() as connection:
            peers = [await peer_by_jid(connection, jid)]
            if self._members is not None:
                peers.append(await self._members.peer(connection, jid))
        for peer in filter(None, peers):
            await self._fanout.received(peer.id, message_id)
            if (delivery := self.deliveries.get(peer.id)) is not None:
                delivery.note_online()

    def _logged_in(self) -> None:
        self._clock.vouch()
        self._changes.notify()

    async def _expire(self) -> NoReturn:
        """Check the clock repeatedly, and register expirations if it is confirmed.

        After a jump, the server confirms the clock again.
        """
        while True:
            seen, before = self._changes.count, self._clock.doubt
            async with self._store.writing() as connection:
                now = await self._clock.confirmed(connection)
                ended = [] if now is None else await Permissions(connection).expire(now)
                if now is not None:
                    await letters.forget(connection, now)
            doubt = self._clock.doubt
            if ended or (doubt and doubt.reason) != (before and before.reason):
                self._changes.notify()
            if (
                doubt is not None
                and doubt.reason is ClockDoubtReason.STEPPED
                and self._connection.is_online
            ):
                await self._connection.renew()
            if doubt is None:
                await asyncio.sleep(_CLOCK_EVERY_S)
            else:
                await self._changes.after(seen, _CLOCK_EVERY_S)
