"""The tables. Names of columns are the words of the domain.

`permitted` is a view, and all that anyone needs to know about what may leave now.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NewType

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)

from consometers_node.series import Direction, Interval, Quantity
from consometers_quoalise.federation.permissions import SUBSCRIBED_KVA

from .engine.declaration import Base, Erasure, Personal, check, column

PeerId = NewType("PeerId", int)
NeedId = NewType("NeedId", int)
SeriesId = NewType("SeriesId", int)
PermissionId = NewType("PermissionId", str)
"""A random UUID: it travels."""


def unique_where(name: str, *columns: str, where: str) -> Index:
    """Return a key of those rows alone for which a condition holds.

    In PostgreSQL too: to say so here would load its dialect, 2 MB, in every home.
    """
    return Index(name, *columns, unique=True, sqlite_where=text(where))


def references(table: str, *columns: str) -> ForeignKeyConstraint:
    """Return a key of several columns, which have the same names in both tables."""
    return ForeignKeyConstraint(columns, [f"{table}.{column}" for column in columns])


def series_key() -> Column[SeriesId]:
    """Declare the series that a row is of, and ends with."""
    return column(ForeignKey("series.id", ondelete="CASCADE"), primary_key=True)


def identification(personal: Personal = Erasure.NODE) -> Column[Any]:
    """Declare how a member is named."""
    ways = "'pseudonym', 'delivery-point', 'name'"
    return check("identification", f"identification IN ({ways})", personal=personal)


def _state() -> Column[str]:
    states = "'proposed', 'granted', 'refused', 'withdrawn', 'terminated', 'expired'"
    return check("state", f"state IN ({states})")


def subscribed_kva() -> Column[int | None]:
    """Declare the subscribed power of a meter."""
    least, most = SUBSCRIBED_KVA[0], SUBSCRIBED_KVA[-1]
    return check("subscribed", f"subscribed_kva BETWEEN {least} AND {most}")


class PeerRow(Base, personal=Erasure.ADDRESS):
    """Another node, or a person's XMPP account: a bare JID. A member that reads is `member:…`."""

    id: Column[PeerId] = column(primary_key=True)
    jid: Column[str] = column(unique=True)
    name: Column[str]
    added_at: Column[datetime]


class SeriesRow(Base, personal=Erasure.WITH_SERIES):
    """A series: its facts are its identity, and never change.

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

    id: Column[SeriesId] = column(primary_key=True)
    device: Column[str]
    direction: Column[Direction]
    quantity: Column[Quantity]
    interval: Column[Interval] = column(name="interval_minutes")
    time_zone: Column[str]
    member_id: Column[int] = column(default=0, server_default="0", index=True)


class BlockRow(Base, clustered=True, personal=Erasure.WITH_SERIES):
    """The records of one series for one UTC day, packed as `series.Block.pack` does."""

    series_id: Column[SeriesId] = series_key()
    day: Column[date] = column(primary_key=True)
    packed: Column[bytes]
    changed_at: Column[datetime]


class MemberCountRow(Base, clustered=True, personal=Erasure.WITH_SERIES):
    """How many members each value of a block sums, and whether homes are missing from it.

    Packed as the block is, each as `MemberCount` packs it. It is no series of its own: a reader of
    the values may read how many they sum.
    """

    series_id: Column[SeriesId] = series_key()
    day: Column[date] = column(primary_key=True)
    packed: Column[bytes]


class CoverageRow(Base, personal=Erasure.WITH_SERIES):
    """The whole UTC days of a series that were read from the recorder."""

    __table_args__ = (CheckConstraint("covered_from <= covered_until", "range"),)

    series_id: Column[SeriesId] = series_key()
    covered_from: Column[datetime]
    covered_until: Column[datetime]


class AbsenceRow(Base, personal=Erasure.NODE):
    """When Home Assistant was off, or may have been: what it compiled of then is no measure."""

    __table_args__ = (CheckConstraint("away_from < away_until", "range"),)

    away_from: Column[datetime] = column(primary_key=True, autoincrement=False)
    away_until: Column[datetime]


class StatisticOwnerRow(Base, personal=Erasure.NODE):
    """A statistic of Home Assistant, and the peer (a bare JID) that it is of, for good.

    `device` is what it counts, `wanted` the name that it would have if no other peer had taken it.
    """

    __table_args__ = (UniqueConstraint("jid", "device", "wanted"),)

    statistic: Column[str] = column(primary_key=True)
    jid: Column[str]
    device: Column[str]
    wanted: Column[str]


class PulledSeriesRow(Base, personal=Erasure.NODE):
    """A series of another peer that is written into Home Assistant, as an external statistic.

    `until` is the end of the last record that was written; `problem` why no more were.
    """

    statistic: Column[str] = column(primary_key=True)
    jid: Column[str]
    identifier: Column[str]
    name: Column[str]
    added_at: Column[datetime]
    until: Column[datetime | None]
    problem: Column[str | None]


class HeldPlantRow(Base, personal=Erasure.NODE):
    """A plant of a collective: how many of its shares this home holds, of the total.

    `identifier` is the series of its production, published `since` then; `statistic` that of this
    home's part. `shares` is the collective's number, `corrected` the home's own, which stays here.
    """

    statistic: Column[str] = column(primary_key=True)
    jid: Column[str]
    identifier: Column[str]
    name: Column[str]
    shares: Column[int] = check("shares", "shares >= 0")
    total: Column[int] = check("total", "total > 0")
    corrected: Column[int | None] = check("corrected", "corrected IS NULL OR corrected >= 0")
    since: Column[datetime | None]


class DataNeedRow(Base, personal=Erasure.NODE):
    """One version of a peer's data need. It never changes."""

    __table_args__ = (
        UniqueConstraint("peer_id", "need", "version"),
        UniqueConstraint("id", "peer_id", "need"),
    )

    id: Column[NeedId] = column(primary_key=True)
    peer_id: Column[PeerId] = column(ForeignKey("peer.id"))
    need: Column[str]
    version: Column[int] = check("version", "version >= 1")
    title: Column[Mapping[str, str]]
    purpose: Column[Mapping[str, str]]
    recipients: Column[Mapping[str, str]]
    controller: Column[str]
    contact: Column[str]
    policy: Column[str]
    interval: Column[Interval] = column(name="interval_minutes")
    reading: Column[str] = check("reading", "reading IN ('individual', 'sum')")
    identification: Column[str] = identification()
    history_days: Column[int] = check("history", "history_days BETWEEN 0 AND 36600")
    duration_days: Column[int] = check("duration", "duration_days BETWEEN 1 AND 36600")
    retention_days: Column[int] = check("retention", "retention_days BETWEEN 0 AND 36600")
    received_at: Column[datetime]
    witness: Column[Mapping[str, str] | None] = check(
        "witness", "(witness IS NULL) = (reading = 'individual')"
    )
    """The witness that opens sums with the peer: its fields by name."""


