"""Load curves: steps end at their stamps, and change within a file."""

from datetime import UTC, datetime, timedelta

import pytest

from consometers_enedis_files import Direction, Kind, Problem, Refusal, Refused, Series, Unit, parse

from .forms import enedis_curve


def only(data: bytes) -> Series:
    contents = parse(data)
    assert contents.faults == ()
    (series,) = contents.series
    return series


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_step_ends_at_its_stamp(newline: str) -> None:
    series = only(
        enedis_curve(
            ["2026-08-20T23:40:00+02:00;270", "2026-08-20T23:50:00+02:00;264"],
            minutes="",
            newline=newline,
        )
    )
    assert (series.direction, series.kind, series.unit) == (
        Direction.CONSUMPTION,
        Kind.CURVE,
        Unit.W,
    )
    assert (series.start, series.end) == (utc("2026-08-20T21:30"), utc("2026-08-20T21:50"))
    assert [reading.energy_wh for reading in series.readings] == pytest.approx([45, 44])


def test_steps_become_shorter_and_longer_within_a_file() -> None:
    hours = [f"2026-01-01T0{hour}:00:00+01:00;600" for hour in range(1, 5)]
    tens = [f"2026-01-01T04:{minute}0:00+01:00;600" for minute in range(1, 6)]
    halves = [
        f"2026-01-01T{hour:02}:{minute}:00+01:00;600" for hour in (5, 6) for minute in ("00", "30")
    ][1:]
    end = ["2026-01-01T07:00:00+01:00;600"]
    series = only(enedis_curve([*hours, *tens, "2026-01-01T05:00:00+01:00;600", *halves, *end]))
    assert series.gaps == ()
    assert [int(each.length / timedelta(minutes=1)) for each in series.readings] == [
        *[60] * 4,
        *[10] * 6,
        *[30] * 4,
    ]
    assert series.energy_wh == pytest.approx(7 * 600)


def test_a_missing_row_does_not_make_a_step_longer() -> None:
    stamps = ("00:30", "01:00", "02:00", "02:30", "03:00", "04:00", "05:00", "05:30")
    series = only(enedis_curve([f"2026-01-01T{stamp}:00+01:00;100" for stamp in stamps]))
    assert series.energy_wh == pytest.approx(8 * 50)
    assert series.steps == (timedelta(minutes=30),)
    assert series.missing == 3
    assert series.gaps[0].start == utc("2026-01-01T00:00")
    assert series.gaps[0].end == utc("2026-01-01T00:30")


def test_an_empty_value_is_a_missing_one_and_none_before_the_first_is() -> None:
    rows = ["00:30:00+01:00;", "01:00:00+01:00;10", "01:30:00+01:00;", "02:00:00+01:00;10"]
    series = only(enedis_curve([f"2026-01-01T{row}" for row in rows]))
    assert (len(series.readings), series.missing) == (2, 1)
    assert series.start == utc("2025-12-31T23:30")


def test_what_is_fed_into_the_grid_is_production() -> None:
    rows = ["2026-01-01T12:30:00+01:00;10", "2026-01-01T13:00:00+01:00;10"]
    assert only(enedis_curve(rows, business="Production")).direction is Direction.PRODUCTION


def test_the_length_of_a_single_step_is_the_one_that_the_file_says() -> None:
    row = ["2026-01-01T12:30:00+01:00;10"]
    assert only(enedis_curve(row, minutes="10")).steps == (timedelta(minutes=10),)
    with pytest.raises(Refused) as refused:
        parse(enedis_curve(row))
    assert refused.value.refusal is Refusal.NOTHING_READ
    assert [fault.problem for fault in refused.value.faults] == [Problem.STEP_UNKNOWN]


def test_both_hours_of_the_change_to_winter_time_count() -> None:
    rows = [
        "2025-10-26T02:30:00+02:00;100",
        "2025-10-26T03:00:00+02:00;100",
        "2025-10-26T02:30:00+01:00;200",
        "2025-10-26T03:00:00+01:00;200",
    ]
    series = only(enedis_curve(rows))
    assert series.energy_wh == pytest.approx(300)
    assert series.gaps == ()
    assert series.end == utc("2025-10-26T02:00")


@pytest.mark.parametrize("backwards", [False, True])
def test_without_offsets_the_second_hour_is_known_by_the_order_of_rows(backwards: bool) -> None:
    stamps = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30"]
    rows = [f"26/10/2025 {stamp};{n}00" for n, stamp in enumerate(stamps, 1)]
    head = "horodate ISO fin de pas;puissance moyenne (W)"
    series = only("\n".join([head, *(rows[::-1] if backwards else rows)]).encode())
    assert [reading.energy_wh for reading in series.readings] == [50 * n for n in range(1, 8)]
    assert series.gaps == ()
    assert (series.start, series.end) == (utc("2025-10-25T23:00"), utc("2025-10-26T02:30"))


