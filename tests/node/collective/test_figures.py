"""Published figures add up, and come from published cells alone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given, strategies as st
import pytest

from consometers_node.collective.disclosure.sdc_rules import Reason, Withheld
from consometers_node.collective.publication.figures import (
    Amount,
    Figure,
    Rates,
    Slots,
    TimeSlot,
    by_month,
    by_year,
    rows,
    together,
)
from consometers_node.series import Direction, Interval
from consometers_node.store.collective_tables import GroupId
from consometers_node.store.publication import PublishedCell

START = datetime(2025, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HIDDEN = list(Reason)
DRAWN = Direction.CONSUMPTION


def cell(watt_minutes: int, members: int) -> PublishedCell:
    return PublishedCell(
        group=GroupId(1),
        interval=Interval.P1D,
        direction=DRAWN,
        start=START,
        day=START.date(),
        watt_minutes=watt_minutes,
        members=members,
        homes=members,
        counting=members,
        per_member=watt_minutes // members,
        minutes=1440,
    )


figures = st.one_of(
    st.builds(cell, st.integers(0, 10**9), st.integers(10, 99)),
    st.builds(Withheld, st.sampled_from(HIDDEN), st.just(10)),
)


def days(**columns: Sequence[Figure]) -> Slots:
    return [
        TimeSlot(
            START + n * DAY,
            START + (n + 1) * DAY,
            1440,
            {Direction(name): figure for name, figure in zip(columns, row, strict=True)},
        )
        for n, row in enumerate(zip(*columns.values(), strict=True))
    ]


@st.composite
def tables(draw: st.DrawFn) -> Slots:
    length = draw(st.integers(1, 100))
    return days(
        **{
            direction: draw(st.lists(figures, min_size=length, max_size=length))
            for direction in draw(st.sets(st.sampled_from(Direction), min_size=1))
        }
    )


@given(st.lists(figures))
def test_amount_sums_exactly_the_published_cells(column: list[Figure]) -> None:
    amount = Amount.of(days(consumption=column), DRAWN)
    shown = [figure for figure in column if isinstance(figure, PublishedCell)]
    assert (amount.published, amount.ended) == (len(shown), len(column))
    assert (amount.minutes, amount.minutes_ended) == (1440 * len(shown), 1440 * len(column))
    if shown:
        assert amount.wh == sum(cell.watt_minutes for cell in shown) / 60
        assert amount.per_member_wh == sum(cell.per_member for cell in shown) / 60
        assert amount.why is None
    else:
        assert amount.wh is None
        assert (amount.why is None) is not bool(column)


@given(tables())
def test_parts_of_a_table_add_up_to_it(table: Slots) -> None:
    whole = together(table)
    assert whole is not None
    for parts in (by_month(table), by_year(table)):
        pieces = [together(part) for part in parts]
        for direction in table[0].figures:
            energies = [piece[direction].wh or 0 for piece in pieces if piece is not None]
            assert abs(sum(energies) - (whole[direction].wh or 0)) < 1e-3
    assert len(rows(table)) == len(table)


@given(tables())
def test_rates_are_fractions_of_complete_intervals(
    table: Slots,
) -> None:
    rates = Rates.of(table)
    for rate in (rates.self_consumption, rates.self_sufficiency):
        assert rate is None or 0 <= rate <= 1
    if len(table[0].figures) == len(Direction):
        complete = [slot for slot in table if slot.published == len(slot.figures)]
        assert rates == Rates.of(complete)


@given(tables())
def test_local_use_sums_complete_intervals(table: Slots) -> None:
    for row in rows(table):
        assert row.spot_wh is None or row.spot_wh >= 0
        assert row.used_wh is None or row.drawn.wh is not None
    whole = together(table)
    assert whole is not None
    both = [row.both for row in rows(table) if row.both.published]
    made, fed = sum(rates.production for rates in both), sum(rates.injection for rates in both)
    assert whole.both.published == len(both)
    assert whole.spot_wh == ((made - fed) / 60 if both and fed <= made else None)
    assert whole.rates == Rates.of(table)


@pytest.mark.parametrize(
    ("production", "injection", "consumption", "self_consumption", "self_sufficiency"),
    [
        (10, 4, 6, Fraction(3, 5), Fraction(1, 2)),
        (10, 0, 0, Fraction(1), Fraction(1)),
        (10, 10, 0, Fraction(0), None),
        (0, 0, 6, None, Fraction(0)),
        (0, 0, 0, None, None),
        (10, 11, 5, None, None),
    ],
)
def test_rates_of_consumption_and_production(
    production: int,
    injection: int,
    consumption: int,
    self_consumption: Fraction | None,
    self_sufficiency: Fraction | None,
) -> None:
    rates = Rates(production, injection, consumption, published=1)
    assert (rates.self_consumption, rates.self_sufficiency) == (self_consumption, self_sufficiency)


def test_rates_need_equally_complete_days() -> None:
    whole = cell(60, 10)
    cells = {"injection": [whole], "production": [whole]}
    assert Rates.of(days(consumption=[whole], **cells)).published == 1
    for other in (whole._replace(minutes=1380), whole._replace(lacks_homes=True)):
        assert Rates.of(days(consumption=[other], **cells)).published == 0


def test_a_day_without_injection_counts_no_self_consumption() -> None:
    """Of two days of 500 Wh, 400 of one are known to be fed in, and 300 were drawn each day."""
    made, fed, drawn = (cell(60 * wh, 12) for wh in (500, 400, 300))
    whole = together(
        days(
            production=[made, made],
            injection=[Withheld(Reason.BELOW_THRESHOLD, 10), fed],
            consumption=[drawn, drawn],
        )
    )
    assert whole is not None
    assert whole.made.wh == 1000
    assert whole.spot_wh == 100
    assert whole.used_wh == 400
    assert whole.rates.production_share == Fraction(500, 400)
    assert whole.rates.self_consumption == Fraction(100, 500)
    assert not whole.sells_all
