"""Sends letters to members' nodes, until each has answered."""

from collections.abc import Mapping
from datetime import UTC, datetime
import logging
from typing import NoReturn

from consometers_node.sharing.changes import Changes
from consometers_node.sharing.permissions.decision_delivery import is_away
from consometers_node.sharing.redelivery import Redelivery
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_quoalise import ErrorType, QuoaliseError
from consometers_quoalise_network import Asking, NetworkError

from . import register

AGAIN_S = 3600.0
"""The wait before a letter to an absent node is sent again."""

_LOGGER = logging.getLogger(__name__)


class Letters:
    """Sends each letter until its member's node has stored or refused it."""

    def __init__(
        self, store: Store, asking: Asking, changes: Changes, *, again_s: float = AGAIN_S
    ) -> None:
        self._store = store
        self._asking = asking
        self._redelivery = Redelivery(
            store, changes, waiting=_waiting, deliver=self._send, again_s=again_s
        )

    async def run(self) -> NoReturn:
        await self._redelivery.run()

    async def _send(self, letter_id: str, jid: str) -> bool:
        async with self._store.reading() as connection:
            sent = await register.get(connection, letter_id)
        if sent is None:
            return True
        try:
            await self._asking.send_letter(jid, sent.letter)
        except (NetworkError, QuoaliseError) as fault:
            if not isinstance(fault, QuoaliseError) or _may_pass(fault):
                _LOGGER.debug("a letter is sent again later: %s", fault)
                return False
            async with self._store.writing() as connection:
                await register.note_refused(connection, letter_id, fault.condition)
            return True
        async with self._store.writing() as connection:
            await register.note_delivered(connection, letter_id, datetime.now(UTC))
        return True


async def _waiting(connection: AsyncConnection) -> Mapping[str, str]:
    return dict(await register.waiting(connection, datetime.now(UTC)))


def _may_pass(fault: QuoaliseError) -> bool:
    """Return whether a node may take a letter later that it does not take now."""
    return is_away(fault) or fault.type is ErrorType.WAIT
