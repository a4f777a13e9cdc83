"""An insider with plain SQL: beside a node that runs, and not the owner of its tables.

What nobody but an owner may do (drop a trigger, replace a view or a function) is not tried here.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from consometers_node.collective.members.members import Members
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.privacy.erasure import erase_member, forget_if_gone
from consometers_node.permission import Permissions, State
from consometers_node.store import Store
from consometers_node.store.collective.access_log import Read, forget, note_read
from consometers_node.store.collective.groups import GroupKind, group_id
from consometers_node.store.collective.tables import MemberPermissionId
from testing.clocks import sure
from testing.collectives.members import ZONE, join
from testing.databases.cheating import (
    entry,
    insert,
    new_version,
    refuses,
    replace_into,
    terms,
    tick,
)
from testing.databases.fixtures import KINDS, Place
from testing.databases.sql import PlainSql, plain
from testing.homes.data_needs import STOP, now, unsent
from testing.homes.permissions import PermissionsOfEachState, cheat, make_world, settled, world

__all__ = ["cheat", "settled", "world"]

ONLY_SQLITE = pytest.mark.parametrize("settled", ["sqlite"], indirect=True)
ONLY_POSTGRESQL = pytest.mark.parametrize("settled", ["postgresql"], indirect=True)
LAST = 2**63 - 1
STATE = "SELECT state FROM permission WHERE id = '{}'"

NEED = (
    "INSERT INTO data_need (id, peer_id, need, version, title, purpose, recipients, controller,"
    " contact, policy, interval_minutes, reading, identification, history_days, duration_days,"
    " retention_days, received_at) VALUES (77, {peer}, 'spying', 1, '{{}}', '{{}}', '{{}}', 'Spy',"
    " 'spy', 'spy', {interval}, 'individual', 'delivery-point', {history}, {duration}, 0, {at})"
)


def need(
    peer: object, *, interval: int = 5, history: int = 30, duration: int = 365, at: str = "{now}"
) -> str:
    """Return the SQL of what a spy asks for."""
    return NEED.format(peer=peer, interval=interval, history=history, duration=duration, at=at)


class TestWithdrawing:
    """Nothing more leaves, whatever number the register is at."""

    @pytest.mark.parametrize("seq", [LAST, 10**9, -5])
    def test_no_entry_chooses_its_number(
        self, cheat: PlainSql, world: PermissionsOfEachState, seq: int
    ) -> None:
        refuses(cheat, entry(world.granted, "withdrawn", seq=seq))
        cheat.run(entry(world.granted, "withdrawn"))

    @pytest.mark.parametrize("next_seq", [LAST, 1])
    async def test_a_changed_sequence_stops_no_withdrawal(
        self, store: Store, place: Place, next_seq: int
    ) -> None:
        """One statement sets it to its end, or back. In PostgreSQL nothing takes that back."""
        world = await make_world(store)
        with plain(place) as insider:
            if insider.kind == "sqlite":
                insider.run(
                    f"INSERT INTO sqlite_sequence (name, seq) VALUES ('register', {next_seq})",
                    f"UPDATE sqlite_sequence SET seq = {next_seq}",
                )
            else:
                insider.run(f"SELECT setval(oid, {next_seq}) FROM pg_class WHERE relkind = 'S'")
        async with store.writing() as connection:
            assert await Permissions(connection).withdraw(world.granted, STOP, now())
        async with store.reading() as connection:
            assert (await Permissions(connection).get(world.granted)).state is State.WITHDRAWN
            assert not await Permissions(connection).may_leave(world.granted)

    def test_a_withdrawal_without_its_entry_stops_all_records(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        cheat.run(
            insert("outbox", world),
            f"INSERT INTO subscription VALUES ({world.coop}, {world.hourly}, {{now}}, NULL)",
            f"UPDATE permission SET state = 'withdrawn' WHERE id = '{world.granted}'",
        )
        assert cheat.value("SELECT count(*) FROM outbox") == 0
        assert cheat.value("SELECT count(*) FROM subscription") == 0
        assert cheat.value("SELECT count(*) FROM permitted") == 0
        for state in ("granted", "proposed", "terminated"):
            refuses(cheat, f"UPDATE permission SET state = '{state}' WHERE id = '{world.granted}'")
            refuses(cheat, entry(world.granted, state))
        cheat.run(entry(world.granted, "withdrawn"))
        refuses(cheat, entry(world.granted, "withdrawn"))

    def test_a_suppressed_change_of_state_releases_nothing(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        """The state stays behind, the register says that it ended: nothing leaves."""
        deaf = {
            "sqlite": "CREATE TEMP TRIGGER deaf BEFORE UPDATE ON permission"
            " BEGIN SELECT RAISE(IGNORE); END",
            "postgresql": "CREATE RULE deaf AS ON UPDATE TO permission DO INSTEAD NOTHING",
        }
        cheat.run(insert("outbox", world), deaf[cheat.kind], entry(world.granted, "withdrawn"))
        for table in ("outbox", "answer"):
            refuses(cheat, insert(table, world))
        assert cheat.value("SELECT count(*) FROM permitted") == 0


class TestWithdrawingByTheNode:
    """The node's own withdrawal, in a database that somebody tampered with."""

    TAMPERED = {  # noqa: RUF012
        "sqlite": "CREATE TRIGGER tampered BEFORE INSERT ON {table} BEGIN SELECT RAISE({how}); END",
        "postgresql": (
            "CREATE FUNCTION tampered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {how} END $$;"
            " CREATE TRIGGER tampered BEFORE INSERT ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION tampered()"
        ),
    }
    HOW = {  # noqa: RUF012
        "sqlite": {"refused": "ABORT, 'no'", "ignored": "IGNORE"},
        "postgresql": {"refused": "RAISE EXCEPTION 'no';", "ignored": "RETURN NULL;"},
    }

    @pytest.mark.parametrize("how", ["refused", "ignored"])
    @pytest.mark.parametrize("table", ["register", "notice"])
    async def test_a_withdrawal_holds_although_no_entry_can_be_written(
        self, store: Store, place: Place, table: str, how: str
    ) -> None:
        world = await make_world(store)
        with plain(place) as insider:
            tampering = self.TAMPERED[insider.kind]
            insider.run(tampering.format(table=table, how=self.HOW[insider.kind][how]))
        async with store.writing() as connection:
            permissions = Permissions(connection)
            assert not await permissions.withdraw(world.granted, STOP, now())
        async with store.reading() as connection:
            permissions = Permissions(connection)
            ended = await permissions.get(world.granted)
            assert ended.state is State.WITHDRAWN
            assert not ended.is_registered
            assert await permissions.permitted(world.coop) == []
            assert not await permissions.may_leave(world.granted)
            assert await unsent(connection, world.coop, 1) == []
        with plain(place) as insider:
            on = "" if insider.kind == "sqlite" else f" ON {table}"
            insider.run(f"DROP TRIGGER tampered{on}")
        async with store.writing() as connection:
            permissions = Permissions(connection)
            assert await permissions.withdraw(world.granted, STOP, now())
            ended = await permissions.get(world.granted)
            assert (ended.state, ended.is_registered) == (State.WITHDRAWN, True)
            assert [notice.state for notice in await permissions.notices(world.coop)][
                -1
            ] == "withdrawn"


