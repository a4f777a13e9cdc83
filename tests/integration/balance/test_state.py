"""What a home makes and consumes: sums of counters that come at different moments."""

from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.consometers.balance.state import (
    GLITCH_S,
    QUIET_S,
    Balance,
    Home,
    Powers,
    Register,
    Sources,
    Sums,
)

ROOF, SHED, DRAWN, INJECTED = "roof", "shed", "drawn", "injected"
HOUR = 3_600
DAY = 24 * HOUR


def home(kind: Home = Home.SURPLUS, *, injected: str | None = INJECTED) -> Balance:
    return Balance(kind, Sources(production=(ROOF,), drawn=DRAWN, injected=injected))


def count(balance: Balance, at: float = 60, **readings_wh: float) -> None:
    for source, read_wh in readings_wh.items():
        balance.take(source, read_wh, at)
    balance.settle(at)


def started(balance: Balance) -> Balance:
    count(balance, 0, roof=100_000, drawn=500_000, injected=20_000)
    return balance


@pytest.mark.parametrize(
    ("kind", "injected", "self_consumed", "consumed", "percents"),
    [
        (Home.SURPLUS, 4_000, 6_000, 10_000, (60, 60)),
        (Home.TOTAL_SALE, 10_000, 0, 4_000, (0, 0)),
        # Without a contract nobody knows what is injected.
        (Home.NO_CONTRACT, None, None, None, (None, None)),
    ],
)
def test_sums_depend_on_the_kind_of_home(
    *,
    kind: Home,
    injected: int | None,
    self_consumed: int | None,
    consumed: int | None,
    percents: tuple[int | None, int | None],
) -> None:
    balance = started(home(kind, injected=INJECTED if kind is Home.SURPLUS else None))
    count(balance, roof=110_000, drawn=504_000, injected=24_000)
    sums = balance.sums
    assert (sums.production_wh, sums.drawn_wh) == (10_000, 4_000)
    shown = (sums.injected_wh, sums.self_consumed_wh, sums.consumed_wh)
    assert shown == (injected, self_consumed, consumed)
    assert (sums.self_consumption_percent, sums.self_sufficiency_percent) == percents


def test_several_roofs_are_one_production_once_all_are_known() -> None:
    balance = Balance(Home.SURPLUS, Sources(production=(ROOF, SHED), drawn=DRAWN))
    count(balance, 0, roof=0, drawn=0)
    assert balance.sums.production_wh is None
    count(balance, 0, shed=70)
    count(balance, roof=10, shed=75, drawn=1)
    assert balance.sums.production_wh == 15


def test_sources_are_counted_from_the_same_moment() -> None:
    balance = home()
    count(balance, 0, drawn=500_000, injected=20_000)
    count(balance, 50, roof=100_000)
    assert balance.sums.production_wh is None
    count(balance, 60, roof=100_015, drawn=500_000, injected=20_060)
    sums = balance.sums
    assert (sums.production_wh, sums.injected_wh, sums.self_consumed_wh) == (15, 10, 5)


def test_sums_wait_for_a_late_source() -> None:
    balance = started(home())
    count(balance, 10, roof=100_100, drawn=500_000)
    assert balance.sums == Sums(production_wh=0, self_consumed_wh=0, injected_wh=0, drawn_wh=0)
    count(balance, 20, injected=20_080)
    assert balance.sums.production_wh == 100
    assert balance.sums.injected_wh == 40
    assert balance.sums.self_consumed_wh == 60


def test_a_source_silent_for_long_counts_as_constant() -> None:
    balance = started(home())
    count(balance, 1_000, drawn=500_500, injected=20_000)
    assert balance.sums.drawn_wh == pytest.approx(50)
    count(balance, 1_000 + QUIET_S, drawn=501_000, injected=20_000)
    assert balance.sums.drawn_wh == 500
    assert balance.sums.production_wh == 0


