"""Asks collectives again for their data needs: a person here decides about each new version.

So a new version of a data need reaches those who answered the one before. Nothing is granted by
this, and what was refused is not put forward again.
"""

import asyncio
from datetime import UTC, datetime
import logging
import random
from typing import NoReturn

from consometers_node.i18n.text import text
from consometers_node.permission import ChangedNeed, DataNeed, Permissions, State
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.peers import Peer, all_peers
from consometers_node.wire import Unsayable, read_need
from consometers_quoalise import QuoaliseError
from consometers_quoalise_network import Asking, NetworkError

EVERY_S = 24 * 3600.0

_FIRST = 24
"""How many times sooner that is after a start."""

_CHANGED = text("The data request {need} changed without a new version: the former one holds.")

_LOGGER = logging.getLogger(__name__)


class Renewal:
    """Asks peers with a grant, about once a day, not all members at one time."""

    def __init__(
        self, store: Store, asking: Asking, changes: Changes, *, every_s: float = EVERY_S
    ) -> None:
        self._store = store
        self._asking = asking
        self._changes = changes
        self._every_s = every_s

    async def run(self) -> NoReturn:
        """Ask repeatedly until cancelled."""
        wait_s = self._every_s / _FIRST
        while True:
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.5))  # noqa: S311
            wait_s = self._every_s
            for peer in await self._granted():
                await self._ask(peer)

    async def _granted(self) -> list[Peer]:
        async with self._store.reading() as connection:
            permissions = Permissions(connection)
            return [
                peer
                for peer in await all_peers(connection)
                if any(each.state is State.GRANTED for each in await permissions.all(peer.id))
            ]

    async def _ask(self, peer: Peer) -> None:
        try:
            needs = [read_need(need) for need in await self._asking.get_data_needs(peer.jid)]
        except (NetworkError, QuoaliseError, Unsayable) as fault:
            _LOGGER.debug("what is asked for is asked again later: %s", fault)
            return
        if await self._propose(peer, needs):
            self._changes.notify()

    async def _propose(self, peer: Peer, needs: list[DataNeed]) -> bool:
        new = False
        async with self._store.writing() as connection:
            permissions = Permissions(connection)
            proposed = {
                (each.need.id, each.need.version) for each in await permissions.all(peer.id)
            }
            for need in needs:
                if (need.id, need.version) in proposed:
                    continue
                try:
                    await permissions.propose(peer.id, need, datetime.now(UTC))
                except ChangedNeed:
                    _LOGGER.warning(_CHANGED.fill(need=need.id))
                    continue
                new = True
        return new
