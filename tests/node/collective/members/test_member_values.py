"""What one member has, by examples: intervals of intervals, civil days, devices and groups."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pytest

from consometers_node.collective.calendar import Stretch, civil_days, places, stretches
from consometers_node.collective.publication.member_values import (
    CivilDay,
    Counts,
    Part,
    SeriesValues,
    civil_day,
    part,
)
from consometers_node.series import Device, Direction, Interval, Quantity, Series
from consometers_node.store.series import MemberCount

PARIS, SAMOA = "Europe/Paris", "Pacific/Apia"
DAY = date(2026, 6, 10)
BEFORE = DAY - timedelta(days=1)
HOUR, FIVE, CIVIL = Interval.PT1H, Interval.PT5M, Interval.P1D


def source(
    interval: Interval,
    days: Mapping[date, Sequence[int | None]],
    *,
    name: str = "a",
    quantity: Quantity = Quantity.POWER,
    members: Mapping[date, Counts] | None = None,
) -> SeriesValues:
    series = Series(Device(name), Direction.CONSUMPTION, quantity, interval, PARIS)
    return SeriesValues(series, days, members)


def test_twelve_times_five_minutes_are_an_hour() -> None:
    fine = source(FIVE, {DAY: [*range(1, 13), *12 * [None], *11 * [1], None, *252 * [2]]})
    assert part([fine], HOUR, DAY) == Part.of([78 * 5, None, None, *21 * [2 * 60]])
    assert part([fine], FIVE, DAY).values[:3] == (5, 10, 15)


def test_energy_and_power_are_the_same_watt_minutes() -> None:
    power = source(HOUR, {DAY: [500] * 24})
    energy = source(HOUR, {DAY: [500] * 24}, quantity=Quantity.ENERGY)
    assert part([power], HOUR, DAY) == part([energy], HOUR, DAY) == Part.of([30_000] * 24)


def test_values_are_no_finer_than_their_source() -> None:
    assert part([source(HOUR, {DAY: [500] * 24})], FIVE, DAY) == Part.of([None] * 288)
    assert part([source(CIVIL, {DAY: [500]})], HOUR, DAY) == Part.of([None] * 24)
    assert part([], HOUR, DAY) == Part.of([None] * 24)


def test_finest_whole_series_of_a_device_counts() -> None:
    fine = source(FIVE, {DAY: [*12 * [100], None, *11 * [100], *12 * [None], *252 * [100]]})
    coarse = source(HOUR, {DAY: [7] * 24})
    expected = [100 * 60, 7 * 60, 7 * 60, *21 * [100 * 60]]
    assert part([coarse, fine], HOUR, DAY) == Part.of(expected)


def test_devices_add_up_unless_one_has_only_some_of_its_records() -> None:
    device = source(HOUR, {DAY: [1, 2, *22 * [None]]}, name="a")
    two = source(FIVE, {DAY: [*12 * [5], *11 * [5], None, *264 * [5]]}, name="b")
    assert part([device, two], HOUR, DAY) == Part.of([6 * 60, None, *22 * [5 * 60]])


def test_collective_counts_for_its_members() -> None:
    twelve, ten = MemberCount(12), MemberCount(10)
    sums = source(FIVE, {DAY: [9] * 288}, members={DAY: [*11 * [twelve], ten, *276 * [twelve]]})
    assert part([sums], HOUR, DAY).counts == (10, *23 * [12])
    assert part([source(HOUR, {DAY: [9] * 24}, members={})], HOUR, DAY).counts == (1,) * 24


def test_homes_are_missing_from_a_value_if_they_are_from_a_part_of_it() -> None:
    """From one of its intervals, or from one of the collective's groups."""
    whole, partial = MemberCount(12), MemberCount(2, lacks_homes=True)
    counts = [*11 * [whole], partial, *12 * [whole], *12 * [None], *252 * [whole]]
    fine = source(FIVE, {DAY: [9] * 288}, name="coop-lorient", members={DAY: counts})
    beside = source(HOUR, {DAY: [9] * 24}, name="coop-larmor", members={DAY: [whole] * 24})
    for sources, first in (
        ([fine], (2, True)),
        ([fine, beside], (14, True)),
        ([beside], (12, False)),
    ):
        summed = part(sources, HOUR, DAY)
        assert (summed.counts[0], summed.lacking) == (first[0], (first[1], *23 * [False]))
        day = civil_day(sources, DAY)
        assert day.lacks_homes is first[1]
    assert not any(part([source(HOUR, {DAY: [9] * 24})], HOUR, DAY).lacking)


def test_whole_collective_counts_instead_of_its_groups() -> None:
    values = {"coop": 10, "coop-lorient": 6, "coop-lanester": 4, "cooperative": 1}
    sums = [
        source(HOUR, {DAY: [value] * 24}, name=name, members={DAY: [MemberCount(value)] * 24})
        for name, value in values.items()
    ]
    whole = part(sums, HOUR, DAY)
    assert (whole.values, whole.counts) == ((660,) * 24, (11,) * 24)
    assert civil_day([*sums, source(HOUR, {BEFORE: [1] * 24}, name="coop")], DAY).count == 11
    areas = part(sums[1:3], HOUR, DAY)
    assert (areas.values, areas.counts) == ((600,) * 24, (10,) * 24)


def test_civil_day_spans_two_utc_days() -> None:
    device = source(HOUR, {BEFORE: [1] * 24, DAY: [1] * 24})
    assert civil_day([device], DAY) == CivilDay(24 * 60, 24, 24)
    assert civil_day([device], BEFORE) == CivilDay(22 * 60, 22, 24)
    assert civil_day([device], DAY + timedelta(days=2)) == CivilDay()


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_civil_days_follow_clock_changes(day: date, hours: int) -> None:
    days = {day + timedelta(days=n): [1] * 24 for n in (-1, 0, 1)}
    assert civil_day([source(HOUR, days)], day) == CivilDay(hours * 60, hours, hours)
    mean = source(CIVIL, {day - timedelta(days=1): [1]})
    assert civil_day([mean], day) == CivilDay(hours * 60, 1, 1)


def test_a_whole_day_takes_precedence_over_hours_with_holes() -> None:
    hours = source(HOUR, {BEFORE: [1] * 24, DAY: [*23 * [1], None]})
    day = source(CIVIL, {BEFORE: [30]}, quantity=Quantity.ENERGY)
    assert civil_day([hours], DAY) == CivilDay(24 * 60, 24, 24)
    holes = source(HOUR, {BEFORE: [1] * 24, DAY: [None, *23 * [1]]})
    assert civil_day([holes], DAY) == CivilDay(23 * 60, 23, 24)
    assert civil_day([holes, day], DAY) == CivilDay(30 * 60, 1, 1)


def test_a_month_turns_within_a_utc_day() -> None:
    assert stretches(PARIS, HOUR, date(2026, 3, 31)) == (
        Stretch(date(2026, 3, 1), 0, 22),
        Stretch(date(2026, 4, 1), 22, 24),
    )
    assert stretches(PARIS, HOUR, DAY) == (Stretch(date(2026, 6, 1), 0, 24),)


def test_day_skipped_by_a_time_zone_is_empty() -> None:
    assert places(SAMOA, HOUR, date(2011, 12, 30)) == ()
    assert civil_days(SAMOA, date(2011, 12, 30)) == tuple(
        date(2011, 12, 29) + timedelta(days=n) for n in range(3)
    )
