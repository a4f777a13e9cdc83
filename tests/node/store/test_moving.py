"""All that a node keeps moves into another database, whatever interrupts it, and back."""

from collections.abc import Callable
from datetime import date, timedelta
import itertools

import pytest
from sqlalchemy import text

from consometers_node.series import Block
from consometers_node.store import Store, Unusable
from consometers_node.store.moving import CannotMove, count, move
from consometers_node.store.series import add_series, put_blocks
from consometers_node.store.settings import set_setting
from testing.databases.fixtures import KINDS, Place
from testing.databases.populated import populate
from testing.databases.sql import Refused, plain
from testing.homes.data_needs import HOURLY, now

PAIRS = list(itertools.product(KINDS, KINDS))
PEER = "INSERT INTO peer (jid, name, added_at) VALUES ('a', '', 0)"
BETWEEN = [pair for pair in PAIRS if pair[0] != pair[1]]


class Interrupted(Exception):
    """A move stops half-way."""


def ignore(_rows: int) -> None:
    """Report no progress."""


def stop_at(rows: int) -> Callable[[int], None]:
    """Interrupt a move once this many rows are there."""

    def reached(there: int) -> None:
        if there >= rows:
            raise Interrupted

    return reached


async def populated(place: Place) -> Store:
    """A database with a row in every table, and with blocks of half a year."""
    store = await Store.open(place)
    await populate(store)
    async with store.writing() as connection:
        series_id = await add_series(connection, HOURLY)
        for day in range(180):
            block = Block(HOURLY, date(2025, 11, 1) + timedelta(days=day), (day,) * 24)
            await put_blocks(connection, {series_id: [block]}, now())
    return store


def everything(place: Place) -> dict[str, list[tuple[object, ...]]]:
    with plain(place) as connection:
        return {
            table: sorted(tuple(str(value) for value in row) for row in rows)
            for table, rows in connection.everything().items()
        }


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_everything_moves(
    new_place: Callable[[str], Place], source: str, target: str
) -> None:
    here, there = new_place(source), new_place(target)
    old, new = await populated(here), await Store.open(there)
    async with old.writing() as connection:
        last = (await connection.execute(text(f"{PEER} RETURNING id"))).scalar_one()
        await connection.execute(text("DELETE FROM peer WHERE jid = 'a'"))
    progress: list[int] = []
    moved = await move(old, new, progress.append)
    assert progress == sorted(progress)
    assert sum(moved.values()) == progress[-1] == await count(old)
    assert all(moved.values())
    await old.close()
    await new.close()
    assert everything(there) == everything(here)
    with plain(there) as database:
        with pytest.raises(Refused):
            database.run("DELETE FROM register")
        # No number is given twice.
        assert database.value(f"{PEER} RETURNING id") == last + 1
        if target == "postgresql":
            asleep = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'A'"
            assert database.run(asleep) == []


@pytest.mark.parametrize(("source", "target"), BETWEEN)
async def test_an_interrupted_move_resumes(
    new_place: Callable[[str], Place],
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    target: str,
) -> None:
    monkeypatch.setattr("consometers_node.store.moving.AT_ONCE", 50)
    here, there = new_place(source), new_place(target)
    old = await populated(here)
    total = await count(old)
    for rows in (0, total // 2, total):
        new = await Store.open(there, half_moved=True)
        with pytest.raises(Interrupted):
            await move(old, new, stop_at(rows))
        await new.close()
        with pytest.raises(Unusable, match="resume it with migrate-store"):
            await Store.open(there)
    new = await Store.open(there, half_moved=True)
    progress: list[int] = []
    await move(old, new, progress.append)
    await new.close()
    await old.close()
    assert everything(there) == everything(here)
    await (await Store.open(there)).close()


async def test_a_source_that_changes_during_a_move_is_refused(
    new_place: Callable[[str], Place],
) -> None:
    for target in KINDS:
        old, there = await populated(new_place("sqlite")), new_place(target)
        new = await Store.open(there)
        with pytest.raises(Interrupted):
            await move(old, new, stop_at(100))
        async with old.writing() as connection:
            await set_setting(connection, "jid", "elsewhere@example.org")
        async with new.writing() as connection:
            moved = (await connection.execute(text("SELECT count(*) FROM setting"))).scalar_one()
        assert moved
        with pytest.raises(CannotMove) as refusal:
            await move(old, new, ignore)
        assert refusal.value.why == "changed"
        await old.close()
        await new.close()


async def test_a_move_into_a_used_database_is_refused(new_place: Callable[[str], Place]) -> None:
    old = await populated(new_place("sqlite"))
    new = await populated(new_place("sqlite"))
    for target in (new, old):
        with pytest.raises(CannotMove) as refusal:
            await move(old, target, ignore)
        assert refusal.value.why == "not-empty"
    await old.close()
    await new.close()