class TestForgedGrants:
    """A spy who never asked, or who asked for what nobody may ask for."""

    def test_a_peer_that_did_not_ask_gets_no_grant(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        forged = (
            "INSERT INTO permission (id, peer_id, data_need_id, need, state)"
            f" SELECT 'forged', {{peer}}, data_need_id, '{{need}}', 'proposed' FROM permission"
            f" WHERE id = '{world.granted}'"
        )
        for peer, name in ((world.other, "sunny-roofs"), (99, "sunny-roofs"), (world.coop, "x")):
            refuses(cheat, forged.format(peer=peer, need=name))

    def test_a_need_without_a_peer_is_refused(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        refuses(cheat, need(99))
        refuses(cheat, "INSERT INTO data_need_series VALUES (78, 'production', 'energy')")

    @pytest.mark.parametrize(
        "wider",
        [
            {"duration": 99_999_999},
            {"history": 99_999_999},
            {"duration": 0},
            {"interval": 1},
            {"at": "{now} - 400"},
            {"at": "{now} + 400"},
        ],
    )
    def test_a_need_beyond_the_bounds_is_refused(
        self, cheat: PlainSql, world: PermissionsOfEachState, wider: dict[str, object]
    ) -> None:
        refuses(cheat, need(world.other, **wider))  # type: ignore[arg-type]

    def test_a_need_of_unknown_terms_is_refused(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        for word in ("delivery-point", "individual"):
            refuses(cheat, need(world.other).replace(f"'{word}'", "'whatever'"))

    def test_a_text_without_hash_or_words_is_refused(self, cheat: PlainSql) -> None:
        for hash_, body in (("x", "All of it."), (64 * "z", "All of it."), (64 * "a", " ")):
            refuses(cheat, f"INSERT INTO shown_text VALUES ('{hash_}', 'en', '{body}')")

    @ONLY_POSTGRESQL
    def test_a_text_under_the_hash_of_another_is_refused(self, cheat: PlainSql) -> None:
        refuses(cheat, f"INSERT INTO shown_text VALUES ('{64 * 'a'}', 'en', 'All of it.')")

    def test_an_entry_in_the_name_of_another_peer_is_refused(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        cheat.run(*new_version("sunny-roofs"))
        refuses(cheat, entry("v2", "proposed", actor="'peer'", who="'somebody'"))
        cheat.run(entry("v2", "proposed", actor="'peer'", who="'coop@example.org'"))
        refuses(cheat, entry(world.granted, "terminated", who="'town@example.org'"))

    def test_a_series_that_does_not_exist_yet_cannot_be_chosen(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        refuses(cheat, tick(world.proposed, 500))

    @ONLY_SQLITE
    def test_a_series_of_unknown_kind_is_refused(self, cheat: PlainSql) -> None:
        for row in (
            "'d', 'everything', 'energy', 60, 'UTC'",
            "'d', 'consumption', 'all', 60, 'UTC'",
            "'d', 'consumption', 'energy', 1, 'UTC'",
        ):
            refuses(cheat, f"INSERT INTO series VALUES (900, {row}, 0)")

    def test_a_state_without_entry_releases_nothing(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        """A state that the register does not say lets nothing leave, however it came about."""
        on = {"sqlite": "", "postgresql": " ON permission"}[cheat.kind]
        cheat.run(
            terms(world.proposed),
            tick(world.proposed, world.hourly),
            f"DROP TRIGGER permission_follows_the_register{on}",
            f"UPDATE permission SET state = 'granted' WHERE id = '{world.proposed}'",
        )
        refuses(cheat, insert("outbox", world, permission_id=f"'{world.proposed}'"))


class TestNotices:
    """A notice to a collective, and whether it was confirmed."""

    def test_no_notice_is_withdrawn_altered_or_forged(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        refuses(cheat, "DELETE FROM notice")
        refuses(cheat, "UPDATE notice SET seq = seq + 1000")
        refuses(cheat, "UPDATE notice SET erase = 0 WHERE erase = 1")
        refuses(cheat, "INSERT INTO notice (seq) SELECT max(seq) + 1 FROM register")
        proposed = "(SELECT max(seq) FROM register WHERE state = 'proposed')"
        refuses(cheat, f"INSERT INTO notice (seq) VALUES ({proposed})")
        cheat.run("UPDATE notice SET notified_at = {now}, receipt = '<receipt/>'")
        refuses(cheat, "UPDATE notice SET notified_at = NULL")
        refuses(cheat, "UPDATE notice SET receipt = '<other/>'")
        refuses(cheat, "UPDATE notice SET notified_at = notified_at - 1")


@ONLY_POSTGRESQL
class TestPostgresqlAlone:
    def test_the_role_of_a_replica_disables_no_rule(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        cheat.run("SET LOCAL session_replication_role = replica")
        refuses(cheat, insert("outbox", world, permission_id=f"'{world.withdrawn}'"))
        refuses(cheat, insert("answer", world, series_id=world.fine))
        refuses(cheat, "UPDATE register SET at = at - 1")
        refuses(cheat, "DELETE FROM register")
        refuses(cheat, "TRUNCATE register CASCADE")
        refuses(cheat, f"UPDATE permission SET state = 'granted' WHERE id = '{world.withdrawn}'")
        cheat.run(entry(world.granted, "withdrawn"))
        assert cheat.value(STATE.format(world.granted)) == "withdrawn"

    def test_no_conflict_alters_an_entry(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        for table, key, change in (
            ("register", "seq", "at = 0"),
            ("permission", "id", "state = 'granted'"),
            ("peer", "id", "jid = 'spy' || excluded.id"),
            ("shown_text", "hash, language", "body = 'All of it.'"),
            ("permission_series", "permission_id, series_id", f"series_id = {world.fine}"),
            ("notice", "seq", "erase = 0"),
        ):
            refuses(
                cheat,
                f"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({key})"
                f" DO UPDATE SET {change}",
            )
        refuses(
            cheat,
            entry(world.granted, "withdrawn", seq=1)
            + " ON CONFLICT (seq) DO UPDATE SET state = 'granted'",
        )

    def test_no_merge_alters_or_removes_an_entry(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        refuses(
            cheat,
            "MERGE INTO register r USING register s ON r.seq = s.seq"
            " WHEN MATCHED THEN UPDATE SET at = 0",
        )
        refuses(
            cheat,
            "MERGE INTO register r USING register s ON r.seq = s.seq WHEN MATCHED THEN DELETE",
        )
        refuses(
            cheat,
            f"MERGE INTO permission p USING (VALUES ('{world.withdrawn}')) v (id) ON p.id = v.id"
            " WHEN MATCHED THEN UPDATE SET state = 'granted'",
        )

    def test_copy_obeys_the_rules(self, cheat: PlainSql, world: PermissionsOfEachState) -> None:
        connection = cheat.connection
        assert isinstance(connection, psycopg.Connection)
        rows: dict[str, tuple[object, ...]] = {
            "register (seq, permission_id, state, at, actor, who)": (
                *(1_000_000, world.withdrawn, "granted", 0, "household", "me"),
            ),
            "outbox (peer_id, permission_id, series_id, range_start, range_end, queued_at)": (
                *(world.other, world.granted, world.hourly, 0, 3600, 0),
            ),
            "answer (peer_id, permission_id, series_id, command, range_start, range_end, records,"
            " at)": (world.coop, world.withdrawn, world.hourly, "get", 0, 3600, 1, 0),
        }
        for where, row in rows.items():
            before = cheat.everything()
            cheat.run("SAVEPOINT before")
            with (
                pytest.raises(psycopg.IntegrityError),
                connection.cursor() as cursor,
                cursor.copy(f"COPY {where} FROM STDIN".encode()) as copy,
            ):
                copy.write_row(row)
            cheat.run("ROLLBACK TO before")
            assert cheat.everything() == before

    def test_writable_queries_obey_the_rules(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        gone = "WITH gone AS (DELETE FROM register RETURNING *) SELECT count(*) FROM gone"
        refuses(cheat, gone)
        refuses(
            cheat,
            f"WITH ended AS ({entry(world.granted, 'withdrawn')} RETURNING seq)"
            f" {insert('outbox', world, queued_at='{now} + (SELECT 0 * seq FROM ended)')}",
        )

    @pytest.mark.parametrize("table", ["register", "permission", "permission_series", "series"])
    def test_no_temporary_table_shadows_ours(
        self, cheat: PlainSql, world: PermissionsOfEachState, table: str
    ) -> None:
        cheat.run(
            f"CREATE TEMPORARY TABLE {table} AS SELECT * FROM {table}",
            "SET LOCAL search_path = pg_temp, public",
        )
        if table in {"register", "permission"}:
            refuses(
                cheat,
                f"UPDATE pg_temp.{table} SET state = 'granted'",
                insert("outbox", world, permission_id=f"'{world.withdrawn}'"),
            )
        refuses(cheat, insert("outbox", world, series_id=world.fine))

    def test_no_function_of_the_same_name_forges_the_time(
        self, cheat: PlainSql, world: PermissionsOfEachState
    ) -> None:
        cheat.run(
            "CREATE SCHEMA nearer",
            "CREATE FUNCTION nearer.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
            " AS $$ SELECT timestamptz 'epoch' $$",
            "SET LOCAL search_path = nearer, pg_catalog, public",
        )
        refuses(cheat, entry(world.granted, "withdrawn", at="0"))

    def test_no_check_is_deferred(self, cheat: PlainSql, world: PermissionsOfEachState) -> None:
        cheat.run("SET CONSTRAINTS ALL DEFERRED")
        refuses(cheat, insert("outbox", world, permission_id=f"'{world.withdrawn}'"))
        refuses(cheat, insert("outbox", world, granted="'withdrawn'"))

    def test_no_sequence_numbers_the_register(self, cheat: PlainSql) -> None:
        for table in ("register", "member_permission_register"):
            assert cheat.value(f"SELECT pg_get_serial_sequence('{table}', 'seq')") is None

    async def test_concurrent_writers_take_numbers_in_turn(
        self, settled: tuple[Place, PermissionsOfEachState]
    ) -> None:
        place, world = settled
        with plain(place) as writer, plain(place) as other:
            writer.run("BEGIN", entry(world.granted, "withdrawn"))
            other.run("BEGIN", "SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.run(entry(world.proposed, "refused"))
            other.run("ROLLBACK")
            writer.run("ROLLBACK")


async def make_collective(store: Store) -> None:
    """Grant something as two members, and withdraw as one of them."""
    at = now()
    async with store.writing() as connection:
        member, _ = await join(connection, "stays", at=at)
        _, gone = await join(connection, "left", at=at)
        members = Members(connection, ZONE)
        await member_permissions.withdraw(members, gone.member, gone.id, at, erase=False)
        await note_read(connection, Read(at=at, who="ada", what="members", member=member.id))
        await group_id(connection, GroupKind.ALL)


@pytest.fixture(scope="session", params=KINDS)
def collective(request: pytest.FixtureRequest, new_place: Callable[[str], Place]) -> Place:
    """Make a collective once: its users leave it as it was."""
    place = new_place(request.param)

    async def make() -> None:
        store = await Store.open(place)
        try:
            await make_collective(store)
        finally:
            await store.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, make()).result()
    return place


@pytest.fixture
def coop(collective: Place) -> Iterator[PlainSql]:
    """Connect to a collective's database, and take back all that is done there."""
    with plain(collective) as connection:
        connection.run("BEGIN")
        yield connection
        connection.run("ROLLBACK")


def permission_entry(permission: str, state: str, **changes: object) -> str:
    """Return the SQL of an entry of a collective's register, whole but for these changes."""
    actor = {"terminated": "collective", "expired": "clock"}.get(state, "member")
    row: dict[str, object] = {
        "permission_id": f"'{permission}'",
        "state": f"'{state}'",
        "at": "{now}",
        "actor": f"'{actor}'",
        "text_hash": f"'{64 * 'a'}'" if state == "granted" else "NULL",
    }
    row |= changes
    values = ", ".join(map(str, row.values()))
    return f"INSERT INTO member_permission_register ({', '.join(row)}) VALUES ({values})"


def copied(table: str, key: str, **changes: object) -> str:
    """Return the SQL that copies a row of those of "stays", but for these changes."""
    columns = {
        "member_permission": "id, member_id, need, version, state, interval_minutes,"
        " identification, records_from, valid_from, valid_until, shown_sha256, shown_language",
        "member_permission_series": "permission_id, identifier",
        "access_log": "at, who, what, member_id, records",
    }[table].split(", ")
    values = ", ".join(str(changes.get(column, column)) for column in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE {key}"


PROLONGED = (
    "valid_until = valid_until + 86400",
    "valid_from = valid_from - 86400",
    "records_from = 0",
    "interval_minutes = 5",
    "identification = 'delivery-point'",
    f"shown_sha256 = '{64 * 'b'}'",
    "shown_language = 'en'",
    "id = 'another'",
    "member_id = member_id + 1",
    "version = 2",
    "state = 'withdrawn'",
    "state = 'expired', erase_at = 0",
)
BROUGHT_BACK = (
    "state = 'granted'",
    "state = 'terminated'",
    "erase_at = erase_at + 86400",
    "erase_at = NULL",
    "erase_at = erase_at + 86400, announced_at = erase_at + 86400",
    "announced_at = {now} + 86400",
    "notified_at = NULL",
    "notified_at = notified_at + 1",
)
REWRITTEN = (
    "DELETE FROM member_permission_register",
    (
        "DELETE FROM member_permission_register"
        " WHERE seq = (SELECT max(seq) FROM member_permission_register)"
    ),
    "UPDATE member_permission_register SET at = at - 86400",
    "UPDATE member_permission_register SET state = 'granted'",
    "UPDATE member_permission_register SET erased = 0",
    "UPDATE member_permission_register SET seq = seq + 100",
    "DELETE FROM access_log",
    "UPDATE access_log SET at = at - 86400",
    "UPDATE access_log SET who = 'somebody else'",
    "UPDATE access_log SET what = 'nothing'",
    "UPDATE access_log SET records = 0",
    "UPDATE access_log SET member_id = NULL",
)


A_DAY, HOUR = 86_400, 3_600
LATELY = f"({{now}} - {{now}} % {HOUR} - {3 * A_DAY})"
"""A full hour, some days ago."""


def cell(
    start: str = LATELY, minutes: int = 60, *, direction: str = "consumption", protected: int = 0
) -> str:
    """Return the SQL of a published cell of the first group."""
    row = {
        "group_id": "(SELECT min(id) FROM member_group)",
        "direction": f"'{direction}'",
        "interval_minutes": minutes,
        "protected": protected,
        "start": start,
        "day": "'2026-06-09'",
        "watt_minutes": 1,
        "members": 1,
        "homes": 1,
        "counting": 1,
        "homes_watt_minutes": 1,
        "average": 1,
        "minutes": minutes,
        "lacking": 0,
        "unopened": 0,
    }
    values = ", ".join(map(str, row.values()))
    return f"INSERT INTO published_cell ({', '.join(row)}) VALUES ({values})"


def closed(start: str = LATELY, minutes: int = 60, at: str = "{now}", *, protected: int = 0) -> str:
    """Return the SQL of a closed interval."""
    return (
        "INSERT INTO closed_interval"
        " (direction, interval_minutes, protected, start, closed_at, expected, response)"
        f" VALUES ('consumption', {minutes}, {protected}, {start}, {at}, 1, 1)"
    )


def closed_month(start: str, until: str, quartiles: str = "12, 1, 2, 3") -> str:
    """Return the SQL of the quartiles of a month."""
    return (
        "INSERT INTO closed_month (direction, start, until, homes, lower, median, upper)"
        f" VALUES ('consumption', {start}, {until}, {quartiles})"
    )


class TestPublished:
    """Published figures, and who may be shown alone."""

    @pytest.mark.parametrize("minutes", [30, 60, 1440])
    @pytest.mark.parametrize("publish", [cell, closed])
    def test_nothing_is_published_of_an_hour_that_is_not_over(
        self, coop: PlainSql, publish: Callable[[str, int], str], minutes: int
    ) -> None:
        # A day has 23 hours at least, and two clocks agree to five minutes.
        length = {1440: 23 * HOUR}.get(minutes, 60 * minutes)
        for start in (f"{{now}} - {length - 400}", "{now}", f"{{now}} + {365 * A_DAY}"):
            refuses(coop, publish(start, minutes))
        coop.run(publish(f"{{now}} - {length}", minutes))

    @pytest.mark.parametrize("publish", [cell, closed])
    def test_nothing_is_published_of_1970(
        self, coop: PlainSql, publish: Callable[[str], str]
    ) -> None:
        for start in ("0", f"-{A_DAY}", "946684799"):
            refuses(coop, publish(start))

    def test_a_protected_sum_is_closed_after_its_records_and_once(self, coop: PlainSql) -> None:
        protected = cell(protected=1), closed(protected=1)
        for statement in protected:
            refuses(coop, statement)
        coop.run(cell(), closed(), *protected)
        for statement in (*protected, cell(), closed()):
            refuses(coop, statement)

    def test_no_protected_sum_is_closed_while_a_witness_is_asked(self, coop: PlainSql) -> None:
        key = f"x'{'00' * 32}'" if coop.kind == "sqlite" else f"'\\x{'00' * 32}'::bytea"
        opening = (
            "INSERT INTO opening"
            " (direction, start, witness, groups, verification_key, request, asked_at, sums_sent)"
            f" VALUES ('consumption', {LATELY}, 'w@example.org', '', {key}, {key}, {{now}}, 0)"
        )
        coop.run(opening, cell(), closed(), cell(protected=1))
        refuses(coop, closed(protected=1))
        refuses(coop, "DELETE FROM opening")
        coop.run("UPDATE opening SET answer = '{}'", closed(protected=1), "DELETE FROM opening")

    def test_protected_sums_are_of_hours(self, coop: PlainSql) -> None:
        for minutes in (30, 1440):
            coop.run(closed(minutes=minutes))
            refuses(coop, cell(minutes=minutes, protected=1))
            refuses(coop, closed(minutes=minutes, protected=1))

    def test_no_closing_is_dated_ahead(self, coop: PlainSql) -> None:
        refuses(coop, closed(at="{now} + 400"))

    def test_a_civil_day_has_cells_of_one_step(self, coop: PlainSql) -> None:
        coop.run(cell(), cell(minutes=1440))
        for start in (LATELY, f"{LATELY} + 1800", f"{LATELY} + {12 * HOUR}"):
            for direction in ("consumption", "injection"):
                refuses(coop, cell(start, 30, direction=direction))
        coop.run(cell(f"{LATELY} + {HOUR}"), cell(f"{LATELY} - {2 * A_DAY}", 30))

    @pytest.mark.parametrize(
        "quartiles",
        [
            closed_month(f"{{now}} - {20 * A_DAY}", f"{{now}} + {10 * A_DAY}"),
            closed_month(f"{{now}} - {40 * A_DAY}", f"{{now}} - {30 * A_DAY}"),
            closed_month(f"{{now}} - {90 * A_DAY}", f"{{now}} - {30 * A_DAY}"),
            closed_month("0", f"{31 * A_DAY}"),
            closed_month(f"{{now}} - {40 * A_DAY}", f"{{now}} - {10 * A_DAY}", "11, 1, 2, 3"),
            closed_month(f"{{now}} - {40 * A_DAY}", f"{{now}} - {10 * A_DAY}", "12, 1, NULL, 3"),
            closed_month(f"{{now}} - {40 * A_DAY}", f"{{now}} - {10 * A_DAY}", "12, 3, 2, 1"),
        ],
        ids=["running", "short", "long", "1970", "few homes", "in part", "out of order"],
    )
    def test_no_quartiles_are_forged(self, coop: PlainSql, quartiles: str) -> None:
        refuses(coop, quartiles)

    def test_quartiles_are_written_once_and_never_later(self, coop: PlainSql) -> None:
        month = f"{{now}} - {40 * A_DAY}", f"{{now}} - {10 * A_DAY}"
        coop.run(closed_month(*month))
        refuses(coop, closed_month(*month, "13, 1, 2, 3"))
        refuses(coop, f"{replace_into(coop)} closed_month SELECT * FROM closed_month")
        refuses(coop, "UPDATE closed_month SET upper = upper + 1")
        refuses(coop, "DELETE FROM closed_month")
        before = f"{{now}} - {70 * A_DAY}", f"{{now}} - {40 * A_DAY}"
        coop.run("SAVEPOINT open", closed_month(*before), "ROLLBACK TO open")
        coop.run(closed(f"{{now}} - {11 * A_DAY}", 1440))
        refuses(coop, closed_month(*before))

    @pytest.mark.parametrize(
        "shown",
        [
            "kind = 'site', name = 'Shown'",
            "kind = 'site', name = 'Shown', description = '{{}}', area = 'Lorient'",
            "kind = 'collective'",
            "kind = 'collective', name = 'Shown'",
        ],
    )
    def test_no_home_is_shown_alone_without_its_permission(
        self, coop: PlainSql, shown: str
    ) -> None:
        refuses(coop, f"UPDATE member SET {shown}")

    def test_no_candidate_site_is_named_before_it_granted_that(self, coop: PlainSql) -> None:
        coop.run("UPDATE member SET kind = 'site'")
        refuses(coop, "UPDATE member SET name = 'Shown' || id")

    def test_a_site_that_granted_that_is_named(self, coop: PlainSql) -> None:
        condition = "WHERE id = (SELECT member_id FROM member_permission WHERE id = 'stays')"
        coop.run(
            copied("member_permission", "id = 'stays'", id="'by name'", identification="'name'"),
            f"UPDATE member SET kind = 'site', name = 'Shown' {condition}",
            f"UPDATE member SET note = 'A school' {condition}",
            f"UPDATE member SET kind = 'home', name = NULL {condition}",
        )


class TestCollective:
    """The register, the grants and the access log of a collective."""

    @pytest.mark.parametrize("change", PROLONGED)
    def test_no_grant_is_prolonged_widened_or_ended_without_an_entry(
        self, coop: PlainSql, change: str
    ) -> None:
        refuses(coop, f"UPDATE member_permission SET {change} WHERE id = 'stays'")

    @pytest.mark.parametrize("change", BROUGHT_BACK)
    def test_no_ended_grant_is_revived_or_keeps_its_records_longer(
        self, coop: PlainSql, change: str
    ) -> None:
        refuses(coop, f"UPDATE member_permission SET {change} WHERE id = 'left'")

    def test_records_may_be_erased_earlier(self, coop: PlainSql) -> None:
        coop.run(
            "UPDATE member_permission SET erase_at = {now} WHERE id = 'left'",
            "DELETE FROM member_permission_series WHERE permission_id = 'left'",
        )

    def test_no_grant_is_removed_or_replaced(self, coop: PlainSql) -> None:
        refuses(coop, "DELETE FROM member_permission WHERE id = 'stays'")
        refuses(coop, "DELETE FROM member_permission WHERE id = 'left'")
        refuses(coop, "DELETE FROM member_permission_series WHERE permission_id = 'stays'")
        for table in ("member_permission", "member_permission_series"):
            refuses(coop, f"{replace_into(coop)} {table} SELECT * FROM {table}")

    @pytest.mark.parametrize(
        "change",
        [
            {"state": "'withdrawn'"},
            {"member_id": 99},
            {"need": "'invented'"},
            {"version": 2},
            {"interval_minutes": 1},
            {"identification": "'all'"},
            {"valid_from": "{now} + 3 * 86400"},
            {"valid_until": "valid_from"},
            {"records_from": "valid_until"},
            {"shown_sha256": "''"},
        ],
    )
    def test_no_grant_is_forged(self, coop: PlainSql, change: dict[str, object]) -> None:
        refuses(coop, copied("member_permission", "id = 'stays'", **{"id": "'forged'"} | change))

    def test_no_grant_answers_a_closed_need(self, coop: PlainSql) -> None:
        refuses(
            coop,
            "UPDATE own_need SET closed_at = {now}",
            copied("member_permission", "id = 'stays'", id="'forged'"),
        )

    def test_no_series_is_added_or_replaced(self, coop: PlainSql) -> None:
        table, of_stays = "member_permission_series", "permission_id = 'stays'"
        refuses(coop, copied(table, of_stays, identifier="'urn:dev:org:1:more'"))
        refuses(coop, copied(table, of_stays, permission_id="'invented'"))
        for change in ("identifier = 'urn:dev:org:1:more'", "permission_id = 'left'"):
            refuses(coop, f"UPDATE {table} SET {change} WHERE {of_stays}")
        coop.run(
            *(
                f"INSERT INTO series SELECT {series_id}, 'd', '{direction}', 'energy', 60, 'UTC',"
                " member_id FROM member_permission WHERE id = 'stays'"
                for series_id, direction in ((7, "consumption"), (8, "injection"))
            ),
            f"UPDATE {table} SET series_id = 7 WHERE {of_stays}",
        )
        for series_id in ("8", "NULL"):
            refuses(coop, f"UPDATE {table} SET series_id = {series_id} WHERE {of_stays}")

    @pytest.mark.parametrize("change", REWRITTEN)
    def test_the_register_and_the_log_only_grow(self, coop: PlainSql, change: str) -> None:
        refuses(coop, change)

    @pytest.mark.parametrize(
        ("permission", "state", "changes"),
        [
            ("stays", "withdrawn", {"at": "{now} - 400"}),
            ("stays", "withdrawn", {"at": "{now} + 400"}),
            ("stays", "withdrawn", {"actor": "'collective'"}),
            ("stays", "withdrawn", {"actor": "'clock'"}),
            ("stays", "withdrawn", {"erased": 3}),
            ("stays", "withdrawn", {"seq": LAST}),
            ("stays", "withdrawn", {"seq": 1}),
            ("stays", "granted", {}),
            ("stays", "expired", {"actor": "'member'"}),
            ("stays", "proposed", {}),
            ("left", "granted", {}),
            ("left", "granted", {"erased": 3, "text_hash": "NULL"}),
            ("left", "withdrawn", {}),
            ("left", "withdrawn", {"erased": -3}),
            ("left", "terminated", {}),
            ("left", "terminated", {"erased": 3}),
            ("invented", "granted", {}),
            ("invented", "withdrawn", {}),
        ],
    )
    def test_no_entry_is_forged_backdated_or_out_of_turn(
        self, coop: PlainSql, permission: str, state: str, changes: dict[str, object]
    ) -> None:
        coop.run("UPDATE member_permission SET erase_at = {now} + 86400 WHERE id = 'stays'")
        refuses(coop, permission_entry(permission, state, **changes))

    def test_an_end_sets_the_time_of_erasure(self, coop: PlainSql) -> None:
        refuses(coop, permission_entry("stays", "withdrawn"))
        coop.run(
            "UPDATE member_permission SET erase_at = {now} WHERE id = 'stays'",
            permission_entry("stays", "withdrawn"),
        )
        assert coop.value("SELECT state FROM member_permission WHERE id = 'stays'") == "withdrawn"
        coop.run(permission_entry("stays", "withdrawn", erased=3, actor="'clock'"))

    @pytest.mark.parametrize("shown", [{"text_hash": f"'{64 * 'b'}'"}, {"text_hash": "NULL"}])
    def test_a_grant_keeps_the_text_that_was_shown_and_names_a_series(
        self, coop: PlainSql, shown: dict[str, object]
    ) -> None:
        coop.run(copied("member_permission", "id = 'stays'", id="'forged'"))
        refuses(coop, permission_entry("forged", "granted"))
        coop.run(
            copied("member_permission_series", "permission_id = 'stays'", permission_id="'forged'")
        )
        refuses(coop, permission_entry("forged", "granted", **shown))

    def test_no_entry_of_the_log_is_backdated_or_replaced(self, coop: PlainSql) -> None:
        for at in ("{now} - 400", "{now} + 400", f"{{now}} - {400 * 86_400}"):
            refuses(coop, copied("access_log", "who = 'ada'", at=at))
        refuses(coop, f"{replace_into(coop)} access_log SELECT * FROM access_log")

    @pytest.mark.parametrize(
        "table",
        [
            "member_permission",
            "member_permission_series",
            "member_permission_register",
            "access_log",
        ],
    )
    @pytest.mark.parametrize("collective", ["postgresql"], indirect=True)
    def test_no_table_is_emptied_by_a_replica(self, coop: PlainSql, table: str) -> None:
        coop.run("SET LOCAL session_replication_role = replica")
        refuses(coop, f"TRUNCATE {table} CASCADE")
        refuses(coop, f"DELETE FROM {table}")

    async def test_erasures_and_the_retention_of_the_log_still_work(
        self, store: Store, place: Place
    ) -> None:
        """What the law wants is done by the paths that are there for it."""
        await make_collective(store)
        async with store.writing() as connection:
            members = Members(connection, ZONE)
            member = (await members.named("stays@example.org")).id
            read = Read(at=now(), who="stays@example.org", what="export", member=member)
            await note_read(connection, read)
        await erase_member(store, ZONE, member, now())
        async with store.writing() as connection:
            members = Members(connection, ZONE)
            await member_permissions.note_notified(connection, MemberPermissionId("stays"), now())
            assert await forget_if_gone(members, member, now())
            await forget(connection, sure(now()))
        with plain(place) as looking:
            assert (
                looking.value(
                    "SELECT count(*) FROM member_permission_series WHERE permission_id = 'stays'"
                )
                == 0
            )
            assert looking.value("SELECT count(*) FROM access_log WHERE who LIKE 'stays%'") == 0
            assert looking.value("SELECT count(*) FROM access_log") == 2
            assert looking.value("SELECT max(erased) FROM member_permission_register") == 0

    def test_the_log_forgets_after_a_year(self, coop: PlainSql) -> None:
        """No test waits for it, so the rule that stands in its way goes."""
        on = "" if coop.kind == "sqlite" else " ON access_log"
        coop.run(
            f"DROP TRIGGER access_log_is_of_now{on}",
            copied("access_log", "who = 'ada'", at=f"{{now}} - {367 * 86_400}"),
            f"DELETE FROM access_log WHERE at < {{now}} - {366 * 86_400}",
        )
        assert coop.value("SELECT count(*) FROM access_log") == 1
