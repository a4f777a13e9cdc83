"""A request of a page: the person, the language, and the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from aiohttp import web
from multidict import MultiDictProxy

if TYPE_CHECKING:
    from consometers_node.i18n.text import Text

    from .speech import Language

type Field = str | bytes | bytearray | web.FileField

MAX_FIELDS = 600
MAX_LENGTH = 4_000
_MAX_DIGITS = 9
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Person:
    """A user of Home Assistant. An anonymous one may only view pages."""

    id: str
    name: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request of a page, and the language of the answer."""

    request: web.Request
    language: Language

    @property
    def root(self) -> str:
        """The relative path to the first page: addresses are relative, wherever it is."""
        return "../" * (self.request.path.count("/") - 1) or "./"

    def named(self, part: str) -> str:
        """Return a part of the path."""
        return self.request.match_info.get(part, "")

    def asked(self, name: str) -> str:
        """Return a parameter of the query."""
        return self.request.query.get(name, "").strip()[:MAX_LENGTH]


@dataclass(frozen=True, slots=True)
class RequestContext[P = Person](PageRequest):
    """A request of a person. `form` is what was filled in, empty where a page is only viewed."""

    person: P
    form: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def typed(self, name: str) -> str:
        """Return the value of a field, without the white space around it."""
        return self.form.get(name, ("",))[0].strip()

    def whole_number(self, name: str) -> int | None:
        """Return the whole number in a field; None if there is none."""
        typed = self.typed(name)
        is_number = typed.isascii() and typed.isdecimal() and len(typed) <= _MAX_DIGITS
        return int(typed) if is_number else None

    def chosen(self, name: str) -> tuple[str, ...]:
        """Return all values ticked under a name."""
        return self.form.get(name, ())

    def go(self, to: str = "") -> web.Response:
        """Redirect the browser to another page of ours, by GET."""
        return web.Response(status=303, headers={"Location": (self.root + to) or "./"})

    async def filled(self) -> Self:
        """Return the request with the submitted form.

        Raises UnreadableForm, and what aiohttp raises on a body that is too large.
        """
        if self.request.content_type != _FORM:
            raise UnreadableForm("no form")
        try:
            form = read_form(await self.request.post())
        except (LookupError, ValueError) as fault:
            raise UnreadableForm("no text") from fault
        return replace(self, form=form)


@dataclass(slots=True)
class FilledForm[T]:
    """The value of a submitted form, None where it has errors, and these by field."""

    value: T | None = None
    errors: dict[str, Text] = field(default_factory=dict)


class UnreadableForm(ValueError):
    """The request body is no form of ours."""


def read_form(fields: MultiDictProxy[Field]) -> dict[str, tuple[str, ...]]:
    """Return the submitted values, by field. Raises UnreadableForm."""
    form: dict[str, list[str]] = {}
    if len(fields) > MAX_FIELDS:
        raise UnreadableForm("too many fields")
    for name, value in fields.items():
        if not isinstance(value, str) or len(value) > MAX_LENGTH or len(name) > MAX_LENGTH:
            raise UnreadableForm("a field that no form of ours has")
        if "\0" in value or any(0xD800 <= ord(character) < 0xE000 for character in value):
            raise UnreadableForm("what is no text")
        form.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in form.items()}
