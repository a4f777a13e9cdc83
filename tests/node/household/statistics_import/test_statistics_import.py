"""A series of a peer in Home Assistant: its past, what is pushed, corrected, refused, missed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from consometers_node.household.errors import Away
from consometers_node.household.recorder.client import Recorder, external
from consometers_node.household.recorder.errors import WrongToken
from consometers_node.household.recorder.home_assistant import HomeAssistant
from consometers_node.household.statistics_import.external_statistic import (
    Import,
    ImportProgress,
    Offer,
    PollPace,
    StatisticsImport,
)
from consometers_node.household.statistics_import.limits import MOST_PAST, RowBudget
from consometers_quoalise import (
    ErrorType,
    NotAuthorized,
    OtherError,
    ResourceConstraint,
    UpstreamError,
)
from consometers_quoalise_network.backoff import Backoff
from testing.home_assistant.importing_toy import (
    GRID,
    HALF_HOUR,
    LOAD,
    ImportingToy,
    Notes,
    Upstream,
    curve,
    hourly,
    load,
)
from testing.home_assistant.rows import DAY, HOUR, no_rest
from testing.home_assistant.toy import connection, ms, utc
from testing.waiting import until

SINCE = utc("2026-08-17T00:00")
NOW = utc("2026-11-24T12:10")
PEER = "proxy@enedis.test"
QUICK = PollPace(backoff=Backoff(0.01, 0.02, least=1))


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


@dataclass
class Stage:
    """A Home Assistant, a peer whose load curve has a hole, and what is noted of the import."""

    toy: ImportingToy
    home: HomeAssistant
    peer: Upstream
    notes: Notes = field(default_factory=Notes)
    clock: Clock = field(default_factory=Clock)

    @asynccontextmanager
    async def importing(self, **options: Any) -> AsyncIterator[StatisticsImport]:
        importing = self.make(self.home, **options)
        task = asyncio.create_task(importing.run())
        try:
            yield importing
        finally:
            task.cancel()
            await asyncio.wait({task})

    @asynccontextmanager
    async def settled(self, **options: Any) -> AsyncIterator[StatisticsImport]:
        """Import until the past is there and nothing is wrong, and go on."""
        self.notes.problems.clear()
        async with self.importing(**options) as importing:
            await until(lambda: self.notes.problems == [None])
            yield importing

    def make(
        self,
        home: HomeAssistant,
        *,
        pace: PollPace = QUICK,
        since: datetime = SINCE,
        steps: list[ImportProgress] | None = None,
        budget: RowBudget | None = None,
    ) -> StatisticsImport:
        wanted = Import(
            peer=PEER,
            series=LOAD,
            statistic=external(GRID),
            title="Grid",
            since=since,
            until=self.notes.until,
        )
        return StatisticsImport(
            wanted,
            self.peer,
            Recorder(home),
            self.notes,
            pace=pace,
            now=self.clock.now,
            rest=no_rest,
            budget=budget,
            progress=None if steps is None else steps.append,
        )

    def refuse(self, refuses: Callable[[datetime, datetime], object], code: str = "SGT4G3") -> None:
        """Refuse some times as the peer, with a code of its source."""
        self.peer.refuses = lambda start, end: (
            UpstreamError("enedis", code) if refuses(start, end) else None
        )

    def matches_peer(self) -> bool:
        """Return whether Home Assistant has the hours of the peer's load curve, and no other."""
        return self.toy.energies() == hourly(self.peer.values)

    async def until_matching(self) -> None:
        """Wait until it has them: while rows are written, some sums do not follow."""

        def is_matching() -> bool:
            with suppress(AssertionError):
                return self.matches_peer()
            return False

        await until(is_matching)


@pytest.fixture
def new_toy() -> ImportingToy:
    return ImportingToy()


@pytest.fixture
def stage(toy: ImportingToy, home: HomeAssistant) -> Stage:
    values = curve(SINCE, NOW.replace(minute=0))
    for n in range(7):
        del values[utc("2026-10-01T09:30") + n * HALF_HOUR]
    return Stage(toy, home, Upstream(values))


