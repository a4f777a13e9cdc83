"""Plain SQL against the database: it refuses by itself what no permission allows."""

import pytest

from consometers_node.permission import FOLLOWING, State

from .conftest import World
from .plain import Plain, Refused

HOUR, DAY = 3600, 86_400

LEAVING = ("outbox", "answer")
COPIED = (
    "peer_id, title, purpose, recipients, controller, contact, policy, interval_minutes,"
    " identification, history_days, duration_days, retention_days"
)

STATES_OF_THE_WORLD = ("granted", "withdrawn", "terminated", "refused", "proposed")
PROOFS = (
    "access_log",
    "answer",
    "closed_interval",
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
    "witness_enrolment",
    "witness_ledger",
    "witness_opening",
)


def insert(table: str, world: World, **changes: object) -> str:
    """Return the SQL of a row that the granted permission allows, but for these changes."""
    row: dict[str, object] = {
        "peer_id": world.coop,
        "permission_id": f"'{world.granted}'",
        "series_id": world.hourly,
        "range_start": f"{{now}} - {2 * HOUR}",
        "range_end": f"{{now}} - {HOUR}",
    }
    row |= {"queued_at": "{now}"} if table == "outbox" else {}
    row |= {"at": "{now}", "command": "'get_history'", "records": 1} if table == "answer" else {}
    row |= changes
    columns = ", ".join(row)
    return f"INSERT INTO {table} ({columns}) VALUES ({', '.join(map(str, row.values()))})"


def entry(permission: str, state: str, **changes: object) -> str:
    """Return the SQL of an entry of the register that has all it needs, but for these changes."""
    actor = {"terminated": "peer", "expired": "clock"}.get(state, "household")
    who = {"clock": "NULL", "peer": "'coop@example.org'"}.get(actor, "'somebody'")
    row: dict[str, object] = {
        "permission_id": f"'{permission}'",
        "state": f"'{state}'",
        "at": "{now}",
        "actor": f"'{actor}'",
        "who": who,
        "text_hash": "(SELECT min(hash) FROM shown_text WHERE language = 'fr')",
        "language": "'fr'",
    }
    row |= changes
    return f"INSERT INTO register ({', '.join(row)}) VALUES ({', '.join(map(str, row.values()))})"


def terms(permission: str, **changes: object) -> str:
    """Return the SQL that sets the widest terms that were asked for, but for these changes."""
    row: dict[str, object] = {
        "interval_minutes": 60,
        "identification": "'pseudonym'",
        "records_from": f"{{now}} - 30 * {DAY}",
        "valid_from": "{now}",
        "valid_until": f"{{now}} + 365 * {DAY}",
    }
    row |= changes
    values = ", ".join(f"{column} = {value}" for column, value in row.items())
    return f"UPDATE permission SET {values} WHERE id = '{permission}'"


def tick(permission: str, series: int) -> str:
    return f"INSERT INTO permission_series VALUES ('{permission}', {series})"


def granting(permission: str, *series: int, **changes: object) -> tuple[str, ...]:
    """Return the SQL that grants series, on the widest terms but for these changes."""
    ticks = (tick(permission, number) for number in series)
    return terms(permission, **changes), *ticks, entry(permission, "granted")


def refuses(cheat: Plain, *statements: str) -> None:
    """Assert that the last statement is refused and changes nothing."""
    cheat.run(*statements[:-1])
    before = cheat.everything()
    cheat.run("SAVEPOINT before")
    with pytest.raises(Refused):
        cheat.run(statements[-1])
    cheat.run("ROLLBACK TO before")
    assert cheat.everything() == before


