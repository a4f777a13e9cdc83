"""The database: opened, brought up to date, and written to in whole transactions."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from functools import partial
import logging
from pathlib import Path
import sqlite3
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import URL, Connection, Row, event, inspect, make_url, text as sql
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from consometers_node.i18n.text import around, text

from .engine import driver
from .engine.connection import AsyncConnection, AsyncEngine
from .engine.errors import DAMAGED, Unusable, is_full, is_locked, reason
from .engine.file import Reserve, prepare
from .engine.rewriting import rewrite
from .keys import Keys
from .schema import SCHEMA

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext

HEAD = "0001"
"""The revision that this node works with, and the newest of `migrations/versions`."""
HALF_MOVED = "half moved"
"""In place of a revision: what another database has is on its way into this one."""

_BUSY_MS = 60_000
_ALONE_BUSY_MS = 10_000
"""How long to wait for exclusive access, which blocks all other writes."""
_FREE_WITHIN_S = 300
"""How long a task waits for a connection: others may wait for a lock meanwhile."""
_CONNECTIONS = 4
_LOOKS, _LOOKS_EVERY_S = 1_000, 0.005
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg_async"}
_PRAGMAS = (
    f"PRAGMA busy_timeout = {_BUSY_MS}",
    "PRAGMA journal_mode = WAL",
    # A receipt says that records are kept: they are on the disk before it leaves.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA trusted_schema = OFF",
)


_ALONE = "SELECT pg_advisory_xact_lock(hashtext('consometers migrations'))"
_SIZE_OF_FILE = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
_SIZE_OF_DATABASE = "SELECT pg_database_size(current_database())"
_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_ENDINGS: set[asyncio.Future[None]] = set()
_MIGRATIONS = str(Path(__file__).with_name("migrations")).replace("%", "%%")
_CANNOT_OPEN = text("{place} cannot be opened: {said}.")
_NO_DRIVER = text(
    "PostgreSQL needs psycopg, which is missing: install consometers-node[collective]."
)
_HALF_MOVED = text("a move to this database is incomplete: resume it with migrate-store.")
_OF_ANOTHER_PROGRAM = text("the database belongs to another program: choose another one.")
_OTHER_SCHEMA = text(
    "the database has the tables of another commit ({schema}; this program has {own}). Nothing was"
    " changed. In a clone of the repository, the last line of “git log --all --oneline -S {schema}"
    " -- :/addon/consometers_node/store/schema.py” names a commit that has them: go back to it. Or"
    " move the database elsewhere to start over without its data."
)
_NO_FINGERPRINT = text(
    "the database has the tables of an older commit, which left no fingerprint of them. Nothing was"
    " changed. Go back to the commit that you had. Or move the database elsewhere to start over"
    " without its data."
)
_NEWER = text(
    "the database was written by a newer node: install that version or a newer one, or restore the"
    " backup from before the update."
)
_NO_URL = text("the database’s URL starts with sqlite:/// and a path, or with postgresql://.")


class Store:
    """A database that is open and up to date.

    SQLite is the file of one household; what only the node's user may read is mode 0600, and what
    is deleted is overwritten. PostgreSQL serves a collective. Callers see no difference.
    """

    def __init__(self, engine: AsyncEngine, reserve: Reserve | None = None) -> None:
        self._engine = engine
        file = engine.url.database
        if reserve is None and file and self.is_sqlite:
            reserve = Reserve(Path(file))
        self._reserve = reserve
        self._writer = engine.execution_options(consometers_writes=True)
        self._reader = engine if self.is_sqlite else engine.execution_options(**_SNAPSHOT)
        self._is_open = False
        self._one_writer = asyncio.Lock() if self.is_sqlite else nullcontext()
        self._one_download = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        place: Path | str,
        *,
        folder: Path | None = None,
        half_moved: bool = False,
        connections: int = _CONNECTIONS,
        reserve: Reserve | None = None,
    ) -> Self:
        """Open the file or the URL, make the tables or bring them up to date. Raises Unusable.

        The keys' file is in `folder`, by default that of the database's file. Only who goes on with
        a move opens what is half moved. Of the connections that a moment of many users needs,
        `connections` stay open after it. Many files on one disk share a `reserve`: each would have
        its own.
        """
        url = _url(place)
        make = _sqlite if url.get_backend_name() == "sqlite" else _postgresql
        if folder is None and make is _sqlite:
            folder = Path(str(url.database)).parent
        engine = make(url, Keys(folder), connections)
        store = cls(engine, reserve)
        try:
            if store._reserve is not None:
                await asyncio.to_thread(prepare, Path(str(url.database)))
            await store._migrate(half_moved)
        except BaseException as fault:
            await store.close()
            if isinstance(fault, OSError | sqlite3.Error | DBAPIError):
                words = around(_CANNOT_OPEN, reason(fault), place=_shown(url))
                raise Unusable(words) from fault
            raise
        return store

    @property
    def keys(self) -> Keys:
        """The keys beside the database."""
        return self._engine.keys

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    async def close(self) -> None:
        """Close all connections, once cancelled users have let them go, and end their threads."""
        for _ in range(_LOOKS):
            if not self._engine.checked_out:
                break
            await asyncio.sleep(_LOOKS_EVERY_S)
        await self._engine.dispose()
        if self.is_sqlite:
            await driver.ended()
        if self._reserve is not None and self._is_open:
            # SQLite has removed its own files by now.
            await asyncio.to_thread(self._reserve.fill)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Yield a read-only view of one moment."""
        # It ends with COMMIT: after a ROLLBACK psycopg prepares all its statements again.
        async with self._verifying(), _connected(self._reader) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def reading_for_a_download(self) -> AsyncIterator[AsyncConnection]:
        """Yield such a view to one caller at a time: slow clients leave connections to others."""
        async with self._one_download, self.reading() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Yield a transaction: all of it is committed when the block ends, none if that raises."""
        async with (
            self._verifying(),
            self._one_writer,
            _connected(self._writer) as connection,
            connection.begin(),
        ):
            yield connection

    @asynccontextmanager
    async def withdrawing(self) -> AsyncIterator[AsyncConnection]:
        """Begin a transaction like `writing`, that finds room on a full disk: see `Reserve`."""
        if self._reserve is not None:
            await asyncio.to_thread(self._reserve.free)
        try:
            async with self.writing() as connection:
                yield connection
        finally:
            if self._reserve is not None:
                await asyncio.to_thread(self._reserve.fill)

    async def size_bytes(self, connection: AsyncConnection) -> int:
        """Return the size of the database, without the journal of recent writes."""
        query = _SIZE_OF_FILE if self.is_sqlite else _SIZE_OF_DATABASE
        return int((await connection.execute(sql(query))).scalar_one())

    async def checkpoint(self) -> bool:
        """Move everything into the one file, so that it can be copied.

        Returns whether it is all there: not where somebody looks on at what was there before.
        """
        if not self.is_sqlite:
            return True
        done = await self._exclusively("PRAGMA wal_checkpoint(TRUNCATE)")
        return done is not None and not done.busy

    async def shrink(self) -> bool:
        """Free the space of deleted rows, and leave nothing of them in the files.

        Return whether nothing is left: not while another process reads on or writes for long, nor
        without the room that a copy takes.
        """
        try:
            if not self.is_sqlite:
                async with self._autocommitting() as connection:
                    return await rewrite(connection)
            await self._exclusively("VACUUM")
        except DBAPIError as fault:
            if is_full(fault) or is_locked(fault):
                return False
            raise
        return await self.checkpoint()

    @asynccontextmanager
    async def _verifying(self) -> AsyncIterator[None]:
        """Raise Unusable where what was read makes no sense because the file is damaged.

        SQLite has no checksums: a page that is another one's reads as rows of another table.
        """
        try:
            yield
        except (LookupError, TypeError, ValueError) as fault:
            check = await self._exclusively("PRAGMA integrity_check(1)") if self.is_sqlite else None
            if check is not None and check[0] != "ok":
                raise Unusable(DAMAGED) from fault
            raise

    async def _exclusively(self, statement: str) -> Row[Any] | None:
        async with self._one_writer, self._autocommitting() as connection:
            await connection.execute(sql(f"PRAGMA busy_timeout = {_ALONE_BUSY_MS}"))
            try:
                done = await connection.execute(sql(statement))
                return done.first() if done.returns_rows else None
            finally:
                await connection.execute(sql(f"PRAGMA busy_timeout = {_BUSY_MS}"))

    def _autocommitting(self) -> AbstractAsyncContextManager[AsyncConnection]:
        # In SQLite a connection is in no transaction until one begins.
        option = (
            {"consometers_alone": True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        )
        return _connected(self._engine.execution_options(**option))

    async def _migrate(self, half_moved: bool) -> None:
        try:
            async with self.writing() as connection:
                await connection.run_sync(_migrate, half_moved)
        except DBAPIError as fault:
            # SQLite makes files of its own when the first connection opens.
            if self._reserve is None or not is_full(fault):
                raise
            if not await asyncio.to_thread(self._reserve.free):
                raise
            await self._migrate(half_moved)
        if self._reserve is not None:
            self._is_open = True
            await asyncio.to_thread(self._reserve.fill)


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Yield a connection, which is closed whole even if its user is cancelled meanwhile."""
    connection = await engine.connect()
    try:
        yield connection
    finally:
        closing = _to_its_end(connection.close())
        await asyncio.wait({closing})
        closing.result()


