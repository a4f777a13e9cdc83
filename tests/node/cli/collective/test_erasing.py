"""A member is erased by a command while the node runs: nothing of it is left in the files."""

import asyncio
from datetime import timedelta
from pathlib import Path
import struct
import subprocess

from sqlalchemy import select

from consometers_node.collective.privacy.erasure import is_wiped
from consometers_node.collective.privacy.retention import Retention
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.tables import BlockRow
from consometers_quoalise import Data
from testing.clocks import Hands, confirmed
from testing.collectives.members import ZONE, meter
from testing.collectives.records import HOUR, pushed_data, running_queue
from testing.commands.collective import admit_homes, now, opened
from testing.commands.fixtures import Run
from testing.run import DEADLINE_S

CURVE = [3_011 + 7 * n * n for n in range(24)]
START = now().replace(hour=0, minute=0, second=0) - timedelta(days=2)


def pushed(name: str, values: list[int]) -> Data:
    return pushed_data(meter(name), START, values, interval=HOUR)


def traces(folder: Path) -> list[bytes]:
    """Return the member's traces in the files of the database.

    Another program reads them: closing a file that SQLite has open here would drop SQLite's locks.
    """
    files = [file for file in folder.iterdir() if file.name.startswith("node.db")]
    content = subprocess.run(["cat", *files], check=True, capture_output=True).stdout
    words = b"anemone", struct.pack("<24H", *CURVE)
    return [word for word in words if word in content]


async def running(folder: Path) -> Store:
    """Open the store of a node with a day of its member's records."""
    await admit_homes(folder, "anemone", "b")
    store = await opened(folder)
    async with running_queue(store) as queue:
        await queue.keep("anemone@example.org", pushed("anemone", CURVE))
    assert len(traces(folder)) == 2
    return store


async def test_erasure_overwrites_records_while_the_node_stores_others(
    run: Run, coop: Path
) -> None:
    store = await running(coop)
    received = 0

    async def push() -> None:
        nonlocal received
        async with running_queue(store) as queue:
            while True:
                await queue.keep("b@example.org", pushed("b", [received] * 24))
                received += 1

    pushing = asyncio.create_task(push())
    result = await run.ok("members", "erase", "anemone@example.org", "--yes", "--json")
    assert (result.document["records"], result.document["wiped"]) == (24, True)
    before = received
    async with asyncio.timeout(DEADLINE_S):
        while received == before:
            await asyncio.sleep(0.01)
    pushing.cancel()
    await asyncio.wait({pushing})
    # Its address goes once its node has received the notice.
    assert traces(coop) == [b"anemone"]
    await store.close()


async def test_the_node_overwrites_traces_after_another_reader_ends(run: Run, coop: Path) -> None:
    store = await running(coop)
    async with store.reading() as before:
        assert (await before.execute(select(BlockRow.day))).all()
        result = await run.ok(
            "members", "erase", "anemone@example.org", "--yes", language="fr", WAITS_MS="100"
        )
        assert "des traces des données effacées restent dans ses fichiers" in result.out
        async with store.reading() as connection:
            assert not await is_wiped(connection)
        assert struct.pack("<24H", *CURVE) in traces(coop)
    await Retention(store, ZONE, Changes(), await confirmed(store, Hands(now()))).look()
    async with store.reading() as connection:
        assert await is_wiped(connection)
    assert traces(coop) == [b"anemone"]
    await store.close()
