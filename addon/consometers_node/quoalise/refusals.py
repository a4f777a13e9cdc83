"""Messages for people where a peer, or a server on the way to it, refuses a request."""

from .errors import Malformed, QuoaliseError, UpstreamError
from .text import Text, around, text

_REFUSES = text("{peer} refuses: {said}")
_UPSTREAM = text("The source of {peer}'s data ({issuer}) refuses, with the code {code}: {said}")
_UNREADABLE = text("The answer of {peer} cannot be read ({said}) Inform its operator.")
_NOBODY = text("{peer} is offline: its node is not running, or the address is wrong.")
_NO_SERVER = text(
    "The server of {peer} cannot be reached from yours: check the address, or try later."
)
_BY_CONDITION = {
    "service-unavailable": _NOBODY,
    "recipient-unavailable": _NOBODY,
    "remote-server-not-found": _NO_SERVER,
    "remote-server-timeout": _NO_SERVER,
}


def refusal(peer: str, error: QuoaliseError) -> Text:
    """Return who refuses, and why."""
    match error:
        case UpstreamError():
            issuer, code = error.issuer or "?", error.code or "?"
            return around(_UPSTREAM, error.text, peer=peer, issuer=issuer, code=code)
        case Malformed():
            return around(_UNREADABLE, error.text, peer=peer)
        case _:
            return around(_BY_CONDITION.get(error.condition, _REFUSES), error.text, peer=peer)
