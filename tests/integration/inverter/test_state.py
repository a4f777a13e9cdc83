"""An inverter's counters and silence, and the state made of them: tables of examples."""

from hypothesis import example, given, strategies as st
import pytest

from custom_components.consometers.inverter.readings import (
    Meter,
    Operating,
    Phases,
    Production,
    PvString,
    Reading,
)
from custom_components.consometers.inverter.state import (
    DAWN_S,
    Counter,
    Event,
    InverterState,
    Presence,
)

MINUTE = 60.0
MOST_W = 3_000.0
NONE: Phases = (None, None, None)


def reading(
    power_w: float | None = 2_000,
    energy_wh: float | None = 50_000,
    operating: Operating = Operating.RUNNING,
    string_w: float | None = 2_100,
    rating_w: float | None = 3_000,
) -> Reading:
    return Reading(
        phases=1,
        rating_w=rating_w,
        limit_w=None,
        production=Production(
            power_w=power_w,
            apparent_power_va=None,
            energy_wh=energy_wh,
            frequency_hz=None,
            currents_a=NONE,
            voltages_v=NONE,
            dc_power_w=None,
            temperature_c=None,
            operating=operating,
        ),
        strings=(PvString(power_w=string_w, current_a=None, voltage_v=None, energy_wh=None),),
        meters=(
            Meter(
                phases=1,
                power_w=None,
                frequency_hz=None,
                currents_a=NONE,
                voltages_v=NONE,
                powers_w=NONE,
                imported_wh=7_000,
                exported_wh=None,
            ),
        ),
        battery=None,
    )


def totals_and_events(*readings_wh: float | None) -> tuple[list[float | None], list[Event]]:
    """Return the totals after each reading, a minute apart, and what happened.

    The first was read before, and is sure.
    """
    counter, totals, events = Counter(), [], []
    counter.update(readings_wh[0] if readings_wh else None, -MINUTE, MOST_W)
    for minute, read_wh in enumerate(readings_wh):
        event = counter.update(read_wh, minute * MINUTE, MOST_W)
        totals.append(counter.total_wh)
        events += [event] if event is not None else []
    return totals, events


COUNTERS = [
    pytest.param(
        [None, 0, 500, 0, 540],
        [None, None, None, None, 540],
        [],
        id="nothing is known before it counts",
    ),
    pytest.param([500, 540, 580], [500, 540, 580], [], id="it counts"),
    pytest.param([500, 0, 0, 540], [500, 500, 500, 540], [], id="zeros at wake-up"),
    pytest.param([500, None, 540], [500, 500, 540], [], id="not implemented for a while"),
    pytest.param(
        [50_012.6, 50_012, 50_010, 50_013],
        [50_012.6, 50_012.6, 50_012.6, 50_013],
        [],
        id="coarser, as its scale factor changes",
    ),
    pytest.param([50_000, 900_000, 50_040], [50_000, 50_000, 50_040], [], id="one wild reading"),
    pytest.param([50_000, 30, 50_040], [50_000, 50_000, 50_040], [], id="one reading too low"),
    pytest.param(
        [50_000, 40, 80, 120, 160, 200, 240],
        [50_000, 50_000, 50_000, 50_000, 50_000, 50_200, 50_240],
        [Event.RESTARTED],
        id="it starts again from zero",
    ),
    pytest.param(
        [50_000, 20_000, 20_040, 20_080, 20_120, 20_160, 20_200],
        [50_000, 50_000, 50_000, 50_000, 50_000, 50_160, 50_200],
        [Event.RESTARTED],
        id="it goes back to where it was long ago",
    ),
    pytest.param(
        [50_000, 90_000, 90_040, 90_080, 90_120, 90_160, 90_200],
        [50_000, 50_000, 50_000, 50_000, 50_000, 50_160, 50_200],
        [Event.JUMPED],
        id="it leaps",
    ),
    pytest.param(
        [50_000, 90_000, 20_000, 90_000, 20_000, 90_000, 20_000],
        [50_000] * 7,
        [],
        id="it makes no sense",
    ),
    pytest.param([50_000, 51_000, 52_000], [50_000, 51_000, 52_000], [], id="it counts in kWh"),
]


@pytest.mark.parametrize(("readings_wh", "totals", "events"), COUNTERS)
def test_a_total_survives_errors_and_restarts_of_its_register(
    readings_wh: list[float | None], totals: list[float | None], events: list[Event]
) -> None:
    assert totals_and_events(*readings_wh) == (totals, events)


