"""Prosody on loopback as `deploy/` sets it up, and streams to a server, written by hand."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import new, pbkdf2_hmac
import hmac
from pathlib import Path
import re
from secrets import token_hex
import ssl
from typing import Final, Self, override

from demo.hass.folder import ROOT
from demo.servers.prosody import LOOPBACK, Prosody, lua

DEPLOY: Final = ROOT / "deploy" / "prosody"
_CONFIGURATION: Final = DEPLOY / "prosody.cfg.lua"
_OWN: Final = (
    *("run_as_root", "pidfile", "data_path", "certificates", "plugin_paths", "admin_socket"),
    *("interfaces", "c2s_ports", "c2s_direct_tls_ports", "s2s_ports", "http_ports"),
    *("log", "ssl", "loopback_servers", "node_secret"),
)
"""Settings that are not those of `deploy/`: places alone."""
_STANZA_SIZE: Final = re.compile(r"^[cs]2s_stanza_size_limit = (\d+) \* 1024$", re.MULTILINE)
_SASL: Final = "urn:ietf:params:xml:ns:xmpp-sasl"
_CHALLENGE: Final = re.compile(b"<challenge[^>]*>([^<]+)<")
_READ: Final = 1 << 16
_AGAIN_S: Final = 1.0
_LONGEST_S: Final = 120


class Deployed(Prosody):
    """Prosody with the settings and the modules of `deploy/`."""

    @staticmethod
    def stanza_size() -> int:
        """Return the most bytes of a stanza, of clients and of servers alike."""
        client, server = _STANZA_SIZE.findall(_CONFIGURATION.read_text())
        assert client == server
        return int(client) * 1024

    @override
    def _settings(self) -> dict[str, object]:
        return super()._settings() | {
            "plugin_paths": [self.folder / "plugins", DEPLOY / "modules"],
            "node_secret": self.folder / "secret",
        }

    @override
    def _configuration(self, settings: Mapping[str, object]) -> str:
        written = _CONFIGURATION.read_text()
        for name, value in (("ENV_DOMAIN", self.host), ("ENV_CERTIFICATES", self.folder)):
            written = written.replace(name, lua(value))
        before, host, rest = written.rpartition("VirtualHost")
        own = [f"{key} = {lua(value)}" for key, value in settings.items() if key in _OWN]
        return "\n".join([before, *own, 'modules_enabled { "loopback_servers" }', host + rest])


class Ended(Exception):
    """The server ended the stream. Its words are what it sent last."""


@dataclass(frozen=True)
class Place:
    """Where a server listens."""

    host: str
    port: int
    ca_file: Path
    address: str = LOOPBACK


class Wire:
    """An encrypted stream to a server. Its stanzas are typed: nothing checks them."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opening: str, sender: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._opening = opening
        self._sender = sender

    @classmethod
    @asynccontextmanager
    async def client(cls, place: Place, user: str, password: str) -> AsyncIterator[Self]:
        """Log in, and be there for what comes."""
        trusted = ssl.create_default_context(cafile=place.ca_file)
        async with cls._encrypted(place, "jabber:client", "", trusted) as (wire, offered):
            await wire.log_in(offered, user, password)
            wire.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
            await wire.until(b"</iq>")
            wire.send("<presence/>")
            yield wire

    @classmethod
    @asynccontextmanager
    async def server(
        cls, place: Place, domain: str, certificate: tuple[Path, Path]
    ) -> AsyncIterator[Self]:
        """Connect as the server of a domain."""
        trusted = ssl.create_default_context(cafile=place.ca_file)
        trusted.load_cert_chain(*certificate)
        async with cls._encrypted(place, "jabber:server", domain, trusted) as (wire, _):
            # Answers come back on this stream (XEP-0288).
            wire.send("<bidi xmlns='urn:xmpp:bidi'/>")
            wire.send(f"<auth xmlns='{_SASL}' mechanism='EXTERNAL'>=</auth>")
            await wire.until(b"<success")
            await wire.begin()
            yield wire

    def send(self, stanza: str) -> None:
        """Send a stanza. A server says from whom it is, in place of `{sender}`."""
        self._writer.write(stanza.replace("{sender}", self._sender).encode())

    async def answered(self, whom: str) -> None:
        """Wait until all that was sent was read. Raises `Ended`."""
        ping = f"<iq type='get' id='read'{{sender}} to='{whom}'><ping xmlns='urn:xmpp:ping'/></iq>"
        answer = asyncio.create_task(self.until(b"id='read'", b'id="read"'))
        try:
            while not answer.done():
                # Expat puts off a long tag until more has come.
                self.send(ping)
                await asyncio.wait({answer}, timeout=_AGAIN_S)
            await answer
        finally:
            answer.cancel()

    async def drain(self) -> None:
        """Read what comes until the stream ends."""
        while await self._reader.read(_READ):
            pass

    @classmethod
    @asynccontextmanager
    async def _encrypted(
        cls, place: Place, namespace: str, domain: str, trusted: ssl.SSLContext
    ) -> AsyncIterator[tuple[Self, bytes]]:
        sender = f" from='{domain}'" if domain else ""
        opening = (
            f"<stream:stream xmlns='{namespace}' xmlns:stream='http://etherx.jabber.org/streams'"
            f" to='{place.host}'{sender} version='1.0'>"
        )
        reader, writer = await asyncio.open_connection(place.address, place.port)
        wire = cls(reader, writer, opening, f" from='a@{domain}'" if domain else "")
        try:
            await wire.begin()
            wire.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            await wire.until(b"<proceed")
            await writer.start_tls(trusted, server_hostname=place.host)
            yield wire, await wire.begin()
        finally:
            writer.transport.abort()

    async def begin(self) -> bytes:
        """Open the stream; return what the server offers. Raises `Ended`."""
        self.send(self._opening)
        return await self.until(b"</stream:features>", b"<stream:features/>")

    async def log_in(self, offered: bytes, user: str, password: str) -> None:
        """Log in by SCRAM (RFC 5802)."""
        name, hashed = ("SHA-256", "sha256") if b"SCRAM-SHA-256<" in offered else ("SHA-1", "sha1")
        first = f"n={user},r={token_hex()}"
        self.send(f"<auth xmlns='{_SASL}' mechanism='SCRAM-{name}'>{_base64('n,,' + first)}</auth>")
        challenge = b64decode(_CHALLENGE.findall(await self.until(b"</challenge>"))[0]).decode()
        nonce, salt, rounds, *_ = (part[2:] for part in challenge.split(","))
        salted = pbkdf2_hmac(hashed, password.encode(), b64decode(salt), int(rounds))
        key = hmac.digest(salted, b"Client Key", hashed)
        final = f"c=biws,r={nonce}"
        signed = f"{first},{challenge},{final}".encode()
        signature = hmac.digest(new(hashed, key).digest(), signed, hashed)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        answer = _base64(f"{final},p={b64encode(proof).decode()}")
        self.send(f"<response xmlns='{_SASL}'>{answer}</response>")
        await self.until(b"</success>", b"<success/>")
        await self.begin()

    async def until(self, *marks: bytes) -> bytes:
        """Return what came, up to one of some marks. Raises `Ended`."""
        read = b""
        async with asyncio.timeout(_LONGEST_S):
            while not any(mark in read for mark in marks):
                try:
                    came = await self._reader.read(_READ)
                except OSError:
                    came = b""
                read = read[-_READ:] + came
                if not came or b"</stream:stream>" in read:
                    raise Ended(read.decode(errors="replace"))
        return read


def _base64(words: str) -> str:
    return b64encode(words.encode()).decode()
