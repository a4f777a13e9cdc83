"""CSRF protection: each form carries a token that only its reader has."""

import hmac
from urllib.parse import urlsplit

from aiohttp import web

FIELD = "token"


class FormTokens:
    """Makes and verifies tokens, also across restarts of the node."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def of_person(self, person: str) -> str:
        return hmac.new(self._secret, b"form\0" + person.encode(), "sha256").hexdigest()

    def are_ours(self, request: web.Request, person: str, typed: str) -> bool:
        """Return whether a form comes from a page of ours that this person was shown."""
        right = hmac.compare_digest(self.of_person(person).encode(), typed.encode())
        return right and _is_from_here(request)


def _is_from_here(request: web.Request) -> bool:
    """Trust the browser, where it names the site that a form comes from."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    # Home Assistant's ingress asks the node by another name than the browser asked it.
    hosts = {request.headers.get("X-Forwarded-Host"), request.headers.get("Host")}
    try:
        return urlsplit(origin).netloc in hosts - {None, ""}
    except ValueError:
        return False
