"""What went wrong on the network, to a person who waits before a page: it is not tried again."""

from ..quoalise import Text
from ..quoalise.text import text
from ..xmpp import NetworkError

_ONCE = {
    "Unreachable": text(
        "The server {host} cannot be reached: check the address and your Internet access, then try"
        " again."
    ),
    "Interrupted": text("The server {host} closed the connection: try again."),
    "TemporaryFailure": text(
        "The server {host} cannot log anyone in at the moment: try again later."
    ),
    "CertificateRefused": text(
        "The server {host} does not prove who it is: nothing was sent to it. Check the address, or"
        " warn whoever runs it."
    ),
    "NotALink": text(
        "This is not an invitation. Copy all of it: it begins with xmpp: and is one line."
    ),
}


def said(fault: NetworkError) -> Text:
    """Say it once, without the promise to try again."""
    words = _ONCE.get(type(fault).__name__)
    return fault.text if words is None else words.fill(**fault.found)
