"""A peer's records, put into hours: parts, days, registers, units, and unsuitable ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched
import random

from hypothesis import given, strategies as st
import pytest

from consometers_node.household.statistics_import.hours import Hours, SeriesKind, Unsuitable
from consometers_quoalise import (
    Data,
    DeviceType,
    Direction,
    Duration,
    Number,
    Records,
    describe,
    iso8601,
)
from consometers_quoalise.records import identifier
from testing.home_assistant.rows import measured
from testing.home_assistant.toy import utc

LOAD = "consumption/power/active/raw"
DAILY = "consumption/energy/active/daily"
REGISTER = "consumption/energy/active/index"
NOON = utc("2026-03-01T12:00")


def name(path: str) -> str:
    return f"urn:dev:prm:30001610071843_{path}"


def pushed(
    path: str,
    values: Mapping[datetime, Number],
    *,
    unit: str | None = "W",
    interval: str | None = "PT30M",
) -> Data:
    length = None if interval is None else iso8601.duration(interval)
    return measured(name(path), values, unit, length)


def steps(start: datetime, minutes: int, values: Sequence[Number]) -> dict[datetime, Number]:
    return {start + n * timedelta(minutes=minutes): value for n, value in enumerate(values)}


def hours(path: str = LOAD, zone: str = "Europe/Paris") -> Hours:
    return Hours(identifier.identifier(name(path)), zone)


def whole(taken: Hours, *messages: Data) -> dict[datetime, float]:
    touched: set[datetime] = set()
    for message in messages:
        touched |= taken.take(message)
    return taken.whole(touched)


@pytest.mark.parametrize(
    ("interval", "minutes", "values", "wh"),
    [
        ("PT1H", 60, [250], 250),
        ("PT30M", 30, [100, 101], 100.5),
        ("PT15M", 15, [1, 2, 3, 5], 2.75),
        ("PT10M", 10, [600] * 6, 600),
        ("PT10M", 10, [1, 0, 0, 0, 0, 0], 0.1875),  # a sixth of a Wh, in sixteenths
        ("PT5M", 5, [12] * 12, 12),
    ],
)
def test_the_energy_of_an_hour_is_power_times_time(
    interval: str, minutes: int, values: list[Number], wh: float
) -> None:
    message = pushed(LOAD, steps(NOON, minutes, values), interval=interval)
    assert whole(hours(), message) == {NOON: wh}


def test_an_hour_with_a_missing_part_is_missing() -> None:
    values = steps(NOON, 30, [100, 100, 100, 100])
    del values[NOON + timedelta(minutes=30)]
    taken = hours()
    assert taken.take(pushed(LOAD, values)) == {NOON, NOON + timedelta(hours=1)}
    assert taken.whole([NOON]) == {}
    assert taken.whole([NOON + timedelta(hours=1)]) == {NOON + timedelta(hours=1): 100}


def test_a_later_record_replaces_an_earlier_one() -> None:
    first = pushed(LOAD, steps(NOON, 30, [100, 100]))
    corrected = pushed(LOAD, {NOON: 300})
    assert whole(hours(), first, corrected) == {NOON: 200}


def test_a_finer_load_curve_replaces_the_coarser_one_part_by_part() -> None:
    taken = hours()
    assert whole(taken, pushed(LOAD, steps(NOON, 30, [100, 200]))) == {NOON: 150}
    assert whole(taken, pushed(LOAD, {NOON: 60}, interval="PT10M")) == {}
    rest = steps(NOON + timedelta(minutes=10), 10, [60, 60])
    assert whole(taken, pushed(LOAD, rest, interval="PT10M")) == {NOON: 130}


def test_a_coarser_load_curve_replaces_the_finer_one() -> None:
    taken = hours()
    taken.take(pushed(LOAD, steps(NOON, 10, [60] * 6), interval="PT10M"))
    assert whole(taken, pushed(LOAD, steps(NOON, 30, [100, 200]))) == {NOON: 150}


@pytest.mark.parametrize(("missing", "minutes"), [(set(), 30), ({3, 7, 8}, 30), ({1}, 10)])
def test_the_spacing_of_records_gives_a_missing_interval(missing: set[int], minutes: int) -> None:
    values = steps(NOON, minutes, [120] * 30)
    present = {at: v for n, (at, v) in enumerate(values.items()) if n not in missing}
    result = whole(hours(), pushed(LOAD, present, interval=None))
    lost = {at.replace(minute=0) for n, at in enumerate(values) if n in missing}
    assert result == {at: 120 for at in values if at.minute == 0 and at not in lost}


def test_the_last_interval_serves_few_records_without_one() -> None:
    taken = hours()
    few = pushed(LOAD, steps(NOON, 30, [10, 20]), interval=None)
    assert taken.take(few) == {NOON}
    assert taken.whole([NOON]) == {}
    taken.take(pushed(LOAD, steps(NOON - timedelta(days=1), 30, [5] * 20), interval=None))
    assert whole(taken, few) == {NOON: 15}


@pytest.mark.parametrize(
    ("zone", "start", "hour"),
    [
        ("Europe/Paris", "2026-01-09T23:00", "2026-01-09T23:00"),
        ("Europe/Paris", "2026-07-09T22:00", "2026-07-09T22:00"),
        ("Europe/Paris", "2026-03-28T23:00", "2026-03-28T23:00"),  # of 23 hours
        ("Europe/Paris", "2026-10-24T22:00", "2026-10-24T22:00"),  # of 25
        ("Europe/Paris", "2026-07-10T00:00", "2026-07-09T22:00"),  # stamped in UTC
        ("Europe/London", "2026-01-09T23:00", "2026-01-10T00:00"),  # stamped in Paris
        ("Asia/Kolkata", "2026-01-09T18:30", "2026-01-09T19:00"),  # midnight is half past
        ("Asia/Kathmandu", "2026-01-09T18:15", "2026-01-09T19:00"),
        ("America/St_Johns", "2026-07-10T02:30", "2026-07-10T03:00"),
        ("America/Los_Angeles", "2026-01-10T00:00", "2026-01-10T08:00"),
    ],
)
def test_a_civil_day_is_stamped_at_its_first_hour(zone: str, start: str, hour: str) -> None:
    day = pushed(DAILY, {utc(start): 7_890}, unit="Wh", interval="P1D")
    assert whole(hours(DAILY, zone), day) == {utc(hour): 7_890}


def test_a_register_belongs_to_the_hour_before_it() -> None:
    daily = pushed(REGISTER, {utc("2026-01-09T23:00"): 5_000_000}, unit="Wh", interval="P1D")
    assert whole(hours(REGISTER), daily) == {utc("2026-01-09T22:00"): 5_000_000}
    fine = pushed(REGISTER, steps(NOON, 30, [10, 11, 12, 13]), unit="kWh")
    assert whole(hours(REGISTER), fine) == {
        NOON - timedelta(hours=1): 10_000,
        NOON: 12_000,
    }


@pytest.mark.parametrize(
    ("path", "unit", "value", "wh"),
    [(LOAD, "kW", 1.5, 1500), (LOAD, None, 2, 2), (DAILY, "kWh", 8.25, 8250), (DAILY, "Wh", 1, 1)],
)
def test_units_scale_and_default_to_that_of_the_path(
    path: str, unit: str | None, value: float, wh: float
) -> None:
    start = utc("2026-01-09T23:00")
    message = pushed(path, {start: value}, unit=unit, interval="PT1H" if path == LOAD else "P1D")
    assert whole(hours(path), message) == {start: wh}


@pytest.mark.parametrize(("path", "unit"), [(LOAD, "VA"), (LOAD, "Wh"), (DAILY, "W")])
def test_other_units_are_refused(path: str, unit: str) -> None:
    with pytest.raises(Unsuitable, match=f"in {unit} cannot be imported.*would have to send"):
        hours(path).take(pushed(path, {NOON: 1}, unit=unit))


@pytest.mark.parametrize("interval", ["P1D", "PT2H", "PT7M"])
def test_an_interval_that_does_not_divide_an_hour_is_refused(interval: str) -> None:
    with pytest.raises(Unsuitable, match="must divide an hour"):
        hours().take(pushed(LOAD, {NOON: 1}, interval=interval))


@pytest.mark.parametrize(
    "path", ["", "power/active/raw", "consumption/power/active/raw/members", "consumption/voltage"]
)
def test_other_paths_are_refused_with_the_importable_ones(path: str) -> None:
    urn = "urn:dev:prm:30001610071843" + (f"_{path}" if path else "")
    with pytest.raises(Unsuitable, match="…/power/active/raw, …/energy/active/daily") as refused:
        SeriesKind.from_identifier(identifier.identifier(urn))
    assert "n’est pas une série qui s’importe" in refused.value.text.say("fr")


def test_misaligned_and_negative_records_are_ignored() -> None:
    odd = {NOON + timedelta(minutes=7): 5, NOON + timedelta(minutes=30): -3}
    assert hours().take(pushed(LOAD, odd)) == set()


def test_a_sum_per_member_is_divided_by_its_member_count() -> None:
    series = identifier.organisation("kersabiec")
    drawn = identifier.series(series, Direction.CONSUMPTION)
    message = Data(
        describe(drawn, Duration(seconds=3600), DeviceType.COLLECTIVE),
        tuple(
            Records(
                str(series_name), unit, dict(zip(range(0, 4 * 3600, 3600), values, strict=False))
            )
            for series_name, unit, values in (
                (drawn, "W", (1_000, 1_000, 0, 1_000)),
                (drawn.members, "count", (8, 3, 8)),
            )
        ),
    )
    taken = Hours(drawn, "Europe/Paris", per_member=True)
    for again in (taken, taken.like()):
        values = whole(again, message)
        assert {int(at.timestamp()) // 3600: wh for at, wh in values.items()} == {
            0: 125,
            1: 333.3125,
            2: 0,
        }


@pytest.mark.parametrize("count", [1e-320, 0.5, -8, 10**9])
def test_an_impossible_member_count_is_dropped_with_its_value_alone(count: float) -> None:
    drawn = identifier.series(identifier.organisation("kersabiec"), Direction.CONSUMPTION)
    records = (
        Records(str(drawn), "W", {0: 1_000, 3600: 1_000}),
        Records(str(drawn.members), "count", {0: count, 3600: 8}),
    )
    metadata = describe(drawn, Duration(seconds=3600), DeviceType.COLLECTIVE)
    taken = Hours(drawn, "Europe/Paris", per_member=True)
    values = whole(taken, Data(metadata, records))
    assert {int(at.timestamp()): wh for at, wh in values.items()} == {3600: 125}
    assert taken.dropped == 1


@pytest.mark.parametrize(
    ("path", "unit", "value"),
    [
        (LOAD, "W", -5),
        (LOAD, "W", 10**10 + 1),
        (LOAD, "kW", 10**8),
        (DAILY, "Wh", 10**16),
        (REGISTER, "Wh", 10**16),
    ],
)
def test_an_impossible_value_is_dropped_alone(path: str, unit: str, value: float) -> None:
    taken = hours(path)
    start, day = utc("2026-01-09T23:00"), timedelta(days=1)
    interval = "PT1H" if path == LOAD else "P1D"
    message = pushed(path, {start: value, start + day: 5}, unit=unit, interval=interval)
    assert len(whole(taken, message)) == 1
    assert taken.dropped == 1


def test_records_of_other_series_are_ignored() -> None:
    assert hours(LOAD).take(pushed("production/power/active/raw", {NOON: 5})) == set()


def test_only_the_last_hours_stay_in_memory() -> None:
    taken = hours()
    taken.take(pushed(LOAD, steps(NOON, 30, [10] * 8)))
    taken.keep_last(2)
    every = [NOON + n * timedelta(hours=1) for n in range(4)]
    assert list(taken.whole(every)) == every[2:]
    taken.forget(every[2:3])
    assert list(taken.whole(every)) == every[3:]


@given(
    values=st.dictionaries(st.integers(0, 95), st.integers(0, 9_000), min_size=1),
    minutes=st.sampled_from([5, 10, 15, 30, 60]),
    size=st.integers(1, 20),
    seed=st.integers(),
)
def test_hours_do_not_depend_on_order_batches_or_duplicates(
    values: dict[int, int], minutes: int, size: int, seed: int
) -> None:
    records = [(NOON + n * timedelta(minutes=minutes), value) for n, value in values.items()]
    interval = str(Duration(seconds=minutes * 60))
    at_once = whole(hours(), pushed(LOAD, dict(records), interval=interval))
    chance = random.Random(seed)
    shuffled = records + chance.sample(records, len(records) // 2)
    chance.shuffle(shuffled)
    messages = [
        pushed(LOAD, dict(batch), interval=interval)
        for batch in batched(shuffled, size, strict=False)
    ]
    assert whole(hours(), *messages) == at_once
