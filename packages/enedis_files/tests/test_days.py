"""Energies of days, and registers."""

from datetime import UTC, date, datetime, timedelta

import pytest

from consometers_enedis_files import Direction, Kind, Problem, Refusal, Refused, Unit, parse

from .forms import HEADING, POINT, registers


def day(stamp: str, *levels: str) -> str:
    """Return a row of registers: of the supplier, of the network, the total."""
    supplier, network, total = levels
    return f"{stamp};Arrêté quotidien;{supplier}{';' * 10}{network}{';' * 4}{total}"


@pytest.mark.parametrize(
    ("head", "values", "unit"),
    [
        ("Date;Valeur (en Wh)", ("12571", "9800"), Unit.WH),
        ("Date;Consommation (en kWh)", ("12,571", "9.8"), Unit.KWH),
        (
            "Date de consommation;Consommation (kWh);Nature de la donnée",
            ("12,571;Réelle", "9,8;Estimée"),
            Unit.KWH,
        ),
    ],
)
@pytest.mark.parametrize("form", ["{:%Y-%m-%d}", "{:%d/%m/%Y}"])
def test_a_day_is_that_of_the_clock_in_france(
    head: str, values: tuple[str, str], unit: Unit, form: str
) -> None:
    days = (date(2026, 6, 1), date(2026, 6, 3))
    rows = [f"{form.format(day)};{value}" for day, value in zip(days, values, strict=True)]
    (series,) = parse("\n".join([head, *rows]).encode()).series
    assert (series.kind, series.unit) == (Kind.DAYS, unit)
    assert [reading.energy_wh for reading in series.readings] == pytest.approx([12571, 9800])
    assert series.start == datetime(2026, 5, 31, 22, tzinfo=UTC)
    assert (series.missing, series.gaps[0].end) == (1, datetime(2026, 6, 2, 22, tzinfo=UTC))


def test_days_of_a_clock_change_have_their_lengths() -> None:
    (series,) = parse(b"Date;Valeur (en Wh)\n2026-03-29;1\n2025-10-26;2").series
    assert [reading.length for reading in series.readings] == [
        timedelta(hours=25),
        timedelta(hours=23),
    ]


def test_injection_is_production_by_its_column_or_its_heading() -> None:
    heading = (
        "Identifiant PRM;Type de donnees;Date de debut;Date de fin\n"
        f"{POINT};Injection quotidienne;01/06/2026;03/06/2026\n\n"
    )
    for text in (
        heading + "Date;Valeur (en Wh)\n2026-06-01;1",
        "Date;Production (en kWh)\n2026-06-01;1",
    ):
        (series,) = parse(text.encode()).series
        assert series.direction is Direction.PRODUCTION


def test_a_power_of_a_day_is_no_energy() -> None:
    with pytest.raises(Refused) as refused:
        parse(b"Date;Valeur (en W)\n2026-06-01;1")
    assert [fault.problem for fault in refused.value.faults] == [Problem.UNIT_UNKNOWN]


def test_what_registers_counted_is_the_energy_between_them() -> None:
    rows = [
        day("2025-09-02T00:00:00+02:00", "1000", "990", "1834405"),
        day("2025-09-03T00:00:00+02:00", "1800", "1790", "1835205"),
        day("2025-09-05T00:00:00+02:00", "1900", "1890", "1835305"),
    ]
    contents = parse(registers(rows))
    (series,) = contents.series
    assert contents.faults == ()
    assert (series.kind, series.unit) == (Kind.REGISTERS, Unit.WH)
    assert [(reading.energy_wh, reading.length.days) for reading in series.readings] == [
        (800, 1),
        (100, 2),
    ]


def test_without_a_total_the_registers_of_the_supplier_are_summed() -> None:
    rows = [
        "2025-09-02T00:00:00+02:00;Arrêté quotidien;100;200;;;;;;;;;300;;;;",
        "2025-09-03T00:00:00+02:00;Arrêté quotidien;150;220;;;;;;;;;370;;;;",
    ]
    (series,) = parse(registers(rows)).series
    assert series.energy_wh == 70