async def test_the_past_is_imported_month_by_month(stage: Stage) -> None:
    steps: list[ImportProgress] = []
    async with stage.settled(steps=steps):
        assert stage.matches_peer()
    assert [(step.done, step.total, f"{step.month.start:%m-%d}") for step in steps] == [
        (1, 4, "08-17"),
        (2, 4, "09-01"),
        (3, 4, "10-01"),
        (4, 4, "11-01"),
    ]
    assert sum(step.rows for step in steps) == len(hourly(stage.peer.values))
    assert stage.notes.until == NOW
    assert stage.peer.subscriptions == 1
    assert max(len(batch) for batch in stage.toy.imports) <= 1000
    metadata = stage.toy.metadata[GRID]
    assert metadata.items() >= {"source": "consometers", "name": "Grid", "has_sum": True}.items()
    assert (metadata["unit_class"], metadata["mean_type"]) == ("energy", 0)


async def test_a_second_start_writes_nothing_again(stage: Stage) -> None:
    for _ in range(2):
        async with stage.settled():
            pass
    assert sum(len(batch) for batch in stage.toy.imports) == len(hourly(stage.peer.values))
    # The last week again, for it may have been corrected.
    assert stage.peer.asked[-1][0] == NOW.replace(minute=0) - HOUR - 7 * DAY


async def test_a_pushed_hour_is_written_once_it_is_complete(stage: Stage) -> None:
    async with stage.settled() as importing:
        asked = len(stage.peer.asked)
        start = NOW.replace(minute=0)
        for n in range(2):
            stage.clock.time = start + (n + 1) * HALF_HOUR
            stage.peer.values[start + n * HALF_HOUR] = 400 + n
            await importing.receive(f"{PEER}/quoalise", load({start + n * HALF_HOUR: 400 + n}))
            assert len(stage.toy.energies()) == len(hourly(stage.peer.values))
        assert stage.toy.energies()[start] == 400.5
        assert len(stage.peer.asked) == asked


async def test_a_half_hour_correction_requests_the_other_half(
    stage: Stage,
) -> None:
    async with stage.settled() as importing:
        hour = utc("2026-09-03T05:00")
        stage.peer.values[hour + HALF_HOUR] = 5_000
        await importing.receive(PEER, load({hour + HALF_HOUR: 5_000}))
        assert stage.peer.asked[-1] == (hour, hour + HOUR)
    assert stage.matches_peer()


async def test_requested_records_replace_earlier_pushed_ones(stage: Stage) -> None:
    start = NOW.replace(minute=0)
    async with stage.settled() as importing:
        await importing.receive(PEER, load({start: 9_999}))
        stage.clock.time = NOW + HOUR
        stage.peer.values |= {start: 100, start + HALF_HOUR: 200}
        importing.came_back()
        await until(lambda: start in stage.toy.energies())
        stage.peer.values[start + HALF_HOUR] = 300
        await importing.receive(PEER, load({start + HALF_HOUR: 300}))
    assert stage.toy.energies()[start] == 200


async def test_an_earlier_past_precedes_the_stored_rows(stage: Stage) -> None:
    async with stage.settled(since=SINCE + 40 * DAY):
        assert len(stage.toy.energies()) < len(hourly(stage.peer.values))
    stage.notes = Notes()
    async with stage.settled():
        assert stage.matches_peer()


async def test_cleared_rows_are_imported_again(stage: Stage) -> None:
    for _ in range(2):
        stage.toy.metadata.clear()
        stage.toy.hours.clear()
        async with stage.settled():
            assert stage.matches_peer()


async def test_a_correction_of_a_written_hour_uses_fresh_records(stage: Stage) -> None:
    start = NOW.replace(minute=0)
    async with stage.settled() as importing:
        stage.clock.time = NOW + HOUR
        stage.peer.values |= {start: 100, start + HALF_HOUR: 200}
        await importing.receive(PEER, load({start: 100, start + HALF_HOUR: 200}))
        stage.peer.values |= {start: 500, start + HALF_HOUR: 600}
        await importing.receive(PEER, load({start: 500}))
    assert stage.toy.energies()[start] == 550


