"""How often each source may do something."""

from consometers_node.rate_limit import GrowingWait, TokenBucket
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_network.rate_limit import SOURCES, SlidingWindow


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_window_frees_places_as_requests_age() -> None:
    clock = Clock()
    window = SlidingWindow(clock, most=3)
    for clock.now in (0, 10, 20):
        assert window.take("a")
    assert not window.take("a")
    assert window.wait_seconds("a") == 40
    assert window.take("b")
    clock.now = 60
    assert window.take("a")
    assert not window.take("a")


def test_a_window_forgets_the_least_recent_source() -> None:
    window = SlidingWindow(Clock(), most=1, sources=2)
    assert [window.take(source) for source in "abc"] == [True, True, True]
    assert [window.take(source) for source in "cba"] == [False, False, True]


async def test_a_task_waits_for_its_turn() -> None:
    clock = Clock()
    window = SlidingWindow(clock, most=1)
    await window.turn("a")
    clock.now = 59.99
    await window.turn("a")


def test_a_bucket_allows_a_burst_then_a_steady_rate() -> None:
    clock = Clock()
    bucket = TokenBucket(at_once=2, a_second=2.0, clock=clock)
    assert [bucket.take("a") for _ in range(3)] == [None, None, 1]
    assert bucket.take("b") is None
    clock.now += 0.5
    assert [bucket.take("a") for _ in range(2)] == [None, 1]
    clock.now += 1000
    assert [bucket.take("a") for _ in range(3)] == [None, None, 1]


def test_a_bucket_forgets_the_least_recent_source() -> None:
    bucket = TokenBucket(at_once=1, a_second=0.001, clock=Clock(), sources=3)
    for source in "abcd":
        assert bucket.take(source) is None
    assert bucket.take("d") is not None
    assert bucket.take("a") is None


def test_tries_are_forgotten_after_a_day() -> None:
    clock = Clock()
    tries = GrowingWait(Backoff(2, 900, least=1), clock)
    assert [tries.take({"a": 2}) for _ in range(3)] == [None, None, 2]
    clock.now += 25 * 3600
    assert tries.take({"a": 2}) is None


def test_the_number_of_remembered_sources_is_bounded() -> None:
    tries = GrowingWait(Backoff(), Clock())
    for number in range(3 * SOURCES):
        tries.take({f"{number}": 1})
    assert len(tries._tries) == SOURCES
