"""Waits between attempts."""

from itertools import islice

from consometers_quoalise_network.backoff import Backoff


def test_waits_grow_and_vary() -> None:
    backoff = Backoff(first_seconds=2, most_seconds=300)
    for failures, longest in {0: 2, 1: 4, 5: 64, 9: 300, 10_000: 300}.items():
        waits = {backoff.seconds(failures) for _ in range(50)}
        assert len(waits) > 1
        assert all(longest / 2 <= wait <= longest for wait in waits)


def test_delays_grow_up_to_a_bound() -> None:
    assert list(islice(Backoff(1, 5, least=1).delays(), 5)) == [1, 2, 4, 5, 5]
    assert list(islice(Backoff(1, 5, least=1).shortened(10).delays(), 2)) == [0.1, 0.2]
    delays = list(islice(Backoff(1, 60).delays(), 12))
    assert 0.5 <= delays[0] <= 1
    assert all(30 <= delay <= 60 for delay in delays[6:])
    assert len(set(delays)) == 12
