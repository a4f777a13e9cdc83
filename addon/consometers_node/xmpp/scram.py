"""The slow step of a SCRAM login (RFC 5802 §3, Hi), done by OpenSSL.

slixmpp does it in Python: 10,000 rounds, Prosody's default, hold up a desktop's loop for 20 ms and
a small box's for far longer; and it does as many as the server says.
"""

from functools import partial
from hashlib import pbkdf2_hmac

from slixmpp.util.sasl.client import SASLFailed
from slixmpp.util.sasl.mechanisms import SCRAM

MAX_ROUNDS = 1_000_000


def hasten(mechanism: object) -> None:
    """Make a mechanism of slixmpp use `stretch`."""
    if isinstance(mechanism, SCRAM):
        hasty = partial(stretch, mechanism.hash_name)
        mechanism.Hi = hasty  # type: ignore[method-assign]


def stretch(hash_name: str, password: bytes, salt: bytes, rounds: int) -> bytes:
    """Return the salted password. Raises SASLFailed on more rounds than anyone needs."""
    if not 0 < rounds <= MAX_ROUNDS:
        raise SASLFailed("rounds")  # type: ignore[no-untyped-call]
    return pbkdf2_hmac(hash_name.lower().replace("-", ""), password, salt, rounds)
