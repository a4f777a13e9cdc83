"""Writes down, as SQL, what a database of this node's revision is, with a life in it.

    PYTHONPATH=addon .venv/bin/python -m tests.node.store.keep

is run for each new revision. What it wrote of one that was released is never altered.
"""

import asyncio
from datetime import date, timedelta
from pathlib import Path
import sqlite3
import tempfile

from consometers_node.permission import Permissions
from consometers_node.series import Block, Range
from consometers_node.store import HEAD, Store
from consometers_node.store.absences import add_absence
from consometers_node.store.answers import Answer, log_answer
from consometers_node.store.coverage import set_coverage
from consometers_node.store.outbox import queue, sending, unsent
from consometers_node.store.pulled import Pulled, add_pulled, moved, set_problem
from consometers_node.store.series import put_block
from consometers_node.store.settings import HOUSEHOLD_SECRET, set_secret, set_setting
from consometers_node.store.subscriptions import subscribe

from .. import postgresql
from ..permission.conftest import make_world
from ..permission.samples import HOURLY, now

OLD = Path(__file__).with_name("old")


async def live(store: Store) -> None:
    """Leave a row in every table."""
    world = await make_world(store)
    past = Range(now() - timedelta(hours=2), now() - timedelta(hours=1))
    async with store.writing() as connection:
        day = date(2026, 10, 25)
        block = Block(HOURLY, day, (*range(11), None, *range(300, 312)))
        await put_block(connection, world.hourly, block, now())
        await set_coverage(connection, world.hourly, Range.of_day(day))
        await add_absence(connection, past)
        pulled = Pulled(
            statistic="consometers:grid",
            jid="town@example.org",
            identifier="urn:dev:prm:30001610071843_consumption",
            name="The town hall",
            added_at=now(),
        )
        await add_pulled(connection, pulled)
        await moved(connection, pulled.statistic, past.end)
        await set_problem(connection, pulled.statistic, "It cannot be reached.")
        await subscribe(connection, world.coop, world.hourly, now())
        for _ in range(2):
            await queue(connection, world.coop, world.granted, world.hourly, past, at=now())
        (first, _) = await unsent(connection, world.coop, 2)
        await sending(connection, [first], "stanza", now())
        answer = Answer(
            peer=world.coop,
            permission=world.granted,
            series_id=world.hourly,
            command="get_history",
            records=past,
            count=1,
            at=now(),
        )
        await log_answer(connection, answer)
        (notice, *_) = await Permissions(connection).notices(world.coop)
        await Permissions(connection).told(notice.seq, "receipt", now())
        await set_setting(connection, "jid", "home@example.org")
        await set_secret(connection, HOUSEHOLD_SECRET, bytes(range(32)))


def sqlite_dump(place: Path) -> str:
    connection = sqlite3.connect(place)
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()


def sqlite_restore(place: Path, dump: str) -> None:
    connection = sqlite3.connect(place)
    try:
        connection.executescript(dump)
    finally:
        connection.close()


async def keep(server: postgresql.Server, folder: Path) -> None:
    place, name = folder / "node.db", server.create()
    for where in (place, server.url(name)):
        store = await Store.open(where)
        await live(store)
        await store.close()
    for kind, dump in (("sqlite", sqlite_dump(place)), ("postgresql", server.dump(name))):
        # PostgreSQL's programs understand lines that start with a backslash, its server does not.
        lines = [line for line in dump.splitlines() if not line.startswith(("\\", "--"))]
        (OLD / f"{HEAD}.{kind}.sql").write_text("\n".join(filter(None, lines)) + "\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, postgresql.running() as running:
        asyncio.run(keep(running, Path(name)))
