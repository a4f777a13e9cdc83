"""Codes that a witness gives to the households it knows: without one, no home enrols. Pure.

    BCDFG-HJKLM-PRSTX-ZBCDF

A code is 80 random bits: four groups of five letters, each of 4 bits. The letters are those of
RFC 8628 §6.1, which make no words, without N, Q, V and W: these look or sound like others.
"""

from hashlib import sha256
import secrets
from typing import Final

from .errors import NoCode

LETTERS: Final = "BCDFGHJKLMPRSTXZ"
LETTER_COUNT: Final = 20
EXAMPLE: Final = "BCDFG-HJKLM-PRSTX-ZBCDF"
_IN_GROUP: Final = 5


def draw() -> str:
    """Return a new code, as it is printed."""
    return _grouped("".join(secrets.choice(LETTERS) for _ in range(LETTER_COUNT)))


def read(typed: str) -> str:
    """Return a typed code as it is printed: case, spaces and hyphens are free. Raises NoCode."""
    letters = "".join(typed.replace("-", " ").split()).upper()
    if len(letters) != LETTER_COUNT or not set(letters) <= set(LETTERS):
        raise NoCode
    return _grouped(letters)


def hashed(code: str) -> str:
    """Return the SHA-256 of a code as it is printed: what a witness stores of it."""
    return sha256(code.encode()).hexdigest()


def _grouped(letters: str) -> str:
    starts = range(0, LETTER_COUNT, _IN_GROUP)
    return "-".join(letters[start : start + _IN_GROUP] for start in starts)
