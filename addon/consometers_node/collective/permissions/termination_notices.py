"""Notifies members of the permissions that this collective has ended."""

import asyncio
from datetime import UTC, datetime
import logging
from typing import NoReturn

from sqlalchemy import select

from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.collective.tables import MemberPermissionId, MemberRow
from consometers_quoalise import ItemNotFound, QuoaliseError
from consometers_quoalise_network import Asking, NetworkError

from .member_permissions import MemberPermission, not_notified, note_notified

MOST_AT_ONCE = 8
AGAIN_S = 3600.0
"""The wait before an offline member is notified again."""

_LOGGER = logging.getLogger(__name__)


class TerminationNotices:
    """Notifies members until they confirm."""

    def __init__(
        self, store: Store, asking: Asking, changes: Changes, *, again_s: float = AGAIN_S
    ) -> None:
        self._store = store
        self._asking = asking
        self._changes = changes
        self._again_s = again_s
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._next: dict[MemberPermissionId, float] = {}

    async def run(self) -> NoReturn:
        clock = asyncio.get_running_loop().time
        while True:
            seen = self._changes.count
            async with self._store.reading() as connection:
                ended = await not_notified(connection)
            self._next = {permission.id: self._next.get(permission.id, 0) for permission in ended}
            async with asyncio.TaskGroup() as tasks:
                for permission in ended:
                    if self._next[permission.id] <= clock():
                        tasks.create_task(self._notify(permission))
            await self._changes.after(seen, self._again_s)

    async def _notify(self, permission: MemberPermission) -> None:
        async with self._store.reading() as connection:
            query = select(MemberRow.jid).where(MemberRow.id == permission.member)
            jid = (await connection.execute(query)).scalar_one_or_none()
        if jid is None:
            return
        try:
            async with self._room:
                await self._asking.terminate(jid, permission.id)
        except ItemNotFound:
            _LOGGER.debug("a member does not know the permission that ended")
        except (NetworkError, QuoaliseError) as fault:
            _LOGGER.debug("a member is notified later: %s", fault)
            self._next[permission.id] = asyncio.get_running_loop().time() + self._again_s
            return
        async with self._store.writing() as connection:
            await note_notified(connection, permission.id, datetime.now(UTC))
