"""A long list, some of it at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from .visit import Visit

_PAGE = "page"


@dataclass(frozen=True, slots=True)
class Pager:
    """Where one is in a list, and how the other parts of it are asked for."""

    number: int
    pages: int
    at_once: int
    total: int
    query: Mapping[str, str]

    @classmethod
    def of(cls, visit: Visit, total: int, at_once: int) -> Self:
        """Take what a visitor asked for, within what there is."""
        pages = max(1, -(-total // at_once))
        typed = visit.asked(_PAGE)
        number = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 9 else 1
        told = visit.request.query
        query = {name: told[name] for name in told if name not in {_PAGE, "done", "language"}}
        return cls(min(max(1, number), pages), pages, at_once, total, query)

    @property
    def first(self) -> int:
        """The place of the first that is shown."""
        return (self.number - 1) * self.at_once

    @property
    def end(self) -> int:
        """The place after the last that is shown."""
        return min(self.total, self.number * self.at_once)

    def to(self, number: int) -> str:
        """Return the address of a part, seen from this page."""
        return f"?{urlencode({**self.query, _PAGE: str(number)})}"

    def with_(self, **told: str) -> str:
        """Return the address of the first part of the list as it is asked for otherwise."""
        return f"?{urlencode({**self.query, **told})}"
