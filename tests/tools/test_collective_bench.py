"""The benchmark of a collective: that its members push what can be counted afterwards."""

from datetime import UTC, datetime, timedelta

from consometers_node.quoalise.data import decode
from tools.bench.collective import Case, pushed

NOW = datetime(2026, 3, 1, 7, tzinfo=UTC)


def test_each_member_pushes_whole_days_up_to_yesterday() -> None:
    case = Case(members=3, days=4)
    messages = pushed(case, NOW)
    assert messages == pushed(case, NOW)
    names = set()
    for some in messages:
        told = [decode(message) for message in some]
        names |= {one.name for data in told for one in data.records}
        starts = [time for data in told for one in data.records for time in one.values]
        assert starts == list(range(int(starts[0]), int(starts[0]) + 5 * 86_400, 3_600))
        assert starts[0] == (NOW.replace(hour=0) - timedelta(days=5)).timestamp()
    assert len(names) == 3
