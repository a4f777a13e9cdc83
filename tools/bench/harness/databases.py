"""Databases for measures: a file, or a PostgreSQL of their own, and what each takes."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from consometers_node.store import Store
from testing.databases import postgresql

KINDS = ("sqlite", "postgresql")


def choose(parser: argparse.ArgumentParser) -> None:
    """Add the option of which databases are measured."""
    parser.add_argument("--database", choices=KINDS, nargs="+", default=KINDS)


@contextmanager
def database(kind: str) -> Iterator[Path | str]:
    """Yield an empty one."""
    if kind == "sqlite":
        with TemporaryDirectory() as folder:
            yield Path(folder) / "node.db"
        return
    with postgresql.running() as server:
        with server.connect("postgres") as connection:
            # Unlike in tests, what is acknowledged is on the disk.
            for setting in ("fsync", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = on".encode())
            connection.execute(b"SELECT pg_reload_conf()")
        yield server.url(server.create())


def url(place: Path | str) -> str:
    """Return what the settings of a collective say."""
    return f"sqlite:///{place}" if isinstance(place, Path) else place


async def size(store: Store) -> int:
    """Return the bytes of the database."""
    await store.checkpoint()
    query = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if store.is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    async with store.reading() as connection:
        return int((await connection.execute(text(query))).scalar_one())
