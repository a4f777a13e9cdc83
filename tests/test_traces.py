"""The search for homes' values sees them wherever a program could leave them."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
import sqlite3
import struct

import pytest

from testing.traces import Values

HOME = [33_101, 34_567, 35_009, 33_877]
VALUES = Values([HOME, [34_999, 33_003, 35_555, 34_001]])


@pytest.mark.parametrize(
    "written",
    [
        "{wh}",
        "{wh}W",
        "{wh}Wh",
        "{wh} Wh",
        "{wh}.0",
        "{wh:,} Wh",
        "wh={wh}",
        '{{"wh": {wh}}}',
        "[1,{wh},0]",
        "{kwh} kWh",
        "{kwh:.4f}kWh",
        "{watt_minutes} W·min",
        "7\t{watt_minutes}\t\\N",
        "{joules}J",
    ],
)
def test_values_in_a_log_or_a_dump_are_found(tmp_path: Path, written: str) -> None:
    file = tmp_path / "node.log"
    lines = (
        written.format(wh=wh, kwh=wh / 1_000, watt_minutes=wh * 60, joules=wh * 3_600)
        for wh in HOME
    )
    file.write_text("\n".join(f"2026-11-29 10:00:00,123 INFO {line}" for line in lines))
    assert VALUES.found_in(file)


def test_a_log_without_values_is_clean(tmp_path: Path) -> None:
    file = tmp_path / "node.log"
    file.write_text(
        "2026-11-29 10:33:10,1 INFO process 34567 at port 127.0.0.1:33101, 35009ab0c1\n"
        "a1b2-33877-c3 took 0.33877 s; 1233101 and 331010 records of 2026-11-29T10:34:56.7\n"
    )
    assert VALUES.found_in(file) == []


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database whose journal is not written back."""
    with closing(sqlite3.connect(tmp_path / "node.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, what ANY)")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield database


def in_a_block(shape: str, per: float = 1) -> list[object]:
    kind = float if shape[-1] in "fd" else int
    return [struct.pack(shape, *(kind(value * per) for value in HOME))]


WRITTEN: dict[str, list[object]] = {
    "integers": [*HOME],
    "watt-minutes": [value * 60 for value in HOME],
    "reals": [float(value) for value in HOME],
    "kWh": [value / 1_000 for value in HOME],
    "words": [str(value) for value in HOME],
    "JSON": [f'{{"wh": [{", ".join(map(str, HOME))}]}}'],
    **{
        f"packed {shape} {per}": in_a_block(shape, per)
        for shape, per in (
            ("<4H", 1),
            (">4I", 60),
            ("<4q", 1),
            ("<4d", 1),
            ("<4f", 1),
            (">4d", 1 / 1_000),
        )
    },
    "squares": [value * value for value in HOME],
    "a report without masks": [struct.pack("<4Q", 1, 0, 1, HOME[2] ** 2)],
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("is_in_journal", [True, False])
def test_values_in_a_column_are_found(
    database: sqlite3.Connection, tmp_path: Path, written: list[object], *, is_in_journal: bool
) -> None:
    database.executemany("INSERT INTO thing (what) VALUES (?)", [(value,) for value in written])
    if not is_in_journal:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert VALUES.found_in(tmp_path / "node.db")


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_values_in_rows_of_any_database_are_found(written: list[object]) -> None:
    assert VALUES.found_in_rows({"thing": [(n, value) for n, value in enumerate(written)]})


def test_values_in_columns_that_sqlite_lacks_are_found() -> None:
    for written in ([Decimal(value) for value in HOME], [[*HOME]], [{"wh": HOME}]):
        assert VALUES.found_in_rows({"thing": [(value,) for value in written]})


def test_a_database_without_values_is_clean(database: sqlite3.Connection, tmp_path: Path) -> None:
    database.executemany(
        "INSERT INTO thing (what) VALUES (?)", [(sum(HOME),), (34_567,), ("x",), (b"\x87\x07",)]
    )
    assert VALUES.found_in(tmp_path / "node.db") == []
