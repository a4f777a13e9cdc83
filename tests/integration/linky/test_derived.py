"""What a meter does not send: active power, the time to cut-off, the quality of the link."""

from collections.abc import Iterable
from itertools import accumulate
from random import Random

from hypothesis import given, strategies as st
import pytest

from custom_components.consometers.linky.derived import CutOff, LinkQuality, PowerFromRegister


class Load:
    """A register that counts a power, read by `PowerFromRegister` from frame to frame."""

    def __init__(self, frame_s: float = 1.0) -> None:
        self.derived = PowerFromRegister()
        self.at = 0.0
        self.energy_ws = 0.0
        self._frame_s = frame_s

    def run(self, power_w: float, seconds: float, apparent_va: int | None = None) -> int | None:
        for _ in range(round(seconds / self._frame_s)):
            self.frame(power_w)
        return self.derived.power_w(apparent_va)

    def frame(self, power_w: float, old_s: float = 0.0) -> int | None:
        """Read the register once, as it was some seconds ago."""
        self.at += self._frame_s
        self.energy_ws += power_w * self._frame_s
        self.derived.update(int((self.energy_ws - power_w * old_s) // 3600), self.at)
        return self.derived.power_w()


@pytest.mark.parametrize("frame_s", [1.0, 1.43, 2.3])
@pytest.mark.parametrize("power_w", [100, 230, 1000, 1700, 3000, 9000, 36_000])
def test_a_steady_power_is_found_within_four_percent(power_w: int, frame_s: float) -> None:
    load = Load(frame_s)
    load.run(power_w, 180)
    for _ in range(120):
        assert load.frame(power_w) == pytest.approx(power_w, rel=0.04)


@pytest.mark.parametrize("frame_s", [1.0, 1.43, 2.3])
@pytest.mark.parametrize("power_w", [100, 1000, 3000, 9000])
def test_a_steady_power_is_found_from_values_a_frame_old(power_w: int, frame_s: float) -> None:
    load, chance = Load(frame_s), Random(1)
    for _ in range(120):
        load.frame(power_w, old_s=frame_s * chance.random())
    for _ in range(120):
        derived = load.frame(power_w, old_s=frame_s * chance.random())
        assert derived == pytest.approx(power_w, rel=0.06)


def test_the_power_is_unknown_before_a_whole_window() -> None:
    load = Load()
    assert load.run(3000, 60) is None
    assert load.run(3000, 6) == pytest.approx(3000, rel=0.03)


def test_the_first_small_power_is_bounded_by_its_duration() -> None:
    load = Load()
    load.energy_ws = 100
    assert load.run(5, 60, apparent_va=6) is None
    for _ in range(8):
        assert load.run(5, 60, apparent_va=6) in (5, 6)
    load = Load()
    load.energy_ws = 100
    assert load.run(5, 122) == 30


@pytest.mark.parametrize("frame_s", [1.0, 1.43])
@pytest.mark.parametrize("power_w", [300, 720, 3000])
def test_the_power_after_long_darkness_is_current(power_w: int, frame_s: float) -> None:
    load = Load(frame_s)
    load.run(2, 2 * 1800)
    load.run(power_w, 26)
    for _ in range(15):
        assert load.frame(power_w) == pytest.approx(power_w, rel=0.25)
    load.run(power_w, 60)
    assert load.frame(power_w) == pytest.approx(power_w, rel=0.04)


@pytest.mark.parametrize("power_w", [20, 45, 58])
def test_a_steady_power_below_a_step_a_minute_is_the_last_step(power_w: int) -> None:
    load = Load()
    load.run(power_w, 600)
    for _ in range(600):
        assert load.frame(power_w) == pytest.approx(power_w, rel=0.03)


def test_a_rise_is_found_within_a_minute() -> None:
    load = Load()
    load.run(200, 300)
    assert load.run(6000, 75) == pytest.approx(6000, rel=0.03)


def test_a_fall_shows_while_the_register_stands_still() -> None:
    load = Load()
    load.run(6000, 300)
    # Not a watt-hour for 36 s: no more than 100 W.
    assert load.run(0, 38) == pytest.approx(100, abs=5)
    assert load.run(0, 600) == pytest.approx(6, abs=1)


def test_no_active_power_is_above_the_apparent_power() -> None:
    load = Load()
    load.run(6000, 300)
    assert load.run(500, 2, apparent_va=520) == 520
    assert load.run(0, 1, apparent_va=0) == 0


def test_zero_apparent_power_is_zero_power() -> None:
    assert PowerFromRegister().power_w(0) == 0


def test_a_register_that_restarts_gives_no_negative_power() -> None:
    load = Load()
    load.run(1000, 300)
    load.energy_ws = 0
    assert load.run(1000, 2) is None
    assert load.run(1000, 120) == pytest.approx(1000, rel=0.03)


@given(st.lists(st.integers(0, 12_000), min_size=1, max_size=12))
def test_a_power_is_never_negative_nor_above_what_was_drawn(powers: list[int]) -> None:
    load = Load()
    for power in powers:
        derived = load.run(power, 40)
        assert derived is None or 0 <= derived <= 1.05 * max(powers) + 60


def _trip_s(cut_off: CutOff, overload: float, cut_off_va: float) -> int:
    """Draw so much more than the cut-off power until the breaker opens."""
    second = 0
    while cut_off.seconds_left(cut_off_va) != 0:
        second += 1
        cut_off.update(round(overload * cut_off_va), float(second))
    return second


@pytest.mark.parametrize(("overload", "seconds"), [(1.4, 246), (2.5, 39)])
def test_the_breaker_opens_when_the_specification_says(overload: float, seconds: int) -> None:
    """Enedis-NOI-CPT_54E §7, from no load at all."""
    cut_off = CutOff()
    cut_off.update(0, 0.0)
    cut_off.update(round(overload * 9000), 0.0)
    assert cut_off.seconds_left(9000) == pytest.approx(seconds, abs=2)
    assert _trip_s(cut_off, overload, 9000) == pytest.approx(seconds, abs=2)


def test_the_time_left_counts_down() -> None:
    cut_off = CutOff()
    cut_off.update(3000, 0.0)
    cut_off.update(14_000, 1.0)
    first = cut_off.seconds_left(9000)
    assert first is not None
    cut_off.update(14_000, 31.0)
    assert cut_off.seconds_left(9000) == pytest.approx(first - 30, abs=1)


@pytest.mark.parametrize("overload", [0, 0.5, 1.0, 1.3])
def test_the_breaker_stays_closed_within_its_margin(overload: float) -> None:
    cut_off = CutOff()
    cut_off.update(0, 0.0)
    cut_off.update(round(overload * 9000), 1.0)
    assert cut_off.seconds_left(9000) is None


def test_the_breaker_recovers_while_less_is_drawn() -> None:
    cut_off = CutOff()
    cut_off.update(0, 0.0)
    cut_off.update(22_500, 0.0)
    cut_off.update(1000, 30.0)
    assert cut_off.seconds_left(9000) is None
    cut_off.update(22_500, 1000.0)
    assert cut_off.seconds_left(9000) == pytest.approx(39, abs=2)


def test_the_time_left_needs_a_second_reading() -> None:
    cut_off = CutOff()
    assert cut_off.seconds_left(9000) is None
    # It has been drawn for a second or for minutes: one reading does not show which.
    cut_off.update(22_500, 0.0)
    assert cut_off.seconds_left(9000) is None
    cut_off.update(22_500, 1.0)
    assert cut_off.seconds_left(9000) == 0


def quality(refused: Iterable[int]) -> LinkQuality:
    """Return the quality after so many groups refused of fifty, every second."""
    quality = LinkQuality()
    for second, so_far in enumerate(accumulate(refused)):
        quality.update(50 * (second + 1) - so_far, so_far, float(second))
    return quality


@pytest.mark.parametrize(
    ("refused", "percent"),
    [
        pytest.param([0] * 60, 100, id="none refused"),
        pytest.param([5] * 60, 90, id="some refused"),
        pytest.param([50] * 60, 0, id="all refused"),
        pytest.param([], None, id="no groups"),
        pytest.param([0] * 5, None, id="at first"),
        pytest.param([50] * 100 + [0] * 320, 100, id="long after an outage"),
    ],
)
def test_quality_is_the_share_of_good_groups(refused: list[int], percent: int | None) -> None:
    assert quality(refused).percent == percent


def test_quality_is_unknown_when_nothing_comes() -> None:
    quality = LinkQuality()
    quality.update(10, 0, 0.0)
    quality.update(10, 0, 20.0)
    assert quality.percent is None
