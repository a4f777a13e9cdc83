"""The tables that only a collective fills: a home does not load them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NewType

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint

from consometers_node.series import Direction, Interval
from consometers_node.store.engine.declaration import Base, Erasure, Personal, check, column, keep
from consometers_node.store.tables import (
    SeriesId,
    identification,
    references,
    series_key,
    subscribed_kva,
    unique_where,
)

MemberId = NewType("MemberId", int)
GroupId = NewType("GroupId", int)
ChallengeId = NewType("ChallengeId", int)
MemberPermissionId = NewType("MemberPermissionId", str)
"""The random UUID that a member gave its permission."""


def _member_kind(personal: Personal) -> Column[str]:
    return check("kind", "kind IN ('home', 'site', 'collective')", personal=personal)


def _member_permission_state() -> Column[str]:
    states = "'granted', 'withdrawn', 'terminated', 'expired'"
    return check("state", f"state IN ({states})", personal=Erasure.KEPT)


class OwnNeedRow(Base, personal=False):
    """One version of what this collective asks for, as the `<data-need>` that peers receive."""

    need: Column[str] = column(primary_key=True)
    version: Column[int] = check("version", "version >= 1", primary_key=True, autoincrement=False)
    body: Column[str]
    offered_at: Column[datetime]
    closed_at: Column[datetime | None]


class InvitationRow(Base, personal=False):
    """An invitation, by the SHA-256 of its token. Without `most_uses`, only its date ends it.

    `kind` and `area` are those of who joins by it.
    """

    __table_args__ = (
        CheckConstraint("uses >= 0 AND (most_uses IS NULL OR uses <= most_uses)", "uses"),
    )

    id: Column[str] = column(primary_key=True)
    token_hash: Column[str] = column(unique=True)
    note: Column[str] = column(personal=Erasure.INVITATION)
    kind: Column[str] = _member_kind(personal=False)
    area: Column[str | None]
    created_at: Column[datetime]
    expires_at: Column[datetime]
    most_uses: Column[int | None]
    uses: Column[int]
    revoked_at: Column[datetime | None]


class MemberRow(Base):
    """A member of this collective: a home, a site, or a collective one level below.

    A home has no public name: only its pseudonym. `jid` is empty once it was erased; `description`
    is a site's, as JSON; `website` a collective's, that the public pages link; `area` the commune.
    An administrator may accept its records up to `accepted_w`, and write a `nickname` and a `note`,
    which the administration alone shows, and the member's export.
    """

    id: Column[MemberId] = column(personal=Erasure.KEPT, primary_key=True)
    pseudonym: Column[str] = column(personal=Erasure.KEPT, unique=True)
    jid: Column[str | None] = column(personal=Erasure.AFTER_NOTICE, unique=True)
    kind: Column[str] = _member_kind(personal=Erasure.KEPT)
    name: Column[str | None] = check(
        "name", "name IS NULL OR kind <> 'home'", personal=Erasure.EMPTIED
    )
    description: Column[str | None] = column(personal=Erasure.EMPTIED, json=True)
    website: Column[str | None] = column(personal=Erasure.EMPTIED)
    area: Column[str | None] = column(personal=Erasure.EMPTIED)
    invitation_id: Column[str | None] = column(
        ForeignKey("invitation.id"), personal=Erasure.EMPTIED
    )
    joined_at: Column[datetime] = keep()
    left_at: Column[datetime | None] = keep()
    accepted_w: Column[int | None] = column(personal=Erasure.EMPTIED)
    nickname: Column[str | None] = column(personal=Erasure.EMPTIED)
    note: Column[str | None] = column(personal=Erasure.EMPTIED)


class PlantShareRow(Base, clustered=True, personal=Erasure.WITH_MEMBER):
    """How many shares of a plant, the panels of a site, a member holds."""

    plant_id: Column[MemberId] = column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Column[MemberId] = column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    shares: Column[int] = check("shares", "shares > 0")


class InvitationShareRow(Base, clustered=True, personal=False):
    """How many shares of a plant each member holds that joins by an invitation."""

    invitation_id: Column[str] = column(ForeignKey("invitation.id"), primary_key=True)
    plant_id: Column[MemberId] = column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    shares: Column[int] = check("shares", "shares > 0")


class MemberGroupRow(Base, personal=False):
    """Members that are summed together: all, an area, a kind of building, or one site.

    The `rest` are members in no area; `combined` are areas that are published together.
    """

    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: Column[GroupId] = column(primary_key=True)
    kind: Column[str] = check(
        "kind",
        "kind IN ('all', 'area', 'rest', 'combined', 'building', 'site')",
        personal=Erasure.KEPT,
    )
    name: Column[str] = column(personal=Erasure.SITE)


class GroupMembershipRow(Base, clustered=True):
    """A member counts in a group in whole months, named by their first days; the end is not in."""

    __table_args__ = (Index(None, "group_id", "from_month"),)

    member_id: Column[MemberId] = keep(ForeignKey("member.id"), primary_key=True)
    group_id: Column[GroupId] = keep(ForeignKey("member_group.id"), primary_key=True)
    from_month: Column[date] = keep(primary_key=True)
    until_month: Column[date | None] = keep()


class MemberPermissionRow(Base):
    """A permission that a member gave: what it lets this collective read, and until when.

    Once it has ended, `erase_at` is when what it brought is erased. `announced_at` is since when
    administrators see that it is; somebody asked for it where `erase_at` is no later.
    `notified_at` is when the member knew of the end. Where the `reading` is a sum, the member sends
    masked reports, and no record.
    """

    __table_args__ = (
        references("own_need", "need", "version"),
        CheckConstraint("valid_from < valid_until AND records_from < valid_until", "range"),
    )

    id: Column[MemberPermissionId] = keep(primary_key=True)
    member_id: Column[MemberId] = keep(ForeignKey("member.id"), index=True)
    need: Column[str] = keep()
    version: Column[int] = keep()
    state: Column[str] = _member_permission_state()
    interval: Column[Interval] = keep(name="interval_minutes")
    identification: Column[str] = identification(personal=Erasure.KEPT)
    reading: Column[str] = check(
        "reading",
        "reading IN ('individual', 'sum')",
        server_default="individual",
        personal=Erasure.KEPT,
    )
    records_from: Column[datetime] = keep()
    valid_from: Column[datetime] = keep()
    valid_until: Column[datetime] = keep()
    shown_sha256: Column[str] = check("text", "length(shown_sha256) = 64", personal=Erasure.KEPT)
    shown_language: Column[str] = keep()
    erase_at: Column[datetime | None] = keep()
    announced_at: Column[datetime | None] = keep()
    notified_at: Column[datetime | None] = keep()


class MemberPermissionSeriesRow(Base, personal=Erasure.WITH_PERMISSION):
    """One series that a member lets us read, under the name that it has with us.

    `series_id` is empty until its first records determine it, and stays so of a series of
    which masked reports come: these are of the direction `masked_direction`. `subscribed_kva` is
    the subscribed power of its meter, as the member says it. The past was asked for up to
    `backfilled_until`; `last_received_at` is when records or reports last came; `problem` why no
    more do. `invalid_at` is the hour of the last report that did not prove its value, until a later
    one does.
    """

    __table_args__ = (
        unique_where(
            "uq_member_permission_series_masked",
            "permission_id",
            "masked_direction",
            where="masked_direction IS NOT NULL",
        ),
    )

    permission_id: Column[MemberPermissionId] = column(
        ForeignKey("member_permission.id"), primary_key=True
    )
    identifier: Column[str] = column(primary_key=True, index=True)
    series_id: Column[SeriesId | None] = column(ForeignKey("series.id"), index=True)
    masked_direction: Column[Direction | None] = column(index=True)
    subscribed_kva: Column[int | None] = subscribed_kva()
    backfilled_until: Column[datetime | None]
    subscribed_at: Column[datetime | None]
    last_received_at: Column[datetime | None]
    problem: Column[str | None]
    invalid_at: Column[datetime | None]


class MaskedReportRow(Base, clustered=True, personal=Erasure.AT_CLOSING):
    """A masked value of an hour that a member sent: the last one counts, until the hour is closed.

    `day` is of the key that masks it. `masked` is the value with its proof, 82 elements of 8 bytes:
    docs/protected-sums-specification.md. Nothing of the home can be computed from them.
    """

    direction: Column[Direction] = column(primary_key=True)
    start: Column[datetime] = column(primary_key=True)
    permission_id: Column[MemberPermissionId] = column(
        ForeignKey("member_permission.id"), primary_key=True, index=True
    )
    day: Column[date]
    nonce: Column[bytes] = check("nonce", "length(nonce) = 16")
    masked: Column[bytes] = check("masked", "length(masked) = 656")


class OpeningRow(Base, personal=False):
    """What a witness (a bare JID) is asked to open of an hour, until its protected sum is closed.

    It is stored before it is sent, so that the very same is asked again after a failure. `groups`
    is which communes each group of it has, with its masked sums, as JSON; `request` their homes,
    with the verifier of each report under `verification_key`: it is computed once. `sums_sent` is
    set before the sums leave: from then on, no other set of homes is asked for. `answer` is what
    the witness said, as JSON, or that it was given up.
    """

    direction: Column[Direction] = column(primary_key=True)
    start: Column[datetime] = column(primary_key=True)
    witness: Column[str] = column(primary_key=True)
    groups: Column[str]
    verification_key: Column[bytes] = check("key", "length(verification_key) = 32")
    request: Column[bytes] = column(personal=Erasure.TOGETHER)
    asked_at: Column[datetime]
    sums_sent: Column[int] = check("sums_sent", "sums_sent IN (0, 1)")
    answer: Column[str | None]


class DeviceClaimRow(Base, personal=Erasure.CLAIM):
    """A device under whose name a member shares; of those who name one, a single one counts.

    `settled_at` is when an administrator decided who, by which `proof`.
    """

    __table_args__ = (unique_where("ix_device_claim_counts", "device", where="counts = 1"),)

    device: Column[str] = column(primary_key=True)
    member_id: Column[MemberId] = column(ForeignKey("member.id"), primary_key=True, index=True)
    claimed_at: Column[datetime]
    counts: Column[int] = check("counts", "counts IN (0, 1)")
    settled_at: Column[datetime | None]
    proof: Column[str | None] = check("proof", "proof IN ('meter', 'operator')")


class SetAsideRow(Base, clustered=True, personal=Erasure.WITH_SERIES):
    """A record that is not plausible: it is in no block and no sum.

    `excluded_at` is when an administrator decided that it stays out.
    """

    series_id: Column[SeriesId] = series_key()
    start: Column[datetime] = column(primary_key=True)
    value: Column[int]
    received_at: Column[datetime]
    excluded_at: Column[datetime | None]


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

    seq: Column[int] = keep(primary_key=True)
    permission_id: Column[MemberPermissionId] = keep()
    state: Column[str] = _member_permission_state()
    at: Column[datetime] = keep()
    actor: Column[str] = keep()
    text_hash: Column[str | None] = check(
        "text", "(text_hash IS NOT NULL) = (state = 'granted')", personal=Erasure.KEPT
    )
    erased: Column[int | None] = check(
        "erased",
        "erased IS NULL OR (erased >= 0 AND state <> 'granted')",
        personal=Erasure.KEPT,
    )


class MemberLetterRow(Base, personal=Erasure.WITH_MEMBER):
    """A letter to a member, for a year. `refusal` is the condition of its node's refusal."""

    __table_args__ = (Index(None, "member_id", "written_at"),)

    id: Column[str] = column(primary_key=True)
    member_id: Column[MemberId] = column(ForeignKey("member.id", ondelete="CASCADE"))
    written_at: Column[datetime] = column(index=True)
    body: Column[Mapping[str, str]]
    delivered_at: Column[datetime | None]
    refusal: Column[str | None]


