"""The key of a day, and what a report made under it is about. Pure.

A home and its witness share a key, which is replaced each UTC day by one that is derived from it:
nobody computes an older key from a newer one. The masks of a report are expanded from it
(`reports`), over what the report is about and a nonce.

The nonce is synthetic, as in SIV (RFC 5297): a MAC of day, subject and value under a secret that
the home shares with nobody. So a report is a function of these, and what a home sends again, or a
restored backup of it, says nothing new; another value has another nonce.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
import hashlib
import hmac
import struct
from typing import Final

from ..series import Direction

KEY_BYTES: Final = 32
NONCE_SECRET_BYTES: Final = 32
NONCE_BYTES: Final = 16
MOST_WH: Final = 36_000
"""The most that a home reports for an hour: 36 kVA, the largest contract of a Linky meter."""

_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = struct.Struct(">q")


class PastKey(ValueError):
    """A past key was requested, which is forgotten: keys are derived forwards only."""


@dataclass(frozen=True, slots=True)
class DayKey:
    """The key that masks the reports made on one UTC day. Its `repr` does not show it.

    Raises ValueError where it does not have `KEY_BYTES` bytes.
    """

    day: date
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(self.secret)}")

    def on(self, day: date) -> DayKey:
        """Return the key of this day or of a later one. Raises PastKey."""
        if day < self.day:
            raise PastKey(f"the key of {day} was forgotten: the oldest is of {self.day}")
        secret = self.secret
        for _ in range((day - self.day).days):
            secret = _derived(secret, b"next")
        return DayKey(day, secret)

    def authentication_key(self) -> bytes:
        """Return the key of a home's requests to its witness. It is derived from the first key."""
        return _derived(self.secret, b"authentication")


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a value: the hour of a direction, for a collective.

    Raises ValueError where `hour` is not the start of an hour in UTC.
    """

    collective: str
    direction: Direction
    hour: datetime

    def __post_init__(self) -> None:
        if self.hour.utcoffset() != timedelta() or (self.hour - _EPOCH) % _HOUR:
            raise ValueError(f"no hour of UTC starts at {self.hour}")

    def encoded(self) -> bytes:
        """Return the bytes that masks are computed over, before the nonce."""
        names = b"".join(
            struct.pack(">H", len(name)) + name
            for name in (b"consometers report 1", self.collective.encode(), self.direction.encode())
        )
        return names + encoded_hour(self.hour)


def encoded_hour(hour: datetime) -> bytes:
    """Return the start of an hour: hours since 1970, in 8 bytes."""
    return _NUMBER.pack((hour - _EPOCH) // _HOUR)


def synthetic_nonce(secret: bytes, day: date, subject: bytes, wh: int) -> bytes:
    """Return the nonce of a value, for an encoded subject and the day of the key."""
    of_day = _NUMBER.pack((day - _EPOCH.date()).days)
    return hmac.digest(secret, of_day + subject + _NUMBER.pack(wh), "sha256")[:NONCE_BYTES]


def _derived(secret: bytes, purpose: bytes) -> bytes:
    """Return 32 bytes of HKDF-SHA256 (RFC 5869) without salt, which are its first block."""
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), secret, "sha256")
    return hmac.digest(extracted, purpose + b"\x01", "sha256")
