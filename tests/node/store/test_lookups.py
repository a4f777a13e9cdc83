"""How guards find the rows that they look at."""

import re

from sqlalchemy import text

from consometers_node.store import Store

TRIGGERS = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
WHEN = re.compile(r"CREATE TRIGGER \w+ BEFORE (\w+) ON \w+ WHEN (.*) BEGIN ", re.DOTALL)
HOURS = re.compile(
    r"FROM (closed_interval|published_cell)\b(?:(?!EXISTS).)*\bstart (=|BETWEEN) ", re.DOTALL
)
TABLES = re.compile(r"^(SEARCH|SCAN) (closed_interval|published_cell)\b")
ROWS = {"INSERT": ("NEW",), "UPDATE": ("NEW", "OLD"), "DELETE": ("OLD",)}


async def test_hours_are_looked_up_by_their_whole_key(file: Store) -> None:
    """By a part of it, each report and each cell would read all hours of a group or direction."""
    searches = {}
    async with file.reading() as connection:
        for name, table, made in await connection.execute(text(TRIGGERS)):
            guard = WHEN.match(made)
            if guard is None or not HOURS.search(guard[2]):
                continue
            changed = ", ".join(f"{table} {row}" for row in ROWS[guard[1]])
            query = f"EXPLAIN QUERY PLAN SELECT 1 FROM {changed} WHERE {guard[2]}"
            plan = [str(row[3]) for row in await connection.execute(text(query))]
            searches[name] = [row for row in plan if TABLES.search(row)]
    assert {
        "masked_report_is_in_time",
        "opening_is_of_what_closes",
        "published_cell_has_the_step_of_its_day",
    } < searches.keys()
    for name, rows in searches.items():
        assert rows, name
        assert all(re.search(r"protected=\? AND start[=><]\?", row) for row in rows), name
