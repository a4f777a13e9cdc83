from datetime import UTC, datetime, timedelta
from itertools import pairwise

from demo.history import HOUR, POWERS, hours, whole_hour
from demo.meter import Contract, Linky
from demo.world import World

NOON = datetime(2025, 6, 17, 12, 20, tzinfo=UTC)


def linky() -> Linky:
    return Linky(World(), Contract(producer=True))


def test_hours_are_whole_and_leave_none_out() -> None:
    day = list(hours(linky(), NOON - timedelta(days=1), NOON))
    assert day[0].start == whole_hour(NOON - timedelta(days=1))
    assert day[-1].start == whole_hour(NOON) - HOUR
    assert all(after.start - before.start == HOUR for before, after in pairwise(day))


def test_an_hour_ends_with_what_the_meter_shows_then() -> None:
    (hour,) = hours(linky(), NOON - HOUR, NOON)
    assert hour.end == linky().registers_at(hour.start + HOUR)


def test_the_sixths_of_an_hour_are_what_the_registers_grew_by() -> None:
    before, hour = hours(linky(), NOON - 2 * HOUR, NOON)
    drawn = sum(drawn for drawn, _ in hour.sixths_wh)
    injected = sum(injected for _, injected in hour.sixths_wh)
    assert drawn == hour.end.drawn_wh - before.end.drawn_wh
    assert injected == hour.end.injected_wh - before.end.injected_wh > 0


def test_no_hour_has_ended_yet() -> None:
    assert list(hours(linky(), NOON, NOON + timedelta(minutes=10))) == []


def test_power_flows_one_way_at_a_time() -> None:
    flows = {key: power_w(30, 100) for key, power_w in POWERS.items()}
    assert flows == {
        "active_power_drawn": 0,
        "active_power_injected": 70,
        "active_power": -70,
    }
