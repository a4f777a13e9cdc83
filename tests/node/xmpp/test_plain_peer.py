"""The programs that speak Quoalise today ask a node, and hear of it."""

import asyncio

import pytest

from consometers_quoalise import Data, GetHistory, NotAuthorized, Number, Records
from consometers_quoalise_network import Asker
from consometers_quoalise_xmpp import sends_receipts
from demo.servers.prosody import Prosody
from testing.run import DEADLINE_S
from testing.xmpp.answerers import NOW, SERIES, START, MemoryHome, records
from testing.xmpp.fixtures import MakeNode, MakePlain
from testing.xmpp.plain_peer import (
    COMMAND,
    EMPTY,
    FIELD,
    GET_HISTORY,
    QUOALISE,
    SUBSCRIBE,
    refusal,
    values,
)

TWO_HOURS = GET_HISTORY.format(
    identifier=SERIES, start="2026-01-01T02:00:00+01:00", end="2026-01-01T04:00:00+01:00"
)
ITEMS = (
    '<query xmlns="http://jabber.org/protocol/disco#items"'
    ' node="http://jabber.org/protocol/commands"/>'
)


async def test_a_peer_on_another_server_reads_and_subscribes(
    server: Prosody, other_server: Prosody, new_node: MakeNode, new_plain: MakePlain
) -> None:
    home = MemoryHome()
    node, peer = await new_node(server, home), await new_plain(other_server)
    home.readers.add(peer.boundjid.bare)

    answer = await peer.ask(node.connection.jid, TWO_HOURS)

    assert answer.get("type") == "result"
    command = answer.find(COMMAND)
    assert command is not None
    assert command.get("status") == "completed"
    assert [field.findtext("*") for field in command.iter(FIELD)] == ["Success"]
    assert command.find(QUOALISE) is not None
    assert values(command) == [("0", "1"), ("3600", "2")]

    asked = SUBSCRIBE.format(node="subscribe", identifier=SERIES)
    assert (await peer.ask(node.connection.jid, asked)).get("type") == "result"
    ((subscriber, full),) = home.subscribers
    assert subscriber == peer.boundjid.bare
    assert not await sends_receipts(node.connection, full)

    # It sends no receipt: the message counts as delivered once our server has taken it.
    await node.pushing.push(subscriber, records(NOW, 2), receipt=False, seconds=DEADLINE_S)
    heard = await peer.receive()
    assert values(heard) == [("0", "744"), ("3600", "745")]
    assert heard.get("to") == subscriber

    asked = SUBSCRIBE.format(node="unsubscribe", identifier=SERIES)
    assert (await peer.ask(node.connection.jid, asked)).get("type") == "result"
    assert not home.subscribers


@pytest.mark.parametrize(
    ("stream", "stanza", "words"),
    [
        ("en", None, "There is no permission to read this: ask for it, or ask for less."),
        (
            "fr",
            None,
            "Aucune autorisation ne permet de lire cela : demandez-la, ou demandez moins.",
        ),
        ("en", "fr-CA", "Aucune autorisation ne permet de lire cela : demandez-la, ou demandez"),
        ("fr", "de", "There is no permission"),
    ],
)
async def test_a_refusal_is_in_the_language_of_the_request(
    server: Prosody,
    new_node: MakeNode,
    new_plain: MakePlain,
    *,
    stream: str,
    stanza: str | None,
    words: str,
) -> None:
    node, peer = await new_node(server), await new_plain(server, language=stream)
    answer = await peer.ask(node.connection.jid, TWO_HOURS, language=stanza)
    assert refusal(answer)[2].startswith(words)


async def test_a_chat_client_fills_in_the_form(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain
) -> None:
    home = MemoryHome()
    node, peer = await new_node(server, home), await new_plain(server, language="fr")
    home.readers.add(peer.boundjid.bare)

    items = await peer.ask(node.connection.jid, ITEMS, kind="get")
    commands = {item.get("node"): item.get("name") for item in items[0]}
    assert commands["get_history"] == "Obtenir l’historique"
    assert all(item.get("jid") == node.connection.jid for item in items[0])

    asked = await peer.ask(node.connection.jid, EMPTY.format(node="get_history"))
    command = asked.find(COMMAND)
    assert command is not None
    assert command.get("status") == "executing"
    session = command.get("sessionid")
    assert session
    labels = {field.get("var"): field.get("label") for field in command.iter(FIELD)}
    assert labels["identifier"] == "Identifiant de la série"

    filled = TWO_HOURS.replace('action="execute"', f'action="complete" sessionid="{session}"')
    answer = (await peer.ask(node.connection.jid, filled)).find(COMMAND)
    assert answer is not None
    assert (answer.get("status"), answer.get("sessionid")) == ("completed", session)
    assert len(values(answer)) == 2

    given_up = f"""<command xmlns="http://jabber.org/protocol/commands" node="get_history"
        action="cancel" sessionid="{session}"/>"""
    answer = (await peer.ask(node.connection.jid, given_up)).find(COMMAND)
    assert answer is not None
    assert answer.get("status") == "canceled"


