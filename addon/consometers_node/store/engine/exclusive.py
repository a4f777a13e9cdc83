"""Locks for changes that one transaction at a time makes in PostgreSQL; SQLite has one writer."""

from sqlalchemy import text

from .connection import AsyncConnection

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext(:name))")


async def lock(connection: AsyncConnection, name: str) -> None:
    """Wait until no other transaction has the lock of this name; it lasts until this one ends."""
    if connection.dialect.name != "postgresql":
        return
    # A savepoint that is rolled back gives up its locks.
    held = connection.sync_connection
    transaction = held.get_nested_transaction() or held.get_transaction()
    key = f"consometers {name}"
    if held.info.get(key) is not transaction:
        await connection.execute(_LOCK, {"name": key})
        held.info[key] = transaction


async def alone(connection: AsyncConnection) -> None:
    """Serialise changes of what members have."""
    await lock(connection, "members")
