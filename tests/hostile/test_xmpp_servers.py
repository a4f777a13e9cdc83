"""An attacker with an account on a collective's server, or with a server, and costly stanzas.

The server is Debian's Prosody with the settings and the modules of `deploy/`. How much a stanza
takes of it, and of ejabberd, `script/bench stanzas` measures.
"""

from collections.abc import Iterator
from dataclasses import replace
import re
from typing import Final, override

import pytest
import pytest_socket

from consometers_quoalise import BadRequest, DataNeed
from consometers_quoalise.elements.markup import MAX_BYTES, MAX_DEPTH, serialise
from consometers_quoalise.federation.permissions_xml import write_data_needs
from consometers_quoalise_network import Asker
from consometers_quoalise_xmpp import features, parsing
from demo.servers.prosody import Authority
from packages.quoalise.tests.samples import NEED
from testing.networks import PASSWORD
from testing.run import DEADLINE_S
from testing.sentences import says
from testing.xmpp.answerers import AskingCollective
from testing.xmpp.ejabberd import Cluster
from testing.xmpp.fixtures import MakeNode, NewAccount
from tools.bench.network.deployed import DEPLOY, Deployed, Ended, Place, Wire
from tools.bench.network.stanzas import ATTACKER, stanzas

BOUNDS: Final = DEPLOY / "modules" / "mod_stanza_bounds.lua"
REFUSED: Final = {
    "half a namespace": "too long a name",
    "attributes of it": "too long a name",
    "children": "too many elements",
    "levels": "too many levels",
}
"""What the log says of each. 20,000 attributes are one tag, which Expat puts off."""


@pytest.fixture(scope="module")
def running(authority: Authority) -> Iterator[Deployed]:
    pytest_socket.enable_socket()
    with Deployed("deployed.test", authority) as server:
        yield server


@pytest.fixture
def deployed(running: Deployed, socket_enabled: None) -> Deployed:
    return running


@pytest.mark.parametrize("kind", ["client", "server"])
async def test_prosody_ends_the_stream_of_a_costly_stanza_alone(
    kind: str,
    deployed: Deployed,
    authority: Authority,
    new_node: MakeNode,
    new_account: NewAccount,
) -> None:
    node, peer = await new_node(deployed), await new_node(deployed)
    session = await node.connection.online(DEADLINE_S)
    user = new_account(deployed).partition("@")[0]
    certificate = authority.issue(ATTACKER, deployed.folder)

    def place(port: int) -> Place:
        return Place(deployed.host, port, deployed.ca_file)

    sent = stanzas(Deployed.stanza_size(), node.bare)
    for name, excess in REFUSED.items():
        before = deployed.log().count(f"a stanza had {excess}")
        async with (
            Wire.client(place(deployed.port), user, PASSWORD)
            if kind == "client"
            else Wire.server(place(deployed.s2s_port), ATTACKER, certificate)
        ) as wire:
            wire.send(sent[name])
            # A reset may overtake the error of the stream: the log has the reason.
            with pytest.raises(Ended):
                await wire.answered(deployed.host)
        assert deployed.log().count(f"a stanza had {excess}") == before + 1
        assert await features(peer.connection, node.connection.jid)
    assert not session.ended.done()
    assert "nnnn" not in deployed.log()


class Wordy(AskingCollective):
    """Asks for much, in many words."""

    def __init__(self, letter: str, needs: int) -> None:
        super().__init__()
        purpose = {"en": letter * 8_000}
        self.needs = [replace(NEED, id=f"n{n}", purpose=purpose) for n in range(needs)]

    @override
    async def get_data_needs(self, asker: Asker, invitation: str | None) -> list[DataNeed]:
        return self.needs


async def test_the_largest_message_of_a_node_passes(deployed: Deployed, new_node: MakeNode) -> None:
    most = next(
        needs
        for needs in range(50, 0, -1)
        if len(serialise(write_data_needs(Wordy("x", needs).needs), None)) < MAX_BYTES - 1_000
    )
    node, peer = await new_node(deployed, Wordy("x", most)), await new_node(deployed)
    got = await peer.asking.get_data_needs(node.connection.jid)
    assert [need.id for need in got] == [f"n{n}" for n in range(most)]
    assert most > 10


async def test_an_answer_is_as_large_as_it_is_written(
    deployed: Deployed, new_node: MakeNode
) -> None:
    """Of an apostrophe, six bytes are sent."""
    node, peer = await new_node(deployed, Wordy("'", 3)), await new_node(deployed)
    session = await node.connection.online(DEADLINE_S)
    with pytest.raises(BadRequest, check=says("too large")):
        await peer.asking.get_data_needs(node.connection.jid)
    assert not session.ended.done()


def test_servers_pass_what_a_node_sends_and_a_node_reads_what_servers_pass() -> None:
    # Both addresses, and a receipt that is asked for.
    envelope = 2 * parsing.MAX_ADDRESS + 500
    assert MAX_BYTES + envelope < Deployed.stanza_size() == Cluster.stanza_size()
    assert Deployed.stanza_size() <= parsing.MAX_BYTES


def test_prosody_and_the_node_have_the_same_bounds() -> None:
    written = re.findall(r'"stanza_(?:most_)?(\w+)", (\d+)', BOUNDS.read_text())
    assert {name: int(value) for name, value in written} == {
        "longest_name": parsing.MAX_NAME,
        "attributes": parsing.MAX_ATTRIBUTES,
        "elements": parsing.MAX_ELEMENTS,
        "levels": MAX_DEPTH,
    }
