"""A series of a peer in Home Assistant: its past, what is pushed, corrected, refused, missed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from consometers_node.backoff import Backoff
from consometers_node.household import Away, HomeAssistant, Recorder, WrongToken
from consometers_node.household.recorder import external
from consometers_node.household.statistics_import import Import, Importing, Pace, Progress
from consometers_node.quoalise import (
    ErrorType,
    NotAuthorized,
    OtherError,
    UpstreamError,
)

from .keeping import GRID, HALF_HOUR, LOAD, Keeping, Notes, Upstream, curve, hourly, load
from .toy import connection, ms, serving, until, utc

pytestmark = pytest.mark.usefixtures("socket_enabled")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SINCE = utc("2026-08-17T00:00")
NOW = utc("2026-11-24T12:10")
PEER = "proxy@enedis.test"
QUICK = Pace(backoff=Backoff(0.01, 0.02, least=1))


async def no_rest(_: float) -> None:
    await asyncio.sleep(0)


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


@dataclass
class Stage:
    """A Home Assistant, a peer whose load curve has a hole, and what is noted of the import."""

    toy: Keeping
    home: HomeAssistant
    peer: Upstream
    notes: Notes = field(default_factory=Notes)
    clock: Clock = field(default_factory=Clock)

    @asynccontextmanager
    async def importing(
        self,
        *,
        home: HomeAssistant | None = None,
        pace: Pace = QUICK,
        since: datetime = SINCE,
        steps: list[Progress] | None = None,
    ) -> AsyncIterator[Importing]:
        one = self.make(home or self.home, pace=pace, since=since, steps=steps)
        task = asyncio.create_task(one.run())
        try:
            yield one
        finally:
            task.cancel()
            await asyncio.wait({task})

    def make(
        self,
        home: HomeAssistant,
        *,
        pace: Pace = QUICK,
        since: datetime = SINCE,
        steps: list[Progress] | None = None,
    ) -> Importing:
        wanted = Import(
            peer=PEER,
            series=LOAD,
            statistic=external(GRID),
            title="Grid",
            since=since,
            until=self.notes.until,
        )
        return Importing(
            wanted,
            self.peer,
            Recorder(home),
            self.notes,
            pace=pace,
            now=self.clock.now,
            rest=no_rest,
            progress=None if steps is None else steps.append,
        )


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    values = curve(SINCE, NOW.replace(minute=0))
    for n in range(7):
        del values[utc("2026-10-01T09:30") + n * HALF_HOUR]
    toy = Keeping()
    async with serving(toy), connection(toy) as home:
        yield Stage(toy, home, Upstream(values))


async def test_a_past_with_a_hole_comes_month_by_month(stage: Stage) -> None:
    steps: list[Progress] = []
    async with stage.importing(steps=steps):
        await until(lambda: stage.notes.problems == [None])
    assert stage.toy.energies() == hourly(stage.peer.values)
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
    told = stage.toy.metadata[GRID]
    assert (told["source"], told["name"], told["unit_class"]) == ("consometers", "Grid", "energy")
    assert (told["mean_type"], told["has_sum"]) == (0, True)


async def test_a_second_start_writes_nothing_again(stage: Stage) -> None:
    for _ in range(2):
        async with stage.importing():
            await until(lambda: bool(stage.notes.problems))
        stage.notes.problems.clear()
    assert sum(len(batch) for batch in stage.toy.imports) == len(hourly(stage.peer.values))
    # The last week again, for it may have been corrected.
    assert stage.peer.asked[-1][0] == NOW.replace(minute=0) - HOUR - 7 * DAY


async def test_what_is_pushed_is_kept_once_its_hour_is_whole(stage: Stage) -> None:
    async with stage.importing() as one:
        await until(lambda: stage.notes.problems == [None])
        asked = len(stage.peer.asked)
        start = NOW.replace(minute=0)
        for n in range(2):
            stage.clock.time = start + (n + 1) * HALF_HOUR
            stage.peer.values[start + n * HALF_HOUR] = 400 + n
            await one.heard(f"{PEER}/quoalise", load({start + n * HALF_HOUR: 400 + n}))
            assert len(stage.toy.energies()) == len(hourly(stage.peer.values))
        assert stage.toy.energies()[start] == 400.5
        assert len(stage.peer.asked) == asked


async def test_of_a_past_hour_that_was_corrected_by_half_the_other_half_is_asked_for(
    stage: Stage,
) -> None:
    async with stage.importing() as one:
        await until(lambda: stage.notes.problems == [None])
        hour = utc("2026-09-03T05:00")
        stage.peer.values[hour + HALF_HOUR] = 5_000
        await one.heard(PEER, load({hour + HALF_HOUR: 5_000}))
        assert stage.peer.asked[-1] == (hour, hour + HOUR)
    assert stage.toy.energies() == hourly(stage.peer.values)


async def test_what_was_asked_for_counts_more_than_what_was_pushed_before(stage: Stage) -> None:
    start = NOW.replace(minute=0)
    async with stage.importing() as one:
        await until(lambda: stage.notes.problems == [None])
        await one.heard(PEER, load({start: 9_999}))
        stage.clock.time = NOW + HOUR
        stage.peer.values |= {start: 100, start + HALF_HOUR: 200}
        one.came_back()
        await until(lambda: start in stage.toy.energies())
        stage.peer.values[start + HALF_HOUR] = 300
        await one.heard(PEER, load({start + HALF_HOUR: 300}))
    assert stage.toy.energies()[start] == 200


async def test_an_earlier_past_is_put_before_the_rows_that_are_there(stage: Stage) -> None:
    async with stage.importing(since=SINCE + 40 * DAY):
        await until(lambda: stage.notes.problems == [None])
    assert len(stage.toy.energies()) < len(hourly(stage.peer.values))
    stage.notes = Notes()
    async with stage.importing():
        await until(lambda: stage.notes.problems == [None])
    assert stage.toy.energies() == hourly(stage.peer.values)


async def test_rows_that_somebody_cleared_are_imported_again(stage: Stage) -> None:
    for _ in range(2):
        stage.toy.metadata.clear()
        stage.toy.hours.clear()
        stage.notes.problems.clear()
        async with stage.importing():
            await until(lambda: stage.notes.problems == [None])
        assert stage.toy.energies() == hourly(stage.peer.values)


async def test_of_an_hour_that_is_kept_nothing_is_remembered(stage: Stage) -> None:
    start = NOW.replace(minute=0)
    async with stage.importing() as one:
        await until(lambda: stage.notes.problems == [None])
        stage.clock.time = NOW + HOUR
        stage.peer.values |= {start: 100, start + HALF_HOUR: 200}
        await one.heard(PEER, load({start: 100, start + HALF_HOUR: 200}))
        stage.peer.values |= {start: 500, start + HALF_HOUR: 600}
        await one.heard(PEER, load({start: 500}))
    assert stage.toy.energies()[start] == 550


async def test_an_interval_that_is_never_said_is_learned_of_the_past(stage: Stage) -> None:
    stage.peer.says_interval = False
    start = NOW.replace(minute=0)
    async with stage.importing() as one:
        await until(lambda: stage.notes.problems == [None])
        stage.clock.time = NOW + HOUR
        asked = len(stage.peer.asked)
        told = {start: 100, start + HALF_HOUR: 200}
        stage.peer.values |= told
        await one.heard(PEER, load(told, says_interval=False))
    assert stage.toy.energies() == hourly(stage.peer.values)
    assert len(stage.peer.asked) == asked


async def test_a_hole_that_is_filled_late_raises_the_sums_after_it(stage: Stage) -> None:
    async with stage.importing() as one:
        await until(lambda: stage.notes.problems == [None])
        late = {at: value for at, value in curve(SINCE, NOW).items() if at not in stage.peer.values}
        late = {at: value for at, value in late.items() if at < utc("2026-11-01")}
        stage.peer.values |= late
        await one.heard(PEER, load(late))
    assert stage.toy.energies() == hourly(stage.peer.values)


async def test_what_others_push_is_left_alone(stage: Stage) -> None:
    async with stage.importing() as one:
        await until(lambda: stage.notes.problems == [None])
        await one.heard("other@enedis.test", load(curve(SINCE, SINCE + DAY)))
    assert stage.toy.energies() == hourly(stage.peer.values)


async def test_the_network_coming_back_brings_what_was_missed(stage: Stage) -> None:
    async with stage.importing() as one:
        await until(lambda: stage.notes.problems == [None])
        stage.clock.time = NOW + 3 * DAY
        stage.peer.values = dict(
            sorted((curve(NOW.replace(minute=0), stage.clock.time) | stage.peer.values).items())
        )
        one.came_back()
        await until(lambda: len(stage.toy.energies()) == len(hourly(stage.peer.values)))
    assert stage.toy.energies() == hourly(stage.peer.values)
    assert stage.peer.subscriptions == 2


async def test_a_peer_that_pushes_nothing_is_polled(stage: Stage) -> None:
    stage.peer.pushes = False
    pace = Pace(poll=timedelta(seconds=0.02))
    async with stage.importing(pace=pace):
        await until(lambda: stage.notes.problems == [None])
        stage.clock.time = NOW + 2 * HOUR
        stage.peer.values |= curve(NOW.replace(minute=0), NOW.replace(minute=0) + 2 * HOUR)
        await until(lambda: len(stage.toy.energies()) == len(hourly(stage.peer.values)))
    assert stage.peer.asked[-1][0] >= NOW.replace(minute=0) - 25 * HOUR


async def test_times_that_are_too_long_for_a_peer_are_asked_for_by_weeks(stage: Stage) -> None:
    def refuses(start: datetime, end: datetime) -> UpstreamError | None:
        return UpstreamError("enedis", "SGT4K1") if end - start > 7 * DAY else None

    stage.peer.refuses = refuses
    async with stage.importing():
        await until(lambda: bool(stage.notes.problems))
    assert stage.notes.problems == [None]
    assert stage.toy.energies() == hourly(stage.peer.values)
    assert sum(1 for start, end in stage.peer.asked if end - start > 7 * DAY) == 1


async def test_what_was_before_the_meter_is_given_up_without_a_word(stage: Stage) -> None:
    began = utc("2026-09-10T08:00")
    stage.peer.values = {at: value for at, value in stage.peer.values.items() if at >= began}

    def refuses(start: datetime, _: datetime) -> UpstreamError | None:
        return UpstreamError("enedis", "SGT4G3") if start < began - 8 * HOUR else None

    stage.peer.refuses = refuses
    async with stage.importing(since=SINCE - 1_000 * DAY):
        await until(lambda: bool(stage.notes.problems))
    assert stage.notes.problems == [None]
    assert len(stage.peer.asked) < 110
    assert stage.toy.energies() == hourly(stage.peer.values)


async def test_a_meter_of_this_month_is_found_though_the_last_day_is_refused(
    stage: Stage,
) -> None:
    began = utc("2026-11-03T08:00")
    stage.peer.values = {at: wh for at, wh in stage.peer.values.items() if at >= began}

    def refuses(start: datetime, end: datetime) -> UpstreamError | None:
        alone = start >= NOW - DAY
        return UpstreamError("enedis", "SGT4G3") if end <= began or alone else None

    stage.peer.refuses = refuses
    async with stage.importing():
        await until(lambda: bool(stage.notes.problems))
    assert stage.toy.energies() == hourly(stage.peer.values)


async def test_a_month_that_is_refused_in_the_midst_is_told(stage: Stage) -> None:
    first, last = utc("2026-10-05"), utc("2026-10-08")

    def refuses(start: datetime, end: datetime) -> UpstreamError | None:
        return UpstreamError("enedis", "SGT500") if start < last and end > first else None

    stage.peer.refuses = refuses
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
async def test_a_peer_that_fails_is_told_in_words_and_asked_again(
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
    assert stage.toy.energies() == hourly(stage.peer.values)


async def test_a_peer_that_only_pushes_is_heard(stage: Stage) -> None:
    told = stage.peer.values
    stage.peer.refuses = lambda _start, _end: NotAuthorized()
    async with stage.importing() as one:
        await one.heard(PEER, load(told))
    assert stage.toy.energies() == hourly(told)
    assert None not in stage.notes.problems


async def test_a_unit_that_is_no_energy_is_told(stage: Stage) -> None:
    stage.peer.unit = "VA"
    async with stage.importing():
        await until(lambda: bool(stage.notes.problems))
    assert "in VA cannot be imported" in str(stage.notes.problems[0])
    assert stage.toy.energies() == {}


async def test_who_is_no_administrator_is_told_so(stage: Stage) -> None:
    stage.toy.is_admin = False
    async with stage.importing():
        await until(lambda: bool(stage.notes.problems))
    assert "only administrators write statistics" in str(stage.notes.problems[0])


@pytest.mark.parametrize(
    "metadata",
    [
        {"statistics_unit_of_measurement": "Wh"},
        {"source": "recorder"},
        {"has_sum": False},
        {"unit_class": "volume"},
    ],
)
async def test_another_statistic_of_that_name_is_left_alone(
    stage: Stage,
    metadata: dict[str, str | bool],
) -> None:
    stage.toy.metadata[GRID] = {
        "statistic_id": GRID,
        "source": "consometers",
        "has_sum": True,
        "unit_class": "energy",
        "statistics_unit_of_measurement": "kWh",
        **metadata,
    }
    async with stage.importing():
        await until(lambda: bool(stage.notes.problems))
    assert "choose another name" in str(stage.notes.problems[0])
    assert not stage.toy.imports


async def test_rows_that_something_else_wrote_are_left_alone(stage: Stage) -> None:
    stage.toy.metadata[GRID] = {
        "statistic_id": GRID,
        "source": "consometers",
        "has_sum": True,
        "unit_class": "energy",
        "statistics_unit_of_measurement": "kWh",
    }
    stage.toy.hours[GRID] = [
        {"start": ms(SINCE + n * HOUR), "state": 9_000 + n, "sum": n} for n in range(40)
    ]
    async with stage.importing() as one:
        telling = asyncio.create_task(one.heard(PEER, load(stage.peer.values)))
        await until(lambda: bool(stage.notes.problems))
        assert not telling.done()
    with pytest.raises(Away):
        await telling
    assert "this node did not write" in str(stage.notes.problems[0])
    assert not stage.toy.imports


async def test_imports_that_are_lost_come_again(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("consometers_node.household.recorder_writer._SEEN_WITHIN_S", 0.05)
    stage.toy.loses = 2
    async with stage.importing():
        await until(lambda: stage.notes.problems == [None])
    assert stage.toy.energies() == hourly(stage.peer.values)


async def test_sums_that_a_power_cut_left_by_halves_are_mended(stage: Stage) -> None:
    async with stage.importing():
        await until(lambda: stage.notes.problems == [None])
    for row in stage.toy.hours[GRID][1_000:]:
        row["sum"] -= 17
    stage.notes.problems.clear()
    async with stage.importing():
        await until(lambda: stage.notes.problems == [None])
    assert stage.toy.energies() == hourly(stage.peer.values)


@pytest.mark.parametrize("commands", range(1, 24))
async def test_an_import_that_is_killed_anywhere_goes_on_as_if_it_was_not(
    stage: Stage, commands: int
) -> None:
    toy = stage.toy
    async with stage.importing():
        toy.hangs_up_at = {len(toy.asked) + commands}
        await until(lambda: len(toy.asked) >= commands or bool(stage.notes.problems))
    toy.hangs_up_at = set()
    stage.notes.problems.clear()
    async with stage.importing():
        await until(lambda: stage.notes.problems == [None])
    assert toy.energies() == hourly(stage.peer.values)


@pytest.mark.parametrize("commands", range(1, 20))
async def test_a_correction_that_is_killed_anywhere_leaves_sums_that_are_mended(
    stage: Stage, commands: int
) -> None:
    toy, peer = stage.toy, stage.peer
    hour = SINCE + DAY
    told = {hour: 4_000, hour + HALF_HOUR: 4_001}
    async with stage.importing() as one:
        await until(lambda: stage.notes.problems == [None])
        peer.values |= told
        goal = len(toy.asked) + commands
        toy.hangs_up_at = {goal}
        telling = asyncio.create_task(one.heard(PEER, load(told)))
        await until(lambda: len(toy.asked) >= goal or telling.done())
        acknowledged = telling.done()
        telling.cancel()
    toy.hangs_up_at = set()
    stage.notes.problems.clear()
    async with stage.importing() as one:
        if not acknowledged:
            await one.heard(PEER, load(told))
        await until(lambda: stage.notes.problems == [None])
    assert toy.energies() == hourly(peer.values)


async def test_while_home_assistant_is_away_what_is_pushed_waits(stage: Stage) -> None:
    async with stage.importing() as one:
        await until(lambda: stage.notes.problems == [None])
        stage.toy.status = 503
        await stage.toy.hang_up()
        hour = utc("2026-09-03T05:00")
        told = {hour: 1, hour + HALF_HOUR: 3}
        stage.peer.values |= told
        waiting = asyncio.create_task(one.heard(PEER, load(told)))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        stage.toy.status = 101
        await waiting
    assert stage.toy.energies() == hourly(stage.peer.values)


async def test_a_wrong_token_ends_it(stage: Stage) -> None:
    async with connection(stage.toy, token="another") as home:
        with pytest.raises(WrongToken):
            await stage.make(home).run()
    assert "access token" in str(stage.notes.problems[0])


@pytest.mark.parametrize("name", ["consometers:grid", "enedis:drawn_2"])
def test_a_statistic_is_named_as_home_assistant_wants(name: str) -> None:
    assert external(name) == name


@pytest.mark.parametrize(
    "name", ["", "grid", "sensor.grid", "a:b:c", "Grid:x", "a:b__c", "_a:b", "a: b", "recorder:a"]
)
def test_other_names_are_refused_in_words(name: str) -> None:
    with pytest.raises(ValueError, match="write consometers:grid"):
        external(name)
