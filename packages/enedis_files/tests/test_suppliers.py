"""Files of EDF: half-hours under their day, forwards or backwards; registers, archives."""

from datetime import UTC, datetime

import pytest

from consometers_enedis_files import Kind, Problem, Refusal, Refused, parse

from .forms import POINT, archive, edf_curve

FORWARDS = [
    *("01/02/2026;;", "23:30:00;460;Réelle", "00:00:00;480;Réelle"),
    *("02/02/2026;;", "00:30:00;10;Réelle", "01:00:00;20;Estimée"),
]
BACKWARDS = [
    *("02/02/2026;;", "01:00:00;20;Réelle", "00:30:00;10;Réelle", ""),
    *("01/02/2026;;", "00:00:00;480;Réelle", "23:30:00;460;Réelle"),
]
MIDNIGHT_FIRST = [
    *("02/02/2026;;", "00:00:00;480;Réelle", "00:30:00;10;Réelle", "01:00:00;20;Réelle"),
]


@pytest.mark.parametrize("rows", [FORWARDS, BACKWARDS])
def test_midnight_ends_the_day_under_which_it_stands(rows: list[str]) -> None:
    contents = parse(edf_curve(rows))
    (series,) = contents.series
    assert contents.faults == ()
    assert [reading.energy_wh for reading in series.readings] == [230, 240, 5, 10]
    assert series.start == datetime(2026, 2, 1, 22, tzinfo=UTC)
    assert series.gaps == ()


def test_midnight_before_the_early_hours_begins_their_day() -> None:
    (series,) = parse(edf_curve(MIDNIGHT_FIRST)).series
    assert [reading.energy_wh for reading in series.readings] == [240, 5, 10]
    assert series.gaps == ()


def test_times_under_a_day_that_does_not_exist_are_of_no_other_day() -> None:
    contents = parse(edf_curve([*FORWARDS, "30/02/2026;;", "00:30:00;10;Réelle"]))
    assert [(fault.line, fault.problem) for fault in contents.faults] == [
        (11, Problem.TIME_UNREADABLE),
        (12, Problem.TIME_UNREADABLE),
    ]
    assert len(contents.series[0].readings) == 4


def test_a_corrected_value_counts_and_an_estimated_one_yields() -> None:
    rows = [
        "01/02/2026;;",
        "00:30:00;100;Estimée",
        "00:30:00;200;Réelle",
        "01:00:00;100;Corrigée",
        "01:00:00;300;Réelle",
    ]
    contents = parse(edf_curve(rows))
    assert contents.faults == ()
    assert [reading.energy_wh for reading in contents.series[0].readings] == [100, 50]


def test_rows_that_are_doubled_count_once_in_the_night_of_the_clock_change_too() -> None:
    times = ["03:00", "02:30", "02:00", "02:30", "02:00", "01:30"]
    rows = [f"{at}:00;{100 + n};Réelle" for n, at in enumerate(times)]
    doubled = [row for row in rows for _ in range(2)]
    for each in (rows, doubled):
        (series,) = parse(edf_curve(["26/10/2025;;", *each])).series
        assert (len(series.readings), series.gaps) == (6, ())


def test_registers_by_tariff_are_summed() -> None:
    text = (
        "\nRécapitulatif de mes index\n\n"
        "Date de relevé de l'index;Type d'index;Index Heures pleines (kWh);"
        "Index Heures creuses (kWh)\n"
        "03/01/2026;Index transmis par le distributeur;1010;520\n"
        "02/01/2026;Index transmis par le distributeur;1004;517\n"
        "02/01/2026;Index transmis par le distributeur;1004;517\n"
        "01/01/2026;Index transmis par le distributeur;1000;515\n"
    )
    contents = parse(text.encode("latin-1"))
    (series,) = contents.series
    assert contents.faults == ()
    assert series.kind is Kind.REGISTERS
    assert [reading.energy_wh for reading in series.readings] == [6000, 9000]
    assert series.start == datetime(2025, 12, 31, 23, tzinfo=UTC)


def test_an_archive_has_several_series_and_what_has_no_days_is_left_out() -> None:
    files = {
        f"mes-puissances-atteintes-30min-{POINT}-29000.csv": edf_curve(FORWARDS),
        f"ma-conso-quotidienne-{POINT}-29000.csv": (
            "Récapitulatif de ma consommation\n\n"
            "Date de consommation;Consommation (kWh);Nature de la donnée\n01/02/2026;9;Réelle\n"
        ).encode("latin-1"),
        f"ma-conso-mensuelle-{POINT}-29000.csv": (
            "Période de consommation;Consommation (kWh);Nature de la donnée\n02/2026;9;Réelle\n"
        ).encode("latin-1"),
        "lisez-moi.pdf": b"%PDF",
    }
    contents = parse(archive(files))
    assert [series.kind for series in contents.series] == [Kind.CURVE, Kind.DAYS]
    assert contents.faults == ()


def test_a_fault_says_which_file_of_an_archive_it_is_in_by_its_number() -> None:
    files = {"a.csv": edf_curve(FORWARDS), "b.csv": edf_curve([*FORWARDS, "01:30:00;x;Réelle"])}
    (fault,) = parse(archive(files)).faults
    assert (fault.part, fault.line, fault.problem) == (2, 11, Problem.VALUE_UNREADABLE)


def test_an_archive_without_a_table_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        parse(archive({"photo.jpg": b"\xff\xd8"}))
    assert refused.value.refusal is Refusal.UNKNOWN_FORM
