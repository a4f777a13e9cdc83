"""Who is known is said at once; who may have become so meanwhile is no stranger."""

from consometers_node.sharing.changes import Changes, KnownPeers


def test_where_nothing_has_changed_since_the_last_look_strangers_are_told_apart() -> None:
    changes = Changes()
    known = KnownPeers(changes)
    assert known("a@one.test")
    known.are(["a@one.test"], changes.count)
    assert known("a@one.test")
    assert not known("b@one.test")


def test_what_changed_after_a_look_may_have_made_anybody_known() -> None:
    changes = Changes()
    known = KnownPeers(changes)
    seen = changes.count
    changes.notify()
    known.are(["a@one.test"], seen)
    assert known("b@one.test")
    known.are(["a@one.test"], changes.count)
    assert not known("b@one.test")
