"""The stream of an account: TLS or nothing, SCRAM or nothing, beside the rules of `base_stream`."""

import asyncio
from collections.abc import Callable
from functools import partial
from hashlib import pbkdf2_hmac
import socket
import ssl
from xml.etree.ElementTree import Element

from slixmpp import JID, ClientXMPP
from slixmpp.features.feature_mechanisms.stanza import Challenge
from slixmpp.stanza import StreamError, StreamFeatures
from slixmpp.util.sasl.client import SASLFailed
from slixmpp.util.sasl.mechanisms import SCRAM
from slixmpp.xmlstream.stanzabase import StanzaBase

from consometers_quoalise import Words
from consometers_quoalise.elements.markup import tag
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
    WrongPassword,
)
from consometers_quoalise_network.transport import Speak

from .base_stream import BaseStream

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


class Stream(BaseStream, ClientXMPP):
    """The stream of an account; it resumes its session when the server can."""

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
        self.register_plugin("xep_0198", {"window": _WINDOW})
        self._govern(speak, sources=2_000)
        self._server = server
        self._negotiations: set[asyncio.Task[object]] = set()
        handlers: dict[str, Callable[..., None]] = {
            "ssl_invalid_chain": self._untrusted,
            "failed_auth": self._refused,
            "no_auth": self._without_login,
            "stream_negotiated": self._negotiated,
            "session_resumed": self._succeed,
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

    def incoming_filter(self, xml: Element) -> Element:
        """Skip rosters: nobody asks for one.

        Upstream: `ClientXMPP._handle_roster` builds every item of one that a server pushes.
        """
        for roster in xml.findall(_ROSTER):
            xml.remove(roster)
        return xml

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

    def _sift(self, stanza: StanzaBase) -> StanzaBase | None:
        """Have OpenSSL compute the answer to a challenge."""
        if isinstance(stanza, Challenge):
            mechanism = self.plugin["feature_mechanisms"].mech
            # Upstream: `feature_mechanisms` makes the mechanism itself, and has no hook for `Hi`.
            if isinstance(mechanism, SCRAM):
                mechanism.Hi = partial(stretch, mechanism.hash_name)  # type: ignore[method-assign]
        return super()._sift(stanza)

    def _give_up(self) -> None:
        super()._give_up()
        for task in self._negotiations:
            task.cancel()

    def _failure(self, why: object, otherwise: type[NetworkError]) -> NetworkError:
        if isinstance(why, ssl.SSLCertVerificationError):
            return self._certificate(why)
        return super()._failure(why, otherwise)

    def _forget_login(self) -> None:
        # Upstream: `feature_mechanisms` remembers the mechanisms that failed, `attempted_mechs`,
        # beyond the stream that they failed on: the next attempt would log in with a weaker one.
        self.plugin["feature_mechanisms"].attempted_mechs = set()

    def _untrusted(self, why: ssl.SSLError) -> None:
        self._fail(self._certificate(why))

    def _certificate(self, why: ssl.SSLError) -> NetworkError:
        reason = getattr(why, "verify_message", "") or why.reason or "TLS"
        return CertificateRefused(host=self.default_domain, why=reason)

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
        if error["condition"] == "conflict":
            self._fail(TakenOver(jid=self.requested_jid.full))
        else:
            super()._stream_error(error)


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
