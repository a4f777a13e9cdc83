"""What an erasure must not leave: a curve in all forms in which it is stored."""

from datetime import timedelta
import struct
from typing import Any

from sqlalchemy import select

from consometers_node.collective.members.members import Member
from consometers_node.collective.permissions.member_permissions import MemberPermission
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import Base
from testing.collectives.members import AT, join

LATER = AT + timedelta(days=5)
CURVE = [311 + 7 * n * n for n in range(24)]


async def admit_homes(store: Store, *names: str) -> list[tuple[Member, MemberPermission]]:
    await keep_collective(store, "kersabiec")
    async with store.writing() as connection:
        return [await join(connection, name) for name in names]


async def everything(connection: AsyncConnection) -> bytes:
    """Return the content of all tables, in the bytes of a file."""
    parts: list[bytes] = []
    for table in Base.metadata.sorted_tables:
        if table.info.get("view"):
            continue
        for row in await connection.execute(select(table)):
            parts += [_bytes(value) for value in row]
    return b"\n".join(parts)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def shapes(values: list[int]) -> list[bytes]:
    """Return a curve in its stored forms: packed, and in watt-minutes of 8 bytes."""
    block = struct.pack("<24H", *values)
    return [block, struct.pack("<24q", *(60 * value for value in values))]
