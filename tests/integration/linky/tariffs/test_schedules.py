"""The next tariff, by the schedules that a meter sent."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.consometers.linky.tariffs.names import other_of_two
from custom_components.consometers.linky.tariffs.schedules import (
    SCHEDULE_SETTLES_S,
    Change,
    Schedules,
)

PARIS = ZoneInfo("Europe/Paris")
DAY = datetime(2026, 6, 9, tzinfo=PARIS)
OFF_PEAK, PEAK = "EASF01", "EASF02"
CALENDAR = "H PLEINE/CREUSE"


def sent(*slots: str) -> str:
    return " ".join([*slots, *["NONUTILE"] * (11 - len(slots))])


NIGHT = sent("00008001", "06300002", "22304001")
AFTERNOON = sent("00008001", "06300002", "14004001", "16000002", "23304001")


def known(today: str = NIGHT, tomorrow: str | None = NIGHT) -> Schedules:
    days = {"2026-06-09": today, "2026-06-10": tomorrow}
    return Schedules({day: each for day, each in days.items() if each is not None})


@pytest.mark.parametrize(
    ("schedules", "hour", "running", "expected"),
    [
        (known(), 12, PEAK, (DAY + timedelta(hours=22, minutes=30), OFF_PEAK)),
        (known(), 3, OFF_PEAK, (DAY + timedelta(hours=6, minutes=30), PEAK)),
        (known(AFTERNOON), 12, PEAK, (DAY + timedelta(hours=14), OFF_PEAK)),
        # Tomorrow goes on with the tariff of today's end.
        (known(), 23, OFF_PEAK, (DAY + timedelta(days=1, hours=6, minutes=30), PEAK)),
        (known(tomorrow=None), 23, OFF_PEAK, None),
        # The schedule says another tariff than the meter: it is not the one that runs.
        (known(), 12, OFF_PEAK, None),
        (known(sent("00000000", "06304000")), 12, PEAK, None),
        (known("nonsense"), 12, PEAK, None),
        (Schedules({"2026-06-10": NIGHT}), 12, PEAK, None),
        (Schedules({}), 12, PEAK, None),
    ],
)
def test_the_next_change_is_one_that_the_calendar_proves(
    schedules: Schedules, hour: int, running: str, expected: tuple[datetime, str] | None
) -> None:
    change = None if expected is None else Change(*expected)
    assert schedules.next_change(DAY.replace(hour=hour), running) == change


def test_a_schedule_is_learnt_once_it_has_settled_and_for_the_day_after() -> None:
    schedules = Schedules({"2026-06-08": NIGHT})
    assert not schedules.learn(DAY, NIGHT, 0)
    # The meter's day has begun, and a lost group has kept the schedule of the former one.
    assert not schedules.learn(DAY, AFTERNOON, 5)
    assert not schedules.learn(DAY, AFTERNOON, 5 + SCHEDULE_SETTLES_S / 2)
    assert schedules.learn(DAY, AFTERNOON, 5 + SCHEDULE_SETTLES_S)
    assert schedules.stored == {"2026-06-10": AFTERNOON}
    assert not schedules.learn(DAY, AFTERNOON, 100)
    next_day = DAY + timedelta(days=1)
    schedules.learn(next_day, NIGHT, 200)
    assert schedules.learn(next_day, NIGHT, 200 + SCHEDULE_SETTLES_S)
    assert schedules.stored == {"2026-06-10": AFTERNOON, "2026-06-11": NIGHT}
    schedules.forget()
    assert schedules.stored == {}


@pytest.mark.parametrize(
    ("names", "contract", "registers", "expected"),
    [
        ({OFF_PEAK: "HEURE CREUSE"}, CALENDAR, {OFF_PEAK, PEAK}, {PEAK: "HEURE PLEINE"}),
        ({PEAK: "HEURE PLEINE"}, CALENDAR, {OFF_PEAK, PEAK}, {OFF_PEAK: "HEURE CREUSE"}),
        ({OFF_PEAK: "HEURE CREUSE"}, "SUPPLIER A", {OFF_PEAK, PEAK}, {}),
        ({OFF_PEAK: "HEURE CREUSE"}, CALENDAR, {OFF_PEAK, PEAK, "EASF03"}, {}),
        ({"EASF03": "HEURE CREUSE"}, CALENDAR, {OFF_PEAK, PEAK}, {}),
        ({OFF_PEAK: "NUIT"}, CALENDAR, {OFF_PEAK, PEAK}, {}),
        ({}, CALENDAR, {OFF_PEAK, PEAK}, {}),
    ],
)
def test_the_other_of_two_tariffs_has_a_name_where_the_calendar_has_those_two(
    names: dict[str, str], contract: str, registers: set[str], expected: dict[str, str]
) -> None:
    assert other_of_two(names, contract, registers) == {**names, **expected}
