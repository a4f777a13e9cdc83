"""What a collective and its witness exchange of reports: parts, groups, sums, answers. Pure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

NONCE_BYTES: Final = 16
MASKED_BYTES: Final = 656
"""Of a report: 82 elements of Field64."""
VERIFIER_BYTES: Final = 32
"""Four elements."""
VERIFICATION_KEY_BYTES: Final = 32


class Refusal(StrEnum):
    """Why homes do not pass, or a sum stays closed."""

    NOT_ENROLLED = "not-enrolled"
    """Never enrolled for this collective and direction, or has left."""
    REPEATED = "repeated"
    """Stands in the request twice."""
    TOO_FEW = "too-few"
    """Was promised a group of more homes."""
    KEY_FORGOTTEN = "key-forgotten"
    """The report is older than the witness's keys, or was made after today."""
    OPENED_BEFORE = "opened-before"
    """This hour of it is in a sum that was opened or refused before."""
    INVALID = "invalid"
    """The report does not prove its value, or was verified with another verifier before."""
    IMPLAUSIBLE = "implausible"
    """No homes have this sum: the collective has not added up what it asks for."""
    DOMINANCE = "dominance"
    """One home or two make most of it, also together with the other groups."""


class Part(NamedTuple):
    """A report in a group: its home, the UTC day of its key, its nonce, and its verifier."""

    pseudonym: str
    day: date
    nonce: bytes
    verifier: bytes


@dataclass(frozen=True, slots=True)
class Group:
    """Reports of homes whose sum is to be opened.

    `name` is a whole number without leading zeros, which says nothing to the witness.
    """

    name: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class RefusedHomes:
    """Homes in the way of a request; without `pseudonyms`, all of its homes are."""

    reason: Refusal
    pseudonyms: frozenset[str] = frozenset()


class MaskedSum(NamedTuple):
    """The sums of a group's masked values, and of the masked squares."""

    group: str
    masked: int
    masked_squares: int


@dataclass(frozen=True, slots=True)
class OpenedSum:
    """A sum in Wh of homes, in one group or in several that were put together."""

    groups: frozenset[str]
    homes: int
    wh: int


@dataclass(frozen=True, slots=True)
class RefusedSum:
    """Groups that stay closed."""

    groups: frozenset[str]
    reason: Refusal


type Answer = OpenedSum | RefusedSum
