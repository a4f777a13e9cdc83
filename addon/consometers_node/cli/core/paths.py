"""Where the node stores its data: a folder with `node.db`, or a PostgreSQL database by URL."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
import os
from pathlib import Path

from consometers_node.store import Store

from .environment import SETTINGS

DATABASE = "CONSOMETERS_DATABASE"
"""The variable that holds a URL. It counts more than the folder."""
_FILE = "node.db"
_CONNECTIONS = 2
"""Each takes half a megabyte. A home needs one to write and one to read, but for busy moments."""


class Role(StrEnum):
    """Whose node it is."""

    HOUSEHOLD = "household"
    COLLECTIVE = "collective"
    HOST = "host"


SETTINGS_FILES = {Role.COLLECTIVE: "collective.toml", Role.HOST: "host.toml"}
"""The names of settings files, by which a node's role is detected."""
_VARIABLES = {Role.COLLECTIVE: "CONSOMETERS_IDENTIFIER", Role.HOST: "CONSOMETERS_DOMAIN"}
"""Of a node that has all of its settings in variables."""


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
    return bool(os.environ.get(DATABASE) or _in_settings(place)) or (place / _FILE).exists()


def role_of(chosen: Path | None = None, settings: Path | None = None) -> Role:
    """Return the role of the node whose settings are named, or there; else a household's.

    A file of another name is a host's if it has a domain, else a collective's.
    """
    if named := settings or os.environ.get(SETTINGS):
        file = Path(named)
        is_host = file.name == SETTINGS_FILES[Role.HOST] or "domain" in _settings(file)
        return Role.HOST if is_host else Role.COLLECTIVE
    for role, variable in _VARIABLES.items():
        if variable in os.environ:
            return role
    place = folder(chosen)
    there = (role for role, name in SETTINGS_FILES.items() if (place / name).exists())
    return next(there, Role.HOUSEHOLD)


def settings_file(role: Role, chosen: Path | None, settings: Path | None) -> Path:
    """Return the path of the settings of a role that has some: those that are named, or usual."""
    return settings or folder(chosen) / SETTINGS_FILES[role]


def database(chosen: Path | None = None) -> Path | str:
    """Return the database's file or URL; the file's folder is made, for its owner alone."""
    place = folder(chosen)
    if url := os.environ.get(DATABASE) or _in_settings(place):
        return url
    if not place.is_dir():
        place.mkdir(mode=0o700, parents=True)
    return place / _FILE


def _in_settings(place: Path) -> str | None:
    """Return the database URL in the settings of a collective or a host, if there is one.

    Its own commands read them with care, and complain; the others find its database.
    """
    names = SETTINGS_FILES.values()
    named = os.environ.get(SETTINGS)
    files = [Path(named)] if named else [place / name for name in names]
    url = next((_settings(file).get("database") for file in files if file.exists()), None)
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
