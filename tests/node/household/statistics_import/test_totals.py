"""A collective's latest records, put together."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from consometers_node.household.statistics_import.totals import (
    DayFigure,
    DayTotals,
    Last,
    Month,
    Totals,
    days_of,
    month_before,
    of_whole_days,
)
from consometers_quoalise import (
    Data,
    DeviceType,
    Direction,
    Duration,
    Identifier,
    Metadata,
    Records,
    SeriesPath,
    describe,
)
from consometers_quoalise.records.identifier import organisation, series
from testing.home_assistant.rows import HOUR, seconds
from testing.home_assistant.toy import utc

CONSUMPTION, INJECTION, PRODUCTION = (
    Direction.CONSUMPTION,
    Direction.INJECTION,
    Direction.PRODUCTION,
)
MIDNIGHT = utc("2026-11-23T23:00")
"""Of 24 November in Paris."""
NOON = utc("2026-11-24T11:20")
PT1H = Duration(seconds=3600)
NAME = series(organisation("kersabiec"), CONSUMPTION)


def pushed(
    direction: Direction,
    start: datetime,
    values: list[float],
    members: Sequence[float] | None = None,
    *,
    path: str = SeriesPath.POWER,
    interval: Duration = PT1H,
    without_homes: Sequence[int] = (),
) -> Data:
    name = series(organisation("kersabiec"), direction, path)
    step = timedelta(days=interval.days, seconds=interval.seconds)

    def records(series: Identifier, unit: str, some: Sequence[float]) -> Records:
        by_start = {start + n * step: value for n, value in enumerate(some)}
        return Records(str(series), unit, seconds(by_start))

    parts = [records(name, "W", values)]
    parts += [records(name.members, "count", members)] if members else []
    if without_homes:
        lacking = seconds({start + n * step: 1.0 for n in without_homes})
        parts.append(Records(str(name.beside(SeriesPath.WITHOUT_HOMES)), "count", lacking))
    return Data(describe(name, interval, DeviceType.COLLECTIVE), tuple(parts))


@pytest.mark.parametrize("impossible", [-5, 10**16])
def test_an_impossible_value_is_left_out_alone(impossible: float) -> None:
    totals = Totals()
    totals.take(pushed(CONSUMPTION, MIDNIGHT, [500, 600, impossible], [8, 8, 8]))
    totals.take(pushed(PRODUCTION, MIDNIGHT, [impossible]))
    assert totals.take(quartiles(MIDNIGHT, median=impossible, lower=1, upper=2)) is False
    last = totals.last()
    assert last is not None
    assert (last.start, last.energies) == (MIDNIGHT + HOUR, {CONSUMPTION: 600})


@pytest.mark.parametrize("members", [1e-320, -8, 10**9])
def test_an_impossible_member_count_is_unknown(members: float) -> None:
    totals = Totals()
    totals.take(pushed(CONSUMPTION, MIDNIGHT, [500], [members]))
    last = totals.last()
    assert last is not None
    assert last.members is None


def test_sums_of_longer_than_a_day_are_left_out() -> None:
    totals = Totals()
    interval = Duration(seconds=10**27)
    message = pushed(CONSUMPTION, MIDNIGHT, [500])
    assert not totals.take(replace(message, metadata=describe(NAME, interval)))
    assert totals.until is None


def test_homes_that_came_later_are_in_the_figures_of_the_day() -> None:
    """A protected sum was opened after the records of its hour: the sum comes again, unmarked."""
    totals = Totals()
    totals.take(pushed(PRODUCTION, MIDNIGHT, [100, 100]))
    totals.take(pushed(INJECTION, MIDNIGHT, [40, 40]))
    totals.take(pushed(CONSUMPTION, MIDNIGHT, [500, 500], without_homes=[1]))
    figures = day_of(totals, MIDNIGHT + 3 * HOUR).figures
    assert figures["self-sufficiency"].hours == 1
    assert totals.take(pushed(CONSUMPTION, MIDNIGHT + HOUR, [900]))
    figures = day_of(totals, MIDNIGHT + 3 * HOUR).figures
    assert figures["self-sufficiency"].hours == 2


def day_of(totals: Totals, at: datetime) -> DayTotals:
    day = totals.today(at)
    assert day is not None
    return day


def quartiles(month: datetime, **values: float) -> Data:
    paths = {
        "median": SeriesPath.MEDIAN,
        "lower": SeriesPath.LOWER_QUARTILE,
        "upper": SeriesPath.UPPER_QUARTILE,
    }
    names = {which: series(organisation("kersabiec"), CONSUMPTION, paths[which]) for which in paths}
    return Data(
        describe(names["median"], Duration(months=1), DeviceType.COLLECTIVE),
        tuple(
            Records(str(names[which]), "Wh", {int(month.timestamp()): value})
            for which, value in values.items()
        ),
    )


def test_totals_show_the_last_interval_and_the_day() -> None:
    totals = Totals()
    assert (totals.last(), totals.today(NOON), totals.until) == (None, None, None)
    assert totals.take(pushed(CONSUMPTION, MIDNIGHT - HOUR, [9_000, 100, 200, 300], [37] * 4))
    totals.take(pushed(INJECTION, MIDNIGHT, [0, 10]))
    totals.take(pushed(PRODUCTION, MIDNIGHT, [50, 100]))
    assert totals.last() == Last(MIDNIGHT + 2 * HOUR, MIDNIGHT + 3 * HOUR, {CONSUMPTION: 300}, 37)
    today = day_of(totals, NOON)
    assert (today.day, today.until) == (date(2026, 11, 24), MIDNIGHT + 3 * HOUR)
    assert today.figures["consumption"] == DayFigure(600, 3)
    assert today.figures["injection"] == DayFigure(10, 2)
    assert today.figures["production"] == DayFigure(150, 2)
    # Over the two complete hours: 140 of 150 were used, and 300 drawn beside.
    assert today.figures["self-consumption"] == DayFigure(0.9333, 2)
    assert today.figures["self-sufficiency"] == DayFigure(0.3182, 2)
    assert today.figures["shared-locally"] == DayFigure(10, 2)
    assert today.figures["local-coverage"] == DayFigure(0.3409, 2)


def test_an_hour_without_the_homes_of_one_energy_counts_in_no_rate() -> None:
    """The sum of injection was that of a school alone: as on the collective's page."""
    totals = Totals()
    totals.take(pushed(PRODUCTION, MIDNIGHT, [100, 500]))
    totals.take(pushed(CONSUMPTION, MIDNIGHT, [50, 300]))
    totals.take(pushed(INJECTION, MIDNIGHT, [40, 0], without_homes=[1]))
    figures = day_of(totals, NOON).figures
    assert figures["production"] == DayFigure(600, 2)
    assert figures["self-consumption"] == DayFigure(0.6, 1)


