"""The stretching of passwords."""

from base64 import b64decode
from time import thread_time

import pytest
from slixmpp.util.sasl.client import SASLFailed

from consometers_node.xmpp.stream import stretch

SALT = b64decode("QSXCR+Q6sek8bf92")


def test_a_password_is_stretched_as_in_the_example_of_rfc_5802() -> None:
    salted = stretch("SHA-1", b"pencil", SALT, 4096)
    assert salted.hex() == "1d96ee3a529b5a5f9e47c01f229a2cb8a6e15f7d"


@pytest.mark.parametrize("rounds", [-1, 0, 1_000_001, 10**12])
def test_a_server_cannot_keep_us_busy(rounds: int) -> None:
    began = thread_time()
    with pytest.raises(SASLFailed):
        stretch("SHA-256", b"pencil", SALT, rounds)
    assert thread_time() - began < 0.1