async def test_the_past_gives_an_interval_that_messages_omit(stage: Stage) -> None:
    stage.peer.says_interval = False
    start = NOW.replace(minute=0)
    async with stage.settled() as importing:
        stage.clock.time = NOW + HOUR
        asked = len(stage.peer.asked)
        values = {start: 100, start + HALF_HOUR: 200}
        stage.peer.values |= values
        await importing.receive(PEER, load(values, says_interval=False))
    assert stage.matches_peer()
    assert len(stage.peer.asked) == asked


async def test_a_hole_that_is_filled_late_raises_the_sums_after_it(stage: Stage) -> None:
    async with stage.settled() as importing:
        late = {at: value for at, value in curve(SINCE, NOW).items() if at not in stage.peer.values}
        late = {at: value for at, value in late.items() if at < utc("2026-11-01")}
        stage.peer.values |= late
        await importing.receive(PEER, load(late))
    assert stage.matches_peer()


@pytest.mark.parametrize("impossible", [-5, 10**16])
async def test_impossible_values_are_left_out_and_reported(
    stage: Stage, caplog: pytest.LogCaptureFixture, *, impossible: int
) -> None:
    good = dict(stage.peer.values)
    for day in range(2):
        stage.peer.values[utc(f"2026-09-0{day + 1}T09:30")] = impossible
        del good[utc(f"2026-09-0{day + 1}T09:30")]
    async with stage.importing() as importing:
        await until(lambda: len(stage.notes.problems) == 1)
        assert stage.toy.energies() == hourly(good)
        start = NOW.replace(minute=0)
        await importing.receive(PEER, load({start: impossible}))
        await until(lambda: len(stage.notes.problems) == 2)
    first, second = stage.notes.problems
    assert first is not None
    assert second is not None
    assert "Impossible values were left out (2)" in first
    assert "(3)" in second
    assert caplog.text.count("Impossible values") == 1


async def test_a_past_of_more_than_ten_years_is_not_asked_for(stage: Stage) -> None:
    stage.peer.values.clear()
    async with stage.settled(since=utc("1990-01-01T00:00")) as importing:
        for year in (1990, 2099):
            importing.compare(Offer(utc(f"{year}-01-01T00:00"), utc("2099-01-01T00:00")))
            await asyncio.sleep(0.05)
    earliest = (NOW - MOST_PAST).replace(minute=0)
    assert min(start for start, _ in stage.peer.asked) == earliest
    assert max(end for _, end in stage.peer.asked) == NOW


async def test_pushed_records_of_another_time_are_left_out(stage: Stage) -> None:
    async with stage.settled() as importing:
        for year in (1990, 2015, 2099):
            start = utc(f"{year}-01-01T00:00")
            await importing.receive(PEER, load({start: 100, start + HALF_HOUR: 100}))
    assert stage.matches_peer()


async def test_pushes_beyond_a_day_of_rows_are_refused_until_the_next(stage: Stage) -> None:
    budget = RowBudget(most=10)
    async with stage.importing(budget=budget) as importing:
        await until(lambda: budget.is_spent(PEER))
        with pytest.raises(ResourceConstraint):
            await importing.receive(PEER, load({NOW: 100}))
    # One month's rows at most come on top.
    assert len(stage.toy.energies()) <= 31 * 24


async def test_records_from_other_peers_are_ignored(stage: Stage) -> None:
    async with stage.settled() as importing:
        await importing.receive("other@enedis.test", load(curve(SINCE, SINCE + DAY)))
    assert stage.matches_peer()


async def test_a_reconnection_fetches_missed_records(stage: Stage) -> None:
    async with stage.settled() as importing:
        stage.clock.time = NOW + 3 * DAY
        stage.peer.values = dict(
            sorted((curve(NOW.replace(minute=0), stage.clock.time) | stage.peer.values).items())
        )
        importing.came_back()
        await until(lambda: len(stage.toy.energies()) == len(hourly(stage.peer.values)))
    assert stage.matches_peer()
    assert stage.peer.subscriptions == 2


