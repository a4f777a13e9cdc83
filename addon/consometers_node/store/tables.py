"""The tables. Names of columns are the words of the domain.

`permitted` is a view, and all that anyone needs to know about what may leave now.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NewType, get_args

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Label,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    text,
    type_coerce,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ..series import Direction, Interval, Quantity
from .types import Day, Instant, Minutes, Translations, Whole, Word

PeerId = NewType("PeerId", int)
NeedId = NewType("NeedId", int)
SeriesId = NewType("SeriesId", int)
PermissionId = NewType("PermissionId", str)
"""A random UUID: it travels."""

DIRECTION = "direction IN ('consumption', 'injection', 'production')"
QUANTITY = "quantity IN ('energy', 'power')"
INTERVAL = "interval_minutes IN (5, 30, 60, 1440)"
IDENTIFICATION = "identification IN ('pseudonym', 'delivery-point', 'name')"
_STATE = "state IN ('proposed', 'granted', 'refused', 'withdrawn', 'terminated', 'expired')"
STRICT = {"sqlite_strict": True}
CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}
NUMBERED = {"sqlite_strict": True, "sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """What all tables have in common: how constraints are named, and which type means what."""

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
        Direction: Word(Direction),
        Quantity: Word(Quantity),
        Mapping[str, str]: Translations,
    }


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
            return type_coerce(column, Word(kind))
    return column


class PeerRow(Base):
    """Another node, or a person's XMPP account: a bare JID."""

    __tablename__ = "peer"
    __table_args__ = (UniqueConstraint("jid"), NUMBERED)

    id: Mapped[PeerId] = mapped_column(primary_key=True)
    jid: Mapped[str]
    name: Mapped[str]
    added_at: Mapped[datetime]


class SeriesRow(Base):
    """A series. Its facts are its identity and never change.

    `member_id` is whose it is at a collective, 0 where it is the node's own: two members that name
    one device have a series each.
    """

    __tablename__ = "series"
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
        Index(None, "member_id"),
        CheckConstraint(DIRECTION, "direction"),
        CheckConstraint(QUANTITY, "quantity"),
        CheckConstraint(INTERVAL, "interval"),
        NUMBERED,
    )

    id: Mapped[SeriesId] = mapped_column(primary_key=True)
    device: Mapped[str]
    direction: Mapped[Direction]
    quantity: Mapped[Quantity]
    interval: Mapped[Interval] = mapped_column("interval_minutes")
    time_zone: Mapped[str]
    member_id: Mapped[int] = mapped_column(default=0, server_default="0")