@pytest.mark.parametrize("table", LEAVING)
class TestLeavingRecords:
    def test_permitted_records_may_leave(self, cheat: Plain, world: World, table: str) -> None:
        cheat.run(insert(table, world))
        assert cheat.value(f"SELECT count(*) FROM {table}") == 1

    @pytest.mark.parametrize(
        "state", ["withdrawn", "terminated", "refused", "proposed", "invented"]
    )
    def test_a_permission_in_another_state_is_refused(
        self, cheat: Plain, world: World, table: str, state: str
    ) -> None:
        other = getattr(world, state, state)
        refuses(cheat, insert(table, world, permission_id=f"'{other}'"))
        refuses(cheat, insert(table, world, permission_id="NULL"))

    def test_another_peer_is_refused(self, cheat: Plain, world: World, table: str) -> None:
        for peer in (world.other, 99, "NULL"):
            refuses(cheat, insert(table, world, peer_id=peer))

    def test_another_series_is_refused(self, cheat: Plain, world: World, table: str) -> None:
        for series in (world.fine, world.injected, world.produced, 99, "NULL"):
            refuses(cheat, insert(table, world, series_id=series))

    def test_another_range_is_refused(self, cheat: Plain, world: World, table: str) -> None:
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
        ):
            refuses(cheat, insert(table, world, range_start=start, range_end=end))

    def test_an_expired_permission_is_refused(self, cheat: Plain, world: World, table: str) -> None:
        # The register does not say yet that it has.
        past = {"valid_from": "{now} - 200", "valid_until": "{now} - 100"}
        cheat.run(*granting(world.proposed, world.hourly, **past))
        refuses(cheat, insert(table, world, permission_id=f"'{world.proposed}'"))
        assert (
            cheat.value(f"SELECT state FROM permission WHERE id = '{world.proposed}'") == "granted"
        )

    def test_masked_records_wait_for_the_enrolment_at_the_witness(
        self, cheat: Plain, world: World, table: str
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
        for change in ("receipt = 'other'", "enrolled_at = NULL, receipt = NULL"):
            refuses(cheat, f"UPDATE enrolment SET {change}")
        cheat.run("UPDATE enrolment SET left_at = {now}")
        refuses(cheat, leaving)
        refuses(cheat, "UPDATE enrolment SET left_at = NULL")
        refuses(cheat, "DELETE FROM enrolment")


def grant_sums(cheat: Plain, series: int, name: str = "p") -> None:
    """Grant the sum of a series by a permission of this name, as far as the database lets it."""
    cheat.run(
        f"INSERT INTO data_need (need, version, reading, witness, received_at, {COPIED})"
        f" SELECT '{name}', 1, 'sum', '{{}}', {{now}}, {COPIED} FROM data_need"
        " WHERE need = 'sunny-roofs'",
        *(
            f"INSERT INTO data_need_series SELECT max(id), '{direction}', 'energy' FROM data_need"
            for direction in ("consumption", "production")
        ),
        "INSERT INTO permission (id, peer_id, data_need_id, need, state)"
        f" SELECT '{name}', peer_id, id, need, 'proposed' FROM data_need WHERE need = '{name}'",
        entry(name, "proposed"),
        *granting(name, series),
    )


ENROLLED = "INSERT INTO enrolment (permission_id"


class TestSums:
    def test_a_series_is_read_by_itself_or_in_sums(self, cheat: Plain, world: World) -> None:
        cheat.run("SAVEPOINT sums")
        with pytest.raises(Refused):
            grant_sums(cheat, world.hourly)
        cheat.run("ROLLBACK TO sums")
        grant_sums(cheat, world.produced)

    def test_a_direction_is_in_one_sum(self, cheat: Plain, world: World) -> None:
        grant_sums(cheat, world.produced)
        cheat.run("SAVEPOINT sums")
        with pytest.raises(Refused):
            grant_sums(cheat, world.produced, "q")
        cheat.run("ROLLBACK TO sums")

    def test_sums_are_of_hours(self, cheat: Plain, world: World) -> None:
        with pytest.raises(Refused):
            grant_sums(cheat, world.fine)


@pytest.mark.parametrize("table", LEAVING)
class TestStoredRows:
    @pytest.mark.parametrize(
        "change",
        [
            "peer_id = {other}",
            "permission_id = '{withdrawn}'",
            "permission_id = '{proposed}'",
            "series_id = {fine}",
            "series_id = {injected}",
            "range_start = 0",
            "range_end = range_end + 86400 * 999",
        ],
    )
    def test_a_row_cannot_be_rewritten(
        self, cheat: Plain, world: World, table: str, change: str
    ) -> None:
        change = change.format_map(vars(world))
        refuses(cheat, insert(table, world), f"UPDATE {table} SET {change}")

    @pytest.mark.parametrize("settled", ["sqlite"], indirect=True)
    @pytest.mark.parametrize("column", ["range_start", "range_end", "peer_id", "series_id"])
    def test_text_is_refused_as_a_number(
        self, cheat: Plain, world: World, table: str, column: str
    ) -> None:
        for word in ("'zzz'", "x'00'", "9e999"):
            refuses(cheat, insert(table, world, **{column: word}))


@pytest.mark.parametrize("table", LEAVING)
class TestShadowingTables:
    """Of rules that name tables: a table of the same name, nearer to the cheat."""

    COLUMNS = (
        "permission_id, series_id, peer_id, identification, 0 AS records_from,"
        " 99999999999 AS valid_until"
    )

    def test_a_temporary_table_is_ignored(self, cheat: Plain, world: World, table: str) -> None:
        refuses(
            cheat,
            f"CREATE TEMPORARY TABLE permitted AS SELECT {self.COLUMNS} FROM permitted",
            insert(table, world, range_start=1),
        )

    @pytest.mark.parametrize("settled", ["postgresql"], indirect=True)
    def test_another_schema_is_ignored(self, cheat: Plain, world: World, table: str) -> None:
        refuses(
            cheat,
            "CREATE SCHEMA nearer",
            f"CREATE TABLE nearer.permitted AS SELECT {self.COLUMNS} FROM permitted",
            "SET LOCAL search_path = nearer, public",
            insert(table, world, range_start=1),
        )


class TestTheOutbox:
    def test_a_row_of_an_expired_permission_is_not_sent(self, cheat: Plain, world: World) -> None:
        cheat.run(insert("outbox", world), "UPDATE outbox SET stanza = 'a', sent_at = {now}")
        cheat.run("UPDATE outbox SET stanza = NULL, sent_at = NULL")
        # Time passes: a test cannot wait for a day, so it drops the rule in its way.
        on = {"sqlite": "", "postgresql": " ON permission"}[cheat.kind]
        cheat.run(f"DROP TRIGGER permission_terms_stand{on}")
        cheat.run(f"UPDATE permission SET valid_until = {{now}} - 1 WHERE id = '{world.granted}'")
        refuses(cheat, "UPDATE outbox SET stanza = 'b', sent_at = {now}")
        cheat.run("UPDATE outbox SET stanza = NULL", "DELETE FROM outbox")

    def test_a_row_has_no_state_but_granted(self, cheat: Plain, world: World) -> None:
        withdrawn = f"'{world.withdrawn}'"
        refuses(cheat, insert("outbox", world, permission_id=withdrawn, granted="'withdrawn'"))
        refuses(cheat, insert("outbox", world, granted="'withdrawn'"))

    @pytest.mark.parametrize("state", ["withdrawn", "terminated"])
    def test_the_outbox_is_emptied_when_the_permission_ends(
        self, cheat: Plain, world: World, state: str
    ) -> None:
        cheat.run(insert("outbox", world), insert("outbox", world, stanza="'sent'"))
        cheat.run(f"INSERT INTO subscription VALUES ({world.coop}, {world.hourly}, {{now}}, NULL)")
        cheat.run(entry(world.granted, state))
        assert cheat.value("SELECT count(*) FROM outbox") == 0
        assert cheat.value("SELECT count(*) FROM subscription") == 0

    def test_rows_of_another_permission_stay(self, cheat: Plain, world: World) -> None:
        other = f"'{world.proposed}'"
        cheat.run(
            *granting(world.proposed, world.hourly),
            insert("outbox", world),
            insert("outbox", world, permission_id=other),
            f"INSERT INTO subscription VALUES ({world.coop}, {world.hourly}, {{now}}, NULL)",
            entry(world.granted, "withdrawn"),
        )
        assert cheat.value("SELECT permission_id FROM outbox") == world.proposed
        assert cheat.value("SELECT count(*) FROM subscription") == 1


class TestTheLog:
    def test_an_answer_is_logged_at_its_time(self, cheat: Plain, world: World) -> None:
        refuses(cheat, insert("answer", world, at="{now} - 400"))
        refuses(cheat, insert("answer", world, at="{now} + 400"))

    def test_an_answer_is_neither_removed_nor_changed(self, cheat: Plain, world: World) -> None:
        refuses(cheat, insert("answer", world), "DELETE FROM answer")
        refuses(cheat, "UPDATE answer SET records = 0")
        again = insert("answer", world, id="(SELECT max(id) FROM answer)", records=0)
        refuses(cheat, again.replace("INSERT INTO", replace_into(cheat), 1))

    def test_an_answer_outlives_its_permission(self, cheat: Plain, world: World) -> None:
        cheat.run(insert("answer", world), entry(world.granted, "withdrawn"))
        assert cheat.value("SELECT count(*) FROM answer") == 1


class TestThePermission:
    @pytest.mark.parametrize("before", STATES_OF_THE_WORLD)
    def test_only_the_register_changes_the_state(
        self, cheat: Plain, world: World, before: str
    ) -> None:
        permission = getattr(world, before)
        # The grant is withdrawn even where the register takes no entry.
        ends = {State.WITHDRAWN} if before == "granted" else set()
        for after in {*State} - {before} - ends:
            refuses(cheat, f"UPDATE permission SET state = '{after}' WHERE id = '{permission}'")

    @pytest.mark.parametrize(
        "change",
        [
            "valid_until = valid_until + 86400",
            "valid_until = NULL",
            "valid_from = valid_from - 86400",
            "records_from = 0",
            "interval_minutes = 5",
            "interval_minutes = NULL",
            "identification = 'delivery-point'",
            "state = 'proposed', records_from = 0",
            "peer_id = {other}",
            "need = 'proposed'",
            "data_need_id = data_need_id + 1",
            "id = '{withdrawn}'",
            "id = 'another'",
        ],
    )
    def test_granted_terms_cannot_be_changed(self, cheat: Plain, world: World, change: str) -> None:
        change = change.format_map(vars(world))
        refuses(cheat, f"UPDATE permission SET {change} WHERE id = '{world.granted}'")

    def test_a_permission_is_neither_removed_nor_replaced(self, cheat: Plain, world: World) -> None:
        refuses(cheat, f"DELETE FROM permission WHERE id = '{world.withdrawn}'")
        columns = "(id, peer_id, data_need_id, need, state)"
        for permission in (world.granted, world.withdrawn, world.proposed):
            refuses(
                cheat,
                f"{replace_into(cheat)} permission {columns} SELECT id, peer_id, data_need_id,"
                f" need, 'proposed' FROM permission WHERE id = '{permission}'",
            )

    def test_a_permission_starts_as_a_proposal(self, cheat: Plain, world: World) -> None:
        rest = "peer_id, data_need_id, need"
        terms_of = "interval_minutes, identification, records_from, valid_from, valid_until"
        of_granted = f"FROM permission WHERE id = '{world.granted}'"
        for state in ("granted", "proposed"):
            refuses(
                cheat,
                f"INSERT INTO permission (id, {rest}, state, {terms_of})"
                f" SELECT 'new', {rest}, '{state}', {terms_of} {of_granted}",
            )

    def test_no_series_is_added_or_removed_later(self, cheat: Plain, world: World) -> None:
        for permission in (world.granted, world.withdrawn, world.refused, "invented"):
            refuses(cheat, tick(permission, world.injected))
        of_granted = f"WHERE permission_id = '{world.granted}'"
        refuses(cheat, f"DELETE FROM permission_series {of_granted}")
        refuses(cheat, f"UPDATE permission_series SET series_id = {world.fine} {of_granted}")

    def test_two_versions_are_never_granted_at_once(self, cheat: Plain, world: World) -> None:
        new_version(cheat, "sunny-roofs")
        cheat.run(entry("v2", "proposed"), terms("v2"), tick("v2", world.hourly))
        refuses(cheat, entry("v2", "granted"))
        if cheat.kind == "sqlite":
            refuses(cheat, entry("v2", "granted").replace("INSERT", "INSERT OR REPLACE", 1))
        cheat.run(entry(world.granted, "terminated"), entry("v2", "granted"))


class TestTheRegister:
    @pytest.mark.parametrize("before", STATES_OF_THE_WORLD)
    def test_entries_follow_the_rules_of_the_states(
        self, cheat: Plain, world: World, before: str
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

    @pytest.mark.parametrize(
        "change",
        [
            "DELETE FROM register",
            "DELETE FROM register WHERE seq = (SELECT max(seq) FROM register)",
            "UPDATE register SET at = at - 1",
            "UPDATE register SET who = 'nobody' WHERE who IS NOT NULL",
            "UPDATE register SET state = 'granted' WHERE state = 'withdrawn'",
            "UPDATE register SET text_hash = NULL, language = NULL WHERE state = 'proposed'",
            "UPDATE register SET seq = seq + 100",
            "DELETE FROM shown_text",
            "UPDATE shown_text SET body = 'You may have it all.'",
        ],
    )
    def test_the_register_only_grows(self, cheat: Plain, change: str) -> None:
        refuses(cheat, change)

    def test_no_entry_is_replaced(self, cheat: Plain, world: World) -> None:
        for seq in (1, 2, "(SELECT max(seq) FROM register)"):
            cheating = entry(world.granted, "withdrawn", seq=seq)
            refuses(cheat, cheating.replace("INSERT INTO", replace_into(cheat), 1))
        refuses(
            cheat,
            f"{replace_into(cheat)} shown_text SELECT hash, language, 'All of it.' FROM shown_text",
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {"text_hash": "NULL", "language": "NULL"},
            {"language": "'en'"},
            {"text_hash": "'" + "0" * 64 + "'"},
            {"actor": "'peer'"},
            {"actor": "'clock'", "who": "NULL"},
            {"who": "NULL"},
            {"at": "{now} - 400"},
            {"at": "{now} + 400"},
            {"permission_id": "'invented'"},
            {"permission_id": "NULL"},
        ],
    )
    def test_an_entry_has_its_author_time_and_shown_text(
        self, cheat: Plain, world: World, changes: dict[str, object]
    ) -> None:
        refuses(cheat, entry(world.granted, "withdrawn", **changes))

    def test_an_entry_has_a_language_only_with_a_text(self, cheat: Plain, world: World) -> None:
        refuses(cheat, entry(world.granted, "terminated", text_hash="NULL"))
        refuses(cheat, entry(world.granted, "terminated", language="NULL"))
        cheat.run(entry(world.granted, "terminated", text_hash="NULL", language="NULL"))

    def test_a_permission_does_not_expire_early(self, cheat: Plain, world: World) -> None:
        refuses(cheat, entry(world.granted, "expired"))

    def test_a_permission_without_a_proposal_is_not_granted(
        self, cheat: Plain, world: World
    ) -> None:
        cheat.run(
            "INSERT INTO permission (id, peer_id, data_need_id, need, state)"
            " SELECT 'quiet', peer_id, data_need_id, need, 'proposed' FROM permission"
            f" WHERE id = '{world.refused}'",
        )
        refuses(cheat, *granting("quiet", world.hourly))


class TestAGrant:
    @pytest.mark.parametrize(
        "changes",
        [
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
        ],
    )
    def test_a_grant_is_never_wider_than_the_need(
        self, cheat: Plain, world: World, changes: dict[str, object]
    ) -> None:
        refuses(cheat, *granting(world.proposed, world.hourly, **changes))

    @pytest.mark.parametrize("series", ["fine", "produced"])
    def test_a_grant_has_only_requested_series(
        self, cheat: Plain, world: World, series: str
    ) -> None:
        refuses(cheat, *granting(world.proposed, world.hourly, getattr(world, series)))

    def test_a_grant_has_a_series(self, cheat: Plain, world: World) -> None:
        refuses(cheat, *granting(world.proposed))

    def test_a_grant_has_no_series_finer_than_its_interval(
        self, cheat: Plain, world: World
    ) -> None:
        refuses(cheat, *granting(world.proposed, world.hourly, interval_minutes=1440))

    def test_a_grant_answers_the_newest_version(self, cheat: Plain, world: World) -> None:
        new_version(cheat, "proposed")
        refuses(cheat, *granting(world.proposed, world.hourly))


class TestDataNeeds:
    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE data_need SET interval_minutes = 5",
            "UPDATE data_need SET history_days = 3660",
            "UPDATE data_need SET purpose = '{}'",
            "UPDATE data_need SET reading = 'individual'",
            "DELETE FROM data_need",
            "UPDATE data_need_series SET direction = 'production' WHERE direction = 'injection'",
            "DELETE FROM data_need_series",
            "INSERT INTO data_need_series SELECT id, 'production', 'energy' FROM data_need",
        ],
    )
    def test_a_need_cannot_be_changed(self, cheat: Plain, change: str) -> None:
        refuses(cheat, change)

    def test_a_need_cannot_be_replaced(self, cheat: Plain, world: World) -> None:
        row = "SELECT * FROM data_need WHERE id = 1"
        refuses(cheat, f"{replace_into(cheat)} data_need {row}")
        names = "title, purpose, recipients, controller, contact, policy, reading, identification"
        days = "history_days, duration_days, retention_days, received_at"
        refuses(
            cheat,
            f"{replace_into(cheat)} data_need"
            f" (id, need, version, interval_minutes, peer_id, {names}, {days})"
            f" SELECT 1, need, 9, 5, peer_id, {names}, {days} FROM data_need WHERE id = 1",
        )

    def test_versions_only_increase(self, cheat: Plain, world: World) -> None:
        new_version(cheat, "proposed", version=5)
        with pytest.raises(Refused):
            new_version(cheat, "proposed", version=4)


