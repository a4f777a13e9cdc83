"""What charts show adds up, and is made of released figures alone."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given, strategies as st

from consometers_node.collective.disclosure.sdc_rules import (
    Figure,
    Reason,
    Released,
    WattMinutes,
    Withheld,
)
from consometers_node.collective.publication.queries import Told
from consometers_node.series import Direction
from consometers_node.web.public.energy_rows import Amount, by_month, by_year, rates, rows, together

START = datetime(2025, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HIDDEN = list(Reason)


def out(watt_minutes: int, members: int) -> Released:
    each = WattMinutes(watt_minutes // members)
    return Released(WattMinutes(watt_minutes), members, members, members, each, 1440)


figures = st.one_of(
    st.builds(out, st.integers(0, 10**9), st.integers(10, 99)),
    st.builds(Withheld, st.sampled_from(HIDDEN), st.just(10)),
)


def told(some: list[Figure]) -> list[Told]:
    return [Told(START + n * DAY, START + (n + 1) * DAY, 1440, one) for n, one in enumerate(some)]


@st.composite
def tables(draw: st.DrawFn) -> dict[Direction, list[Told]]:
    length = draw(st.integers(1, 100))
    return {
        direction: told(draw(st.lists(figures, min_size=length, max_size=length)))
        for direction in draw(st.sets(st.sampled_from(Direction), min_size=1))
    }


@given(st.lists(figures))
def test_a_sum_has_all_that_was_released_and_nothing_else(some: list[Figure]) -> None:
    amount = Amount.of_all(told(some))
    shown = [one for one in some if isinstance(one, Released)]
    assert (amount.out, amount.of) == (len(shown), len(some))
    assert (amount.minutes, amount.minutes_of) == (1440 * len(shown), 1440 * len(some))
    if shown:
        assert amount.wh == sum(one.watt_minutes for one in shown) / 60
        assert amount.per_member_wh == sum(one.per_member for one in shown) / 60
        assert amount.why is None
    else:
        assert amount.wh is None
        assert (amount.why is None) is not bool(some)


@given(tables())
def test_parts_of_a_table_add_up_to_it(table: dict[Direction, list[Told]]) -> None:
    whole = together(table)
    assert whole is not None
    for parts in (by_month(table), by_year(table)):
        pieces = [together(part) for part in parts]
        for direction in table:
            found = [piece[direction].wh or 0 for piece in pieces if piece is not None]
            assert abs(sum(found) - (whole[direction].wh or 0)) < 1e-3
    assert len(rows(table)) == len(next(iter(table.values())))


@given(tables())
def test_rates_are_parts_of_one(table: dict[Direction, list[Told]]) -> None:
    found = rates(table)
    for rate in (found.self_consumption, found.self_sufficiency):
        assert rate is None or 0 <= rate <= 1


@given(tables())
def test_rates_leave_out_what_is_withheld_of_one_direction(
    table: dict[Direction, list[Told]],
) -> None:
    complete = [
        n
        for n in range(len(next(iter(table.values()))))
        if all(isinstance(some[n].figure, Released) for some in table.values())
    ]
    kept = {direction: [some[n] for n in complete] for direction, some in table.items()}
    if len(table) == len(Direction):
        assert rates(table) == rates(kept)


@given(tables())
def test_what_was_used_on_the_spot_is_never_less_than_nothing(
    table: dict[Direction, list[Told]],
) -> None:
    for row in rows(table):
        assert row.spot_wh is None or row.spot_wh >= 0
        assert row.used_wh is None or row.drawn.wh is not None


@given(tables())
def test_what_many_intervals_used_on_the_spot_is_of_those_of_which_it_is_known(
    table: dict[Direction, list[Told]],
) -> None:
    whole = together(table)
    assert whole is not None
    both = [row.both for row in rows(table) if row.both.out]
    made, fed = sum(one.production for one in both), sum(one.injection for one in both)
    assert whole.both.out == len(both)
    assert whole.spot_wh == ((made - fed) / 60 if both and fed <= made else None)
    assert whole.rates == rates(table)


def test_a_day_of_which_it_is_not_known_what_was_fed_in_is_not_used_on_the_spot() -> None:
    """Of two days of 500 Wh, 400 of one are known to be fed in, and 300 were drawn each day."""
    day = [out(60 * wh, 12) for wh in (500, 400, 300)]
    whole = together(
        {
            Direction.PRODUCTION: told([day[0], day[0]]),
            Direction.INJECTION: told([Withheld(Reason.BELOW_THRESHOLD, 10), day[1]]),
            Direction.CONSUMPTION: told([day[2], day[2]]),
        }
    )
    assert whole is not None
    assert whole.made.wh == 1000
    assert whole.spot_wh == 100
    assert whole.used_wh == 400
    assert whole.compared == 500 / 400
    assert whole.rates.self_consumption == Fraction(100, 500)
    assert not whole.sells_all
