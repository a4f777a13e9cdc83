"""A collective's node as a program, for the measures: but it asks nobody for the past.

Its members were all asked before. It would ask them again whenever it starts.

python -m tools.bench.harness.gatherer SETTINGS PASSWORD PORT CA_FILE
"""

import asyncio
from pathlib import Path
import sys
from typing import NoReturn
from unittest.mock import patch

from consometers_node.collective.ingestion.backfill import Backfill
from consometers_node.collective.node import CollectiveNode
from consometers_node.collective.settings_file import read
from consometers_node.store import Store
from consometers_quoalise_network import Account, Identity, Security, Server
from consometers_quoalise_xmpp import XmppTransport
from demo.servers.prosody import LOOPBACK


async def main(file: str, password: str, port: str, ca_file: str) -> None:
    """Gather until ended."""
    settings = read(Path(file))
    server = Server(
        host=LOOPBACK, port=int(port), security=Security.STARTTLS, ca_file=Path(ca_file)
    )

    def connect(who: Identity) -> XmppTransport:
        return XmppTransport(who.account, server=who.server)

    store = await Store.open(settings.database)
    who = Identity(Account(settings.xmpp.account, password), server)
    node = CollectiveNode(store, settings, who, connect)
    with patch.object(Backfill, "run", _rest):
        running = asyncio.create_task(node.run())
        while node.network is None or not node.network.connection.is_online:
            await asyncio.sleep(0.05)
        print("online", flush=True)
        await running


async def _rest(_gathering: Backfill) -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
