"""The tables of a new database, the rules that it keeps by itself, and the view `permitted`.

Alembic's revisions are for databases that are there: a new one has no past.
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from consometers_node.store.all_tables import TABLES
from consometers_node.store.engine.declaration import Base
from consometers_node.store.engine.months import BY_MONTH

from .guards import (
    NOW,
    SOON,
    Guard,
    checks,
    is_itself,
    numbering,
    same,
    stands_on,
    stays,
    trigger,
)

PERMITTED = """
CREATE VIEW permitted AS
SELECT p.id AS permission_id, ps.series_id, p.peer_id, p.identification, n.reading,
       p.records_from, p.valid_until
FROM permission p
JOIN data_need n ON n.id = p.data_need_id
JOIN permission_series ps ON ps.permission_id = p.id
JOIN series s ON s.id = ps.series_id
JOIN data_need_series w
  ON w.data_need_id = n.id AND w.direction = s.direction AND w.quantity = s.quantity
WHERE p.state = 'granted'
  AND (SELECT r.state FROM register r
       WHERE r.permission_id = p.id ORDER BY r.seq DESC LIMIT 1) = 'granted'
  AND (n.reading = 'individual' OR EXISTS (
      SELECT 1 FROM enrolment e
      WHERE e.permission_id = p.id AND e.enrolled_at IS NOT NULL AND e.left_at IS NULL
  ))
  AND s.interval_minutes >= p.interval_minutes
  AND p.interval_minutes >= n.interval_minutes
  AND {now} < p.valid_until
"""
"""What may leave now: a permission and the last entry about it both say so.

By a data need that asks for sums alone, records leave masked, once their witness has the key.
"""

TRANSITIONS = (
    "('proposed>granted', 'proposed>refused',"
    " 'granted>withdrawn', 'granted>terminated', 'granted>expired')"
)

LAST_ENTRY = "(SELECT state FROM register WHERE permission_id = {of} ORDER BY seq DESC LIMIT 1)"
LAST_MEMBER_ENTRY = """(SELECT state FROM member_permission_register
    WHERE permission_id = {of} ORDER BY seq DESC LIMIT 1)"""

FOLLOWS = f"""CASE WHEN EXISTS (SELECT 1 FROM register WHERE permission_id = NEW.permission_id)
    THEN {LAST_ENTRY.format(of="NEW.permission_id")} || '>' || NEW.state IN {TRANSITIONS}
        AND (SELECT state FROM permission WHERE id = NEW.permission_id)
            IN (NEW.state, {LAST_ENTRY.format(of="NEW.permission_id")})
    ELSE NEW.state = 'proposed'
        AND EXISTS (SELECT 1 FROM permission WHERE id = NEW.permission_id)
    END"""
"""Of a permission that was withdrawn without an entry, the entry may still come, and no other."""

_PERMITTED = """SELECT 1 FROM permitted p
    WHERE p.permission_id = NEW.permission_id
      AND p.peer_id = NEW.peer_id
      AND p.series_id = NEW.series_id
      AND NEW.range_start < NEW.range_end
      AND NEW.range_start >= p.records_from
      AND NEW.range_end <= p.valid_until"""
RECORDS_ARE_PERMITTED = f"EXISTS ({_PERMITTED})"
ANSWER_IS_PERMITTED = f"EXISTS ({_PERMITTED} AND p.reading = 'individual')"
"""Masked records are pushed, and never requested."""

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
        LEFT JOIN data_need_series w
          ON w.data_need_id = p.data_need_id
         AND w.direction = s.direction AND w.quantity = s.quantity
        WHERE ps.permission_id = NEW.permission_id
          AND (w.data_need_id IS NULL OR s.interval_minutes < p.interval_minutes)
    )
)"""

