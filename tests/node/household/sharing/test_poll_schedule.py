"""When the recorder is read again. The clock goes as the test says."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest

from consometers_node.household.recorder.source import event_type
from consometers_node.household.sharing.poll_schedule import Rounds
from consometers_node.series import Interval
from testing.run import DEADLINE_S

HOUR_S: Final = 3600.0


class Clock:
    """The time of the running loop, which passes when a test lets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = 1_000.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.time)

    async def go_on(self, seconds: float) -> None:
        await settle()
        self.time += seconds
        await settle()


class RoundLog:
    """Goes the rounds and logs their times."""

    def __init__(self, clock: Clock, *, between: Callable[[float, float], float]) -> None:
        self.clock = clock
        self.rounds = Rounds(timedelta(hours=1), between=between)
        self.times: list[float] = []
        self.task = asyncio.create_task(self._go())

    async def _go(self) -> None:
        while True:
            await self.rounds.next()
            self.times.append(self.clock.time - 1_000)

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_rounds_begin_at_once_and_follow_every_hour(clock: Clock) -> None:
    log = RoundLog(clock, between=min)
    for _ in range(3):
        await clock.go_on(HOUR_S)
    await log.end()
    assert log.times == [0, HOUR_S, 2 * HOUR_S, 3 * HOUR_S]


@pytest.mark.parametrize(("between", "settled"), [(min, 15), (max, 60)])
async def test_a_request_brings_a_round_once_rows_have_settled(
    clock: Clock, between: Callable[[float, float], float], settled: float
) -> None:
    log = RoundLog(clock, between=between)
    await clock.go_on(100)
    log.rounds.request()
    await clock.go_on(settled - 1)
    assert log.times == [0]
    await clock.go_on(1)
    assert log.times == [0, 100 + settled]
    # The clock counts from there.
    await clock.go_on(HOUR_S - 1)
    await clock.go_on(1)
    assert log.times == [0, 100 + settled, 100 + settled + HOUR_S]
    await log.end()


async def test_repeated_requests_do_not_postpone_a_round(clock: Clock) -> None:
    log = RoundLog(clock, between=max)
    await settle()
    for _ in range(6):
        log.rounds.request()
        await clock.go_on(10)
    assert log.times == [0, 60]
    await log.end()


async def test_a_request_during_a_round_brings_the_next(clock: Clock) -> None:
    rounds = Rounds(timedelta(hours=1), between=min)
    await rounds.next()
    rounds.request()
    following = asyncio.create_task(rounds.next())
    await clock.go_on(15)
    await asyncio.wait_for(following, DEADLINE_S)


@pytest.mark.parametrize(
    ("interval", "rows"),
    [
        (Interval.PT5M, "5min"),
        (Interval.PT30M, "5min"),
        (Interval.PT1H, "hourly"),
        (Interval.P1D, "hourly"),
    ],
)
def test_each_interval_has_its_event_type(interval: Interval, rows: str) -> None:
    assert event_type(interval) == f"recorder_{rows}_statistics_generated"
