"""60 times a minute, for each peer."""

from consometers_node.xmpp.limits import Rate


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_peer_may_ask_again_as_its_requests_grow_old() -> None:
    clock = Clock()
    rate = Rate(clock, most=3)
    for clock.now in (0, 10, 20):
        assert rate.take("a")
    assert not rate.take("a")
    assert rate.wait_seconds("a") == 40
    assert rate.take("b")
    clock.now = 60
    assert rate.take("a")
    assert not rate.take("a")


def test_of_too_many_peers_those_are_forgotten_that_were_not_heard_for_longest() -> None:
    rate = Rate(Clock(), most=1, peers=2)
    assert [rate.take(peer) for peer in "abc"] == [True, True, True]
    assert [rate.take(peer) for peer in "cba"] == [False, False, True]


async def test_who_asks_waits_for_its_turn() -> None:
    clock = Clock()
    rate = Rate(clock, most=1)
    await rate.turn("a")
    clock.now = 59.99
    await rate.turn("a")