def _migrate(connection: Connection, half_moved: bool) -> None:
    revision = _revision(connection)
    if revision != HEAD and connection.dialect.name == "postgresql":
        # In SQLite nobody else is in a transaction that writes.
        connection.execute(sql(_ALONE))
        revision = _revision(connection)
    if revision == HEAD or (half_moved and revision == HALF_MOVED):
        _check_schema(connection)
        return
    if revision == HALF_MOVED:
        raise Unusable(_HALF_MOVED)
    if revision is None:
        if inspect(connection).get_table_names():
            raise Unusable(_OF_ANOTHER_PROGRAM)
        # A home does without the tables of a collective from its second start on.
        from .migrations.rules import create  # noqa: PLC0415

        create(connection, HEAD)
        connection.execute(sql("CREATE TABLE made_by (schema VARCHAR(12) NOT NULL)"))
        connection.execute(sql("INSERT INTO made_by VALUES (:schema)"), {"schema": SCHEMA})
        return
    # At level info it would log its plugins and each revision.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Alembic takes 13 MB that most starts can do without.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", _MIGRATIONS)
    config.set_main_option("path_separator", "os")
    try:
        command.upgrade(config, HEAD)
    except CommandError as fault:
        raise Unusable(_NEWER) from fault
    connection.execute(sql("UPDATE made_by SET schema = :schema"), {"schema": SCHEMA})