VALUES: dict[Number, Number] = {int(START.timestamp()): 1}
WIDE = tuple(Records(f"{SERIES}/{'x' * 100}{n}", "W", VALUES) for n in range(2_000))


@pytest.mark.parametrize("data", [records(START, 2001), Data(records=WIDE)], ids=["long", "wide"])
async def test_an_answer_over_a_limit_is_refused_and_says_how_to_page(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain, data: Data
) -> None:
    class Long(MemoryHome):
        async def get_history(self, asker: Asker, request: GetHistory) -> Data:
            return data

    node, peer = await new_node(server, Long()), await new_plain(server)
    condition, kind, words = refusal(await peer.ask(node.connection.jid, TWO_HOURS))
    assert (condition, kind) == ("bad-request", "modify")
    assert "ask for a shorter range, then for the next" in words


@pytest.mark.parametrize(
    ("payload", "condition"),
    [
        (TWO_HOURS.replace("2026-01-01T02:00:00+01:00", "yesterday"), "bad-request"),
        (EMPTY.format(node="get_data_needs"), "item-not-found"),
        (EMPTY.format(node="withdraw"), "item-not-found"),
        (
            TWO_HOURS.replace("</command>", "<a>" * 500 + "</a>" * 500 + "</command>"),
            "policy-violation",
        ),
        ('<nothing xmlns="urn:nobody:knows"/>', "feature-not-implemented"),
    ],
)
async def test_malformed_requests_are_refused_and_the_node_continues(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain, payload: str, condition: str
) -> None:
    home = MemoryHome()
    node, peer = await new_node(server, home), await new_plain(server)
    home.readers.add(peer.boundjid.bare)
    assert refusal(await peer.ask(node.connection.jid, payload))[0] == condition
    assert len(values(await peer.ask(node.connection.jid, TWO_HOURS))) == 2


async def test_an_internal_error_hides_its_message(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(MemoryHome):
        async def get_history(self, asker: Asker, request: GetHistory) -> Data:
            raise ZeroDivisionError("the house is empty")

    node, peer = await new_node(server, Broken()), await new_plain(server)
    condition, kind, words = refusal(await peer.ask(node.connection.jid, TWO_HOURS))
    assert (condition, kind) == ("internal-server-error", "wait")
    assert "house" not in words
    assert "answer-failed" in caplog.text


async def test_a_peer_has_one_request_in_flight(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain
) -> None:
    go_on = asyncio.Event()

    class Slow(MemoryHome):
        async def get_history(self, asker: Asker, request: GetHistory) -> Data:
            await go_on.wait()
            raise NotAuthorized

    node, peer, other = (
        await new_node(server, Slow()),
        await new_plain(server),
        await new_plain(server),
    )
    first = peer.begin(node.connection.jid, TWO_HOURS)
    second = await peer.ask(node.connection.jid, TWO_HOURS)
    assert refusal(second)[:2] == ("resource-constraint", "wait")
    of_another = other.begin(node.connection.jid, TWO_HOURS)
    go_on.set()
    assert refusal(await first)[0] == "not-authorized"
    assert refusal(await of_another)[0] == "not-authorized"


async def test_a_flooding_peer_is_limited_and_others_are_served(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain
) -> None:
    node, flood, other = await new_node(server), await new_plain(server), await new_plain(server)

    asked = EMPTY.format(node="list_series")
    answers = [await flood.ask(node.connection.jid, asked) for _ in range(61)]

    assert {answer.get("type") for answer in answers[:60]} == {"result"}
    assert refusal(answers[60])[:2] == ("resource-constraint", "wait")
    calm = await other.ask(node.connection.jid, asked)
    assert calm.get("type") == "result"
