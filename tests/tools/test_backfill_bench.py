"""The benchmark of years of history: that it asks for all of them, and knows what it is to get."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tools.bench import backfill
from tools.bench.peer import months

UNTIL = datetime(2026, 3, 1, 7, tzinfo=UTC)


def test_months_follow_one_another_from_now_back_to_the_first_day() -> None:
    since = datetime(2025, 11, 20, 9, 30, 5, tzinfo=UTC)
    found = list(months(since, UNTIL))
    assert found[0][1] == UNTIL
    assert found[-1][0] == since
    assert all(later[0] == earlier[1] for later, earlier in pairwise(found))
    assert [start.day for start, _ in found] == [1, 1, 1, 1, 20]


def test_the_past_is_every_hour_of_each_register() -> None:
    known = backfill.past(48, UNTIL)
    assert known == backfill.past(48, UNTIL)
    assert set(known) == set(backfill.REGISTERS)
    for records in known.values():
        assert len(records) == 48
        assert max(records) == (UNTIL - backfill.HOUR).timestamp()


def test_a_peer_is_to_hold_what_starts_since_the_grant_reaches_back() -> None:
    known = backfill.past(48, UNTIL)
    names = {name: f"{name} for the peer" for name in known}
    since = UNTIL - timedelta(hours=24, minutes=30)
    wanted = backfill.granted(known, backfill.Shared(names, since))
    assert set(wanted) == set(names.values())
    for name, records in known.items():
        held = wanted[names[name]]
        assert len(held) == 24
        assert held.items() <= records.items()