def _check_schema(connection: Connection) -> None:
    """Raise Unusable if the same revision had other tables, as before its release it may."""
    if not inspect(connection).has_table("made_by"):
        raise Unusable(_NO_FINGERPRINT)
    schema = connection.scalar(sql("SELECT schema FROM made_by"))
    if schema != SCHEMA:
        raise Unusable(_OTHER_SCHEMA.fill(schema=str(schema), own=SCHEMA))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sql("SELECT version_num FROM alembic_version"))
    return revision


def _url(place: Path | str) -> URL:
    if isinstance(place, Path):
        return URL.create(_DRIVERS["sqlite"], database=str(place))
    try:
        url = make_url(place)
        return url.set(drivername=_DRIVERS[url.get_backend_name()])
    except (ArgumentError, KeyError) as fault:
        raise Unusable(_NO_URL) from fault


def _shown(url: URL) -> str:
    """Return the file, or the URL as people write it, without its password."""
    backend = url.get_backend_name()
    return url.database or ":memory:" if backend == "sqlite" else repr(url.set(drivername=backend))


def _sqlite(url: URL, keys: Keys, connections: int) -> AsyncEngine:
    # At level debug the driver would log each statement with its values: who, what, when.
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    engine = AsyncEngine.create(
        url,
        keys,
        partial(driver.Connection, url.database or ":memory:"),
        pool_size=connections,
        max_overflow=0,
        # On a busy machine, a node waits rather than ends.
        pool_timeout=_FREE_WITHIN_S,
        pool_use_lifo=True,
        # Each of our transactions ends before its connection goes back.
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _set_up_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "invalidate", _roll_back_sqlite)
    return engine


def _postgresql(url: URL, keys: Keys, connections: int) -> AsyncEngine:
    try:
        engine = AsyncEngine.create(
            url,
            keys,
            pool_size=connections,
            max_overflow=0,
            # The connection that was used last has its statements prepared.
            pool_use_lifo=True,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except ModuleNotFoundError as missing:
        raise Unusable(_NO_DRIVER) from missing
    event.listen(engine.sync_engine, "handle_error", _leave_out_details)
    return engine


def _leave_out_details(context: ExceptionContext) -> None:
    """Reduce an error to its first line: the details that PostgreSQL adds quote the row."""
    error = context.original_exception
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    if primary is None:
        return
    for raised in (error, context.sqlalchemy_exception):
        if raised is not None:
            raised.args = (primary,)


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver begins no transaction by itself: a migration is one, DDL and all.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("consometers_alone"):
        return
    # A writer waits for its turn now: later, with a view that has become old, it could only
    # fail.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("consometers_writes") else "BEGIN")


def _roll_back_sqlite(connection: DBAPIConnection, *_: object) -> None:
    """End the transaction of a task that was cancelled in mid-statement.

    SQLite keeps a connection that is closed with an open cursor, and the turn to write with it,
    until that cursor is collected.
    """
    _to_its_end(_roll_back(connection.driver_connection))


def _to_its_end(ending: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run something to its end, though its caller may have stopped waiting."""
    task = asyncio.create_task(ending)
    _ENDINGS.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[None]) -> None:
    _ENDINGS.discard(task)
    if not task.cancelled():
        # An unawaited error would be logged, with its whole call stack.
        task.exception()


async def _roll_back(driver: Any) -> None:
    with suppress(sqlite3.Error, ValueError):
        await driver.rollback()
