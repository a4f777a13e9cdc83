"""Tells a Zabbix server how a node goes, and what was published, each with its own time.

How the node goes is kept for a day while the server is away, what was published is read again for a
week. What was published of an interval is told at its start, as everywhere, once it is published.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import batched, islice
import logging
import ssl
import struct
from typing import NoReturn
import zlib

from zabbix_utils import AsyncSender, ItemValue, ProcessingError
from zabbix_utils.types import Node

from ..quoalise import Text
from ..quoalise.text import text
from ..store.settings import set_setting, setting
from .facts import HEALTH, PUBLISHED, Fact, Unit
from .health import UNREADABLE, Watch
from .moments import Moment, moments
from .settings import Zabbix

_SENT_UNTIL = "zabbix.sent_until"
_AT_ONCE = 250
_MOST_WAITING = 20_000
"""Values of how the node goes: those of a day, told every five minutes."""
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_WITHIN_S = 30
_LEAST_KEY_BYTES = 16

_AWAY = text(
    "Zabbix at {server}:{port} does not answer. What it is not told now, it is told later.",
    "Zabbix à {server}:{port} ne répond pas. Ce qui ne lui est pas dit maintenant le sera plus"
    " tard.",
)
_STRANGER = text(
    "Zabbix at {server}:{port} takes nothing: make a host “{host}” there, and link it to the"
    " template of Consometers.",
    "Zabbix à {server}:{port} n’accepte rien : créez-y un hôte « {host} », et liez-le au modèle de"
    " Consometers.",
)
_PARTLY = text(
    "Zabbix at {server}:{port} did not take {failed} of {total} values: import the template of"
    " this version there.",
    "Zabbix à {server}:{port} n’a pas accepté {failed} valeurs sur {total} : importez-y le modèle"
    " de cette version.",
)
_NO_KEY = text(
    "{file} holds no key for Zabbix: write 32 or more hexadecimal digits, as “openssl rand -hex"
    " 32” does.",
    "{file} ne contient pas de clé pour Zabbix : écrivez au moins 32 chiffres hexadécimaux, comme"
    " le fait « openssl rand -hex 32 ».",
)

_STRANGE = (
    OSError,
    EOFError,
    ValueError,
    AttributeError,
    struct.error,
    zlib.error,
    ProcessingError,
)
"""What comes of a server that is away, or is none."""

_LOGGER = logging.getLogger(__name__)


class _Untold(Exception):
    """The server did not take it, for these words."""

    def __init__(self, words: Text) -> None:
        super().__init__(words.say())
        self.text = words


class Sender:
    """Tells what `watch` sees. `problem` is why it cannot, for people; None if it can."""

    def __init__(self, watch: Watch, zabbix: Zabbix, every_s: float | None = None) -> None:
        # It writes an error for each try, which may be one in a minute for days.
        logging.getLogger("zabbix_utils").setLevel(logging.CRITICAL)
        self.problem: Text | None = None
        self._watch = watch
        self._zabbix = zabbix
        self._every_s = zabbix.every_minutes * 60 if every_s is None else every_s
        self._waiting: deque[ItemValue] = deque(maxlen=_MOST_WAITING)
        self._since: datetime | None = None
        self._told: set[tuple[str, int]] = set()

    async def run(self) -> NoReturn:
        """Tell on. Ends when it is cancelled."""
        while True:
            await self.tell()
            await asyncio.sleep(self._every_s)

    async def tell(self) -> None:
        """Tell all that is to be told by now, or keep it for the next time."""
        health = await self._watch.health()
        self._waiting.extend(self._values(HEALTH, health, health.at))
        try:
            partly = await self._tell_waiting()
            with suppress(*UNREADABLE):
                partly = await self._tell_published(health.at) or partly
        except _Untold as fault:
            self._note(fault.text)
        else:
            self._note(partly)

    async def _tell_waiting(self) -> Text | None:
        partly = None
        while some := list(islice(self._waiting, _AT_ONCE)):
            partly = await self._send(some) or partly
            for _ in some:
                self._waiting.popleft()
        return partly

    async def _tell_published(self, now: datetime) -> Text | None:
        """Tell what was published lately and was not told yet; intervals may come in any order."""
        since = max(await self._begins(now), now - _WEEK)
        async with self._watch.node.store.reading() as connection:
            found = await moments(self._watch.published, connection, since, now)
        new = [
            value
            for moment in found
            for value in self._values(PUBLISHED, moment, moment.start)
            if _name(value) not in self._told
        ]
        partly = None
        for some in batched(new, _AT_ONCE, strict=False):
            partly = await self._send(some) or partly
            self._told.update(_name(value) for value in some)
        if new:
            await self._remember(found)
        self._since = max(since, now - _DAY)
        first = int(self._since.timestamp())
        self._told = {one for one in self._told if one[1] >= first}
        return partly

    async def _begins(self, now: datetime) -> datetime:
        """Give since when nothing was told: at first, the beginning of the day."""
        if self._since is None:
            async with self._watch.node.store.reading() as connection:
                kept = await setting(connection, _SENT_UNTIL)
            zone = self._watch.published.time_zone
            self._since = (
                datetime.fromtimestamp(int(kept), zone)
                if kept
                else now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
            )
        return self._since

    async def _remember(self, told: Sequence[Moment]) -> None:
        async with self._watch.node.store.writing() as connection:
            await set_setting(connection, _SENT_UNTIL, str(int(told[-1].end.timestamp())))

    def _values[Source](
        self, facts: Iterable[Fact[Source]], source: Source, at: datetime
    ) -> Iterator[ItemValue]:
        for fact in facts:
            for of, value in fact.values(source):
                said = shown(value, fact.unit)
                yield ItemValue(self._zabbix.host, fact.key(of), said, int(at.timestamp()))

    async def _send(self, values: Iterable[ItemValue]) -> Text | None:
        """Send values, and say if some were not taken. Raises _Untold if none was."""
        of = self._zabbix
        try:
            sender = AsyncSender(ssl_context=await self._encryption())
            # It would part an address of IPv6 at its colons.
            sender.clusters[0].nodes = [Node(of.server, of.port)]
            async with asyncio.timeout(_WITHIN_S):
                answer = await sender.send(list(values))
        except _STRANGE as fault:
            _LOGGER.debug("Zabbix is not told: %s", fault)
            raise _Untold(_AWAY.fill(server=of.server, port=of.port)) from fault
        where = {"server": of.server, "port": of.port, "host": of.host}
        if not answer.processed:
            raise _Untold(_STRANGER.fill(**where))
        if answer.failed:
            return _PARTLY.fill(failed=answer.failed, total=answer.total, **where)
        return None

    async def _encryption(self) -> Callable[[object], ssl.SSLContext] | None:
        """Give what makes a context for the key of the settings. Raises _Untold."""
        of = self._zabbix
        if of.psk_file is None:
            return None
        try:
            key = bytes.fromhex(await asyncio.to_thread(of.psk_file.read_text))
        except (OSError, ValueError) as fault:
            raise _Untold(_NO_KEY.fill(file=of.psk_file)) from fault
        if len(key) < _LEAST_KEY_BYTES:
            raise _Untold(_NO_KEY.fill(file=of.psk_file))
        context = _with_key(of.psk_identity or of.host, key)
        return lambda _: context

    def _note(self, problem: Text | None) -> None:
        if problem is not None and problem != self.problem:
            _LOGGER.warning("%s", problem.say())
        elif problem is None and self.problem is not None:
            _LOGGER.info("Zabbix is told again")
        self.problem = problem


def shown(value: float | str, unit: Unit) -> str:
    """Write a value in the unit that people read."""
    if isinstance(value, str):
        return value
    many = value * float(unit.factor)
    return str(round(many)) if unit.is_whole else f"{many:.10g}"


def _name(value: ItemValue) -> tuple[str, int]:
    return value.key, value.clock or 0


def _with_key(identity: str, key: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # There are no certificates: whoever has the key is the server. TLS 1.3 would take any other.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("PSK")
    context.set_psk_client_callback(lambda _: (identity, key))
    return context
