"""Files that were made to harm."""

from io import BytesIO
import traceback
from zipfile import ZIP_DEFLATED, ZipFile

from hypothesis import example, given, settings, strategies as st
import pytest

import consometers_enedis_files
from consometers_enedis_files import (
    MOST_BYTES,
    MOST_ROWS,
    MOST_UNPACKED_BYTES,
    Refusal,
    Refused,
    parse,
)

from .forms import HEADING, POINT, archive, edf_curve, enedis_curve, registers, workbook

ROWS = ["2026-01-01T00:30:00+01:00;10", "2026-01-01T01:00:00+01:00;10"]
FORMS = [
    enedis_curve(ROWS),
    registers(["2025-09-02T00:00:00+02:00;Arrêté quotidien;1", "2025-09-03T00:00:00+02:00;x;2"]),
    edf_curve(["01/02/2026;;", "00:30:00;10;Réelle", "01:00:00;10;Réelle"]),
    archive({f"{POINT}.csv": edf_curve(["01/02/2026;;", "00:30:00;10;Réelle"])}),
    workbook([["PRM : ", POINT], ["Date", "Valeur (en kWh)"], ["01/01/2026", 1]]),
]


def refusal(data: bytes) -> Refusal:
    with pytest.raises(Refused) as refused:
        parse(data)
    return refused.value.refusal


def test_an_empty_file_is_refused() -> None:
    assert refusal(b"") is refusal(b" \r\n ") is Refusal.EMPTY


