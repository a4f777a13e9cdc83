"""Plain SQL against the database: it refuses by itself what no permission allows."""

from collections.abc import Iterable
from dataclasses import fields

import pytest

from consometers_node.permission import FOLLOWING, State
from testing.databases.cheating import (
    COPIED,
    DAY,
    HOUR,
    LEAVING,
    entry,
    granting,
    insert,
    new_version,
    refuses,
    replace_into,
    terms,
    tick,
)
from testing.databases.sql import PlainSql, Refused
from testing.homes.permissions import PermissionsOfEachState

STATES_OF_THE_WORLD = ("granted", "withdrawn", "terminated", "refused", "proposed")
PROOFS = (
    "access_log",
    "answer",
    "closed_interval",
    "closed_month",
    "data_need",
    "data_need_series",
    "enrolment",
    "member_permission",
    "member_permission_register",
    "member_permission_series",
    "notice",
    "own_need",
    "peer",
    "permission",
    "permission_series",
    "published_cell",
    "register",
    "series",
    "shown_text",
    "witness_code",
    "witness_enrolment",
    "witness_head",
    "witness_ledger",
    "witness_opening",
)


def replacing(insert: str) -> str:
    return insert.replace("INSERT INTO", "{replace}", 1)


W = PermissionsOfEachState(
    **{field.name: f"{{{field.name}}}" for field in fields(PermissionsOfEachState)}  # type: ignore[arg-type]
)
"""The world in `REFUSED`: each test fills in its own."""
OF_GRANTED = f"WHERE permission_id = '{W.granted}'"
ANSWER_TERMS = "interval_minutes, identification, records_from, valid_from, valid_until"
NEED_FACTS = f"need, reading, received_at, {COPIED.replace(' interval_minutes,', '')}"
SUBSCRIBED = f"INSERT INTO subscription VALUES ({W.coop}, {W.hourly}, {{now}}, NULL)"
PERMITTED = (
    "permission_id, series_id, peer_id, identification, 0 AS records_from,"
    " 99999999999 AS valid_until"
)

WIDER: tuple[dict[str, object], ...] = (
    {"interval_minutes": 30},
    {"interval_minutes": "NULL"},
    {"identification": "'delivery-point'"},
    {"identification": "NULL"},
    {"records_from": f"{{now}} - 31 * {DAY}"},
    {"records_from": "{now} + 400"},
    {"records_from": "NULL"},
    {"valid_until": f"{{now}} + 366 * {DAY}"},
    {"valid_until": "{now}"},
    {"valid_until": "NULL"},
    {"valid_from": "{now} - 400", "records_from": f"{{now}} - 400 - 30 * {DAY}"},
    {"valid_from": "{now} + 400", "valid_until": f"{{now}} + 400 + 365 * {DAY}"},
    {"valid_from": "NULL"},
)

type Attacks = Iterable[str | tuple[str, ...]]


def on_leaving(table: str) -> dict[str, Attacks]:
    """Return attacks on a table of what leaves."""
    return {
        f"{table} by a permission in another state": [
            insert(table, W, permission_id=permission)
            for permission in (
                *(f"'{getattr(W, state)}'" for state in STATES_OF_THE_WORLD if state != "granted"),
                *("'invented'", "NULL"),
            )
        ],
        f"{table} to another peer": [
            insert(table, W, peer_id=peer) for peer in (W.other, 99, "NULL")
        ],
        f"{table} of another series": [
            insert(table, W, series_id=series)
            for series in (W.fine, W.injected, W.produced, 99, "NULL")
        ],
        f"{table} of another range": [
            insert(table, W, range_start=start, range_end=end)
            for start, end in (
                (f"{{now}} - 8 * {DAY}", "{now}"),
                (f"{{now}} - 9 * {DAY}", f"{{now}} - 8 * {DAY}"),
                ("{now}", f"{{now}} + 61 * {DAY}"),
                (f"{{now}} + 61 * {DAY}", f"{{now}} + 62 * {DAY}"),
                ("0", f"{{now}} + 999 * {DAY}"),
                ("{now}", "{now}"),
                ("{now}", f"{{now}} - {HOUR}"),
                ("NULL", "{now}"),
                ("{now}", "NULL"),
            )
        ],
        f"{table} rewritten": [
            (insert(table, W), f"UPDATE {table} SET {change}")
            for change in (
                f"peer_id = {W.other}",
                f"permission_id = '{W.withdrawn}'",
                f"permission_id = '{W.proposed}'",
                f"series_id = {W.fine}",
                f"series_id = {W.injected}",
                "range_start = 0",
                "range_end = range_end + 86400 * 999",
            )
        ],
        f"{table} beside a temporary table of the same name": [
            (
                f"CREATE TEMPORARY TABLE permitted AS SELECT {PERMITTED} FROM permitted",
                insert(table, W, range_start=1),
            )
        ],
    }


