"""The school: what its meters and its inverter say of the same sun."""

from datetime import timedelta

from hypothesis import given, settings, strategies as st

from consometers_tic_virtual.world import ORIGIN
from demo.school.history import HOUR, hours
from demo.school.kersabiec import roof, roof_inverter, school

PANELS = roof()
INVERTER = roof_inverter(PANELS)
SCHOOL = school()
START = int(ORIGIN.timestamp()) + 170 * 86_400
SECONDS = st.integers(START, START + 5 * 86_400)


@settings(max_examples=50, deadline=None)
@given(SECONDS)
def test_the_inverter_and_its_meter_agree_to_the_wh(second: int) -> None:
    made, counted = INVERTER.readings(second), PANELS.registers(second)
    assert made.energy_wh == counted.injected_wh > 0
    assert counted.drawn_wh == 0
    net_w = sum(PANELS.load.by_phase_w(second))
    assert abs(made.power.power_w + net_w) <= 1


def test_the_schools_own_meter_sees_no_panels() -> None:
    noon = START + 12 * 3600
    assert not SCHOOL.contract.producer
    assert SCHOOL.registers(noon).injected_wh == 0
    assert SCHOOL.registers(noon).drawn_wh > 0


def test_the_past_of_the_inverter_runs_into_its_present() -> None:
    noon = ORIGIN + timedelta(days=170, hours=12)
    (hour,) = hours(noon - HOUR, noon, PANELS)
    assert hour.end.production_wh == hour.end.injected_wh
    assert hour.end.production_wh == INVERTER.readings(int(noon.timestamp())).energy_wh
