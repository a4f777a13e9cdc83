"""A year in Lorient makes sense: the sun, the seasons, the days of the week."""

from datetime import UTC, date, datetime, timedelta
from math import asin, degrees

import pytest

from consometers_tic_virtual.world import HOUSEHOLD, SCHOOL, Energy, World
from consometers_tic_virtual.world.civil import PARIS, is_public_holiday, is_school_day
from consometers_tic_virtual.world.sun import SunDay

YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def home() -> World:
    return World(HOUSEHOLD, origin=YEAR)


@pytest.fixture(scope="module")
def school() -> World:
    return World(SCHOOL, phases=3, origin=YEAR)


def day(world: World, year: int, month: int, day: int) -> Energy:
    start = datetime(year, month, day, tzinfo=PARIS)
    return between(world, start, start + timedelta(days=1))


def between(world: World, start: datetime, end: datetime) -> Energy:
    return world.energy(end) - world.energy(start)


def test_a_home_consumes_as_a_french_home_does(home: World) -> None:
    year = home.energy(YEAR + timedelta(days=365))
    assert 5_000_000 < year.consumption_wh < 8_000_000


def test_panels_yield_as_in_lorient(home: World, school: World) -> None:
    for world in (home, school):
        year = world.energy(YEAR + timedelta(days=365))
        assert 1_050_000 < year.production_wh / world.kwp < 1_300_000


def test_a_cold_month_takes_more_than_a_mild_one(home: World) -> None:
    january = between(home, YEAR, YEAR + timedelta(days=31))
    july = between(home, YEAR + timedelta(days=181), YEAR + timedelta(days=212))
    assert january.consumption_wh > 1.5 * july.consumption_wh
    assert january.production_wh < 0.4 * july.production_wh


def test_a_school_rests_on_sundays_and_holidays(school: World) -> None:
    tuesday = day(school, 2026, 6, 9).consumption_wh
    wednesday = day(school, 2026, 6, 10).consumption_wh
    sunday = day(school, 2026, 6, 7).consumption_wh
    summer = day(school, 2026, 8, 4).consumption_wh
    assert sunday < 0.6 * wednesday < 0.9 * tuesday
    assert summer < 0.6 * tuesday


def test_water_is_heated_in_off_peak_hours(home: World) -> None:
    def mean(hour: int, minute: int) -> float:
        moments = (datetime(2026, 7, n, hour, minute, tzinfo=PARIS) for n in range(1, 15))
        return sum(sum(home.powers_at(int(moment.timestamp()))) for moment in moments) / 14

    nights = [mean(minutes // 60 % 24, minutes % 60) for minutes in range(1_425, 1_605, 30)]
    assert max(nights) > 2000
    assert mean(5, 0) < 400


def test_the_water_heaters_of_a_street_start_one_after_the_other() -> None:
    assert HOUSEHOLD.use is not None
    starts = set()
    for seed in range(40):
        powers = [HOUSEHOLD.use(seed, date(2026, 7, 1), slot) for slot in (142, 143)]
        powers += [HOUSEHOLD.use(seed, date(2026, 7, 2), slot) for slot in range(18)]
        starts.add(next(n for n, watts in enumerate(powers) if watts > 2_000))
    assert len(starts) == 6


def test_the_sun_stands_in_the_south_as_high_as_it_should() -> None:
    solstice = SunDay.of(int(datetime(2026, 6, 21, tzinfo=UTC).timestamp()) // 86_400)
    assert degrees(asin(solstice.sin_elevation(solstice.noon_s))) == pytest.approx(
        90 - 47.75 + 23.44, abs=0.05
    )
    # 3.37 degrees west is 13.5 minutes late; the equation of time adds 1.9 that day.
    assert solstice.noon_s == pytest.approx(12 * 3600 + (13.5 + 1.9) * 60, abs=20)


@pytest.mark.parametrize(
    "holiday", [date(2026, 4, 6), date(2026, 5, 14), date(2026, 5, 25), date(2027, 3, 29)]
)
def test_easter_moves_its_holidays(holiday: date) -> None:
    assert is_public_holiday(holiday)
    assert not is_school_day(holiday)
    assert not is_public_holiday(holiday + timedelta(days=1))
