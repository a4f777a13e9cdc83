"""Codes of a witness as text: drawn, typed, hashed."""

from hashlib import sha256

from hypothesis import given, strategies as st
import pytest

from consometers_protected_sums import codes, errors

BITS = 80


def test_a_code_has_80_random_bits_in_four_groups_of_letters() -> None:
    drawn = {codes.draw() for _ in range(300)}
    assert len(drawn) == 300
    assert len(set(codes.LETTERS)) ** codes.LETTER_COUNT == 2**BITS
    for code in drawn:
        assert [len(group) for group in code.split("-")] == [5, 5, 5, 5]
    # Each letter stands at each place.
    places = [
        set(letters) for letters in zip(*(code.replace("-", "") for code in drawn), strict=True)
    ]
    assert all(letters == set(codes.LETTERS) for letters in places)


@given(st.text(alphabet=codes.LETTERS, min_size=20, max_size=20))
def test_case_spaces_and_hyphens_are_free(letters: str) -> None:
    code = codes.read(letters)
    assert code.replace("-", "") == letters
    for typed in (code, code.lower(), f" {letters}\n", code.replace("-", " "), "-".join(letters)):
        assert codes.read(typed) == code


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "BCDFG",
        codes.EXAMPLE[:-1],
        f"{codes.EXAMPLE}B",
        codes.EXAMPLE.replace("B", "A"),
        "ß" * 20,
    ],
)
def test_what_has_other_letters_is_no_code(typed: str) -> None:
    with pytest.raises(errors.NoCode):
        codes.read(typed)


def test_the_example_of_pages_is_a_code() -> None:
    assert codes.read(codes.EXAMPLE) == codes.EXAMPLE


def test_the_stored_hash_is_of_the_code_as_it_is_printed() -> None:
    assert codes.hashed(codes.EXAMPLE) == sha256(b"BCDFG-HJKLM-PRSTX-ZBCDF").hexdigest()