def test_a_file_of_another_kind_is_refused() -> None:
    for data in (b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n\0\0", b"a;b;c\n1;2;3", b"<html></html>"):
        assert refusal(data) is Refusal.UNKNOWN_FORM


def test_a_table_without_a_row_that_is_understood_is_refused() -> None:
    for row in ("00:31:00;10", "00:30:00;", "24:60:00;10"):
        assert refusal(edf_curve(["01/02/2026;;", row])) is Refusal.NOTHING_READ


def test_a_file_that_is_too_large_is_refused() -> None:
    assert refusal(b"1" * (MOST_BYTES + 1)) is Refusal.TOO_LARGE


def test_more_rows_than_a_file_may_have_are_refused() -> None:
    assert refusal(b"Date;Valeur (en Wh)" + b"\n1" * (MOST_ROWS + 1)) is Refusal.TOO_MANY_ROWS


def test_the_rows_of_all_files_of_an_archive_are_counted() -> None:
    half = b"\n1" * (MOST_ROWS // 2 + 1)
    assert refusal(archive({"a.csv": half, "b.csv": half})) is Refusal.TOO_MANY_ROWS


def test_what_an_archive_unpacks_to_is_counted() -> None:
    bomb = archive({"a.csv": b"0" * (MOST_UNPACKED_BYTES + 1)})
    assert len(bomb) < 100_000
    assert refusal(bomb) is Refusal.UNPACKS_TOO_LARGE
    halves = {f"{n}.csv": b"0" * (MOST_UNPACKED_BYTES // 2 + 1) for n in range(2)}
    assert refusal(archive(halves)) is Refusal.UNPACKS_TOO_LARGE
    sheet = {"xl/worksheets/sheet1.xml": b" " * (MOST_UNPACKED_BYTES + 1)}
    assert refusal(workbook(more=sheet)) is Refusal.UNPACKS_TOO_LARGE


def test_the_size_that_an_archive_declares_is_not_believed() -> None:
    bomb = bytearray(archive({"a.csv": b"0" * (MOST_UNPACKED_BYTES + 1)}))
    size = (MOST_UNPACKED_BYTES + 1).to_bytes(4, "little")
    while (place := bomb.find(size)) >= 0:
        bomb[place : place + 4] = (5).to_bytes(4, "little")
    assert refusal(bytes(bomb)) in {
        Refusal.DAMAGED,
        Refusal.UNPACKS_TOO_LARGE,
        Refusal.UNKNOWN_FORM,
    }


def test_an_archive_with_very_many_files_is_refused() -> None:
    many = BytesIO()
    with ZipFile(many, "w", ZIP_DEFLATED) as zipped:
        for number in range(201):
            zipped.writestr(f"{number}.csv", b"")
    assert refusal(many.getvalue()) is Refusal.UNPACKS_TOO_LARGE


def test_an_encrypted_archive_is_refused() -> None:
    data = bytearray(archive({"a.csv": b"1"}))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + place] |= 1
    assert refusal(bytes(data)) is Refusal.ENCRYPTED


def test_a_truncated_archive_is_refused() -> None:
    assert refusal(FORMS[3][:-30]) is refusal(FORMS[4][: len(FORMS[4]) // 2]) is Refusal.DAMAGED


@pytest.mark.parametrize("data", FORMS, ids=map(str, range(len(FORMS))))
def test_the_delivery_point_is_in_no_value(data: bytes) -> None:
    assert POINT not in repr(parse(data))


@pytest.mark.parametrize(
    "data",
    [
        FORMS[3][:-30],
        archive({f"{POINT}.csv": POINT.encode()}),
        f"{HEADING}\n{POINT};Courbe\nHorodate;Valeur (en W)\n{POINT};{POINT}".encode(),
        f"{HEADING}\n{POINT};Puissance maximale\nHorodate;Valeur\n2026-01-01;{POINT}".encode(),
    ],
    ids=["damaged archive", "name in an archive", "curve", "peak powers"],
)
def test_the_delivery_point_is_in_no_error(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse(data)
    text = "".join(traceback.format_exception(refused.value))
    assert POINT not in text + repr(refused.value) + repr(refused.value.faults)


def parses_or_refuses(data: bytes) -> None:
    try:
        contents = parse(data)
    except Refused:
        return
    for series in contents.series:
        for before, after in zip(series.readings, series.readings[1:], strict=False):
            assert before.start < before.end <= after.start
        assert all(reading.energy_wh >= 0 for reading in series.readings)
        assert series.missing == sum(gap.steps for gap in series.gaps)


@given(st.sampled_from(FORMS), st.data())
def test_damaged_bytes_are_parsed_or_refused(form: bytes, data: st.DataObject) -> None:
    damaged = bytearray(form)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        if not damaged:
            break
    parses_or_refuses(bytes(damaged))


CELLS = st.one_of(
    st.sampled_from(
        [
            *(
                "Horodate",
                "Valeur",
                "Date",
                "Valeur (en Wh)",
                "Début",
                "Fin",
                "Unite",
                "W",
                "EAS T",
            ),
            *("Identifiant PRM", "Type de donnees", "Periode", "Index HP (kWh)", "Production"),
            *("Date et heure de relève", "Puissance atteinte (W)", "Date de relevé", "EAS F1"),
            *("2026-01-01T00:30:00+01:00", "0001-01-01", "99999", "24:00:00", "00:00:00+09:00"),
            *("31/12/2099 24:00", "2026-03-29 02:30", "26/10/2025 02:30", "1e99", "-1", "NA"),
            *("2099-12-31T23:59:59-23:59", "2000-01-01T00:00:00+23:59", "9" * 50, '"', "\0"),
        ]
    ),
    st.dates().map("{:%d/%m/%Y}".format),
    st.times().map("{:%H:%M}".format),
    st.integers(0, 99_999).map(str),
    st.text(max_size=8),
)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=12), st.sampled_from(";,\t"))
@settings(max_examples=400)
@example([["Horodate", "Valeur (en W)"], ["31/12/2099 24:00", "1"], ["31/12/2099 23:00", "1"]], ";")
@example([["Date", "Valeur (en Wh)"], ["31/12/2099", "1"]], ";")
def test_any_table_is_parsed_or_refused(rows: list[list[str]], delimiter: str) -> None:
    parses_or_refuses("\n".join(map(delimiter.join, rows)).encode("utf-8", "replace"))


def test_the_package_exports_what_it_says() -> None:
    for name in consometers_enedis_files.__all__:
        assert getattr(consometers_enedis_files, name) is not None