class AccessLogRow(Base):
    """Who read what of whom, beside the table `answer`: pages, exports, commands."""

    __table_args__ = (Index(None, "member_id", "at"),)

    id: Column[int] = keep(primary_key=True)
    at: Column[datetime] = keep()
    who: Column[str] = column(personal=Erasure.PSEUDONYM)
    what: Column[str] = keep()
    member_id: Column[MemberId | None] = keep(ForeignKey("member.id"))
    range_start: Column[datetime | None] = keep()
    range_end: Column[datetime | None] = keep()
    records: Column[int] = keep()


class AdministratorRow(Base, personal=Erasure.ADMINISTRATOR):
    """Who may administer this collective, with the Argon2id of their password."""

    name: Column[str] = column(primary_key=True)
    password_hash: Column[str]
    created_at: Column[datetime]


class AdminSessionRow(Base, personal=Erasure.ADMINISTRATOR):
    """An administrator who logged in, by the SHA-256 of the token that their browser has."""

    token_hash: Column[str] = column(primary_key=True)
    administrator: Column[str] = column(ForeignKey("administrator.name", ondelete="CASCADE"))
    created_at: Column[datetime]
    seen_at: Column[datetime]
    expires_at: Column[datetime]


class ClosedIntervalRow(Base, clustered=True, personal=False):
    """An interval that was closed: nothing more of its kind is ever published, or changed.

    Records and protected sums (`protected`) are two kinds. Of the members from which records or
    reports were expected (`expected`), `response` sent theirs. `reason` is why the sum of all homes
    is suppressed, where it is.
    """

    __table_args__ = (CheckConstraint("protected = 0 OR interval_minutes = 60", "protected_hours"),)

    direction: Column[Direction] = column(primary_key=True)
    interval: Column[Interval] = column(name="interval_minutes", primary_key=True)
    protected: Column[int] = check("protected", "protected IN (0, 1)", primary_key=True)
    start: Column[datetime] = column(primary_key=True)
    closed_at: Column[datetime]
    expected: Column[int]
    response: Column[int]
    reason: Column[str | None]


