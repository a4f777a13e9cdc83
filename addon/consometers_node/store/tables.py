"""The tables. Names of columns are the words of the domain.

`permitted` is a view, and all that anyone needs to know about what may leave now.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from enum import StrEnum
import re
from typing import Annotated, Any, NewType, cast, get_args, override

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Label,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
    type_coerce,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

from ..series import Direction, Interval, Quantity
from .types import Day, Instant, Minutes, Stored, Translations, Whole, words

PeerId = NewType("PeerId", int)
NeedId = NewType("NeedId", int)
SeriesId = NewType("SeriesId", int)
PermissionId = NewType("PermissionId", str)
"""A random UUID: it travels."""


def check(name: str, condition: str, **options: Any) -> MappedColumn[Any]:
    """Return a column of which a CHECK of its table says something."""
    return mapped_column(info={"check": (condition, name)}, **options)


def unique_where(name: str, *columns: str, where: str) -> Index:
    """Return a key of those rows alone for which a condition holds.

    In PostgreSQL too: to say so here would load its dialect, 2 MB, in every home.
    """
    return Index(name, *columns, unique=True, sqlite_where=text(where))


def references(table: str, *columns: str) -> ForeignKeyConstraint:
    """Return a key of several columns, which have the same names in both tables."""
    return ForeignKeyConstraint(columns, [f"{table}.{column}" for column in columns])


SeriesKey = Annotated[
    SeriesId, mapped_column(ForeignKey("series.id", ondelete="CASCADE"), primary_key=True)
]
Identification = Annotated[
    str, check("identification", "identification IN ('pseudonym', 'delivery-point', 'name')")
]
_State = Annotated[
    str,
    check(
        "state",
        "state IN ('proposed', 'granted', 'refused', 'withdrawn', 'terminated', 'expired')",
    ),
]


class Base(DeclarativeBase):
    """What all tables have in common: their names, their constraints', and which type means what.

    A table is named after its class. A CHECK lets no other values in than those of the types. In
    SQLite it is strict, no `id` is ever given twice, and a `clustered` one is its own primary key.
    """

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # as DeclarativeBase wants it
        int: Whole,
        str: Text,
        bytes: LargeBinary,
        datetime: Instant,
        date: Day,
        PeerId: Whole,
        NeedId: Whole,
        SeriesId: Whole,
        PermissionId: Text,
        Interval: Minutes,
        Direction: words(Direction),
        Quantity: words(Quantity),
        Mapping[str, str]: Translations,
    }

    @override
    def __init_subclass__(cls, *, clustered: bool = False) -> None:
        cls.__tablename__ = re.sub("(?<=[a-z])(?=[A-Z])", "_", cls.__name__[: -len("Row")]).lower()
        super().__init_subclass__()
        table = cast("Table", cls.__table__)
        numbered = getattr(table.autoincrement_column, "name", None) == "id"
        table.dialect_kwargs["sqlite_strict"] = True
        table.dialect_kwargs["sqlite_with_rowid"] = not clustered
        table.dialect_kwargs["sqlite_autoincrement"] = numbered
        for name, column in cls.__mapper__.columns.items():
            if isinstance(column.type, Stored) and column.type.values:
                column.info["check"] = f"{column.name} IN {column.type.values}", name
            if "check" in column.info:
                table.append_constraint(CheckConstraint(*column.info["check"]))


def columns_of(table: type[Base], shape: type, **others: Any) -> list[Label[Any]]:
    """Return a column for each field of a dataclass, in their order: `shape(*row)` makes one.

    It is the column of that name, or that of `others`, where None leaves the field out. A word is
    read as the field's enumeration.
    """
    return [
        _as(field.type, column).label(field.name)
        for field in fields(shape)
        if (column := others.get(field.name, getattr(table, field.name, None))) is not None
    ]


def _as(shape: Any, column: ColumnElement[Any]) -> ColumnElement[Any]:
    for kind in get_args(shape) or (shape,):
        if isinstance(kind, type) and issubclass(kind, StrEnum) and isinstance(column.type, Text):
            return type_coerce(column, words(kind))
    return column


class PeerRow(Base):
    """Another node, or a person's XMPP account: a bare JID."""

    id: Mapped[PeerId] = mapped_column(primary_key=True)
    jid: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    added_at: Mapped[datetime]


class SeriesRow(Base):
    """A series. Its facts are its identity and never change.

    `member_id` is whose it is at a collective, 0 where it is the node's own: two members that name
    one device have a series each.
    """

    __table_args__ = (
        UniqueConstraint(
            "device",
            "direction",
            "quantity",
            "interval_minutes",
            "time_zone",
            "member_id",
            name="uq_series_facts",
        ),
    )

    id: Mapped[SeriesId] = mapped_column(primary_key=True)
    device: Mapped[str]
    direction: Mapped[Direction]
    quantity: Mapped[Quantity]
    interval: Mapped[Interval] = mapped_column("interval_minutes")
    time_zone: Mapped[str]
    member_id: Mapped[int] = mapped_column(default=0, server_default="0", index=True)


