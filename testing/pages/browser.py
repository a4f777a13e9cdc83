"""A browser of a few lines: it reads pages, fills in their forms, and follows where they lead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
import re
from typing import override

from aiohttp import ClientResponse, ClientSession
from yarl import URL

VOID = {"meta", "link", "input", "img", "br", "path", "text"}
_AS_TYPED = {"code", "script", "style", "textarea"}
_BADLY_SET = re.compile(r"[ \n][;:!?»%]|«[ \n]|(?<=[^\W\d_])'(?=[^\W\d_])")
"""French with the apostrophe of a typewriter, or a mark that the end of a line may part."""


@dataclass
class Form:
    """A form, where it goes, and what stands in it."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    offered: list[tuple[str, str]] = field(default_factory=list)
    """Boxes and radio buttons that are not ticked."""


@dataclass
class Page:
    """A response, with the parts of its page."""

    status: int
    url: URL
    headers: Mapping[str, str]
    html: str
    text: str = ""
    language: str = ""
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    alternates: dict[str, str] = field(default_factory=dict)
    """The same page in each language, by its tag."""
    forms: list[Form] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)

    def form(self, to: str) -> Form:
        """Return the form that goes to an address that holds these words."""
        (form,) = (f for f in self.forms if to in f.action and "language" not in f.action)
        return form

    def link(self, to: str) -> str:
        return next(link for link in self.links if to in link)


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self.words: list[str] = []
        self.open: list[str] = []
        """For each element that is open, in which language it is; in none, if it is as typed."""
        self.badly_set: list[str] = []
        self.form: Form | None = None
        self.select: str | None = None
        self.area: str | None = None
        self.in_words = False
        """Whether what came last is text, or a word of others' within it."""

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        page = self.page
        self.in_words &= tag == "bdi"
        if tag not in VOID:
            around = self.open[-1] if self.open else ""
            self.open.append("" if tag in _AS_TYPED else attributes.get("lang", around))
        page.attributes += [(tag, name, value) for name, value in attributes.items()]
        if "id" in attributes:
            page.ids.append(attributes["id"])
        match tag:
            case "html":
                page.language = attributes.get("lang", "")
            case "a":
                page.links.append(attributes["href"])
            case "link" if attributes["rel"] == "alternate":
                page.alternates[attributes["hreflang"]] = attributes["href"]
            case "link" if attributes["rel"] == "canonical":
                pass
            case "link" | "script" | "img":
                page.loads.append(attributes.get("href") or attributes.get("src", ""))
            case "form":
                assert attributes.get("hx-post", attributes["action"]) == attributes["action"]
                self.form = Form(attributes["action"])
                page.forms.append(self.form)
        if self.form is None:
            return
        name, value = attributes.get("name", ""), attributes.get("value", "")
        match tag:
            case "input" if (
                attributes.get("type") in {"checkbox", "radio"} and "checked" not in attributes
            ):
                self.form.offered.append((name, value))
            case "input":
                self.form.fields.append((name, value))
            case "select":
                self.select = name
            case "option" if "selected" in attributes and self.select:
                self.form.fields.append((self.select, value))
            case "textarea":
                self.area = name

    @override
    def handle_endtag(self, tag: str) -> None:
        self.in_words &= tag == "bdi"
        if tag not in VOID:
            self.open.pop()
        match tag:
            case "form":
                self.form = None
            case "select":
                self.select = None
            case "textarea":
                self.area = None

    @override
    def handle_data(self, data: str) -> None:
        if self.area is not None and self.form is not None:
            self.form.fields.append((self.area, data))
        if self.in_words:
            self.words[-1] += data
        else:
            self.words.append(data)
        self.in_words = True
        if self.open and self.open[-1] == "fr" and _BADLY_SET.search(data):
            self.badly_set.append(data)


async def read(response: ClientResponse) -> Page:
    """Read what came; no page of ours has a script or a style in it, whatever was typed."""
    html = await response.text(errors="replace")
    page = Page(response.status, response.url, response.headers, html)
    reader = _Reader(page)
    reader.feed(html)
    page.text = " ".join(" ".join(reader.words).split())
    assert not reader.badly_set, reader.badly_set
    assert "unsafe" not in response.headers.get("Content-Security-Policy", "")
    if response.content_type == "text/html":
        assert len(page.ids) == len(set(page.ids)), page.url
        assert not [name for _, name, _ in page.attributes if re.match(r"style$|on", name)]
        assert not re.search(r"<script(?![^>]*src=)", html), page.url
        # A figure, and its note in small print.
        assert "</strong><span" not in html, page.url
    return page


@dataclass
class Browser:
    """One person's browser, behind Home Assistant's ingress."""

    session: ClientSession
    url: URL
    user: str
    language: str

    async def open(self, path: str = "", **headers: str) -> Page:
        sent = self._headers(headers)
        async with self.session.get(self.url.join(URL(path)), headers=sent) as response:
            return await read(response)

    async def follow(self, page: Page, to: str) -> Page:
        return await self.open(str(page.url.join(URL(page.link(to)))))

    async def fill(self, path: str, to: str, *filled: tuple[str, str], **headers: str) -> Page:
        """Open a page, and send the form of it that goes there."""
        return await self.send(await self.open(path), to, *filled, **headers)

    async def send(
        self, page: Page, to: str, *filled: tuple[str, str], without: str = "", **headers: str
    ) -> Page:
        """Send the form with that action, its own fields and the filled-in ones."""
        form = page.form(to)
        named = {name for name, _ in filled}
        fields = [field for field in form.fields if field[0] not in {*named, without}]
        return await self.post(str(page.url.join(URL(form.action))), [*fields, *filled], **headers)

    async def post(self, path: str, fields: list[tuple[str, str]], **headers: str) -> Page:
        sent = self._headers(headers)
        async with self.session.post(
            self.url.join(URL(path)), data=fields, headers=sent
        ) as response:
            return await read(response)

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        sent = {
            "X-Remote-User-Id": self.user,
            "X-Ingress-Path": "/api/hassio_ingress/a-token",
            "Accept-Language": self.language,
        }
        present = {name: value for name, value in sent.items() if value}
        return present | {name.replace("_", "-"): value for name, value in headers.items()}