@given(
    st.lists(st.tuples(st.integers(1, 50), st.sampled_from([ROOF, DRAWN, INJECTED])), min_size=3),
    st.integers(0, 3_000),
    st.integers(0, 3_000),
)
def test_steady_powers_sum_up_exactly_whenever_counters_come(
    times: list[tuple[int, str]], made_w: int, sent: int
) -> None:
    injected_w = min(made_w, sent)
    rates_w = {ROOF: made_w, DRAWN: 400, INJECTED: injected_w}
    balance, now, heard = home(), 0, dict.fromkeys(rates_w, 0)
    for source in rates_w:
        balance.take(source, 0, 0)
    for seconds, source in times:
        now += seconds
        heard[source] = now
        balance.take(source, rates_w[source] * now / HOUR, now)
        sums, until = balance.settle(now), max(min(heard.values()), now - QUIET_S)
        if until == min(heard.values()):
            assert sums.production_wh == pytest.approx(made_w * until / HOUR)
            assert sums.self_consumed_wh == pytest.approx((made_w - injected_w) * until / HOUR)
            assert sums.drawn_wh == pytest.approx(400 * until / HOUR)


@pytest.mark.parametrize(
    ("readings_wh", "total_wh"),
    [
        ([100, 150, 200], 100),
        ([100, 150, 20, 60], 110),
        ([1_000, 999, 1_001], 1),
        ([1_000, 0, 1_010], 10),
        ([1_000, 0, 5, 10], 10),
    ],
)
def test_a_counter_may_start_again(readings_wh: list[float], total_wh: float) -> None:
    register = Register.from_reading(readings_wh[0], 0)
    for second, read_wh in enumerate(readings_wh[1:], 1):
        register.update(read_wh, second)
    assert register.last[1] == total_wh


@pytest.mark.parametrize(
    ("readings_wh", "total_wh"),
    [
        pytest.param([(5_000_000, 0), (100, 60), (5_000_300, 120)], 300, id="one wrong reading"),
        pytest.param([(5_000_000, 0), (100, 60), (5_000_000, 120)], 100, id="nothing made since"),
        pytest.param(
            [(5_000_000, 0), (100, 60), (50, 90), (4_999_990, 120), (5_001_000, 180)],
            1_150,
            id="several, and a rounded one",
        ),
        pytest.param(
            [(5_000_000, 0), (100, 60), (5_000_000, 60 + GLITCH_S + 1)],
            5_000_000,
            id="it comes too late",
        ),
        pytest.param([(5_000, 0), (40, 60), (90, 120), (130, 180)], 130, id="it did start again"),
    ],
)
def test_a_short_drop_of_a_counter_is_no_restart(
    readings_wh: list[tuple[float, float]], total_wh: float
) -> None:
    (first_wh, begin), *more = readings_wh
    register, totals = Register.from_reading(first_wh, begin), [0.0]
    for read_wh, at in more:
        register.update(read_wh, at)
        totals.append(register.last[1])
    assert totals[-1] == total_wh
    assert totals == sorted(totals)


def yesterday(*, until: float = DAY - 60) -> Balance:
    """Return a home that was counted since noon, up to a moment before the midnight of a day."""
    balance = home()
    balance.turn(0)
    count(balance, DAY / 2, roof=90_000, drawn=496_000, injected=16_000)
    count(balance, until, roof=100_000, drawn=500_000, injected=20_000)
    return balance


def test_rates_are_of_the_day() -> None:
    balance = yesterday()
    balance.turn(DAY)
    count(balance, DAY + 60, roof=100_000, drawn=500_000, injected=20_000)
    count(balance, DAY + HOUR, roof=110_000, drawn=504_000, injected=24_000)
    balance.turn(DAY)
    today = balance.today
    assert (today.self_consumption_percent, today.self_sufficiency_percent) == (60, 60)
    count(balance, 2 * DAY - 60, roof=110_000, drawn=505_000, injected=24_000)
    balance.turn(2 * DAY)
    assert balance.today == Sums()
    count(balance, 2 * DAY + 60, roof=110_000, drawn=505_000, injected=24_000)
    assert balance.today.production_wh == 0
    count(balance, 2 * DAY + HOUR, roof=111_000, drawn=505_000, injected=24_250)
    assert balance.today.self_consumption_percent == 75


