"""Logins by password: the limit of attempts, the cookies, and browsers that are known again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
import hmac
import ipaddress
import re
import secrets
from typing import TYPE_CHECKING

from aiohttp import web

from consometers_node.accounts.passwords import BadPassword, Busy, Passwords, check_password
from consometers_node.i18n.text import Text, text
from consometers_node.rate_limit import GrowingWait
from consometers_quoalise_network.backoff import Backoff

from .rate_limit import asker

if TYPE_CHECKING:
    from consometers_node.settings_file.formats import Network

FREE_TRIES = 5
FREE_TRIES_OF_SITE = 40
"""A site has 65,536 networks of homes, and may try from each."""
TRIES = Backoff(2, 900, least=1)
"""Tries count for the address that they come from, never for the name: or anybody could lock its
owner out. A browser from which somebody logged in counts by itself."""
BUSY_S = 5

_BROWSER_KEPT_S = 365 * 24 * 3600
_SEALED = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9a-f]{64})")
_BROWSER_BYTES = 16
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_KEY_BYTES = 32
_SITE_BITS = 48
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})

WAIT = text("Too many passwords tried: try again in {seconds} s.")
_OLD_WRONG = text("This is not your present password.")
_TWICE = text("The two are not the same.")


class Later(Exception):
    """Too many passwords were tried, or wait for their check: retry in so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class BadPasswordForm(Exception):
    """A form for a new password has errors, by field."""

    def __init__(self, status: int, errors: Mapping[str, Text]) -> None:
        super().__init__(status)
        self.status = status
        self.errors = errors


@dataclass(frozen=True, slots=True)
class LoginCookies:
    """The cookies of one kind of account: its session, and a browser that was used before.

    Strangers' attempts do not lock a known browser out. Its cookie is sealed with the hash of the
    password, so that it holds until that changes, and says nothing of it: the salt alone cannot be
    guessed.
    """

    session: str
    path: str

    @property
    def browser(self) -> str:
        return f"{self.session}-browser"

    def key_of(self, request: web.Request) -> str:
        """Return the key of a browser, a new one where it has none."""
        cookie = request.cookies.get(self.session, "")
        return cookie if _KEY.fullmatch(cookie) else secrets.token_urlsafe(_KEY_BYTES)

    def give_key(self, response: web.StreamResponse, request: web.Request, key: str) -> None:
        """Set the session cookie, until the browser is closed."""
        self._set(response, request, self.session, key)

    def forget(self, response: web.StreamResponse) -> None:
        """Remove the session cookie."""
        response.del_cookie(self.session, path=self.path)

    def know_again(
        self, response: web.StreamResponse, request: web.Request, name: str, hashed: str
    ) -> None:
        """Remember a browser for the next login of this account."""
        browser = secrets.token_urlsafe(_BROWSER_BYTES)
        sealed = f"{browser}.{_mac(browser, name, hashed)}"
        self._set(response, request, self.browser, sealed, _BROWSER_KEPT_S)

    def browser_of(self, request: web.Request, name: str, hashed: str | None) -> str | None:
        """Return the id of a browser, None unless this account logged in from it."""
        match = _SEALED.fullmatch(request.cookies.get(self.browser, ""))
        if match is None or hashed is None:
            return None
        browser, mac = match.groups()
        return browser if hmac.compare_digest(mac, _mac(browser, name, hashed)) else None

    def _set(
        self,
        response: web.StreamResponse,
        request: web.Request,
        name: str,
        value: str,
        max_age: int | None = None,
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            path=self.path,
            httponly=True,
            samesite="Strict",
            secure=is_encrypted(request),
        )


@dataclass(frozen=True, slots=True)
class Login:
    """A right password. `stronger` is its new hash, where the stored one is outdated."""

    stronger: str | None


