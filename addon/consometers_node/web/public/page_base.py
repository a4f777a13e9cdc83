"""The base of all public answers: language, time, rendering."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
import logging
from typing import Any

from aiohttp import hdrs, web

from consometers_node.collective.about import load_about
from consometers_node.collective.challenges.register import all_challenges
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.publication.policy import InForce
from consometers_node.collective.publication.reading.queries import ALL, Place, Published
from consometers_node.collective.settings import Settings
from consometers_node.i18n.text import Text, text
from consometers_node.rate_limit import TokenBucket
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.core import language
from consometers_node.web.core.access import Handler, is_known
from consometers_node.web.core.page_base import PageBase
from consometers_node.web.core.rate_limit import BYTES_A_TOKEN, TooMany, Turns, asker
from consometers_node.web.core.request_context import PageRequest
from consometers_node.web.core.speech import Language

from .headers import allow_reading, preflight
from .response_cache import ResponseCache

type Look = Callable[[PublicPages, Guest], Awaitable[web.StreamResponse]]

STATIC = "/static/"
DATA = "/data"
TAKE_PART = "/take-part"
WITNESS = "/witness"

_ERRORS = {
    400: text("This address cannot be read."),
    404: text("There is nothing at this address: the link may be old, or mistyped."),
    405: text("This page is read-only."),
    413: text("The request is too large."),
    421: text(
        "These pages are not known under this name. Their operator can add it to “page.names” in"
        " the settings."
    ),
    429: text("Too many requests in a short time: try again in a moment."),
    500: text("An error occurred here. It was logged; try again later."),
}

_FAILED = text("A public page could not be made.")
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Guest(PageRequest):
    """A public request. `language` formats for the collective's time zone."""

    now: datetime

    @property
    def origin(self) -> str:
        """The URL of these pages, as requested."""
        # Only a visitor that forges it gets this answer.
        forwarded = self.request.headers.get("X-Forwarded-Proto", "").strip()
        scheme = "https" if forwarded == "https" else self.request.scheme
        return f"{scheme}://{self.request.host}"

    @property
    def today(self) -> date:
        """The civil day of the collective."""
        return self.now.date()