def test_a_day_begins_at_midnight_between_two_readings() -> None:
    balance = yesterday()
    balance.turn(DAY)
    count(balance, DAY + 180, roof=100_000, drawn=500_040, injected=20_000)
    assert balance.today.drawn_wh == 30


def test_the_day_on_which_a_home_is_added_is_not_known_whole() -> None:
    balance = home()
    balance.turn(0)
    count(balance, 9 * HOUR, drawn=500_000, injected=20_000)
    # Its inverter is added in the afternoon: until then, nobody knows what was made.
    count(balance, 14 * HOUR, roof=100_000, drawn=502_000, injected=20_000)
    count(balance, 15 * HOUR, roof=101_000, drawn=502_000, injected=20_500)
    assert balance.sums.self_sufficiency_percent == 100
    assert balance.today == Sums()
    balance.turn(DAY)
    count(balance, DAY, roof=105_000, drawn=504_000, injected=21_000)
    count(balance, DAY + HOUR, roof=105_000, drawn=504_500, injected=21_000)
    assert balance.today.self_sufficiency_percent == 0


def test_its_past_makes_the_first_day_whole() -> None:
    balance = home()
    balance.turn(0)
    count(balance, 14 * HOUR, roof=100_000, drawn=502_000, injected=20_000)
    count(balance, 15 * HOUR, roof=101_000, drawn=502_000, injected=20_500)
    at_midnight = Sums(
        production_wh=-9_000, self_consumed_wh=-1_500, injected_wh=-7_500, drawn_wh=-4_900
    )
    balance.extend_day(-DAY, at_midnight)
    assert balance.today == Sums()
    balance.extend_day(0, at_midnight)
    assert (balance.today.production_wh, balance.today.drawn_wh) == (10_000, 4_900)
    assert balance.today.self_consumption_percent == pytest.approx(20)
    assert balance.today.self_sufficiency_percent == pytest.approx(100 * 2_000 / 6_900)
    again = home()
    assert again.recall(orjson.loads(orjson.dumps(balance.remember())))
    again.turn(0)
    assert again.today == balance.today
    # It says nothing of another day.
    balance.turn(DAY)
    balance.extend_day(DAY, at_midnight)
    assert balance.today == Sums()


@pytest.mark.parametrize("moment", [-30, DAY - 60], ids=["begins at once", "in the evening"])
def test_a_day_is_whole_if_counting_began_before_it(moment: float) -> None:
    balance = home()
    balance.turn(0)
    count(balance, moment, roof=100_000, drawn=500_000, injected=20_000)
    balance.turn(DAY)
    count(balance, moment + 60, roof=100_000, drawn=500_000, injected=20_000)
    assert (balance.today == Sums()) is (moment < 0)


OVER_MIDNIGHT = [
    pytest.param(DAY - 600, DAY + 600, {"drawn": 500_200}, 100, id="minutes"),
    pytest.param(DAY - 2 * HOUR, DAY + 8 * HOUR, {"drawn": 505_000}, None, id="a night"),
    pytest.param(DAY - 2 * HOUR, DAY + 8 * HOUR, {"roof": 102_000}, None, id="a roof, a night"),
    pytest.param(DAY - 2 * HOUR, DAY + 8 * HOUR, {}, 0, id="a night in which nothing flowed"),
]


