"""A long list, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from consometers_node.web.core.admin_context import AdminContext

_PAGE = "page"


@dataclass(frozen=True, slots=True)
class Pager:
    """A position in a list, and the links to its other pages."""

    page: int
    pages: int
    at_once: int
    total: int
    query: Mapping[str, str]

    @classmethod
    def asked(cls, context: AdminContext, total: int, at_once: int) -> Self:
        """Read the requested position, within the list."""
        pages = max(1, -(-total // at_once))
        typed = context.asked(_PAGE)
        page = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 9 else 1
        asked = context.request.query
        query = {name: asked[name] for name in asked if name not in {_PAGE, "done", "language"}}
        return cls(min(max(1, page), pages), pages, at_once, total, query)

    @property
    def first(self) -> int:
        """The position of the first item shown."""
        return (self.page - 1) * self.at_once

    @property
    def end(self) -> int:
        """The position after the last item shown."""
        return min(self.total, self.page * self.at_once)

    def to(self, page: int) -> str:
        """Return the link to a page of the list."""
        return f"?{urlencode({**self.query, _PAGE: str(page)})}"

    def with_(self, **values: str) -> str:
        """Return the link to the first page of the list with other parameters."""
        return f"?{urlencode({**self.query, **values})}"