SUMS_STAND_APART = """NEW.state <> 'granted' OR NOT EXISTS (
    SELECT 1 FROM permission p
    JOIN data_need n ON n.id = p.data_need_id
    JOIN permission_series ps ON ps.permission_id = p.id
    JOIN series s ON s.id = ps.series_id
    JOIN permission q ON q.peer_id = p.peer_id AND (q.id = p.id OR q.state = 'granted')
    JOIN data_need m ON m.id = q.data_need_id
    JOIN permission_series qs ON qs.permission_id = q.id
    JOIN series t ON t.id = qs.series_id
    WHERE p.id = NEW.permission_id AND s.direction = t.direction AND (
        (n.reading = 'sum' AND s.interval_minutes <> 60)
        OR (n.reading = 'sum' AND m.reading = 'sum'
            AND NOT (q.id = p.id AND qs.series_id = ps.series_id))
        OR n.reading <> m.reading
    )
)"""
"""A direction is of one meter, whichever of its statistics a series is."""

NO_LONGER_SENT = """DELETE FROM subscription
WHERE peer_id = OLD.peer_id
  AND series_id IN (SELECT series_id FROM permission_series WHERE permission_id = OLD.id)
  AND series_id NOT IN (
      SELECT series_id FROM permitted WHERE peer_id = OLD.peer_id AND permission_id <> OLD.id
  )"""
"""Another permission of the same peer may name the series too."""

TERMS = ("interval_minutes", "identification", "records_from", "valid_from", "valid_until")
A_YEAR_AGO = "OLD.at < {now} - 366 * 86400"
NEVER = "FALSE"
OWN_SERIES = """NEW.series_id IS NULL OR EXISTS (SELECT 1 FROM series JOIN member_permission
    ON member_permission.member_id = series.member_id
    WHERE series.id = NEW.series_id AND member_permission.id = NEW.permission_id)"""
READING = "(SELECT reading FROM member_permission WHERE id = NEW.permission_id)"
NO_RECORDS_OF_A_SUM = f"""(NEW.series_id IS NULL OR {READING} = 'individual')
    AND (NEW.masked_direction IS NULL OR {READING} = 'sum')"""
OF_A_SUM = "masked reports come of a sum, and no record does"
IS_PROPOSED = "(SELECT state FROM permission WHERE id = {of}.permission_id) = 'proposed'"
MEMBER_STATE = LAST_MEMBER_ENTRY.format(of="NEW.permission_id")

IS_CLOSED = """EXISTS (SELECT 1 FROM closed_interval WHERE direction = {row}.direction
    AND interval_minutes = 60 AND protected IN (0, 1) AND start = {row}.start)"""
"""By the whole key: SQLite finds a part of it by reading all hours of a direction."""
IS_CLOSED_PROTECTED = IS_CLOSED.replace("IN (0, 1)", "= 1")
NOT_ASKED_FOR = f"""NOT {IS_CLOSED.format(row="NEW")} AND NOT EXISTS (SELECT 1 FROM opening
    WHERE direction = NEW.direction AND start = NEW.start)"""
IS_OVER = """NEW.start >= 946684800 AND NEW.start + 60 * CASE NEW.interval_minutes
    WHEN 1440 THEN 1380 ELSE NEW.interval_minutes END <= {now} + 300"""
"""From 2000 on, before which no household had a meter that says its hours. A civil day has 23 hours
at least; the node's clock and the database's agree to five minutes."""
NOT_OVER = "an interval is closed after its end, and none was before 2000"
ONE_STEP = """NEW.interval_minutes = 1440 OR NOT EXISTS (SELECT 1 FROM published_cell
    WHERE group_id = NEW.group_id AND direction IN ('consumption', 'injection', 'production')
    AND interval_minutes IN (CASE NEW.interval_minutes WHEN 60 THEN 30 ELSE 60 END,
                             CASE NEW.interval_minutes WHEN 5 THEN 30 ELSE 5 END)
    AND protected IN (0, 1) AND day = NEW.day
    AND start BETWEEN NEW.start - 90000 AND NEW.start + 90000)"""
"""Beside days, a civil day has cells of one step: it is the sum of them all.

The two other steps are looked up alone: cells of the same one would be read for each new cell.
"""

IS_MARKED = """EXISTS (SELECT 1 FROM witness_ledger WHERE collective = OLD.collective
    AND direction = OLD.direction AND hour = OLD.hour)"""
