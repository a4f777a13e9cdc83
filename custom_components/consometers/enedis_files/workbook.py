"""Workbooks (xlsx, ECMA-376): the rows of their sheets, as text.

Nothing is computed and nothing is fetched: a workbook that asks for either is refused.
"""

from collections.abc import Iterator
import re
from typing import Final
from xml.parsers import expat

from .archive import unpack
from .values import MOST_ROWS, Refusal, Refused

type Rows = Iterator[tuple[int, list[str]]]

_MOST_COLUMNS: Final = 64
_PIECE: Final = 64 * 1024
_STRINGS: Final = "xl/sharedStrings.xml"
_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml")
_CELL: Final = re.compile(r"([A-Z]{1,3})\d{1,7}", re.ASCII)


def is_workbook(names: list[str]) -> bool:
    """Return whether an archive with these files is a workbook."""
    return "xl/workbook.xml" in names


def sheets(data: bytes, names: list[str]) -> Iterator[Rows]:
    """Yield the rows of each sheet, with their numbers."""
    for beginning, refusal in (
        ("xl/externalLinks/", Refusal.EXTERNAL_LINK),
        ("xl/vbaProject", Refusal.MACRO),
    ):
        if any(name.startswith(beginning) for name in names):
            raise Refused(refusal)
    files = unpack(data, lambda name: name == _STRINGS or _SHEET.fullmatch(name) is not None)
    strings = _Strings().read(files[_STRINGS]) if _STRINGS in files else []
    for name, xml in files.items():
        if name != _STRINGS:
            yield _Sheet(strings).rows(xml)


class _Reader:
    """The elements of a document without a document type, by their local names."""

    def __init__(self) -> None:
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        parser.CharacterDataHandler = self._text
        self._letters: list[str] | None = None

    def feed(self, xml: bytes) -> Iterator[None]:
        """Parse a document, and yield after each piece of it."""
        try:
            for begin in range(0, len(xml), _PIECE):
                self._parser.Parse(xml[begin : begin + _PIECE], False)
                yield
            self._parser.Parse(b"", True)
        except expat.ExpatError:
            raise Refused(Refusal.DAMAGED) from None
        yield

    def _doctype(self, *_declared: object) -> None:
        raise Refused(Refusal.DOCUMENT_TYPE)

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        self.started(name.rpartition(":")[2], attributes)

    def _ended(self, name: str) -> None:
        self.ended(name.rpartition(":")[2])

    def _text(self, text: str) -> None:
        if self._letters is not None:
            self._letters.append(text)

    def _taken(self) -> str:
        letters, self._letters = self._letters or [], None
        return "".join(letters)

    def started(self, name: str, attributes: dict[str, str]) -> None: ...

    def ended(self, name: str) -> None: ...


class _Strings(_Reader):
    """The texts to which cells refer; a text may have runs."""

    def __init__(self) -> None:
        super().__init__()
        self._strings: list[str] = []

    def read(self, xml: bytes) -> list[str]:
        for _ in self.feed(xml):
            pass
        return self._strings

    def started(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._strings.append("")
        elif name == "t":
            self._letters = []

    def ended(self, name: str) -> None:
        if name == "t" and self._strings:
            self._strings[-1] += self._taken()


class _Sheet(_Reader):
    def __init__(self, strings: list[str]) -> None:
        super().__init__()
        self._strings = strings
        self._rows: list[tuple[int, list[str]]] = []
        self._row, self._count = 0, 0
        self._cells: list[str] = []
        self._column, self._type, self._value = 0, "", ""

    def rows(self, xml: bytes) -> Rows:
        for _ in self.feed(xml):
            yield from self._rows
            self._rows.clear()

    def started(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "f":
                raise Refused(Refusal.FORMULA)
            case "row":
                number = attributes.get("r", "")
                is_number = len(number) < 9 and number.isascii() and number.isdigit()
                self._row = int(number) if is_number else self._row + 1
                self._cells, self._column = [], 0
                self._count += 1
                if self._count > MOST_ROWS:
                    raise Refused(Refusal.TOO_MANY_ROWS)
            case "c":
                if match := _CELL.fullmatch(attributes.get("r", "")):
                    self._column = _column(match[1])
                self._type, self._value = attributes.get("t", "n"), ""
            case "v" | "t":
                self._letters = []
            case _:
                pass

    def ended(self, name: str) -> None:
        match name:
            case "v" | "t":
                self._value += self._taken()
            case "c":
                self._put(self._shown())
                self._column += 1
            case "row":
                self._rows.append((self._row, self._cells))
            case _:
                pass

    def _shown(self) -> str:
        if self._type != "s":
            return self._value
        text = self._value.strip()
        is_place = len(text) < 9 and text.isascii() and text.isdigit()
        if not is_place or int(text) >= len(self._strings):
            raise Refused(Refusal.DAMAGED)
        return self._strings[int(text)]

    def _put(self, text: str) -> None:
        if self._column < _MOST_COLUMNS:
            self._cells.extend([""] * (self._column + 1 - len(self._cells)))
            self._cells[self._column] = text


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