REFUSED: dict[str, Attacks] = {
    **on_leaving("outbox"),
    **on_leaving("answer"),
    "a row of another state in the outbox": [
        insert("outbox", W, permission_id=f"'{W.withdrawn}'", granted="'withdrawn'"),
        insert("outbox", W, granted="'withdrawn'"),
    ],
    "an answer at another time": [
        insert("answer", W, at="{now} - 400"),
        insert("answer", W, at="{now} + 400"),
    ],
    "an answer removed or changed": [
        (insert("answer", W), change)
        for change in (
            "DELETE FROM answer",
            "UPDATE answer SET records = 0",
            replacing(insert("answer", W, id="(SELECT max(id) FROM answer)", records=0)),
        )
    ],
    "a state without an entry": [
        f"UPDATE permission SET state = '{after}' WHERE id = '{getattr(W, before)}'"
        for before in STATES_OF_THE_WORLD
        for after in State
        # The grant is withdrawn even where the register takes no entry.
        if before != after and (before, after) != ("granted", "withdrawn")
    ],
    "granted terms changed": [
        f"UPDATE permission SET {change} WHERE id = '{W.granted}'"
        for change in (
            "valid_until = valid_until + 86400",
            "valid_until = NULL",
            "valid_from = valid_from - 86400",
            "records_from = 0",
            "interval_minutes = 5",
            "interval_minutes = NULL",
            "identification = 'delivery-point'",
            "state = 'proposed', records_from = 0",
            f"peer_id = {W.other}",
            "need = 'proposed'",
            "data_need_id = data_need_id + 1",
            f"id = '{W.withdrawn}'",
            "id = 'another'",
        )
    ],
    "a permission removed or replaced": [
        f"DELETE FROM permission WHERE id = '{W.withdrawn}'",
        *(
            "{replace} permission (id, peer_id, data_need_id, need, state)"
            " SELECT id, peer_id, data_need_id, need, 'proposed'"
            f" FROM permission WHERE id = '{permission}'"
            for permission in (W.granted, W.withdrawn, W.proposed)
        ),
    ],
    "a permission that starts with terms": [
        f"INSERT INTO permission (id, peer_id, data_need_id, need, state, {ANSWER_TERMS})"
        f" SELECT 'new', peer_id, data_need_id, need, '{state}', {ANSWER_TERMS}"
        f" FROM permission WHERE id = '{W.granted}'"
        for state in ("granted", "proposed")
    ],
    "series of a permission changed": [
        *(tick(number, W.injected) for number in (W.granted, W.withdrawn, W.refused, "invented")),
        f"DELETE FROM permission_series {OF_GRANTED}",
        f"UPDATE permission_series SET series_id = {W.fine} {OF_GRANTED}",
        f"UPDATE permission_series SET subscribed_kva = 6 {OF_GRANTED}",
    ],
    "two versions granted at once": [
        (*new_version("sunny-roofs"), entry("v2", "proposed"), *granting("v2", W.hourly))
    ],
    "a register that does not only grow": [
        "DELETE FROM register",
        "DELETE FROM register WHERE seq = (SELECT max(seq) FROM register)",
        "UPDATE register SET at = at - 1",
        "UPDATE register SET who = 'nobody' WHERE who IS NOT NULL",
        "UPDATE register SET state = 'granted' WHERE state = 'withdrawn'",
        "UPDATE register SET text_hash = NULL, language = NULL WHERE state = 'proposed'",
        "UPDATE register SET seq = seq + 100",
        "DELETE FROM shown_text",
        "UPDATE shown_text SET body = 'You may have it all.'",
        *(
            replacing(entry(W.granted, "withdrawn", seq=seq))
            for seq in (1, 2, "(SELECT max(seq) FROM register)")
        ),
        "{replace} shown_text SELECT hash, language, 'All of it.' FROM shown_text",
    ],
    "an entry without its author, time or shown text": [
        entry(W.granted, "withdrawn", text_hash="NULL", language="NULL"),
        entry(W.granted, "withdrawn", language="'en'"),
        entry(W.granted, "withdrawn", text_hash="'" + "0" * 64 + "'"),
        entry(W.granted, "withdrawn", actor="'peer'"),
        entry(W.granted, "withdrawn", actor="'clock'", who="NULL"),
        entry(W.granted, "withdrawn", who="NULL"),
        entry(W.granted, "withdrawn", at="{now} - 400"),
        entry(W.granted, "withdrawn", at="{now} + 400"),
        entry("invented", "withdrawn"),
        entry(W.granted, "withdrawn", permission_id="NULL"),
        entry(W.granted, "terminated", text_hash="NULL"),
        entry(W.granted, "terminated", language="NULL"),
    ],
    "an early expiry": [entry(W.granted, "expired")],
    "a grant without a proposal": [
        (
            (
                "INSERT INTO permission (id, peer_id, data_need_id, need, state)"
                " SELECT 'quiet', peer_id, data_need_id, need, 'proposed' FROM permission"
                f" WHERE id = '{W.refused}'"
            ),
            *granting("quiet", W.hourly),
        )
    ],
    "a grant wider than its need": [granting(W.proposed, W.hourly, **changes) for changes in WIDER],
    "a grant of series that were not requested": [
        granting(W.proposed, W.hourly, W.fine),
        granting(W.proposed, W.hourly, W.produced),
        granting(W.proposed),
        granting(W.proposed, W.hourly, interval_minutes=1440),
    ],
    "a grant of an older version": [
        (*new_version("proposed"), *granting(W.proposed, W.hourly)),
    ],
    "a data need changed": [
        "UPDATE data_need SET interval_minutes = 5",
        "UPDATE data_need SET history_days = 3660",
        "UPDATE data_need SET purpose = '{{}}'",
        "UPDATE data_need SET reading = 'individual'",
        "DELETE FROM data_need",
        "UPDATE data_need_series SET direction = 'production' WHERE direction = 'injection'",
        "DELETE FROM data_need_series",
        "INSERT INTO data_need_series SELECT id, 'production', 'energy' FROM data_need",
        "{replace} data_need SELECT * FROM data_need WHERE id = 1",
        (
            f"{{replace}} data_need (id, version, interval_minutes, {NEED_FACTS})"
            f" SELECT 1, 9, 5, {NEED_FACTS} FROM data_need WHERE id = 1"
        ),
        (*new_version("proposed", 5), new_version("proposed", 4)[0]),
    ],
    "a peer replaced": [
        f"UPDATE peer SET jid = 'spy@example.org' WHERE id = {W.coop}",
        f"DELETE FROM peer WHERE id = {W.coop}",
        f"{{replace}} peer VALUES ({W.coop}, 'spy@example.org', 'Spy', {{now}})",
    ],
    "a granted series changed": [
        f"UPDATE series SET interval_minutes = 30 WHERE id = {W.hourly}",
        f"UPDATE series SET direction = 'production' WHERE id = {W.hourly}",
        f"UPDATE series SET device = 'urn:dev:prm:1' WHERE id = {W.hourly}",
        f"UPDATE series SET id = 99 WHERE id = {W.hourly}",
        f"DELETE FROM series WHERE id = {W.hourly}",
        f"{{replace}} series VALUES ({W.hourly}, 'd', 'consumption', 'energy', 5, 'UTC', 0)",
    ],
    "a subscription without a permission": [
        f"INSERT INTO subscription VALUES ({W.other}, {W.hourly}, {{now}}, NULL)",
        f"INSERT INTO subscription VALUES ({W.coop}, {W.fine}, {{now}}, NULL)",
        f"INSERT INTO subscription VALUES ({W.coop}, {W.injected}, {{now}}, NULL)",
        (SUBSCRIBED, f"UPDATE subscription SET peer_id = {W.other}"),
        (SUBSCRIBED, f"UPDATE subscription SET series_id = {W.fine}"),
    ],
}
REFUSED_BY_SQLITE: dict[str, Attacks] = {
    "text as a number": [
        insert(table, W, **{column: word})
        for table in LEAVING
        for column in ("range_start", "range_end", "peer_id", "series_id")
        for word in ("'zzz'", "x'00'", "9e999")
    ],
    "a peer replaced": [
        "REPLACE INTO peer VALUES (77, 'coop@example.org', 'Coop', {now})",
        f"UPDATE OR REPLACE peer SET id = {W.coop} WHERE id = {W.other}",
    ],
    "two versions granted at once": [
        (
            *(*new_version("sunny-roofs"), entry("v2", "proposed")),
            *(terms("v2"), tick("v2", W.hourly)),
            entry("v2", "granted").replace("INSERT", "INSERT OR REPLACE", 1),
        )
    ],
}
REFUSED_BY_POSTGRESQL: dict[str, Attacks] = {
    "another schema": [
        (
            "CREATE SCHEMA nearer",
            f"CREATE TABLE nearer.permitted AS SELECT {PERMITTED} FROM permitted",
            "SET LOCAL search_path = nearer, public",
            insert(table, W, range_start=1),
        )
        for table in LEAVING
    ],
    "proofs truncated": [f"TRUNCATE {table} CASCADE" for table in PROOFS],
}


