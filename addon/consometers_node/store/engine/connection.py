"""Connections of SQLAlchemy's Core for asyncio: as much of them as a node needs.

`sqlalchemy.ext.asyncio` is built alike; it would load the ORM too, for its sessions: 12 MB.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Concatenate, Self, cast, overload

from sqlalchemy import (
    URL,
    Connection,
    CursorResult,
    Dialect,
    Engine,
    Executable,
    Row,
    Transaction,
    create_engine,
)
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.util import greenlet_spawn

from consometers_node.store.keys import Keys

type _Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class AsyncEngine:
    """An engine whose driver is one for asyncio."""

    def __init__(self, sync_engine: Engine, keys: Keys) -> None:
        """Prepare; `keys` are those beside the database."""
        self.sync_engine = sync_engine
        self.keys = keys

    @classmethod
    def create(
        cls,
        url: URL,
        keys: Keys,
        creator: Callable[[], Awaitable[Any]] | None = None,
        **options: Any,
    ) -> Self:
        """Return the engine of a URL; `creator` opens a connection of its driver."""

        def open_one() -> Any:
            return cast("Any", engine.dialect).dbapi.connect(async_creator_fn=creator)

        if creator is not None:
            options["creator"] = open_one
        engine: Engine = create_engine(url, **options)
        return cls(engine, keys)

    @property
    def url(self) -> URL:
        return self.sync_engine.url

    @property
    def dialect(self) -> Dialect:
        return self.sync_engine.dialect

    @property
    def checked_out(self) -> int:
        """How many connections are in use."""
        return cast("QueuePool", self.sync_engine.pool).checkedout()

    def execution_options(self, **options: Any) -> Self:
        return type(self)(self.sync_engine.execution_options(**options), self.keys)

    async def connect(self) -> AsyncConnection:
        return AsyncConnection(await greenlet_spawn(self.sync_engine.connect), self.keys)

    async def dispose(self) -> None:
        """Close all connections that are not in use."""
        await greenlet_spawn(self.sync_engine.dispose)


class AsyncConnection:
    """A connection: each statement runs in a greenlet that waits for the driver."""

    def __init__(self, sync_connection: Connection, keys: Keys) -> None:
        """Prepare; `keys` are in a file apart, and no part of the transaction."""
        self.sync_connection = sync_connection
        self.keys = keys

    @property
    def dialect(self) -> Dialect:
        return self.sync_connection.dialect

    @overload
    async def execute[R: tuple[Any, ...]](
        self, statement: TypedReturnsRows[R], parameters: _Parameters = None
    ) -> CursorResult[R]: ...
    @overload
    async def execute(
        self, statement: Executable, parameters: _Parameters = None
    ) -> CursorResult[Any]: ...
    async def execute(
        self, statement: Executable, parameters: _Parameters = None
    ) -> CursorResult[Any]:
        """Run a statement, and return its result with all rows."""
        return await greenlet_spawn(self.sync_connection.execute, statement, parameters)

    @overload
    async def scalar[T](
        self, statement: TypedReturnsRows[tuple[T]], parameters: _Parameters = None
    ) -> T | None: ...
    @overload
    async def scalar(self, statement: Executable, parameters: _Parameters = None) -> Any: ...
    async def scalar(self, statement: Executable, parameters: _Parameters = None) -> Any:
        """Run a statement, and return the first value of its first row."""
        return await greenlet_spawn(self.sync_connection.scalar, statement, parameters)

    async def exec_driver_sql(self, sql: str, parameters: Any = None) -> CursorResult[Any]:
        """Run SQL as the driver takes it."""
        return await greenlet_spawn(self.sync_connection.exec_driver_sql, sql, parameters)

    async def partitions(
        self, statement: Executable, size: int
    ) -> AsyncIterator[Sequence[Row[Any]]]:
        """Yield the rows of a query in parts, so that they are never all in memory."""
        streaming = {"stream_results": True}
        result = await greenlet_spawn(
            self.sync_connection.execute, statement, execution_options=streaming
        )
        while rows := await greenlet_spawn(result.fetchmany, size):
            yield rows

    async def run_sync[**P, T](
        self,
        do: Callable[Concatenate[Connection, P], T],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> T:
        """Run a function that expects a connection without asyncio."""
        return await greenlet_spawn(lambda: do(self.sync_connection, *arguments, **named))

    def begin(self) -> AsyncTransaction:
        return AsyncTransaction(self.sync_connection.begin)

    def begin_nested(self) -> AsyncTransaction:
        """Return a savepoint."""
        return AsyncTransaction(self.sync_connection.begin_nested)

    async def rollback(self) -> None:
        await greenlet_spawn(self.sync_connection.rollback)

    async def close(self) -> None:
        await greenlet_spawn(self.sync_connection.close)


class AsyncTransaction:
    """A transaction or a savepoint: it is committed unless its block raises."""

    def __init__(self, begin: Callable[[], Transaction]) -> None:
        self._begin = begin

    async def __aenter__(self) -> Self:
        self._transaction = await greenlet_spawn(self._begin)
        self._transaction.__enter__()
        return self

    async def __aexit__(self, *raised: Any) -> None:
        await greenlet_spawn(self._transaction.__exit__, *raised)

    async def rollback(self) -> None:
        await greenlet_spawn(self._transaction.rollback)
