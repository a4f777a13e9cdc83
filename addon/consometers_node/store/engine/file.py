"""The file of SQLite: made whole, closed to other users, and with room set aside beside it."""

from contextlib import closing, suppress
import errno
import fcntl
import os
from pathlib import Path
import sqlite3

from .errors import EMPTIED, Unusable

RESERVE_BYTES = 2 << 20
"""The most that a withdrawal writes, with the files that SQLite makes for it."""
_AT_ONCE_BYTES = 64 << 10


def prepare(file: Path) -> None:
    """Make the file if there is none, and close it to other users.

    Raises Unusable, OSError or sqlite3.Error. A file of ours is never empty, not even after a power
    cut: it is made under another name.
    """
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    # Looked at first: another process that starts makes the file before its journal.
    journal_bytes = _size(_beside(file, "-wal"))
    if not file.exists() and not journal_bytes:
        _make(file)
    if not _size(file):
        raise Unusable(EMPTIED.fill(file=file))
    # SQLite gives -wal and -shm the mode of the file.
    for path in (file, *(_beside(file, suffix) for suffix in ("-wal", "-shm"))):
        if path.exists():
            path.chmod(0o600)


class Reserve:
    """Reserved space on the disk for a withdrawal when nothing else is free."""

    def __init__(self, database: Path) -> None:
        self._file = database.with_suffix(".reserve")

    def fill(self) -> None:
        """Set aside as much as there is, up to the whole of it."""
        with suppress(OSError):
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                missing = RESERVE_BYTES - os.fstat(descriptor).st_size
                while missing > 0:
                    # Zeros take no room where the file system compresses.
                    missing -= os.write(descriptor, os.urandom(min(missing, _AT_ONCE_BYTES)))
            finally:
                os.close(descriptor)

    def free(self) -> bool:
        existed = _size(self._file) > 0
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
        return existed


def _make(file: Path) -> None:
    new = _beside(file, ".new")
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # Of two that start at once, the second finds the file of the first.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if file.exists():
            return
        with closing(sqlite3.connect(new)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        new.replace(file)
    finally:
        os.close(descriptor)


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
