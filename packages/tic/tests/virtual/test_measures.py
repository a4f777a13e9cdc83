"""What the meter remembers is what it showed: maxima, means, load curve, overloads."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings, strategies as st
import pytest

from consometers_tic import Group
from consometers_tic_virtual import Linky
from packages.tic.tests.meters import NOON, ORIGIN, linky, raws, unix


def groups(meter: Linky, at: datetime) -> dict[str, Group]:
    return {group.label.name: group for group in meter.frame(unix(at))}


@settings(max_examples=12)
@given(st.integers(0, 9 * 86_400), st.integers(1, 2400), st.sampled_from((1, 3)))
def test_the_maximum_is_the_highest_shown_power(start: int, lasts: int, phases: int) -> None:
    meter = linky(phases=phases, producer=True)
    start += unix(ORIGIN)
    shown = [meter.measures.apparent_va(second) for second in range(start, start + lasts + 1)]
    maxima = meter.measures.maxima(start, start + lasts)
    drawn = [max(0, sum(phases)) for phases in shown]
    injected = [max(0, -sum(phases)) for phases in shown]
    assert maxima.drawn.power_va == max(drawn)
    # Rounded to whole VA, a crest is flat for some seconds.
    assert drawn[maxima.drawn.at - start] == max(drawn)
    assert maxima.injected.power_va == max(injected)
    for n, maximum in enumerate(maxima.phases):
        assert maximum.power_va == max(0, *(phases[n] for phases in shown))


def test_the_maximum_of_a_day_is_yesterday_s_after_midnight() -> None:
    meter = linky(producer=True)
    midnight = datetime(2026, 6, 10, 22, tzinfo=UTC)
    last = groups(meter, midnight - timedelta(seconds=1))
    first = groups(meter, midnight + timedelta(hours=5))
    for name in ("SMAXSN", "SMAXIN"):
        assert first[f"{name}-1"].raw == last[name].raw
        assert first[f"{name}-1"].raw_horodate == last[name].raw_horodate


def test_a_point_of_the_load_curve_is_the_mean_of_its_period_and_stamped_with_its_end() -> None:
    meter = linky(producer=True)
    end = datetime(2026, 6, 10, 6, 30, tzinfo=UTC)
    registers = [meter.registers_at(end - timedelta(minutes=30 * n)) for n in (2, 1, 0)]
    at_once, later = groups(meter, end), groups(meter, end + timedelta(seconds=10))
    assert later["CCASN"].time == end
    assert at_once["CCASN"].raw == later["CCASN-1"].raw
    assert int(later["CCASN"].raw) == 2 * (registers[2].drawn_wh - registers[1].drawn_wh)
    assert int(later["CCASN-1"].raw) == 2 * (registers[1].drawn_wh - registers[0].drawn_wh)
    assert int(later["CCAIN"].raw) == 2 * (registers[2].injected_wh - registers[1].injected_wh)


def test_mean_voltage_is_that_of_the_last_ten_minutes() -> None:
    meter = linky(phases=3)
    end = NOON.replace(minute=20)
    for phase in (1, 2, 3):
        group = groups(meter, end + timedelta(minutes=4))[f"UMOY{phase}"]
        shown = [meter.measures.voltage_v(phase, unix(end) - s) for s in range(1, 601)]
        assert group.time == end
        assert int(group.raw) == pytest.approx(sum(shown) / 600, abs=1)


@pytest.mark.parametrize("phases", [1, 3])
def test_an_overload_shows_everywhere_and_is_counted(phases: int) -> None:
    meter = linky(phases=phases, producer=True)
    start, end = unix(NOON) + 100, unix(NOON) + 1500
    kva = meter.contract.reference_kva
    before = meter.registers(start)
    meter.overload(start)
    meter.overload(start + 5)
    frame = raws(meter, NOON + timedelta(seconds=200))
    assert int(frame["SINSTS"]) > 1000 * kva
    assert int(frame["STGE"], 16) >> 7 & 1
    assert int(frame["SMAXSN"]) == int(frame["SINSTS"])
    assert meter.overloaded_phases(start)
    meter.relieve(end)
    after = meter.registers(end)
    assert after.drawn_wh - before.drawn_wh == pytest.approx(
        1300 * kva * (end - start) / 3600, abs=3
    )
    assert after.injected_wh == before.injected_wh
    assert not meter.overloaded_phases(end)
    assert not int(raws(meter, NOON + timedelta(seconds=1500))["STGE"], 16) >> 7 & 1
    normal = linky(phases=phases, producer=True)
    assert meter.registers(end + 5000).injected_wh - after.injected_wh == pytest.approx(
        normal.registers(end + 5000).injected_wh - normal.registers(end).injected_wh, abs=1
    )
