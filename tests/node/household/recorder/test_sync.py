"""Granted series are read: the past month by month, the last days again, whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from consometers_node.household.recorder.availability import SEEN
from consometers_node.household.recorder.memory import MEMORY
from consometers_node.household.sharing.sync import progress
from consometers_node.permission import Choice, Permissions
from consometers_node.series import Block, Interval, Range, Record
from consometers_node.store import Store
from consometers_node.store.clock import confirm
from consometers_node.store.household.coverage import absences, coverage
from consometers_node.store.peers import subscribe
from consometers_node.store.series import blocks, erase_series, put_blocks
from consometers_node.store.settings import setting
from testing.clocks import LEAP, Hands, leaping
from testing.home_assistant.rows import rows
from testing.home_assistant.sync import DRAWN, NAME, RunningSync, running_sync
from testing.home_assistant.toy import ToyHomeAssistant, asked, serving
from testing.homes.data_needs import CHOICE, NEED, STOP, now
from testing.homes.ledgers import DAY, HOUR, Ledger, midnight
from testing.run import DEADLINE_S
from testing.waiting import eventually, until

pytestmark = pytest.mark.usefixtures("socket_enabled")

FINE = replace(DRAWN, interval=Interval.PT5M)
LONG = replace(NEED, history_days=1000)
FIVE = timedelta(minutes=5)


def history(days: int) -> Choice:
    return replace(CHOICE, history_days=days)


@pytest.fixture
async def toy() -> AsyncIterator[ToyHomeAssistant]:
    """A steady home, which has run for years."""
    toy = ToyHomeAssistant()
    start = midnight(-1100)
    toy.hours[NAME] = rows(start, int((now() - start) / HOUR))
    toy.answers["get_states"] = [{"last_changed": start.isoformat()}]
    async with serving(toy):
        yield toy


@pytest.fixture
async def ledger(file: Store) -> Ledger:
    return await Ledger.open(file, series=DRAWN)


async def stored_records(ledger: Ledger, within: Range) -> list[Record]:
    async with ledger.store.reading() as connection:
        stored = await blocks(connection, ledger.series_id, ledger.series, within)
        return [record for block in stored for record in block.records(within)]


def past(toy: ToyHomeAssistant) -> list[str]:
    """From when rows were asked for, but for those of rounds."""
    round_ = f"{midnight(-7) - HOUR:%Y-%m-%dT%H:%M}"
    return [start for start, _, _ in asked(toy) if start != round_]


async def test_the_past_of_a_grant_is_read_month_by_month_the_newest_first(
    toy: ToyHomeAssistant, file: Store, ledger: Ledger
) -> None:
    await ledger.grant(LONG, history(300))
    shares: list[float] = []

    async def rest(_: float) -> None:
        shares.append((await read.target()).progress)

    async with running_sync(toy, file, rest) as read:
        await read.all()
        days = Range(midnight(-299), midnight())
        assert [row.value for row in await stored_records(ledger, days)] == [100] * 24 * 299
        assert read.sync.problem is None
    starts = past(toy)
    assert starts == sorted(starts, reverse=True)
    assert len(starts) in {10, 11}
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert len(set(shares)) > 8


async def test_progress_is_the_read_share_of_the_grant(ledger: Ledger) -> None:
    await ledger.grant()
    async with ledger.store.reading() as connection:
        assert await progress(connection, MEMORY, now()) == {DRAWN: 0}
    await ledger.cover(midnight(-3), midnight(1))
    async with ledger.store.reading() as connection:
        read = (await progress(connection, MEMORY, now()))[DRAWN]
    # Seven days back and today: eight days, or nine where the grant is at midnight.
    assert 4 / 9 <= read <= 4 / 8


async def test_a_restart_resumes_the_read(
    toy: ToyHomeAssistant, file: Store, ledger: Ledger
) -> None:
    await ledger.grant(LONG, history(300))
    rested = 0

    async def rest(_: float) -> None:
        nonlocal rested
        rested += 1
        if rested > 4:
            await asyncio.Event().wait()

    async with running_sync(toy, file, rest):
        await until(lambda: rested > 4)
    before = past(toy)
    toy.asked.clear()
    async with running_sync(toy, file) as read:
        await read.all()
    # The request under way as it stopped is sent again.
    assert len(set(before) & set(past(toy))) <= 1
    assert len(await stored_records(ledger, Range(midnight(-299), midnight()))) == 24 * 299


async def test_a_grant_without_a_past_reads_new_records(
    toy: ToyHomeAssistant, file: Store, ledger: Ledger
) -> None:
    await ledger.grant(LONG, history(0))
    async with running_sync(toy, file) as read:
        await read.all()
        toy.hours[NAME] = rows(midnight(-1100), 1101 * 24)
        read.rounds.request()
        await eventually(lambda: has_records(ledger, 24), bool)
    assert min(past(toy), default="2999") >= f"{midnight(-1):%Y}"


async def has_records(ledger: Ledger, count: int) -> bool:
    return len(await stored_records(ledger, Range(midnight(), midnight(1)))) == count


async def test_a_long_absence_is_read_and_sent_from_its_start(
    toy: ToyHomeAssistant, file: Store, ledger: Ledger
) -> None:
    await ledger.grant(LONG, history(400))
    gone = midnight(-300)
    async with file.writing() as connection:
        await subscribe(
            connection, ledger.peer.id, ledger.series_id, gone - 50 * DAY, gone - DAY / 2
        )
        for n in range(-350, -300):
            day = midnight(n).date()
            # It went in the midst of a day, after reading it so far.
            some = DRAWN.starts(day)[: 12 if n == -301 else 24]
            block = Block.of(DRAWN, day, [Record(start, 100) for start in some])
            await put_blocks(connection, {ledger.series_id: [block]}, now())
    await ledger.cover(midnight(-399), gone)
    async with running_sync(toy, file) as read:
        await read.all()
    assert len(await stored_records(ledger, Range(midnight(-350), midnight()))) == 24 * 350
    await ledger.receive_all()
    wanted = Range(gone - DAY / 2, midnight())
    assert sorted(start for start in ledger.sent if start in wanted) == [
        record.start for record in await stored_records(ledger, wanted)
    ]


async def test_a_corrected_past_is_read_again_and_sent(
    toy: ToyHomeAssistant, file: Store, ledger: Ledger
) -> None:
    await ledger.grant(LONG, history(30))
    async with running_sync(toy, file) as read:
        await read.all()
        await ledger.subscribe(midnight(-10))
        await ledger.receive_all()
        at = midnight(-3) + 5 * HOUR
        for row in toy.hours[NAME]:
            if row["start"] >= round(at.timestamp() * 1000):
                row["sum"] += 7
        read.rounds.request()
        await eventually(lambda: has_value(ledger, at, 107), bool)
    assert await ledger.receive_all() == [Range(at, at + HOUR)]
    assert ledger.sent[at] == 107


async def has_value(ledger: Ledger, at: datetime, value: int) -> bool:
    (record,) = await stored_records(ledger, Range(at, at + HOUR))
    return record.value == value


async def test_a_refused_read_is_reported_and_retried(
    toy: ToyHomeAssistant, file: Store, ledger: Ledger
) -> None:
    await ledger.grant(LONG, history(100))
    toy.answers["recorder/statistics_during_period"] = "nonsense"
    async with running_sync(toy, file) as read:
        await until(lambda: read.sync.problem is not None)
        assert read.sync.problem is not None
        del toy.answers["recorder/statistics_during_period"]
        await read.all()
        read.rounds.request()
        await until(lambda: read.sync.problem is None)


async def test_the_read_waits_while_home_assistant_is_away(
    toy: ToyHomeAssistant, file: Store, ledger: Ledger
) -> None:
    await ledger.grant(LONG, history(100))
    toy.status = 502
    async with running_sync(toy, file) as read:
        await asyncio.sleep(0.2)
        assert toy.asked == []
        toy.status = 101
        await eventually(lambda: has_progressed(read), bool)
        await toy.hang_up()
        await read.all()
        assert read.sync.problem is None


async def has_progressed(read: RunningSync) -> bool:
    return (await read.target()).progress > 0


async def test_5_minute_records_are_read_as_far_back_as_the_recorder_has_them(
    toy: ToyHomeAssistant, file: Store
) -> None:
    ledger = await Ledger.open(file, series=FINE)
    await ledger.grant(replace(LONG, interval=Interval.PT5M), history(100))
    toy.five_minutes[NAME] = rows(midnight(-9), 288 * 9, wh=5, step=FIVE)
    async with running_sync(toy, file) as read:
        await read.all(FINE)
        assert (await read.target(FINE)).needed.start == midnight(-10)
    assert len(await stored_records(ledger, Range(midnight(-10), midnight()))) == 288 * 9
    assert min(start for start, *_ in asked(toy, "5minute")) >= f"{midnight(-11):%Y-%m-%d}"


async def test_stored_5_minute_records_outlive_those_of_home_assistant(
    toy: ToyHomeAssistant, file: Store
) -> None:
    ledger = await Ledger.open(file, series=FINE)
    await ledger.grant(replace(LONG, interval=Interval.PT5M), history(100))
    await ledger.keep({midnight(-20) + n * FIVE: 5 for n in range(288 * 11)})
    await ledger.cover(midnight(-20), midnight(-9))
    toy.five_minutes[NAME] = rows(midnight(-10) + 12 * HOUR, 288 * 9, wh=5, step=FIVE)
    async with running_sync(toy, file) as read:
        await read.all(FINE)
    assert len(await stored_records(ledger, Range(midnight(-20), midnight(-9)))) == 288 * 11


async def test_a_permission_with_a_longer_history_extends_the_read(
    toy: ToyHomeAssistant, file: Store, ledger: Ledger
) -> None:
    await ledger.grant(LONG, history(30))
    town = await Ledger.open(file, "town@example.org", series=DRAWN)
    async with running_sync(toy, file) as read:
        await read.all()
        await town.grant(LONG, history(200))
        assert (await read.target()).progress < 0.5
        read.changes.notify()
        await read.all()
    assert len(await stored_records(ledger, Range(midnight(-199), midnight()))) == 24 * 199


async def test_records_erased_during_a_read_stay_erased(
    toy: ToyHomeAssistant, file: Store, ledger: Ledger
) -> None:
    permission = await ledger.grant(LONG, history(100))
    reads, goes_on = asyncio.Event(), asyncio.Event()

    async def rest(_: float) -> None:
        reads.set()
        await goes_on.wait()

    async with running_sync(toy, file, rest):
        await reads.wait()
        async with file.writing() as connection:
            await Permissions(connection).withdraw(permission, STOP, now())
            await erase_series(connection, [ledger.series_id])
        goes_on.set()
        await asyncio.sleep(0.3)
    assert await stored_records(ledger, Range(midnight(-200), midnight(1))) == []
    async with file.reading() as connection:
        assert await coverage(connection, ledger.series_id) is None


@pytest.mark.parametrize("reads", range(1, 8))
async def test_a_clock_that_leaps_at_any_moment_has_nothing_read_of_later(
    toy: ToyHomeAssistant, file: Store, ledger: Ledger, reads: int
) -> None:
    """Nor is Home Assistant seen then: what it counts until then would be dropped."""
    await ledger.grant(LONG, history(40))
    hands = Hands(now())
    async with file.writing() as connection:
        await confirm(connection, hands.at)
    clock = leaping(hands, reads)
    async with running_sync(toy, file, clock=clock) as read:
        noting = asyncio.create_task(read.source.watch())
        async with asyncio.timeout(DEADLINE_S):
            while clock.doubt is None or not clock.doubt.is_wrong:
                read.changes.notify()
                read.rounds.request()
                await asyncio.sleep(0.01)
        noting.cancel()
        await asyncio.wait({noting})
        covered = (await read.target()).covered
    latest = hands.at - LEAP + DAY
    assert [end for _, end, _ in asked(toy) if end > f"{latest:%Y-%m-%dT%H:%M}"] == []
    assert covered is None or covered.end <= latest
    async with file.reading() as connection:
        seen = await setting(connection, SEEN)
        assert await absences(connection) == []
    assert seen is None or datetime.fromisoformat(seen) <= latest