def test_the_last_record_counts_and_a_repeated_one_changes_nothing() -> None:
    totals = Totals()
    assert totals.take(pushed(CONSUMPTION, MIDNIGHT, [100, 200], [37, 37]))
    assert not totals.take(pushed(CONSUMPTION, MIDNIGHT, [100], [37]))
    assert totals.take(pushed(CONSUMPTION, MIDNIGHT, [150], [37]))
    assert totals.take(pushed(CONSUMPTION, MIDNIGHT + HOUR, [200], [38]))
    last = totals.last()
    assert last is not None
    assert last.members == 38
    assert day_of(totals, NOON).figures["consumption"] == DayFigure(350, 2)


@pytest.mark.parametrize(
    "watts",
    [{CONSUMPTION: 100, INJECTION: 10}, {CONSUMPTION: 10, INJECTION: 30, PRODUCTION: 20}],
    ids=["without production", "more fed in than made"],
)
def test_impossible_rates_are_left_out(watts: dict[Direction, int]) -> None:
    totals = Totals()
    for direction, power in watts.items():
        totals.take(pushed(direction, MIDNIGHT, [power]))
    today = day_of(totals, NOON)
    assert today.figures["self-consumption"].value is None
    assert today.figures["self-sufficiency"].value is None


def test_half_hours_are_half_the_energy() -> None:
    totals = Totals()
    totals.take(pushed(CONSUMPTION, MIDNIGHT, [100, 300], interval=Duration(seconds=1800)))
    today = day_of(totals, NOON)
    assert today.figures["consumption"] == DayFigure(200, 1)
    assert today.until == MIDNIGHT + HOUR