async def test_a_peer_that_pushes_nothing_is_polled(stage: Stage) -> None:
    stage.peer.pushes = False
    pace = PollPace(poll=timedelta(seconds=0.02))
    async with stage.settled(pace=pace):
        stage.clock.time = NOW + 2 * HOUR
        stage.peer.values |= curve(NOW.replace(minute=0), NOW.replace(minute=0) + 2 * HOUR)
        await until(lambda: len(stage.toy.energies()) == len(hourly(stage.peer.values)))
    assert stage.peer.asked[-1][0] >= NOW.replace(minute=0) - 25 * HOUR


async def test_a_peer_that_refuses_long_ranges_is_asked_week_by_week(stage: Stage) -> None:
    stage.refuse(lambda start, end: end - start > 7 * DAY, "SGT4K1")
    async with stage.settled():
        assert stage.matches_peer()
    assert sum(1 for start, end in stage.peer.asked if end - start > 7 * DAY) == 1


async def test_a_refused_past_before_the_meter_is_no_problem(stage: Stage) -> None:
    began = utc("2026-09-10T08:00")
    stage.peer.values = {at: value for at, value in stage.peer.values.items() if at >= began}
    stage.refuse(lambda start, _: start < began - 8 * HOUR)
    async with stage.settled(since=SINCE - 1_000 * DAY):
        assert stage.matches_peer()
    assert len(stage.peer.asked) < 110


async def test_a_meter_of_this_month_is_found_though_the_last_day_is_refused(stage: Stage) -> None:
    began = utc("2026-11-03T08:00")
    stage.peer.values = {at: wh for at, wh in stage.peer.values.items() if at >= began}
    stage.refuse(lambda start, end: end <= began or start >= NOW - DAY)
    async with stage.importing():
        await until(lambda: bool(stage.notes.problems))
    assert stage.matches_peer()


async def test_a_refused_range_in_the_middle_is_reported(stage: Stage) -> None:
    first, last = utc("2026-10-05"), utc("2026-10-08")
    stage.refuse(lambda start, end: start < last and end > first, "SGT500")
    async with stage.importing():
        await until(lambda: bool(stage.notes.problems))
    words = "2026-10-05 – 2026-10-08: The source of the data refused. (enedis SGT500)"
    assert stage.notes.problems == [words]
    assert stage.toy.energies() == {
        at: wh for at, wh in hourly(stage.peer.values).items() if not first <= at < last
    }


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (NotAuthorized(), "There is no permission"),
        (UpstreamError("enedis", "SGT500"), "refused. (enedis SGT500)"),
        (OtherError("service-unavailable", ErrorType.CANCEL), "service-unavailable"),
    ],
)
async def test_a_peer_that_fails_is_reported_and_asked_again(
    stage: Stage,
    refusal: UpstreamError,
    words: str,
) -> None:
    stage.peer.refuses = lambda _start, _end: refusal
    async with stage.importing():
        await until(lambda: bool(stage.notes.problems))
        assert stage.notes.until is None
        stage.peer.refuses = lambda _start, _end: None
        await until(lambda: None in stage.notes.problems)
    problem, *others = stage.notes.problems
    assert words in str(problem)
    assert others == [None]
    assert stage.matches_peer()


async def test_pushed_records_are_imported_though_requests_are_refused(stage: Stage) -> None:
    values = stage.peer.values
    stage.peer.refuses = lambda _start, _end: NotAuthorized()
    async with stage.importing() as importing:
        await importing.receive(PEER, load(values))
    assert stage.toy.energies() == hourly(values)
    assert None not in stage.notes.problems


METADATA = {
    "statistic_id": GRID,
    "source": "consometers",
    "has_sum": True,
    "unit_class": "energy",
    "statistics_unit_of_measurement": "kWh",
}


def store_metadata(stage: Stage, **metadata: object) -> None:
    stage.toy.metadata[GRID] = {**METADATA, **metadata}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda stage: setattr(stage.peer, "unit", "VA"), "in VA cannot be imported"),
        (lambda stage: setattr(stage.toy, "is_admin", False), "administrators can write"),
        (partial(store_metadata, statistics_unit_of_measurement="Wh"), "choose another name"),
        (partial(store_metadata, source="recorder"), "choose another name"),
        (partial(store_metadata, has_sum=False), "choose another name"),
        (partial(store_metadata, unit_class="volume"), "choose another name"),
    ],
)
async def test_series_that_cannot_be_imported_are_reported(
    stage: Stage, change: Callable[[Stage], None], words: str
) -> None:
    change(stage)
    async with stage.importing():
        await until(lambda: bool(stage.notes.problems))
    assert words in str(stage.notes.problems[0])
    assert not stage.toy.imports