@pytest.mark.parametrize("speaks_late", [False, True], ids=["at once", "sources late"])
@pytest.mark.parametrize(("off", "on", "readings", "drawn_wh"), OVER_MIDNIGHT)
def test_home_assistant_may_be_off_over_midnight(
    *, off: float, on: float, readings: dict[str, float], drawn_wh: float | None, speaks_late: bool
) -> None:
    before = yesterday(until=off)
    balance = home()
    assert balance.recall(orjson.loads(orjson.dumps(before.remember())))
    balance.turn(DAY)
    if speaks_late:
        balance.settle(on)
        on += 60
    count(balance, on, **{"roof": 100_000, "drawn": 500_000, "injected": 20_000, **readings})
    if drawn_wh is None:
        assert balance.today == Sums()
    else:
        assert balance.today.drawn_wh == pytest.approx(drawn_wh, abs=6)


def test_panels_that_are_silent_by_night_leave_a_day_whole() -> None:
    balance = yesterday(until=DAY - 3 * HOUR)
    for minute in range(-150, 361):
        at = DAY + 60 * minute
        if minute >= 0:
            balance.turn(DAY)
        count(balance, at, drawn=501_500 + 10 * minute, injected=20_000)
    # They made some Wh more before they slept.
    count(balance, DAY + 6 * HOUR + 60, roof=100_004, drawn=505_110, injected=20_000)
    count(balance, DAY + 7 * HOUR, roof=101_004, drawn=505_110, injected=20_500)
    assert balance.today.production_wh == pytest.approx(1_000, abs=4)
    assert balance.today.drawn_wh == pytest.approx(3_610, abs=0.1)


def test_a_restart_by_day_leaves_the_day_whole() -> None:
    balance = yesterday()
    balance.turn(DAY)
    count(balance, DAY + 60, roof=100_000, drawn=500_000, injected=20_000)
    count(balance, DAY + 9 * HOUR, roof=101_000, drawn=502_000, injected=20_500)
    again = home()
    assert again.recall(orjson.loads(orjson.dumps(balance.remember())))
    again.turn(DAY)
    assert (again.sums, again.today) == (balance.sums, balance.today)
    count(again, DAY + 14 * HOUR, roof=110_000, drawn=504_000, injected=24_000)
    assert again.today.self_consumption_percent == 60
    assert again.today.drawn_wh == pytest.approx(4_000)


def test_a_clock_that_is_set_back_leaves_no_day_of_two() -> None:
    balance = yesterday()
    balance.turn(DAY)
    count(balance, DAY + HOUR, roof=100_000, drawn=500_500, injected=20_000)
    balance.turn(0)
    assert balance.today == Sums()
    balance.turn(DAY)
    count(balance, DAY + 2 * HOUR, roof=100_000, drawn=501_000, injected=20_000)
    assert balance.today == Sums()


def test_a_balance_is_restored_after_a_restart() -> None:
    balance = started(home())
    count(balance, roof=110_000, drawn=504_000, injected=24_000)
    again = home()
    again.recall(balance.remember())
    assert again.sums == balance.sums
    count(again, 120, drawn=504_500, roof=110_000, injected=24_000)
    assert again.sums.drawn_wh == 4_500


def remembered_of_days(**readings_wh: float) -> dict[str, Any]:
    """Return what a home kept: three hours of the tenth, and an hour of the eleventh."""
    balance = started(home())
    balance.turn(0)
    count(balance, 3 * HOUR, roof=110_000, drawn=504_000, injected=24_000)
    balance.turn(3 * HOUR)
    count(balance, 4 * HOUR, roof=112_000, drawn=505_000, injected=24_500)
    count(balance, 4 * HOUR + 60, **readings_wh)
    # As JSON has it, where infinite is nothing.
    remembered: dict[str, Any] = orjson.loads(orjson.dumps(balance.remember()))
    return remembered


def test_complete_storage_is_recalled() -> None:
    assert home().recall(remembered_of_days())
    assert home().recall(orjson.loads(orjson.dumps(home().remember())))


