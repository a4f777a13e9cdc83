"""The scheme of docs/protected-sums.md a second time, by another library, from the page alone.

    .venv/bin/python -m tests.node.protected_sums.independent

prints the test vectors, as `vectors.json` has them.
"""

from datetime import UTC, date, datetime, timedelta
import json
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEPT = timedelta(days=35)
"""How long a witness keeps a key."""
WAITED = timedelta(days=34)
"""How long an hour waits for its witness."""


def derived(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(key)


def key_of(first: bytes, days: int) -> bytes:
    for _ in range(days):
        first = derived(first, "next")
    return first


def number(value: float) -> bytes:
    return int(value).to_bytes(8, "big", signed=True)


def subject(about: tuple[str, str], hour: datetime) -> bytes:
    names = [name.encode() for name in ("consometers report 1", *about)]
    sized = b"".join(len(name).to_bytes(2, "big") + name for name in names)
    return sized + number((hour - EPOCH) / timedelta(hours=1))


def nonce_of(secret: bytes, day: date, about: tuple[str, str], hour: datetime, wh: int) -> bytes:
    code = HMAC(secret, SHA256())
    code.update(number((day - EPOCH.date()).days) + subject(about, hour) + number(wh))
    return code.finalize()[:16]


def report(
    key: bytes, about: tuple[str, str], hour: datetime, nonce: bytes, wh: int
) -> tuple[int, int]:
    code = HMAC(key, SHA512())
    code.update(subject(about, hour) + nonce)
    digest = code.finalize()
    m1, m2 = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:24], "big")
    return (wh + m1) % 2**64, (wh**2 + m2) % 2**128


def vectors() -> list[dict[str, Any]]:
    """Return reports that an implementation has to make alike; bytes are in hexadecimal."""
    first = bytes(range(32))
    rows = []
    for number, (direction, wh, days) in enumerate(
        [("consumption", 0, 0), ("consumption", 412, 0), ("injection", 36_000, 1),
         ("consumption", 1, 34)]
    ):  # fmt: skip
        enrolled = date(2026, 11, 1)
        hour = datetime(2026, 11, 1, number, tzinfo=UTC)
        day = enrolled + timedelta(days=days)
        nonce = nonce_of(bytes(range(32, 64)), day, ("energies.example", direction), hour, wh)
        key = key_of(first, days)
        y1, y2 = report(key, ("energies.example", direction), hour, nonce, wh)
        rows.append({
            "first_key": first.hex(),
            "enrolled": enrolled.isoformat(),
            "authentication_key": derived(first, "authentication").hex(),
            "collective": "energies.example",
            "direction": direction,
            "hour": hour.isoformat(),
            "day": day.isoformat(),
            "key": key.hex(),
            "nonce_secret": bytes(range(32, 64)).hex(),
            "nonce": nonce.hex(),
            "wh": wh,
            "y1": f"{y1:016x}",
            "y2": f"{y2:032x}",
        })  # fmt: skip
    return rows


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=2))