class BlockRow(Base, clustered=True):
    """The records of one series for one UTC day, packed as `series.Block.pack` does."""

    series_id: Mapped[SeriesKey]
    day: Mapped[date] = mapped_column(primary_key=True)
    packed: Mapped[bytes]
    changed_at: Mapped[datetime]


class MemberCountRow(Base, clustered=True):
    """How many members each value of a block sums, packed as the block is.

    It is no series of its own: a reader of the values may read how many they sum.
    """

    series_id: Mapped[SeriesKey]
    day: Mapped[date] = mapped_column(primary_key=True)
    packed: Mapped[bytes]


class CoverageRow(Base):
    """The whole UTC days over which the recorder was read completely for a series."""

    __table_args__ = (CheckConstraint("covered_from <= covered_until", "range"),)

    series_id: Mapped[SeriesKey]
    covered_from: Mapped[datetime]
    covered_until: Mapped[datetime]


class AbsenceRow(Base):
    """When Home Assistant was off, or may have been: what it compiled of then is no measure."""

    __table_args__ = (CheckConstraint("away_from < away_until", "range"),)

    away_from: Mapped[datetime] = mapped_column(primary_key=True, autoincrement=False)
    away_until: Mapped[datetime]


class PulledSeriesRow(Base):
    """A series of another peer that is written into Home Assistant, as an external statistic.

    `until` is the end of the last record that was written; `problem` why no more were.
    """

    statistic: Mapped[str] = mapped_column(primary_key=True)
    jid: Mapped[str]
    identifier: Mapped[str]
    name: Mapped[str]
    added_at: Mapped[datetime]
    until: Mapped[datetime | None]
    problem: Mapped[str | None]


class DataNeedRow(Base):
    """One version of what a peer asks for, and why. It never changes."""

    __table_args__ = (
        UniqueConstraint("peer_id", "need", "version"),
        UniqueConstraint("id", "peer_id", "need"),
    )

    id: Mapped[NeedId] = mapped_column(primary_key=True)
    peer_id: Mapped[PeerId] = mapped_column(ForeignKey("peer.id"))
    need: Mapped[str]
    version: Mapped[int] = check("version", "version >= 1")
    title: Mapped[Mapping[str, str]]
    purpose: Mapped[Mapping[str, str]]
    recipients: Mapped[Mapping[str, str]]
    controller: Mapped[str]
    contact: Mapped[str]
    policy: Mapped[str]
    interval: Mapped[Interval] = mapped_column("interval_minutes")
    reading: Mapped[str] = check("reading", "reading IN ('individual', 'sum')")
    identification: Mapped[Identification]
    history_days: Mapped[int] = check("history", "history_days BETWEEN 0 AND 36600")
    duration_days: Mapped[int] = check("duration", "duration_days BETWEEN 1 AND 36600")
    retention_days: Mapped[int] = check("retention", "retention_days BETWEEN 0 AND 36600")
    received_at: Mapped[datetime]


class DataNeedSeriesRow(Base, clustered=True):
    """One kind of series that a data need asks for."""

    data_need_id: Mapped[NeedId] = mapped_column(ForeignKey("data_need.id"), primary_key=True)
    direction: Mapped[Direction] = mapped_column(primary_key=True)
    quantity: Mapped[Quantity] = mapped_column(primary_key=True)


class PermissionRow(Base):
    """An answer to one version of a data need. Its state follows the register, by a trigger.

    The terms are empty until they are chosen and fixed from the grant on. Records that start in
    `records_from <= t < valid_until` may leave, at an instant before `valid_until`.
    """

    __table_args__ = (
        ForeignKeyConstraint(
            ["data_need_id", "peer_id", "need"],
            ["data_need.id", "data_need.peer_id", "data_need.need"],
        ),
        UniqueConstraint("id", "peer_id", "state"),
        unique_where("uq_permission_proposed", "data_need_id", where="state = 'proposed'"),
        unique_where("uq_permission_granted", "peer_id", "need", where="state = 'granted'"),
    )

    id: Mapped[PermissionId] = mapped_column(primary_key=True)
    peer_id: Mapped[PeerId]
    data_need_id: Mapped[NeedId]
    need: Mapped[str]
    state: Mapped[_State]
    interval: Mapped[Interval | None] = mapped_column("interval_minutes")
    identification: Mapped[Identification | None]
    records_from: Mapped[datetime | None]
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]


class PermissionSeriesRow(Base, clustered=True):
    """One series that a permission names."""

    permission_id: Mapped[PermissionId] = mapped_column(
        ForeignKey("permission.id"), primary_key=True
    )
    series_id: Mapped[SeriesId] = mapped_column(ForeignKey("series.id"), primary_key=True)


class ShownTextRow(Base):
    """A text that a person was shown before an answer, kept once: its SHA-256 names it."""

    __table_args__ = (
        CheckConstraint("length(hash) = 64", "hash"),
        CheckConstraint("trim(hash, '0123456789abcdef') = ''", "digits"),
    )

    hash: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str] = check("body", "trim(body) <> ''")