class BlockRow(Base):
    """The records of one series for one UTC day, packed as `series.Block.pack` does."""

    __tablename__ = "block"
    __table_args__ = CLUSTERED

    series_id: Mapped[SeriesId] = mapped_column(
        ForeignKey("series.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    packed: Mapped[bytes]
    changed_at: Mapped[datetime]


class MemberCountRow(Base):
    """How many members each value of a block sums, packed as the block is.

    It is no series of its own: whoever may read the values may read how many they sum.
    """

    __tablename__ = "member_count"
    __table_args__ = CLUSTERED

    series_id: Mapped[SeriesId] = mapped_column(
        ForeignKey("series.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    packed: Mapped[bytes]


class CoverageRow(Base):
    """The whole UTC days over which the recorder was read completely for a series."""

    __tablename__ = "coverage"
    __table_args__ = (CheckConstraint("covered_from <= covered_until", "range"), STRICT)

    series_id: Mapped[SeriesId] = mapped_column(
        ForeignKey("series.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    covered_from: Mapped[datetime]
    covered_until: Mapped[datetime]


class AbsenceRow(Base):
    """When Home Assistant was off, or may have been: what it compiled of then is no measure."""

    __tablename__ = "absence"
    __table_args__ = (CheckConstraint("away_from < away_until", "range"), STRICT)

    away_from: Mapped[datetime] = mapped_column(primary_key=True, autoincrement=False)
    away_until: Mapped[datetime]


class PulledSeriesRow(Base):
    """A series of another peer that is written into Home Assistant, as an external statistic.

    `until` is the end of the last record that was written; `problem` why no more were.
    """

    __tablename__ = "pulled_series"
    __table_args__ = STRICT

    statistic: Mapped[str] = mapped_column(primary_key=True)
    jid: Mapped[str]
    identifier: Mapped[str]
    name: Mapped[str]
    added_at: Mapped[datetime]
    until: Mapped[datetime | None]
    problem: Mapped[str | None]


class DataNeedRow(Base):
    """One version of what a peer asks for, and why. It never changes."""

    __tablename__ = "data_need"
    __table_args__ = (
        UniqueConstraint("peer_id", "need", "version"),
        UniqueConstraint("id", "peer_id", "need"),
        CheckConstraint("version >= 1", "version"),
        CheckConstraint(INTERVAL, "interval"),
        CheckConstraint("reading IN ('individual', 'sum')", "reading"),
        CheckConstraint(IDENTIFICATION, "identification"),
        CheckConstraint("history_days BETWEEN 0 AND 36600", "history"),
        CheckConstraint("duration_days BETWEEN 1 AND 36600", "duration"),
        CheckConstraint("retention_days BETWEEN 0 AND 36600", "retention"),
        NUMBERED,
    )

    id: Mapped[NeedId] = mapped_column(primary_key=True)
    peer_id: Mapped[PeerId] = mapped_column(ForeignKey("peer.id"))
    need: Mapped[str]
    version: Mapped[int]
    title: Mapped[Mapping[str, str]]
    purpose: Mapped[Mapping[str, str]]
    recipients: Mapped[Mapping[str, str]]
    controller: Mapped[str]
    contact: Mapped[str]
    policy: Mapped[str]
    interval: Mapped[Interval] = mapped_column("interval_minutes")
    reading: Mapped[str]
    identification: Mapped[str]
    history_days: Mapped[int]
    duration_days: Mapped[int]
    retention_days: Mapped[int]
    received_at: Mapped[datetime]


class WantedRow(Base):
    """One kind of series that a data need asks for."""

    __tablename__ = "wanted"
    __table_args__ = (
        CheckConstraint(DIRECTION, "direction"),
        CheckConstraint(QUANTITY, "quantity"),
        CLUSTERED,
    )

    data_need_id: Mapped[NeedId] = mapped_column(ForeignKey("data_need.id"), primary_key=True)
    direction: Mapped[Direction] = mapped_column(primary_key=True)
    quantity: Mapped[Quantity] = mapped_column(primary_key=True)


class PermissionRow(Base):
    """An answer to one version of a data need. Its state follows the register, by a trigger.

    The terms are empty until they are chosen and fixed from the grant on. Records that start in
    `records_from <= t < valid_until` may leave, at an instant before `valid_until`.
    """

    __tablename__ = "permission"
    __table_args__ = (
        ForeignKeyConstraint(
            ["data_need_id", "peer_id", "need"],
            ["data_need.id", "data_need.peer_id", "data_need.need"],
        ),
        UniqueConstraint("id", "peer_id", "state"),
        # In PostgreSQL too: to say so here would load its dialect, 2 MB, in every home.
        Index(
            "uq_permission_proposed",
            "data_need_id",
            unique=True,
            sqlite_where=text("state = 'proposed'"),
        ),
        Index(
            "uq_permission_granted",
            "peer_id",
            "need",
            unique=True,
            sqlite_where=text("state = 'granted'"),
        ),
        CheckConstraint(_STATE, "state"),
        CheckConstraint(INTERVAL, "interval"),
        CheckConstraint(IDENTIFICATION, "identification"),
        STRICT,
    )

    id: Mapped[PermissionId] = mapped_column(primary_key=True)
    peer_id: Mapped[PeerId]
    data_need_id: Mapped[NeedId]
    need: Mapped[str]
    state: Mapped[str]
    interval: Mapped[Interval | None] = mapped_column("interval_minutes")
    identification: Mapped[str | None]
    records_from: Mapped[datetime | None]
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]


class PermissionSeriesRow(Base):
    """One series that a permission names."""

    __tablename__ = "permission_series"
    __table_args__ = CLUSTERED

    permission_id: Mapped[PermissionId] = mapped_column(
        ForeignKey("permission.id"), primary_key=True
    )
    series_id: Mapped[SeriesId] = mapped_column(ForeignKey("series.id"), primary_key=True)


class ShownTextRow(Base):
    """A text that a person was shown before an answer, kept once: its SHA-256 names it."""

    __tablename__ = "shown_text"
    __table_args__ = (
        CheckConstraint("length(hash) = 64", "hash"),
        CheckConstraint("trim(hash, '0123456789abcdef') = ''", "digits"),
        CheckConstraint("trim(body) <> ''", "body"),
        STRICT,
    )

    hash: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]


class RegisterRow(Base):
    """One change of one permission: who, when, and what that person had been shown.

    `seq` counts up by one, by a rule of the database.
    """

    __tablename__ = "register"
    __table_args__ = (
        ForeignKeyConstraint(["text_hash", "language"], ["shown_text.hash", "shown_text.language"]),
        CheckConstraint(_STATE, "state"),
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
        STRICT,
    )

    seq: Mapped[int] = mapped_column(primary_key=True)
    permission_id: Mapped[PermissionId] = mapped_column(ForeignKey("permission.id"))
    state: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    who: Mapped[str | None]
    text_hash: Mapped[str | None]
    language: Mapped[str | None]


class NoticeRow(Base):
    """A change of a permission that its peer is to be told, until its receipt has come.

    `erase` is what the household says at withdrawal about the records that the peer has. What is
    under way has no `told_at`, and says so in place of the receipt.
    """

    __tablename__ = "notice"
    __table_args__ = (CheckConstraint("erase IN (0, 1)", "erase"), STRICT)

    seq: Mapped[int] = mapped_column(ForeignKey("register.seq"), primary_key=True)
    erase: Mapped[int | None]
    told_at: Mapped[datetime | None]
    receipt: Mapped[str | None]


class SubscriptionRow(Base):
    """A peer wants to be told of new records; the cursor is up to where it has confirmed them."""

    __tablename__ = "subscription"
    __table_args__ = CLUSTERED

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

    __tablename__ = "outbox"
    __table_args__ = (
        ForeignKeyConstraint(
            ["permission_id", "peer_id", "granted"],
            ["permission.id", "permission.peer_id", "permission.state"],
        ),
        ForeignKeyConstraint(
            ["permission_id", "series_id"],
            ["permission_series.permission_id", "permission_series.series_id"],
        ),
        CheckConstraint("granted = 'granted'", "granted"),
        CheckConstraint("range_start < range_end", "range"),
        Index(None, "permission_id", "series_id"),
        Index(None, "peer_id", "stanza"),
        NUMBERED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    peer_id: Mapped[PeerId]
    permission_id: Mapped[PermissionId]
    granted: Mapped[str] = mapped_column(server_default="granted")
    series_id: Mapped[SeriesId]
    range_start: Mapped[datetime]
    range_end: Mapped[datetime]
    queued_at: Mapped[datetime]
    stanza: Mapped[str | None]
    sent_at: Mapped[datetime | None]


class AnswerRow(Base):
    """What a peer was answered: written before the answer leaves, so that none leaves without."""

    __tablename__ = "answer"
    __table_args__ = (
        ForeignKeyConstraint(
            ["permission_id", "series_id"],
            ["permission_series.permission_id", "permission_series.series_id"],
        ),
        CheckConstraint("range_start < range_end", "range"),
        CheckConstraint("records >= 0", "records"),
        Index(None, "peer_id", "at"),
        NUMBERED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    peer_id: Mapped[PeerId] = mapped_column(ForeignKey("peer.id"))
    permission_id: Mapped[PermissionId]
    series_id: Mapped[SeriesId]
    command: Mapped[str]
    range_start: Mapped[datetime]
    range_end: Mapped[datetime]
    records: Mapped[int]


class SettingRow(Base):
    """What a person has set, or the node wants to find again."""

    __tablename__ = "setting"
    __table_args__ = STRICT

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class SecretRow(Base):
    """What no export, page, log or diagnostic may hold."""

    __tablename__ = "secret"
    __table_args__ = STRICT

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]


class PermittedRow(Base):
    """A view: each permission and series of which records may leave now, and which records."""

    __tablename__ = "permitted"
    __table_args__ = {"info": {"view": True}}  # noqa: RUF012

    permission_id: Mapped[PermissionId] = mapped_column(primary_key=True)
    series_id: Mapped[SeriesId] = mapped_column(primary_key=True)
    peer_id: Mapped[PeerId]
    identification: Mapped[str]
    records_from: Mapped[datetime]
    valid_until: Mapped[datetime]
