"""Who may connect: Home Assistant's ingress to the pages, whoever holds the token to the API.

Ingress has let a person in before a request comes here, and says who that is in headers. So
whatever is not ingress is refused, whatever its headers say: what counts is who connects.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Collection
import hmac
import ipaddress
import time

from aiohttp import web

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

INGRESS = frozenset({"172.30.32.2"})
"""Where the Supervisor's ingress connects from."""
HEALTH = "/health"
API = "/api/"

_HEADERS = {
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
_WRONG_A_MINUTE = 10
_MINUTE_S = 60.0


class Guard:
    """Lets requests in, or does not."""

    def __init__(self, token: str, ingress: Collection[str] = INGRESS) -> None:
        self._token = token.encode()
        self._ingress = frozenset(ingress)
        self._wrong: deque[float] = deque()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse who may not, and give each response its headers."""
        refused = self._refuse(request)
        try:
            response = refused or await handler(request)
        except web.HTTPException as answer:
            harden(answer)
            raise
        if not response.prepared:
            harden(response)
        return response

    def _refuse(self, request: web.Request) -> web.Response | None:
        peer = _peer(request)
        if request.path == HEALTH:
            return None if _is_loopback(peer) or peer in self._ingress else _forbidden()
        if request.path.startswith(API):
            return self._refuse_without_token(request)
        return None if peer in self._ingress else _forbidden()

    def _refuse_without_token(self, request: web.Request) -> web.Response | None:
        now = time.monotonic()
        while self._wrong and self._wrong[0] < now - _MINUTE_S:
            self._wrong.popleft()
        if len(self._wrong) >= _WRONG_A_MINUTE:
            return problem(429, "too-many-requests", *_TOO_MANY)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token):
            return None
        self._wrong.append(now)
        return problem(401, "not-authorized", *_NO_TOKEN)


def problem(status: int, condition: str, en: str, fr: str) -> web.Response:
    """Answer with an error, as the API tells it."""
    error = {"condition": condition, "message": {"en": en, "fr": fr}}
    return web.json_response({"error": error}, status=status)


_NO_TOKEN = (
    "The token is missing or wrong: “consometers-node api” shows it.",
    "Le jeton manque ou est faux : « consometers-node api » le montre.",
)
_TOO_MANY = (
    "Too many wrong tokens: try again in a minute.",
    "Trop de jetons faux : réessayez dans une minute.",
)
_FORBIDDEN = (
    "This page opens in Home Assistant alone.\nCette page ne s’ouvre que dans Home Assistant.\n"
)


def _forbidden() -> web.Response:
    return web.Response(status=403, text=_FORBIDDEN)


def harden(response: web.StreamResponse) -> None:
    """Give a response the headers that each has."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "consometers"


def _peer(request: web.Request) -> str:
    told = request.transport.get_extra_info("peername") if request.transport else None
    return str(told[0]) if told else ""


def _is_loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False