BESIDE_RECORDS = """(NEW.protected = 0 OR (NEW.protected = 1 AND NEW.interval_minutes = 60
    AND EXISTS (SELECT 1 FROM closed_interval WHERE direction = NEW.direction
        AND interval_minutes = 60 AND protected = 0 AND start = NEW.start)))"""
NOT_BESIDE_RECORDS = "a protected sum is closed after the records of its hour, once answered"

IN_AN_OPENING = "a report of an hour that is opened, or closed, is too late"

WRITTEN_ONCE = {
    "series": "NOT EXISTS (SELECT 1 FROM permission_series WHERE series_id = OLD.id)",
    "statistic_owner": NEVER,
    "data_need": NEVER,
    "data_need_series": NEVER,
    "shown_text": NEVER,
    "register": NEVER,
    "answer": A_YEAR_AGO,
    "closed_interval": NEVER,
    "published_cell": NEVER,
    "closed_month": NEVER,
    "member_permission_register": NEVER,
    "witness_opening": NEVER,
    "witness_head": NEVER,
    "witness_ledger": NEVER,
}
"""When a row may be removed, of tables whose rows are never altered."""
CHANGED = {
    "peer": "NOT EXISTS (SELECT 1 FROM data_need WHERE peer_id = OLD.id)",
    "permission": NEVER,
    "permission_series": IS_PROPOSED.format(of="OLD"),
    "notice": NEVER,
    "enrolment": NEVER,
    "own_need": NEVER,
    "access_log": A_YEAR_AGO,
    "member_permission": NEVER,
    "member_permission_series": (
        "(SELECT state FROM member_permission WHERE id = OLD.permission_id) <> 'granted'"
    ),
    "witness_code": "coalesce(OLD.revoked_at, OLD.expires_at) < {now} - 366 * 86400",
    "witness_enrolment": "OLD.left_at < {now} - 366 * 86400",
    "opening": IS_CLOSED_PROTECTED.format(row="OLD"),
    "witness_verification": (
        f"OLD.at < {{now}} - 36 * 86400 OR (length(OLD.invalid) = 0 AND {IS_MARKED})"
    ),
}
"""The same of tables whose rows may change."""
CHECKED = (
    "series",
    "data_need",
    "data_need_series",
    "shown_text",
    "register",
    "member_permission",
    "member_permission_register",
    "closed_month",
    "witness_code",
    "witness_enrolment",
    "witness_opening",
    "witness_head",
    "witness_ledger",
)
NUMBERED = ("register", "member_permission_register")
OF_NOW = {
    "data_need": "received_at",
    "register": "at",
    "answer": "at",
    "access_log": "at",
    "member_permission_register": "at",
    "witness_enrolment": "enrolled_at",
    "witness_opening": "at",
}
STANDING_ON = {
    "data_need": "peer",
    "data_need_series": "data_need",
    "permission": "data_need",
    "permission_series": "series",
    "member_permission": "member",
}
UNALTERED = {
    "peer": ("name added_at", "another address is another peer"),
    "permission": (f"state {' '.join(TERMS)}", "it stays the answer to what was asked"),
    "permission_series": ("subscribed_kva", "it stays a series of what was answered"),
    "notice": ("notified_at receipt", "a notice to a peer is not altered"),
    "enrolment": (
        "enrolled_at receipt keys_lost_at left_at asked_at summary",
        "another permission is another enrolment",
    ),
    "outbox": ("queued_at stanza sent_at", "other records are another row"),
    "subscription": ("since cursor", "another peer or series is another subscription"),
    "own_need": ("closed_at", "what was asked is not altered: ask again, with a new version"),
    "member_permission": (
        "state erase_at announced_at notified_at",
        "what was given is not altered",
    ),
    "member_permission_series": (
        (
            "series_id masked_direction subscribed_kva backfilled_until subscribed_at"
            " last_received_at problem invalid_at"
        ),
        "what was given is not altered",
    ),
    "opening": ("groups request asked_at sums_sent answer", "another hour is another opening"),
    "witness_verification": ("fingerprints invalid at", "another hour is another verification"),
    "access_log": ("who", "what was read is not altered"),
    "witness_code": ("revoked_at", "what a code lets in is not altered"),
    "witness_enrolment": (
        "enrolled_at left_at",
        "what a home enrolled with is not altered",
    ),
}
"""Columns that may change, and the message where another one does."""

