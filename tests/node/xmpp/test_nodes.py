"""Nodes ask each other."""

import pytest
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from consometers_quoalise import Malformed
from consometers_quoalise_xmpp import features, sends_receipts
from demo.servers.prosody import Prosody
from testing.xmpp.answerers import SERIES, AskingCollective, RecordKeeper
from testing.xmpp.fixtures import MakeNode, MakePlain
from testing.xmpp.plain_peer import COMMAND


async def test_a_node_lists_its_features(server: Prosody, new_node: MakeNode) -> None:
    asker = await new_node(server)
    hears, only_answers = (
        await new_node(server, AskingCollective(), keep=RecordKeeper().keep),
        await new_node(server),
    )
    assert {
        "http://jabber.org/protocol/commands",
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/disco#items",
        "jabber:x:data",
        "urn:xmpp:ping",
        "urn:quoalise:0",
        "urn:consometers:federation:0",
        "urn:xmpp:receipts",
    } == await features(asker.connection, hears.connection.jid)
    assert await sends_receipts(asker.connection, hears.connection.jid)
    assert await sends_receipts(asker.connection, only_answers.connection.jid) is False


async def test_without_an_answer_receipt_support_is_unknown(
    server: Prosody, new_node: MakeNode
) -> None:
    """It has gone, its server has, or it was asked too often: it may well send them."""
    asker, hears = (
        await new_node(server),
        await new_node(server, AskingCollective(), keep=RecordKeeper().keep),
    )
    for gone in ("nobody@one.test/nowhere", "nobody@nowhere.test/nowhere"):
        assert await sends_receipts(asker.connection, gone) is None
    answers = [await sends_receipts(asker.connection, hears.connection.jid) for _ in range(100)]
    assert set(answers) == {True, None}


COMPLETED = '<command xmlns="http://jabber.org/protocol/commands" status="completed">{}</command>'


@pytest.mark.parametrize(
    "answer",
    [
        "",
        COMPLETED.replace("completed", "executing").format(""),
        COMPLETED.format(""),
        COMPLETED.format('<quoalise xmlns="urn:quoalise:0"/>'),
        COMPLETED.format(
            '<quoalise xmlns="urn:quoalise:0"><data><meta/><sensml/></data></quoalise>'
        ),
        COMPLETED.format("<a>" * 100 + "</a>" * 100),
    ],
)
async def test_malformed_answers_raise_malformed(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain, answer: str
) -> None:
    peer, asker = await new_plain(server), await new_node(server)

    def say(stanza: StanzaBase) -> None:
        to, stanza_id = stanza["from"], stanza["id"]
        peer.send_raw(f'<iq type="result" to="{to}" id="{stanza_id}">{answer}</iq>')

    peer.register_handler(Callback("asked", MatchXPath(f"{{jabber:client}}iq/{COMMAND}"), say))
    with pytest.raises(Malformed):
        await asker.asking.get_history(peer.boundjid.full, SERIES)
