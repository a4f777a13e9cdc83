"""A request of a page: the person, the language, and the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiDictProxy

if TYPE_CHECKING:
    from consometers_node.i18n.text import Text

    from .speech import Language

type Field = str | bytes | bytearray | web.FileField

MAX_FIELDS = 600
MAX_LENGTH = 4_000
_MAX_DIGITS = 9
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_CHUNK_BYTES = 64 * 1024
_MAX_BEFORE_FILE = 8


@dataclass(frozen=True, slots=True)
class Person:
    """A user of a home. An anonymous one may only view pages."""

    id: str
    name: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request of a page, and the language of the answer."""

    request: web.Request
    language: Language
    base: str = field(default="", kw_only=True)
    """The path under which all pages are, if they are not at the root."""

    @property
    def root(self) -> str:
        """The relative path to the first page: addresses are relative, wherever it is."""
        return "../" * (self.path.count("/") - 1) or "./"

    @property
    def path(self) -> str:
        """The path of this page, from the first one on: `/join`."""
        return self.request.path.removeprefix(self.base)

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
    file: bytes = field(default=b"", repr=False)
    """The file that was sent with the form."""

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

    async def filled_with_file(self, name: str, most_bytes: int) -> Self:
        """Return the request with the submitted fields before a file, and the file.

        Of one that is larger, one byte more than `most_bytes` comes. Raises UnreadableForm.
        """
        if self.request.content_type != _MULTIPART:
            raise UnreadableForm("no form with a file")
        form: dict[str, tuple[str, ...]] = {}
        try:
            async for part in await self.request.multipart():
                if not isinstance(part, BodyPartReader) or len(form) >= _MAX_BEFORE_FILE:
                    raise UnreadableForm("parts that no form of ours has")
                if part.name == name:
                    return replace(self, form=form, file=await _read(part, most_bytes))
                value = await _read(part, MAX_LENGTH)
                if len(value) > MAX_LENGTH:
                    raise UnreadableForm("a field that no form of ours has")
                form[part.name or ""] = (value.decode(),)
        except (HttpProcessingError, LookupError, ValueError) as fault:
            raise UnreadableForm("no parts") from fault
        return replace(self, form=form)


async def _read(part: BodyPartReader, most_bytes: int) -> bytes:
    """Read a part; of a longer one, stop one byte after the most."""
    read = bytearray()
    while len(read) <= most_bytes and (chunk := await part.read_chunk(_CHUNK_BYTES)):
        read += chunk
    return bytes(read[: most_bytes + 1])


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
