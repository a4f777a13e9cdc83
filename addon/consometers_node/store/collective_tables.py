"""The tables that a collective alone fills: a home does not load them."""

from datetime import date, datetime
from typing import Annotated, NewType

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..series import Direction, Interval
from .tables import (
    Base,
    Identification,
    SeriesId,
    SeriesKey,
    check,
    references,
    unique_where,
)
from .types import Whole

MemberId = NewType("MemberId", int)
GroupId = NewType("GroupId", int)
MemberPermissionId = NewType("MemberPermissionId", str)
"""The random UUID that a member gave its permission."""

_MemberKind = Annotated[str, check("kind", "kind IN ('home', 'site', 'collective')")]
_MemberPermissionState = Annotated[
    str, check("state", "state IN ('granted', 'withdrawn', 'terminated', 'expired')")
]

Base.registry.update_type_annotation_map(
    {MemberId: Whole, GroupId: Whole, MemberPermissionId: Text}
)


class OwnNeedRow(Base):
    """One version of what this collective asks for, as the `<data-need>` that peers receive."""

    need: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = check("version", "version >= 1", primary_key=True, autoincrement=False)
    body: Mapped[str]
    offered_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class InvitationRow(Base):
    """An invitation, by the SHA-256 of its token. Without `most_uses`, only its date ends it.

    `kind` and `area` are those of who joins by it.
    """

    __table_args__ = (
        CheckConstraint("uses >= 0 AND (most_uses IS NULL OR uses <= most_uses)", "uses"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    note: Mapped[str]
    kind: Mapped[_MemberKind]
    area: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    most_uses: Mapped[int | None]
    uses: Mapped[int]
    revoked_at: Mapped[datetime | None]


class MemberRow(Base):
    """A member of this collective: a home, a site, or a collective one level below.

    A home has no name here but its pseudonym. `jid` is empty once it was erased; `description` is
    a site's, as JSON; `area` the commune. An administrator may accept its
    records up to `accepted_w`.
    """

    id: Mapped[MemberId] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(unique=True)
    jid: Mapped[str | None] = mapped_column(unique=True)
    kind: Mapped[_MemberKind]
    name: Mapped[str | None] = check("name", "name IS NULL OR kind <> 'home'")
    description: Mapped[str | None]
    area: Mapped[str | None]
    invitation_id: Mapped[str | None] = mapped_column(ForeignKey("invitation.id"))
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    accepted_w: Mapped[int | None]


class MemberGroupRow(Base):
    """Members that are summed together: all, an area, a kind of building, or one site.

    The `rest` are members in no area; `combined` are areas that are published together.
    """

    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: Mapped[GroupId] = mapped_column(primary_key=True)
    kind: Mapped[str] = check(
        "kind", "kind IN ('all', 'area', 'rest', 'combined', 'building', 'site')"
    )
    name: Mapped[str]


class GroupMembershipRow(Base, clustered=True):
    """A member counts in a group in whole months, named by their first days; the end is not in."""

    __table_args__ = (Index(None, "group_id", "from_month"),)

    member_id: Mapped[MemberId] = mapped_column(ForeignKey("member.id"), primary_key=True)
    group_id: Mapped[GroupId] = mapped_column(ForeignKey("member_group.id"), primary_key=True)
    from_month: Mapped[date] = mapped_column(primary_key=True)
    until_month: Mapped[date | None]


class MemberPermissionRow(Base):
    """A permission that a member gave: what it lets this collective read, and until when.

    Once it has ended, `erase_at` is when what it brought is erased. `announced_at` is since when
    administrators see that it is; somebody asked for it where `erase_at` is no later.
    `notified_at` is when the member knew of the end.
    """

    __table_args__ = (
        references("own_need", "need", "version"),
        CheckConstraint("valid_from < valid_until AND records_from < valid_until", "range"),
    )

    id: Mapped[MemberPermissionId] = mapped_column(primary_key=True)
    member_id: Mapped[MemberId] = mapped_column(ForeignKey("member.id"), index=True)
    need: Mapped[str]
    version: Mapped[int]
    state: Mapped[_MemberPermissionState]
    interval: Mapped[Interval] = mapped_column("interval_minutes")
    identification: Mapped[Identification]
    records_from: Mapped[datetime]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    shown_sha256: Mapped[str] = check("text", "length(shown_sha256) = 64")
    shown_language: Mapped[str]
    erase_at: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]
    notified_at: Mapped[datetime | None]


class MemberPermissionSeriesRow(Base):
    """One series that a member lets us read, under the name that it has with us.

    `series_id` is empty until its first records tell what they are. The past was asked for up to
    `backfilled_until`; `last_received_at` is when records last came; `problem` why no more do.
    """

    permission_id: Mapped[MemberPermissionId] = mapped_column(
        ForeignKey("member_permission.id"), primary_key=True
    )
    identifier: Mapped[str] = mapped_column(primary_key=True, index=True)
    series_id: Mapped[SeriesId | None] = mapped_column(ForeignKey("series.id"), index=True)
    backfilled_until: Mapped[datetime | None]
    subscribed_at: Mapped[datetime | None]
    last_received_at: Mapped[datetime | None]
    problem: Mapped[str | None]


class DeviceClaimRow(Base):
    """A device under whose name a member shares; of those who name one, a single one counts.

    `settled_at` is when an administrator decided who, by which `proof`.
    """

    __table_args__ = (unique_where("ix_device_claim_counts", "device", where="counts = 1"),)

    device: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[MemberId] = mapped_column(
        ForeignKey("member.id"), primary_key=True, index=True
    )
    claimed_at: Mapped[datetime]
    counts: Mapped[int] = check("counts", "counts IN (0, 1)")
    settled_at: Mapped[datetime | None]
    proof: Mapped[str | None] = check("proof", "proof IN ('meter', 'operator')")


class SetAsideRow(Base, clustered=True):
    """A record that is not plausible: it is in no block and no sum.

    `excluded_at` is when an administrator decided that it stays out.
    """

    series_id: Mapped[SeriesKey]
    start: Mapped[datetime] = mapped_column(primary_key=True)
    value: Mapped[int]
    received_at: Mapped[datetime]
    excluded_at: Mapped[datetime | None]


class MemberPermissionRegisterRow(Base):
    """One change of one permission of a member; what was erased is counted in records.

    `seq` counts up by one, by a rule of the database.
    """

    __table_args__ = (
        CheckConstraint(
            "(state IN ('granted', 'withdrawn') AND actor = 'member')"
            " OR (state = 'terminated' AND actor IN ('member', 'collective'))"
            " OR (state = 'expired' AND actor = 'clock')"
            " OR (erased IS NOT NULL AND actor IN ('member', 'collective', 'clock'))",
            "actor",
        ),
        Index(None, "permission_id", "seq"),
    )

    seq: Mapped[int] = mapped_column(primary_key=True)
    permission_id: Mapped[MemberPermissionId]
    state: Mapped[_MemberPermissionState]
    at: Mapped[datetime]
    actor: Mapped[str]
    text_hash: Mapped[str | None] = check("text", "(text_hash IS NOT NULL) = (state = 'granted')")
    erased: Mapped[int | None] = check(
        "erased", "erased IS NULL OR (erased >= 0 AND state <> 'granted')"
    )


class AccessLogRow(Base):
    """Who read what of whom, beside what `answer` tells: pages, exports, commands."""

    __table_args__ = (Index(None, "member_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str]
    what: Mapped[str]
    member_id: Mapped[MemberId | None] = mapped_column(ForeignKey("member.id"))
    range_start: Mapped[datetime | None]
    range_end: Mapped[datetime | None]
    records: Mapped[int]


class AdministratorRow(Base):
    """Who may administer this collective, with the Argon2id of their password."""

    name: Mapped[str] = mapped_column(primary_key=True)
    password_hash: Mapped[str]
    created_at: Mapped[datetime]


class AdminSessionRow(Base):
    """An administrator who logged in, by the SHA-256 of the token that their browser has."""

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    administrator: Mapped[str] = mapped_column(ForeignKey("administrator.name", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ClosedIntervalRow(Base, clustered=True):
    """An interval that was closed: nothing more of it is ever published, or changed.

    Of the members from which records were expected (`expected`), `response` sent theirs.
    `reason` is why the sum of all homes is suppressed, where it is.
    """

    direction: Mapped[Direction] = mapped_column(primary_key=True)
    interval: Mapped[Interval] = mapped_column("interval_minutes", primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
    expected: Mapped[int]
    response: Mapped[int]
    reason: Mapped[str | None]


class PublishedCellRow(Base, clustered=True):
    """What was published of a group in an interval, in watt-minutes: written once.

    It sums `members`, of which `homes` are homes, out of `counting` homes that counted then. `day`
    is the civil day. The cell of a civil day is the sum of its published intervals, `minutes` in
    all, and of homes that send days alone. `per_member` is the average of one member: of a day, the
    averages of its intervals added up, so that it stays what it is where members are missing from
    some.
    """

    group_id: Mapped[GroupId] = mapped_column(ForeignKey("member_group.id"), primary_key=True)
    direction: Mapped[Direction] = mapped_column(primary_key=True)
    interval: Mapped[Interval] = mapped_column("interval_minutes", primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    day: Mapped[date]
    watt_minutes: Mapped[int]
    members: Mapped[int]
    homes: Mapped[int] = check("homes", "homes BETWEEN 0 AND members")
    counting: Mapped[int] = check("counting", "counting >= homes")
    per_member: Mapped[int]
    minutes: Mapped[int]


class GroupPartRow(Base, clustered=True):
    """A group that is published together with others, and one of these."""

    group_id: Mapped[GroupId] = mapped_column(ForeignKey("member_group.id"), primary_key=True)
    part_id: Mapped[GroupId] = mapped_column(
        ForeignKey("member_group.id"), primary_key=True, index=True
    )


TABLES = [table for table in Base.metadata.sorted_tables if not table.info.get("view")]
"""All tables, those of `tables` too; each comes after those that it refers to."""