class TestPeersAndSeries:
    def test_a_peer_keeps_its_address(self, cheat: Plain, world: World) -> None:
        refuses(cheat, f"UPDATE peer SET jid = 'spy@example.org' WHERE id = {world.coop}")
        refuses(cheat, f"DELETE FROM peer WHERE id = {world.coop}")
        row = f"({world.coop}, 'spy@example.org', 'Spy', {{now}})"
        refuses(cheat, f"{replace_into(cheat)} peer VALUES {row}")
        if cheat.kind == "sqlite":
            refuses(cheat, "REPLACE INTO peer VALUES (77, 'coop@example.org', 'Coop', {now})")
            refuses(cheat, f"UPDATE OR REPLACE peer SET id = {world.coop} WHERE id = {world.other}")
        cheat.run(f"UPDATE peer SET name = 'Cooperative' WHERE id = {world.coop}")

    def test_a_granted_series_cannot_be_changed(self, cheat: Plain, world: World) -> None:
        number = world.hourly
        for change in (
            "interval_minutes = 30",
            "direction = 'production'",
            "device = 'urn:dev:prm:1'",
            "id = 99",
        ):
            refuses(cheat, f"UPDATE series SET {change} WHERE id = {number}")
        refuses(cheat, f"DELETE FROM series WHERE id = {number}")
        row = f"({number}, 'd', 'consumption', 'energy', 5, 'UTC', 0)"
        refuses(cheat, f"{replace_into(cheat)} series VALUES {row}")

    def test_a_series_without_a_grant_can_be_removed(self, cheat: Plain, world: World) -> None:
        cheat.run(f"DELETE FROM series WHERE id = {world.produced}")

    def test_no_peer_subscribes_without_permission(self, cheat: Plain, world: World) -> None:
        for peer, series in (
            (world.other, world.hourly),
            (world.coop, world.fine),
            (world.coop, world.injected),
        ):
            refuses(cheat, f"INSERT INTO subscription VALUES ({peer}, {series}, {{now}}, NULL)")
        good = f"INSERT INTO subscription VALUES ({world.coop}, {world.hourly}, {{now}}, NULL)"
        refuses(cheat, good, f"UPDATE subscription SET peer_id = {world.other}")
        refuses(cheat, f"UPDATE subscription SET series_id = {world.fine}")
        cheat.run("UPDATE subscription SET cursor = {now}")


@pytest.mark.parametrize("settled", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", PROOFS)
def test_postgresql_refuses_to_truncate_proofs(cheat: Plain, table: str) -> None:
    refuses(cheat, f"TRUNCATE {table} CASCADE")


def replace_into(cheat: Plain) -> str:
    return "REPLACE INTO" if cheat.kind == "sqlite" else "INSERT INTO"


def new_version(cheat: Plain, need: str, version: int = 2) -> None:
    cheat.run(
        f"INSERT INTO data_need (need, version, reading, received_at, {COPIED})"
        f" SELECT need, {version}, reading, {{now}}, {COPIED} FROM data_need"
        f" WHERE need = '{need}' AND version = 1",
        "INSERT INTO data_need_series SELECT max(id), 'consumption', 'energy' FROM data_need",
        "INSERT INTO permission (id, peer_id, data_need_id, need, state)"
        f" SELECT 'v{version}', peer_id, id, need, 'proposed' FROM data_need"
        f" WHERE need = '{need}' AND version = {version}",
    )
