"""Which hours of which homes have been opened: one bit each. Pure.

A home's hours of a direction are kept by the UTC month, in at most 93 bytes. An hour is marked
once, and never cleared.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from ..series import Direction
from .masks import Subject

_HOUR = timedelta(hours=1)


class Month(NamedTuple):
    """A home's hours of a direction, in a UTC month."""

    pseudonym: str
    direction: Direction
    year: int
    month: int


type _MonthOfAll = tuple[Direction, int, int]


class Ledger:
    """The opened hours of the homes of one collective."""

    def __init__(self, opened: Mapping[Month, bytes] | None = None) -> None:
        """Continue with bitmaps as `items` returned them."""
        self._months = defaultdict[_MonthOfAll, dict[str, bytearray]](dict)
        for (pseudonym, direction, year, month), hours in (opened or {}).items():
            self._months[direction, year, month][pseudonym] = bytearray(hours)

    def opened(self, subject: Subject, pseudonyms: Collection[str]) -> frozenset[str]:
        """Return which of these homes were opened for the hour of that direction before."""
        homes, at, bit = self._place(subject)
        return frozenset(
            pseudonym
            for pseudonym in pseudonyms
            if (hours := homes.get(pseudonym)) is not None
            and len(hours) > at
            and hours[at] >> bit & 1
        )

    def mark(self, subject: Subject, pseudonyms: Collection[str]) -> None:
        """Mark the hour of that direction as opened for these homes."""
        homes, at, bit = self._place(subject)
        for pseudonym in pseudonyms:
            hours = homes.setdefault(pseudonym, bytearray())
            if len(hours) <= at:
                hours.extend(bytes(at + 1 - len(hours)))
            hours[at] |= 1 << bit

    def items(self) -> Iterator[tuple[Month, bytes]]:
        """Yield the bitmap of each month: hour n of it is bit n % 8 of byte n // 8."""
        for month, homes in self._months.items():
            for pseudonym, hours in homes.items():
                yield Month(pseudonym, *month), bytes(hours)

    def _place(self, subject: Subject) -> tuple[dict[str, bytearray], int, int]:
        """Return the homes' bitmaps of a month, with byte and bit of an hour."""
        hour = subject.hour
        of_month = (hour - hour.replace(day=1, hour=0)) // _HOUR
        return self._months[subject.direction, hour.year, hour.month], *divmod(of_month, 8)
