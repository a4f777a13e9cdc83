"""One transaction at a time that changes what members have, in PostgreSQL."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ALONE = "SELECT pg_advisory_xact_lock(hashtext('consometers members'))"
_ALONE_IN = "consometers_alone_in"


async def alone(connection: AsyncConnection) -> None:
    """Wait until no other such transaction runs; SQLite has one writer anyway."""
    if connection.dialect.name != "postgresql":
        return
    if connection.info.get(_ALONE_IN) is not connection.get_transaction():
        await connection.execute(text(_ALONE))
        connection.info[_ALONE_IN] = connection.get_transaction()