async def test_rows_of_another_program_are_left_alone(stage: Stage) -> None:
    store_metadata(stage)
    stage.toy.hours[GRID] = [
        {"start": ms(SINCE + n * HOUR), "state": 9_000 + n, "sum": n} for n in range(40)
    ]
    async with stage.importing() as importing:
        receiving = asyncio.create_task(importing.receive(PEER, load(stage.peer.values)))
        await until(lambda: bool(stage.notes.problems))
        assert not receiving.done()
    with pytest.raises(Away):
        await receiving
    assert "this node did not write" in str(stage.notes.problems[0])
    assert not stage.toy.imports


async def test_lost_imports_are_repeated(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "consometers_node.household.statistics_import.recorder_writer._SEEN_WITHIN_S", 0.05
    )
    stage.toy.loses = 2
    async with stage.settled():
        assert stage.matches_peer()


async def test_sums_left_inconsistent_by_a_power_cut_are_mended(stage: Stage) -> None:
    async with stage.settled():
        pass
    for row in stage.toy.hours[GRID][1_000:]:
        row["sum"] -= 17
    async with stage.settled():
        assert stage.matches_peer()


PUBLISHED = Offer(SINCE, NOW.replace(minute=0) - HALF_HOUR)
"""The whole load curve of the peer, as it lists it."""
SLOW = PollPace(backoff=Backoff(3_600, 3_600, least=1))


@pytest.mark.parametrize("days", [10, 99])
async def test_a_past_published_before_the_subscription_is_imported(
    stage: Stage, days: int
) -> None:
    """Nothing was listed. Some days, or all, are published by the time the home subscribes."""
    published, stage.peer.values = stage.peer.values, {}
    pushed = {at: wh for at, wh in published.items() if at >= SINCE + days * DAY}
    async with stage.settled(since=NOW) as importing:
        stage.peer.values = published
        await importing.receive(PEER, load(pushed))
        assert len(stage.toy.energies()) == len(hourly(pushed))
        importing.compare(PUBLISHED)
        await stage.until_matching()


async def test_a_past_that_begins_earlier_than_before_is_imported(stage: Stage) -> None:
    begin = utc("2026-10-10")
    whole = stage.peer.values
    stage.peer.values = {at: wh for at, wh in whole.items() if at >= begin}
    async with stage.settled(since=begin) as importing:
        importing.compare(replace(PUBLISHED, first=begin))
        stage.peer.values = whole
        importing.compare(PUBLISHED)
        await stage.until_matching()


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_days_without_rows_are_asked_for_again(stage: Stage, is_restarted: bool) -> None:
    async with stage.settled() as importing:
        importing.compare(PUBLISHED)
        rows = stage.toy.hours[GRID]
        total = 0.0
        del rows[200:250], rows[900:]
        for row in rows:
            total += row["state"]
            row["sum"] = total
        if not is_restarted:
            importing.compare(replace(PUBLISHED, last=NOW + 2 * DAY))
            await stage.until_matching()
    if is_restarted:
        async with stage.settled() as importing:
            assert not stage.matches_peer()
            importing.compare(PUBLISHED)
            await stage.until_matching()


async def test_records_that_a_peer_refused_and_offers_are_asked_for_again(stage: Stage) -> None:
    first, last = utc("2026-10-05"), utc("2026-10-08")
    stage.peer.refuses = lambda start, end: (
        NotAuthorized() if start < last and end > first else None
    )
    async with stage.importing() as importing:
        await until(lambda: bool(stage.notes.problems))
        assert not stage.matches_peer()
        stage.peer.refuses = lambda _start, _end: None
        importing.compare(PUBLISHED)
        await stage.until_matching()
        await until(lambda: stage.notes.problems[-1] is None)


