"""Browsers that an administrator logged in from before: no stranger's tries keep them out.

The cookie is sealed with what is kept of the password, so that it holds until that changes, and
says nothing of it: the salt alone cannot be guessed.
"""

from hashlib import sha256
import hmac
import re
import secrets

COOKIE = "consometers-admin-browser"
KEPT_S = 365 * 24 * 3600

_TELLS = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9a-f]{64})")
_NUMBER_BYTES = 16


def seal(name: str, kept: str) -> str:
    """Return a cookie for a browser that this administrator logged in from."""
    number = secrets.token_urlsafe(_NUMBER_BYTES)
    return f"{number}.{_mac(number, name, kept)}"


def number_of(cookie: str, name: str, kept: str | None) -> str | None:
    """Return which browser this is, None unless this administrator logged in from it."""
    found = _TELLS.fullmatch(cookie)
    if found is None or kept is None:
        return None
    number, mac = found.groups()
    return number if hmac.compare_digest(mac, _mac(number, name, kept)) else None


def _mac(number: str, name: str, kept: str) -> str:
    return hmac.new(kept.encode(), f"{number}\0{name}".encode(), sha256).hexdigest()
