"""The newest heads that a home has of a witness: they show one that was set back what it lost."""

from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import set_setting, setting
from consometers_protected_sums.heads import newest


async def heads_of(connection: AsyncConnection, witness: str) -> tuple[bytes, ...]:
    """Return the newest heads that this home has of a witness, by its address."""
    stored = await setting(connection, _name(witness))
    return () if stored is None else tuple(map(bytes.fromhex, stored.split()))


async def remember_head(connection: AsyncConnection, witness: str, head: bytes) -> None:
    """Store a head of a witness, if it is newer than those that are stored."""
    heads = newest((*await heads_of(connection, witness), head))
    await set_setting(connection, _name(witness), " ".join(map(bytes.hex, heads)))


def _name(witness: str) -> str:
    return f"heads.{witness}"
