"""Access control: Home Assistant's ingress to the pages, holders of the token to the API.

Ingress has let a person in before a request comes here, and says who that is in headers. So
whatever is not ingress is refused, whatever its headers say: what counts is who connects.
"""

from collections.abc import Awaitable, Callable, Collection
import hmac

from aiohttp import hdrs, web

from consometers_node.i18n.text import Text, text
from consometers_node.rate_limit import TokenBucket

from .rate_limit import address_of, home_of, peer_of

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

INGRESS = frozenset({"172.30.32.2"})
"""Where the Supervisor's ingress connects from."""
HEALTH = "/health"
API = "/api/"
ADMINISTRATION = "/administration"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    # With no referrer at all, browsers hide from us that a form is of our own page.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_LOCAL = (".localhost", ".local", ".internal", ".home.arpa")
_WRONG_AT_ONCE, _WRONG_A_SECOND = 10, 10 / 60


class AccessControl:
    """Accepts or refuses requests."""

    def __init__(self, token: str, ingress: Collection[str] = INGRESS) -> None:
        self._token = token.encode()
        self._ingress = frozenset(ingress)
        self._wrong = TokenBucket(_WRONG_AT_ONCE, _WRONG_A_SECOND)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse requests without access."""
        return self._refuse(request) or await handler(request)

    def _refuse(self, request: web.Request) -> web.Response | None:
        peer = peer_of(request.transport)
        if request.path.startswith(API):
            return self._refuse_without_token(request)
        if peer in self._ingress:
            return None
        address = address_of(peer)
        is_here = address is not None and address.is_loopback and is_known(request)
        return None if request.path == HEALTH and is_here else _forbidden()

    def _refuse_without_token(self, request: web.Request) -> web.Response | None:
        """Refuse a wrong token. The right one is always accepted, whatever others have tried."""
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token):
            return None
        seconds = self._wrong.take(home_of(peer_of(request.transport)))
        if seconds is None:
            return problem(401, "not-authorized", _NO_TOKEN)
        refused = problem(429, "too-many-requests", _TOO_MANY)
        refused.headers[hdrs.RETRY_AFTER] = str(seconds)
        return refused


def problem(status: int, condition: str, words: Text) -> web.Response:
    """Answer an error in the API's format."""
    error = {"condition": condition, "message": dict(words.by_language)}
    return web.json_response({"error": error}, status=status)


_NO_TOKEN = text("The token is missing or wrong: “consometers-node api” shows it.")
_TOO_MANY = text("Too many wrong tokens: try again in a minute.")
_FORBIDDEN = text("This page only opens in Home Assistant.")


def _forbidden() -> web.Response:
    body = "".join(f"{sentence}\n" for sentence in _FORBIDDEN.by_language.values())
    return web.Response(status=403, text=body)


async def harden(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers of a response before it is sent: a signal of aiohttp's applications."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "consometers"


def is_known(request: web.Request, names: Collection[str] = ()) -> bool:
    """Return whether a request is for one of these names, an address or a local name.

    A browser that was lured to a name of somebody else may believe that this name is here, and then
    lets that page read ours (DNS rebinding). A name that nobody on the Internet can own is safe.
    """
    name = request.host.lower()
    if name.startswith("["):
        return True
    name = name.rpartition(":")[0] or name
    name = name.removesuffix(".")
    is_local = "." not in name or address_of(name) is not None or name.endswith(_LOCAL)
    return is_local or name in names
