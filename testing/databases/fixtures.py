"""Databases of both kinds, each test's own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
import logging
from pathlib import Path
import shutil

import pytest

from consometers_node.store import Store
from testing.databases import postgresql

type Place = Path | str
KINDS = ("sqlite", "postgresql")


@pytest.fixture(autouse=True, scope="session")
def quiet_sql() -> None:
    """Home Assistant's test plugin has every statement logged."""
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


def database_of(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    with postgresql.running() as server:
        yield server


@pytest.fixture(scope="session")
def copy_of(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[Place], Place]:
    """Copy a database that nobody is connected to."""

    def copy(place: Place) -> Place:
        if isinstance(place, Path):
            return Path(shutil.copy(place, tmp_path_factory.mktemp("node") / "node.db"))
        server: postgresql.Server = request.getfixturevalue("postgresql_server")
        return server.url(server.create(template=database_of(place)))

    return copy


@pytest.fixture(scope="session")
def new_place(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[str], Place]:
    """Return where a database of this kind can be made."""

    def make(kind: str) -> Place:
        if kind == "sqlite":
            return tmp_path_factory.mktemp("node") / "node.db"
        server: postgresql.Server = request.getfixturevalue("postgresql_server")
        return server.url(server.create())

    return make


@pytest.fixture(scope="session")
def patterns() -> dict[str, Place]:
    """What a new database of each kind looks like, once it was made."""
    return {}


@pytest.fixture
def new_database(
    patterns: dict[str, Place],
    new_place: Callable[[str], Place],
    copy_of: Callable[[Place], Place],
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[str], Awaitable[Place]]]:
    """Return where a database of this kind is, as the migrations make it, until the test ends."""
    copies: list[Place] = []

    async def make(kind: str) -> Place:
        if kind not in patterns:
            patterns[kind] = new_place(kind)
            await (await Store.open(patterns[kind])).close()
        copies.append(copy_of(patterns[kind]))
        return copies[-1]

    yield make
    for place in copies:
        if isinstance(place, Path):
            shutil.rmtree(place.parent)
        else:
            # Now they are few files in memory; at the end of all tests it would be 100,000 on disk.
            server: postgresql.Server = request.getfixturevalue("postgresql_server")
            server.drop(database_of(place))


@pytest.fixture(params=KINDS)
async def place(
    request: pytest.FixtureRequest, new_database: Callable[[str], Awaitable[Place]]
) -> Place:
    """Where a database of this test's own is."""
    return await new_database(request.param)


@pytest.fixture
async def store(place: Place, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(place, folder=tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def file(
    tmp_path: Path, new_database: Callable[[str], Awaitable[Place]]
) -> AsyncIterator[Store]:
    """A database in a file of its own."""
    opened = await Store.open(Path(await new_database("sqlite")).rename(tmp_path / "node.db"))
    yield opened
    await opened.close()
