"""Members of a collective, what they granted, and the sums of what they told.

Revises: 0002
"""

from alembic import op

from consometers_node.store.migrations.columns import (
    CLUSTERED,
    NUMBERED,
    STRICT,
    blob,
    check,
    day,
    index,
    reference,
    unique,
    whole,
    words,
)
from consometers_node.store.migrations.guards import PIN, Guard, kept, write_once

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DIRECTIONS = "('consumption', 'injection', 'production')"
INTERVALS = "(5, 30, 60, 1440)"
MEMBER_KINDS = "('home', 'site', 'collective')"
GIVEN_STATES = "('granted', 'withdrawn', 'terminated', 'expired')"


def upgrade() -> None:
    """Make them all; a household's stay empty."""
    _members()
    _given()
    _sums()
    _releases()
    _administration()
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        _keep_by_month()
        op.execute(PIN)
    for rule in RULES:
        for statement in rule.create(dialect):
            op.execute(statement)


def _members() -> None:
    op.create_table(
        "own_need",
        words("need", primary_key=True),
        whole("version", primary_key=True),
        words("body"),
        whole("offered_at"),
        whole("closed_at", nullable=True),
        check("own_need", "version", "version >= 1"),
        **STRICT,
    )
    op.create_table(
        "invitation",
        words("id", primary_key=True),
        words("token_hash"),
        words("note"),
        words("kind"),
        words("area", nullable=True),
        whole("made_at"),
        whole("expires_at"),
        whole("most_uses", nullable=True),
        whole("uses"),
        whole("revoked_at", nullable=True),
        unique("invitation", "token_hash"),
        check("invitation", "uses", "uses >= 0 AND (most_uses IS NULL OR uses <= most_uses)"),
        check("invitation", "kind", f"kind IN {MEMBER_KINDS}"),
        **STRICT,
    )
    op.create_table(
        "member",
        whole("id", primary_key=True),
        words("pseudonym"),
        words("jid", nullable=True),
        words("kind"),
        words("name", nullable=True),
        words("description", nullable=True),
        words("area", nullable=True),
        words("invitation_id", nullable=True),
        whole("joined_at"),
        whole("left_at", nullable=True),
        reference("member", "invitation_id", "invitation: id"),
        unique("member", "pseudonym"),
        unique("member", "jid"),
        check("member", "kind", f"kind IN {MEMBER_KINDS}"),
        check("member", "name", "name IS NULL OR kind <> 'home'"),
        **NUMBERED,
    )
    op.create_table(
        "member_group",
        whole("id", primary_key=True),
        words("kind"),
        words("name"),
        unique("member_group", "kind", "name"),
        check("member_group", "kind", "kind IN ('all', 'area', 'building', 'site')"),
        **NUMBERED,
    )
    op.create_table(
        "in_group",
        whole("member_id", primary_key=True),
        whole("group_id", primary_key=True),
        day("from_month", primary_key=True),
        day("until_month", nullable=True),
        reference("in_group", "member_id", "member: id"),
        reference("in_group", "group_id", "member_group: id"),
        **CLUSTERED,
    )
    index("in_group", "group_id", "from_month")


def _given() -> None:
    op.create_table(
        "given",
        words("id", primary_key=True),
        whole("member_id"),
        words("need"),
        whole("version"),
        words("state"),
        whole("interval_minutes"),
        words("identification"),
        whole("records_from"),
        whole("valid_from"),
        whole("valid_until"),
        words("shown_sha256"),
        words("shown_language"),
        whole("erase_at", nullable=True),
        whole("told_at", nullable=True),
        reference("given", "member_id", "member: id"),
        reference("given", "need, version", "own_need: need, version"),
        check("given", "state", f"state IN {GIVEN_STATES}"),
        check("given", "interval", f"interval_minutes IN {INTERVALS}"),
        check("given", "identification", "identification IN ('pseudonym', 'delivery-point')"),
        **STRICT,
    )
    index("given", "member_id")
    op.create_table(
        "given_series",
        words("given_id", primary_key=True),
        words("identifier", primary_key=True),
        whole("series_id", nullable=True),
        whole("asked_until", nullable=True),
        whole("subscribed_at", nullable=True),
        whole("heard_at", nullable=True),
        words("problem", nullable=True),
        reference("given_series", "given_id", "given: id"),
        reference("given_series", "series_id", "series: id"),
        **STRICT,
    )
    index("given_series", "identifier")
    op.create_table(
        "given_register",
        whole("seq", primary_key=True),
        words("given_id"),
        words("state"),
        whole("at"),
        words("actor"),
        words("text_hash", nullable=True),
        whole("erased", nullable=True),
        check("given_register", "state", f"state IN {GIVEN_STATES}"),
        check("given_register", "actor", "actor IN ('member', 'collective', 'clock')"),
        **NUMBERED,
    )
    index("given_register", "given_id", "seq")
    op.create_table(
        "read_log",
        whole("id", primary_key=True),
        whole("at"),
        words("who"),
        words("what"),
        whole("member_id", nullable=True),
        whole("range_start", nullable=True),
        whole("range_end", nullable=True),
        whole("records"),
        reference("read_log", "member_id", "member: id"),
        **NUMBERED,
    )
    index("read_log", "member_id", "at")


