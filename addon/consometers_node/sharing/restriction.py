"""Restriction: a person pauses what was granted for a while, and nothing is lost by it."""

from consometers_node.permission import Permissions
from consometers_node.store import PeerId, PermissionId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import set_setting, settings_like

_PREFIX = "paused."


async def paused(connection: AsyncConnection) -> set[PermissionId]:
    """Return the paused permissions."""
    keys = await settings_like(connection, _PREFIX)
    return {PermissionId(key.removeprefix(_PREFIX)) for key in keys}


async def pause(connection: AsyncConnection, peer: PeerId) -> None:
    """Pause all grants of a peer: pushes and answers."""
    for permission in await Permissions(connection).permitted(peer):
        await set_setting(connection, f"{_PREFIX}{permission.permission}", "yes")


async def resume(connection: AsyncConnection, peer: PeerId) -> None:
    """Resume sending, with the records of the meantime."""
    for permission in await Permissions(connection).all(peer):
        await set_setting(connection, f"{_PREFIX}{permission.id}", None)
