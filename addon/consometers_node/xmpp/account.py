"""Who connects, and to which server."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
import ssl

from slixmpp import JID
from slixmpp.jid import InvalidJID

from .errors import NotAnAddress

RESOURCE = "quoalise"
"""Of a node's full address: peers ask name@server/quoalise."""


class Security(Enum):
    """How TLS begins."""

    EITHER = "either"
    DIRECT = "direct"
    """At once (XEP-0368)."""
    STARTTLS = "starttls"
    """Within the stream (RFC 6120 §5)."""


@dataclass(frozen=True, slots=True)
class Account:
    """An XMPP account. `jid` is bare, as XMPP prepares it."""

    jid: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no address of an account."""
        object.__setattr__(self, "jid", bare(self.jid))


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server is, when DNS is not to say it, and which authority it may have of its own.

    With host and port, no SRV record is asked for. `ca_file` (PEM) is trusted beside the system's.
    """

    host: str | None = None
    port: int | None = None
    security: Security = Security.EITHER
    ca_file: Path | None = None

    def tls(self) -> ssl.SSLContext:
        """Return how to check the server: always, and by name. Raises OSError on the file."""
        context = ssl.create_default_context()
        context.set_alpn_protocols(["xmpp-client"])
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        return context


@dataclass(frozen=True, slots=True)
class Identity:
    """An account, and where its server is."""

    account: Account
    server: Server


def bare(jid: str) -> str:
    """Prepare the bare address of an account. Raises `NotAnAddress`."""
    try:
        prepared = JID(jid.strip())
    except InvalidJID:
        raise NotAnAddress(found=jid) from None
    if not prepared.user or not prepared.host:
        raise NotAnAddress(found=jid)
    return prepared.bare