class PublicPages(PageBase):
    """Answers anybody, from released figures only."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        version: str,
        *,
        rules: InForce,
        limits: TokenBucket,
        now: Callable[[], datetime],
        cache: ResponseCache | None = None,
    ) -> None:
        super().__init__(version)
        self.store = store
        self.settings = settings
        self.about = settings.about
        self.last_day: date | None = None
        self.has_challenges = False
        self.has_figures = True
        self.has_sites = False
        self._rules = rules
        self._limits = limits
        self._turns = Turns()
        self._cache = cache or ResponseCache(None)
        self._now = now

    @property
    def publication(self) -> Publication:
        """The current rules of publication."""
        return self._rules.now.publication

    @property
    def published(self) -> Published:
        """The released figures, under the current rules."""
        settings = self.settings
        return Published(settings.identifier, settings.time_zone, self.publication)

    def looks(self, look: Look) -> Handler:
        """Make a handler for a public address."""

        async def handle(request: web.Request) -> web.StreamResponse:
            guest = self.guest(request)
            # No other parameter is read, so that none makes another answer.
            key = (request.path, guest.origin, guest.language.tag)
            response = await self._cache.answer(key, guest.now, lambda: self._make(look, guest))
            language.remember(request, response)
            return _unless_known(request, response)

        return handle

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer within the rate limit, and turn errors into pages."""
        try:
            return await self._answer(request, handler)
        except web.HTTPException as answer:
            if answer.status < 400:
                raise
            return self._refuse(request, answer.status, answer.headers)
        except asyncio.CancelledError, ConnectionError:
            raise
        except Exception:
            _LOGGER.exception(_FAILED)
            return self._refuse(request, 500)

    def public_address(self, guest: Guest) -> str:
        """Return the URL of these pages for readers elsewhere: a wall may ask by a local name."""
        names = self.settings.page.names
        if not names or guest.request.url.host in names:
            return guest.origin
        return f"https://{names[0]}"

    async def read_about(self, connection: AsyncConnection) -> None:
        """Read the collective's description and its last closed day, for the pages to be made."""
        self.about = await load_about(connection, self.settings.about)
        self.last_day = await self.published.last_day(connection)
        self.has_figures = bool(self.last_day or await self.place(connection))
        self.has_sites = await self.published.has_sites(connection)
        self.has_challenges = bool(await all_challenges(connection))

    async def place(self, connection: AsyncConnection, slug: str = ALL) -> Place | None:
        """Return a group by its name in addresses; None where it has no member yet."""
        return (await self.published.places(connection)).get(slug)

    def page(self, guest: Guest, template: str, *, status: int = 200, **model: Any) -> web.Response:
        """Render a page."""
        body = self.render(
            f"public/{template}",
            guest.language,
            root=guest.root,
            here=guest.request.path,
            title=self.settings.name,
            about=self.about,
            zone=self.settings.time_zone.key,
            origin=guest.origin,
            today_is=guest.today,
            last_day=self.last_day or guest.today,
            has_figures=self.has_figures,
            has_sites=self.has_sites,
            has_challenges=self.has_challenges,
            is_witness=bool(self.settings.witness_for),
            **model,
        )
        headers = {"Content-Language": guest.language.tag, "Vary": "Accept-Language, Cookie"}
        return tagged(body, "text/html", headers, status)

    async def _make(self, look: Look, guest: Guest) -> web.StreamResponse:
        async with self.store.reading() as connection:
            await self.read_about(connection)
        return await look(self, guest)

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if _is_open(request) and request.method == hdrs.METH_OPTIONS:
            return preflight()
        if request.path.startswith(STATIC):
            return await handler(request)
        address = asker(request, self.settings.page.proxies)
        seconds = self._limits.take(address)
        if seconds is not None:
            return self._refuse(request, 429, {"Retry-After": str(seconds)})
        if not is_known(request, self.settings.page.names):
            return self._refuse(request, 421)
        try:
            async with self._turns.turn(address):
                response = await handler(request)
        except TooMany:
            return self._refuse(request, 429, {"Retry-After": "1"})
        body = getattr(response, "body", None)
        size = len(body) if isinstance(body, bytes) else response.body_length
        self._limits.charge(address, size // BYTES_A_TOKEN)
        return response

    def _refuse(
        self, request: web.Request, status: int, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        words = _ERRORS.get(status, _ERRORS[400])
        if _is_open(request):
            response = problem(status, words)
            allow_reading(response)
        elif request.path.startswith(f"{WITNESS}/"):
            response = problem(status, words)
        else:
            guest = self.guest(request)
            response = self.page(
                guest, "refused.html", status=status, words=words, is_missing=status == 404
            )
        for name in ("Allow", "Retry-After"):
            if headers and name in headers:
                response.headers[name] = headers[name]
        return response

    def guest(self, request: web.Request) -> Guest:
        """Return the visitor of a request."""
        zone = self.settings.time_zone
        tag = language.requested(request)
        return Guest(request, Language(tag, zone), self._now().astimezone(zone))


def tagged(
    body: str | bytes, kind: str, headers: Mapping[str, str], status: int = 200
) -> web.Response:
    """Make a response of a text or a picture, with an ETag."""
    written, charset = (body.encode(), "utf-8") if isinstance(body, str) else (body, None)
    all_headers = dict(headers) | {"ETag": f'"{sha256(written).hexdigest()[:32]}"'}
    return web.Response(
        body=written,
        status=status,
        content_type=kind,
        charset=charset,
        headers=all_headers,
    )


def _is_open(request: web.Request) -> bool:
    """Return whether open data are requested, which scripts of any page may read."""
    return request.path.startswith(f"{DATA}/")


def _unless_known(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Answer 304 where the client has the same text."""
    tag = response.headers.get("ETag")
    asked = request.headers.get("If-None-Match", "").split(",")
    is_known = tag in [etag.strip().removeprefix("W/") for etag in asked]
    if response.status != 200 or not is_known or response.cookies:
        return response
    same = web.Response(status=304, headers=response.headers)
    for name in ("Content-Type", "Content-Length"):
        same.headers.pop(name, None)
    return same


def problem(status: int, words: Text, detail: Text | None = None) -> web.Response:
    """Return an error as in RFC 9457."""
    body = {"status": status, "title": words.say("en"), "title_fr": words.say("fr")}
    if detail is not None:
        body |= {"detail": detail.say("en"), "detail_fr": detail.say("fr")}
    return web.json_response(body, status=status, content_type="application/problem+json")


def now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)