@pytest.mark.parametrize(
    ("readings_wh", "totals"),
    [
        pytest.param([50_000, 50_040], [None, 50_040], id="agree"),
        pytest.param([50_012.6, 50_010], [None, 50_012.6], id="a coarser one agrees"),
        pytest.param([500_000, 50_000, 50_040], [None, None, 50_040], id="the first is tenfold"),
        pytest.param(
            [50_000, 500_000, 50_040, 50_080],
            [None, None, None, 50_080],
            id="the second is tenfold",
        ),
    ],
)
def test_nothing_is_believed_before_two_readings_agree(
    readings_wh: list[float], totals: list[float | None]
) -> None:
    counter = Counter()
    for minute, (read_wh, total_wh) in enumerate(zip(readings_wh, totals, strict=True)):
        counter.update(read_wh, minute * MINUTE, MOST_W)
        assert counter.total_wh == total_wh
        assert counter.unsure is (total_wh is None)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e9)), max_size=40))
@example([1.1973323486745358, *[268_435_458.0] * 5])
def test_a_total_never_falls(readings_wh: list[float | None]) -> None:
    totals = [total for total in totals_and_events(*readings_wh)[0] if total is not None]
    assert totals == sorted(totals)


def test_energy_produced_while_offline_is_counted() -> None:
    counter = Counter(read_wh=50_000, at=0)
    assert counter.update(70_000, 10 * 3_600, MOST_W) is None
    assert counter.total_wh == 70_000


def test_a_total_is_known_again_after_a_restart() -> None:
    state = InverterState()
    for second in (0, 10):
        state.take(reading(), second)
    again = InverterState()
    again.recall(state.remember())
    assert again.total_wh("energy") == 50_000
    assert again.total_wh("meter_1_imported") == 7_000
    assert again.total_wh("meter_1_exported") is None


def test_a_meter_may_count_more_than_the_roof_makes() -> None:
    state = InverterState()
    state.recall({"meter_1_imported": {"read_wh": 1_000, "at": 0.0, "offset_wh": 0.0}})
    state.take(reading(), 1_800)
    assert state.total_wh("meter_1_imported") == 7_000


@pytest.mark.parametrize(
    ("power_w", "plausible"), [(5_900, 5_900), (6_100, None), (-40, -40), (None, None)]
)
def test_an_impossible_power_is_not_believed(
    power_w: float | None, plausible: float | None
) -> None:
    state = InverterState()
    state.take(reading(power_w=power_w, string_w=power_w), 0)
    assert state.reading is not None
    assert state.reading.production.power_w == plausible
    assert state.reading.strings[0].power_w == plausible


DAY, NIGHT = True, False

SILENCES = [
    pytest.param(reading(), [DAY] * 2, Presence.AWAKE, id="a hiccup"),
    pytest.param(reading(), [DAY] * 3, Presence.AWAY, id="silence by day"),
    pytest.param(reading(), [NIGHT] * 2, Presence.AWAKE, id="a hiccup at night"),
    pytest.param(reading(), [NIGHT] * 3, Presence.ASLEEP, id="silence at night"),
    pytest.param(reading(power_w=20), [DAY] * 3, Presence.ASLEEP, id="it fades before sunset"),
    pytest.param(
        reading(power_w=None, operating=Operating.SLEEPING),
        [DAY] * 3,
        Presence.ASLEEP,
        id="it said that it sleeps",
    ),
    pytest.param(reading(), [NIGHT] * 3 + [DAY] * 2, Presence.ASLEEP, id="dawn"),
]


@pytest.mark.parametrize(("last", "silence", "presence"), SILENCES)
def test_silence_means_asleep_or_away(
    last: Reading, silence: list[bool], presence: Presence
) -> None:
    state = InverterState()
    state.take(last, 0)
    for minute, sun_up in enumerate(silence, 1):
        state.miss(minute * MINUTE, sun_up=sun_up)
    assert state.presence is presence
    assert (state.operating is Operating.SLEEPING) is (presence is Presence.ASLEEP)


def test_an_inverter_silent_long_after_sunrise_is_away() -> None:
    state = InverterState()
    state.miss(0, sun_up=NIGHT)
    state.miss(100, sun_up=DAY)
    state.miss(100 + DAWN_S, sun_up=DAY)
    assert state.operating is Operating.SLEEPING
    state.miss(101 + DAWN_S, sun_up=DAY)
    assert state.presence is Presence.AWAY


def test_an_inverter_never_heard_is_away_by_day() -> None:
    state = InverterState()
    state.miss(0, sun_up=DAY)
    assert (state.presence, state.operating) == (Presence.AWAY, None)
