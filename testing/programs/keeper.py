"""A peer that stores a node's records in a file, so that it can be killed at any time.

    python -m testing.programs.keeper FILE ACCOUNT PORT AUTHORITY NODE

Keeps records by upsert, and when each value came first. It sends a receipt once records are on the
disk, and now and then a receipt gets lost. Only the connection is the node's own code: stanzas are
read and receipts written here.
"""

import asyncio
from contextlib import closing, suppress
import logging
import os
from pathlib import Path
import random
import sqlite3
import sys
import time
from typing import Final, NoReturn
from xml.etree.ElementTree import SubElement

from slixmpp.stanza import Message

from consometers_quoalise import QuoaliseError
from consometers_quoalise_network import Account, Asking, NetworkError, Security, Server
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_xmpp import Discovery, XmppTransport
from demo.servers.prosody import LOOPBACK
from testing.run import DEADLINE_S

PASSWORD: Final = "KEEPER_PASSWORD"  # the name of a variable
LOST_RECEIPTS: Final = 0.05

_QUOALISE: Final = "{urn:quoalise:0}quoalise"
_SENML: Final = "{urn:ietf:params:xml:ns:senml}senml"
_RECEIPTS: Final = "urn:xmpp:receipts"
_LISTENS: Final = 1
_ASKS_AGAIN_S: Final = 1
_TABLES: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS record (name, time, value, PRIMARY KEY (name, time));
CREATE TABLE IF NOT EXISTS came (name, time, value, at, PRIMARY KEY (name, time, value));
"""


class FileKeeper:
    """A receiver that stores the pushes of a connection."""

    def __init__(self, connection: XmppTransport, database: sqlite3.Connection, node: str) -> None:
        self._connection = connection
        self._database = database
        self._node = node
        self._asking = Asking(connection)
        Discovery(connection, None, receives=True)
        connection.priority = _LISTENS
        connection.on_message(_QUOALISE, self._keep)

    async def run(self) -> NoReturn:
        """Subscribe to all that may be read, again after each loss of the connection."""
        while True:
            with suppress(NetworkError, QuoaliseError):
                session = await self._connection.online(DEADLINE_S)
                for series in await self._asking.list_series(self._node):
                    await self._asking.subscribe(self._node, series.series)
                await session.ended
            await asyncio.sleep(_ASKS_AGAIN_S * random.uniform(0.2, 1))

    def _keep(self, message: Message) -> None:
        if message["type"] == "error" or message["from"].bare != self._node:
            return
        at, name, base = time.time(), "", 0
        for record in message.xml.iter(_SENML):
            name, base = record.get("bn", name), int(record.get("bt", base))
            row = name, base + int(record.get("t", "0")), int(record.get("v", ""))
            self._database.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", row)
            self._database.execute("INSERT OR IGNORE INTO came VALUES (?, ?, ?, ?)", (*row, at))
        self._database.commit()
        if message.xml.find(f"{{{_RECEIPTS}}}request") is not None and (
            random.random() >= LOST_RECEIPTS
        ):
            receipt = self._connection.stream.make_message(mto=message["from"])
            SubElement(receipt.xml, f"{{{_RECEIPTS}}}received", {"id": message["id"]})
            receipt.send()


async def main(arguments: list[str]) -> None:
    """Keep until killed."""
    file, jid, port, authority, node = arguments
    server = Server(
        host=LOOPBACK, port=int(port), security=Security.STARTTLS, ca_file=Path(authority)
    )
    account = Account(jid, os.environ[PASSWORD])
    connection = XmppTransport(account, server=server, backoff=Backoff(0.2, 2))
    with closing(sqlite3.connect(file)) as database:
        database.executescript(_TABLES)
        keeper = FileKeeper(connection, database, node)
        async with connection:
            await keeper.run()


if __name__ == "__main__":
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s")
    logging.getLogger("slixmpp").setLevel("WARNING")
    asyncio.run(main(sys.argv[1:]))