def test_daily_sums_have_a_last_day_and_no_running_day() -> None:
    totals = Totals()
    days = pushed(
        CONSUMPTION,
        utc("2026-10-24T22:00"),
        [5_000],
        path=SeriesPath.ENERGY_DAILY,
        interval=Duration(days=1),
    )
    totals.take(days)
    assert str(totals.interval) == "P1D"
    # Clocks went back that night.
    assert totals.until == utc("2026-10-25T23:00")
    assert totals.last() == Last(
        utc("2026-10-24T22:00"), utc("2026-10-25T23:00"), {CONSUMPTION: 5_000}, None
    )
    assert totals.today(utc("2026-10-25T11:00")) is None


def test_old_days_are_forgotten_and_never_count_as_today() -> None:
    totals = Totals()
    totals.take(pushed(CONSUMPTION, MIDNIGHT - 80 * HOUR, [100] * 80))
    assert totals.today(NOON) is None
    totals.take(pushed(CONSUMPTION, MIDNIGHT, [7]))
    assert totals.today(NOON) is not None
    assert day_of(totals, NOON - 24 * HOUR).figures["consumption"] == DayFigure(2_400, 24)
    assert totals.today(NOON - 72 * HOUR) is None


def test_messages_without_sums_are_ignored() -> None:
    totals = Totals()
    register = pushed(CONSUMPTION, MIDNIGHT, [1], path=SeriesPath.ENERGY_INDEX)
    strange = Data(Metadata(), (Records("urn:dev:odd", "W", {int(MIDNIGHT.timestamp()): 1}),))
    nobodys = Data(register.metadata, (Records("a", "W", {int(MIDNIGHT.timestamp()): 1}),))
    assert not any(totals.take(message) for message in (strange, nobodys))
    totals.take(register)
    assert totals.last() is None


def test_quartiles_come_from_the_newest_complete_month() -> None:
    october, september = utc("2026-09-30T22:00"), utc("2026-08-31T22:00")
    totals = Totals()
    assert totals.take(quartiles(october, lower=280, median=390, upper=520))
    assert totals.month == Month(date(2026, 10, 1), 280, 390, 520)
    assert not totals.take(quartiles(september, lower=1, median=2, upper=3))
    assert not totals.take(quartiles(utc("2026-10-31T23:00"), median=2))
    assert month_before(NOON) == date(2026, 10, 1)
    assert month_before(utc("2025-12-31T23:30")) == date(2025, 12, 1)


def test_a_month_has_its_civil_days() -> None:
    days = list(days_of(date(2026, 10, 1)))
    assert len(days) == 31
    assert days[0].start == utc("2026-09-30T22:00")
    assert days[-1].end == utc("2026-10-31T23:00")
    assert {day.end - day.start for day in days} == {24 * HOUR, 25 * HOUR}


def test_a_missing_day_counts_as_the_mean_of_the_others() -> None:
    assert of_whole_days([10, 20, 30]) == 60
    assert of_whole_days([10, None, 30, 20]) == 80
    assert of_whole_days([10, None, None]) is None
    assert of_whole_days([None]) is of_whole_days([]) is None
