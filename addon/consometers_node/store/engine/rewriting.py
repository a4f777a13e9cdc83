"""In PostgreSQL, a deleted row stays in the files until something is written in its place.

`VACUUM FULL` writes each table, its indexes and its long values into new files, without the rows
that nobody sees any more. The planner's statistics hold values too: `ANALYZE` collects them again.
Last, the write-ahead log goes on in a new file, and a checkpoint lets go of those before it.
"""

import asyncio

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from .connection import AsyncConnection

_WAITS_S, _LOOKS_EVERY_S = 10, 0.1
_NOW = "SELECT CAST(pg_current_xact_id() AS xid)::text"
_LOOKED_AT = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND greatest(age(backend_xid), age(backend_xmin)) > age(CAST(CAST(:now AS text) AS xid)))"
)
_TABLES = (
    "SELECT quote_ident(relname) FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
    " AND relnamespace = to_regnamespace(quote_ident(current_schema())) ORDER BY relname"
)
_RECYCLE = ("SELECT pg_switch_wal()", "CHECKPOINT")
_LOCK_NOT_AVAILABLE, _INSUFFICIENT_PRIVILEGE = "55P03", "42501"


async def rewrite(connection: AsyncConnection) -> bool:
    """Write all tables into new files, each in a transaction of its own.

    Return whether no deleted row is left: not while a transaction runs that began before. The
    connection is in no transaction. Without the rights to it, the write-ahead log stays as it is.
    """
    if not await _is_alone(connection):
        return False
    try:
        await connection.execute(text(f"SET lock_timeout = '{_WAITS_S}s'"))
        for table in (await connection.execute(text(_TABLES))).scalars().all():
            await connection.execute(text(f"VACUUM (FULL, ANALYZE) {table}"))
        await connection.execute(text("VACUUM FULL pg_statistic"))
        for statement in _RECYCLE:
            await connection.execute(text(statement))
    except DBAPIError as fault:
        state = getattr(fault.orig, "sqlstate", None)
        if state not in {_LOCK_NOT_AVAILABLE, _INSUFFICIENT_PRIVILEGE}:
            raise
        return bool(state == _INSUFFICIENT_PRIVILEGE)
    finally:
        await connection.execute(text("RESET lock_timeout"))
    return True


async def _is_alone(connection: AsyncConnection) -> bool:
    """Wait for the transactions that may see what was deleted; return whether all have ended."""
    now = (await connection.execute(text(_NOW))).scalar_one()
    for _ in range(round(_WAITS_S / _LOOKS_EVERY_S)):
        if not (await connection.execute(text(_LOOKED_AT), {"now": now})).scalar_one():
            return True
        await asyncio.sleep(_LOOKS_EVERY_S)
    return False
