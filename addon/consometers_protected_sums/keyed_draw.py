"""Numbers that look random, and are the same each time for the same secret and subject. Pure."""

from collections.abc import Sequence
import hashlib
import hmac
import json

SECRET_BYTES = 32

_DRAWN_BYTES = 8


def keyed_draw(secret: bytes, most: int, *subject: str | int | Sequence[int]) -> int:
    """Return a number from 0 to `most`, each as likely as the others to anyone without the secret.

    It is HMAC-SHA256 over the subject as JSON, in which no two subjects are written alike.
    """
    digest = hmac.digest(secret, json.dumps(subject).encode(), hashlib.sha256)
    return int.from_bytes(digest[:_DRAWN_BYTES]) % (most + 1)
