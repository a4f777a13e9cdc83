"""A peer that collects a home's past: subscribes, then asks month by month, the newest first."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal, Self, override
from xml.etree.ElementTree import Element

from consometers_quoalise import Data, Identifier, QuoaliseError, ResourceConstraint
from consometers_quoalise.identifier import identifier
from consometers_quoalise_network import Account, Asking, Receiving, Security, Server
from consometers_quoalise_xmpp import XmppTransport
from demo.prosody import LOOPBACK, Prosody

AGAIN_S = 5.0
"""After a node said that it is still reading."""
THERE_WITHIN_S = 60.0
"""Of its start. A node that ended meanwhile is not waited for."""

type Records = dict[int, int]
"""Wh of the hour that starts then, in seconds since 1970."""


def months(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut a range where months begin, the newest first."""
    while since < until:
        last = until - timedelta(microseconds=1)
        turn = last.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        yield max(since, turn), until
        until = turn


class _Timed(XmppTransport):
    """Knows how long it waited for answers; waiting for one's turn to ask is no part of it."""

    answering_s = 0.0

    @override
    async def request(
        self, kind: Literal["get", "set"], to: str, payload: Element, seconds: float
    ) -> Element:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            return await super().request(kind, to, payload, seconds)
        finally:
            self.answering_s += clock() - began


class Collective:
    """Stores one home's records: `pages` are its answers, `last_at` is when a record was new."""

    def __init__(self, connection: _Timed, home: str) -> None:
        self.pages: list[Data] = []
        self.asked_again = 0
        self.pushed = 0
        self.last_at = 0.0
        self._records: dict[str, Records] = {}
        self._connection = connection
        self._asking = Asking(connection)
        self._home = home
        Receiving(connection, self._hear)

    @classmethod
    @asynccontextmanager
    async def online(
        cls, jid: str, password: str, server: Prosody, home: str
    ) -> AsyncIterator[Self]:
        where = Server(
            host=LOOPBACK, port=server.port, security=Security.STARTTLS, ca_file=server.ca_file
        )
        connection = _Timed(Account(jid, password), server=where)
        collective = cls(connection, home)
        async with connection:
            await connection.online()
            yield collective

    @property
    def count(self) -> int:
        """How many records it holds."""
        return sum(map(len, self._records.values()))

    @property
    def answering_s(self) -> float:
        """How long all answers together took."""
        return self._connection.answering_s

    async def collect(self, names: Iterable[str], since: datetime) -> None:
        """Ask for all of the past of some series, as soon as the home is there."""
        identifiers = [identifier(name) for name in names]
        async with asyncio.timeout(THERE_WITHIN_S):
            while not await self._is_there():
                await asyncio.sleep(1)
        for series in identifiers:
            await self._asking.subscribe(self._home, series)
        self._connection.answering_s = 0
        for start, end in months(since, datetime.now(UTC)):
            for series in identifiers:
                page = await self._page(series, start, end)
                self.pages.append(page)
                self._keep(page)

    async def comes_to_hold(self, wanted: Mapping[str, Records], within_s: float) -> bool:
        """Return whether it holds exactly that, or does in time."""
        try:
            async with asyncio.timeout(within_s):
                while self._records != wanted:
                    await asyncio.sleep(0.2)
        except TimeoutError:
            return False
        return True

    async def _is_there(self) -> bool:
        try:
            await self._asking.list_series(self._home)
        except QuoaliseError:
            return False
        return True

    async def _page(self, series: Identifier, start: datetime, end: datetime) -> Data:
        while True:
            try:
                return await self._asking.get_history(self._home, series, start, end)
            except ResourceConstraint:
                self.asked_again += 1
                await asyncio.sleep(AGAIN_S)

    async def _hear(self, _peer: str, message: Data) -> None:
        self.pushed += len(message)
        self._keep(message)

    def _keep(self, message: Data) -> None:
        for records in message.records:
            held = self._records.setdefault(records.name, {})
            new = {int(start): int(value) for start, value in records.values.items()}
            if not new.items() <= held.items():
                held.update(new)
                self.last_at = asyncio.get_running_loop().time()
