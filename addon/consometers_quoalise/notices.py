"""What programs of the protocol log, as codes with details: an application puts them into words."""

from collections.abc import Mapping
from enum import StrEnum


class Event(StrEnum):
    """An event of a connection that its operator may want to see."""

    ANSWER_POSTPONED = "answer-postponed"
    ANSWER_LATE = "answer-late"
    """Details: `seconds`."""
    ANSWER_FAILED = "answer-failed"
    RECORDS_OUTSIDE = "records-outside"
    """Details: `count`."""
    RECORDS_UNSTORED = "records-unstored"
    RECEIPT_UNSTORED = "receipt-unstored"


class Notice:
    """A message of the log. No detail is personal."""

    def __init__(self, code: str, **details: object) -> None:
        self.code = code
        self.details: Mapping[str, object] = details

    def __str__(self) -> str:
        """Return the code, and the details."""
        return " ".join((self.code, *(f"{name}={value}" for name, value in self.details.items())))
