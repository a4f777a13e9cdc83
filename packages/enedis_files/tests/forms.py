"""Files in the shapes that Enedis and suppliers give them, with invented values."""

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

POINT = "98765432109876"
"""A delivery point, which must show nowhere."""
HEADING = (
    "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;"
    "Grandeur metier;Etape metier;Unite"
)


def enedis_curve(
    rows: Iterable[str],
    *,
    business: str = "Consommation",
    unit: str = "W",
    minutes: str | None = None,
    newline: str = "\r\n",
) -> bytes:
    """Return a load curve as Enedis sends it by mail."""
    steps = "" if minutes is None else ";Pas en minutes"
    values = (
        f"{POINT};Courbe de charge;01/09/2025;21/08/2026;Energie active;{business};Comptage Brut;"
        f"{unit}" + ("" if minutes is None else f";{minutes}")
    )
    lines = [HEADING + steps, values, "", "Horodate;Valeur", *rows]
    return ("\ufeff" + newline.join(lines)).encode()


def registers(rows: Iterable[str], *, letter: str = "S", business: str = "Consommation") -> bytes:
    """Return daily registers, with the calendar of the supplier under them."""
    names = [f"EA{letter} F{n}" for n in range(1, 11)]
    names += [f"EA{letter} D{n}" for n in range(1, 5)] + [f"EA{letter} T"]
    lines = [
        HEADING,
        f"{POINT};Index;01/09/2025;21/08/2026;Energie active;{business};Comptage Brut;Wh",
        f"Horodate;Type de releve;{';'.join(names)}",
        *rows,
        "Periode;Identifiant calendrier fournisseur;Libelle calendrier fournisseur",
        "Du 2025-09-01T00:00:00+02:00 au;FC000000;Heures Creuses",
    ]
    return "\n".join(lines).encode()


def edf_curve(rows: Iterable[str]) -> bytes:
    """Return half-hours as EDF has them, in its encoding."""
    lines = [
        "",
        "Récapitulatif de mes puissances atteintes en W",
        "",
        "Date et heure de relève par le distributeur;Puissance atteinte (W);Nature de la donnée",
        *rows,
        "",
    ]
    return "\r\n".join(lines).encode("latin-1")


def archive(files: Mapping[str, bytes]) -> bytes:
    whole = BytesIO()
    with ZipFile(whole, "w", ZIP_DEFLATED) as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return whole.getvalue()


type Cell = str | int | float | None


def workbook(*sheets: Sequence[Sequence[Cell]], more: Mapping[str, bytes] | None = None) -> bytes:
    """Return a workbook with texts in its shared strings, and rows that are empty left out."""
    strings: list[str] = []
    files = {
        "[Content_Types].xml": b"<Types/>",
        "xl/workbook.xml": b"<workbook/>",
    }
    for number, rows in enumerate(sheets, 1):
        xml = []
        for row, cells in enumerate(rows, 1):
            shown = "".join(
                _cell(f"{chr(ord('A') + column)}{row}", cell, strings)
                for column, cell in enumerate(cells)
                if cell is not None
            )
            if shown:
                xml.append(f'<row r="{row}">{shown}</row>')
        files[f"xl/worksheets/sheet{number}.xml"] = (
            f"<worksheet><sheetData>{''.join(xml)}</sheetData></worksheet>".encode()
        )
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    files["xl/sharedStrings.xml"] = f"<sst>{items}</sst>".encode()
    return archive({**files, **(more or {})})


def _cell(reference: str, cell: Cell, strings: list[str]) -> str:
    if isinstance(cell, str):
        strings.append(cell)
        return f'<c r="{reference}" t="s"><v>{len(strings) - 1}</v></c>'
    return f'<c r="{reference}"><v>{cell}</v></c>'
