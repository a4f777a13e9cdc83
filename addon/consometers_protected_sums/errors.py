"""Errors, as codes with details: an application puts them into words. Pure.

    ProtectedSumsError
      NotElements     bytes encode no such elements
      WrongLength     a key or a secret has another length
      NotAnHour       a report is of an hour of UTC
      OutOfRange      a value is above the most that a report proves
      PastKey         keys are derived forwards only
      RootOfUnity     a test point would show a wire
      NoCode          a text is no code of a witness

No value of a home, key or secret is in any of them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar


class Code(StrEnum):
    """The reason for a refusal."""

    NOT_ELEMENTS = "not-elements"
    """Details: `wanted`, how many bytes; or `place`, the first number above the field."""
    WRONG_LENGTH = "wrong-length"
    """Details: `name`, and `wanted`, how many bytes it has."""
    NOT_AN_HOUR = "not-an-hour"
    OUT_OF_RANGE = "out-of-range"
    """Details: `most`."""
    PAST_KEY = "past-key"
    """Details: `day`, and `oldest`, the day of the key at hand."""
    ROOT_OF_UNITY = "root-of-unity"
    NO_CODE = "no-code"


class ProtectedSumsError(ValueError):
    """An error: its code, and the details for a sentence about it."""

    code: ClassVar[Code]
    details: Mapping[str, object]

    def __init__(self, **details: object) -> None:
        """Make an error with its details."""
        self.details = details
        super().__init__(" ".join((self.code, *(f"{key}={details[key]}" for key in details))))


class NotElements(ProtectedSumsError):
    """The bytes do not encode that number of elements."""

    code = Code.NOT_ELEMENTS


class WrongLength(ProtectedSumsError):
    """A key or a secret has another length."""

    code = Code.WRONG_LENGTH


class NotAnHour(ProtectedSumsError):
    """A report is of an hour that starts at a whole hour of UTC."""

    code = Code.NOT_AN_HOUR


class OutOfRange(ProtectedSumsError):
    """A value is below zero, or above the most that a report proves."""

    code = Code.OUT_OF_RANGE


class PastKey(ProtectedSumsError):
    """The requested key is in the past; keys are derived forwards only."""

    code = Code.PAST_KEY


class RootOfUnity(ProtectedSumsError):
    """A test point at which a query would show a wire."""

    code = Code.ROOT_OF_UNITY


class NoCode(ProtectedSumsError):
    """A text is no code."""

    code = Code.NO_CODE