REFUSED = "no permission is valid now for this peer, series, interval and range"
ITS_OWN = "a series is of the member that gave it"
DOES_NOT_FOLLOW = "this does not follow from the state that the permission is in"

ITS_PEERS = """EXISTS (SELECT 1 FROM statistic_owner o WHERE o.statistic = NEW.statistic
    AND (NEW.jid = o.jid OR substr(NEW.jid, 1, length(o.jid) + 1) = o.jid || '/'))"""
"""A series is pulled from a bare JID or a full one."""
NOT_ITS_PEERS = "this statistic is of another peer"

LOCKED = "1 FROM permission WHERE id = NEW.permission_id FOR UPDATE"
SHARED = "1 FROM permission WHERE id = NEW.permission_id FOR SHARE"

GUARDS: Mapping[str, tuple[str, ...]] = {
    "data_need INSERT goes_on": (
        """NOT EXISTS (SELECT 1 FROM data_need WHERE peer_id = NEW.peer_id
         AND need = NEW.need AND version >= NEW.version)""",
        "a version is newer than all before",
    ),
    "data_need_series INSERT comes_with_the_need": (
        "NOT EXISTS (SELECT 1 FROM permission WHERE data_need_id = NEW.data_need_id)",
        "who wants more asks again, with a new version",
    ),
    "shown_text INSERT is_what_its_hash_says": (
        "NEW.hash = encode(sha256(convert_to(NEW.body, 'UTF8')), 'hex')",
        "this is the hash of another text",
        "",
        "postgresql",
    ),
    "permission INSERT starts_as_a_proposal": (
        """NEW.state = 'proposed' AND NEW.interval_minutes IS NULL
         AND NEW.identification IS NULL AND NEW.records_from IS NULL
         AND NEW.valid_from IS NULL AND NEW.valid_until IS NULL
         AND NOT EXISTS (SELECT 1 FROM permission WHERE data_need_id = NEW.data_need_id
         AND state = 'proposed')""",
        "it starts as a proposal, one at a time",
    ),
    "permission UPDATE terms_stand": (
        f"(OLD.state = 'proposed' AND NEW.state = 'proposed') OR ({same(TERMS)})",
        "what was answered is not altered",
    ),
    "permission UPDATE follows_the_register": (
        f"""NEW.state = OLD.state OR (OLD.state || '>' || NEW.state IN {TRANSITIONS}
         AND (NEW.state = 'withdrawn' OR NEW.state = {LAST_ENTRY.format(of="NEW.id")}))""",
        "its state is what the register says, or withdrawn",
    ),
    "permission UPDATE replaces_no_other": (
        """NEW.state <> 'granted' OR NOT EXISTS (SELECT 1 FROM permission WHERE
         peer_id = NEW.peer_id AND need = NEW.need AND state = 'granted' AND id <> NEW.id)""",
        "another version of this need is granted",
        "",
        "sqlite",
    ),
    "permission_series INSERT is_chosen_before": (
        IS_PROPOSED.format(of="NEW"),
        "no series is added to an answer",
        SHARED,
    ),
    "permission_series UPDATE adds_no_power": (
        "OLD.subscribed_kva IS NOT NULL AND NEW.subscribed_kva IS NOT NULL",
        "a power that did not leave with an answer is not added to it",
    ),
    "register INSERT follows_the_states": (FOLLOWS, DOES_NOT_FOLLOW, LOCKED),
    "register INSERT grants_no_more_than_asked": (
        NOTHING_MORE_THAN_ASKED,
        "a grant only narrows what the newest version asks for",
        LOCKED,
    ),
    "register INSERT grants_sums_apart": (
        SUMS_STAND_APART,
        "of a direction, sums have one hourly series, and the peer reads none by itself",
        LOCKED,
    ),
    "register INSERT names_the_peer": (
        """NEW.actor <> 'peer' OR NEW.who = (SELECT jid FROM peer JOIN permission
         ON permission.peer_id = peer.id WHERE permission.id = NEW.permission_id)""",
        "what a peer does is done by the peer that was answered",
    ),
    "register INSERT keeps_what_was_shown": (
        """NEW.text_hash IS NULL OR EXISTS (SELECT 1 FROM shown_text
         WHERE hash = NEW.text_hash AND language = NEW.language)""",
        "the text that was shown is not kept",
    ),
    "register INSERT expires_in_time": (
        """NEW.state <> 'expired' OR (SELECT valid_until FROM permission
         WHERE id = NEW.permission_id) <= {now}""",
        "the permission has not run out yet",
    ),
    "notice INSERT tells_of_an_answer": (
        """(SELECT state FROM register WHERE seq = NEW.seq) IN ('granted', 'withdrawn')
         AND NEW.notified_at IS NULL AND NEW.receipt IS NULL""",
        "a peer is notified of what was granted or withdrawn",
    ),
    "notice UPDATE is_confirmed_once": (
        f"OLD.notified_at IS NULL OR ({same(('notified_at', 'receipt'))})",
        "a receipt is not altered",
    ),
    "outbox INSERT is_permitted": (RECORDS_ARE_PERMITTED, REFUSED, SHARED),
    "outbox INSERT knows_no_state_but_granted": (
        "NEW.granted = 'granted'",
        "a row is queued as long as its permission is granted",
        "",
        "sqlite",
    ),
    "outbox UPDATE is_sent_with_permission": (
        f"NEW.stanza IS NULL OR {RECORDS_ARE_PERMITTED}",
        REFUSED,
        SHARED,
    ),
    "answer INSERT is_permitted": (ANSWER_IS_PERMITTED, REFUSED, SHARED),
    "enrolment INSERT starts_without_a_receipt": (
        """NEW.enrolled_at IS NULL AND NEW.left_at IS NULL AND EXISTS (
         SELECT 1 FROM permission p JOIN data_need n ON n.id = p.data_need_id
         WHERE p.id = NEW.permission_id AND p.state = 'granted' AND n.reading = 'sum')""",
        "it starts without a receipt, of a permission for sums",
        SHARED,
    ),
    "enrolment UPDATE has_one_receipt": (
        f"""OLD.enrolled_at IS NULL OR ({same(("enrolled_at", "receipt"))})
         OR (NEW.enrolled_at IS NULL AND OLD.left_at IS NULL)""",
        "a receipt is not altered: a home whose keys are lost enrols again",
    ),
    "enrolment UPDATE leaves_once": (
        f"OLD.left_at IS NULL OR ({same(('left_at',))})",
        "a home that left stays away: allow it again, and it enrols again",
    ),
    "subscription INSERT is_permitted": (
        """EXISTS (SELECT 1 FROM permitted p
         WHERE p.peer_id = NEW.peer_id AND p.series_id = NEW.series_id)""",
        "no permission is valid now for this peer and series",
    ),
    **{
        f"{table} {event} is_its_peers_{event.lower()}": (ITS_PEERS, NOT_ITS_PEERS)
        for table in ("pulled_series", "held_plant")
        for event in ("INSERT", "UPDATE")
    },
    "published_cell INSERT is_of_what_closes": (
        """NOT EXISTS (SELECT 1 FROM closed_interval WHERE direction = NEW.direction
         AND interval_minutes = NEW.interval_minutes AND protected = NEW.protected
         AND start = NEW.start)""",
        "this interval was closed before",
    ),
    "published_cell INSERT is_beside_what_closed": (BESIDE_RECORDS, NOT_BESIDE_RECORDS),
    "closed_interval INSERT is_beside_what_closed": (
        f"""{BESIDE_RECORDS} AND (NEW.protected = 0 OR NOT EXISTS (SELECT 1 FROM opening
         WHERE direction = NEW.direction AND start = NEW.start AND answer IS NULL))""",
        NOT_BESIDE_RECORDS,
    ),
    "published_cell INSERT is_over": (IS_OVER, NOT_OVER),
    "published_cell INSERT has_the_step_of_its_day": (
        ONE_STEP,
        "another step of this civil day is published",
    ),
    "closed_interval INSERT is_over": (
        f"{IS_OVER} AND NEW.closed_at <= {{now}} + 300",
        NOT_OVER,
    ),
    "closed_month INSERT is_over": (
        """NEW.start >= 946684800 AND NEW.until <= {now} + 300
         AND NOT EXISTS (SELECT 1 FROM closed_interval WHERE direction = NEW.direction
         AND interval_minutes = 1440 AND start >= NEW.until AND closed_at > COALESCE((SELECT
         MAX(closed_at) FROM closed_interval WHERE direction = NEW.direction
         AND interval_minutes = 1440 AND start >= NEW.start AND start < NEW.until), 0))""",
        "a month is closed with its last day",
    ),
    # A member that grants something counts: until then, an invitation may change its kind.
    "member UPDATE becomes_no_collective": (
        """NEW.kind = OLD.kind OR 'collective' NOT IN (NEW.kind, OLD.kind)
         OR NOT EXISTS (SELECT 1 FROM member_permission WHERE member_id = OLD.id)""",
        "a member that has granted something becomes no collective, and a collective nothing else",
    ),
    "member UPDATE is_named_by_itself": (
        f"""{same(("kind", "name"))} OR NEW.kind <> 'site' OR NEW.name IS NULL
         OR EXISTS (SELECT 1 FROM member_permission WHERE member_id = NEW.id
         AND identification = 'name' AND state = 'granted')""",
        "a site is named once it has granted that",
    ),
    "access_log UPDATE stands": (
        "EXISTS (SELECT 1 FROM member WHERE jid = OLD.who AND pseudonym = NEW.who)",
        "of a reader whose address is erased, its pseudonym stays",
    ),
    "member_permission INSERT starts_as_a_grant": (
        """NEW.state = 'granted' AND NEW.erase_at IS NULL
         AND NEW.announced_at IS NULL AND NEW.notified_at IS NULL
         AND NEW.valid_from <= {now} + 2 * 86400
         AND EXISTS (SELECT 1 FROM own_need WHERE need = NEW.need AND version = NEW.version
         AND closed_at IS NULL)""",
        "it starts as the answer to what is asked now",
    ),
    "member_permission UPDATE follows_the_register": (
        f"""NEW.state = OLD.state OR (OLD.state = 'granted'
         AND NEW.state = {LAST_MEMBER_ENTRY.format(of="NEW.id")})""",
        "its state is what the register says",
    ),
    # An erasure by time is announced once, a day ahead; one that is asked for is due at once.
    "member_permission UPDATE is_erased_no_later": (
        """OLD.state = 'granted' OR NEW.erase_at <= OLD.erase_at
         OR NEW.erase_at <= NEW.announced_at
         OR (OLD.announced_at IS NULL AND NEW.erase_at <= NEW.announced_at + 86400)""",
        "what came by it is not kept for longer",
    ),
    "member_permission UPDATE is_announced_now": (
        f"{same(('announced_at',))} OR NEW.announced_at <= {{now}} + 300",
        "what is erased is announced when that is certain",
    ),
    "member_permission UPDATE is_notified_once": (
        f"OLD.notified_at IS NULL OR {same(('notified_at',))}",
        "its member knows already",
    ),
    "member_permission_series INSERT is_chosen_before": (
        """EXISTS (SELECT 1 FROM member_permission
         WHERE id = NEW.permission_id AND state = 'granted')
         AND NOT EXISTS (SELECT 1 FROM member_permission_register
         WHERE permission_id = NEW.permission_id)""",
        "no series is added to what was given",
    ),
    "member_permission_series INSERT is_its_own_insert": (OWN_SERIES, ITS_OWN),
    "member_permission_series UPDATE keeps_its_series": (
        "OLD.series_id IS NULL OR NEW.series_id = OLD.series_id",
        "what was given is not altered",
    ),
    "member_permission_series UPDATE is_its_own_update": (
        f"{same(('series_id',))} OR {OWN_SERIES}",
        ITS_OWN,
    ),
    "member_permission_series INSERT has_no_records_of_a_sum": (NO_RECORDS_OF_A_SUM, OF_A_SUM),
    "member_permission_series UPDATE has_records_of_no_sum": (NO_RECORDS_OF_A_SUM, OF_A_SUM),
    "member_permission_series UPDATE keeps_its_direction": (
        "OLD.masked_direction IS NULL OR NEW.masked_direction = OLD.masked_direction",
        "what was given is not altered",
    ),
    "masked_report INSERT is_permitted": (
        """EXISTS (SELECT 1 FROM member_permission p JOIN member_permission_series s
             ON s.permission_id = p.id
         WHERE p.id = NEW.permission_id AND p.state = 'granted' AND p.reading = 'sum'
         AND s.masked_direction = NEW.direction
         AND NEW.start >= p.records_from AND NEW.start < p.valid_until)""",
        "no permission lets this hour into a sum",
        "1 FROM member_permission WHERE id = NEW.permission_id FOR SHARE",
    ),
    "masked_report INSERT is_in_time": (NOT_ASKED_FOR, IN_AN_OPENING),
    "masked_report UPDATE is_still_in_time": (NOT_ASKED_FOR, IN_AN_OPENING),
    "opening INSERT is_of_what_closes": (
        f"NEW.answer IS NULL AND NOT {IS_CLOSED.format(row='NEW')}",
        "this hour was closed before",
    ),
    "opening UPDATE is_answered_once": ("OLD.answer IS NULL", "what was answered is not altered"),
    "opening UPDATE sends_the_sums_of_one_set": (
        f"OLD.sums_sent = 0 OR ({same(('sums_sent', 'groups', 'request'))})",
        "the sums of these homes have left, and those of no others do",
    ),
    "member_permission_register INSERT follows_the_states": (
        f"""EXISTS (SELECT 1 FROM member_permission WHERE id = NEW.permission_id)
             AND CASE coalesce({MEMBER_STATE}, '')
         WHEN '' THEN NEW.state = 'granted'
         WHEN 'granted' THEN NEW.state IN ('withdrawn', 'terminated', 'expired')
         AND NEW.erased IS NULL
         ELSE NEW.erased IS NOT NULL AND NEW.state = {MEMBER_STATE} END""",
        DOES_NOT_FOLLOW,
        "1 FROM member_permission WHERE id = NEW.permission_id FOR UPDATE",
    ),
    "member_permission_register INSERT keeps_what_was_shown": (
        """NEW.state <> 'granted'
         OR NEW.text_hash = (SELECT shown_sha256 FROM member_permission
         WHERE id = NEW.permission_id)""",
        "the member was shown another text",
    ),
    "member_permission_register INSERT names_a_series": (
        """NEW.state <> 'granted'
         OR EXISTS (SELECT 1 FROM member_permission_series
         WHERE permission_id = NEW.permission_id)""",
        "nothing was given",
    ),
    "member_permission_register INSERT has_an_erasure_date": (
        """NEW.state = 'granted'
         OR (SELECT erase_at FROM member_permission WHERE id = NEW.permission_id) IS NOT NULL""",
        "an end comes with the day of the erasure",
    ),
    "witness_code UPDATE is_revoked_for_good": (
        f"{same(('revoked_at',))} OR (OLD.revoked_at IS NULL AND NEW.revoked_at <= {{now}} + 300)",
        "a code that was revoked stays so",
    ),
    "witness_enrolment INSERT has_a_code": (
        """EXISTS (SELECT 1 FROM witness_code WHERE id = NEW.code_id
         AND collective = NEW.collective AND revoked_at IS NULL
         AND expires_at >= NEW.enrolled_at)""",
        "a home enrols by a code that is valid",
        "1 FROM witness_code WHERE id = NEW.code_id FOR SHARE",
    ),
    "witness_enrolment INSERT has_not_left": (
        "NEW.left_at IS NULL",
        "a home enrols before it leaves",
    ),
    "witness_enrolment UPDATE leaves_for_good": (
        f"{same(('left_at',))} OR (OLD.left_at IS NULL AND NEW.left_at <= {{now}} + 300)",
        "a departure is final",
    ),
    "witness_enrolment UPDATE enrols_again": (
        f"""{same(("enrolled_at",))}
         OR (OLD.left_at IS NULL AND NEW.left_at IS NULL
         AND abs(NEW.enrolled_at - {{now}}) <= 300
         AND EXISTS (SELECT 1 FROM witness_code WHERE id = NEW.code_id AND revoked_at IS NULL))""",
        "a home enrols again by its code",
        "1 FROM witness_code WHERE id = NEW.code_id FOR SHARE",
    ),
    "witness_verification UPDATE forgets_no_report": (
        f"""(length(NEW.fingerprints) >= length(OLD.fingerprints) OR {IS_MARKED})
         AND length(NEW.invalid) >= length(OLD.invalid)""",
        "what was verified once is not verified again",
    ),
    "witness_ledger INSERT is_of_its_opening": (
        """EXISTS (SELECT 1 FROM witness_opening WHERE id = NEW.opening_id
         AND collective = NEW.collective AND abs(at - {now}) <= 300)""",
        "it is written with the opening",
    ),
}
"""By table, event and name: when a change is allowed, what is said where it is not, what PostgreSQL
locks before it looks, and the one kind of database that has the rule, if it is one."""

