"""Workbooks of the account page."""

from datetime import UTC, datetime

import pytest

from consometers_enedis_files import Direction, Kind, Problem, Refusal, Refused, parse

from .forms import POINT, Cell, workbook

HOME: list[list[Cell]] = [["Mes données de consommation et de production"], ["Enedis"]]


def title(counted: str) -> list[list[Cell]]:
    return [
        [],
        ["Point Référence Mesure (PRM) : ", POINT, "Type de comptage : ", counted],
        ["Période du : ", "01/01/2026", "au : ", "04/01/2026"],
        [],
    ]


def test_days_are_dates_as_text_or_as_numbers() -> None:
    rows: list[list[Cell]] = [
        ["Date", "Valeur (en kWh)"],
        ["01/01/2026", 6.329],
        ["02/01/2026", "NA"],
        ["03/01/2026", "3,217"],
        [46026, 4],
    ]
    contents = parse(workbook(HOME, title("Consommation Quotidienne") + rows))
    (series,) = contents.series
    assert contents.faults == ()
    assert (series.kind, series.direction) == (Kind.DAYS, Direction.CONSUMPTION)
    assert [reading.energy_wh for reading in series.readings] == pytest.approx([6329, 3217, 4000])
    assert series.missing == 1
    assert series.end == datetime(2026, 1, 4, 23, tzinfo=UTC)


def test_what_was_injected_is_known_by_the_title() -> None:
    rows: list[list[Cell]] = [["Date", "Valeur (en kWh)"], ["01/01/2026", 6.329]]
    (series,) = parse(workbook(title("Production Quotidienne") + rows)).series
    assert series.direction is Direction.PRODUCTION


def test_half_hours_are_stamps_as_text_or_as_numbers() -> None:
    rows: list[list[Cell]] = [
        ["Horodate", "Valeur (en W)"],
        ["2026-01-05T00:30:00+01:00", 1200],
        ["05/01/2026 01:00", 800],
        [46027.0625, "600"],
    ]
    (series,) = parse(workbook(rows)).series
    assert (series.kind, series.gaps) == (Kind.CURVE, ())
    assert series.energy_wh == pytest.approx(1300)


def test_sheets_of_months_follow_each_other() -> None:
    months: list[list[list[Cell]]] = [
        [["Date", "Valeur (en kWh)"], [f"01/0{month}/2026", 1], [f"02/0{month}/2026", 1]]
        for month in (1, 2)
    ]
    contents = parse(workbook(*months))
    assert [len(series.readings) for series in contents.series] == [4]


def test_a_fault_says_sheet_and_row() -> None:
    rows: list[list[Cell]] = [
        ["Date", "Valeur (en kWh)"],
        [],
        ["01/01/2026", "1,2,3"],
        ["02/01/2026", 1],
    ]
    (fault,) = parse(workbook(HOME, rows)).faults
    assert (fault.part, fault.line, fault.problem) == (2, 3, Problem.VALUE_UNREADABLE)


def test_texts_in_cells_and_prefixes_of_elements_are_read() -> None:
    sheet = (
        '<x:worksheet xmlns:x="urn:example"><x:sheetData><x:row>'
        '<x:c t="inlineStr"><x:is><x:t>Date</x:t></x:is></x:c>'
        '<x:c t="inlineStr"><x:is><x:r><x:t>Valeur </x:t></x:r>'
        "<x:r><x:t>(en kWh)</x:t></x:r></x:is></x:c>"
        '</x:row><x:row><x:c t="str"><x:v>01/01/2026</x:v></x:c><x:c><x:v>2.5</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    (series,) = parse(workbook(more={"xl/worksheets/sheet1.xml": sheet.encode()})).series
    assert series.energy_wh == 2500


def refusal(data: bytes) -> Refusal:
    with pytest.raises(Refused) as refused:
        parse(data)
    return refused.value.refusal


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("xl/externalLinks/externalLink1.xml", Refusal.EXTERNAL_LINK),
        ("xl/vbaProject.bin", Refusal.MACRO),
    ],
)
def test_what_leads_elsewhere_or_runs_is_refused(name: str, expected: Refusal) -> None:
    rows: list[list[Cell]] = [["Date", "Valeur (en kWh)"], ["01/01/2026", 1]]
    assert refusal(workbook(rows, more={name: b"<a/>"})) is expected


def test_a_formula_is_refused() -> None:
    sheet = b'<worksheet><row><c r="A1"><f>WEBSERVICE("x")</f><v>1</v></c></row></worksheet>'
    assert refusal(workbook(more={"xl/worksheets/sheet1.xml": sheet})) is Refusal.FORMULA


@pytest.mark.parametrize("name", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
def test_entities_are_not_expanded(name: str) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><x><row><c><v>&l9;</v></c></row></x>'
    assert refusal(workbook(HOME, more={name: xml.encode()})) is Refusal.DOCUMENT_TYPE


@pytest.mark.parametrize(
    "sheet",
    [
        b"",
        b"<worksheet>",
        b"<worksheet><row></worksheet>",
        b'<w><row><c t="s"><v>99</v></c></row></w>',
    ],
)
def test_a_damaged_sheet_is_refused(sheet: bytes) -> None:
    assert refusal(workbook(more={"xl/worksheets/sheet1.xml": sheet})) is Refusal.DAMAGED
