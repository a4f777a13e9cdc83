"""Tables declared as classes, whose columns a type checker knows.

SQLAlchemy's own declarative classes would load its ORM: 12 MB in a home that never opens a session.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import partial
import re
from types import NoneType
from typing import Any, ClassVar, Literal, Union, cast, get_args, get_origin, override

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    FromClause,
    Label,
    LargeBinary,
    MetaData,
    Table,
    Text,
    type_coerce,
)
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from consometers_node.series import Direction, Interval, Quantity

from .types import Day, Instant, Minutes, Stored, Translations, Whole, words


class Erasure(StrEnum):
    """What becomes of a member's personal data when a collective erases the member.

    docs/database.md prints these words.
    """

    WITH_SERIES = "deleted with the series"
    WITH_PERMISSION = "deleted with the permission's records"
    WITH_MEMBER = "deleted with the member"
    AT_CLOSING = "deleted with the permission's records, or once the hour in an opening is closed"
    CLAIM = "deleted with the device's last records"
    EMPTIED = "emptied"
    AFTER_NOTICE = "emptied once the member's node was notified, after 30 days at most"
    INVITATION = "emptied if the invitation was this member's alone"
    PSEUDONYM = "replaced by the pseudonym, where it is the member's address"
    SITE = "replaced by the pseudonym, where it is a site's"
    KEPT = "kept under the pseudonym"
    TOGETHER = "of many homes, by their permissions; deleted once the hour is closed"
    """No export of one member has it."""
    NODE = "kept; of the household, or of a reader under a pseudonym"
    """A home's own data, in its own export. At a collective it is of those who read its sums."""
    ADDRESS = "deleted with the member's address; other peers stay"
    """As `NODE`, but for rows that name a member."""
    SECRET = "kept, in no export"  # noqa: S105  # no password
    ADMINISTRATOR = "of an administrator; deleted with the account"
    WITNESSED = "of a home of another collective; its key goes when it leaves"
    SPACE = "of a household at this host; deleted with its space"
    HASHED = "of a household that left this host; kept"


type Personal = Erasure | Literal[False]
"""What a column declares: that it is not personal, or what an erasure does."""

_TYPES: Mapping[Any, TypeEngine[Any]] = {
    int: Whole,
    str: Text(),
    bytes: LargeBinary(),
    datetime: Instant,
    date: Day,
    Interval: Minutes,
    Direction: words(Direction),
    Quantity: words(Quantity),
    Mapping[str, str]: Translations,
}


def column(
    *items: SchemaItem, personal: Personal | None = None, json: bool = False, **options: Any
) -> Column[Any]:
    """Declare a column. Its annotation says of which type it is, and whether it may be empty.

    `personal` is what it declares in place of its table; a text in `json` is exported parsed.
    """
    info = {"personal": personal, "json": json, **options.pop("info", {})}
    return cast("Column[Any]", partial(Column, *items, info=info, **options))


def check(name: str, condition: str, **options: Any) -> Column[Any]:
    """Declare a column of which a CHECK of its table says something."""
    return column(info={"check": (condition, name)}, **options)


keep = partial(column, personal=Erasure.KEPT)
"""Declare a personal column that an erasure keeps, under the pseudonym."""


class Base:
    """The base of all tables: their names, their constraints', and the types of their columns.

    A table is named after its class. Its columns are the annotations `Column[…]`, and stand as
    attributes of the class, which is itself a table wherever SQLAlchemy asks for one. A CHECK lets
    no other values in than those of the types. In SQLite it is strict, no `id` is ever given twice,
    and a `clustered` one is its own primary key. Cluster only rows below 1,000 bytes: to
    compare a longer one, SQLite reads it whole. Each column is personal or not: as it declares, or
    as its table does for all others. Raise TypeError where neither does.
    """

    metadata: ClassVar = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    __table__: ClassVar[Table]
    __table_args__: ClassVar[tuple[SchemaItem, ...]] = ()
    """Constraints and indexes of several columns."""

    @override
    def __init_subclass__(
        cls, *, clustered: bool = False, view: bool = False, personal: Personal | None = None
    ) -> None:
        columns = _declared(cls)
        if not view:
            for name, column in columns.items():
                column.info["personal"] = _stated(f"{cls.__name__}.{name}", column, personal)
        cls.__table__ = table = Table(
            re.sub("(?<=[a-z])(?=[A-Z])", "_", cls.__name__[: -len("Row")]).lower(),
            cls.metadata,
            *columns.values(),
            *cls.__table_args__,
            info={"view": view},
            sqlite_strict=True,
            sqlite_with_rowid=not clustered,
        )
        numbered = getattr(table.autoincrement_column, "name", None) == "id"
        table.dialect_kwargs["sqlite_autoincrement"] = numbered
        for attribute, column in columns.items():
            setattr(cls, attribute, column)
            if isinstance(column.type, Stored) and column.type.values:
                column.info["check"] = f"{column.name} IN {column.type.values}", attribute
            if "check" in column.info:
                table.append_constraint(CheckConstraint(*column.info["check"]))

    @classmethod
    def __clause_element__(cls) -> FromClause:
        """Return the table, for SQLAlchemy."""
        return cls.__table__


def _declared(row: type[Base]) -> dict[str, Column[Any]]:
    """Return the columns of a class by attribute, as its annotations and values declare them."""
    columns = {}
    for attribute, annotation in row.__annotations__.items():
        (kind,) = get_args(annotation)
        kinds = get_args(kind) if get_origin(kind) is Union else (kind,)
        declared = vars(row).get(attribute, partial(Column))
        columns[attribute] = declared(
            **{"name": attribute, **declared.keywords},
            type_=_type_of(kinds[0]),
            nullable=NoneType in kinds,
        )
    return columns


def _stated(name: str, column: Column[Any], of_table: Personal | None) -> Personal:
    """Return whether a column is personal. Raise TypeError if that is not said, or cannot be so."""
    stated: Personal | None = column.info.get("personal")
    stated = of_table if stated is None else stated
    if stated is None:
        raise TypeError(f"{name} does not say whether it is personal")
    if stated in {Erasure.EMPTIED, Erasure.AFTER_NOTICE} and not column.nullable:
        raise TypeError(f"{name} is to be emptied, but may not be empty")
    return stated


def _type_of(kind: Any) -> TypeEngine[Any]:
    """Return the column type of a type, or of the one that a `NewType` stands on."""
    while kind not in _TYPES:
        kind = kind.__supertype__
    return _TYPES[kind]


def aliased[R: Base](row: type[R]) -> type[R]:
    """Return a table under another name, for a query that reads it twice."""
    alias = row.__table__.alias()
    columns = {
        attribute: alias.c[column.name]
        for attribute, column in vars(row).items()
        if isinstance(column, Column)
    }
    named = {"__clause_element__": staticmethod(lambda: alias)}
    return cast("type[R]", type(row.__name__, (), {**columns, **named}))


def columns_of(table: type[Base], shape: type, **others: Any) -> list[Label[Any]]:
    """Return a column for each field of a record's class, in their order: `shape(*row)` makes one.

    It is the column of that name, or that of `others`, where None leaves the field out. A word is
    read as the field's enumeration.
    """
    return [
        _as(kind, column).label(name)
        for name, kind in shape.__annotations__.items()
        if (column := others.get(name, getattr(table, name, None))) is not None
    ]


def _as(shape: Any, column: ColumnElement[Any]) -> ColumnElement[Any]:
    for kind in get_args(shape) or (shape,):
        if isinstance(kind, type) and issubclass(kind, StrEnum) and isinstance(column.type, Text):
            return type_coerce(column, words(kind))
    return column
