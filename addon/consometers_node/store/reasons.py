"""Why a database cannot be used, in words for whoever runs the node."""

import errno
import re
import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from ..quoalise import Text
from ..quoalise.text import text
from .errors import StoreFault, Unusable

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
_NO_ROLE = text("it lets nobody of that name in")
_NO_DATABASE = text("there is no database of that name")
_STARTS = text("it is starting or stopping")
_CROWDED = text("it takes no more connections")
_OTHER = text("it says “{why}”")
_ELSEWHERE = text("Put a backup back, or correct the path.")
_REMEDIES = (
    (_FULL, text("Make room on it, then try again.")),
    (
        _READ_ONLY,
        text(
            "Mount it for writing. A disk that became read-only by itself may be failing: copy"
            " what is on it first."
        ),
    ),
    (
        _REFUSED,
        text("Let the user of the node own its folder and the files in it."),
    ),
    (_LOCKED, text("Try again in a minute.")),
    (_NOT_ONE, _ELSEWHERE),
    (_FOLDER, _ELSEWHERE),
    (
        _DISK,
        text("It may be failing: copy what is on it to another one, and put a backup back."),
    ),
)

_SQLITE_EXTENDED = {
    # The memory that connections share is a file whose pages are written when it grows.
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,
}
_SQLITE = {
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


def is_full(fault: DBAPIError) -> bool:
    """Return whether there is no room left."""
    return _known(fault) is _FULL


def is_outage(fault: BaseException) -> bool:
    """Return whether the fault is of the disk or the server, and not of a statement of ours."""
    return isinstance(fault, InterfaceError | OperationalError) or (
        isinstance(fault, DBAPIError) and _known(fault) is not None
    )


def explained(fault: BaseException) -> Text:
    """Say in whole sentences why a database cannot be used, and what to do."""
    said = reason(fault)
    cause = fault.__cause__ if isinstance(fault, StoreFault) else fault
    known = None if cause is None else _known(cause)
    way = next((way for why, way in _REMEDIES if why is known), None)
    words = {tag: said.say(tag).removesuffix(".") + "." for tag in ("en", "fr")}
    return Text({tag: f"{words[tag]} {way.say(tag)}" if way else words[tag] for tag in words})


def is_locked(fault: DBAPIError) -> bool:
    """Return whether something else uses the database for too long."""
    return _known(fault) is _LOCKED


def reason(fault: BaseException) -> Text:
    """Say what a database, or the system before it, has against being used.

    What is not known here stays in its own words, without the statement that met it.
    """
    if isinstance(fault, Unusable):
        return fault.text
    if (known := _known(fault)) is not None:
        return known
    why = fault.orig if isinstance(fault, DBAPIError) else fault
    return _OTHER.fill(why=str(why).strip().partition("\n")[0])


def _of_sqlite(fault: BaseException | None) -> Text | None:
    code = getattr(fault, "sqlite_errorcode", 0)
    # The lowest byte is what it is about, the rest where it met it.
    return _SQLITE_EXTENDED.get(code) or _SQLITE.get(code & 0xFF)


def _known(fault: BaseException) -> Text | None:
    if isinstance(fault, sqlite3.Error):
        return _of_sqlite(fault)
    if isinstance(fault, OSError):
        return _SYSTEM.get(fault.errno or 0)
    if not isinstance(fault, DBAPIError):
        return None
    if getattr(fault.orig, "sqlite_errorcode", None) is not None:
        return _of_sqlite(fault.orig)
    state = getattr(fault.orig, "sqlstate", None)
    if state is not None:
        return _POSTGRESQL.get(state)
    words = str(fault.orig)
    return next((why for said, why in _CONNECTING.items() if re.search(said, words)), None)
