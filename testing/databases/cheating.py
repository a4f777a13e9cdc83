"""What an attacker with plain SQL writes, and how the database refuses it."""

import re

import pytest

from testing.databases.sql import PlainSql, Refused
from testing.homes.permissions import PermissionsOfEachState

HOUR, DAY = 3600, 86_400

LEAVING = ("outbox", "answer")
COPIED = (
    "peer_id, title, purpose, recipients, controller, contact, policy, interval_minutes,"
    " identification, history_days, duration_days, retention_days"
)


def insert(table: str, world: PermissionsOfEachState, **changes: object) -> str:
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
    return f"INSERT INTO permission_series VALUES ('{permission}', {series}, NULL)"


def granting(permission: str, *series: int, **changes: object) -> tuple[str, ...]:
    """Return the SQL that grants series, on the widest terms but for these changes."""
    ticks = (tick(permission, number) for number in series)
    return terms(permission, **changes), *ticks, entry(permission, "granted")


def new_version(need: str, version: int = 2) -> tuple[str, ...]:
    """Return the SQL of another version of a data need, and of a permission to answer it."""
    return (
        (
            f"INSERT INTO data_need (need, version, reading, received_at, {COPIED})"
            f" SELECT need, {version}, reading, {{now}}, {COPIED} FROM data_need"
            f" WHERE need = '{need}' AND version = 1"
        ),
        "INSERT INTO data_need_series SELECT max(id), 'consumption', 'energy' FROM data_need",
        (
            "INSERT INTO permission (id, peer_id, data_need_id, need, state)"
            f" SELECT 'v{version}', peer_id, id, need, 'proposed' FROM data_need"
            f" WHERE need = '{need}' AND version = {version}"
        ),
    )


def replace_into(cheat: PlainSql) -> str:
    return "REPLACE INTO" if cheat.kind == "sqlite" else "INSERT INTO"


def refuses(cheat: PlainSql, *statements: str) -> None:
    """Assert that the last statement is refused and changes nothing."""
    cheat.run(*statements[:-1])
    before = cheat.everything()
    cheat.run("SAVEPOINT before")
    with pytest.raises(Refused) as refusal:
        cheat.run(statements[-1])
    # A statement that leaves out a column is refused for that alone.
    assert not re.search("NOT NULL constraint|null value in column", str(refusal.value))
    cheat.run("ROLLBACK TO before")
    assert cheat.everything() == before