EFFECTS = (
    (
        "BEFORE UPDATE ON permission",
        "takes_what_is_queued",
        "OLD.state = 'granted' AND NEW.state <> 'granted'",
        f"DELETE FROM outbox WHERE permission_id = OLD.id; {NO_LONGER_SENT};",
    ),
    (
        "AFTER INSERT ON register",
        "sets_the_state",
        "NEW.state <> 'proposed'",
        "UPDATE permission SET state = NEW.state WHERE id = NEW.permission_id;",
    ),
    (
        "AFTER INSERT ON member_permission_register",
        "sets_the_state",
        "NEW.state <> 'granted' AND NEW.erased IS NULL",
        "UPDATE member_permission SET state = NEW.state WHERE id = NEW.permission_id;",
    ),
)
"""Consequences of a change in the same transaction: event, name, condition, SQL."""


def guards() -> Iterator[Guard]:
    """Return all of them."""
    for table, delete in (WRITTEN_ONCE | CHANGED).items():
        if table in WRITTEN_ONCE:
            yield Guard(table, "UPDATE", "stands", NEVER, "a row is never altered")
        yield from stays(table, delete)
    for table in CHECKED:
        yield from checks(table)
    for table, column in OF_NOW.items():
        allows = SOON.format(at=f"NEW.{column}")
        yield Guard(table, "INSERT", "is_of_now", allows, "what is written happens now")
    for table, target in STANDING_ON.items():
        yield from stands_on(table, target)
    for table, (columns, message) in UNALTERED.items():
        yield is_itself(table, message, but=columns)
    for change, rule in GUARDS.items():
        table, event, name = change.split()
        yield Guard(table, event, name, *rule)


