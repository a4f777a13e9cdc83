"""A subscriber that acknowledges what it receives, and looks into nothing: the floor.

python -m tools.bench.harness.sink JID PASSWORD PORT CA_FILE
"""

import asyncio
from pathlib import Path
import sys

from slixmpp import ClientXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from demo.servers.prosody import LOOPBACK

from .members import NO_ARCHIVE

_QUOALISE = "{jabber:client}message/{urn:quoalise:0}quoalise"


class Bare(ClientXMPP):
    """A client that parses what comes, and no more."""

    def __init__(self, jid: str, password: str, ca_file: Path) -> None:
        super().__init__(jid, password)
        self.ca_certs = ca_file
        self.enable_direct_tls = False
        self.started = asyncio.Event()
        self.add_event_handler("session_start", self._start)

    def _start(self, _event: object) -> None:
        self.send_presence(ppriority=1)
        self.started.set()


async def main(jid: str, password: str, port: str, ca_file: str) -> None:
    """Acknowledge until ended."""
    sink = Bare(jid, password, Path(ca_file))
    # As the collective: what is on its way when a connection breaks is sent again (XEP-0198).
    # It costs Prosody a third more for each message.
    sink.register_plugin("xep_0198", {"window": 100})

    def acknowledge(stanza: StanzaBase) -> None:
        message = stanza.xml
        sink.send_raw(
            f'<message to="{message.get("from")}"><received xmlns="urn:xmpp:receipts"'
            f' id="{message.get("id")}"/>{NO_ARCHIVE}</message>'
        )

    sink.register_handler(Callback("pushed", MatchXPath(_QUOALISE), acknowledge))
    sink.connect(LOOPBACK, int(port))
    await sink.started.wait()
    print("online", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
