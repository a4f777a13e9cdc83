"""What streams of accounts and of components have in common: slixmpp's work, within our rules.

One attempt at a time, whose failure is a value; no redirection by the server, no answer to
strangers who want to see our presence, no stanza in a log.

Where slixmpp does otherwise, a comment "Upstream:" says what it does, in which function, as of its
release 1.17.0: what is here goes once that function does it. No report upstream is known of any.
"""

import asyncio
from collections.abc import Callable
import logging

from slixmpp.basexmpp import BaseXMPP
from slixmpp.stanza import Iq, Presence, StreamError
from slixmpp.xmlstream.stanzabase import StanzaBase
from slixmpp.xmlstream.xmlstream import NotConnectedError

from consometers_quoalise import Code, ErrorType, Notice, OtherError
from consometers_quoalise.elements.markup import within
from consometers_quoalise_network.errors import (
    CertificateRefused,
    Interrupted,
    NetworkError,
    Unreachable,
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


class BaseStream(BaseXMPP):
    """A stream that can be opened repeatedly. It stands before a class of slixmpp's as a base."""

    default_domain: str
    """Of the server, for people."""
    lost: asyncio.Future[NetworkError]
    """Gets the reason for which the stream ended, once it was open."""

    def _govern(self, speak: Speak, *, sources: int) -> None:
        """Begin to keep our rules, in the running loop, once slixmpp has made the stream.

        Requests are counted for so many sources.
        """
        self.whitespace_keepalive = False
        # None: requests to see our presence get no answer.
        self.auto_authorize = None
        self.auto_subscribe = False
        # After the filters of plugins: xep_0198 counts the stanzas dropped here.
        self.add_filter("in", self._sift)
        # After all others: what comes of it is no stanza any more.
        self.add_filter("out_sce", self._written)  # type: ignore[arg-type]
        self._rate = SlidingWindow(self.loop.time, HEARD_PER_MINUTE, sources=sources)
        self._logged = SlidingWindow(self.loop.time, 1)
        self._speak = speak
        self._failures: list[NetworkError] = []
        self._to_write = bytearray()
        self._opened: asyncio.Future[None] = self.loop.create_future()
        self.lost = self.loop.create_future()
        handlers: dict[str, Callable[..., None]] = {
            "connection_failed": self._failed,
            "stream_error": self._stream_error,
            "disconnected": self._disconnected,
        }
        for event, handler in handlers.items():
            self.add_event_handler(event, handler)

    def parser_of_stream(self) -> Parser:
        """Return what reads a new stream."""
        return Parser()

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
        self.parser = self.parser_of_stream()  # type: ignore[assignment]  # it has what slixmpp uses of one

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
            return stanza if self._rate.take(self._source(stanza)) else None
        return stanza

    def _source(self, stanza: StanzaBase) -> str:
        """Return for whom a request is counted."""
        return str(stanza["from"].bare)

    def _forget_login(self) -> None:
        """Forget what a login left behind."""

    def _stream_error(self, error: StreamError) -> None:
        self._fail(Interrupted(host=self.default_domain, why=str(error["condition"])))

    def _failure(self, why: object, otherwise: type[NetworkError]) -> NetworkError:
        return otherwise(host=self.default_domain, why=_short(why))

    def _written(self, stanza: StanzaBase) -> str:
        """Return a stanza as it is sent.

        Upstream: `tostring` takes several times as long, for it looks at each character.
        """
        return within(stanza.xml, self.default_ns)

    def _turn_away(self, stanza: StanzaBase, excess: Excess, *, asked: bool) -> None:
        """Refuse a request that was emptied, as far as its sender may ask; log it at times."""
        if self._logged.take(excess.name):
            _LOGGER.warning(Notice(excess))
        if asked and self._rate.take(self._source(stanza)):
            refusal = OtherError("policy-violation", ErrorType.MODIFY, code=Code.TOO_COMPLEX)
            refuse(stanza, refusal, self._speak)

    def _give_up(self) -> None:
        self.cancel_connection_attempt()
        self.abort()

    def _failed(self, why: object) -> None:
        self._failures.append(self._failure(why, Unreachable))

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
        self._forget_login()
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
