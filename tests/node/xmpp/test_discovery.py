"""What a node reveals of itself when a chat client asks."""

from xml.etree.ElementTree import Element

import pytest

from consometers_quoalise import Role
from consometers_quoalise_network import Account
from consometers_quoalise_xmpp import Connection, Discovery
from demo.servers.prosody import Prosody
from testing.networks import PASSWORD, reach
from testing.run import DEADLINE_S
from testing.xmpp.answerers import AskingCollective
from testing.xmpp.fixtures import MakeNode, MakePlain, NewAccount
from testing.xmpp.plain_peer import INFO, disco, refusal

ITEMS = "http://jabber.org/protocol/disco#items"
COMMANDS = "http://jabber.org/protocol/commands"


def identity(answer: Element) -> tuple[str | None, ...]:
    element = answer.find(f"*/{{{INFO}}}identity")
    assert element is not None
    return element.get("category"), element.get("type"), element.get("name")


async def test_a_node_answers_discovery_and_pings(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain
) -> None:
    to, peer = (await new_node(server)).connection.jid, await new_plain(server, language="fr")
    assert identity(await disco(peer, to, INFO)) == ("client", "bot", "Consometers : un foyer")
    listed = await disco(peer, to, INFO, COMMANDS)
    assert identity(listed)[:2] == ("automation", "command-list")
    command = await disco(peer, to, INFO, "get_history")
    assert identity(command) == ("automation", "command-node", "Obtenir l’historique")
    assert command[0].get("node") == "get_history"
    for what in (INFO, ITEMS):
        assert refusal(await disco(peer, to, what, "grant"))[0] == "item-not-found"
    assert len((await disco(peer, to, ITEMS))[0]) == 0
    assert (await peer.ask(to, '<ping xmlns="urn:xmpp:ping"/>', kind="get")).get("type") == "result"


async def test_a_client_program_announces_no_commands(
    server: Prosody, new_account: NewAccount, new_plain: MakePlain
) -> None:
    account = Account(new_account(server), PASSWORD)
    async with Connection(account, server=reach(server), resource="console") as connection:
        Discovery(connection, None, receives=True)
        await connection.online(DEADLINE_S)
        peer = await new_plain(server)
        answer = await disco(peer, connection.jid, INFO)
        assert identity(answer)[:2] == ("client", "console")
        features = {feature.get("var") for feature in answer.iter(f"{{{INFO}}}feature")}
        assert "urn:xmpp:receipts" in features
        assert COMMANDS not in features
        assert not list((await disco(peer, connection.jid, ITEMS, COMMANDS))[0])


@pytest.mark.parametrize(
    ("role", "only"),
    [
        (Role.HOUSEHOLD, {"send_letter"}),
        (
            Role.COLLECTIVE,
            {
                "get_data_needs",
                "grant",
                "withdraw",
                "get_export",
                "verify_reports",
                "open_sums",
            },
        ),
    ],
)
async def test_the_commands_are_those_of_the_role(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain, role: Role, only: set[str]
) -> None:
    node = await new_node(server, AskingCollective() if role is Role.COLLECTIVE else None)
    answer = await disco(await new_plain(server), node.connection.jid, ITEMS, COMMANDS)
    nodes = {item.get("node") for item in answer[0]}
    both = {"get_history", "subscribe", "unsubscribe", "list_series", "terminate"}
    assert nodes == both | only
