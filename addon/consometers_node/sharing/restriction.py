"""Restriction: a person has what was granted held back for a while, and nothing is lost by it."""

from ..permission import Permissions
from ..store import PeerId, PermissionId
from ..store.connection import AsyncConnection
from ..store.settings import set_setting, settings_like

_PREFIX = "paused."


async def paused(connection: AsyncConnection) -> set[PermissionId]:
    """Return the permissions by which nothing leaves at present."""
    keys = await settings_like(connection, _PREFIX)
    return {PermissionId(key.removeprefix(_PREFIX)) for key in keys}


async def pause(connection: AsyncConnection, peer: PeerId) -> None:
    """Hold back all that a peer was granted: pushes and answers."""
    for permission in await Permissions(connection).permitted(peer):
        await set_setting(connection, f"{_PREFIX}{permission.permission}", "yes")


async def resume(connection: AsyncConnection, peer: PeerId) -> None:
    """Resume sending, with all that came up meanwhile."""
    for permission in await Permissions(connection).all(peer):
        await set_setting(connection, f"{_PREFIX}{permission.id}", None)
