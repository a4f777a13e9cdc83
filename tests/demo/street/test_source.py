"""A recorded year is replayed as it was, and then again, weekday by weekday."""

from pathlib import Path

from demo.street.source import Building, Recording
from demo.world.hourly import Hour

FIRST = 495_000
WEEK = 7 * 24
YEAR = 53 * WEEK
RECORDED = Building("school", 9.0, 4)


def recording(folder: Path, end: int = FIRST + YEAR) -> Recording:
    file = folder / "year.csv"
    Recording.record(file, RECORDED.hours(FIRST, end))
    return Recording(file)


def test_the_recorded_year_is_replayed(tmp_path: Path) -> None:
    whole = list(RECORDED.hours(FIRST, FIRST + YEAR))
    assert list(recording(tmp_path).hours(FIRST - 10, FIRST + YEAR)) == whole


def test_later_hours_repeat_those_of_52_weeks_before(tmp_path: Path) -> None:
    recorded = recording(tmp_path)
    by_hour = {hour.n: hour for hour in recorded.hours(FIRST, FIRST + YEAR)}
    after = list(recorded.hours(FIRST + YEAR, FIRST + 4 * YEAR))
    assert len(after) == 3 * YEAR
    for hour in after:
        years = -(-(hour.n - (FIRST + YEAR - 1)) // (52 * WEEK))
        before = by_hour[hour.n - years * 52 * WEEK]
        assert hour == Hour(hour.n, before.drawn_wh, before.injected_wh, before.made_wh)


def test_a_year_is_recorded_once(tmp_path: Path) -> None:
    before = list(recording(tmp_path).hours(FIRST, FIRST + YEAR))
    assert list(recording(tmp_path, FIRST + 3).hours(FIRST, FIRST + YEAR)) == before
