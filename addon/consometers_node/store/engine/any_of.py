"""Rows with one of many values: one statement, however many there are.

`IN` would be another statement for each number of values, compiled and planned each time.
"""

from collections.abc import Iterable
import json
from typing import Any, override

from sqlalchemy import ARRAY, Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


def among(**columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether a row has one of many values in a column, or of many pairs in two.

    They come under these names at each execution, the halves of pairs in the same order.
    """
    values = (bindparam(name, type_=_Many(column.type)) for name, column in columns.items())
    return _Among(*columns.values(), *values)


class _Many(TypeDecorator[Iterable[Any]]):
    """Values of a type: an array in PostgreSQL, JSON in SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item_type: TypeEngine[Any]) -> None:
        super().__init__()
        self.item_type = item_type

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(
            Text() if dialect.name == "sqlite" else ARRAY(self.item_type)
        )

    @override
    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> Any:
        items = list(value or ())
        if dialect.name != "sqlite":
            return items
        process = self.item_type.dialect_impl(dialect).bind_processor(dialect)
        return json.dumps(items if process is None else [process(item) for item in items])


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True
    # SQLite knows no truth: it would be compared with 1, for which no index is of use.
    _is_implicitly_boolean = True


@compiles(_Among)
def _compiled(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    parts = [compiler.process(part, **options) for part in element.clauses]
    columns, values = parts[: len(parts) // 2], parts[len(parts) // 2 :]
    if compiler.dialect.name == "sqlite":
        others = "".join(f", {value} ->> key" for value in values[1:])
        rows = f"SELECT value{others} FROM json_each({values[0]})"
    elif len(columns) == 1:
        return f"{columns[0]} = ANY({values[0]})"
    else:
        rows = f"SELECT * FROM unnest({', '.join(values)})"
    return f"({', '.join(columns)}) IN ({rows})"
