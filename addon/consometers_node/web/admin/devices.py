"""Browsers that an administrator has used: strangers' attempts do not lock them out.

The cookie is sealed with the hash of the password, so that it holds until that changes, and
says nothing of it: the salt alone cannot be guessed.
"""

from hashlib import sha256
import hmac
import re
import secrets

COOKIE = "consometers-admin-browser"
KEPT_S = 365 * 24 * 3600

_TELLS = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9a-f]{64})")
_BROWSER_BYTES = 16


def seal(name: str, password_hash: str) -> str:
    """Return a cookie for a browser that this administrator logged in from."""
    browser = secrets.token_urlsafe(_BROWSER_BYTES)
    return f"{browser}.{_mac(browser, name, password_hash)}"


def browser_of(cookie: str, name: str, password_hash: str | None) -> str | None:
    """Return the id of this browser, None unless this administrator logged in from it."""
    match = _TELLS.fullmatch(cookie)
    if match is None or password_hash is None:
        return None
    browser, mac = match.groups()
    return browser if hmac.compare_digest(mac, _mac(browser, name, password_hash)) else None


def _mac(browser: str, name: str, password_hash: str) -> str:
    return hmac.new(password_hash.encode(), f"{browser}\0{name}".encode(), sha256).hexdigest()
