"""Members of a collective, what they granted, and the sums of what they told.

Revises: 0002
"""

from datetime import date

from alembic import op
import sqlalchemy as sa

from consometers_node.store.migrations.guards import PIN, Guard, kept, write_once

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DAY = sa.Date().with_variant(sa.Text(), "sqlite")

STRICT = {"sqlite_strict": True}
CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}
NUMBERED = {"sqlite_strict": True, "sqlite_autoincrement": True}

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


def _whole(name: str, *, primary_key: bool = False, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, WHOLE, primary_key=primary_key, nullable=nullable)


def _text(name: str, *, primary_key: bool = False, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=primary_key, nullable=nullable)


def _day(name: str, *, primary_key: bool = False, nullable: bool = False) -> sa.Column[date]:
    return sa.Column(name, DAY, primary_key=primary_key, nullable=nullable)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, op.f(f"ck_{table}_{name}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f("_".join(("uq", table, *columns))))


def _reference(table: str, columns: str, to: str, ondelete: str | None = None) -> sa.Constraint:
    own = columns.split(", ")
    target, _, theirs = to.partition(": ")
    return sa.ForeignKeyConstraint(
        own,
        [f"{target}.{column}" for column in theirs.split(", ")],
        name=op.f("_".join(("fk", table, *own))),
        ondelete=ondelete,
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f("_".join(("ix", table, *columns))), table, list(columns))


def _members() -> None:
    op.create_table(
        "own_need",
        _text("need", primary_key=True),
        _whole("version", primary_key=True),
        _text("body"),
        _whole("offered_at"),
        _whole("closed_at", nullable=True),
        _check("own_need", "version", "version >= 1"),
        **STRICT,
    )
    op.create_table(
        "invitation",
        _text("id", primary_key=True),
        _text("token_hash"),
        _text("note"),
        _text("kind"),
        _text("area", nullable=True),
        _whole("made_at"),
        _whole("expires_at"),
        _whole("most_uses", nullable=True),
        _whole("uses"),
        _whole("revoked_at", nullable=True),
        _unique("invitation", "token_hash"),
        _check("invitation", "uses", "uses >= 0 AND (most_uses IS NULL OR uses <= most_uses)"),
        _check("invitation", "kind", f"kind IN {MEMBER_KINDS}"),
        **STRICT,
    )
    op.create_table(
        "member",
        _whole("id", primary_key=True),
        _text("pseudonym"),
        _text("jid", nullable=True),
        _text("kind"),
        _text("name", nullable=True),
        _text("description", nullable=True),
        _text("area", nullable=True),
        _text("invitation_id", nullable=True),
        _whole("joined_at"),
        _whole("left_at", nullable=True),
        _reference("member", "invitation_id", "invitation: id"),
        _unique("member", "pseudonym"),
        _unique("member", "jid"),
        _check("member", "kind", f"kind IN {MEMBER_KINDS}"),
        _check("member", "name", "name IS NULL OR kind <> 'home'"),
        **NUMBERED,
    )
    op.create_table(
        "member_group",
        _whole("id", primary_key=True),
        _text("kind"),
        _text("name"),
        _unique("member_group", "kind", "name"),
        _check("member_group", "kind", "kind IN ('all', 'area', 'building', 'site')"),
        **NUMBERED,
    )
    op.create_table(
        "in_group",
        _whole("member_id", primary_key=True),
        _whole("group_id", primary_key=True),
        _day("from_month", primary_key=True),
        _day("until_month", nullable=True),
        _reference("in_group", "member_id", "member: id"),
        _reference("in_group", "group_id", "member_group: id"),
        **CLUSTERED,
    )
    _index("in_group", "group_id", "from_month")


def _given() -> None:
    op.create_table(
        "given",
        _text("id", primary_key=True),
        _whole("member_id"),
        _text("need"),
        _whole("version"),
        _text("state"),
        _whole("interval_minutes"),
        _text("identification"),
        _whole("records_from"),
        _whole("valid_from"),
        _whole("valid_until"),
        _text("shown_sha256"),
        _text("shown_language"),
        _whole("erase_at", nullable=True),
        _whole("told_at", nullable=True),
        _reference("given", "member_id", "member: id"),
        _reference("given", "need, version", "own_need: need, version"),
        _check("given", "state", f"state IN {GIVEN_STATES}"),
        _check("given", "interval", f"interval_minutes IN {INTERVALS}"),
        _check("given", "identification", "identification IN ('pseudonym', 'delivery-point')"),
        **STRICT,
    )
    _index("given", "member_id")
    op.create_table(
        "given_series",
        _text("given_id", primary_key=True),
        _text("identifier", primary_key=True),
        _whole("series_id", nullable=True),
        _whole("asked_until", nullable=True),
        _whole("subscribed_at", nullable=True),
        _whole("heard_at", nullable=True),
        _text("problem", nullable=True),
        _reference("given_series", "given_id", "given: id"),
        _reference("given_series", "series_id", "series: id"),
        **STRICT,
    )
    _index("given_series", "identifier")
    op.create_table(
        "given_register",
        _whole("seq", primary_key=True),
        _text("given_id"),
        _text("state"),
        _whole("at"),
        _text("actor"),
        _text("text_hash", nullable=True),
        _whole("erased", nullable=True),
        _check("given_register", "state", f"state IN {GIVEN_STATES}"),
        _check("given_register", "actor", "actor IN ('member', 'collective', 'clock')"),
        **NUMBERED,
    )
    _index("given_register", "given_id", "seq")
    op.create_table(
        "read_log",
        _whole("id", primary_key=True),
        _whole("at"),
        _text("who"),
        _text("what"),
        _whole("member_id", nullable=True),
        _whole("range_start", nullable=True),
        _whole("range_end", nullable=True),
        _whole("records"),
        _reference("read_log", "member_id", "member: id"),
        **NUMBERED,
    )
    _index("read_log", "member_id", "at")


def _sums() -> None:
    op.create_table(
        "member_count",
        _whole("series_id", primary_key=True),
        _day("day", primary_key=True),
        _bytes("packed"),
        _reference("member_count", "series_id", "series: id", ondelete="CASCADE"),
        **CLUSTERED,
    )
    op.create_table(
        "sum_block",
        _whole("group_id", primary_key=True),
        _text("direction", primary_key=True),
        _whole("interval_minutes", primary_key=True),
        _day("day", primary_key=True),
        _text("kind", primary_key=True),
        _bytes("sums"),
        _bytes("counts"),
        _bytes("largest"),
        _whole("changed_at"),
        _reference("sum_block", "group_id", "member_group: id"),
        _check("sum_block", "direction", f"direction IN {DIRECTIONS}"),
        _check("sum_block", "interval", f"interval_minutes IN {INTERVALS}"),
        _check("sum_block", "kind", f"kind IN {MEMBER_KINDS}"),
        postgresql_partition_by="RANGE (day)",
        **CLUSTERED,
    )
    op.create_table(
        "member_day",
        _whole("member_id", primary_key=True),
        _text("direction", primary_key=True),
        _day("day", primary_key=True),
        _whole("watt_minutes"),
        _whole("records"),
        _whole("expected"),
        _reference("member_day", "member_id", "member: id"),
        _check("member_day", "direction", f"direction IN {DIRECTIONS}"),
        _check("member_day", "records", "records BETWEEN 0 AND expected"),
        **CLUSTERED,
    )
    _index("member_day", "direction", "day")


def _keep_by_month() -> None:
    """Let PostgreSQL keep what grows by month; what is there already stays where it is."""
    op.execute("ALTER TABLE block RENAME TO block_other")
    op.execute("ALTER INDEX pk_block RENAME TO pk_block_other")
    op.create_table(
        "block",
        _whole("series_id", primary_key=True),
        _day("day", primary_key=True),
        _bytes("packed"),
        _whole("changed_at"),
        _reference("block", "series_id", "series: id", ondelete="CASCADE"),
        postgresql_partition_by="RANGE (day)",
    )
    op.execute("ALTER TABLE block ATTACH PARTITION block_other DEFAULT")
    op.execute("CREATE TABLE sum_block_other PARTITION OF sum_block DEFAULT")


def _releases() -> None:
    op.create_table(
        "released_block",
        _whole("group_id", primary_key=True),
        _text("direction", primary_key=True),
        _whole("interval_minutes", primary_key=True),
        _day("day", primary_key=True),
        _bytes("sums"),
        _bytes("counts"),
        _bytes("reasons"),
        _whole("final"),
        _whole("released_at", nullable=True),
        _reference("released_block", "group_id", "member_group: id"),
        _check("released_block", "direction", f"direction IN {DIRECTIONS}"),
        _check("released_block", "interval", f"interval_minutes IN {INTERVALS}"),
        _check("released_block", "final", "final IN (0, 1)"),
        **CLUSTERED,
    )
    op.create_table(
        "unreleased",
        _text("direction", primary_key=True),
        _whole("interval_minutes", primary_key=True),
        _day("day", primary_key=True),
        _whole("member_id", primary_key=True),
        _bytes("before"),
        _bytes("now"),
        _bytes("counted"),
        _reference("unreleased", "member_id", "member: id"),
        **CLUSTERED,
    )
    _index("unreleased", "member_id")
    op.create_table(
        "to_release",
        _text("direction", primary_key=True),
        _whole("interval_minutes", primary_key=True),
        _day("day", primary_key=True),
        _whole("due_at"),
        **CLUSTERED,
    )
    _index("to_release", "due_at")


def _administration() -> None:
    op.create_table(
        "administrator",
        _text("name", primary_key=True),
        _text("password_hash"),
        _whole("made_at"),
        **STRICT,
    )
    op.create_table(
        "admin_session",
        _text("token_hash", primary_key=True),
        _text("administrator"),
        _whole("made_at"),
        _whole("seen_at"),
        _whole("expires_at"),
        _reference("admin_session", "administrator", "administrator: name", ondelete="CASCADE"),
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
