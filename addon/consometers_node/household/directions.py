"""Which way the energy of a statistic flows, where a person said so or corrected it."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Direction
from ..store.settings import set_setting, settings_like

_PREFIX = "direction."


async def directions(connection: AsyncConnection) -> Mapping[str, Direction]:
    """Give what was said, by statistic."""
    kept = await settings_like(connection, _PREFIX)
    return {key.removeprefix(_PREFIX): Direction(said) for key, said in kept.items()}


async def set_direction(
    connection: AsyncConnection, statistic: str, direction: Direction | None
) -> None:
    """Keep what a person said; None leaves it to what Home Assistant tells."""
    await set_setting(connection, f"{_PREFIX}{statistic}", direction)