def test_a_register_that_falls_is_another_meters() -> None:
    rows = [
        day("2025-09-02T00:00:00+02:00", "", "", "9000"),
        day("2025-09-03T00:00:00+02:00", "", "", "9500"),
        day("2025-09-04T00:00:00+02:00", "", "", "12"),
        day("2025-09-05T00:00:00+02:00", "", "", "512"),
    ]
    contents = parse(registers(rows))
    (series,) = contents.series
    assert [(fault.line, fault.problem) for fault in contents.faults] == [
        (6, Problem.REGISTER_FELL)
    ]
    assert (series.energy_wh, series.missing) == (1000, 1)


def test_a_day_without_levels_is_bridged() -> None:
    rows = [
        day("2025-09-02T00:00:00+02:00", "", "", "9000"),
        day("2025-09-03T00:00:00+02:00", "", "", ""),
        day("2025-09-04T00:00:00+02:00", "", "", "9600"),
    ]
    (series,) = parse(registers(rows)).series
    assert [reading.length.days for reading in series.readings] == [2]


def test_a_level_that_is_no_number_is_listed_and_bridged() -> None:
    rows = [
        day("2025-09-02T00:00:00+02:00", "", "", "9000"),
        day("2025-09-03T00:00:00+02:00", "", "", "x"),
        day("2025-09-04T00:00:00+02:00", "", "", "-9300"),
        day("2025-09-05T00:00:00+02:00", "", "", "9600"),
    ]
    contents = parse(registers(rows))
    assert [(fault.line, fault.problem) for fault in contents.faults] == [
        (5, Problem.VALUE_UNREADABLE),
        (6, Problem.VALUE_UNREADABLE),
    ]
    assert [reading.energy_wh for reading in contents.series[0].readings] == [600]


def test_registers_of_injection_are_production() -> None:
    rows = [
        day("2025-09-02T00:00:00+02:00", "", "", "1"),
        day("2025-09-03T00:00:00+02:00", "", "", "2"),
    ]
    for data in (registers(rows, letter="I"), registers(rows, business="Production")):
        assert parse(data).series[0].direction is Direction.PRODUCTION


def test_peak_powers_are_no_energies_and_energies_may_follow() -> None:
    peaks = [
        HEADING,
        f"{POINT};Puissance maximale quotidienne;;;Puissance maximale atteinte;Consommation;;",
        "Horodate;Valeur",
        "2025-03-30T00:00:00+01:00;4000",
    ]
    with pytest.raises(Refused) as refused:
        parse("\n".join(peaks).encode())
    assert refused.value.refusal is Refusal.NOTHING_READ
    assert [fault.problem for fault in refused.value.faults] == [Problem.NO_ENERGY]
    rows = [
        day("2025-09-02T00:00:00+02:00", "", "", "1"),
        day("2025-09-03T00:00:00+02:00", "", "", "2"),
    ]
    contents = parse("\n".join(peaks).encode() + b"\n" + registers(rows))
    assert contents.series[0].energy_wh == 1


@pytest.mark.parametrize(
    "name", ["Puissance maximale (W)", "Puissance maximale (VA)", "Valeur (kVA)"]
)
def test_a_column_of_peak_powers_is_no_energy(name: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(f"Date;{name}\n01/01/2026;5".encode())
    assert [fault.problem for fault in refused.value.faults] == [Problem.NO_ENERGY]


def test_a_unit_that_is_not_there_is_not_guessed() -> None:
    with pytest.raises(Refused) as refused:
        parse(b"Horodate;Valeur\n2026-01-05T00:30:00+01:00;1\n2026-01-05T01:00:00+01:00;1")
    assert [fault.problem for fault in refused.value.faults] == [Problem.UNIT_UNKNOWN]
