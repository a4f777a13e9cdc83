"""What nodes send through a server of tests is recorded, and validated against the schemas."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from consometers_quoalise import Data, NotAuthorized
from consometers_quoalise_xmpp import sends_receipts
from demo.servers.prosody import RECORDED, Authority, Prosody
from testing.xmpp.answerers import NOW, SERIES, START, MemoryHome, records
from testing.xmpp.fixtures import MakeNode
from testing.xmpp.stanzas import check


@pytest.fixture
def recorder(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> Iterator[Prosody]:
    """A server that records into the folder of the test."""
    monkeypatch.setenv(RECORDED, str(tmp_path))
    with Prosody("recorded.test", authority) as server:
        yield server


async def keep(_peer: str, _records: Data) -> None:
    """Store nothing, and have it acknowledged."""


async def test_stanzas_of_nodes_are_valid_and_others_are_noticed(
    recorder: Prosody, tmp_path: Path, new_node: MakeNode
) -> None:
    home = MemoryHome()
    node, peer = await new_node(recorder, home), await new_node(recorder, keep=keep)
    home.readers.add(peer.bare)
    jid = node.connection.jid
    await peer.asking.get_history(jid, SERIES, START, START + timedelta(hours=2))
    await peer.asking.list_series(jid)
    await peer.asking.subscribe(jid, SERIES)
    assert await sends_receipts(node.connection, peer.connection.jid)
    await node.pushing.push(peer.bare, records(NOW, 2))
    home.readers.clear()
    with pytest.raises(NotAuthorized):
        await peer.asking.get_history(jid, SERIES, START, START + timedelta(hours=2))

    kinds = check(tmp_path)
    assert {kind.partition("}")[2]: count for kind, count in kinds.items()} == {
        "command": 7,
        "query": 2,
        "quoalise": 1,
        "received": 1,
        "error": 1,
    }

    node.connection.stream.send_raw(
        f'<message to="{peer.bare}" id="1"><quoalise xmlns="urn:quoalise:0"/></message>'
    )
    await sends_receipts(node.connection, peer.connection.jid)
    with pytest.raises(AssertionError, match=r"not valid: 1\n.*quoalise"):
        check(tmp_path)
