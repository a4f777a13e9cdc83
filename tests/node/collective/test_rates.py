"""Rates that sums make."""

from fractions import Fraction

import pytest

from consometers_node.collective.publication.rates import self_consumption, self_sufficiency


@pytest.mark.parametrize(
    ("production", "injection", "share"),
    [
        (10, 4, Fraction(3, 5)),
        (10, 0, Fraction(1)),
        (10, 10, Fraction(0)),
        (0, 0, None),
        (10, 11, None),
    ],
)
def test_self_consumption(production: int, injection: int, share: Fraction | None) -> None:
    assert self_consumption(production, injection) == share


@pytest.mark.parametrize(
    ("production", "injection", "consumption", "share"),
    [
        (10, 4, 6, Fraction(1, 2)),
        (0, 0, 6, Fraction(0)),
        (10, 10, 0, None),
        (0, 0, 0, None),
        (10, 11, 5, None),
    ],
)
def test_self_sufficiency(
    production: int, injection: int, consumption: int, share: Fraction | None
) -> None:
    assert self_sufficiency(production, injection, consumption) == share
