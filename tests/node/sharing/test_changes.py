"""Known peers are recognised at once; after a change, no peer counts as a stranger."""

from consometers_node.sharing.changes import Changes, KnownPeers


def test_strangers_are_recognised_while_nothing_changes() -> None:
    changes = Changes()
    peers = KnownPeers(changes)
    assert peers("a@one.test")
    peers.are(["a@one.test"], changes.count)
    assert peers("a@one.test")
    assert not peers("b@one.test")


def test_no_peer_counts_as_a_stranger_after_a_change() -> None:
    changes = Changes()
    peers = KnownPeers(changes)
    seen = changes.count
    changes.notify()
    peers.are(["a@one.test"], seen)
    assert peers("b@one.test")
    peers.are(["a@one.test"], changes.count)
    assert not peers("b@one.test")
