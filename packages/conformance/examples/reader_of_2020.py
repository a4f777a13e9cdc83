"""A reader as the Consometers' programs of 2020–23 are: a form, three fields, no receipt.

    python reader_of_2020.py reader@example.net PASSWORD_FILE kit@example.org/quoalise URN \
        2026-11-29T00:00:00+01:00 2026-12-01T00:00:00+01:00 [HOST PORT CA_FILE]

It asks for a history, prints the answer, subscribes, and prints what is pushed, until Ctrl-C, with
slixmpp from 1.8 on: to show what the conformance kit says of such a program.
"""

import asyncio
from pathlib import Path
import ssl
import sys
from xml.etree.ElementTree import Element, SubElement

from slixmpp import ClientXMPP, __version_info__
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

COMMANDS = "http://jabber.org/protocol/commands"
FORMS = "jabber:x:data"
SENML = "{urn:ietf:params:xml:ns:senml}senml"


class Reader(ClientXMPP):
    """Asks, subscribes and listens."""

    def __init__(self, jid: str, password: str, peer: str, fields: dict[str, str]) -> None:
        super().__init__(jid, password)
        self.register_plugin("xep_0030")
        self.peer = peer
        self.fields = fields
        self.add_event_handler("session_start", self.start)
        pushed = MatchXPath("{jabber:client}message/{urn:quoalise:0}quoalise")
        self.register_handler(Callback("pushed", pushed, lambda stanza: show(stanza.xml)))

    async def start(self, _event: object) -> None:
        """Ask for the history, then subscribe."""
        self.send_presence(ppriority=1)
        await self.ask("get_history", self.fields)
        await self.ask("subscribe", {"identifier": self.fields["identifier"]})

    async def ask(self, node: str, fields: dict[str, str]) -> None:
        """Send a command, and show its answer or its refusal."""
        iq = self.make_iq_set(ito=self.peer)
        attributes = {"node": node, "action": "execute"}
        command = SubElement(iq.xml, f"{{{COMMANDS}}}command", attributes)
        form = SubElement(command, f"{{{FORMS}}}x", {"type": "submit"})
        for var, value in fields.items():
            field = SubElement(form, f"{{{FORMS}}}field", {"var": var, "type": "text-single"})
            SubElement(field, f"{{{FORMS}}}value").text = value
        try:
            answer = await iq.send()  # type: ignore[no-untyped-call]
            show(answer.xml)
        except IqError as refusal:
            print(node, refusal.condition, refusal.text, flush=True)
        except IqTimeout:
            print(node, "no answer", flush=True)


def show(stanza: Element) -> None:
    """Print the records of a stanza."""
    for record in stanza.iter(SENML):
        print(dict(record.attrib), flush=True)


async def main(arguments: list[str]) -> None:
    """Run until Ctrl-C."""
    jid, password_file, peer, series, start, end, *place = arguments
    fields = {"identifier": series, "start_time": start, "end_time": end}
    reader = Reader(jid, Path(password_file).read_text().strip(), peer, fields)
    if place:
        host, port, ca_file = place
        reader.ca_certs = Path(ca_file)
        reader.ssl_context = ssl.create_default_context(cafile=ca_file)
        # slixmpp 1.8 takes a pair.
        takes_a_pair = __version_info__ < (1, 9)
        reader.connect(*([(host, int(port))] if takes_a_pair else [host, int(port)]))
    else:
        reader.connect()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
