"""Nodes that answer and receive in process: stanzas are handed in, what would leave is kept."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
import shutil
import sqlite3
import ssl
from typing import Self, override
from xml.etree.ElementTree import Element

from slixmpp.stanza import Iq, Message
from slixmpp.xmlstream.stanzabase import StanzaBase

from consometers_node.collective.answers import CollectiveAnswers
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.ingestion.write_queue import WriteQueue
from consometers_node.collective.members.subscribers import Subscribers
from consometers_node.collective.privacy.own_export import OwnExports
from consometers_node.collective.settings import PageSettings, Settings, Xmpp
from consometers_node.household.node import HouseholdAnswers
from consometers_node.household.recorder.memory import MEMORY
from consometers_node.store import Store
from consometers_node.store.peers import Peer
from consometers_node.wire import Naming
from consometers_quoalise import Data, NotAuthorized, Role
from consometers_quoalise_network import Account, Answering, Pushing, Receiving, Server, Traffic
from consometers_quoalise_xmpp import Discovery, XmppTransport
from testing.collectives.members import OWN, ZONE
from testing.homes.ledgers import NAMING

STRANGER = "stranger@example.net/x"
MEMBER = "coop@example.org/quoalise"
"""Who was granted something by the home, and who gave something to the collective."""


class Nowhere(Server):
    """No server: TLS is prepared once, by the machine's authorities."""

    @override
    def tls(self) -> ssl.SSLContext:
        return _TLS


_TLS = Server().tls()
NOWHERE = Nowhere()
SETTINGS = Settings(
    name="Énergies de Kersabiec",
    identifier="kersabiec",
    folder=Path(),
    database="",
    xmpp=Xmpp(account="node@example.com"),
    page=PageSettings(),
    publication=Publication(minimum=3),
)


class Unconnected(XmppTransport):
    """A connection of no server."""

    @override
    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self.stream._always_send_everything = True
        return self

    @property
    def left(self) -> list[StanzaBase]:
        """Return the stanzas that would have left since the last call."""
        queue = self.stream.waiting_queue
        return [queue.get_nowait()[0] for _ in range(queue.qsize())]

    async def take(self, stanza: Element) -> list[StanzaBase]:
        """Take a stanza as the stream does, and return the answer."""
        self.stream._spawn_event(stanza)
        while self._owned:
            await asyncio.wait(self._owned)
        return self.left


@dataclass
class Taken:
    """The answer to a stanza, and how it was counted."""

    answers: list[StanzaBase]
    traffic: Traffic


class Target:
    """A node of one role, and its database. Each stanza finds it as it was at first."""

    def __init__(self, role: Role, store: Store, file: Path) -> None:
        self.role = role
        self.store = store
        self.file = file
        self._first = file.with_suffix(".first")
        self._watching = sqlite3.connect(file)
        self._seen = self._version()

    @classmethod
    async def of(cls, role: Role, store: Store, file: Path) -> Self:
        """Begin with what the database holds now."""
        target = cls(role, store, file)
        await store.checkpoint()
        shutil.copy(file, target._first)
        await target.begin_again()
        return target

    async def begin_again(self) -> None:
        """Undo the changes."""
        await self.close()
        shutil.copy(self._first, self.file)
        self.store = await Store.open(self.file)
        self._watching = sqlite3.connect(self.file)
        self._seen = self._version()

    async def close(self) -> None:
        self._watching.close()
        await self.store.close()

    def has_changed(self) -> bool:
        """Return whether anything was written."""
        return self._version() != self._seen

    def _version(self) -> object:
        return self._watching.execute("PRAGMA data_version").fetchone()

    async def take(self, stanza: Element) -> Taken:
        """Hand a stanza over to a node that has just started."""
        traffic = Traffic()
        connection = Unconnected(Account("node@example.com", "x"), server=NOWHERE)
        async with connection:
            queue = WriteQueue(self.store, ZONE.key, lambda _: None)
            Pushing(connection, _late)
            Discovery(connection, self.role, receives=True)
            if self.role is Role.HOUSEHOLD:
                answers = HouseholdAnswers(
                    self.store, NAMING, _hear, _confirms, _settled, memory=MEMORY
                )
                Answering(connection, answers, traffic)
                Receiving(connection, _refuse, traffic)
                return Taken(await connection.take(stanza), traffic)
            Answering(connection, self._collective(), traffic)
            Receiving(connection, queue.keep, traffic)
            running = asyncio.create_task(queue.run())
            try:
                return Taken(await connection.take(stanza), traffic)
            finally:
                running.cancel()
                await asyncio.wait({running})

    def _collective(self) -> CollectiveAnswers:
        return CollectiveAnswers(
            self.store,
            Naming(bytes(32), collective="kersabiec"),
            _hear,
            _confirms,
            _settled,
            settings=SETTINGS,
            changed=lambda: None,
            subscribers=Subscribers(OWN, ZONE.key),
            rules=lambda: SETTINGS.publication,
            exports=OwnExports(self.store, ZONE),
            witness=None,
        )


def is_answer(stanza: StanzaBase) -> bool:
    """Return whether this asks nothing: an answer, an error, or a receipt."""
    return isinstance(stanza, Message) or (
        isinstance(stanza, Iq) and stanza["type"] in {"result", "error"}
    )


def _hear(_: Peer, __: object) -> None:
    pass


async def _late(_: str, __: str) -> None:
    pass


async def _confirms(_: str) -> bool | None:
    return True


async def _settled(_: Peer) -> bool:
    return True


async def _refuse(_: str, __: Data) -> None:
    raise NotAuthorized
