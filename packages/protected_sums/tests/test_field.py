"""Field64: roots of unity, polynomials by their values, elements from a seed."""

from math import sumprod
from random import Random

from hypothesis import given, strategies as st
import pytest

from consometers_protected_sums.field import MODULUS, Matrix, encode, lagrange, roots
from consometers_protected_sums.xof import expand

ELEMENT = st.integers(0, MODULUS - 1)
ORDERS = [1 << power for power in range(1, 7)]


@pytest.mark.parametrize("order", ORDERS)
def test_roots_of_unity_are_different_powers_of_one_of_them(order: int) -> None:
    powers = roots(order)
    assert len(set(powers)) == order
    assert powers[0] == 1
    assert all(pow(root, order, MODULUS) == 1 for root in powers)
    assert powers == roots(2 * order)[::2]
    assert powers[1] * powers[-1] % MODULUS == 1


@given(st.sampled_from(ORDERS), st.lists(ELEMENT, min_size=1, max_size=64), ELEMENT)
def test_a_polynomial_is_evaluated_by_its_values(
    order: int, coefficients: list[int], point: int
) -> None:
    coefficients = coefficients[:order]

    def value(at: int) -> int:
        return sum(c * pow(at, power, MODULUS) for power, c in enumerate(coefficients)) % MODULUS

    values = [value(root) for root in roots(order)]
    for at in (point, 0, roots(order)[-1], roots(2 * order)[1]):
        weighted = zip(lagrange(order, at), values, strict=True)
        assert sum(weight * each for weight, each in weighted) % MODULUS == value(at)


@given(st.lists(st.integers(0, (1 << 64) - 1) | st.just(MODULUS), max_size=9), st.integers(1, 9))
def test_numbers_above_the_field_are_left_out_of_a_stream(drawn: list[int], count: int) -> None:
    stream = [*drawn, *range(count)]
    elements = [number for number in stream if number < MODULUS]

    def xof(message: bytes, length: int) -> bytes:
        return encode(stream)[:length]

    assert expand(b"", b"", b"", count, xof) == encode(elements[:count])


def test_bytes_of_a_stream_that_only_look_like_a_number_above_the_field_stay_in_it() -> None:
    elements = (MODULUS - 1, 0xFFFF_FFFF << 16)
    assert expand(b"", b"", b"", 2, lambda *_: encode(elements)) == encode(elements)


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 600])
def test_forms_of_many_vectors_are_what_they_are_of_each(count: int) -> None:
    random = Random(count)
    least, most = [0] * 256, [MODULUS - 1] * 256
    form = [random.randrange(MODULUS) for _ in range(256)]
    forms = [most, form, least]
    vectors = [most, least, *([random.randrange(MODULUS) for _ in range(256)] for _ in range(600))]
    vectors = vectors[:count]
    matrix = Matrix([dict(enumerate(each)) for each in forms] + [{7: 1}, {}], 256)
    values = [*matrix.times(map(encode, vectors))]
    assert all(value < 1 << 64 for some in values for value in some)
    assert [[value % MODULUS for value in some] for some in values] == [
        [*(sumprod(each, vector) % MODULUS for each in forms), vector[7], 0] for vector in vectors
    ]


@pytest.mark.parametrize("length", [0, 8, 24, 31])
def test_a_vector_of_another_length_has_no_value(length: int) -> None:
    matrix = Matrix([{0: 1}], 2)
    with pytest.raises((TypeError, ValueError)):
        [*matrix.times([bytes(length)])]


def test_a_stream_depends_on_where_seed_domain_and_binder_end() -> None:
    messages = set[bytes]()

    def xof(message: bytes, length: int) -> bytes:
        messages.add(message)
        return bytes(length)

    for seed, domain, binder in (
        (b"ab", b"c", b"d"), (b"a", b"bc", b"d"), (b"a", b"c", b"bd"), (b"abc", b"", b"d"),
    ):  # fmt: skip
        expand(seed, domain, binder, 1, xof)
    assert len(messages) == 4
