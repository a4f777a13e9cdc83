"""Rows that have one of many values: asked for by one statement, however many there are.

`IN` would be another statement for each number of values, which is compiled and planned anew.
"""

from collections.abc import Iterable
import json
from typing import Any, override

from sqlalchemy import ARRAY, Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


def among(column: InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """Say of a row that it has one of the values under a name, which are told at each execution."""
    return _Among(column, bindparam(name, type_=_Many(column.type)))


def pair_among(
    first: InstrumentedAttribute[Any], second: InstrumentedAttribute[Any], names: tuple[str, str]
) -> ColumnElement[bool]:
    """Say of a row that it has one of the pairs, whose halves are under two names, in order."""
    halves = (
        bindparam(name, type_=_Many(of.type))
        for of, name in zip((first, second), names, strict=True)
    )
    return _PairAmong(first, second, *halves)


class _Many(TypeDecorator[Iterable[Any]]):
    """Values of a type: an array in PostgreSQL, JSON in SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(self.of))

    @override
    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value if value is None else list(value)
        process = self.of.dialect_impl(dialect).bind_processor(dialect)
        return json.dumps(list(value if process is None else map(process, value)))


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True
    # SQLite knows no truth: it would be compared with 1, for which no index is of use.
    _is_implicitly_boolean = True


class _PairAmong(_Among):
    inherit_cache = True


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(_Among, "postgresql")
def _among_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} = ANY({values})"


@compiles(_PairAmong, "sqlite")
def _pair_sqlite(element: _PairAmong, compiler: SQLCompiler, **options: Any) -> str:
    first, second, one, other = (compiler.process(part, **options) for part in element.clauses)
    return f"({first}, {second}) IN (SELECT value, {other} ->> key FROM json_each({one}))"


@compiles(_PairAmong, "postgresql")
def _pair_postgresql(element: _PairAmong, compiler: SQLCompiler, **options: Any) -> str:
    first, second, one, other = (compiler.process(part, **options) for part in element.clauses)
    return f"({first}, {second}) IN (SELECT * FROM unnest({one}, {other}))"