class DataNeedSeriesRow(Base, clustered=True, personal=Erasure.NODE):
    """A kind of series that a data need requests."""

    data_need_id: Column[NeedId] = column(ForeignKey("data_need.id"), primary_key=True)
    direction: Column[Direction] = column(primary_key=True)
    quantity: Column[Quantity] = column(primary_key=True)


class PermissionRow(Base, personal=Erasure.NODE):
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

    id: Column[PermissionId] = column(primary_key=True)
    peer_id: Column[PeerId]
    data_need_id: Column[NeedId]
    need: Column[str]
    state: Column[str] = _state()
    interval: Column[Interval | None] = column(name="interval_minutes")
    identification: Column[str | None] = identification()
    records_from: Column[datetime | None]
    valid_from: Column[datetime | None]
    valid_until: Column[datetime | None]


class PermissionSeriesRow(Base, clustered=True, personal=Erasure.NODE):
    """One series that a permission names.

    `subscribed_kva` is the subscribed power of its meter, which leaves with it.
    """

    permission_id: Column[PermissionId] = column(ForeignKey("permission.id"), primary_key=True)
    series_id: Column[SeriesId] = column(ForeignKey("series.id"), primary_key=True)
    subscribed_kva: Column[int | None] = subscribed_kva()


class ShownTextRow(Base, personal=Erasure.NODE):
    """A text that a person was shown before an answer, kept once: its SHA-256 names it."""

    __table_args__ = (
        CheckConstraint("length(hash) = 64", "hash"),
        CheckConstraint("trim(hash, '0123456789abcdef') = ''", "digits"),
    )

    hash: Column[str] = column(primary_key=True)
    language: Column[str] = column(primary_key=True)
    body: Column[str] = check("body", "trim(body) <> ''")


class RegisterRow(Base, personal=Erasure.NODE):
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

    seq: Column[int] = column(primary_key=True)
    permission_id: Column[PermissionId] = column(ForeignKey("permission.id"))
    state: Column[str] = _state()
    at: Column[datetime]
    actor: Column[str]
    who: Column[str | None]
    text_hash: Column[str | None]
    language: Column[str | None]


class NoticeRow(Base, personal=Erasure.NODE):
    """A change of a permission of which its peer is notified, until its receipt has come.

    `erase` is what the household says at withdrawal about the records that the peer has. What is
    under way has no `notified_at`, and says so in place of the receipt.
    """

    seq: Column[int] = column(ForeignKey("register.seq"), primary_key=True)
    erase: Column[int | None] = check("erase", "erase IN (0, 1)")
    notified_at: Column[datetime | None]
    receipt: Column[str | None]


class SubscriptionRow(Base, clustered=True, personal=Erasure.NODE):
    """A peer subscribes to new records; the cursor is up to where it has confirmed them."""

    peer_id: Column[PeerId] = column(ForeignKey("peer.id"), primary_key=True)
    series_id: Column[SeriesId] = column(ForeignKey("series.id"), primary_key=True)
    since: Column[datetime]
    cursor: Column[datetime | None]


