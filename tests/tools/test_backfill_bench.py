"""The benchmark of years of history: that it asks for all of them, and knows what it is to get."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tools.bench import backfill
from tools.bench.peer import months

UNTIL = datetime(2026, 3, 1, 7, tzinfo=UTC)


def test_months_follow_one_another_from_now_back_to_the_first_day() -> None:
    since = datetime(2025, 11, 20, 9, 30, 5, tzinfo=UTC)
    ranges = list(months(since, UNTIL))
    assert ranges[0][1] == UNTIL
    assert ranges[-1][0] == since
    assert all(later[0] == earlier[1] for later, earlier in pairwise(ranges))
    assert [start.day for start, _ in ranges] == [1, 1, 1, 1, 20]


def test_a_peer_expects_the_records_since_the_granted_start() -> None:
    past = backfill.past(48, UNTIL)
    names = {name: f"{name} for the peer" for name in past}
    since = UNTIL - timedelta(hours=24, minutes=30)
    wanted = backfill.granted(past, backfill.Shared(names, since))
    assert set(wanted) == set(names.values())
    for name, records in past.items():
        held = wanted[names[name]]
        assert len(held) == 24
        assert held.items() <= records.items()
