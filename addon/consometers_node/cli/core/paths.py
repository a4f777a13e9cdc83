"""Where the node stores its data: a folder with `node.db`, or a PostgreSQL database by URL."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import os
from pathlib import Path

from consometers_node.store import Store

from .environment import SETTINGS

DATABASE = "CONSOMETERS_DATABASE"
"""The variable that holds a URL. It counts more than the folder."""
SETTINGS_FILE = "collective.toml"
"""File names in the node's folder."""
_FILE = "node.db"
_CONNECTIONS = 2
"""Each takes half a megabyte. A home needs one to write and one to read, but for busy moments."""
_IDENTIFIER = "CONSOMETERS_IDENTIFIER"
"""Of a collective that has all of its settings in variables."""


def folder(chosen: Path | None = None) -> Path:
    """Return the folder that was chosen, that of the settings that are named, or the usual one."""
    if chosen is not None:
        return chosen
    if named := os.environ.get(SETTINGS):
        data_folder = _settings(Path(named)).get("data")
        return Path(named).parent / (
            Path(data_folder).expanduser() if isinstance(data_folder, str) else ""
        )
    data = os.environ.get("XDG_DATA_HOME", "")
    home = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    return home / "consometers"


def is_there(chosen: Path | None = None) -> bool:
    """Return whether there is a database, without making one."""
    place = folder(chosen)
    return bool(os.environ.get(DATABASE) or _of_collective(place)) or (place / _FILE).exists()


def is_collective(chosen: Path | None = None, settings: Path | None = None) -> bool:
    """Return whether the node is a collective's: its settings are named, or there."""
    if settings or os.environ.get(SETTINGS) or _IDENTIFIER in os.environ:
        return True
    return (folder(chosen) / SETTINGS_FILE).exists()


def database(chosen: Path | None = None) -> Path | str:
    """Return the database's file or URL; the file's folder is made, for its owner alone."""
    place = folder(chosen)
    if url := os.environ.get(DATABASE) or _of_collective(place):
        return url
    if not place.is_dir():
        place.mkdir(mode=0o700, parents=True)
    return place / _FILE


def _of_collective(place: Path) -> str | None:
    """Return the database URL in a collective's settings, if there is one.

    Its own commands read them with care, and complain; the others find its database.
    """
    url = _settings(Path(os.environ.get(SETTINGS) or place / SETTINGS_FILE)).get("database")
    return url if isinstance(url, str) else None


def _settings(file: Path) -> Mapping[str, object]:
    if not file.exists():
        return {}
    # A household has no such file, so it never loads the parser.
    import tomllib  # noqa: PLC0415

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError, UnicodeDecodeError, tomllib.TOMLDecodeError:
        return {}


@asynccontextmanager
async def opened(chosen: Path | None) -> AsyncIterator[Store]:
    """Open the database for the duration of a block."""
    store = await Store.open(database(chosen), folder=folder(chosen), connections=_CONNECTIONS)
    try:
        yield store
    finally:
        await store.close()
