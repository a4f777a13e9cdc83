"""The limits of fields that peers fill: longer ones are refused before they are stored.

The limits hold at both ends, in a home as in a collective: what a node keeps of a peer passes here.
Fields that have a form of their own (times, durations, hashes, numbers) are bounded by it.
"""

from collections.abc import Mapping

from .foreign import clean

CHARACTERS: Mapping[str, int] = {
    # names
    "id": 100,
    "need": 100,
    "token": 200,
    "lang": 35,
    "u": 32,
    "bu": 32,
    "unit": 32,
    # what people read of a data need
    "title": 300,
    "purpose": 8_000,
    "recipients": 8_000,
    "controller": 300,
    "contact": 300,
    "policy": 500,
    # what people read of a letter
    "body": 2_000,
    # what is held of a member: a part of 64 KiB, in base64
    "export": 87_384,
    # protected sums: rows in base64, in all at most so many of each kind
    "reports": 60_000,
    "homes": 57_600,
    "refused": 54_000,
    "groups": 4_000,
    # errors
    "text": 1_000,
    "issuer": 100,
    "code": 100,
}
"""Characters of an attribute, of what stands in an element, or of a field of a form, by name."""
OTHER = 255
"""Characters of any other: as many as an identifier has."""

ELEMENTS: Mapping[str, int] = {
    "data-need": 50,
    "series": 50,
    "erased": 1_000,
    "item": 2_000,
    "homes": 300,
    "sum": 300,
    "refused": 300,
    "title": 20,
    "purpose": 20,
    "recipients": 20,
    "text": 20,
    "body": 4,
}
"""Elements of one name in another; texts come in at most this many languages."""


def characters(name: str) -> int:
    """Return how many characters of a field are read."""
    return CHARACTERS.get(name, OTHER)


def clip(name: str, words: str) -> str:
    """Return a field, cleaned and cut to its limit, where a refusal would help nobody."""
    most, words = characters(name), clean(words)
    return words if len(words) <= most else f"{words[: most - 1]}…"
