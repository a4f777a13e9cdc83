"""SQLite for SQLAlchemy: a statement goes to the connection's thread once, and its rows come back.

aiosqlite asks its thread four times for a statement: to make a cursor, to execute, to fetch and to
close. Each time two threads wake one another, which takes longer than most of our statements do.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
import sqlite3
from threading import Thread
from typing import Any, override
from weakref import WeakSet

import aiosqlite

type _Rows = Sequence[tuple[Any, ...]]
type _Statement = Callable[[sqlite3.Cursor], object]
type _Result = tuple[Any, int, int | None, _Rows, sqlite3.Cursor | None]
"""Description, count of rows, last id, the first rows, and where the others are."""

AT_ONCE = 1_000
"""Rows that come with the statement. What is left of more is asked for."""
_STOPPED = WeakSet[Thread]()
_ENDS_WITHIN_S = 5.0


class Connection(aiosqlite.Connection):
    """A connection of which most statements are one trip to its thread."""

    def __init__(self, file: Path | str) -> None:
        """Prepare; nothing is opened before it is awaited."""
        opened: list[sqlite3.Connection] = []

        def connector() -> sqlite3.Connection:
            # Its thread alone uses it, but another one may drop it last.
            opened.append(sqlite3.connect(file, check_same_thread=False))
            return opened[0]

        super().__init__(connector, AT_ONCE)
        self._opened = opened
        # The program's end must not wait for a database that nobody closed.
        self._thread.daemon = True

    @override
    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread, also for who was cancelled while it was opened: it is closed first."""
        self._tx.put_nowait((None, partial(_close, self._opened)))
        _STOPPED.add(self._thread)
        return super().stop()

    async def cursor(self) -> Cursor:  # type: ignore[override]
        return Cursor(self)

    async def at_once(self, statement: _Statement) -> _Result:
        """Have the thread execute a statement, and return its result. Raises sqlite3.Error."""
        cursors: list[sqlite3.Cursor] = []
        try:
            return await self.in_thread(_execute, self._conn, statement, cursors)
        except asyncio.CancelledError:
            # Nobody fetches what is left. What goes to the thread now comes after the statement.
            self._tx.put_nowait((None, partial(_close, cursors)))
            raise

    async def in_thread[**P, T](
        self, do: Callable[P, T], *arguments: P.args, **named: P.kwargs
    ) -> T:
        return await self._execute(do, *arguments, **named)  # type: ignore[no-any-return, no-untyped-call]


async def ended() -> None:
    """Wait for the threads of stopped connections, also of those that nobody waits for.

    The last thing that each does is an answer to the loop, which must be there. One that the disk
    holds up is left behind.
    """
    for thread in list(_STOPPED):
        if thread.is_alive():
            await asyncio.to_thread(thread.join, _ENDS_WITHIN_S)
        _STOPPED.discard(thread)


def _execute(
    connection: sqlite3.Connection, statement: _Statement, cursors: list[sqlite3.Cursor]
) -> _Result:
    """Execute a statement by a cursor that is added to these, and stays open if rows are left."""
    cursors.append(cursor := connection.cursor())
    left = None
    try:
        statement(cursor)
        rows = cursor.fetchmany(AT_ONCE) if cursor.description else ()
        left = cursor if len(rows) == AT_ONCE else None
    except UnicodeDecodeError as fault:
        # SQLite's error quotes a schema that is no text.
        damaged = sqlite3.DatabaseError("malformed database schema")
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damaged from fault
    else:
        return cursor.description, cursor.rowcount, cursor.lastrowid, rows, left
    finally:
        if left is None:
            cursor.close()


def _close(opened: Iterable[sqlite3.Connection | sqlite3.Cursor]) -> None:
    for each in opened:
        each.close()


class Cursor:
    """The part of aiosqlite's cursor that SQLAlchemy uses."""

    def __init__(self, connection: Connection) -> None:
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._connection = connection
        self._rows: _Rows = ()
        self._left: sqlite3.Cursor | None = None

    async def execute(self, sql: str, parameters: Any = ()) -> None:
        await self._execute(lambda cursor: cursor.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Any) -> None:
        await self._execute(lambda cursor: cursor.executemany(sql, parameters))

    async def _execute(self, statement: _Statement) -> None:
        result = await self._connection.at_once(statement)
        self.description, self.rowcount, self.lastrowid, self._rows, self._left = result

    async def fetchall(self) -> _Rows:
        rows, self._rows = self._rows, ()
        if self._left is None:
            return rows
        return [*rows, *await self._connection.in_thread(self._left.fetchall)]

    async def fetchmany(self, size: int = 1) -> _Rows:
        """Return that many rows, fewer at their end only."""
        if self._left is not None and len(self._rows) < size:
            more = max(size, AT_ONCE)
            fetched = await self._connection.in_thread(self._left.fetchmany, more)
            self._rows = [*self._rows, *fetched]
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    async def fetchone(self) -> tuple[Any, ...] | None:
        return next(iter(await self.fetchmany()), None)

    async def close(self) -> None:
        if self._left is not None:
            await self._connection.in_thread(self._left.close)
