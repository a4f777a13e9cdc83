"""A mail server on loopback, as providers have them: encryption and a password, or neither."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
import ssl
from typing import Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "localhost"
USER, PASSWORD = "alerts@energies.test", "three boats"
REFUSED = "nobody@energies.test"
QUEUED = "250 2.0.0 Ok: queued as 4bX"


@dataclass
class Postbox:
    """What came, and where."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        if address == REFUSED:
            return f"550 5.1.1 <{address}>: Recipient address rejected"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.came.set()
        return QUEUED

    def log_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = data == LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=right)


@asynccontextmanager
async def running(
    tls: ssl.SSLContext | None = None, how: Literal["starttls", "tls", "none"] = "none"
) -> AsyncIterator[Postbox]:
    """Listen. With STARTTLS, nobody sends without having logged in."""
    postbox, loop = Postbox(), asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(
            postbox,
            hostname=HOST,
            loop=loop,
            tls_context=tls if how == "starttls" else None,
            require_starttls=how == "starttls",
            auth_required=how == "starttls",
            auth_require_tls=how == "starttls",
            authenticator=postbox.log_in if how != "none" else None,
        )

    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if how == "tls" else None)
    postbox.port = server.sockets[0].getsockname()[1]
    async with server:
        yield postbox
        server.close()
        server.close_clients()
