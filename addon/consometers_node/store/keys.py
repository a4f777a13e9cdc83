"""Keys that are replaced each day, in a file apart from the database.

Backups and a write-ahead log would preserve what was forgotten. So keys are in a file of SQLite's
without such a log, whatever database holds the rest: what is replaced or deleted is overwritten,
and no backup has it. A node that lost the file goes on: its homes enrol again.

A change here is not part of a transaction of the database. Callers order both so that a crash
between them loses a key at most.
"""

import asyncio
from collections.abc import Callable
from contextlib import closing
import logging
import os
from pathlib import Path
import sqlite3
import threading

from sqlalchemy.exc import OperationalError

from consometers_node.i18n.text import text

FILE = "keys.db"
"""Its name, in the folder of the node."""

_BUSY_S = 60.0
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_TABLES = (
    "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS home (permission TEXT PRIMARY KEY, keys BLOB NOT NULL) STRICT",
    """CREATE TABLE IF NOT EXISTS witnessed (pseudonym TEXT PRIMARY KEY, first_day INTEGER NOT NULL,
     day INTEGER NOT NULL, key BLOB, authentication BLOB NOT NULL) STRICT""",
)
_PRAGMAS = (
    "PRAGMA journal_mode = DELETE",
    # The journal has what was replaced: its removal is on the disk before anything goes on.
    "PRAGMA synchronous = EXTRA",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
)

_LOST = text("{file} is damaged, so the keys in it are lost: homes enrol again by themselves.")
_LOGGER = logging.getLogger(__name__)


class Keys:
    """The file of keys: `state` of a witness, keys of a `home`, and of homes that are `witnessed`.

    It is made when it is first used.
    """

    def __init__(self, folder: Path | None) -> None:
        """Prepare; without a folder, as for a database that is only moved, there are none."""
        self._folder = folder
        self._one = threading.Lock()
        self._is_checked = False

    @property
    def file(self) -> Path:
        """Its path. Raises RuntimeError without a folder."""
        if self._folder is None:
            raise RuntimeError("the folder of the keys was not given")
        return self._folder / FILE

    async def run[T](self, do: Callable[[sqlite3.Connection], T]) -> T:
        """Call a function with the file, in one transaction, and return its result.

        A damaged file is replaced by an empty one. Raises OperationalError, as a database does.
        """
        return await asyncio.to_thread(self._run, lambda file: _in_transaction(file, do))

    async def rewrite(self) -> None:
        """Rewrite the file, so that no page has remains of former rows."""
        await asyncio.to_thread(self._run, lambda file: file.execute("VACUUM"))

    def _run[T](self, do: Callable[[sqlite3.Connection], T]) -> T:
        with self._one:
            try:
                try:
                    return self._opened(do)
                except sqlite3.DatabaseError as fault:
                    if getattr(fault, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                        raise
                    _LOGGER.warning(_LOST.fill(file=self.file.name))
                    self._remove()
                    return self._opened(do)
            except (sqlite3.Error, OSError) as fault:
                # It fails as the database beside it would, and is waited for alike.
                raise OperationalError(None, None, fault, hide_parameters=True) from fault

    def _opened[T](self, do: Callable[[sqlite3.Connection], T]) -> T:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(
            sqlite3.connect(self.file, timeout=_BUSY_S, isolation_level=None)
        ) as connection:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            if not self._is_checked:
                (state,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
                if state != "ok":
                    damaged = sqlite3.DatabaseError(state)
                    damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                    raise damaged
                self._is_checked = True
            # Each time: the file may have been removed meanwhile.
            for table in _TABLES:
                connection.execute(table)
            return do(connection)

    def _remove(self) -> None:
        """Overwrite and remove a damaged file, which may have keys."""
        for file in (self.file, self.file.with_name(f"{self.file.name}-journal")):
            if file.exists():
                with file.open("r+b") as damaged:
                    damaged.write(bytes(file.stat().st_size))
                    damaged.flush()
                    os.fsync(damaged.fileno())
                file.unlink()


def _in_transaction[T](file: sqlite3.Connection, do: Callable[[sqlite3.Connection], T]) -> T:
    # Closing the file rolls back what an error left open.
    file.execute("BEGIN IMMEDIATE")
    result = do(file)
    file.execute("COMMIT")
    return result