def _sums() -> None:
    op.create_table(
        "member_count",
        whole("series_id", primary_key=True),
        day("day", primary_key=True),
        blob("packed"),
        reference("member_count", "series_id", "series: id", ondelete="CASCADE"),
        **CLUSTERED,
    )
    op.create_table(
        "sum_block",
        whole("group_id", primary_key=True),
        words("direction", primary_key=True),
        whole("interval_minutes", primary_key=True),
        day("day", primary_key=True),
        words("kind", primary_key=True),
        blob("sums"),
        blob("counts"),
        blob("largest"),
        whole("changed_at"),
        reference("sum_block", "group_id", "member_group: id"),
        check("sum_block", "direction", f"direction IN {DIRECTIONS}"),
        check("sum_block", "interval", f"interval_minutes IN {INTERVALS}"),
        check("sum_block", "kind", f"kind IN {MEMBER_KINDS}"),
        postgresql_partition_by="RANGE (day)",
        **CLUSTERED,
    )
    op.create_table(
        "member_day",
        whole("member_id", primary_key=True),
        words("direction", primary_key=True),
        day("day", primary_key=True),
        whole("watt_minutes"),
        whole("records"),
        whole("expected"),
        reference("member_day", "member_id", "member: id"),
        check("member_day", "direction", f"direction IN {DIRECTIONS}"),
        check("member_day", "records", "records BETWEEN 0 AND expected"),
        **CLUSTERED,
    )
    index("member_day", "direction", "day")


def _keep_by_month() -> None:
    """Let PostgreSQL keep what grows by month; what is there already stays where it is."""
    op.execute("ALTER TABLE block RENAME TO block_other")
    op.execute("ALTER INDEX pk_block RENAME TO pk_block_other")
    op.create_table(
        "block",
        whole("series_id", primary_key=True),
        day("day", primary_key=True),
        blob("packed"),
        whole("changed_at"),
        reference("block", "series_id", "series: id", ondelete="CASCADE"),
        postgresql_partition_by="RANGE (day)",
    )
    op.execute("ALTER TABLE block ATTACH PARTITION block_other DEFAULT")
    op.execute("CREATE TABLE sum_block_other PARTITION OF sum_block DEFAULT")


def _releases() -> None:
    op.create_table(
        "released_block",
        whole("group_id", primary_key=True),
        words("direction", primary_key=True),
        whole("interval_minutes", primary_key=True),
        day("day", primary_key=True),
        blob("sums"),
        blob("counts"),
        blob("reasons"),
        whole("final"),
        whole("released_at", nullable=True),
        reference("released_block", "group_id", "member_group: id"),
        check("released_block", "direction", f"direction IN {DIRECTIONS}"),
        check("released_block", "interval", f"interval_minutes IN {INTERVALS}"),
        check("released_block", "final", "final IN (0, 1)"),
        **CLUSTERED,
    )
    op.create_table(
        "unreleased",
        words("direction", primary_key=True),
        whole("interval_minutes", primary_key=True),
        day("day", primary_key=True),
        whole("member_id", primary_key=True),
        blob("before"),
        blob("now"),
        blob("counted"),
        reference("unreleased", "member_id", "member: id"),
        **CLUSTERED,
    )
    index("unreleased", "member_id")
    op.create_table(
        "to_release",
        words("direction", primary_key=True),
        whole("interval_minutes", primary_key=True),
        day("day", primary_key=True),
        whole("due_at"),
        **CLUSTERED,
    )
    index("to_release", "due_at")


def _administration() -> None:
    op.create_table(
        "administrator",
        words("name", primary_key=True),
        words("password_hash"),
        whole("made_at"),
        **STRICT,
    )
    op.create_table(
        "admin_session",
        words("token_hash", primary_key=True),
        words("administrator"),
        whole("made_at"),
        whole("seen_at"),
        whole("expires_at"),
        reference("admin_session", "administrator", "administrator: name", ondelete="CASCADE"),
        **STRICT,
    )


RULES: tuple[Guard, ...] = (
    Guard(
        name="own_need_stands",
        table="own_need",
        event="UPDATE",
        allows="NEW.need = OLD.need AND NEW.version = OLD.version AND NEW.body = OLD.body"
        " AND NEW.offered_at = OLD.offered_at",
        message="what was asked is not altered: ask again, with a new version",
    ),
    *kept("own_need", "need, version"),
    *write_once("given_register", "seq"),
)
