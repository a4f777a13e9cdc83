"""The key of a day, under which a home masks its reports. Pure.

A home and its witness share it. It is replaced each UTC day by one that is derived from it: nobody
computes an older key from a newer one.
"""

from dataclasses import dataclass, field
from datetime import date
import hashlib
import hmac
from typing import Final

from .errors import PastKey, WrongLength

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class DayKey:
    """The key that masks the reports made on one UTC day. Its `repr` does not show it.

    Raises WrongLength where it does not have `KEY_BYTES` bytes.
    """

    day: date
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise WrongLength(name="key", wanted=KEY_BYTES)

    def on(self, day: date) -> DayKey:
        """Return the key of this day or of a later one. Raises PastKey."""
        if day < self.day:
            raise PastKey(day=day, oldest=self.day)
        secret = self.secret
        for _ in range((day - self.day).days):
            secret = _derived(secret, b"next")
        return DayKey(day, secret)

    def authentication_key(self) -> bytes:
        """Return the key of a home's requests to its witness. It is derived from the first key."""
        return _derived(self.secret, b"authentication")


def _derived(secret: bytes, purpose: bytes) -> bytes:
    """Return 32 bytes of HKDF-SHA256 (RFC 5869) without salt, which are its first block."""
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), secret, "sha256")
    return hmac.digest(extracted, purpose + b"\x01", "sha256")