def refuses_all(cheat: PlainSql, world: PermissionsOfEachState, attacks: Attacks) -> None:
    names = {**vars(world), "now": "{now}", "replace": replace_into(cheat)}
    for attack in attacks:
        statements = (attack,) if isinstance(attack, str) else attack
        cheat.run("SAVEPOINT attack")
        refuses(cheat, *(statement.format_map(names) for statement in statements))
        cheat.run("ROLLBACK TO attack")


@pytest.mark.parametrize("name", REFUSED)
def test_both_databases_refuse(cheat: PlainSql, world: PermissionsOfEachState, name: str) -> None:
    refuses_all(cheat, world, REFUSED[name])


@pytest.mark.parametrize("settled", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", REFUSED_BY_SQLITE)
def test_sqlite_refuses(cheat: PlainSql, world: PermissionsOfEachState, name: str) -> None:
    refuses_all(cheat, world, REFUSED_BY_SQLITE[name])


@pytest.mark.parametrize("settled", ["postgresql"], indirect=True)
@pytest.mark.parametrize("name", REFUSED_BY_POSTGRESQL)
def test_postgresql_refuses(cheat: PlainSql, world: PermissionsOfEachState, name: str) -> None:
    refuses_all(cheat, world, REFUSED_BY_POSTGRESQL[name])


@pytest.mark.parametrize("table", LEAVING)
def test_permitted_records_may_leave(
    cheat: PlainSql, world: PermissionsOfEachState, table: str
) -> None:
    cheat.run(insert(table, world))
    assert cheat.value(f"SELECT count(*) FROM {table}") == 1


@pytest.mark.parametrize("table", LEAVING)
def test_an_expired_permission_lets_nothing_leave(
    cheat: PlainSql, world: PermissionsOfEachState, table: str
) -> None:
    # The register has no entry of it yet.
    past = {"valid_from": "{now} - 200", "valid_until": "{now} - 100"}
    cheat.run(*granting(world.proposed, world.hourly, **past))
    refuses(cheat, insert(table, world, permission_id=f"'{world.proposed}'"))
    assert cheat.value(f"SELECT state FROM permission WHERE id = '{world.proposed}'") == "granted"


ENROLLED = "INSERT INTO enrolment (permission_id"


@pytest.mark.parametrize("table", LEAVING)
def test_masked_records_wait_for_the_enrolment_at_the_witness(
    cheat: PlainSql, world: PermissionsOfEachState, table: str
) -> None:
    grant_sums(cheat, world.produced)
    leaving = insert(table, world, permission_id="'p'", series_id=world.produced)
    refuses(cheat, leaving)
    refuses(cheat, f"{ENROLLED}, enrolled_at) VALUES ('p', {{now}})")
    refuses(cheat, f"{ENROLLED}) VALUES ('{world.granted}')")
    cheat.run(f"{ENROLLED}) VALUES ('p')")
    refuses(cheat, leaving)
    cheat.run("UPDATE enrolment SET enrolled_at = {now}, receipt = 'mac'")
    if table == "outbox":
        cheat.run(leaving, "DELETE FROM outbox")
    else:
        # Masked records are pushed, and never asked for.
        refuses(cheat, leaving)
    for change in ("receipt = 'other'", "enrolled_at = enrolled_at + 1"):
        refuses(cheat, f"UPDATE enrolment SET {change}")
    # A home whose keys are lost enrols again: until then, nothing leaves.
    cheat.run("UPDATE enrolment SET enrolled_at = NULL, receipt = NULL")
    refuses(cheat, leaving)
    cheat.run("UPDATE enrolment SET enrolled_at = {now}, receipt = 'another'")
    cheat.run("UPDATE enrolment SET left_at = {now}")
    refuses(cheat, leaving)
    for change in ("left_at = NULL", "enrolled_at = NULL, receipt = NULL"):
        refuses(cheat, f"UPDATE enrolment SET {change}")
    refuses(cheat, "DELETE FROM enrolment")


def grant_sums(cheat: PlainSql, series: int, name: str = "p") -> None:
    """Grant the sum of a series by a permission of this name, as far as the database lets it."""
    grant_as(cheat, "'sum', '{}'", series, name)


def grant_as(cheat: PlainSql, reading: str, series: int, name: str) -> None:
    """Grant a series by a need with this reading and witness."""
    cheat.run(
        f"INSERT INTO data_need (need, version, reading, witness, received_at, {COPIED})"
        f" SELECT '{name}', 1, {reading.replace('{}', '{{}}')}, {{now}}, {COPIED} FROM data_need"
        " WHERE need = 'sunny-roofs'",
        *(
            f"INSERT INTO data_need_series SELECT max(id), '{direction}', '{quantity}'"
            " FROM data_need"
            for direction in ("consumption", "production")
            for quantity in ("energy", "power")
        ),
        "INSERT INTO permission (id, peer_id, data_need_id, need, state)"
        f" SELECT '{name}', peer_id, id, need, 'proposed' FROM data_need WHERE need = '{name}'",
        entry(name, "proposed"),
        *granting(name, series),
    )


@pytest.mark.parametrize(
    ("before", "refused"),
    [((), "hourly"), ((), "fine"), ((), "power"), (("p",), "produced")],
    ids=[
        "a series read by itself",
        "a series finer than hours",
        "another quantity of what is read by itself",
        "a direction of another sum",
    ],
)
def test_sums_are_refused(
    cheat: PlainSql, world: PermissionsOfEachState, before: tuple[str, ...], refused: str
) -> None:
    for name in before:
        grant_sums(cheat, world.produced, name)
    with pytest.raises(Refused):
        grant_sums(cheat, getattr(world, refused), "q")


@pytest.mark.parametrize("refused", ["produced", "produced_power"])
def test_what_is_in_a_sum_is_not_read_by_itself(
    cheat: PlainSql, world: PermissionsOfEachState, refused: str
) -> None:
    cheat.run("SAVEPOINT alone")
    grant_as(cheat, "'individual', NULL", getattr(world, refused), "q")
    cheat.run("ROLLBACK TO alone")
    grant_sums(cheat, world.produced)
    with pytest.raises(Refused):
        grant_as(cheat, "'individual', NULL", getattr(world, refused), "q")


def test_a_row_of_an_expired_permission_is_not_sent(
    cheat: PlainSql, world: PermissionsOfEachState
) -> None:
    cheat.run(insert("outbox", world), "UPDATE outbox SET stanza = 'a', sent_at = {now}")
    cheat.run("UPDATE outbox SET stanza = NULL, sent_at = NULL")
    # Time passes: a test cannot wait for a day, so it drops the rule in its way.
    on = {"sqlite": "", "postgresql": " ON permission"}[cheat.kind]
    cheat.run(f"DROP TRIGGER permission_terms_stand{on}")
    cheat.run(f"UPDATE permission SET valid_until = {{now}} - 1 WHERE id = '{world.granted}'")
    refuses(cheat, "UPDATE outbox SET stanza = 'b', sent_at = {now}")
    cheat.run("UPDATE outbox SET stanza = NULL", "DELETE FROM outbox")


@pytest.mark.parametrize("state", ["withdrawn", "terminated"])
def test_the_end_of_a_permission_empties_the_outbox_and_keeps_the_answers(
    cheat: PlainSql, world: PermissionsOfEachState, state: str
) -> None:
    cheat.run(insert("outbox", world), insert("outbox", world, stanza="'sent'"))
    cheat.run(f"INSERT INTO subscription VALUES ({world.coop}, {world.hourly}, {{now}}, NULL)")
    cheat.run(insert("answer", world), entry(world.granted, state))
    assert cheat.value("SELECT count(*) FROM outbox") == 0
    assert cheat.value("SELECT count(*) FROM subscription") == 0
    assert cheat.value("SELECT count(*) FROM answer") == 1


def test_rows_of_another_permission_stay(cheat: PlainSql, world: PermissionsOfEachState) -> None:
    cheat.run(
        *granting(world.proposed, world.hourly),
        insert("outbox", world),
        insert("outbox", world, permission_id=f"'{world.proposed}'"),
        f"INSERT INTO subscription VALUES ({world.coop}, {world.hourly}, {{now}}, NULL)",
        "UPDATE subscription SET cursor = {now}",
        entry(world.granted, "withdrawn"),
    )
    assert cheat.value("SELECT permission_id FROM outbox") == world.proposed
    assert cheat.value("SELECT count(*) FROM subscription") == 1


def test_a_new_version_is_granted_once_the_older_one_has_ended(
    cheat: PlainSql, world: PermissionsOfEachState
) -> None:
    cheat.run(
        *(*new_version("sunny-roofs"), entry("v2", "proposed")),
        *(terms("v2"), tick("v2", world.hourly)),
        *(entry(world.granted, "terminated"), entry("v2", "granted")),
    )


@pytest.mark.parametrize("before", STATES_OF_THE_WORLD)
def test_entries_follow_the_rules_of_the_states(
    cheat: PlainSql, world: PermissionsOfEachState, before: str
) -> None:
    permission = getattr(world, before)
    if before == "proposed":
        cheat.run(terms(permission), tick(permission, world.hourly))
    follow = FOLLOWING[State(before)] - {State.EXPIRED}
    for after in {*State} - follow:
        refuses(cheat, entry(permission, after))
    for after in follow:
        cheat.run("SAVEPOINT before", entry(permission, after))
        state = cheat.value(f"SELECT state FROM permission WHERE id = '{permission}'")
        assert state == after
        cheat.run("ROLLBACK TO before")


def test_a_peer_may_be_renamed_and_a_series_without_a_grant_removed(
    cheat: PlainSql, world: PermissionsOfEachState
) -> None:
    cheat.run(
        f"UPDATE peer SET name = 'Cooperative' WHERE id = {world.coop}",
        f"DELETE FROM series WHERE id = {world.produced}",
    )
