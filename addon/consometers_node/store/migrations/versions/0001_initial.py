"""All tables of a node, and the rules that its database keeps by itself.

Revises: nothing
"""

from collections.abc import Iterable, Iterator

from alembic import op
import sqlalchemy as sa

from consometers_node.store.migrations.columns import (
    CLUSTERED,
    NUMBERED,
    STRICT,
    WHOLE,
    blob,
    check,
    checks,
    counted,
    day,
    index,
    reference,
    unique,
    whole,
    words,
)
from consometers_node.store.migrations.guards import (
    NOW,
    PIN,
    Effect,
    Guard,
    Numbering,
    kept,
    says,
    stands_on,
    write_once,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

DIRECTIONS = "('consumption', 'injection', 'production')"
QUANTITIES = "('energy', 'power')"
INTERVALS = "(5, 30, 60, 1440)"
SERIES_FACTS = (
    "device",
    "direction",
    "quantity",
    "interval_minutes",
    "time_zone",
    "member_id",
)
STATES = "('proposed', 'granted', 'refused', 'withdrawn', 'terminated', 'expired')"
IDENTIFICATIONS = "('pseudonym', 'delivery-point', 'name')"
GROUP_KINDS = "('all', 'area', 'rest', 'combined', 'building', 'site')"
MEMBER_KINDS = "('home', 'site', 'collective')"
GIVEN_STATES = "('granted', 'withdrawn', 'terminated', 'expired')"

SERIES_SAYS = {
    "direction": f"{{0}}direction IN {DIRECTIONS}",
    "quantity": f"{{0}}quantity IN {QUANTITIES}",
    "interval": f"{{0}}interval_minutes IN {INTERVALS}",
}
WANTED_SAYS = {name: SERIES_SAYS[name] for name in ("direction", "quantity")}
DATA_NEED_SAYS = {
    "version": "{0}version >= 1",
    "interval": f"{{0}}interval_minutes IN {INTERVALS}",
    "reading": "{0}reading IN ('individual', 'sum')",
    "identification": f"{{0}}identification IN {IDENTIFICATIONS}",
    "history": "{0}history_days BETWEEN 0 AND 36600",
    "duration": "{0}duration_days BETWEEN 1 AND 36600",
    "retention": "{0}retention_days BETWEEN 0 AND 36600",
}
SHOWN_TEXT_SAYS = {
    "hash": "length({0}hash) = 64",
    "digits": "trim({0}hash, '0123456789abcdef') = ''",
    "body": "trim({0}body) <> ''",
}
REGISTER_SAYS = {
    "actor": (
        "({0}state = 'proposed' AND {0}actor IN ('peer', 'household'))"
        " OR ({0}state IN ('granted', 'refused', 'withdrawn') AND {0}actor = 'household')"
        " OR ({0}state = 'terminated' AND {0}actor = 'peer')"
        " OR ({0}state = 'expired' AND {0}actor = 'clock')"
    ),
    "who": "({0}actor = 'clock') = ({0}who IS NULL)",
    "language": "({0}text_hash IS NULL) = ({0}language IS NULL)",
    "text": "{0}text_hash IS NOT NULL OR {0}state NOT IN ('granted', 'refused', 'withdrawn')",
}
GIVEN_SAYS = {
    "interval": f"{{0}}interval_minutes IN {INTERVALS}",
    "identification": f"{{0}}identification IN {IDENTIFICATIONS}",
    "range": "{0}valid_from < {0}valid_until AND {0}records_from < {0}valid_until",
    "text": "length({0}shown_sha256) = 64",
}
GIVEN_REGISTER_SAYS = {
    "actor": (
        "({0}state IN ('granted', 'withdrawn') AND {0}actor = 'member')"
        " OR ({0}state = 'terminated' AND {0}actor IN ('member', 'collective'))"
        " OR ({0}state = 'expired' AND {0}actor = 'clock')"
        " OR ({0}erased IS NOT NULL AND {0}actor IN ('member', 'collective', 'clock'))"
    ),
    "erased": "{0}erased IS NULL OR ({0}erased >= 0 AND {0}state <> 'granted')",
    "text": "({0}text_hash IS NOT NULL) = ({0}state = 'granted')",
}


def upgrade() -> None:
    """Create them; those of the other role stay empty."""
    dialect = op.get_bind().dialect.name
    _series()
    _permissions()
    _delivery()
    _recorder()
    _members()
    _given()
    _member_counts()
    _publication()
    _administration()
    if dialect == "postgresql":
        # What grows is kept by month: see store/months.py.
        op.execute("CREATE TABLE block_other PARTITION OF block DEFAULT")
        op.execute(PIN)
    op.execute(PERMITTED.format(now=NOW[dialect]))
    for rule in RULES:
        for statement in rule.create(dialect):
            op.execute(statement)


def _series() -> None:
    op.create_table(
        "peer",
        whole("id", primary_key=True),
        words("jid"),
        words("name"),
        whole("added_at"),
        unique("peer", "jid"),
        **NUMBERED,
    )
    op.create_table(
        "series",
        whole("id", primary_key=True),
        words("device"),
        words("direction"),
        words("quantity"),
        whole("interval_minutes"),
        words("time_zone"),
        sa.Column("member_id", WHOLE, nullable=False, server_default="0"),
        sa.UniqueConstraint(*SERIES_FACTS, name=op.f("uq_series_facts")),
        *checks("series", SERIES_SAYS),
        **NUMBERED,
    )
    index("series", "member_id")
    op.create_table(
        "block",
        whole("series_id", primary_key=True),
        day("day", primary_key=True),
        blob("packed"),
        whole("changed_at"),
        reference("block", "series_id", "series: id", ondelete="CASCADE"),
        postgresql_partition_by="RANGE (day)",
        **CLUSTERED,
    )


def _permissions() -> None:
    op.create_table(
        "data_need",
        whole("id", primary_key=True),
        whole("peer_id"),
        words("need"),
        whole("version"),
        words("title"),
        words("purpose"),
        words("recipients"),
        words("controller"),
        words("contact"),
        words("policy"),
        whole("interval_minutes"),
        words("reading"),
        words("identification"),
        whole("history_days"),
        whole("duration_days"),
        whole("retention_days"),
        whole("received_at"),
        reference("data_need", "peer_id", "peer: id"),
        unique("data_need", "peer_id", "need", "version"),
        unique("data_need", "id", "peer_id", "need"),
        *checks("data_need", DATA_NEED_SAYS),
        **NUMBERED,
    )
    op.create_table(
        "wanted",
        whole("data_need_id", primary_key=True),
        words("direction", primary_key=True),
        words("quantity", primary_key=True),
        reference("wanted", "data_need_id", "data_need: id"),
        *checks("wanted", WANTED_SAYS),
        **CLUSTERED,
    )
    op.create_table(
        "permission",
        words("id", primary_key=True),
        whole("peer_id"),
        whole("data_need_id"),
        words("need"),
        words("state"),
        whole("interval_minutes", nullable=True),
        words("identification", nullable=True),
        whole("records_from", nullable=True),
        whole("valid_from", nullable=True),
        whole("valid_until", nullable=True),
        reference("permission", "data_need_id, peer_id, need", "data_need: id, peer_id, need"),
        unique("permission", "id", "peer_id", "state"),
        check("permission", "state", f"state IN {STATES}"),
        check("permission", "interval", f"interval_minutes IN {INTERVALS}"),
        check("permission", "identification", f"identification IN {IDENTIFICATIONS}"),
        **STRICT,
    )
    _one("permission_proposed", "permission", "data_need_id", where="state = 'proposed'")
    _one("permission_granted", "permission", "peer_id, need", where="state = 'granted'")
    op.create_table(
        "permission_series",
        words("permission_id", primary_key=True),
        whole("series_id", primary_key=True),
        reference("permission_series", "permission_id", "permission: id"),
        reference("permission_series", "series_id", "series: id"),
        **CLUSTERED,
    )
    op.create_table(
        "shown_text",
        words("hash", primary_key=True),
        words("language", primary_key=True),
        words("body"),
        check("shown_text", "hash", "length(hash) = 64"),
        **STRICT,
    )
    op.create_table(
        "register",
        counted("seq"),
        words("permission_id"),
        words("state"),
        whole("at"),
        words("actor"),
        words("who", nullable=True),
        words("text_hash", nullable=True),
        words("language", nullable=True),
        reference("register", "permission_id", "permission: id"),
        reference("register", "text_hash, language", "shown_text: hash, language"),
        check("register", "state", f"state IN {STATES}"),
        *checks("register", REGISTER_SAYS),
        **STRICT,
    )
    index("register", "permission_id", "seq")
    op.create_table(
        "notice",
        whole("seq", primary_key=True),
        whole("erase", nullable=True),
        whole("told_at", nullable=True),
        words("receipt", nullable=True),
        reference("notice", "seq", "register: seq"),
        check("notice", "erase", "erase IN (0, 1)"),
        **STRICT,
    )


def _delivery() -> None:
    op.create_table(
        "subscription",
        whole("peer_id", primary_key=True),
        whole("series_id", primary_key=True),
        whole("since"),
        whole("cursor", nullable=True),
        reference("subscription", "peer_id", "peer: id"),
        reference("subscription", "series_id", "series: id"),
        **CLUSTERED,
    )
    op.create_table(
        "outbox",
        whole("id", primary_key=True),
        whole("peer_id"),
        words("permission_id"),
        sa.Column("granted", sa.Text(), nullable=False, server_default="granted"),
        whole("series_id"),
        whole("range_start"),
        whole("range_end"),
        whole("queued_at"),
        words("stanza", nullable=True),
        whole("sent_at", nullable=True),
        reference("outbox", "permission_id, peer_id, granted", "permission: id, peer_id, state"),
        reference(
            "outbox", "permission_id, series_id", "permission_series: permission_id, series_id"
        ),
        check("outbox", "granted", "granted = 'granted'"),
        check("outbox", "range", "range_start < range_end"),
        **NUMBERED,
    )
    index("outbox", "permission_id", "series_id")
    index("outbox", "peer_id", "stanza")
    op.create_table(
        "answer",
        whole("id", primary_key=True),
        whole("at"),
        whole("peer_id"),
        words("permission_id"),
        whole("series_id"),
        words("command"),
        whole("range_start"),
        whole("range_end"),
        whole("records"),
        reference("answer", "peer_id", "peer: id"),
        reference(
            "answer", "permission_id, series_id", "permission_series: permission_id, series_id"
        ),
        check("answer", "range", "range_start < range_end"),
        check("answer", "records", "records >= 0"),
        **NUMBERED,
    )
    index("answer", "peer_id", "at")
    op.create_table("setting", words("key", primary_key=True), words("value"), **STRICT)
    op.create_table(
        "secret",
        words("name", primary_key=True),
        blob("value"),
        **STRICT,
    )


def _recorder() -> None:
    op.create_table(
        "coverage",
        whole("series_id", primary_key=True),
        whole("covered_from"),
        whole("covered_until"),
        reference("coverage", "series_id", "series: id", ondelete="CASCADE"),
        check("coverage", "range", "covered_from <= covered_until"),
        **STRICT,
    )
    op.create_table(
        "absence",
        whole("away_from", primary_key=True),
        whole("away_until"),
        check("absence", "range", "away_from < away_until"),
        **STRICT,
    )
    op.create_table(
        "pulled_series",
        words("statistic", primary_key=True),
        words("jid"),
        words("identifier"),
        words("name"),
        whole("added_at"),
        whole("until", nullable=True),
        words("problem", nullable=True),
        **STRICT,
    )


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
        whole("believed_w", nullable=True),
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
        check("member_group", "kind", f"kind IN {GROUP_KINDS}"),
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
        whole("announced_at", nullable=True),
        whole("told_at", nullable=True),
        reference("given", "member_id", "member: id"),
        reference("given", "need, version", "own_need: need, version"),
        check("given", "state", f"state IN {GIVEN_STATES}"),
        check("given", "interval", f"interval_minutes IN {INTERVALS}"),
        check("given", "identification", f"identification IN {IDENTIFICATIONS}"),
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
    index("given_series", "series_id")
    op.create_table(
        "device_claim",
        words("device", primary_key=True),
        whole("member_id", primary_key=True),
        whole("claimed_at"),
        whole("counts"),
        whole("settled_at", nullable=True),
        words("proof", nullable=True),
        reference("device_claim", "member_id", "member: id"),
        check("device_claim", "counts", "counts IN (0, 1)"),
        check("device_claim", "proof", "proof IN ('meter', 'operator')"),
        **STRICT,
    )
    index("device_claim", "member_id")
    counting = sa.text("counts = 1")
    op.create_index(
        op.f("ix_device_claim_counts"),
        "device_claim",
        ["device"],
        unique=True,
        sqlite_where=counting,
        postgresql_where=counting,
    )
    op.create_table(
        "set_aside",
        whole("series_id", primary_key=True),
        whole("start", primary_key=True),
        whole("value"),
        whole("came_at"),
        whole("left_out_at", nullable=True),
        reference("set_aside", "series_id", "series: id", ondelete="CASCADE"),
        **CLUSTERED,
    )
    op.create_table(
        "given_register",
        counted("seq"),
        words("given_id"),
        words("state"),
        whole("at"),
        words("actor"),
        words("text_hash", nullable=True),
        whole("erased", nullable=True),
        check("given_register", "state", f"state IN {GIVEN_STATES}"),
        check("given_register", "actor", "actor IN ('member', 'collective', 'clock')"),
        **STRICT,
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


def _member_counts() -> None:
    op.create_table(
        "member_count",
        whole("series_id", primary_key=True),
        day("day", primary_key=True),
        blob("packed"),
        reference("member_count", "series_id", "series: id", ondelete="CASCADE"),
        **CLUSTERED,
    )


def _publication() -> None:
    op.create_table(
        "closed_interval",
        words("direction", primary_key=True),
        whole("interval_minutes", primary_key=True),
        whole("start", primary_key=True),
        whole("closed_at"),
        whole("expected"),
        whole("told"),
        words("reason", nullable=True),
        check("closed_interval", "direction", f"direction IN {DIRECTIONS}"),
        check("closed_interval", "interval", f"interval_minutes IN {INTERVALS}"),
        **CLUSTERED,
    )
    op.create_table(
        "published_cell",
        whole("group_id", primary_key=True),
        words("direction", primary_key=True),
        whole("interval_minutes", primary_key=True),
        whole("start", primary_key=True),
        day("day"),
        whole("watt_minutes"),
        whole("members"),
        whole("homes"),
        whole("counting"),
        whole("per_member"),
        whole("minutes"),
        reference("published_cell", "group_id", "member_group: id"),
        check("published_cell", "direction", f"direction IN {DIRECTIONS}"),
        check("published_cell", "interval", f"interval_minutes IN {INTERVALS}"),
        check("published_cell", "homes", "homes BETWEEN 0 AND members"),
        check("published_cell", "counting", "counting >= homes"),
        **CLUSTERED,
    )
    op.create_table(
        "group_part",
        whole("group_id", primary_key=True),
        whole("part_id", primary_key=True),
        reference("group_part", "group_id", "member_group: id"),
        reference("group_part", "part_id", "member_group: id"),
        **CLUSTERED,
    )
    index("group_part", "part_id")


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


def _one(name: str, table: str, columns: str, where: str) -> None:
    op.create_index(
        op.f(f"uq_{name}"),
        table,
        columns.split(", "),
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


PERMITTED = """
CREATE VIEW permitted AS
SELECT p.id AS permission_id, ps.series_id, p.peer_id, p.identification,
       p.records_from, p.valid_until
FROM permission p
JOIN data_need n ON n.id = p.data_need_id
JOIN permission_series ps ON ps.permission_id = p.id
JOIN series s ON s.id = ps.series_id
JOIN wanted w
  ON w.data_need_id = n.id AND w.direction = s.direction AND w.quantity = s.quantity
WHERE p.state = 'granted'
  AND (SELECT r.state FROM register r
       WHERE r.permission_id = p.id ORDER BY r.seq DESC LIMIT 1) = 'granted'
  AND n.reading = 'individual'
  AND s.interval_minutes >= p.interval_minutes
  AND p.interval_minutes >= n.interval_minutes
  AND {now} < p.valid_until
"""
"""What may leave now: a permission and the last entry about it both say so.

A data need that asks for a sum alone lets no record of a home leave.
"""

SOON = "abs({at} - {{now}}) <= 300"
"""The node's clock and the database's agree to five minutes."""

TRANSITIONS = (
    "('proposed>granted', 'proposed>refused',"
    " 'granted>withdrawn', 'granted>terminated', 'granted>expired')"
)

LAST_ENTRY = "(SELECT state FROM register WHERE permission_id = {of} ORDER BY seq DESC LIMIT 1)"
LAST_GIVEN_ENTRY = (
    "(SELECT state FROM given_register WHERE given_id = {of} ORDER BY seq DESC LIMIT 1)"
)

FOLLOWS = f"""CASE WHEN EXISTS (SELECT 1 FROM register WHERE permission_id = NEW.permission_id)
    THEN {LAST_ENTRY.format(of="NEW.permission_id")} || '>' || NEW.state IN {TRANSITIONS}
        AND (SELECT state FROM permission WHERE id = NEW.permission_id)
            IN (NEW.state, {LAST_ENTRY.format(of="NEW.permission_id")})
    ELSE NEW.state = 'proposed'
        AND EXISTS (SELECT 1 FROM permission WHERE id = NEW.permission_id)
    END"""
"""Of a permission that was withdrawn without an entry, the entry may still come, and no other."""

RECORDS_ARE_PERMITTED = """EXISTS (
    SELECT 1 FROM permitted p
    WHERE p.permission_id = NEW.permission_id
      AND p.peer_id = NEW.peer_id
      AND p.series_id = NEW.series_id
      AND NEW.range_start < NEW.range_end
      AND NEW.range_start >= p.records_from
      AND NEW.range_end <= p.valid_until
)"""

NOTHING_MORE_THAN_ASKED = f"""NEW.state <> 'granted' OR (
    EXISTS (
        SELECT 1 FROM permission p
        JOIN data_need n ON n.id = p.data_need_id
        WHERE p.id = NEW.permission_id
          AND p.interval_minutes >= n.interval_minutes
          AND (p.identification = n.identification
               OR (p.identification = 'pseudonym' AND n.identification = 'delivery-point'))
          AND {SOON.format(at="p.valid_from")}
          AND p.valid_until > p.valid_from
          AND p.valid_until <= p.valid_from + n.duration_days * 86400
          AND p.records_from <= p.valid_from
          AND p.records_from >= p.valid_from - n.history_days * 86400
          AND NOT EXISTS (
              SELECT 1 FROM data_need newer
              WHERE newer.peer_id = n.peer_id AND newer.need = n.need AND newer.version > n.version
          )
    )
    AND EXISTS (SELECT 1 FROM permission_series ps WHERE ps.permission_id = NEW.permission_id)
    AND NOT EXISTS (
        SELECT 1 FROM permission_series ps
        JOIN permission p ON p.id = ps.permission_id
        JOIN series s ON s.id = ps.series_id
        LEFT JOIN wanted w
          ON w.data_need_id = p.data_need_id
         AND w.direction = s.direction AND w.quantity = s.quantity
        WHERE ps.permission_id = NEW.permission_id
          AND (w.data_need_id IS NULL OR s.interval_minutes < p.interval_minutes)
    )
)"""

NO_LONGER_TOLD = """DELETE FROM subscription
WHERE peer_id = OLD.peer_id
  AND series_id IN (SELECT series_id FROM permission_series WHERE permission_id = OLD.id)
  AND series_id NOT IN (
      SELECT series_id FROM permitted WHERE peer_id = OLD.peer_id AND permission_id <> OLD.id
  )"""
"""Another permission of the same peer may name the series too."""

THE_PERMISSION = "1 FROM permission WHERE id = NEW.permission_id FOR"


type Rule = Guard | Effect | Numbering


def _rules() -> Iterator[Rule]:
    yield from kept(
        "peer",
        "id",
        "jid",
        delete="NOT EXISTS (SELECT 1 FROM data_need WHERE peer_id = OLD.id)",
    )
    yield Guard(
        name="peer_is_itself",
        table="peer",
        event="UPDATE",
        allows="NEW.id = OLD.id AND NEW.jid = OLD.jid",
        message="another address is another peer",
    )
    yield from write_once(
        "series",
        "id",
        ", ".join(SERIES_FACTS),
        delete="NOT EXISTS (SELECT 1 FROM permission_series WHERE series_id = OLD.id)",
    )
    yield from says("series", SERIES_SAYS)
    yield from _asking()
    yield from _answering()
    yield from _notices()
    yield from _leaving()
    yield from _collective()


def _asking() -> Iterator[Rule]:
    yield from write_once("data_need", "id", "peer_id, need, version")
    yield from says("data_need", DATA_NEED_SAYS)
    yield stands_on("data_need", "peer_id", "peer: id")
    yield Guard(
        name="data_need_is_of_now",
        table="data_need",
        event="INSERT",
        allows=SOON.format(at="NEW.received_at"),
        message="what is written happens now",
    )
    yield Guard(
        name="data_need_goes_on",
        table="data_need",
        event="INSERT",
        allows="NOT EXISTS (SELECT 1 FROM data_need WHERE peer_id = NEW.peer_id"
        " AND need = NEW.need AND version >= NEW.version)",
        message="a version is newer than all before",
    )
    yield from write_once("wanted")
    yield from says("wanted", WANTED_SAYS)
    yield stands_on("wanted", "data_need_id", "data_need: id")
    yield Guard(
        name="wanted_is_asked_at_once",
        table="wanted",
        event="INSERT",
        allows="NOT EXISTS (SELECT 1 FROM permission WHERE data_need_id = NEW.data_need_id)",
        message="who wants more asks again, with a new version",
    )
    yield from write_once("shown_text", "hash, language")
    yield from says("shown_text", SHOWN_TEXT_SAYS)
    yield Guard(
        name="shown_text_is_what_its_hash_says",
        table="shown_text",
        event="INSERT",
        allows="NEW.hash = encode(sha256(convert_to(NEW.body, 'UTF8')), 'hex')",
        message="this is the hash of another text",
        only="postgresql",
    )


def _answering() -> Iterator[Rule]:
    yield from kept("permission", "id")
    yield stands_on("permission", "data_need_id, peer_id, need", "data_need: id, peer_id, need")
    yield Guard(
        name="permission_starts_as_a_proposal",
        table="permission",
        event="INSERT",
        allows="NEW.state = 'proposed' AND NEW.interval_minutes IS NULL"
        " AND NEW.identification IS NULL AND NEW.records_from IS NULL"
        " AND NEW.valid_from IS NULL AND NEW.valid_until IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM permission WHERE data_need_id = NEW.data_need_id"
        " AND state = 'proposed')",
        message="it starts as a proposal, one at a time",
    )
    yield Guard(
        name="permission_is_itself",
        table="permission",
        event="UPDATE",
        allows="NEW.id = OLD.id AND NEW.peer_id = OLD.peer_id"
        " AND NEW.data_need_id = OLD.data_need_id AND NEW.need = OLD.need",
        message="it stays the answer to what was asked",
    )
    yield Guard(
        name="permission_terms_stand",
        table="permission",
        event="UPDATE",
        allows="(OLD.state = 'proposed' AND NEW.state = 'proposed')"
        " OR (NEW.interval_minutes IS NOT DISTINCT FROM OLD.interval_minutes"
        " AND NEW.identification IS NOT DISTINCT FROM OLD.identification"
        " AND NEW.records_from IS NOT DISTINCT FROM OLD.records_from"
        " AND NEW.valid_from IS NOT DISTINCT FROM OLD.valid_from"
        " AND NEW.valid_until IS NOT DISTINCT FROM OLD.valid_until)",
        message="what was answered is not altered",
    )
    yield Guard(
        name="permission_follows_the_register",
        table="permission",
        event="UPDATE",
        allows=f"NEW.state = OLD.state OR (OLD.state || '>' || NEW.state IN {TRANSITIONS}"
        f" AND (NEW.state = 'withdrawn' OR NEW.state = {LAST_ENTRY.format(of='NEW.id')}))",
        message="its state is what the register says, or withdrawn",
    )
    yield Guard(
        name="permission_replaces_no_other",
        table="permission",
        event="UPDATE",
        allows="NEW.state <> 'granted' OR NOT EXISTS (SELECT 1 FROM permission"
        " WHERE peer_id = NEW.peer_id AND need = NEW.need AND state = 'granted' AND id <> NEW.id)",
        message="another version of this need is granted",
        only="sqlite",
    )
    yield from write_once(
        "permission_series",
        delete="(SELECT state FROM permission WHERE id = OLD.permission_id) = 'proposed'",
    )
    yield Guard(
        name="permission_series_is_chosen_before",
        table="permission_series",
        event="INSERT",
        allows="(SELECT state FROM permission WHERE id = NEW.permission_id) = 'proposed'",
        message="no series is added to an answer",
        locks=f"{THE_PERMISSION} SHARE",
    )
    yield stands_on("permission_series", "series_id", "series: id")
    yield from write_once("register", "seq")
    yield Numbering(table="register", column="seq")
    yield Guard(
        name="register_follows_the_states",
        table="register",
        event="INSERT",
        allows=FOLLOWS,
        message="this does not follow from the state that the permission is in",
        locks=f"{THE_PERMISSION} UPDATE",
    )
    yield Guard(
        name="register_is_of_now",
        table="register",
        event="INSERT",
        allows=SOON.format(at="NEW.at"),
        message="what is written happens now",
    )
    yield Guard(
        name="register_grants_no_more_than_asked",
        table="register",
        event="INSERT",
        allows=NOTHING_MORE_THAN_ASKED,
        message="a grant only narrows what the newest version asks for",
        locks=f"{THE_PERMISSION} UPDATE",
    )
    yield from says("register", REGISTER_SAYS)
    yield Guard(
        name="register_names_the_peer",
        table="register",
        event="INSERT",
        allows="NEW.actor <> 'peer' OR NEW.who = (SELECT jid FROM peer"
        " JOIN permission ON permission.peer_id = peer.id WHERE permission.id = NEW.permission_id)",
        message="what a peer does is done by the peer that was answered",
    )
    yield Guard(
        name="register_keeps_what_was_shown",
        table="register",
        event="INSERT",
        allows="NEW.text_hash IS NULL OR EXISTS (SELECT 1 FROM shown_text"
        " WHERE hash = NEW.text_hash AND language = NEW.language)",
        message="the text that was shown is not kept",
    )
    yield Guard(
        name="register_expires_in_time",
        table="register",
        event="INSERT",
        allows="NEW.state <> 'expired' OR (SELECT valid_until FROM permission"
        " WHERE id = NEW.permission_id) <= {now}",
        message="the permission has not run out yet",
    )
    yield Effect(
        name="register_sets_the_state",
        table="register",
        when="AFTER",
        event="INSERT",
        condition="NEW.state <> 'proposed'",
        statements=("UPDATE permission SET state = NEW.state WHERE id = NEW.permission_id",),
    )
    yield Effect(
        name="permission_takes_what_is_queued",
        table="permission",
        when="BEFORE",
        event="UPDATE",
        condition="OLD.state = 'granted' AND NEW.state <> 'granted'",
        statements=("DELETE FROM outbox WHERE permission_id = OLD.id", NO_LONGER_TOLD),
    )


def _notices() -> Iterator[Rule]:
    yield from kept("notice", "seq")
    yield Guard(
        name="notice_tells_of_an_answer",
        table="notice",
        event="INSERT",
        allows="(SELECT state FROM register WHERE seq = NEW.seq) IN ('granted', 'withdrawn')"
        " AND NEW.told_at IS NULL AND NEW.receipt IS NULL",
        message="a peer is told of what was granted or withdrawn",
    )
    yield Guard(
        name="notice_is_itself",
        table="notice",
        event="UPDATE",
        allows="NEW.seq = OLD.seq AND NEW.erase IS NOT DISTINCT FROM OLD.erase",
        message="what a peer is to be told is not altered",
    )
    yield Guard(
        name="notice_is_confirmed_once",
        table="notice",
        event="UPDATE",
        allows="OLD.told_at IS NULL OR (NEW.told_at IS NOT DISTINCT FROM OLD.told_at"
        " AND NEW.receipt IS NOT DISTINCT FROM OLD.receipt)",
        message="a receipt is not altered",
    )


def _leaving() -> Iterator[Rule]:
    refused = "no permission is valid now for this peer, series, interval and range"
    yield Guard(
        name="outbox_is_permitted",
        table="outbox",
        event="INSERT",
        allows=RECORDS_ARE_PERMITTED,
        message=refused,
        locks=f"{THE_PERMISSION} SHARE",
    )
    yield Guard(
        name="outbox_knows_no_state_but_granted",
        table="outbox",
        event="INSERT",
        allows="NEW.granted = 'granted'",
        message="a row is queued as long as its permission is granted",
        only="sqlite",
    )
    yield Guard(
        name="outbox_is_sent_with_permission",
        table="outbox",
        event="UPDATE",
        allows=f"NEW.stanza IS NULL OR {RECORDS_ARE_PERMITTED}",
        message=refused,
        locks=f"{THE_PERMISSION} SHARE",
    )
    yield Guard(
        name="outbox_is_itself",
        table="outbox",
        event="UPDATE",
        allows="NEW.id = OLD.id AND NEW.peer_id = OLD.peer_id"
        " AND NEW.permission_id = OLD.permission_id AND NEW.granted = OLD.granted"
        " AND NEW.series_id = OLD.series_id"
        " AND NEW.range_start = OLD.range_start AND NEW.range_end = OLD.range_end",
        message="other records are another row",
    )
    yield Guard(
        name="answer_is_permitted",
        table="answer",
        event="INSERT",
        allows=RECORDS_ARE_PERMITTED,
        message=refused,
        locks=f"{THE_PERMISSION} SHARE",
    )
    yield Guard(
        name="answer_is_of_now",
        table="answer",
        event="INSERT",
        allows=SOON.format(at="NEW.at"),
        message="what is written happens now",
    )
    yield from write_once("answer", "id", delete="OLD.at < {now} - 366 * 86400")
    yield Guard(
        name="subscription_is_permitted",
        table="subscription",
        event="INSERT",
        allows="EXISTS (SELECT 1 FROM permitted p"
        " WHERE p.peer_id = NEW.peer_id AND p.series_id = NEW.series_id)",
        message="no permission is valid now for this peer and series",
    )
    yield Guard(
        name="subscription_is_itself",
        table="subscription",
        event="UPDATE",
        allows="NEW.peer_id = OLD.peer_id AND NEW.series_id = OLD.series_id",
        message="another peer or series is another subscription",
    )


_OWN_SERIES = (
    "NEW.series_id IS NULL OR EXISTS (SELECT 1 FROM series JOIN given"
    " ON given.member_id = series.member_id"
    " WHERE series.id = NEW.series_id AND given.id = NEW.given_id)"
)


def _collective() -> Iterator[Rule]:
    for event, allows in (
        ("INSERT", _OWN_SERIES),
        ("UPDATE", f"NEW.series_id IS NOT DISTINCT FROM OLD.series_id OR {_OWN_SERIES}"),
    ):
        yield Guard(
            name=f"given_series_is_its_own_{event.lower()}",
            table="given_series",
            event=event,  # type: ignore[arg-type]
            allows=allows,
            message="a series is of the member that gave it",
        )
    yield Guard(
        name="own_need_stands",
        table="own_need",
        event="UPDATE",
        allows="NEW.need = OLD.need AND NEW.version = OLD.version AND NEW.body = OLD.body"
        " AND NEW.offered_at = OLD.offered_at",
        message="what was asked is not altered: ask again, with a new version",
    )
    yield from kept("own_need", "need, version")
    yield from _given_rules()
    yield from _given_register_rules()
    yield from _read_log_rules()
    yield from _publication_rules()


def _publication_rules() -> Iterator[Rule]:
    yield from write_once("closed_interval", "direction, interval_minutes, start")
    yield from write_once("published_cell", "group_id, direction, interval_minutes, start")
    yield Guard(
        name="published_cell_is_of_what_closes",
        table="published_cell",
        event="INSERT",
        allows="NOT EXISTS (SELECT 1 FROM closed_interval WHERE direction = NEW.direction"
        " AND interval_minutes = NEW.interval_minutes AND start = NEW.start)",
        message="this interval was closed before",
    )


def _given_rules() -> Iterator[Rule]:
    yield from kept("given", "id")
    yield from says("given", GIVEN_SAYS)
    yield stands_on("given", "member_id", "member: id")
    yield Guard(
        name="given_starts_as_a_grant",
        table="given",
        event="INSERT",
        allows="NEW.state = 'granted' AND NEW.erase_at IS NULL"
        " AND NEW.announced_at IS NULL AND NEW.told_at IS NULL"
        " AND NEW.valid_from <= {now} + 2 * 86400"
        " AND EXISTS (SELECT 1 FROM own_need WHERE need = NEW.need AND version = NEW.version"
        " AND closed_at IS NULL)",
        message="it starts as the answer to what is asked now",
    )
    yield Guard(
        name="given_is_itself",
        table="given",
        event="UPDATE",
        allows=" AND ".join(
            f"NEW.{column} = OLD.{column}"
            for column in (
                "id",
                "member_id",
                "need",
                "version",
                "interval_minutes",
                "identification",
                "records_from",
                "valid_from",
                "valid_until",
                "shown_sha256",
                "shown_language",
            )
        ),
        message="what was given is not altered",
    )
    yield Guard(
        name="given_follows_the_register",
        table="given",
        event="UPDATE",
        allows="NEW.state = OLD.state OR (OLD.state = 'granted'"
        f" AND NEW.state = {LAST_GIVEN_ENTRY.format(of='NEW.id')})",
        message="its state is what the register says",
    )
    yield Guard(
        name="given_is_erased_no_later",
        table="given",
        event="UPDATE",
        # An erasure by time is announced once, a day ahead; one that is asked for is due at once.
        allows="OLD.state = 'granted' OR NEW.erase_at <= OLD.erase_at"
        " OR NEW.erase_at <= NEW.announced_at"
        " OR (OLD.announced_at IS NULL AND NEW.erase_at <= NEW.announced_at + 86400)",
        message="what came by it is not kept for longer",
    )
    yield Guard(
        name="given_is_announced_now",
        table="given",
        event="UPDATE",
        allows="NEW.announced_at IS NOT DISTINCT FROM OLD.announced_at"
        " OR NEW.announced_at <= {now} + 300",
        message="what is erased is announced when that is certain",
    )
    yield Guard(
        name="given_is_told_once",
        table="given",
        event="UPDATE",
        allows="OLD.told_at IS NULL OR NEW.told_at IS NOT DISTINCT FROM OLD.told_at",
        message="its member knows already",
    )
    yield from kept(
        "given_series",
        "given_id, identifier",
        delete="(SELECT state FROM given WHERE id = OLD.given_id) <> 'granted'",
    )
    yield Guard(
        name="given_series_is_chosen_before",
        table="given_series",
        event="INSERT",
        allows="EXISTS (SELECT 1 FROM given WHERE id = NEW.given_id AND state = 'granted')"
        " AND NOT EXISTS (SELECT 1 FROM given_register WHERE given_id = NEW.given_id)",
        message="no series is added to what was given",
    )
    yield Guard(
        name="given_series_is_itself",
        table="given_series",
        event="UPDATE",
        allows="NEW.given_id = OLD.given_id AND NEW.identifier = OLD.identifier"
        " AND (OLD.series_id IS NULL OR NEW.series_id = OLD.series_id)",
        message="what was given is not altered",
    )


def _given_register_rules() -> Iterator[Rule]:
    yield from write_once("given_register", "seq")
    yield Numbering(table="given_register", column="seq")
    yield from says("given_register", GIVEN_REGISTER_SAYS)
    yield Guard(
        name="given_register_follows_the_states",
        table="given_register",
        event="INSERT",
        allows="EXISTS (SELECT 1 FROM given WHERE id = NEW.given_id) AND"
        f" CASE coalesce({LAST_GIVEN_ENTRY.format(of='NEW.given_id')}, '')"
        " WHEN '' THEN NEW.state = 'granted'"
        " WHEN 'granted' THEN NEW.state IN ('withdrawn', 'terminated', 'expired')"
        " AND NEW.erased IS NULL"
        f" ELSE NEW.erased IS NOT NULL AND NEW.state = {LAST_GIVEN_ENTRY.format(of='NEW.given_id')}"
        " END",
        message="this does not follow from the state that the permission is in",
        locks="1 FROM given WHERE id = NEW.given_id FOR UPDATE",
    )
    yield Guard(
        name="given_register_is_of_now",
        table="given_register",
        event="INSERT",
        allows=SOON.format(at="NEW.at"),
        message="what is written happens now",
    )
    yield Guard(
        name="given_register_keeps_what_was_shown",
        table="given_register",
        event="INSERT",
        allows="NEW.state <> 'granted'"
        " OR NEW.text_hash = (SELECT shown_sha256 FROM given WHERE id = NEW.given_id)",
        message="the member was shown another text",
    )
    yield Guard(
        name="given_register_names_a_series",
        table="given_register",
        event="INSERT",
        allows="NEW.state <> 'granted'"
        " OR EXISTS (SELECT 1 FROM given_series WHERE given_id = NEW.given_id)",
        message="nothing was given",
    )
    yield Guard(
        name="given_register_says_until_when_it_is_kept",
        table="given_register",
        event="INSERT",
        allows="NEW.state = 'granted'"
        " OR (SELECT erase_at FROM given WHERE id = NEW.given_id) IS NOT NULL",
        message="an end comes with the day of the erasure",
    )
    yield Effect(
        name="given_register_sets_the_state",
        table="given_register",
        when="AFTER",
        event="INSERT",
        condition="NEW.state <> 'granted' AND NEW.erased IS NULL",
        statements=("UPDATE given SET state = NEW.state WHERE id = NEW.given_id",),
    )


def _read_log_rules() -> Iterator[Rule]:
    yield from kept("read_log", "id", delete="OLD.at < {now} - 366 * 86400")
    yield Guard(
        name="read_log_is_of_now",
        table="read_log",
        event="INSERT",
        allows=SOON.format(at="NEW.at"),
        message="what is written happens now",
    )
    yield Guard(
        name="read_log_stands",
        table="read_log",
        event="UPDATE",
        allows=" AND ".join(
            f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}"
            for column in ("id", "at", "what", "member_id", "range_start", "range_end", "records")
        )
        + " AND EXISTS (SELECT 1 FROM member WHERE jid = OLD.who AND pseudonym = NEW.who)",
        message="of a reader whose address is erased, its pseudonym stays",
    )


RULES: Iterable[Rule] = tuple(_rules())
