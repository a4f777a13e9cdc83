"""Values of figures add up, cover what they say, and come from published cells alone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
import json
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from consometers_node.collective.disclosure.reasons import Reason, Withheld
from consometers_node.collective.publication.reading.values import (
    CellOrReason,
    Compared,
    FlowRow,
    Slots,
    TimeSlot,
    Value,
    at_equal_membership,
    by_month,
    by_year,
    is_open,
    joint_of_day,
    latest_cells,
    rows,
    together,
    value,
)
from consometers_node.figures import COMBINED, FIGURES, Basis, Comparison, Energies, Unit
from consometers_node.series import Direction, Interval
from consometers_node.store.collective.publication import IntervalSums, Joint, PublishedCell
from consometers_node.store.collective.tables import GroupId

START = datetime(2025, 12, 31, 18, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MADE, FED, DRAWN = Direction.PRODUCTION, Direction.INJECTION, Direction.CONSUMPTION
BELOW = Withheld(Reason.BELOW_THRESHOLD, 10)
NOT_YET = Withheld(Reason.NOT_YET)


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
                Direction(name): entry._replace(direction=Direction(name))
                if isinstance(entry, PublishedCell)
                else entry
                for name, entry in zip(columns, row, strict=True)
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
    length = draw(st.integers(1, 12))
    return hours(
        **{
            direction: draw(st.lists(columns, min_size=length, max_size=length))
            for direction in draw(st.sets(st.sampled_from(Direction), min_size=1))
        }
    )


@given(st.lists(columns, min_size=1))
def test_energy_sums_exactly_the_published_cells(column: list[CellOrReason]) -> None:
    result = value(hours(consumption=column), DRAWN)
    shown = [each for each in column if isinstance(each, PublishedCell)]
    assert (result.minutes, result.minutes_ended) == (60 * len(shown), 60 * len(column))
    assert result.lacking == sum(each.lacking for each in shown)
    if shown:
        assert result.amount == sum(each.watt_minutes for each in shown)
        assert result.average == sum(each.average for each in shown)
        assert result.why is None
    else:
        assert result.amount is None
        assert result.why is not None


@given(tables())
def test_parts_of_a_table_add_up_to_it(table: Slots) -> None:
    for parts in (by_month(table), by_year(table), rows(table)):
        for key, figure in FIGURES.items():
            whole = value(table, key)
            each = [part[key] for part in parts]
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
    values = [value(slots, key) for key in keys]
    assert tuple(each.amount for each in values) == rates
    assert {each.why for each in values} == {None}


def test_energies_that_contradict_each_other_have_no_rate() -> None:
    """More was injected than produced: one of the two is wrong."""
    result = value([hour(10, 11, 5)], "self-sufficiency")
    assert result.amount is None
    assert result.why == Withheld(Reason.INCOMPARABLE)


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
    result = value(day, "self-consumption")
    assert (result.amount, result.hours, result.hours_ended) == (Fraction(100, 500), 1, 2)
    assert value(day, "total-consumption").wh == 400


def test_energies_without_homes_alike_are_compared() -> None:
    """A school beside suppressed homes: all its energies are its own."""
    slot = hour(500, 400, 300)
    cells = {
        way: each._replace(lacking=60)
        for way, each in slot.cells.items()
        if isinstance(each, PublishedCell)
    }
    result = value([slot._replace(cells=cells)], "self-consumption")
    assert (result.amount, result.hours, result.hours_lacking) == (Fraction(1, 5), 1, 1)


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
    result = value(slots, "total-consumption")
    assert (result.wh, result.average) == (800, None)


def test_a_building_alone_shares_with_nobody() -> None:
    slots = [hour(500, 400, 300)._replace(of_building=True)]
    for key, figure in FIGURES.items():
        assert value(slots, key).is_there is not figure.among_neighbours


def test_rate_of_a_suppressed_energy_is_withheld_with_it() -> None:
    assert value([hour(500, None, 300)], "self-consumption").why == BELOW


# What a value says of itself.

FIRST = cell(60 * 600, 12)._replace(members=14, counting=40, average=60 * 50, lacking=60)
SECOND = cell(60 * 900, 30)._replace(members=31, average=60 * 30)
SCHOOL = cell(60 * 300, 1)._replace(homes=0, counting=0, homes_watt_minutes=0)


def test_energy_says_how_many_members_hours_and_homes_it_is_of() -> None:
    result = value(hours(consumption=[FIRST, BELOW, SECOND]), DRAWN)
    assert result == Value(
        FIGURES[DRAWN],
        amount=60 * 1_500,
        minutes=120,
        minutes_ended=180,
        lacking=60,
        members=31,
        members_counting=42,
        homes=30,
        average=60 * 80,
    )


def test_average_of_members_is_that_of_homes_where_there_are_any() -> None:
    assert value(hours(consumption=[FIRST, SCHOOL]), DRAWN).average == FIRST.average
    assert value(hours(consumption=[SCHOOL]), DRAWN).average == SCHOOL.average


def test_combined_energy_says_how_many_members_hours_and_homes_it_is_of() -> None:
    """The average is of homes that draw, without what a school beside them uses."""
    made = cell(60 * 500, 4)._replace(homes_watt_minutes=60 * 100, members=5, counting=70)
    fed = cell(60 * 50, 3)._replace(homes_watt_minutes=60 * 40)
    whole = value(
        hours(
            production=[made, made, BELOW, made],
            injection=[fed] * 4,
            consumption=[FIRST._replace(lacking=0), SECOND, SECOND, BELOW],
        ),
        "total-consumption",
    )
    assert whole == Value(
        FIGURES["total-consumption"],
        amount=60 * (2 * 450 + 1_500),
        minutes=120,
        minutes_ended=240,
        members=31,
        members_counting=71,
        homes=30,
        average=60 * (600 + 60) // 12 + 60 * (900 + 60) // 30,
    )


def test_average_is_of_all_hours_or_of_none() -> None:
    both = hours(
        production=[SECOND, SECOND], injection=[SCHOOL, SCHOOL], consumption=[SECOND, SCHOOL]
    )
    assert value(both, "total-consumption").average is None
    assert value(both[:1], "total-consumption").average is not None
    assert value(both[:1], "self-consumed").average is None
    of_day = both[0]._replace(joints={FIGURES["total-consumption"].basis: OF_HOURS})
    assert of_day.average(FIGURES["total-consumption"]) is None
    contradictory = hours(production=[SCHOOL], injection=[SECOND], consumption=[SECOND])
    assert contradictory[0].average(FIGURES["total-consumption"]) is None


def test_energy_is_read_in_wh_and_a_rate_to_four_digits() -> None:
    energy = Value(FIGURES["production"], 60 * 1_234 + 7, average=60 * 17 + 7)
    assert (energy.number, energy.average_wh, energy.ratio) == (1_234.1, 17.1, None)
    assert energy.wh == pytest.approx(1_234 + 7 / 60)
    rate = Value(FIGURES["self-consumption"], Fraction(2, 3))
    assert (rate.number, rate.wh, rate.ratio) == (0.6667, None, Fraction(2, 3))
    nothing = Value(FIGURES["production"])
    assert (nothing.number, nothing.wh, nothing.ratio, nothing.average_wh) == (None,) * 4


def test_whole_numbers_are_written_without_a_decimal_point() -> None:
    energy = Value(FIGURES["production"], 60 * 5, average=60 * 3 + 1)
    rate = Value(FIGURES["self-consumption"], Fraction(1))
    assert json.dumps([energy.number, energy.average_wh, rate.number]) == "[5, 3, 1]"


@pytest.mark.parametrize(
    ("minutes", "ended", "lacking", "is_there", "is_whole"),
    [
        (0, 0, 0, False, True),
        (0, 1, 0, True, False),
        (90, 90, 0, True, True),
        (90, 90, 30, True, False),
        (90, 120, 30, True, False),
    ],
)
def test_value_says_which_hours_it_covers(
    minutes: int, ended: int, lacking: int, *, is_there: bool, is_whole: bool
) -> None:
    result = Value(FIGURES[DRAWN], None, minutes, ended, lacking, why=BELOW)
    assert (result.is_there, result.is_whole) == (is_there, is_whole)
    assert (result.hours, result.hours_ended, result.hours_lacking) == (
        minutes / 60,
        ended / 60,
        lacking / 60,
    )
    assert result.coverage == (minutes, ended, lacking, BELOW, 0, 0, None)


@pytest.mark.parametrize(
    ("column", "why"),
    [([NOT_YET, BELOW], BELOW), ([BELOW, NOT_YET], BELOW), ([NOT_YET], NOT_YET)],
)
def test_reason_that_people_can_do_something_about_comes_first(
    column: list[CellOrReason], why: Withheld
) -> None:
    slots = hours(production=column, injection=column)
    for key in ("production", "self-consumption"):
        assert value(slots, key) == Value(FIGURES[key], minutes_ended=60 * len(column), why=why)


def test_energies_of_different_homes_say_that_they_are() -> None:
    slots = hours(production=[FIRST], injection=[SECOND])
    assert value(slots, "self-consumption") == Value(
        FIGURES["self-consumption"], minutes_ended=60, why=Withheld(Reason.INCOMPARABLE)
    )


def test_group_without_a_direction_has_no_figure_of_it() -> None:
    for key in (FED, "self-consumption", "total-consumption"):
        assert value(hours(production=[FIRST], consumption=[FIRST]), key) == Value(FIGURES[key])
        assert value([], key) == Value(FIGURES[key])


def test_surplus_is_shared_within_an_interval() -> None:
    slot = hour(500, 400, 300)
    part = slot._replace(
        cells={
            way: each._replace(minutes=30)
            for way, each in slot.cells.items()
            if isinstance(each, PublishedCell)
        }
    )
    exchange = FIGURES["shared-locally"].basis
    assert part.joint(exchange) == Joint(Energies(0, 60 * 400, 60 * 300, 60 * 300), 30)
    slots = [slot, hour(500, 100, 300)]
    result = value(slots, "shared-locally")
    assert (result.wh, result.average, result.why) == (400, None, None)
    assert value(slots, "local-coverage").amount == Fraction(500 + 400, 500 + 600)
    assert value(slots, "production-share").amount == Fraction(1_000, 500 + 600)
    assert slot._replace(joints={}).joint(exchange) == Joint()


def test_slot_counts_the_directions_that_were_published() -> None:
    assert [hour(1, None, None).published, hour(1, 1, 1).published] == [1, 3]


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


@pytest.mark.parametrize(
    ("in_hours", "in_days", "lacking"),
    [(60, (0, 0, 0), 0), (60, (0, 30, 0), 30), (60, (90, 0, 0), 60), (0, (0, 90, 0), 0)],
)
def test_day_lacks_homes_for_as_long_as_its_hours_and_one_of_its_energies_do(
    in_hours: int, in_days: tuple[int, int, int], lacking: int
) -> None:
    joint = OF_HOURS._replace(lacking=in_hours)
    hours_alone = sums(joint, production=600, injection=240, consumption=300)
    cells = {
        way: each._replace(lacking=of_day)
        for (way, each), of_day in zip(
            of_day(production=600, injection=240, consumption=300).items(), in_days, strict=True
        )
        if isinstance(each, PublishedCell)
    }
    joint_cell = joint_of_day(BALANCE, hours_alone, cells, 1440, frozenset())
    assert joint_cell == OF_HOURS._replace(lacking=lacking)


def test_day_without_hours_lacks_homes_where_all_its_energies_do() -> None:
    for in_days, lacking in (((1440, 1440), 1440), ((1440, 0), 0)):
        cells = {
            way: cell(600, 12, way)._replace(minutes=1440, lacking=missing)
            for way, missing in zip((MADE, FED), in_days, strict=True)
        }
        basis = FIGURES["self-consumption"].basis
        joint = joint_of_day(basis, None, cells, 1440, frozenset())
        assert joint == Joint(Energies(600, 600), 1440, lacking)


def test_energy_of_a_day_alone_counts_beside_those_of_hours() -> None:
    hours_alone = sums(OF_HOURS, production=600, injection=240)
    cells = of_day(production=600, injection=240, consumption=900)
    joint = joint_of_day(BALANCE, hours_alone, cells, 1440, frozenset())
    assert joint == Joint(Energies(600, 240, 300 + 900, 200), 120)


@pytest.mark.parametrize("basis", [BALANCE, COVERAGE])
@pytest.mark.parametrize("cell_of_day", [BELOW, NOT_YET])
def test_day_of_which_an_energy_was_not_published_has_no_rates(
    basis: Basis, cell_of_day: Withheld
) -> None:
    """Also where its hours have some, before it is closed."""
    hours_alone = sums(OF_HOURS, production=600, injection=240, consumption=300)
    cells = {**of_day(production=600, injection=240), DRAWN: cell_of_day}
    assert joint_of_day(basis, hours_alone, cells, 1440, frozenset()) == Joint()
    assert joint_of_day(basis, None, cells, 1440, frozenset()) == Joint()


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
        (gap.minutes, gap.minutes_ended): directions for gap, directions in row.gaps.items()
    } == {(60, 120): [FED]}
    assert [*row.split] == [100, 400]
    assert not row.sells_all
    assert rows([hour(500, 500, 300)])[0].sells_all


def test_rows_part_energy_that_is_known_to_be_used_and_fed() -> None:
    (contradictory,) = rows([hour(100, 400, 300)])
    assert [*contradictory.split] == [0, 0]
    assert not contradictory.sells_all
    (partial,) = rows([hour(500, None, 300)])
    assert [*partial.split] == [0, 0]


def test_gaps_of_equal_coverage_are_named_together() -> None:
    row = together([hour(None, None, 300), hour(500, 400, None), hour(None, None, 300)])
    assert row is not None
    assert [*row.gaps.values()] == [[MADE, FED], [DRAWN]]
    assert [gap.figure for gap in row.gaps] == [FIGURES[MADE], FIGURES[DRAWN]]
    assert row.directions == [MADE, FED, DRAWN]
    assert row.is_known
    assert not rows([hour()])[0].is_known


def test_row_is_as_long_as_the_time_between_its_ends() -> None:
    """Also on the day on which clocks change."""
    paris = ZoneInfo("Europe/Paris")
    start, end = (datetime(2026, 3, day, tzinfo=paris) for day in (28, 30))
    row = together([hour()._replace(start=start), hour()._replace(end=end)])
    assert row is not None
    assert (row.start, row.end, row.hours) == (start, end, 47)
    assert together([]) is None
    assert FlowRow(start, end).directions == []
    assert rows([hour()])[0].directions == [MADE, FED, DRAWN]
    later = hours(consumption=[FIRST, SECOND])
    assert [(each.start, each.end, each[DRAWN].wh) for each in rows(later)] == [
        (START, START + HOUR, 600),
        (START + HOUR, START + 2 * HOUR, 900),
    ]


def days(*dates: str, cell: CellOrReason = FIRST) -> list[TimeSlot]:
    return [
        TimeSlot(start, start + DAY, 1440, {DRAWN: cell})
        for start in map(datetime.fromisoformat, dates)
    ]


def test_days_are_parted_by_month_and_year() -> None:
    """Each row starts with its month or year, and is of the days that there are."""
    dates = "2024-12-30", "2024-12-31", "2025-01-01", "2025-12-31", "2026-12-01"
    all_days = days(*dates)
    for parted, starts, parts in (
        (
            by_month,
            ("2024-12-01", "2025-01-01", "2025-12-01", "2026-12-01"),
            [all_days[:2], all_days[2:3], all_days[3:4], all_days[4:]],
        ),
        (
            by_year,
            ("2024-01-01", "2025-01-01", "2026-01-01"),
            [all_days[:2], all_days[2:4], all_days[4:]],
        ),
    ):
        expected = [
            FlowRow(datetime.fromisoformat(start), slots[-1].end, slots)
            for start, slots in zip(starts, parts, strict=True)
        ]
        assert parted(all_days) == expected


def test_only_what_is_not_published_yet_is_open() -> None:
    assert [is_open(each) for each in (NOT_YET, BELOW, FIRST)] == [True, False, False]


def test_latest_cell_of_a_direction_is_its_last_published_one() -> None:
    slots = hours(consumption=[FIRST, SECOND, NOT_YET], injection=[FIRST, BELOW, BELOW])
    assert latest_cells(slots) == {DRAWN: SECOND, FED: FIRST._replace(direction=FED)}


@pytest.mark.parametrize(
    ("then", "now", "energy"),
    [
        # (homes, others) of each; 12 homes had 24 kWh, and two others 5.
        ((12, 2), (12, 2), 29_000),
        ((12, 2), (40, 2), 85_000),
        ((12, 2), (12, 3), 31_500),
        ((12, 2), (12, 0), 24_000),
        ((12, 2), (0, 4), 10_000),
        ((12, 0), (6, 0), 12_000),
        ((0, 2), (0, 1), 2_500),
        ((12, 0), (12, 1), None),
        ((0, 2), (12, 2), None),
    ],
)
def test_earlier_energy_is_that_of_as_many_members(
    then: tuple[int, int], now: tuple[int, int], energy: int | None
) -> None:
    def of(homes: int, others: int) -> PublishedCell:
        of_homes = 60 * 24_000 if homes else 0
        total = of_homes + (60 * 5_000 if others else 0)
        return cell(total, 1)._replace(
            members=homes + others,
            homes=homes,
            counting=homes + 3,
            homes_watt_minutes=of_homes,
            average=60 * 2_000,
        )

    (before,), (present,) = hours(consumption=[of(*then)]), hours(consumption=[of(*now)])
    scaled = at_equal_membership(before, present)
    to_come = at_equal_membership(before, hours(consumption=[NOT_YET])[0], latest_cells([present]))
    assert scaled == to_come
    if energy is None:
        assert scaled.cells == {DRAWN: NOT_YET}
        return
    earlier_cell = scaled.cell(DRAWN)
    assert earlier_cell is not None
    assert (
        earlier_cell.watt_minutes,
        earlier_cell.homes,
        earlier_cell.members,
        earlier_cell.counting,
    ) == (
        60 * energy,
        now[0],
        sum(now),
        now[0] + 3,
    )
    assert earlier_cell.homes_watt_minutes == {12: 24_000, 40: 80_000, 6: 12_000, 0: 0}[now[0]] * 60


def test_earlier_energy_without_a_counterpart_is_left_out() -> None:
    """And so are the joint energies of a day, of which nobody knows the homes."""
    before = hours(consumption=[FIRST], injection=[BELOW])[0]
    present = hours(consumption=[NOT_YET], injection=[FIRST])[0]
    scaled = at_equal_membership(before, present)
    assert scaled == before._replace(cells={DRAWN: NOT_YET, FED: NOT_YET})
    of_day = before._replace(joints={BALANCE: OF_HOURS})
    assert at_equal_membership(of_day, present).joints == {}


@pytest.mark.parametrize(
    ("now", "then", "are_alike"),
    [
        ((60, 0, 60), (60, 0, 60), True),
        # Whole days, of which one has 23 hours.
        ((1440, 0, 1440), (1380, 0, 1380), True),
        ((600, 0, 1440), (600, 0, 1380), True),
        ((600, 0, 1440), (660, 0, 1440), False),
        ((1440, 0, 1440), (660, 0, 1440), False),
        ((660, 0, 1440), (1440, 0, 1440), False),
        ((1440, 60, 1440), (1440, 0, 1440), False),
        ((1440, 60, 1440), (1440, 60, 1440), True),
    ],
)
def test_intervals_are_compared_where_they_cover_as_much(
    now: tuple[int, int, int], then: tuple[int, int, int], *, are_alike: bool
) -> None:
    basis = FIGURES["self-consumption"].basis

    def of(minutes: int, lacking: int, length: int) -> list[TimeSlot]:
        each = FIRST._replace(minutes=minutes, lacking=lacking)
        (slot,) = hours(production=[each], injection=[each])
        joint = Joint(Energies(60 * 600, 60 * 450), minutes, lacking)
        return [slot._replace(minutes=length, joints={basis: joint})]

    compared = Compared.of(of(*now), of(*then), lambda _: None)
    assert compared is not None
    for row in (compared.now, compared.then):
        for key in (MADE, FED):
            assert (row[key].amount is not None) is are_alike
        # Of the hours of a day, not of what it sums in all.
        assert row["self-consumption"].amount == (Fraction(1, 4) if are_alike else None)


def test_direction_of_one_period_alone_is_left_out() -> None:
    (now,) = hours(consumption=[SECOND], injection=[SECOND])
    (then,) = hours(consumption=[SECOND], production=[SECOND])
    compared = Compared.of([now], [then], lambda _: None)
    assert compared is not None
    assert compared.now.slots[0].cells == {DRAWN: SECOND, FED: NOT_YET}
    assert compared.then.slots[0].cells == {DRAWN: SECOND, MADE: NOT_YET}


def test_intervals_of_the_same_place_are_compared() -> None:
    now = days("2026-05-01", "2026-05-02", "2026-05-04", cell=SECOND)
    then = days("2025-05-02", "2025-05-01", "2025-05-03", cell=FIRST._replace(lacking=0))
    compared = Compared.of(now, then, lambda slot: slot.start.day)
    assert compared is not None
    assert [slot.start for slot in compared.now.slots] == [slot.start for slot in now[:2]]
    assert [slot.start.isoformat()[:10] for slot in compared.then.slots] == [
        "2025-05-01",
        "2025-05-02",
    ]
    assert Compared.of(now, then, lambda slot: slot.start) is None


def test_energies_are_compared_at_equal_membership_and_rates_as_published() -> None:
    """From 12 homes to 24: each draws half as much as before, and rates are what they were."""

    def of(homes: int, made: int, fed: int, drawn: int) -> TimeSlot:
        """Return an hour in which twelve roofs have panels."""
        return hours(
            production=[cell(60 * made, 12)],
            injection=[cell(60 * fed, 12)],
            consumption=[cell(60 * drawn, homes)],
        )[0]

    compared = Compared.of([of(24, 0, 0, 1_200)], [of(12, 0, 0, 1_200)], lambda _: None)
    assert compared is not None
    assert compared.before(DRAWN).wh == 2_400
    assert compared.change(DRAWN) == -0.5
    assert compared.change(MADE) is None
    rates = Compared.of([of(24, 800, 200, 900)], [of(12, 400, 100, 700)], lambda _: None)
    assert rates is not None
    assert rates.before("self-consumption").amount == Fraction(300, 400)
    assert rates.before("self-sufficiency").amount == Fraction(300, 1_000)
    assert rates.change("self-sufficiency") is None
