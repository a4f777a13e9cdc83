"""What is shared follows the files: one that comes, one that comes late, one that is removed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from consometers_node.household.errors import TooManyFiles
from consometers_node.household.files import source as file_source
from consometers_node.household.files.brought import bring
from consometers_node.household.files.source import FileSource
from consometers_node.household.readings import Flag
from consometers_node.household.sharing.poll_schedule import Rounds
from consometers_node.household.sharing.sync import Sync, targets
from consometers_node.permission import Choice
from consometers_node.series import Device, Direction, Interval, Range, Series
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.export import as_json, erase_all
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.household.files import StaleDays, note_read, stale_days
from consometers_node.store.series import blocks
from testing.home_assistant.rows import no_rest
from testing.homes.data_needs import HOURLY, NEED, now
from testing.homes.files import POINT, add, load_curve
from testing.homes.ledgers import HOUR, Ledger, midnight
from testing.waiting import eventually

DRAWN = replace(HOURLY, device=Device("files:consumption"))
FED = replace(HOURLY, device=Device("files:injection"), direction=Direction.INJECTION)
HALF = replace(DRAWN, interval=Interval.PT30M)
LONG = replace(NEED, interval=Interval.PT30M, history_days=400)


@pytest.fixture
def source(file: Store) -> FileSource:
    return FileSource(file, "en")


@asynccontextmanager
async def syncing(store: Store) -> AsyncIterator[Changes]:
    changes = Changes()
    rounds = Rounds(HOUR, settles=(timedelta(0), timedelta(0)))
    sync = Sync(store, FileSource(store, "en"), changes, rounds, Clock(), rest=no_rest)
    task = asyncio.create_task(sync.run())
    try:
        yield changes
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def all_read(store: Store, changes: Changes, series: Series) -> None:
    """Wait until the grant is read, and nothing waits to be read again."""

    async def look() -> bool:
        changes.notify()
        async with store.reading() as connection:
            target = (await targets(connection, FileSource.memory, now()))[series]
            return target.progress == 1 and await stale_days(connection) is None

    await eventually(look, bool)


async def values(ledger: Ledger, within: Range) -> list[int]:
    async with ledger.store.reading() as connection:
        stored = await blocks(connection, ledger.series_id, ledger.series, within)
    return [record.value for block in stored for record in block.records(within)]


async def test_half_hours_of_a_year_are_shared_however_old(file: Store) -> None:
    ledger = await Ledger.open(file, series=HALF)
    await ledger.grant(LONG, Choice(series=frozenset({HALF}), history_days=300))
    await add(file, load_curve(midnight(-300), [400] * 48 * 290))
    async with syncing(file) as changes:
        await all_read(file, changes, HALF)
        assert await values(ledger, Range(midnight(-299), midnight())) == [200] * 48 * 289


async def test_a_late_file_is_sent_and_a_removed_one_taken_back(
    file: Store, source: FileSource
) -> None:
    ledger = await Ledger.open(file, series=HALF)
    await ledger.grant(LONG, Choice(series=frozenset({HALF}), history_days=200))
    await ledger.subscribe(cursor=midnight(-10), since=midnight(-100))
    month = Range(midnight(-90), midnight(-60))
    await add(file, load_curve(midnight(-60), [400] * 48 * 50))
    async with syncing(file) as changes:
        await all_read(file, changes, HALF)
        await ledger.receive_all()
        assert await values(ledger, month) == []
        number = await add(file, load_curve(month.start, [1000] * 48 * 30))
        await all_read(file, changes, HALF)
        assert await values(ledger, month) == [500] * 48 * 30
        await ledger.receive_all()
        assert ledger.sent[month.start] == 1000  # W
        assert await source.remove(number)
        assert not await source.remove(number)
        await all_read(file, changes, HALF)
        assert await values(ledger, month) == []
        assert len(await values(ledger, Range(midnight(-60), midnight()))) == 48 * 50


async def test_only_what_is_granted_is_stored_of_a_late_file(file: Store) -> None:
    ledger = await Ledger.open(file, series=DRAWN)
    await ledger.grant(NEED, Choice(series=frozenset({DRAWN}), history_days=7))
    async with syncing(file) as changes:
        await all_read(file, changes, DRAWN)
        await add(file, load_curve(midnight(-60), [400] * 48 * 59))
        await all_read(file, changes, DRAWN)
        assert await values(ledger, Range(midnight(-60), midnight(-8))) == []
        assert await values(ledger, Range(midnight(-6), midnight(-1))) == [400] * 24 * 5


async def test_a_home_offers_what_its_files_have(file: Store, source: FileSource) -> None:
    assert await source.proposals() == []
    await add(file, load_curve(midnight(-2), [400, 400], business="Production"))
    (proposal,) = await source.proposals()
    assert proposal.direction is Direction.INJECTION
    assert str(proposal.statistic.id) == FED.device
    assert proposal.statistic.name is not None
    assert proposal.statistic.name.say("fr") == "Injection, d’après vos fichiers"
    assert await source.subscribed_powers() == {}


async def test_flags_say_what_is_implausible(file: Store, source: FileSource) -> None:
    await add(file, load_curve(midnight(-2), [90_000, 100]))
    days = Range(midnight(-2), midnight(-1))
    assert await source.flags(DRAWN, days) == {Flag.ABSURD}
    assert await source.flags(FED, days) == set()


async def test_rounds_read_the_last_days_again(file: Store, source: FileSource) -> None:
    await add(file, load_curve(midnight(), [400, 400]))
    (chunk,) = [chunk async for chunk in source.read_again([DRAWN], now(), (), no_rest)]
    (reading,) = chunk.readings
    assert reading.block.values[0] == 400
    chunks = source.read_again([DRAWN], now(), [reading.block], no_rest)
    assert [chunk.readings async for chunk in chunks] == [[]]


async def test_a_file_that_comes_while_another_is_read_is_not_missed(file: Store) -> None:
    await add(file, load_curve(midnight(-9), [400, 400]))
    async with file.writing() as connection:
        stale = await stale_days(connection)
        assert stale is not None
        assert stale.days == Range(midnight(-11), midnight(-7))
    await add(file, load_curve(midnight(-5), [400, 400]))
    async with file.writing() as connection:
        await note_read(connection, stale)
        assert await stale_days(connection) == StaleDays(2, Range(midnight(-11), midnight(-3)))


async def test_a_home_has_a_limited_number_of_files(
    file: Store, source: FileSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_source, "MOST_FILES", 1)
    await add(file, load_curve(midnight(-9), [400, 400]))
    with pytest.raises(TooManyFiles, match="1 files already"):
        await source.keep(bring(load_curve(midnight(-9), [400, 400])).months, now())


async def test_files_are_in_the_export_and_an_erasure_removes_them(
    file: Store, source: FileSource
) -> None:
    await add(file, load_curve(midnight(-9), [400, 400]))
    exported = "".join([part async for part in as_json(file)])
    assert '"home_file_month"' in exported
    assert POINT not in exported
    await erase_all(file, "somebody", "en")
    assert await source.all() == []