def test_an_hour_that_the_clock_leaves_out_is_refused() -> None:
    stamps = ("01:30", "02:30", "03:30")
    rows = [f"29/03/2026 {stamp};100" for stamp in stamps]
    contents = parse("\n".join(["Horodate;Valeur (en W)", *rows]).encode())
    assert [(fault.problem, fault.line) for fault in contents.faults] == [(Problem.TIME_SKIPPED, 3)]


def test_begin_and_end_may_both_be_there() -> None:
    rows = [
        "Début;Fin;Valeur (en kW)",
        "02/03/2026 23:30:00;03/03/2026 00:00:00;4,030",
        "03/03/2026 00:00:00;03/03/2026 00:30:00;1,000",
    ]
    series = only("\n".join(rows).encode())
    assert series.start == utc("2026-03-02T22:30")
    assert [reading.energy_wh for reading in series.readings] == pytest.approx([2015, 500])


def test_what_is_not_understood_of_begins_and_ends_is_listed_with_its_line() -> None:
    rows = [
        "Début;Fin;Valeur (en W)",
        "29/03/2026 01:30;29/03/2026 02:30;100",
        "29/03/2026 03:00;29/03/2026 25:00;100",
        "29/03/2026 03:00",
        "29/03/2026 03:00;29/03/2026 03:20;100",
        "29/03/2026 04:00;29/03/2026 05:00;100",
        "29/03/2026 04:30;29/03/2026 05:30;100",
        "29/03/2026 05:30;29/03/2026 06:00;",
        "29/03/2026 06:00;29/03/2026 06:30;100",
    ]
    contents = parse("\n".join(rows).encode())
    assert [(fault.line, fault.problem) for fault in contents.faults] == [
        (2, Problem.TIME_SKIPPED),
        (3, Problem.TIME_UNREADABLE),
        (4, Problem.TIME_UNREADABLE),
        (5, Problem.TIME_OFF_STEP),
        (7, Problem.TIME_OFF_STEP),
    ]
    (series,) = contents.series
    assert [(reading.start, reading.energy_wh) for reading in series.readings] == [
        (utc("2026-03-29T02:00"), 100),
        (utc("2026-03-29T04:00"), 50),
    ]


def test_dates_with_times_of_day_are_a_curve() -> None:
    series = only(b"Date;Valeur (en W)\n05/01/2026 00:30;1200\n05/01/2026 01:00;800")
    assert (series.kind, series.energy_wh) == (Kind.CURVE, 1000)


def test_a_line_with_the_delivery_point_may_stand_above() -> None:
    rows = [
        "Identifiant PRM;98765432109876;Type de donnees;Courbe de charge;Production;",
        "horodate ISO fin de pas;puissance moyenne (W)",
        "2026-01-05T00:30:00+01:00;1200",
        "2026-01-05T01:00:00+01:00;800",
    ]
    series = only("\n".join(rows).encode())
    assert series.direction is Direction.PRODUCTION
    assert series.energy_wh == pytest.approx(1000)


def test_an_energy_of_each_step_is_no_power() -> None:
    rows = ["2026-01-05T00:30:00+01:00;1200", "2026-01-05T01:00:00+01:00;800"]
    assert only(enedis_curve(rows, unit="Wh")).energy_wh == 2000


def test_what_is_not_understood_is_listed_with_its_line() -> None:
    rows = [
        "2026-01-05T00:30:00+01:00;100",
        "2026-01-05T01:00:00+01:00;x",
        "2026-01-05T01:30:00+01:00;-5",
        "05/13/2026 02:00;100",
        "2026-01-05T02:01:00+01:00;100",
        "nothing",
        "2026-01-05T00:30:00+01:00;101",
        "2026-01-05T02:00:00+01:00;9e9",
        "2026-01-05T02:30:00+01:00;100",
    ]
    contents = parse(enedis_curve(rows))
    assert [(fault.line, fault.problem) for fault in contents.faults] == [
        (6, Problem.VALUE_UNREADABLE),
        (7, Problem.VALUE_IMPLAUSIBLE),
        (8, Problem.TIME_UNREADABLE),
        (9, Problem.TIME_OFF_STEP),
        (10, Problem.TIME_UNREADABLE),
        (11, Problem.REPEATED),
        (12, Problem.VALUE_IMPLAUSIBLE),
    ]
    assert contents.series[0].energy_wh == 100


def test_more_faults_than_are_listed_are_counted() -> None:
    rows = [
        f"2026-01-05T{hour:02}:{minute:02}:00+01:00;x"
        for hour in range(24)
        for minute in range(0, 60, 10)
    ]
    contents = parse(enedis_curve([*rows, "2026-01-06T00:00:00+01:00;6"]))
    assert (len(contents.faults), contents.more_faults) == (100, 44)
