"""Where the node keeps its things: a folder with `node.db`, or a PostgreSQL database by URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import os
from pathlib import Path

from consometers_node.store import Store

DATABASE = "CONSOMETERS_DATABASE"
"""The variable that holds a URL. It counts more than the folder."""
_FILE = "node.db"


def folder(chosen: Path | None = None) -> Path:
    """Give the folder that was chosen, or the usual one of this user."""
    if chosen is not None:
        return chosen
    data = os.environ.get("XDG_DATA_HOME", "")
    home = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    return home / "consometers"


def is_there(chosen: Path | None = None) -> bool:
    """Tell whether there is a database, without making one."""
    return bool(os.environ.get(DATABASE)) or (folder(chosen) / _FILE).exists()


def database(chosen: Path | None = None) -> Path | str:
    """Give the database's file or URL; the file's folder is made, for its owner alone."""
    if url := os.environ.get(DATABASE):
        return url
    place = folder(chosen)
    if not place.is_dir():
        place.mkdir(mode=0o700, parents=True)
    return place / _FILE


@asynccontextmanager
async def opened(place: Path | str) -> AsyncIterator[Store]:
    """Open what `database` gave, for as long as it is needed."""
    store = await Store.open(place)
    try:
        yield store
    finally:
        await store.close()