class ClosedMonthRow(Base, clustered=True, personal=False):
    """A civil month whose days were all closed, with the quartiles of its homes, if it has any.

    They are of the mean energy of a home's days, in watt-minutes, of so many `homes`. `until` is
    when the month ends. Written once: a month that was closed without quartiles never has any.
    """

    __table_args__ = (
        CheckConstraint("until - start BETWEEN 2415600 AND 2682000", "until"),
        CheckConstraint(
            "(homes IS NULL AND lower IS NULL AND median IS NULL AND upper IS NULL)"
            " OR (homes >= 12 AND lower <= median AND median <= upper)",
            "quartiles",
        ),
    )

    direction: Column[Direction] = column(primary_key=True)
    start: Column[datetime] = column(primary_key=True)
    until: Column[datetime]
    homes: Column[int | None]
    lower: Column[int | None]
    median: Column[int | None]
    upper: Column[int | None]


class PublishedCellRow(Base, clustered=True, personal=False):
    """What was published of a group in an interval, in watt-minutes: written once.

    It sums `members`, of which `homes` are homes, out of `counting` homes that counted then. `day`
    is the civil day. The cell of a civil day is the sum of its published intervals, `minutes` in
    all, and of homes that send days alone. `homes_watt_minutes` is the energy of its homes, and
    `average` that of one of them; of one member, where it has no homes. The average of a day adds
    up those of its intervals, so that it stays what it is where homes are missing from some. In
    `lacking` of its minutes, all homes that count are missing from it, or those of a collective.

    Records and protected sums (`protected`) are two kinds, each judged and written by itself: a
    figure is the sum of both. In `unopened` minutes of a cell of records, enough homes for a
    protected sum count. They are in a cell of its own, if a witness opens it.
    """

    __table_args__ = (CheckConstraint("protected = 0 OR interval_minutes = 60", "protected_hours"),)

    group_id: Column[GroupId] = column(ForeignKey("member_group.id"), primary_key=True)
    direction: Column[Direction] = column(primary_key=True)
    interval: Column[Interval] = column(name="interval_minutes", primary_key=True)
    protected: Column[int] = check("protected", "protected IN (0, 1)", primary_key=True)
    start: Column[datetime] = column(primary_key=True)
    day: Column[date]
    watt_minutes: Column[int]
    members: Column[int]
    homes: Column[int] = check("homes", "homes BETWEEN 0 AND members")
    counting: Column[int] = check("counting", "counting >= homes")
    homes_watt_minutes: Column[int]
    average: Column[int]
    minutes: Column[int]
    lacking: Column[int] = check("lacking", "lacking BETWEEN 0 AND minutes")
    unopened: Column[int] = check("unopened", "unopened BETWEEN 0 AND minutes")


