"""A store that moves, killed on its way and going on; and what it says."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
import sqlite3

import pytest

from consometers_node.series import Block
from consometers_node.store import Store
from consometers_node.store.series import add_series, put_blocks
from testing.commands.fixtures import Run, Start
from testing.databases.fixtures import KINDS, Place
from testing.databases.populated import populate
from testing.databases.sql import plain
from testing.homes.data_needs import HOURLY, now
from testing.run import DEADLINE_S, FULL

DAYS = 16_000
"""Long enough to be killed on the way."""


async def populate_days(place: Place) -> None:
    store = await Store.open(place)
    await populate(store)
    days = [date(1950, 1, 1) + timedelta(days=n) for n in range(DAYS)]
    async with store.writing() as connection:
        number = await add_series(connection, HOURLY)
        blocks = [Block(HOURLY, day, (day.day,) * 24) for day in days]
        await put_blocks(connection, {number: blocks}, now())
    await store.close()


def blocks_in(place: Place) -> tuple[object, ...]:
    """Return how many blocks there are, and what they say together."""
    with plain(place) as connection:
        ((count, first, last, bytes_),) = connection.run(
            "SELECT count(*), min(day), max(day), sum(length(packed)) FROM block"
        )
    return count, str(first), str(last), bytes_


async def until_first_blocks(place: Place) -> None:
    """Wait until the first blocks have come."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                if blocks_in(place)[0]:
                    return
            except sqlite3.OperationalError:
                pass
            await asyncio.sleep(0.01)


@pytest.mark.cold
@pytest.mark.parametrize("target", KINDS if FULL else KINDS[:1])
async def test_a_killed_move_resumes(
    start: Start, run: Run, new_place: Callable[[str], Place], tmp_path: Path, target: str
) -> None:
    old, new = tmp_path / "old.db", new_place(target)
    await populate_days(old)
    await (await Store.open(new)).close()
    process = await start("migrate-store", old, new)
    await until_first_blocks(new)
    process.kill()
    await process.communicate()
    moved = blocks_in(new)[0]
    assert isinstance(moved, int)
    assert 0 < moved < DAYS
    with plain(new) as connection:
        assert connection.value("SELECT version_num FROM alembic_version") == "half moved"

    result = await run.ok("migrate-store", old, new, "--json")
    tables = result.document["tables"]
    assert tables["block"] == blocks_in(old)[0]
    assert blocks_in(new) == blocks_in(old)
    await (await Store.open(new)).close()


async def test_migrate_store_reports_its_result_and_errors(run: Run, tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    await (await Store.open(old)).close()
    result = await run("migrate-store", old, new, language="fr_FR.UTF-8")
    assert result.out.startswith("0 lignes ont été déplacées")
    assert result.status == 0

    store = await Store.open(new)
    await populate(store)
    await store.close()
    assert await run.condition("migrate-store", old, new) == "not-empty"
    for arguments in ((old, old), (tmp_path / "none.db", new)):
        result = await run("migrate-store", *arguments, "--json")
        assert (result.status, result.condition) == (2, "usage")
    assert not (tmp_path / "none.db").exists()
