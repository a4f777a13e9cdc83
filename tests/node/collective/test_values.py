"""Values of figures add up, cover what they say, and come from published cells alone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given, strategies as st
import pytest

from consometers_node.collective.disclosure.reasons import Reason, Withheld
from consometers_node.collective.publication.values import (
    CellOrReason,
    Compared,
    Slots,
    TimeSlot,
    at_equal_membership,
    by_month,
    by_year,
    joint_of_day,
    rows,
    together,
    value,
)
from consometers_node.figures import COMBINED, FIGURES, Comparison, Energies, Unit
from consometers_node.series import Direction, Interval
from consometers_node.store.collective_tables import GroupId
from consometers_node.store.publication import IntervalSums, Joint, PublishedCell

START = datetime(2025, 11, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MADE, FED, DRAWN = Direction.PRODUCTION, Direction.INJECTION, Direction.CONSUMPTION
BELOW = Withheld(Reason.BELOW_THRESHOLD, 10)


def cell(watt_minutes: int, homes: int, direction: Direction = DRAWN) -> PublishedCell:
    return PublishedCell(
        group=GroupId(1),
        interval=Interval.PT1H,
        direction=direction,
        start=START,
        day=START.date(),
        watt_minutes=watt_minutes,
        members=homes,
        homes=homes,
        counting=homes,
        homes_watt_minutes=watt_minutes,
        average=watt_minutes // homes,
        minutes=60,
    )


def hours(**columns: Sequence[CellOrReason]) -> list[TimeSlot]:
    """Return an interval for each row of these columns."""
    return [
        TimeSlot(
            START + n * HOUR,
            START + (n + 1) * HOUR,
            60,
            {
                Direction(name): found._replace(direction=Direction(name))
                if isinstance(found, PublishedCell)
                else found
                for name, found in zip(columns, row, strict=True)
            },
        )
        for n, row in enumerate(zip(*columns.values(), strict=True))
    ]


def hour(made: int | None = None, fed: int | None = None, drawn: int | None = None) -> TimeSlot:
    """Return an interval of 12 homes, with these Wh; None is suppressed."""
    energies = zip((MADE, FED, DRAWN), (made, fed, drawn), strict=True)
    cells: dict[str, list[CellOrReason]] = {
        way: [BELOW if wh is None else cell(60 * wh, 12)] for way, wh in energies
    }
    return hours(**cells)[0]


columns = st.one_of(
    st.builds(cell, st.integers(0, 10**9), st.integers(10, 99)),
    st.builds(
        lambda energy, homes: cell(energy, homes)._replace(lacking=60),
        st.integers(0, 10**9),
        st.integers(10, 99),
    ),
    st.builds(Withheld, st.sampled_from(list(Reason)), st.just(10)),
)


@st.composite
def tables(draw: st.DrawFn) -> Slots:
    length = draw(st.integers(1, 100))
    return hours(
        **{
            direction: draw(st.lists(columns, min_size=length, max_size=length))
            for direction in draw(st.sets(st.sampled_from(Direction), min_size=1))
        }
    )


@given(st.lists(columns, min_size=1))
def test_energy_sums_exactly_the_published_cells(column: list[CellOrReason]) -> None:
    found = value(hours(consumption=column), DRAWN)
    shown = [each for each in column if isinstance(each, PublishedCell)]
    assert (found.minutes, found.minutes_ended) == (60 * len(shown), 60 * len(column))
    assert found.lacking == sum(each.lacking for each in shown)
    if shown:
        assert found.amount == sum(each.watt_minutes for each in shown)
        assert found.average == sum(each.average for each in shown)
        assert found.why is None
    else:
        assert found.amount is None
        assert found.why is not None


@given(tables())
def test_parts_of_a_table_add_up_to_it(table: Slots) -> None:
    for parts in (by_month(table), by_year(table), [[slot] for slot in table]):
        for key, figure in FIGURES.items():
            whole = value(table, key)
            each = [value(part, key) for part in parts]
            assert whole.minutes == sum(part.minutes for part in each)
            assert whole.minutes_ended == sum(part.minutes_ended for part in each)
            if figure.unit is Unit.ENERGY and all(part.amount is not None for part in each):
                assert whole.amount == sum(part.amount or 0 for part in each)
    assert len(rows(table)) == len(table)


@given(tables())
def test_figure_covers_the_hours_whose_energies_are_of_the_same_homes(table: Slots) -> None:
    for key, figure in FIGURES.items():
        covered = [
            cells
            for slot in table
            if all(cells := [slot.cell(way) for way in figure.basis.directions])
            and len({bool(each and each.lacking) for each in cells}) == 1
        ]
        assert value(table, key).minutes == 60 * len(covered)


@given(tables())
def test_shares_of_a_whole_are_at_most_one(table: Slots) -> None:
    for key in ("self-consumption", "self-sufficiency", "local-coverage"):
        amount = value(table, key).amount
        assert amount is None or 0 <= amount <= 1


@pytest.mark.parametrize(
    ("energies", "rates"),
    [
        ((10, 4, 6), (Fraction(3, 5), Fraction(1, 2), Fraction(10, 12))),
        ((10, 0, 0), (Fraction(1), Fraction(1), Fraction(1))),
        ((10, 10, 0), (Fraction(0), None, None)),
        ((0, 0, 6), (None, Fraction(0), Fraction(0))),
        ((0, 0, 0), (None, None, None)),
    ],
)
def test_rates_of_consumption_and_production(
    energies: tuple[int, int, int], rates: tuple[Fraction | None, ...]
) -> None:
    slots = [hour(*energies)]
    keys = "self-consumption", "self-sufficiency", "local-coverage"
    found = [value(slots, key) for key in keys]
    assert tuple(each.amount for each in found) == rates
    assert {each.why for each in found} == {None}


def test_energies_that_contradict_each_other_have_no_rate() -> None:
    """More was injected than produced: one of the two is wrong."""
    found = value([hour(10, 11, 5)], "self-sufficiency")
    assert found.amount is None
    assert found.why == Withheld(Reason.INCOMPARABLE)


def test_an_hour_without_the_homes_of_one_energy_counts_in_no_rate() -> None:
    """Of the hours of a day, one lacks the homes that inject: its surplus was no self-consumption.

    Counting it showed a deficit of the day as a surplus.
    """
    school = cell(60 * 2, 1)._replace(homes=0, lacking=60, direction=FED)
    lacking = hour(500, 0, 300)
    lacking = lacking._replace(cells={**lacking.cells, FED: school})
    day = [hour(500, 400, 300), lacking]
    assert value(day, "production").amount == 60 * 1_000
    assert (value(day, FED).hours, value(day, FED).hours_lacking) == (2, 1)
    found = value(day, "self-consumption")
    assert (found.amount, found.hours, found.hours_ended) == (Fraction(100, 500), 1, 2)
    assert value(day, "total-consumption").wh == 400


def test_energies_without_homes_alike_are_compared() -> None:
    """A school beside suppressed homes: all its energies are its own."""
    slot = hour(500, 400, 300)
    cells = {
        way: each._replace(lacking=60)
        for way, each in slot.cells.items()
        if isinstance(each, PublishedCell)
    }
    found = value([slot._replace(cells=cells)], "self-consumption")
    assert (found.amount, found.hours, found.hours_lacking) == (Fraction(1, 5), 1, 1)


def test_an_average_takes_homes_in_each_hour() -> None:
    """Hours of a school alone beside hours of homes: a sum of some averages is no average."""
    of_homes = hour(500, 400, 300)
    cells = {
        way: each._replace(homes=0, homes_watt_minutes=0)
        for way, each in of_homes.cells.items()
        if isinstance(each, PublishedCell)
    }
    slots = [of_homes, of_homes._replace(cells=cells)]
    assert value(slots[:1], "total-consumption").average == 400 * 60 // 12
    found = value(slots, "total-consumption")
    assert (found.wh, found.average) == (800, None)


def test_a_building_alone_shares_with_nobody() -> None:
    slots = [hour(500, 400, 300)._replace(of_building=True)]
    for key, figure in FIGURES.items():
        assert value(slots, key).is_there is not figure.among_neighbours


def test_rate_of_a_suppressed_energy_is_withheld_with_it() -> None:
    assert value([hour(500, None, 300)], "self-consumption").why == BELOW


# Days: of their hours, and of homes that send days alone.


def sums(joint: Joint, **watt_minutes: int) -> IntervalSums:
    energies = {Direction(name): energy for name, energy in watt_minutes.items()}
    return IntervalSums({basis.directions: joint for basis in COMBINED}, energies)


BALANCE, COVERAGE = FIGURES["self-sufficiency"].basis, FIGURES["local-coverage"].basis
OF_HOURS = Joint(Energies(600, 240, 300, 200), 120)


def of_day(**watt_minutes: int) -> Mapping[Direction, CellOrReason]:
    return {
        Direction(name): cell(energy, 12, Direction(name))._replace(minutes=1440)
        for name, energy in watt_minutes.items()
    }


def test_homes_that_send_days_are_in_the_rates_of_a_day() -> None:
    hours_alone = sums(OF_HOURS, production=600, injection=240, consumption=300)
    cells = of_day(production=600, injection=240, consumption=900)
    joint = joint_of_day(BALANCE, hours_alone, cells, 1440, frozenset())
    assert joint == Joint(Energies(600, 240, 900, 200), 120)
    # They may not have drawn at the moment at which others injected.
    assert joint_of_day(COVERAGE, hours_alone, cells, 1440, frozenset()) == OF_HOURS


def test_suppressed_homes_that_send_days_leave_the_rates_to_the_hours() -> None:
    hours_alone = sums(OF_HOURS, production=600, injection=240, consumption=300)
    cells = of_day(production=600, injection=240, consumption=900)
    assert joint_of_day(BALANCE, hours_alone, cells, 1440, {FED}) == OF_HOURS


def test_day_without_published_hours_is_its_own_basis() -> None:
    cells = of_day(production=600, injection=240, consumption=900)
    joint = joint_of_day(BALANCE, None, cells, 1440, frozenset())
    assert joint == Joint(Energies(600, 240, 900), 1440)


# Comparisons.


def test_earlier_energy_is_scaled_by_homes_and_other_members_apart() -> None:
    """12 homes drew 24 kWh beside a school's 5: 40 like them would have drawn 80."""
    then = cell(60 * 29_000, 12)._replace(
        members=13, homes_watt_minutes=60 * 24_000, average=60 * 2_000
    )
    now = cell(60 * 84_000, 40)._replace(members=41, homes_watt_minutes=60 * 79_200)
    (before,) = hours(consumption=[then])
    (present,) = hours(consumption=[now])
    scaled = at_equal_membership(before, present)
    assert value([scaled], DRAWN).wh == 80_000 + 5_000
    compared = Compared.of([present], [before], lambda _: None)
    assert compared is not None
    assert compared.change(DRAWN) == pytest.approx(84 / 85 - 1)
    assert compared.then[DRAWN].wh == 29_000