class RegisterRow(Base):
    """One change of one permission: who, when, and what that person had been shown.

    `seq` counts up by one, by a rule of the database.
    """

    __table_args__ = (
        ForeignKeyConstraint(["text_hash", "language"], ["shown_text.hash", "shown_text.language"]),
        CheckConstraint(
            "(state = 'proposed' AND actor IN ('peer', 'household'))"
            " OR (state IN ('granted', 'refused', 'withdrawn') AND actor = 'household')"
            " OR (state = 'terminated' AND actor = 'peer')"
            " OR (state = 'expired' AND actor = 'clock')",
            "actor",
        ),
        CheckConstraint("(actor = 'clock') = (who IS NULL)", "who"),
        CheckConstraint("(text_hash IS NULL) = (language IS NULL)", "language"),
        CheckConstraint(
            "text_hash IS NOT NULL OR state NOT IN ('granted', 'refused', 'withdrawn')", "text"
        ),
        Index(None, "permission_id", "seq"),
    )

    seq: Mapped[int] = mapped_column(primary_key=True)
    permission_id: Mapped[PermissionId] = mapped_column(ForeignKey("permission.id"))
    state: Mapped[_State]
    at: Mapped[datetime]
    actor: Mapped[str]
    who: Mapped[str | None]
    text_hash: Mapped[str | None]
    language: Mapped[str | None]


class NoticeRow(Base):
    """A change of a permission that its peer is to be told, until its receipt has come.

    `erase` is what the household says at withdrawal about the records that the peer has. What is
    under way has no `notified_at`, and says so in place of the receipt.
    """

    seq: Mapped[int] = mapped_column(ForeignKey("register.seq"), primary_key=True)
    erase: Mapped[int | None] = check("erase", "erase IN (0, 1)")
    notified_at: Mapped[datetime | None]
    receipt: Mapped[str | None]


class SubscriptionRow(Base, clustered=True):
    """A peer wants to be told of new records; the cursor is up to where it has confirmed them."""

    peer_id: Mapped[PeerId] = mapped_column(ForeignKey("peer.id"), primary_key=True)
    series_id: Mapped[SeriesId] = mapped_column(ForeignKey("series.id"), primary_key=True)
    since: Mapped[datetime]
    cursor: Mapped[datetime | None]


class OutboxRow(Base):
    """Records that are to be sent: those of a series that start in a range, as blocks have them.

    `stanza` is the id of the message that last carried them; its receipt removes the row, whenever
    it comes. They wait to be sent, or sent again, as long as `sent_at` is empty. `granted` always
    says so: by the foreign key no row stays when the permission is in another state.
    """

    __table_args__ = (
        ForeignKeyConstraint(
            ["permission_id", "peer_id", "granted"],
            ["permission.id", "permission.peer_id", "permission.state"],
        ),
        references("permission_series", "permission_id", "series_id"),
        CheckConstraint("range_start < range_end", "range"),
        Index(None, "permission_id", "series_id"),
        Index(None, "peer_id", "stanza"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    peer_id: Mapped[PeerId]
    permission_id: Mapped[PermissionId]
    granted: Mapped[str] = check("granted", "granted = 'granted'", server_default="granted")
    series_id: Mapped[SeriesId]
    range_start: Mapped[datetime]
    range_end: Mapped[datetime]
    queued_at: Mapped[datetime]
    stanza: Mapped[str | None]
    sent_at: Mapped[datetime | None]


class AnswerRow(Base):
    """What a peer was answered: written before the answer leaves, so that none leaves without."""

    __table_args__ = (
        references("permission_series", "permission_id", "series_id"),
        CheckConstraint("range_start < range_end", "range"),
        Index(None, "peer_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    peer_id: Mapped[PeerId] = mapped_column(ForeignKey("peer.id"))
    permission_id: Mapped[PermissionId]
    series_id: Mapped[SeriesId]
    command: Mapped[str]
    range_start: Mapped[datetime]
    range_end: Mapped[datetime]
    records: Mapped[int] = check("records", "records >= 0")


class AccessRequestRow(Base):
    """What a peer holds of this node, as it was received: RGPD art. 15 and 20."""

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    peer_id: Mapped[PeerId] = mapped_column(ForeignKey("peer.id", ondelete="CASCADE"))
    who: Mapped[str]
    """Who asked, as the register has it."""
    made_at: Mapped[datetime]
    size: Mapped[int] = check("size", "size > 0")
    """Bytes."""
    sha256: Mapped[str]


class SettingRow(Base):
    """What a person has set, or the node wants to find again."""

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class SecretRow(Base):
    """What no export, page, log or diagnostic may hold."""

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]


class PermittedRow(Base):
    """A view: each permission and series of which records may leave now, and which records."""

    __table_args__ = {"info": {"view": True}}  # noqa: RUF012

    permission_id: Mapped[PermissionId] = mapped_column(primary_key=True)
    series_id: Mapped[SeriesId] = mapped_column(primary_key=True)
    peer_id: Mapped[PeerId]
    identification: Mapped[str]
    records_from: Mapped[datetime]
    valid_until: Mapped[datetime]
