"""What the sources of a home counted before its balance began, from hours alone."""

from collections.abc import Sequence

import pytest

from custom_components.consometers.balance.hours import Past
from custom_components.consometers.balance.state import Balance, Home, Sources, Start
from custom_components.consometers.recorder.rows import HOUR_S, Row

SOURCES = Sources(production=("roof",), drawn="drawn", injected="injected")
START = Start(at=2.5 * HOUR_S, read_wh={"roof": 1_300.0, "drawn": 1_150.0, "injected": 1_010.0})


def hours(sums_wh: Sequence[float], *, state: bool = True) -> list[Row]:
    return [
        Row(
            start=n * HOUR_S,
            end=(n + 1) * HOUR_S,
            sum_wh=sum_wh,
            state_wh=1_000 + sum_wh if state else None,
        )
        for n, sum_wh in enumerate(sums_wh)
    ]


@pytest.mark.parametrize(
    ("has_states", "roof", "drawn", "injected"),
    [(True, 300, 150, 10), pytest.param(False, 200, 100, 0, id="sums alone")],
)
def test_the_first_hour_is_counted_up_to_the_beginning(
    has_states: bool, roof: float, drawn: float, injected: float
) -> None:
    """By what a meter said then, or else by the hour before."""
    rows = {
        "roof": hours([0, 200, 600], state=has_states),
        "drawn": hours([0, 100, 240], state=has_states),
        "injected": hours([0, 0, 30], state=has_states),
    }
    balance = Balance(Home.SURPLUS, SOURCES, start=START)
    past = Past.from_hours(balance, rows, until=3 * HOUR_S, midnight=HOUR_S)
    assert past is not None
    assert (past.at_start.production_wh, past.at_start.drawn_wh) == (roof, drawn)
    assert past.at_start.injected_wh == injected
    assert past.hours[3 * HOUR_S].production_wh == 600