class OutboxRow(Base, personal=Erasure.NODE):
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

    id: Column[int] = column(primary_key=True)
    peer_id: Column[PeerId]
    permission_id: Column[PermissionId]
    granted: Column[str] = check("granted", "granted = 'granted'", server_default="granted")
    series_id: Column[SeriesId]
    range_start: Column[datetime]
    range_end: Column[datetime]
    queued_at: Column[datetime]
    stanza: Column[str | None]
    sent_at: Column[datetime | None]


class AnswerRow(Base, personal=Erasure.NODE):
    """An answer to a peer: logged before it leaves, so that none leaves unlogged.

    It stays for a year; then a collective's node deletes it, while a home's keeps it.
    """

    __table_args__ = (
        references("permission_series", "permission_id", "series_id"),
        CheckConstraint("range_start < range_end", "range"),
        Index(None, "peer_id", "at"),
    )

    id: Column[int] = column(primary_key=True)
    at: Column[datetime]
    peer_id: Column[PeerId] = column(ForeignKey("peer.id"))
    permission_id: Column[PermissionId]
    series_id: Column[SeriesId]
    command: Column[str]
    range_start: Column[datetime]
    range_end: Column[datetime]
    records: Column[int] = check("records", "records >= 0")


class EnrolmentRow(Base, personal=Erasure.NODE):
    """A permission for sums at its witness: its receipt, and its report of opened sums.

    Its keys are in a file apart (`store/keys.py`). No record leaves before the receipt is here, nor
    after the home has left.
    """

    __table_args__ = (CheckConstraint("(enrolled_at IS NULL) = (receipt IS NULL)", "receipt"),)

    permission_id: Column[PermissionId] = column(ForeignKey("permission.id"), primary_key=True)
    enrolled_at: Column[datetime | None]
    receipt: Column[str | None]
    """The MAC by which the witness proves that it has the key."""
    keys_lost_at: Column[datetime | None]
    """When the home noticed that its keys were lost, here or at the witness, and drew others."""
    left_at: Column[datetime | None]
    asked_at: Column[datetime | None]
    summary: Column[str | None] = column(json=True)
    """The last report of opened sums, as JSON."""


class AccessRequestRow(Base, personal=Erasure.NODE):
    """A peer's data about this node, as received: GDPR art. 15 and 20."""

    id: Column[int] = column(primary_key=True)
    at: Column[datetime]
    peer_id: Column[PeerId] = column(ForeignKey("peer.id", ondelete="CASCADE"))
    who: Column[str]
    """The requester, as the register names them."""
    made_at: Column[datetime]
    size: Column[int] = check("size", "size > 0")
    """Bytes."""
    sha256: Column[str]


class LetterRow(Base, personal=Erasure.NODE):
    """A letter of a collective, as received, for a year. `read_at` is when it was marked as read.

    `id` is the sender's: two peers may give the same one.
    """

    __table_args__ = (Index(None, "peer_id", "received_at"),)

    peer_id: Column[PeerId] = column(ForeignKey("peer.id", ondelete="CASCADE"), primary_key=True)
    id: Column[str] = column(primary_key=True)
    written_at: Column[datetime]
    received_at: Column[datetime]
    body: Column[Mapping[str, str]]
    read_at: Column[datetime | None]


class HomeFileRow(Base, personal=Erasure.NODE):
    """A file of energy that the household brought. Its name and its head are nowhere."""

    id: Column[int] = column(primary_key=True)
    kept_at: Column[datetime]


class HomeFileMonthRow(Base, personal=Erasure.NODE):
    """The readings of a file that start in one month of UTC, in one direction and of one kind.

    `readings` has them in order, as [start in seconds since 1970, seconds, Wh]; `missing` counts
    those that are not there before one of them.
    """

    __table_args__ = (CheckConstraint("begins < ends", "range"),)

    file_id: Column[int] = column(ForeignKey("home_file.id", ondelete="CASCADE"), primary_key=True)
    direction: Column[Direction] = column(primary_key=True)
    kind: Column[str] = check("kind", "kind IN ('curve', 'days', 'registers')", primary_key=True)
    month: Column[date] = column(primary_key=True)
    begins: Column[datetime]
    ends: Column[datetime]
    count: Column[int]
    missing: Column[int]
    readings: Column[str] = column(json=True)


class SettingRow(Base, personal=Erasure.NODE):
    """Settings of a person, and the node's own notes."""

    key: Column[str] = column(primary_key=True)
    value: Column[str]


class SecretRow(Base, personal=Erasure.SECRET):
    """What no export, page, log or diagnostic may hold."""

    name: Column[str] = column(primary_key=True)
    value: Column[bytes]


class PermittedRow(Base, view=True):
    """A view: each permission and series of which records may leave now, and which records."""

    permission_id: Column[PermissionId] = column(primary_key=True)
    series_id: Column[SeriesId] = column(primary_key=True)
    peer_id: Column[PeerId]
    identification: Column[str]
    reading: Column[str]
    records_from: Column[datetime]
    valid_until: Column[datetime]