def test_members_of_another_kind_cannot_be_compared() -> None:
    """Beside a school, homes joined: nothing is known of what they used before."""
    school = cell(60 * 5_000, 1)._replace(homes=0, homes_watt_minutes=0)
    both = cell(60 * 9_000, 12)._replace(members=13, homes_watt_minutes=60 * 4_000)
    (before,), (present,) = hours(consumption=[school]), hours(consumption=[both])
    assert value([at_equal_membership(before, present)], DRAWN).amount is None


@given(tables())
def test_an_unchanged_membership_changes_no_energy(table: Slots) -> None:
    scaled = [at_equal_membership(slot, slot) for slot in table]
    for direction in table[0].cells:
        assert value(scaled, direction).amount == value(table, direction).amount


@given(tables(), tables())
def test_periods_are_compared_over_the_same_hours(now: Slots, then: Slots) -> None:
    compared = Compared.of(now, then, lambda slot: slot.start)
    assert compared is not None
    for key, figure in FIGURES.items():
        before, present = compared.before(key), compared.now[key]
        if set(figure.basis.directions) <= now[0].cells.keys() & then[0].cells.keys():
            assert compared.then[key].minutes == present.minutes
            assert before.minutes <= present.minutes
    assert {figure.comparison for figure in FIGURES.values()} == set(Comparison)


def test_a_row_names_what_does_not_cover_all_of_it() -> None:
    row = together([hour(500, None, 300), hour(500, 400, 300)])
    assert row is not None
    assert {
        (found.minutes, found.minutes_ended): directions for found, directions in row.gaps.items()
    } == {(60, 120): [FED]}
    assert [*row.split] == [100, 400]
    assert not row.sells_all
    assert rows([hour(500, 500, 300)])[0].sells_all
