"""All rules that the database of a node keeps by itself, table by table, and the view `permitted`.

A rule is a name, what it allows, and the message where it refuses.
"""

from collections.abc import Iterable, Iterator

from .guards import (
    SOON,
    Dialect,
    Effect,
    Event,
    Guard,
    Numbering,
    Rule,
    is_itself,
    kept,
    of_now,
    same,
    says,
    stands_on,
    write_once,
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

TERMS = ("interval_minutes", "identification", "records_from", "valid_from", "valid_until")
A_YEAR_AGO = "OLD.at < {now} - 366 * 86400"


def _guards(
    table: str,
    event: Event,
    *rules: tuple[str, str, str],
    locks: str | None = None,
    only: Dialect | None = None,
) -> Iterator[Guard]:
    for name, allows, message in rules:
        yield Guard(table, event, name, allows, message, locks, only)


def _asking() -> Iterator[Rule]:
    yield from kept("peer", delete="NOT EXISTS (SELECT 1 FROM data_need WHERE peer_id = OLD.id)")
    yield is_itself("peer", "another address is another peer", but="name added_at")
    yield from write_once(
        "series", delete="NOT EXISTS (SELECT 1 FROM permission_series WHERE series_id = OLD.id)"
    )
    yield from says("series")
    yield from write_once("data_need")
    yield from says("data_need")
    yield from stands_on("data_need", "peer")
    yield of_now("data_need", "received_at")
    yield from _guards(
        "data_need",
        "INSERT",
        (
            "goes_on",
            """NOT EXISTS (SELECT 1 FROM data_need WHERE peer_id = NEW.peer_id
             AND need = NEW.need AND version >= NEW.version)""",
            "a version is newer than all before",
        ),
    )
    yield from write_once("wanted")
    yield from says("wanted")
    yield from stands_on("wanted", "data_need")
    yield from _guards(
        "wanted",
        "INSERT",
        (
            "is_asked_at_once",
            "NOT EXISTS (SELECT 1 FROM permission WHERE data_need_id = NEW.data_need_id)",
            "who wants more asks again, with a new version",
        ),
    )
    yield from write_once("shown_text")
    yield from says("shown_text")
    yield from _guards(
        "shown_text",
        "INSERT",
        (
            "is_what_its_hash_says",
            "NEW.hash = encode(sha256(convert_to(NEW.body, 'UTF8')), 'hex')",
            "this is the hash of another text",
        ),
        only="postgresql",
    )


def _answering() -> Iterator[Rule]:
    yield from kept("permission")
    yield from stands_on("permission", "data_need")
    yield from _guards(
        "permission",
        "INSERT",
        (
            "starts_as_a_proposal",
            """NEW.state = 'proposed' AND NEW.interval_minutes IS NULL
             AND NEW.identification IS NULL AND NEW.records_from IS NULL
             AND NEW.valid_from IS NULL AND NEW.valid_until IS NULL
             AND NOT EXISTS (SELECT 1 FROM permission WHERE data_need_id = NEW.data_need_id
             AND state = 'proposed')""",
            "it starts as a proposal, one at a time",
        ),
    )
    yield is_itself(
        "permission", "it stays the answer to what was asked", but=f"state {' '.join(TERMS)}"
    )
    yield from _guards(
        "permission",
        "UPDATE",
        (
            "terms_stand",
            f"(OLD.state = 'proposed' AND NEW.state = 'proposed') OR ({same(TERMS)})",
            "what was answered is not altered",
        ),
        (
            "follows_the_register",
            f"""NEW.state = OLD.state OR (OLD.state || '>' || NEW.state IN {TRANSITIONS}
             AND (NEW.state = 'withdrawn' OR NEW.state = {LAST_ENTRY.format(of="NEW.id")}))""",
            "its state is what the register says, or withdrawn",
        ),
    )
    yield from _guards(
        "permission",
        "UPDATE",
        (
            "replaces_no_other",
            """NEW.state <> 'granted' OR NOT EXISTS (SELECT 1 FROM permission WHERE
             peer_id = NEW.peer_id AND need = NEW.need AND state = 'granted' AND id <> NEW.id)""",
            "another version of this need is granted",
        ),
        only="sqlite",
    )
    yield Effect(
        "permission",
        "BEFORE UPDATE",
        "takes_what_is_queued",
        "OLD.state = 'granted' AND NEW.state <> 'granted'",
        ("DELETE FROM outbox WHERE permission_id = OLD.id", NO_LONGER_TOLD),
    )
    is_proposed = "(SELECT state FROM permission WHERE id = {}.permission_id) = 'proposed'"
    yield from write_once("permission_series", delete=is_proposed.format("OLD"))
    yield from _guards(
        "permission_series",
        "INSERT",
        ("is_chosen_before", is_proposed.format("NEW"), "no series is added to an answer"),
        locks=f"{THE_PERMISSION} SHARE",
    )
    yield from stands_on("permission_series", "series")
    yield from _register()


def _register() -> Iterator[Rule]:
    yield from write_once("register")
    yield Numbering("register")
    yield of_now("register")
    yield from says("register")
    yield from _guards(
        "register",
        "INSERT",
        (
            "follows_the_states",
            FOLLOWS,
            "this does not follow from the state that the permission is in",
        ),
        (
            "grants_no_more_than_asked",
            NOTHING_MORE_THAN_ASKED,
            "a grant only narrows what the newest version asks for",
        ),
        locks=f"{THE_PERMISSION} UPDATE",
    )
    yield from _guards(
        "register",
        "INSERT",
        (
            "names_the_peer",
            """NEW.actor <> 'peer' OR NEW.who = (SELECT jid FROM peer JOIN permission
             ON permission.peer_id = peer.id WHERE permission.id = NEW.permission_id)""",
            "what a peer does is done by the peer that was answered",
        ),
        (
            "keeps_what_was_shown",
            """NEW.text_hash IS NULL OR EXISTS (SELECT 1 FROM shown_text
             WHERE hash = NEW.text_hash AND language = NEW.language)""",
            "the text that was shown is not kept",
        ),
        (
            "expires_in_time",
            """NEW.state <> 'expired' OR (SELECT valid_until FROM permission
             WHERE id = NEW.permission_id) <= {now}""",
            "the permission has not run out yet",
        ),
    )
    yield Effect(
        "register",
        "AFTER INSERT",
        "sets_the_state",
        "NEW.state <> 'proposed'",
        ("UPDATE permission SET state = NEW.state WHERE id = NEW.permission_id",),
    )


def _leaving() -> Iterator[Rule]:
    yield from kept("notice")
    yield is_itself("notice", "what a peer is to be told is not altered", but="told_at receipt")
    yield from _guards(
        "notice",
        "INSERT",
        (
            "tells_of_an_answer",
            """(SELECT state FROM register WHERE seq = NEW.seq) IN ('granted', 'withdrawn')
             AND NEW.told_at IS NULL AND NEW.receipt IS NULL""",
            "a peer is told of what was granted or withdrawn",
        ),
    )
    yield from _guards(
        "notice",
        "UPDATE",
        (
            "is_confirmed_once",
            f"OLD.told_at IS NULL OR ({same(('told_at', 'receipt'))})",
            "a receipt is not altered",
        ),
    )
    refused = "no permission is valid now for this peer, series, interval and range"
    lock = f"{THE_PERMISSION} SHARE"
    permitted = "is_permitted", RECORDS_ARE_PERMITTED, refused
    yield from _guards("outbox", "INSERT", permitted, locks=lock)
    sent = f"NEW.stanza IS NULL OR {RECORDS_ARE_PERMITTED}"
    yield from _guards("outbox", "UPDATE", ("is_sent_with_permission", sent, refused), locks=lock)
    yield from _guards(
        "outbox",
        "INSERT",
        (
            "knows_no_state_but_granted",
            "NEW.granted = 'granted'",
            "a row is queued as long as its permission is granted",
        ),
        only="sqlite",
    )
    yield is_itself("outbox", "other records are another row", but="queued_at stanza sent_at")
    yield from _guards("answer", "INSERT", permitted, locks=lock)
    yield of_now("answer")
    yield from write_once("answer", delete=A_YEAR_AGO)
    yield from _guards(
        "subscription",
        "INSERT",
        (
            "is_permitted",
            """EXISTS (SELECT 1 FROM permitted p
             WHERE p.peer_id = NEW.peer_id AND p.series_id = NEW.series_id)""",
            "no permission is valid now for this peer and series",
        ),
    )
    yield is_itself(
        "subscription", "another peer or series is another subscription", but="since cursor"
    )


def _collective() -> Iterator[Rule]:
    yield from kept("own_need")
    yield is_itself(
        "own_need",
        "what was asked is not altered: ask again, with a new version",
        but="closed_at",
    )
    yield from write_once("closed_interval")
    yield from write_once("published_cell")
    yield from _guards(
        "published_cell",
        "INSERT",
        (
            "is_of_what_closes",
            """NOT EXISTS (SELECT 1 FROM closed_interval WHERE direction = NEW.direction
             AND interval_minutes = NEW.interval_minutes AND start = NEW.start)""",
            "this interval was closed before",
        ),
    )
    yield from kept("read_log", delete=A_YEAR_AGO)
    yield of_now("read_log")
    yield is_itself("read_log", "what was read is not altered", but="who")
    yield from _guards(
        "read_log",
        "UPDATE",
        (
            "stands",
            "EXISTS (SELECT 1 FROM member WHERE jid = OLD.who AND pseudonym = NEW.who)",
            "of a reader whose address is erased, its pseudonym stays",
        ),
    )


def _given() -> Iterator[Rule]:
    yield from kept("given")
    yield from says("given")
    yield from stands_on("given", "member")
    yield from _guards(
        "given",
        "INSERT",
        (
            "starts_as_a_grant",
            """NEW.state = 'granted' AND NEW.erase_at IS NULL
             AND NEW.announced_at IS NULL AND NEW.told_at IS NULL
             AND NEW.valid_from <= {now} + 2 * 86400
             AND EXISTS (SELECT 1 FROM own_need WHERE need = NEW.need AND version = NEW.version
             AND closed_at IS NULL)""",
            "it starts as the answer to what is asked now",
        ),
    )
    yield is_itself(
        "given", "what was given is not altered", but="state erase_at announced_at told_at"
    )
    yield from _guards(
        "given",
        "UPDATE",
        (
            "follows_the_register",
            f"""NEW.state = OLD.state OR (OLD.state = 'granted'
             AND NEW.state = {LAST_GIVEN_ENTRY.format(of="NEW.id")})""",
            "its state is what the register says",
        ),
        # An erasure by time is announced once, a day ahead; one that is asked for is due at once.
        (
            "is_erased_no_later",
            """OLD.state = 'granted' OR NEW.erase_at <= OLD.erase_at
             OR NEW.erase_at <= NEW.announced_at
             OR (OLD.announced_at IS NULL AND NEW.erase_at <= NEW.announced_at + 86400)""",
            "what came by it is not kept for longer",
        ),
        (
            "is_announced_now",
            f"{same(('announced_at',))} OR NEW.announced_at <= {{now}} + 300",
            "what is erased is announced when that is certain",
        ),
        (
            "is_told_once",
            f"OLD.told_at IS NULL OR {same(('told_at',))}",
            "its member knows already",
        ),
    )
    yield from kept(
        "given_series", delete="(SELECT state FROM given WHERE id = OLD.given_id) <> 'granted'"
    )
    own_series = (
        "NEW.series_id IS NULL OR EXISTS (SELECT 1 FROM series JOIN given"
        " ON given.member_id = series.member_id"
        " WHERE series.id = NEW.series_id AND given.id = NEW.given_id)"
    )
    its_own = "a series is of the member that gave it"
    yield from _guards(
        "given_series",
        "INSERT",
        (
            "is_chosen_before",
            """EXISTS (SELECT 1 FROM given WHERE id = NEW.given_id AND state = 'granted')
             AND NOT EXISTS (SELECT 1 FROM given_register WHERE given_id = NEW.given_id)""",
            "no series is added to what was given",
        ),
        ("is_its_own_insert", own_series, its_own),
    )
    yield from _guards(
        "given_series",
        "UPDATE",
        (
            "is_itself",
            f"""{same(("given_id", "identifier"))}
             AND (OLD.series_id IS NULL OR NEW.series_id = OLD.series_id)""",
            "what was given is not altered",
        ),
        ("is_its_own_update", f"{same(('series_id',))} OR {own_series}", its_own),
    )
    yield from _given_register()


def _given_register() -> Iterator[Rule]:
    yield from write_once("given_register")
    yield Numbering("given_register")
    yield of_now("given_register")
    yield from says("given_register")
    last = LAST_GIVEN_ENTRY.format(of="NEW.given_id")
    yield from _guards(
        "given_register",
        "INSERT",
        (
            "follows_the_states",
            f"""EXISTS (SELECT 1 FROM given WHERE id = NEW.given_id) AND CASE coalesce({last}, '')
             WHEN '' THEN NEW.state = 'granted'
             WHEN 'granted' THEN NEW.state IN ('withdrawn', 'terminated', 'expired')
             AND NEW.erased IS NULL
             ELSE NEW.erased IS NOT NULL AND NEW.state = {last} END""",
            "this does not follow from the state that the permission is in",
        ),
        locks="1 FROM given WHERE id = NEW.given_id FOR UPDATE",
    )
    yield from _guards(
        "given_register",
        "INSERT",
        (
            "keeps_what_was_shown",
            """NEW.state <> 'granted'
             OR NEW.text_hash = (SELECT shown_sha256 FROM given WHERE id = NEW.given_id)""",
            "the member was shown another text",
        ),
        (
            "names_a_series",
            """NEW.state <> 'granted'
             OR EXISTS (SELECT 1 FROM given_series WHERE given_id = NEW.given_id)""",
            "nothing was given",
        ),
        (
            "says_until_when_it_is_kept",
            """NEW.state = 'granted'
             OR (SELECT erase_at FROM given WHERE id = NEW.given_id) IS NOT NULL""",
            "an end comes with the day of the erasure",
        ),
    )
    yield Effect(
        "given_register",
        "AFTER INSERT",
        "sets_the_state",
        "NEW.state <> 'granted' AND NEW.erased IS NULL",
        ("UPDATE given SET state = NEW.state WHERE id = NEW.given_id",),
    )


RULES: Iterable[Rule] = (
    *_asking(),
    *_answering(),
    *_leaving(),
    *_collective(),
    *_given(),
)
