"""One request of a page: who asks, in which language, and how it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web
from multidict import MultiDictProxy

from .users import Person

if TYPE_CHECKING:
    from .speech import Language

type Field = str | bytes | bytearray | web.FileField

MAX_FIELDS = 600
MAX_LENGTH = 4_000


@dataclass(frozen=True, slots=True)
class Visit[P = Person]:
    """Who asks for what. `form` is what was filled in, empty of a page that is only looked at."""

    request: web.Request
    person: P
    language: Language
    form: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """The way from this page to the first one: addresses are relative, wherever it is."""
        return "../" * (self.request.path.count("/") - 1) or "./"

    def typed(self, name: str) -> str:
        """Return what was filled into a field, without the white space around it."""
        return self.form.get(name, ("",))[0].strip()

    def chosen(self, name: str) -> tuple[str, ...]:
        """Return all that was ticked under a name."""
        return self.form.get(name, ())

    def go(self, to: str = "") -> web.Response:
        """Send the browser to another page of ours, which it then asks for by GET."""
        return web.Response(status=303, headers={"Location": (self.root + to) or "./"})


class Unreadable(ValueError):
    """What was sent is no form of ours."""


def read_form(told: MultiDictProxy[Field]) -> dict[str, tuple[str, ...]]:
    """Return what was filled in, by field. Raises Unreadable."""
    form: dict[str, list[str]] = {}
    if len(told) > MAX_FIELDS:
        raise Unreadable("too many fields")
    for name, value in told.items():
        if not isinstance(value, str) or len(value) > MAX_LENGTH or len(name) > MAX_LENGTH:
            raise Unreadable("a field that no form of ours has")
        if "\0" in value or any(0xD800 <= ord(one) < 0xE000 for one in value):
            raise Unreadable("what is no text")
        form.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in form.items()}
