"""An account on the network, and its server."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
import ssl

from .address import bare


class Security(Enum):
    """The start of TLS."""

    EITHER = "either"
    DIRECT = "direct"
    """At once (XEP-0368)."""
    STARTTLS = "starttls"
    """Within the stream (RFC 6120 §5)."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account. `jid` is bare, and prepared."""

    jid: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        """Raise NotAnAddress for an address without an account."""
        object.__setattr__(self, "jid", bare(self.jid))


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The server's host and port, where DNS does not name them, and its own authority.

    With host and port, no SRV record is asked for. `ca_file` (PEM) is trusted beside the system's.
    """

    host: str | None = None
    port: int | None = None
    security: Security = Security.EITHER
    ca_file: Path | None = None

    def tls(self) -> ssl.SSLContext:
        """Return the TLS context: it always verifies, and by name. Raises OSError on the file."""
        context = ssl.create_default_context()
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        return context


@dataclass(frozen=True, slots=True)
class Identity:
    """An account, and its server."""

    account: Account
    server: Server
