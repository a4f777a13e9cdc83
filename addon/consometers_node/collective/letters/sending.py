"""Sends letters to members' nodes, until each has answered."""

import asyncio
from datetime import UTC, datetime
import logging
from typing import NoReturn

from consometers_node.sharing.changes import Changes
from consometers_node.sharing.permissions.decision_delivery import is_away
from consometers_node.store import Store
from consometers_quoalise import ErrorType, QuoaliseError
from consometers_quoalise_network import Asking, NetworkError

from . import register

AGAIN_S = 3600.0
"""The wait before a letter to an absent node is sent again."""
_MOST_AT_ONCE = 8

_LOGGER = logging.getLogger(__name__)


class Letters:
    """Sends each letter until its member's node has stored or refused it."""

    def __init__(
        self, store: Store, asking: Asking, changes: Changes, *, again_s: float = AGAIN_S
    ) -> None:
        self._store = store
        self._asking = asking
        self._changes = changes
        self._again_s = again_s
        self._room = asyncio.Semaphore(_MOST_AT_ONCE)
        self._next: dict[str, float] = {}

    async def run(self) -> NoReturn:
        clock = asyncio.get_running_loop().time
        while True:
            seen = self._changes.count
            async with self._store.reading() as connection:
                waiting = await register.waiting(connection, datetime.now(UTC))
            self._next = {letter_id: self._next.get(letter_id, 0) for letter_id, _ in waiting}
            async with asyncio.TaskGroup() as tasks:
                for letter_id, jid in waiting:
                    if self._next[letter_id] <= clock():
                        tasks.create_task(self._send(letter_id, jid))
            await self._changes.after(seen, self._again_s)

    async def _send(self, letter_id: str, jid: str) -> None:
        async with self._room:
            async with self._store.reading() as connection:
                sent = await register.get(connection, letter_id)
            if sent is None:
                return
            try:
                await self._asking.send_letter(jid, sent.letter)
            except (NetworkError, QuoaliseError) as fault:
                if isinstance(fault, QuoaliseError) and not _may_pass(fault):
                    async with self._store.writing() as connection:
                        await register.note_refused(connection, letter_id, fault.condition)
                else:
                    _LOGGER.debug("a letter is sent again later: %s", fault)
                    self._next[letter_id] = asyncio.get_running_loop().time() + self._again_s
                return
            async with self._store.writing() as connection:
                await register.note_delivered(connection, letter_id, datetime.now(UTC))


def _may_pass(fault: QuoaliseError) -> bool:
    """Return whether a node may take a letter later that it does not take now."""
    return is_away(fault) or fault.type is ErrorType.WAIT
