"""Passwords: what is accepted, and how one is hashed and checked.

A database holds the Argon2id of a password alone: a person who reads it cannot log in with that.
"""

import asyncio
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from consometers_node.i18n.text import text

from .errors import AccountFault

LEAST_PASSWORD, MAX_PASSWORD = 12, 1000
AT_ONCE = 20
"""Passwords of strangers that may wait for their check; more are refused for now."""
KNOWN_AT_ONCE = 10
"""Further places, for browsers in which their owner logged in before."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_DECOY_BYTES = 32
_GROUPS, _IN_GROUP = 5, 5

_TOO_SHORT = text("Write at least {least} characters: a few words in a row are easy to remember.")
_TOO_LONG = text("Write at most {most} characters.")
_LIKE_NAME = text("Your name is easy to guess: choose another password.")


class BadPassword(AccountFault):
    """A password is too short, too long, or the name of its owner."""

    condition = "bad-password"


class Busy(Exception):
    """Too many passwords wait to be checked."""


class Passwords:
    """Hashes passwords, one at a time and beside the loop: each takes 46 MiB, and a tenth second.

    That is above what OWASP asks of Argon2id, and leaves room on a server of 1 GiB.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Prepare; tests pass a cheaper `hasher`."""
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=46 * 1024, parallelism=1)
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash of a password. Raises Busy."""
        return await self._in_turn(password, None)

    async def check(self, hashed: str | None, password: str, *, is_known: bool = False) -> bool:
        """Return whether a password has this hash. Raises Busy.

        It takes the same time without a hash, where nobody has the name. The check `is_known` where
        it comes from a browser that has logged in before.
        """
        if self._decoy is None:
            self._decoy = await self.hash(secrets.token_urlsafe(_DECOY_BYTES))
        try:
            await self._in_turn(password, hashed or self._decoy, is_known=is_known)
        except VerificationError, InvalidHashError:
            return False
        return hashed is not None

    def is_weak(self, hashed: str) -> bool:
        """Return whether the parameters of a hash are outdated."""
        return self._hasher.check_needs_rehash(hashed)

    async def _in_turn(self, password: str, hashed: str | None, *, is_known: bool = True) -> str:
        if self._waiting >= AT_ONCE + (KNOWN_AT_ONCE if is_known else 0):
            raise Busy
        self._waiting += 1
        normalized = unicodedata.normalize("NFC", password[: MAX_PASSWORD + 1])
        try:
            async with self._turn:
                return await asyncio.to_thread(self._work, normalized, hashed)
        finally:
            self._waiting -= 1

    def _work(self, password: str, hashed: str | None) -> str:
        if hashed is None:
            return self._hasher.hash(password)
        self._hasher.verify(hashed, password)
        return hashed


def new_password() -> str:
    """Generate a password that can be typed from a sheet of paper: 123 bits."""
    return "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(_IN_GROUP)) for _ in range(_GROUPS)
    )


def check_password(name: str, password: str) -> None:
    """Raise BadPassword for an unacceptable password."""
    if len(password) < LEAST_PASSWORD:
        raise BadPassword(_TOO_SHORT.fill(least=LEAST_PASSWORD))
    if len(password) > MAX_PASSWORD:
        raise BadPassword(_TOO_LONG.fill(most=MAX_PASSWORD))
    if not password.casefold().replace(name.casefold(), "").strip():
        raise BadPassword(_LIKE_NAME)
