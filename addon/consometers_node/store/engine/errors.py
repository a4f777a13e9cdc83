"""Errors of a database, as the operator of a node reads them."""

from collections.abc import Iterator
from contextlib import contextmanager
import errno
import re
import sqlite3

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from consometers_node.i18n.text import Text, TranslatedError, text

EMPTIED = text(
    "{file} is empty, and a node’s database never is: restore a backup. To start over "
    "without the former data, first move {file} and the files beside it with the same "
    "name elsewhere."
)
DAMAGED = text("the database’s file is damaged: put a backup back.")


_FULL = text("its disk is full")
_READ_ONLY = text("it is read-only")
_REFUSED = text("the permission for it is missing")
_LOCKED = text("something else has locked it")
_NO_FILE = text("there is no such file or folder, or this account may not open it")
_BROKEN = text("its file is damaged: put a backup back")
_NOT_ONE = text("its file is no database")
_FOLDER = text("it is a folder")
_DISK = text("its disk does not read or write")
_NOBODY = text("nothing answers there")
_NO_HOST = text("there is no server of that name")
_PASSWORD = text("its password is wrong")
_NO_ROLE = text("it has no such user")
_NO_DATABASE = text("there is no database of that name")
_STARTS = text("it is starting or stopping")
_CROWDED = text("it takes no more connections")
_OTHER = text("its answer: “{why}”")
_ELSEWHERE = text("Restore a backup, or correct the path.")
_REMEDIES = (
    (_FULL, text("Free some space on it, then try again.")),
    (
        _READ_ONLY,
        text(
            "Mount it for writing. A disk that became read-only by itself may be failing: copy"
            " its contents first."
        ),
    ),
    (
        _REFUSED,
        text("Make the node’s user the owner of its folder and files."),
    ),
    (_LOCKED, text("Try again in a minute.")),
    (_NOT_ONE, _ELSEWHERE),
    (_FOLDER, _ELSEWHERE),
    (
        _DISK,
        text("It may be failing: copy its contents to another disk, and restore a backup."),
    ),
)

_SQLITE = {
    # The memory that connections share is a file whose pages are written when it grows.
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _REFUSED,
    sqlite3.SQLITE_AUTH: _REFUSED,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_CANTOPEN: _NO_FILE,
    sqlite3.SQLITE_CORRUPT: _BROKEN,
    sqlite3.SQLITE_NOTADB: _NOT_ONE,
    sqlite3.SQLITE_IOERR: _DISK,
}
_POSTGRESQL = {
    "25006": _READ_ONLY,
    "28000": _NO_ROLE,
    "28P01": _PASSWORD,
    "3D000": _NO_DATABASE,
    "42501": _REFUSED,
    "53100": _FULL,
    "53300": _CROWDED,
    "55P03": _LOCKED,
    "57P01": _STARTS,
    "57P02": _STARTS,
    "57P03": _STARTS,
}
_CONNECTING = {
    # What libpq says before there is a connection has no code.
    r"password authentication failed|no password supplied": _PASSWORD,
    r'role ".*" does not exist|no pg_hba\.conf entry': _NO_ROLE,
    r'database ".*" does not exist': _NO_DATABASE,
    r"Connection refused|No such file or directory|timeout expired": _NOBODY,
    r"could not translate host name|failed to resolve host|Name or service": _NO_HOST,
    r"Permission denied": _REFUSED,
    r"too many (clients|connections)|connection slots": _CROWDED,
    r"is (starting up|shutting down)": _STARTS,
}
_SYSTEM = {
    errno.ENOENT: _NO_FILE,
    errno.ENOTDIR: _NO_FILE,
    errno.EISDIR: _FOLDER,
    errno.EACCES: _REFUSED,
    errno.EPERM: _REFUSED,
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EIO: _DISK,
}


class StoreFault(Exception):
    """The database is unavailable."""


class Unusable(TranslatedError, StoreFault):
    """The database cannot be opened. `text` says what to do."""


class NotPermitted(StoreFault):
    """The database refuses: no permission is valid now for this peer, series and range.

    The transaction is over with that; nothing of it is kept.
    """


@contextmanager
def only_with_permission() -> Iterator[None]:
    """Raise NotPermitted where the database refuses the statements inside."""
    try:
        yield
    except IntegrityError as fault:
        raise NotPermitted(str(fault.orig)) from fault


def is_full(fault: BaseException) -> bool:
    """Return whether there is no room left."""
    return _cause(fault) is _FULL


def is_locked(fault: BaseException) -> bool:
    """Return whether another process has locked the database for too long."""
    return _cause(fault) is _LOCKED


def is_outage(fault: BaseException) -> bool:
    """Return whether the fault is of the disk or the server, and not of a statement of ours."""
    return isinstance(fault, InterfaceError | OperationalError) or (
        isinstance(fault, DBAPIError) and _cause(fault) is not None
    )


def reason(fault: BaseException) -> Text:
    """Return why a database, or the system before it, cannot be used.

    Another cause stays in its own words, without the statement that met it.
    """
    if isinstance(fault, Unusable):
        return fault.text
    error = _error(fault)
    return _cause(fault) or _OTHER.fill(why=str(error).strip().partition("\n")[0])


def explained(fault: BaseException) -> Text:
    """Return whole sentences: why a database cannot be used, and what to do."""
    cause = fault.__cause__ if isinstance(fault, StoreFault) else fault
    why = None if cause is None else _cause(cause)
    remedy = next((remedy for cause_words, remedy in _REMEDIES if cause_words is why), None)
    sentences = {}
    for tag in ("en", "fr"):
        sentence = reason(fault).say(tag).removesuffix(".") + "."
        sentences[tag] = f"{sentence} {remedy.say(tag)}" if remedy else sentence
    return Text(sentences)


def _error(fault: BaseException) -> BaseException | None:
    return fault.orig if isinstance(fault, DBAPIError) else fault


def _cause(fault: BaseException) -> Text | None:
    error = _error(fault)
    if isinstance(error, OSError):
        return _SYSTEM.get(error.errno or 0)
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        # The lowest byte is the kind of error, the rest its place.
        return _SQLITE.get(code) or _SQLITE.get(code & 0xFF)
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return _POSTGRESQL.get(state)
    if not isinstance(fault, DBAPIError):
        return None
    return next(
        (words for pattern, words in _CONNECTING.items() if re.search(pattern, str(error))), None
    )
