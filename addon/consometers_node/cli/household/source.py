"""The source of a home's data: its Home Assistant, or the files that it was brought."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from consometers_node.household.days import Memory
from consometers_node.household.node import LANGUAGE
from consometers_node.household.recorder.memory import MEMORY
from consometers_node.household.source import Source
from consometers_node.store import Store, settings

from . import home_assistant

if TYPE_CHECKING:
    from consometers_node.household.files.source import FileSource

FILES = "files"
"""In place of the address of a Home Assistant: the home's data come from files."""

_SOURCE = "home.source"
_LANGUAGE = "fr"
"""Of those who have such files, as long as they have said no other."""


async def choose_files(store: Store) -> None:
    """Have the home's data come from files, from the next start on."""
    async with store.writing() as connection:
        await settings.set_setting(connection, _SOURCE, FILES)


async def choose_home_assistant(store: Store) -> None:
    """Have the home's data come from Home Assistant."""
    async with store.writing() as connection:
        await settings.set_setting(connection, _SOURCE, None)


async def files_of(store: Store) -> FileSource | None:
    """Return the home's files; None if its data come from Home Assistant."""
    async with store.reading() as connection:
        chosen = await settings.setting(connection, _SOURCE)
        language = await settings.setting(connection, LANGUAGE)
    if chosen != FILES or home_assistant.supervisor() is not None:
        return None
    # A home with Home Assistant never loads it.
    from consometers_node.household.files.source import FileSource  # noqa: PLC0415

    return FileSource(store, language or _LANGUAGE)


async def memory_of(store: Store) -> Memory:
    """Return how long the home's source has records."""
    files = await files_of(store)
    return MEMORY if files is None else files.memory


@asynccontextmanager
async def source_of(store: Store) -> AsyncIterator[Source]:
    """Reach the source of this home's data. Raises `CliError`."""
    if (files := await files_of(store)) is not None:
        yield files
        return
    async with home_assistant.source_of(store) as source:
        yield source