class GroupPartRow(Base, clustered=True, personal=False):
    """A group that is published together with others, and one of these."""

    group_id: Column[GroupId] = column(ForeignKey("member_group.id"), primary_key=True)
    part_id: Column[GroupId] = column(ForeignKey("member_group.id"), primary_key=True, index=True)


class ChallengeRow(Base, personal=False):
    """A challenge between groups: to use so many percent less, from one civil day to another."""

    __table_args__ = (CheckConstraint("first_day < last_day", "days"),)

    id: Column[ChallengeId] = column(primary_key=True)
    name_fr: Column[str]
    name_en: Column[str]
    first_day: Column[date]
    last_day: Column[date]
    objective_percent: Column[int] = check("objective", "objective_percent BETWEEN 1 AND 50")


class ChallengeParticipantRow(Base, clustered=True, personal=False):
    """A group that takes part in a challenge."""

    challenge_id: Column[ChallengeId] = column(
        ForeignKey("challenge.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Column[GroupId] = column(ForeignKey("member_group.id"), primary_key=True, index=True)


class WitnessCodeRow(Base, personal=False):
    """A code by which one home may enrol for a collective, by its SHA-256. `id` is its number."""

    __table_args__ = (CheckConstraint("created_at < expires_at", "expires_at"),)

    id: Column[str] = column(primary_key=True)
    code_hash: Column[str] = check("code_hash", "length(code_hash) = 64", unique=True)
    collective: Column[str] = column(index=True)
    created_at: Column[datetime]
    expires_at: Column[datetime]
    revoked_at: Column[datetime | None]


class WitnessEnrolmentRow(Base, personal=Erasure.WITNESSED):
    """A home that enrolled with this node, as the witness of a collective, by its permission's id.

    `code_id` is the code of its household, which is used thereby. Its keys are in a file apart
    (`store/keys.py`). A home whose keys are lost enrols again by its code: `enrolled_at` is then of
    its last enrolment. A home that has left comes back under another permission alone.
    """

    # It covers `register.fingerprint`, which is asked for with each request.
    __table_args__ = (Index(None, "collective", "left_at", "enrolled_at"),)

    id: Column[int] = column(primary_key=True)
    code_id: Column[str] = column(ForeignKey("witness_code.id"), unique=True)
    collective: Column[str]
    pseudonym: Column[str] = column(unique=True)
    need: Column[str]
    version: Column[int]
    need_sha256: Column[str]
    minimum: Column[int] = check("minimum", "minimum >= 3")
    directions: Column[str]
    enrolled_at: Column[datetime]
    left_at: Column[datetime | None]


class WitnessOpeningRow(Base, personal=False):
    """What this node, as a witness, answered to a request for an hour: written before it left.

    `verification_sha256` is of the homes and their reports, `request_sha256` of these and of the
    sums, `answer` the `<opened>`.
    """

    __table_args__ = (UniqueConstraint("collective", "request"),)

    id: Column[int] = column(primary_key=True)
    collective: Column[str]
    request: Column[str]
    verification_sha256: Column[str] = check(
        "verification_sha256", "length(verification_sha256) = 64"
    )
    request_sha256: Column[str] = check("request_sha256", "length(request_sha256) = 64")
    answer: Column[str]
    at: Column[datetime]


class WitnessHeadRow(Base, personal=False):
    """A head of this node as a witness: after `number` answers, the hash chained over them."""

    number: Column[int] = column(primary_key=True, autoincrement=False)
    chain: Column[bytes] = check("chain", "length(chain) = 32")


class WitnessLedgerRow(Base, personal=False):
    """Homes of which an hour of a direction is never opened again, as a bitmap of enrolments' ids.

    They are in one sum, which was opened or, for a `reason`, was not. `number` counts the sums of
    an opening.
    """

    __table_args__ = (
        Index(None, "collective", "direction", "hour"),
        Index(None, "collective", "reason"),
    )

    opening_id: Column[int] = column(ForeignKey("witness_opening.id"), primary_key=True)
    number: Column[int] = column(primary_key=True, autoincrement=False)
    collective: Column[str]
    direction: Column[Direction]
    hour: Column[datetime]
    homes: Column[int] = check("homes", "homes >= 1")
    reason: Column[str | None]
    enrolments: Column[bytes] = column(personal=Erasure.WITNESSED)


class WitnessVerificationRow(Base, personal=False):
    """Reports of an hour of a direction that were verified.

    Of each enrolment, `fingerprints` has the id in 4 bytes, and 16 of what its report was verified
    with: nothing else is verified for it, until `witness_ledger` marks it. `invalid` is a bitmap of
    enrolments' ids, as there, of invalid reports. `at` is when the last were verified. The row goes
    once all are marked and none was invalid, or once their keys are forgotten.
    """

    collective: Column[str] = column(primary_key=True)
    direction: Column[Direction] = column(primary_key=True)
    hour: Column[datetime] = column(primary_key=True)
    fingerprints: Column[bytes] = column(personal=Erasure.WITNESSED)
    invalid: Column[bytes] = column(personal=Erasure.WITNESSED)
    at: Column[datetime]