async def test_records_that_were_never_pushed_are_asked_for(stage: Stage) -> None:
    whole = stage.peer.values
    begin = utc("2026-09-20")
    stage.peer.values = {at: wh for at, wh in whole.items() if at < begin}
    async with stage.settled() as importing:
        importing.compare(replace(PUBLISHED, last=begin - HALF_HOUR))
        stage.peer.values = whole
        importing.compare(PUBLISHED)
        await stage.until_matching()


async def test_a_peer_that_answers_again_is_asked_at_once(stage: Stage) -> None:
    refusal = OtherError("internal-server-error", ErrorType.WAIT)
    stage.peer.refuses = lambda start, _end: refusal if start >= utc("2026-09-01") else None
    async with stage.importing(pace=SLOW) as importing:
        await until(lambda: bool(stage.notes.problems))
        assert not stage.matches_peer()
        stage.peer.refuses = lambda _start, _end: None
        importing.compare(PUBLISHED)
        await stage.until_matching()


async def test_a_complete_import_is_not_asked_for_again(stage: Stage) -> None:
    """Half of the first hour is missing for good, and the last hours are not answered yet."""
    del stage.peer.values[SINCE]
    offer = Offer(SINCE + HALF_HOUR, NOW.replace(minute=0) + 5 * HOUR)
    async with stage.settled(since=SINCE + DAY) as importing:
        importing.compare(offer)
        await until(lambda: importing._asked_offer == offer)
        asked = len(stage.peer.asked)
        importing.compare(offer)
        # A push is taken after what is to be asked for again.
        start = NOW.replace(minute=0)
        await importing.receive(PEER, load({start: 100}))
        assert len(stage.peer.asked) == asked


@pytest.mark.parametrize("commands", range(1, 24))
async def test_an_import_survives_a_kill_at_any_command(stage: Stage, commands: int) -> None:
    toy = stage.toy
    async with stage.importing():
        toy.hangs_up_at = {len(toy.asked) + commands}
        await until(lambda: len(toy.asked) >= commands or bool(stage.notes.problems))
    toy.hangs_up_at = set()
    async with stage.settled():
        assert stage.matches_peer()


@pytest.mark.parametrize("commands", range(1, 20))
async def test_a_correction_survives_a_kill_at_any_command(stage: Stage, commands: int) -> None:
    toy, peer = stage.toy, stage.peer
    hour = SINCE + DAY
    values = {hour: 4_000, hour + HALF_HOUR: 4_001}
    async with stage.settled() as importing:
        peer.values |= values
        goal = len(toy.asked) + commands
        toy.hangs_up_at = {goal}
        receiving = asyncio.create_task(importing.receive(PEER, load(values)))
        await until(lambda: len(toy.asked) >= goal or receiving.done())
        acknowledged = receiving.done()
        receiving.cancel()
    toy.hangs_up_at = set()
    stage.notes.problems.clear()
    async with stage.importing() as importing:
        if not acknowledged:
            await importing.receive(PEER, load(values))
        await until(lambda: stage.notes.problems == [None])
    assert stage.matches_peer()


async def test_pushed_records_wait_while_home_assistant_is_away(stage: Stage) -> None:
    async with stage.settled() as importing:
        stage.toy.status = 503
        await stage.toy.hang_up()
        hour = utc("2026-09-03T05:00")
        values = {hour: 1, hour + HALF_HOUR: 3}
        stage.peer.values |= values
        waiting = asyncio.create_task(importing.receive(PEER, load(values)))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        stage.toy.status = 101
        await waiting
    assert stage.matches_peer()


async def test_a_wrong_token_ends_the_import(stage: Stage) -> None:
    async with connection(stage.toy, token="another") as home:
        with pytest.raises(WrongToken):
            await stage.make(home).run()
    assert "access token" in str(stage.notes.problems[0])


@pytest.mark.parametrize("name", ["consometers:grid", "enedis:drawn_2"])
def test_valid_statistic_names_are_accepted(name: str) -> None:
    assert external(name) == name


@pytest.mark.parametrize(
    "name", ["", "grid", "sensor.grid", "a:b:c", "Grid:x", "a:b__c", "_a:b", "a: b", "recorder:a"]
)
def test_invalid_statistic_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="write consometers:grid"):
        external(name)
