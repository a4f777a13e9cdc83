"""Notifies members of the permissions that this collective has ended."""

from collections.abc import Mapping
from datetime import UTC, datetime
import logging
from typing import NoReturn

from sqlalchemy import select

from consometers_node.sharing.changes import Changes
from consometers_node.sharing.redelivery import Redelivery
from consometers_node.store import Store
from consometers_node.store.collective.tables import MemberPermissionId, MemberRow
from consometers_node.store.engine.connection import AsyncConnection
from consometers_quoalise import ItemNotFound, QuoaliseError
from consometers_quoalise_network import Asking, NetworkError

from .member_permissions import MemberPermission, not_notified, note_notified

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
        self._redelivery = Redelivery(
            store, changes, waiting=_ended, deliver=self._notify, again_s=again_s
        )

    async def run(self) -> NoReturn:
        await self._redelivery.run()

    async def _notify(self, permission_id: MemberPermissionId, ended: MemberPermission) -> bool:
        async with self._store.reading() as connection:
            query = select(MemberRow.jid).where(MemberRow.id == ended.member)
            jid = (await connection.execute(query)).scalar_one_or_none()
        if jid is None:
            return True
        try:
            await self._asking.terminate(jid, permission_id)
        except ItemNotFound:
            _LOGGER.debug("a member does not know the permission that ended")
        except (NetworkError, QuoaliseError) as fault:
            _LOGGER.debug("a member is notified later: %s", fault)
            return False
        async with self._store.writing() as connection:
            await note_notified(connection, permission_id, datetime.now(UTC))
        return True


async def _ended(connection: AsyncConnection) -> Mapping[MemberPermissionId, MemberPermission]:
    return {permission.id: permission for permission in await not_notified(connection)}
