"""One stream to one server: slixmpp's work, within our rules.

TLS or nothing, SCRAM or nothing; one attempt at a time, whose failure is a value; no redirection by
the server, no answer to strangers who want to see our presence, no stanza in a log.

Where slixmpp does otherwise, a comment "Upstream:" says what it does, in which function, as of its
release 1.17.0: what is here goes once that function does it. No report upstream is known of any.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from hashlib import pbkdf2_hmac
import logging
import socket
import ssl
from xml.etree.ElementTree import Element

from slixmpp import JID, ClientXMPP
from slixmpp.features.feature_mechanisms.stanza import Challenge
from slixmpp.stanza import Iq, Presence, StreamError, StreamFeatures
from slixmpp.util.sasl.client import SASLFailed
from slixmpp.util.sasl.mechanisms import SCRAM
from slixmpp.xmlstream.stanzabase import StanzaBase
from slixmpp.xmlstream.xmlstream import NotConnectedError

from consometers_quoalise import Code, ErrorType, Notice, OtherError, Words
from consometers_quoalise.elements.markup import tag, within
from consometers_quoalise_network import RESOURCE, Account, Security, Server
from consometers_quoalise_network.errors import (
    AccountDisabled,
    CertificateRefused,
    Interrupted,
    NetworkError,
    NoLogin,
    NotEncrypted,
    TakenOver,
    TemporaryFailure,
    Unreachable,
    WrongPassword,
)
from consometers_quoalise_network.rate_limit import SlidingWindow
from consometers_quoalise_network.transport import Speak

from .parsing import Emptied, Excess, Parser
from .replies import refuse

ATTEMPT_SECONDS = 30
ADDRESS_SECONDS = 6
"""For one address of a server: a machine that is off does not even refuse."""
CLOSE_SECONDS = 2
HEARD_PER_MINUTE = 240
"""Requests of one address. Further ones are dropped: to refuse costs as much as to answer."""
_MECHANISMS = frozenset(
    f"SCRAM-{algorithm}{binding}"
    for algorithm in ("SHA-1", "SHA-256", "SHA-512")
    for binding in ("", "-PLUS")
)
_WINDOW = 100
"""Stanzas that we send before we ask the server for an acknowledgement."""
MAX_ROUNDS = 1_000_000
"""Of SCRAM, which a server chooses."""
_ROSTER = tag("jabber:iq:roster", "query")
_LOGGER = logging.getLogger(__name__)


def quiet() -> None:
    """Keep slixmpp silent, unless someone chose a level for it.

    It logs stanzas, and with them records and addresses: received ones that it cannot parse even as
    errors. What matters of what it says, this room says in its own words. A developer who wants to
    see stanzas sets the level of a logger below `slixmpp`.
    """
    logger = logging.getLogger("slixmpp")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)


class Stream(ClientXMPP):
    """A stream that can be opened repeatedly; it resumes its session when the server can."""

    def __init__(
        self,
        account: Account,
        server: Server,
        resource: str = RESOURCE,
        language: str = "en",
        speak: Speak = Words,
    ) -> None:
        """Prepare a stream in the running loop. Raises OSError on an authority's file."""
        tls = server.tls()
        tls.set_alpn_protocols(["xmpp-client"])
        super().__init__(
            JID(f"{account.jid}/{resource}"),
            account.password,
            plugin_config={"feature_mechanisms": {"use_mechs": set(_MECHANISMS)}},
            lang=language,
            loop=asyncio.get_running_loop(),
            ssl_context=tls,
        )
        self.enable_direct_tls = server.security is not Security.STARTTLS
        self.enable_starttls = server.security is not Security.DIRECT
        self.whitespace_keepalive = False
        # None: requests to see our presence get no answer.
        self.auto_authorize = None
        self.auto_subscribe = False
        self.register_plugin("xep_0198", {"window": _WINDOW})
        # After the filter of xep_0198, which counts the stanzas dropped here.
        self.add_filter("in", self._sift)
        # After all others: what comes of it is no stanza any more.
        self.add_filter("out_sce", self._written)  # type: ignore[arg-type]
        self._rate = SlidingWindow(self.loop.time, HEARD_PER_MINUTE, sources=2_000)
        self._logged = SlidingWindow(self.loop.time, 1)
        self._server = server
        self._speak = speak
        self._failures: list[NetworkError] = []
        self._to_write = bytearray()
        self._negotiations: set[asyncio.Task[object]] = set()
        self._opened = self.loop.create_future()
        self.lost: asyncio.Future[NetworkError] = self.loop.create_future()
        handlers: dict[str, Callable[..., None]] = {
            "connection_failed": self._failed,
            "ssl_invalid_chain": self._untrusted,
            "failed_auth": self._refused,
            "no_auth": self._without_login,
            "stream_negotiated": self._negotiated,
            "session_resumed": self._succeed,
            "stream_error": self._stream_error,
            "disconnected": self._disconnected,
        }
        for event, handler in handlers.items():
            self.add_event_handler(event, handler)

    @property
    def encrypted(self) -> bool:
        """Whether what is sent now is encrypted."""
        return isinstance(self.socket, ssl.SSLObject | ssl.SSLSocket)

    @property
    def managed(self) -> bool:
        """Whether the server acknowledges stanzas (XEP-0198)."""
        return bool(self.plugin["xep_0198"].enabled_in)

    async def open(self) -> None:
        """Connect and log in, or resume. Raises `NetworkError`; the stream is closed then.

        After it, `lost` is a future that gets the reason for which the stream ended.
        """
        await self.drop()
        self._failures.clear()
        self._opened = self.loop.create_future()
        self.lost = self.loop.create_future()
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                attempt = self.connect()
                await asyncio.wait({attempt, self._opened}, return_when=asyncio.FIRST_COMPLETED)
                if not self.is_connected():
                    self._fail(self._worst())
                await self._opened
        except TimeoutError:
            await self.drop()
            raise Unreachable(host=self.default_domain, why="no answer") from None
        except BaseException:
            await self.drop()
            raise

    async def drop(self) -> None:
        """Leave silently, so that the session can be resumed."""
        self._give_up()
        if self.is_connected():
            await asyncio.wait({self.disconnected}, timeout=CLOSE_SECONDS)

    async def close(self) -> None:
        """End the session and the stream for good, at once if that is cancelled."""
        try:
            if self.is_connected():
                await self.disconnect(wait=CLOSE_SECONDS)
        finally:
            self._give_up()
            # Upstream: `XMLStream` cancels no timer of its `schedule` when it ends, and its task
            # `run_filters` in `__del__` alone.
            for name in list(self.scheduled_events):
                self.cancel_schedule(name)
            if self._run_out_filters is not None:
                self._run_out_filters.cancel()

    async def get_dns_records(
        self, domain: str, port: int | None = None
    ) -> list[tuple[str, str, str, int]]:
        """Return the server's address: all addresses of its host, or DNS's for the domain.

        Upstream: `XMLStream.connect(host, port)` leaves the addresses of a host to one
        `create_connection`, so that a time limit would be one for all of them.
        """
        host, port = self._server.host, self._server.port
        if host is None or port is None:
            return await super().get_dns_records(domain)
        try:
            addresses = await self.loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            return [("", domain, host, port)]  # The attempt to connect reports why.
        return [("", domain, str(place[0]), int(place[1])) for *_, place in addresses]

    async def _attempt_connection(
        self, host: str, port: int, tls: bool, server_hostname: str | None
    ) -> bool:
        """Skip an address that does not answer.

        Upstream: `XMLStream._attempt_connection` waits for one without a limit of its own.
        """
        try:
            async with asyncio.timeout(ADDRESS_SECONDS):
                return await super()._attempt_connection(host, port, tls, server_hostname)
        except TimeoutError:
            self._failed("no answer")
            return False

    def init_parser(self) -> None:
        """Read a new stream, stanza by stanza; `parsing` says why.

        Upstream: `XMLStream.init_parser` makes an `XMLPullParser` without any limit, and
        `XMLStream.data_received` never calls its `flush`.
        """
        super().init_parser()
        self.parser = Parser()  # type: ignore[assignment]  # it has what slixmpp uses of one

    def incoming_filter(self, xml: Element) -> Element:
        """Skip rosters: nobody asks for one.

        Upstream: `ClientXMPP._handle_roster` builds every item of one that a server pushes.
        """
        for roster in xml.findall(_ROSTER):
            xml.remove(roster)
        return xml

    def send_raw(self, data: str | bytes) -> None:
        """Write once what is sent in one turn of the loop: each write is a TLS record.

        Upstream: `XMLStream.send_raw` writes each stanza by itself.
        """
        if not self.transport:
            raise NotConnectedError
        if not self._to_write:
            self.loop.call_soon(self._write)
        self._to_write += data.encode() if isinstance(data, str) else data

    def _write(self) -> None:
        if self.transport:
            self.transport.write(bytes(self._to_write))
        self._to_write.clear()

    async def _handle_stream_features(self, features: StreamFeatures) -> bool | None:
        """Track the negotiation, which ends with its stream.

        Upstream: `ClientXMPP._handle_stream_features` runs in a task that nobody cancels, and waits
        on for an answer over a stream that is gone.
        """
        task = asyncio.current_task()
        assert task is not None
        self._negotiations.add(task)
        try:
            return await super()._handle_stream_features(features)
        finally:
            self._negotiations.discard(task)

    def _handle_stream_error(self, error: StreamError) -> None:
        """Follow no redirection.

        Upstream: `BaseXMPP._handle_stream_error` makes the host of a `see-other-host` the
        `default_domain`, so the certificate of that host is checked, against RFC 6120 §4.9.3.19.
        """
        self.event("stream_error", error)

    def _sift(self, stanza: StanzaBase) -> StanzaBase | None:
        """Drop what cost too much, requests beyond the rate limit, and presence.

        Upstream: `BaseXMPP` stores each sender of a presence in `roster`, without a limit.
        """
        asked = isinstance(stanza, Iq) and stanza["type"] in {"get", "set"}
        if isinstance(stanza.xml, Emptied):
            self._turn_away(stanza, stanza.xml.excess, asked=asked)
            # A request of ours gets its answer, without what was in it.
            return stanza if isinstance(stanza, Iq) and not asked else None
        if isinstance(stanza, Presence):
            return None
        if asked:
            return stanza if self._rate.take(stanza["from"].bare) else None
        if isinstance(stanza, Challenge):
            mechanism = self.plugin["feature_mechanisms"].mech
            # Upstream: `feature_mechanisms` makes the mechanism itself, and has no hook for `Hi`.
            if isinstance(mechanism, SCRAM):
                mechanism.Hi = partial(stretch, mechanism.hash_name)  # type: ignore[method-assign]
        return stanza

    def _written(self, stanza: StanzaBase) -> str:
        """Return a stanza as it is sent.

        Upstream: `tostring` takes several times as long, for it looks at each character.
        """
        return within(stanza.xml, self.default_ns)

    def _turn_away(self, stanza: StanzaBase, excess: Excess, *, asked: bool) -> None:
        """Refuse a request that was emptied, as far as its sender may ask; log it at times."""
        if self._logged.take(excess.name):
            _LOGGER.warning(Notice(excess))
        if asked and self._rate.take(stanza["from"].bare):
            refusal = OtherError("policy-violation", ErrorType.MODIFY, code=Code.TOO_COMPLEX)
            refuse(stanza, refusal, self._speak)

    def _give_up(self) -> None:
        self.cancel_connection_attempt()
        self.abort()
        for task in self._negotiations:
            task.cancel()

    def _failed(self, why: object) -> None:
        self._failures.append(self._failure(why, Unreachable))

    def _untrusted(self, why: ssl.SSLError) -> None:
        self._fail(self._certificate(why))

    def _certificate(self, why: ssl.SSLError) -> NetworkError:
        reason = getattr(why, "verify_message", "") or why.reason or "TLS"
        return CertificateRefused(host=self.default_domain, why=reason)

    def _failure(self, why: object, otherwise: type[NetworkError]) -> NetworkError:
        if isinstance(why, ssl.SSLCertVerificationError):
            return self._certificate(why)
        return otherwise(host=self.default_domain, why=_short(why))

    def _refused(self, failure: object) -> None:
        condition = str(failure["condition"])  # type: ignore[index]  # a stanza is like a mapping
        jid, host = self.requested_jid.bare, self.default_domain
        # Upstream: `feature_mechanisms._handle_fail` tries the same password with the next
        # mechanism after this event; to end the stream within it is the only way out.
        match condition:
            case "temporary-auth-failure":
                self._fail(TemporaryFailure(host=host))
            case "account-disabled" | "credentials-expired":
                self._fail(AccountDisabled(jid=jid))
            case "not-authorized":
                self._fail(WrongPassword(jid=jid))
            case _:
                self._fail(Interrupted(host=host, why=condition))

    def _without_login(self, _event: object) -> None:
        host = self.default_domain
        self._fail(NoLogin(host=host) if self.encrypted else NotEncrypted(host=host))

    def _negotiated(self, _event: object) -> None:
        if self.bound:
            self._succeed()
        else:
            self._without_login(None)

    def _stream_error(self, error: StreamError) -> None:
        condition = str(error["condition"])
        if condition == "conflict":
            self._fail(TakenOver(jid=self.requested_jid.full))
        else:
            self._fail(Interrupted(host=self.default_domain, why=condition))

    def _disconnected(self, why: object) -> None:
        # The end of a connection whose certificate was refused comes before the refusal.
        self._fail(self._failure(why, Interrupted))

    def _succeed(self, _event: object = None) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    def _fail(self, why: NetworkError) -> None:
        """Note the first error, of an attempt or of a stream that was open."""
        if not self._opened.done():
            self._opened.set_exception(why)
            self._opened.exception()  # seen, even if nobody waits for it any more
        elif not self.lost.done():
            self.lost.set_result(why)
        # Upstream: `feature_mechanisms` remembers the mechanisms that failed, `attempted_mechs`,
        # beyond the stream that they failed on: the next attempt would log in with a weaker one.
        self.plugin["feature_mechanisms"].attempted_mechs = set()
        if self.is_connected():
            self.abort()

    def _worst(self) -> NetworkError:
        """Return the most informative failure: an untrusted server before a closed port."""
        return min(
            self._failures,
            key=lambda failure: not isinstance(failure, CertificateRefused),
            default=Unreachable(host=self.default_domain, why="no address found"),
        )


def _short(why: object) -> str:
    """Return a short reason, as far as the system or the server gave one."""
    if isinstance(why, OSError):
        return why.strerror or str(why) or type(why).__name__
    return str(why)[:100] if why else "no reason given"


def stretch(hash_name: str, password: bytes, salt: bytes, rounds: int) -> bytes:
    """Return the salted password of a SCRAM login (RFC 5802 §3, Hi), computed by OpenSSL.

    Upstream: `slixmpp.util.sasl.mechanisms.SCRAM.Hi` does it in Python, as many rounds as the
    server says: 10,000, Prosody's default, hold up a desktop's loop for 20 ms and a small box's for
    far longer. This goes when `Hi` calls `hashlib.pbkdf2_hmac` and has a limit. Raises SASLFailed
    on more rounds than anyone needs.
    """
    if not 0 < rounds <= MAX_ROUNDS:
        raise SASLFailed("rounds")  # type: ignore[no-untyped-call]
    return pbkdf2_hmac(hash_name.lower().replace("-", ""), password, salt, rounds)
