"""Which homes there are, when each is due, and whom it knows: what is known of one that sleeps.

It is a file of its own beside the homes' folders, and has no energy. Each question is answered at
once, from an index, so that a stanza is judged without waiting and a sleeping home takes no memory.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from pathlib import Path
import secrets
import shutil
import sqlite3
from typing import Any, Final, Self

from consometers_node.i18n.text import Text

MOST_PEERS: Final = 100
"""Peers that may wake one home: it knows more only while it is awake."""
_VERSION: Final = 1
_TABLES: Final = """
    CREATE TABLE home (
        address TEXT PRIMARY KEY,
        folder TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        due_at INTEGER,
        problem TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX home_due ON home (due_at) WHERE due_at IS NOT NULL;
    CREATE TABLE known_peer (
        home TEXT NOT NULL REFERENCES home ON DELETE CASCADE,
        peer TEXT NOT NULL,
        PRIMARY KEY (home, peer)
    ) STRICT, WITHOUT ROWID;
"""


class OtherVersion(Exception):
    """The register was written by another version of this program."""


class AddressTaken(Exception):
    """There is a home with that address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedHome:
    """A home of this host, as the register has it."""

    address: str
    """Bare."""
    folder: Path
    created_at: datetime
    seen_at: datetime
    """When it was last awake."""
    due_at: datetime | None
    problem: Text | None
    """Why it could not be opened, or was stopped."""


class HomeRegister:
    """The register of a host, open."""

    def __init__(self, file: sqlite3.Connection, folder: Path) -> None:
        self._file = file
        self._folder = folder

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the register in a folder, or make one. The homes' folders are beside it.

        Raises OSError, sqlite3.Error and `OtherVersion`.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "homes.db"
        path.touch(mode=0o600)
        file = sqlite3.connect(path, isolation_level=None)
        try:
            for pragma in ("journal_mode = WAL", "foreign_keys = ON", "secure_delete = ON"):
                file.execute(f"PRAGMA {pragma}")
            _make_or_check(file)
        except BaseException:
            file.close()
            raise
        return cls(file, folder)

    def close(self) -> None:
        self._file.close()

    def add(self, address: str, now: datetime) -> HostedHome:
        """Register a home and make its folder, whose name says nothing of it.

        Raises `AddressTaken`, and OSError.
        """
        name, at = secrets.token_hex(16), _stored(now)
        with self._writing():
            try:
                row = address, name, at, at
                self._file.execute("INSERT INTO home VALUES (?, ?, ?, ?, NULL, NULL)", row)
            except sqlite3.IntegrityError:
                raise AddressTaken from None
            (self._folder / name).mkdir(mode=0o700)
        return self.of(address)

    def remove(self, address: str) -> None:
        """Delete a home with all that is in its folder. Raises KeyError, and OSError."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.of(address).folder)
        self._file.execute("DELETE FROM home WHERE address = ?", (address,))

    def of(self, address: str) -> HostedHome:
        """Return a home. Raises KeyError."""
        query = "SELECT * FROM home WHERE address = ?"
        if (row := self._file.execute(query, (address,)).fetchone()) is None:
            raise KeyError(address)
        return self._home(row)

    def all(self) -> Iterator[HostedHome]:
        """Yield the homes by address."""
        for row in self._file.execute("SELECT * FROM home ORDER BY address"):
            yield self._home(row)

    def __len__(self) -> int:
        (count,) = self._file.execute("SELECT count(*) FROM home").fetchone()
        return int(count)

    def knows(self, address: str, peer: str) -> bool:
        """Return whether a home knew a peer (both bare) when it fell asleep."""
        query = "SELECT 1 FROM known_peer WHERE home = ? AND peer = ?"
        return self._file.execute(query, (address, peer)).fetchone() is not None

    def is_broken(self, address: str) -> bool:
        """Return whether a home could not be opened, or was stopped."""
        query = "SELECT 1 FROM home WHERE address = ? AND problem IS NOT NULL"
        return self._file.execute(query, (address,)).fetchone() is not None

    def note_awake(self, address: str, now: datetime) -> None:
        """Store that a home is due until it rests: it wakes again after a power cut."""
        update = "UPDATE home SET due_at = ? WHERE address = ?"
        self._file.execute(update, (_stored(now), address))

    def rest(self, address: str, now: datetime, due: datetime | None, peers: Iterable[str]) -> None:
        """Store what a home is due for and whom it knows: it is well, and falls asleep."""
        with self._writing():
            self._file.execute(
                "UPDATE home SET seen_at = ?, due_at = ?, problem = NULL WHERE address = ?",
                (_stored(now), None if due is None else _stored(due), address),
            )
            self._file.execute("DELETE FROM known_peer WHERE home = ?", (address,))
            pairs = [(address, peer) for peer in sorted(set(peers))[:MOST_PEERS]]
            self._file.executemany("INSERT INTO known_peer VALUES (?, ?)", pairs)

    def break_off(self, address: str, problem: Text, again: datetime) -> None:
        """Store why a home is stopped, and when it is tried again."""
        words = json.dumps(dict(problem.by_language))
        update = "UPDATE home SET problem = ?, due_at = ? WHERE address = ?"
        self._file.execute(update, (words, _stored(again), address))

    def next_due(self) -> datetime | None:
        """Return when the next home is due; it may be awake."""
        (at,) = self._file.execute("SELECT min(due_at) FROM home").fetchone()
        return None if at is None else datetime.fromtimestamp(at, UTC)

    def due(self, now: datetime, most: int) -> list[str]:
        """Return homes that are due, the longest due first."""
        query = "SELECT address FROM home WHERE due_at <= ? ORDER BY due_at LIMIT ?"
        return [address for (address,) in self._file.execute(query, (_stored(now), most))]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def _home(self, row: tuple[Any, ...]) -> HostedHome:
        address, folder, created, seen, due, words = row
        return HostedHome(
            address=address,
            folder=self._folder / folder,
            created_at=datetime.fromtimestamp(created, UTC),
            seen_at=datetime.fromtimestamp(seen, UTC),
            due_at=None if due is None else datetime.fromtimestamp(due, UTC),
            problem=None if words is None else Text(json.loads(words)),
        )


def _make_or_check(file: sqlite3.Connection) -> None:
    (version,) = file.execute("PRAGMA user_version").fetchone()
    if not version:
        file.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT")
    elif version != _VERSION:
        raise OtherVersion


def _stored(at: datetime) -> int:
    return int(at.timestamp())
