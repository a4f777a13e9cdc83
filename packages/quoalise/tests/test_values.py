"""Which values the records of a kind of series may have."""

from math import inf, nan

import pytest

from consometers_quoalise import Identifier, SeriesPath
from consometers_quoalise.records.identifier import identifier
from consometers_quoalise.records.values import ALLOWED, allowed


def named(path: str) -> Identifier:
    return identifier(f"urn:dev:org:60060-kersabiec_consumption/{path}")


@pytest.mark.parametrize("kind", ALLOWED)
def test_values_are_finite_and_within_their_bounds(kind: str) -> None:
    possible = ALLOWED[kind]
    accepted: tuple[float, ...] = (0, 1, possible.most)
    for value in accepted:
        assert value in possible
    for value in (-5, -1e-320, possible.most + 1, 10**16, inf, -inf, nan):
        assert value not in possible


def test_counts_are_whole() -> None:
    members = ALLOWED[SeriesPath.MEMBERS]
    assert 8.0 in members
    for value in (1e-320, 0.5):
        assert value in ALLOWED[SeriesPath.POWER]
        assert value not in members


def test_bounds_are_those_of_the_kind_of_a_series() -> None:
    assert allowed(named(SeriesPath.POWER)) is ALLOWED[SeriesPath.POWER]
    beside = named(SeriesPath.POWER).beside(SeriesPath.MEMBERS)
    assert allowed(beside) is ALLOWED[SeriesPath.MEMBERS]
    assert allowed(named("voltage")) is None


def test_a_factor_comes_before_the_bounds() -> None:
    assert ALLOWED[SeriesPath.POWER].of({0: 10**7, 1: 10**7 + 1}, 1_000) == {0: 10**10}