def test_an_infinite_reading_loses_a_day_at_most() -> None:
    broken = remembered_of_days(roof=float("inf"), drawn=505_000, injected=24_500)
    assert broken["sums"]["production_wh"] is None
    again = home()
    assert not again.recall(broken)
    assert again.sums == Sums(
        production_wh=10_000, self_consumed_wh=6_000, injected_wh=4_500, drawn_wh=5_000
    )
    count(again, 5 * HOUR, roof=113_000, drawn=505_500, injected=24_500)
    count(again, 6 * HOUR, roof=114_000, drawn=506_000, injected=25_000)
    assert again.sums == Sums(
        production_wh=11_000, self_consumed_wh=6_500, injected_wh=5_000, drawn_wh=6_000
    )
    assert again.today == Sums()
    last = home()
    assert last.recall(orjson.loads(orjson.dumps(again.remember())))
    assert last.sums == again.sums


BROKEN = [
    pytest.param({"registers": {}}, (12_000, 5_000), id="no registers"),
    pytest.param({"registers": None}, (12_000, 5_000), id="nothing of registers"),
    pytest.param(
        {"registers": {ROOF: [112_000, [[4 * HOUR, None]]]}}, (12_000, 5_000), id="no total"
    ),
    pytest.param({"registers": {ROOF: [None, []]}}, (12_000, 5_000), id="no reading"),
    pytest.param({"registers": {DRAWN: "x"}}, (12_000, 5_000), id="no register"),
    pytest.param({"settled": None}, (12_000, 5_000), id="no moment"),
    pytest.param({"sums": None, "midnight": None, "before": None}, (0, 0), id="no sums"),
    pytest.param({"sums": {}}, (10_000, 4_000), id="no sums of the day"),
    pytest.param({"start": {"at": None}, "day": "x"}, (12_000, 5_000), id="no beginning"),
]


@pytest.mark.parametrize(("broken", "least"), BROKEN)
def test_broken_storage_spoils_nothing_else(
    broken: dict[str, Any], least: tuple[float, float]
) -> None:
    again = home()
    again.recall({**remembered_of_days(), **broken})
    for hour, made_wh in ((5, 1_000), (6, 2_000)):
        read = {"roof": 112_000 + made_wh, "drawn": 505_000 + made_wh, "injected": 24_500}
        count(again, hour * HOUR, **read)
    production_wh, drawn_wh = least
    sums = again.sums
    assert production_wh + 1_000 <= (sums.production_wh or 0) <= production_wh + 2_000
    assert drawn_wh + 1_000 <= (sums.drawn_wh or 0) <= drawn_wh + 2_000


CHANGED = [
    pytest.param(Home.SURPLUS, Sources(production=(SHED,), drawn=DRAWN, injected=INJECTED)),
    pytest.param(Home.SURPLUS, Sources(production=(ROOF, SHED), drawn=DRAWN, injected=INJECTED)),
    pytest.param(Home.SURPLUS, Sources(production=(ROOF,), drawn=INJECTED, injected=DRAWN)),
    pytest.param(Home.NO_CONTRACT, Sources(production=(ROOF,), drawn=DRAWN)),
    pytest.param(Home.TOTAL_SALE, Sources(production=(ROOF,), drawn=DRAWN)),
]


@pytest.mark.parametrize(("kind", "sources"), CHANGED)
def test_sums_continue_with_other_sources(kind: Home, sources: Sources) -> None:
    balance = started(home())
    count(balance, roof=110_000, drawn=504_000, injected=24_000)
    again = Balance(kind, sources)
    again.recall(balance.remember())
    count(again, 60, roof=110_000, shed=7, drawn=504_000, injected=24_000)
    before, sums = balance.sums, again.sums
    assert (sums.production_wh, sums.drawn_wh) == (before.production_wh, before.drawn_wh)
    if kind is not Home.NO_CONTRACT:
        assert (sums.injected_wh, sums.self_consumed_wh) == (4_000, 6_000)
    count(again, 120, roof=111_000, shed=1_007, drawn=504_000, injected=24_000)
    made_wh = 1_000 * len(sources.production)
    assert again.sums.production_wh == 10_000 + made_wh
    last = Balance(Home.SURPLUS, home().sources)
    last.recall(again.remember())
    count(last, 180, roof=111_000, drawn=504_000, injected=24_500)
    assert last.sums.injected_wh == 4_500 + (made_wh if kind is Home.TOTAL_SALE else 0)


