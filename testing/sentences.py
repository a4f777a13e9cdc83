"""What errors of the protocol say to people."""

from collections.abc import Callable
import re

from consometers_node.i18n.protocol import sentence
from consometers_quoalise import ProtocolError


def says(pattern: str) -> Callable[[ProtocolError], bool]:
    """Return a check for `pytest.raises`: the sentence of an error in English has a pattern."""
    return lambda error: re.search(pattern, sentence(error).say("en")) is not None
