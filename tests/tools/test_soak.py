"""Ten minutes of a bad line for each kind of meter, and nothing wrong shown."""

import pytest

from consometers_tic import Mode
from consometers_tic_virtual import Contract
from tools.bench.meter.soak import METERS, Soak

MINUTES = 10


@pytest.mark.parametrize(
    ("mode", "contract"), METERS, ids=[f"{mode} {contract.option}" for mode, contract in METERS]
)
def test_a_bad_line_shows_no_wrong_value(mode: Mode, contract: Contract) -> None:
    figures = Soak(mode, contract, seed=7).run(60 * MINUTES)
    assert figures.wrong == []
    assert figures.shown > 1000
    assert sum(figures.refused.values()) > 0
