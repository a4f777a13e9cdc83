"""The kit's session over slixmpp: an account, TLS that is verified, SCRAM."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import logging
from pathlib import Path
import ssl
from time import time
from typing import Final
from xml.etree.ElementTree import Element

from slixmpp import JID, ClientXMPP
from slixmpp.jid import InvalidJID
from slixmpp.stanza import Iq, Message
from slixmpp.xmlstream.stanzabase import StanzaBase

from . import stanzas
from .transport import Ended

LOGIN_SECONDS: Final = 30.0
LISTENING: Final = 1
"""Priority of a program that receives messages (RFC 6121 §8.5.2.1.1)."""
_MECHANISMS: Final = frozenset(
    f"SCRAM-{algorithm}{binding}"
    for algorithm in ("SHA-1", "SHA-256", "SHA-512")
    for binding in ("", "-PLUS")
)


class NoSession(Exception):
    """Why there is no session: a key of `words`, with facts for its sentence."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An account, and where its server is if DNS does not say so."""

    jid: str
    password: str = field(repr=False)
    resource: str
    host: str | None = None
    port: int | None = None
    ca_file: Path | None = None
    direct_tls: bool = False


class Session:
    """A transport over a stream of slixmpp, which leaves all stanzas to the kit."""

    def __init__(self, stream: ClientXMPP) -> None:
        self.jid: str = stream.boundjid.full
        self._stream = stream
        self._received: asyncio.Queue[Element | None] = asyncio.Queue()

    def deliver(self, stanza: Element | None) -> None:
        """Hand a stanza to the kit; None ends the session."""
        self._received.put_nowait(stanza)

    def send(self, stanza: Element) -> None:
        self._stream.send_raw(stanzas.serialised(stanza, stanzas.CLIENT))

    async def receive(self, seconds: float | None) -> Element:
        async with asyncio.timeout(seconds):
            stanza = await self._received.get()
        if stanza is None:
            self.deliver(None)
            raise Ended
        return stanza

    def now(self) -> float:
        return time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@asynccontextmanager
async def session(login: Login) -> AsyncIterator[Session]:
    """Log in; log out at the end. Raises `NoSession`."""
    # It logs stanzas, with records and addresses.
    logging.getLogger("slixmpp").setLevel(logging.CRITICAL + 1)
    stream = _Stream(login, _account(login), _context(login))
    try:
        yield await stream.log_in()
    finally:
        await stream.leave()


class _Stream(ClientXMPP):
    """One attempt to log in: slixmpp would try again for ever."""

    def __init__(self, login: Login, jid: JID, context: ssl.SSLContext) -> None:
        super().__init__(
            jid,
            login.password,
            plugin_config={"feature_mechanisms": {"use_mechs": set(_MECHANISMS)}},
            ssl_context=context,
        )
        self._login = login
        self._session: asyncio.Future[Session] = self.loop.create_future()
        self.enable_direct_tls = login.direct_tls or login.host is None
        self.enable_starttls = not login.direct_tls
        self.whitespace_keepalive = False
        self.auto_authorize = None
        self.add_filter("in", self._take)
        self._why: tuple[str, object] = ("unreachable", "")
        handlers = {
            "session_start": self._start,
            "connection_failed": self._note,
            "ssl_invalid_chain": self._untrusted,
            "failed_auth": lambda _event: self._fail("wrong_password"),
            "no_auth": lambda _event: self._fail("no_login"),
            "stream_error": lambda error: self._fail("ended_by_server", why=error["condition"]),
            "disconnected": self._lost,
        }
        for event, handler in handlers.items():
            self.add_event_handler(event, handler)

    async def log_in(self) -> Session:
        """Return the session. Raises `NoSession`."""
        attempt = self.connect(self._login.host, self._login.port)
        try:
            async with asyncio.timeout(LOGIN_SECONDS):
                await asyncio.wait({attempt, self._session}, return_when=asyncio.FIRST_COMPLETED)
                if not self.is_connected():
                    key, why = self._why
                    self._fail(key, why=why)
                return await self._session
        except TimeoutError:
            raise NoSession("unreachable", host=self._place, why="no answer") from None

    async def leave(self) -> None:
        """Log out, and leave no task behind."""
        self._session.cancel()
        if self.is_connected():
            await self.disconnect(wait=2)
        self.cancel_connection_attempt()
        self.abort()
        for name in list(self.scheduled_events):
            self.cancel_schedule(name)
        if self._run_out_filters is not None:
            self._run_out_filters.cancel()

    def reschedule_connection_attempt(self) -> None:
        """Try no second time."""

    @property
    def _place(self) -> str:
        return f"{self._login.host or self.default_domain}:{self._login.port or 'DNS'}"

    def _take(self, stanza: StanzaBase) -> StanzaBase | None:
        if not isinstance(stanza, Iq | Message) or not self._session.done():
            return stanza
        if not self._session.cancelled() and self._session.exception() is None:
            self._session.result().deliver(stanza.xml)
        return None

    def _start(self, _event: object) -> None:
        self.send_presence(ppriority=LISTENING)
        if not self._session.done():
            self._session.set_result(Session(self))

    def _note(self, why: object) -> None:
        """Remember why an address failed; a certificate is the better reason."""
        if isinstance(why, ssl.SSLError):
            self._why = ("untrusted", _short(why))
        elif self._why[0] != "untrusted":
            self._why = ("unreachable", _short(why))

    def _untrusted(self, why: object) -> None:
        self._note(why)
        self._fail("untrusted", why=_short(why))

    def _lost(self, reason: object) -> None:
        # It comes before the refusal of a certificate, and with its reason.
        self._note(reason or "the connection was closed")
        if self._session.done() and not self._session.cancelled() and not self._session.exception():
            self._session.result().deliver(None)
        key, why = self._why
        self._fail(key, why=why)

    def _fail(self, key: str, **facts: object) -> None:
        if not self._session.done():
            jid = self.requested_jid.bare
            self._session.set_exception(NoSession(key, host=self._place, jid=jid, **facts))
            self._session.exception()


def _account(login: Login) -> JID:
    try:
        jid = JID(login.jid)
    except InvalidJID:
        raise NoSession("no_account", jid=login.jid) from None
    if not jid.user:
        raise NoSession("no_account", jid=login.jid)
    jid.resource = jid.resource or login.resource
    return jid


def _context(login: Login) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if login.ca_file is not None:
        try:
            context.load_verify_locations(login.ca_file)
        except OSError as error:
            why = error.strerror or "PEM"
            raise NoSession("no_file", file=login.ca_file, why=why) from None
    return context


def _short(why: object) -> str:
    if isinstance(why, ssl.SSLCertVerificationError):
        return why.verify_message
    if isinstance(why, OSError):
        return why.strerror or str(why)
    return str(why)[:100]
