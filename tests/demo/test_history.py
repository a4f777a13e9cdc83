from datetime import UTC, datetime, timedelta
from itertools import pairwise

from consometers_tic_virtual import Contract, Linky
from consometers_tic_virtual.world import World
from demo.school.history import HOUR, hours, whole_hour

NOON = datetime(2025, 6, 17, 12, 20, tzinfo=UTC)


def linky() -> Linky:
    return Linky(World(), Contract(producer=True))


def test_hours_are_whole_and_consecutive() -> None:
    day = list(hours(NOON - timedelta(days=1), NOON, linky()))
    assert day[0].start == whole_hour(NOON - timedelta(days=1))
    assert day[-1].start == whole_hour(NOON) - HOUR
    assert all(after.start - before.start == HOUR for before, after in pairwise(day))


def test_an_hour_ends_with_the_meter_s_registers() -> None:
    (hour,) = hours(NOON - HOUR, NOON, linky())
    registers = linky().registers_at(hour.start + HOUR)
    assert (hour.end.drawn_wh, hour.end.injected_wh) == (registers.drawn_wh, registers.injected_wh)
    assert hour.end.production_wh == linky().world.energy(hour.start + HOUR).production_wh


def test_the_sixths_of_an_hour_add_up_to_its_energy() -> None:
    before, hour = hours(NOON - 2 * HOUR, NOON, linky())
    grew = hour.end - before.end
    assert sum(sixth.drawn_wh for sixth in hour.sixths) == grew.drawn_wh
    assert sum(sixth.injected_wh for sixth in hour.sixths) == grew.injected_wh > 0
    assert (
        sum(sixth.production_wh for sixth in hour.sixths) == grew.production_wh > grew.injected_wh
    )


def test_an_unfinished_hour_is_left_out() -> None:
    assert list(hours(NOON, NOON + timedelta(minutes=10), linky())) == []
