"""Rows that have one of many values, in both databases."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import ColumnElement, event, insert, select, update

from consometers_node.series import Direction, Interval
from consometers_node.store import Store
from consometers_node.store.collective.tables import ClosedIntervalRow as Row
from consometers_node.store.engine.any_of import among
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.tables import AbsenceRow

NOW = datetime(2026, 7, 1, tzinfo=UTC)
FIRST = datetime(2026, 5, 24, tzinfo=UTC)
DAYS = [FIRST + timedelta(days=n) for n in range(40)]
STEPS = (Interval.PT1H, Interval.P1D)


@pytest_asyncio.fixture
async def connection(store: Store) -> AsyncIterator[AsyncConnection]:
    rows = [
        {
            "direction": direction,
            "interval_minutes": step,
            "start": day,
            "closed_at": NOW,
            "protected": 0,
            "expected": 1,
            "response": 1,
        }
        for direction in Direction
        for step in STEPS
        for day in DAYS
    ]
    async with store.writing() as connection:
        await connection.execute(insert(Row), rows)
        yield connection


async def matching(
    connection: AsyncConnection, *which: ColumnElement[bool], **values: Any
) -> list[Any]:
    row = Row
    query = select(row.direction, row.interval, row.start).where(*which)
    return [tuple(row) for row in await connection.execute(query, values)]


@pytest.mark.parametrize("count", [0, 1, 2, 40])
async def test_rows_with_one_of_the_values_are_found(
    connection: AsyncConnection, count: int
) -> None:
    which = among(days=Row.start), among(directions=Row.direction), among(steps=Row.interval)
    some = list(Direction)[:2]
    values = {"days": DAYS[:count], "directions": some, "steps": (Interval.P1D,) * 3}
    rows = await matching(connection, *which, **values)
    assert sorted(rows) == sorted(
        (direction, Interval.P1D, day) for direction in some for day in DAYS[:count]
    )


async def test_pairs_match_by_position(connection: AsyncConnection) -> None:
    pairs = [*zip(DAYS, 40 * [Interval.PT1H], strict=True), (DAYS[-1], Interval.P1D)]
    which = among(days=Row.start, steps=Row.interval)
    days, steps = zip(*pairs, strict=True)
    rows = await matching(connection, which, days=days, steps=steps)
    assert {(day, step) for _, step, day in rows} == set(pairs)
    assert len(rows) == len(pairs) * len(Direction)
    assert await matching(connection, which, days=[], steps=[]) == []


async def test_an_update_changes_only_matching_pairs(connection: AsyncConnection) -> None:
    away = [{"away_from": day, "away_until": day + timedelta(hours=1)} for day in DAYS]
    await connection.execute(insert(AbsenceRow), away)
    which = among(starts=AbsenceRow.away_from, ends=AbsenceRow.away_until)
    later = update(AbsenceRow).where(which).values(away_until=NOW + timedelta(days=90))
    values = {"starts": DAYS[:2], "ends": [DAYS[0] + timedelta(hours=1), DAYS[0]]}
    assert (await connection.execute(later, values)).rowcount == 1


async def test_the_statement_does_not_depend_on_the_number_of_values(store: Store) -> None:
    async with store.reading() as connection:
        statements = {
            (await statement(connection, among(days=Row.start), days=DAYS[:count]))[0]
            for count in range(5)
        }
    assert len(statements) == 1


async def test_the_primary_key_serves_the_query(file: Store) -> None:
    which = (
        among(directions=Row.direction),
        among(steps=Row.interval),
    )
    pair = among(steps=Row.interval, days=Row.start)
    async with file.reading() as connection:
        for some in (which, (which[0], pair)):
            sql, parameters = await statement(
                connection, *some, directions=list(Direction), steps=[Interval.PT1H], days=[FIRST]
            )
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
            (search,) = [row[3] for row in plan if "closed_interval" in row[3]]
            assert "SEARCH" in search
            assert "interval_minutes=?" in search


async def statement(
    connection: AsyncConnection, *which: ColumnElement[bool], **values: Any
) -> tuple[str, Any]:
    """Return the statement and parameters that the database receives."""
    statements: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    event.listen(connection.sync_connection, "before_cursor_execute", listen)
    await matching(connection, *which, **values)
    event.remove(connection.sync_connection, "before_cursor_execute", listen)
    return statements[-1]