_VERSION = (
    "CREATE TABLE alembic_version"
    " (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
_PIN = "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)"
"""A setting of PostgreSQL while rules are made: temporary tables come last, not first."""


def create(connection: Connection, revision: str) -> None:
    """Create all tables, those of the other role too, as this revision has them."""
    dialect = connection.dialect.name
    statements = [_VERSION, f"INSERT INTO alembic_version VALUES ('{revision}')"]
    if dialect == "postgresql":
        for table in TABLES:
            if table.name in BY_MONTH:
                table.dialect_kwargs["postgresql_partition_by"] = "RANGE (day)"
                other = f"CREATE TABLE {table.name}_other PARTITION OF {table.name} DEFAULT"
                statements.append(other)
            for index in table.indexes:
                where = index.dialect_options["sqlite"]["where"]
                index.dialect_kwargs["postgresql_where"] = where
        statements.append(_PIN)
    Base.metadata.create_all(connection, TABLES, checkfirst=False)
    statements.append(PERMITTED.format(now=NOW[dialect]))
    for guard in guards():
        statements += guard.create(dialect)
    for name in NUMBERED:
        statements += numbering(dialect, name)
    for effect in EFFECTS:
        statements += trigger(dialect, *effect)
    for statement in statements:
        connection.exec_driver_sql(statement)
