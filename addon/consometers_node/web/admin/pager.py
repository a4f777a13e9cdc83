"""A long list, some of it at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from .request_context import AdminContext

_PAGE = "page"


@dataclass(frozen=True, slots=True)
class Pager:
    """Where one is in a list, and how the other parts of it are asked for."""

    page: int
    pages: int
    at_once: int
    total: int
    query: Mapping[str, str]

    @classmethod
    def asked(cls, context: AdminContext, total: int, at_once: int) -> Self:
        """Take what a visitor asked for, within what there is."""
        pages = max(1, -(-total // at_once))
        typed = context.asked(_PAGE)
        page = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 9 else 1
        asked = context.request.query
        query = {name: asked[name] for name in asked if name not in {_PAGE, "done", "language"}}
        return cls(min(max(1, page), pages), pages, at_once, total, query)

    @property
    def first(self) -> int:
        """The place of the first that is shown."""
        return (self.page - 1) * self.at_once

    @property
    def end(self) -> int:
        """The place after the last that is shown."""
        return min(self.total, self.page * self.at_once)

    def to(self, page: int) -> str:
        """Return the address of a part, seen from this page."""
        return f"?{urlencode({**self.query, _PAGE: str(page)})}"

    def with_(self, **values: str) -> str:
        """Return the address of the first part of the list as it is asked for otherwise."""
        return f"?{urlencode({**self.query, **values})}"
