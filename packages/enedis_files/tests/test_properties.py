"""What is written comes back: each energy in its place, and their sum."""

from datetime import UTC, datetime, timedelta
from math import fsum
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from consometers_enedis_files import parse

from .forms import archive, edf_curve, enedis_curve

PARIS = ZoneInfo("Europe/Paris")
VALUES = st.lists(st.one_of(st.none(), st.integers(0, 36_000)), min_size=4, max_size=60).filter(
    lambda values: any(value is not None for value in values)
)
BEGINS = st.integers(0, 60_000).map(
    lambda hours: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
)
CHANGES = st.sampled_from(
    [datetime(2025, 10, 25, 22, tzinfo=UTC), datetime(2026, 3, 28, 22, tzinfo=UTC)]
)
"""Evenings before the clock changes."""


def expected(
    begin: datetime, minutes: int, values: list[int | None]
) -> list[tuple[datetime, datetime, float]]:
    step = timedelta(minutes=minutes)
    return [
        (begin + n * step, begin + (n + 1) * step, value * minutes / 60)
        for n, value in enumerate(values)
        if value is not None
    ]


@given(
    BEGINS | CHANGES,
    st.sampled_from([5, 10, 15, 30, 60]),
    VALUES,
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_curve_comes_back(
    begin: datetime, minutes: int, values: list[int | None], backwards: bool, newline: str
) -> None:
    step = timedelta(minutes=minutes)
    rows = [
        f"{(begin + (n + 1) * step).astimezone(PARIS).isoformat()};{'' if value is None else value}"
        for n, value in enumerate(values)
    ]
    contents = parse(enedis_curve(rows[::-1] if backwards else rows, newline=newline))
    (series,) = contents.series
    assert contents.faults == ()
    wanted = expected(begin, minutes, values)
    assert [(each.start, each.end) for each in series.readings] == [each[:2] for each in wanted]
    assert [each.energy_wh for each in series.readings] == pytest.approx(
        [each[2] for each in wanted]
    )
    assert series.energy_wh == pytest.approx(fsum(each[2] for each in wanted))
    places = [n for n, value in enumerate(values) if value is not None]
    assert series.missing == places[-1] - places[0] + 1 - len(places)


@given(
    CHANGES, st.lists(st.integers(0, 36_000), min_size=20, max_size=60, unique=True), st.booleans()
)
def test_half_hours_under_their_days_come_back(
    begin: datetime, values: list[int], backwards: bool
) -> None:
    step = timedelta(minutes=30)
    rows: list[tuple[str, str]] = []
    for n, value in enumerate(values):
        start = (begin + n * step).astimezone(PARIS)
        end = (begin + (n + 1) * step).astimezone(PARIS)
        rows.append((f"{start:%d/%m/%Y};;", f"{end:%H:%M:%S};{value};Réelle"))
    lines, day = [], ""
    for this_day, row in rows[::-1] if backwards else rows:
        lines += [row] if this_day == day else [this_day, row]
        day = this_day
    contents = parse(archive({"a.csv": edf_curve(lines)}))
    assert contents.faults == ()
    (series,) = contents.series
    assert [(each.start, each.end, each.energy_wh) for each in series.readings] == expected(
        begin, 30, [*values]
    )