def test_a_source_that_comes_late_leaves_self_consumption_right() -> None:
    """The inverter is replaced in the morning, and the new one answers in the afternoon."""
    balance = yesterday()
    balance.turn(DAY)
    count(balance, DAY + 9 * HOUR, roof=104_000, drawn=502_000, injected=21_000)
    again = Balance(Home.SURPLUS, Sources(production=(SHED,), drawn=DRAWN, injected=INJECTED))
    again.recall(orjson.loads(orjson.dumps(balance.remember())))
    again.turn(DAY)
    count(again, DAY + 12 * HOUR, drawn=502_000, injected=29_000)
    count(again, DAY + 15 * HOUR, shed=7, drawn=502_000, injected=31_000)
    before_wh = balance.sums.self_consumed_wh or 0.0
    count(again, DAY + 16 * HOUR, shed=3_007, drawn=502_500, injected=33_000)
    assert again.sums.self_consumed_wh == pytest.approx(before_wh + 1_000)
    assert again.sums.injected_wh == 17_000
    assert again.sums.drawn_wh == 6_500
    # What was made in the meantime is not known, so no rate is of the whole day.
    assert again.today == Sums()
    count(again, 2 * DAY - 60, shed=3_007, drawn=503_000, injected=33_000)
    again.turn(2 * DAY)
    count(again, 2 * DAY + 60, shed=3_007, drawn=503_000, injected=33_000)
    count(again, 2 * DAY + 9 * HOUR, shed=5_007, drawn=503_000, injected=34_500)
    assert again.today.self_consumption_percent == pytest.approx(25)


@pytest.mark.parametrize(
    ("made_wh", "injected_wh", "disagrees"),
    [(3_000, 2_000, False), (1_000, 1_040, False), (0, 40, False), (1_000, 1_200, True)],
)
def test_injecting_more_than_produced_disagrees(
    made_wh: float, injected_wh: float, disagrees: bool
) -> None:
    balance = started(home())
    assert balance.disagrees(0) is None
    count(balance, roof=100_000 + made_wh, injected=20_000 + injected_wh, drawn=500_000)
    assert balance.disagrees(HOUR - 1) is None
    assert balance.disagrees(HOUR) is disagrees
    assert balance.disagrees(2 * HOUR) is False


POWERS = [
    pytest.param(Home.SURPLUS, [3_000], 0, 2_000, (1_000, 1_000), id="it injects"),
    pytest.param(Home.SURPLUS, [500, 300], 700, 0, (800, 1_500), id="it draws"),
    pytest.param(Home.SURPLUS, [500], 0, 600, (0, 0), id="sources of different moments"),
    pytest.param(Home.SURPLUS, [500, None], 0, 100, (None, None), id="one does not answer"),
    pytest.param(Home.TOTAL_SALE, [500], 700, None, (0, 700), id="it sells all"),
    pytest.param(Home.NO_CONTRACT, [500], 700, None, (None, None), id="no contract"),
]


@pytest.mark.parametrize(("kind", "made_w", "drawn_w", "injected_w", "here"), POWERS)
def test_powers_are_of_one_moment(
    kind: Home,
    made_w: list[float | None],
    drawn_w: float,
    injected_w: float | None,
    here: tuple[float | None, float | None],
) -> None:
    powers = Powers.from_sources(kind, made_w, drawn_w, injected_w)
    assert (powers.self_consumed_w, powers.consumed_w) == here


def test_empty_sums_have_no_self_sufficiency() -> None:
    assert Sums().self_sufficiency_percent is None