async def check_login(
    passwords: Passwords,
    tries: GrowingWait,
    cookies: LoginCookies,
    request: web.Request,
    proxies: Collection[Network],
    *,
    name: str,
    typed: str,
    hashed: str | None,
) -> Login | None:
    """Check the password of an account, `hashed` None where there is none. Raises Later.

    Return None for a wrong one.
    """
    browser = cookies.browser_of(request, name, hashed)
    if browser is None:
        sources = of_address(asker(request, proxies))
    else:
        sources = {f"browser {browser}": FREE_TRIES}
    take(tries, sources)
    try:
        if not await passwords.check(hashed, typed, is_known=browser is not None):
            return None
        assert hashed is not None
        stronger = await passwords.hash(typed) if passwords.is_weak(hashed) else None
    except Busy:
        raise Later(BUSY_S) from None
    tries.forget(sources)
    return Login(stronger)


async def check_own_password(
    passwords: Passwords, tries: GrowingWait, name: str, typed: str, hashed: str | None
) -> bool:
    """Check the password of somebody who is logged in, before what cannot be undone. Raises Later.

    An open session is no licence to guess.
    """
    sources = {f"logged in {name}": FREE_TRIES}
    take(tries, sources)
    try:
        good = await passwords.check(hashed, typed, is_known=True)
    except Busy:
        raise Later(BUSY_S) from None
    if good:
        tries.forget(sources)
    return good


async def changed_password(
    passwords: Passwords,
    tries: GrowingWait,
    name: str,
    hashed: str | None,
    form: Mapping[str, tuple[str, ...]],
) -> str:
    """Return the hash of the new password that a form has. Raises BadPasswordForm."""
    old, new, again = (as_typed(form, field) for field in ("old", "new", "again"))
    try:
        if not await check_own_password(passwords, tries, name, old, hashed):
            raise BadPasswordForm(422, {"old": _OLD_WRONG})
    except Later as later:
        status = 503 if later.seconds == BUSY_S else 429
        raise BadPasswordForm(status, {"old": WAIT.fill(seconds=later.seconds)}) from None
    return await chosen_password(passwords, name, new, again, field="new")


async def chosen_password(
    passwords: Passwords, name: str, new: str, again: str, *, field: str
) -> str:
    """Return the hash of a password that was chosen, and typed twice. Raises BadPasswordForm."""
    try:
        check_password(name, new)
    except BadPassword as fault:
        raise BadPasswordForm(422, {field: fault.text}) from None
    if new != again:
        raise BadPasswordForm(422, {"again": _TWICE})
    try:
        return await passwords.hash(new)
    except Busy:
        raise BadPasswordForm(503, {field: WAIT.fill(seconds=BUSY_S)}) from None


def take(tries: GrowingWait, sources: Mapping[str, int]) -> None:
    """Count a try from sources. Raises Later."""
    wait = tries.take(sources)
    if wait is not None:
        raise Later(wait)


def as_typed(form: Mapping[str, tuple[str, ...]], name: str) -> str:
    """Return a password as it was typed, with the white space around it."""
    return form.get(name, ("",))[0]


def of_address(address: str) -> dict[str, int]:
    """Return the sources of an attempt from an address: of IPv6 also the whole site."""
    sources = {f"address {address}": FREE_TRIES}
    if ":" in address:
        site = ipaddress.IPv6Network(address).supernet(new_prefix=_SITE_BITS)
        sources[f"site {site}"] = FREE_TRIES_OF_SITE
    return sources


def is_encrypted(request: web.Request) -> bool:
    """Return whether a browser asked over TLS. A client that lies about it harms only itself."""
    return request.secure or request.headers.get("X-Forwarded-Proto", "").strip() == "https"


def is_open(request: web.Request) -> bool:
    """Return whether others on the network can read the password of a login."""
    return not is_encrypted(request) and request.host.rpartition(":")[0] not in _LOCAL


def _mac(browser: str, name: str, hashed: str) -> str:
    return hmac.new(hashed.encode(), f"{browser}\0{name}".encode(), sha256).hexdigest()
