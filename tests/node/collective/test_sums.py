"""Rows and rates, by examples."""

from fractions import Fraction

import pytest

from consometers_node.collective.parts import LARGEST, MOST_MEMBERS, Part, Unbelievable
from consometers_node.collective.sums import (
    change,
    largest,
    self_consumption,
    self_sufficiency,
)


def test_a_part_grows_the_others_stay() -> None:
    nothing, one, more = Part.nothing(3), Part.of([5, None, 0]), Part.of([7, 1, 0])
    row, fallen = change(None, [(nothing, one), (nothing, more)])
    assert fallen == ()
    row, fallen = change(row, [(one, more)])
    assert (row.sums, row.largest) == (numbers(14, 2, 0), numbers(7, 1, 0))
    assert row.counts == numbers(2, 2, 2, size=4)
    assert fallen == ()


def test_whoever_had_the_most_has_less() -> None:
    row, _ = change(None, [(Part.nothing(2), Part.of([9, 9]))])
    _, fallen = change(row, [(Part.of([9, 9]), Part.of([9, 8]))])
    assert fallen == (1,)


def test_nothing_is_carried_from_one_place_to_the_next() -> None:
    most = Part.of([LARGEST, 0])
    row, _ = change(None, [(Part.nothing(2), most)] * 8_000)
    assert row.sums == numbers(8_000 * LARGEST, 0)
    row, _ = change(row, [(most, Part.nothing(2))] * 8_000)
    assert not row
    assert row.sums == bytes(16)


def test_what_nobody_can_have_is_refused() -> None:
    with pytest.raises(Unbelievable):
        Part.of([0, LARGEST + 1])


def test_a_collective_that_boasts_counts_for_four_millions() -> None:
    boasting = Part.of([1], [2**60])
    row, _ = change(None, [(Part.nothing(1), boasting)] * 1_000)
    assert row.counts == numbers(1_000 * MOST_MEMBERS, size=4)


def test_the_most_of_all() -> None:
    assert largest([Part.of([1, None]), Part.of([0, 3])]) == (1, 3)


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


def numbers(*values: int, size: int = 8) -> bytes:
    return b"".join(value.to_bytes(size, "little") for value in values)
