"""Where an earlier series and a later one meet."""

import pytest

from custom_components.consometers.history.joint import Joint, Register, rise_wh
from custom_components.consometers.recorder.rows import HOUR_S, Row

MWH = 1_000_000.0


def row(hour: int, sum_wh: float, state_wh: float | None = None, length_s: float = HOUR_S) -> Row:
    start = hour * HOUR_S
    return Row(start=start, end=start + length_s, sum_wh=sum_wh, state_wh=state_wh)


EARLIER = [row(n, 100.0 * n, MWH + 100.0 * n) for n in range(5)]


@pytest.mark.parametrize(
    ("level_wh", "hours", "rise"),
    [
        (MWH, 0, 0.0),
        (MWH + 800, 0, 800.0),
        # Rounded to hundredths of a kWh, and read a moment before.
        (MWH - 4, 0, 0.0),
        (MWH - 20, 0, None),
        (MWH + 1_200, 0, None),
        (MWH + 40_000, 24, 40_000.0),
        (MWH + 400_000, 24, None),
        (0.0, 24, None),
    ],
)
def test_a_plausible_rise_continues_a_register(
    level_wh: float, hours: int, rise: float | None
) -> None:
    assert rise_wh(row(0, 0, MWH), level_wh, HOUR_S * (1 + hours)) == rise


def test_a_series_without_register_has_no_rise() -> None:
    assert rise_wh(row(0, 0), MWH, HOUR_S) is None


def test_energy_counted_in_between_is_added_at_the_joint() -> None:
    first = row(7, 3.0, MWH + 700)
    joint = Joint.of_rows(EARLIER, first, has_register=True)
    assert joint is not None
    assert (joint.register, joint.between_wh) == (Register.SAME, 300.0)
    assert list(joint.hours) == EARLIER
    assert first.sum_wh + joint.raised_wh == 700


@pytest.mark.parametrize(
    ("has_register", "register"), [(True, Register.OTHER), (False, Register.UNKNOWN)]
)
def test_another_register_continues_from_the_earlier_sum(
    has_register: bool, register: Register
) -> None:
    first = row(7, 3.0, 12_000.0)
    joint = Joint.of_rows(EARLIER, first, has_register=has_register)
    assert joint is not None
    assert (joint.register, joint.between_wh, joint.raised_wh) == (register, 0, 400)
    # A level of another register would look as if this one had fallen.
    assert {each.state_wh for each in joint.hours} == {None}


def test_overlapping_hours_belong_to_the_later_series() -> None:
    first = row(3, 0.0, MWH + 250, 300)
    joint = Joint.of_rows(EARLIER, first, has_register=True)
    assert joint is not None
    assert list(joint.hours) == EARLIER[:3]
    assert joint.raised_wh == 250
    assert Joint.of_rows(EARLIER, row(0, 0.0, MWH), has_register=True) is None
