"""The one door: the bytes of a file, its readings."""

from collections.abc import Iterable, Iterator, Sequence
import csv
from typing import Final

from .archive import is_archive, names, unpack
from .heads import Head, Heading, begins_heading, ends_table, words
from .tables import Row, read
from .values import (
    MOST_BYTES,
    MOST_FAULTS,
    MOST_ROWS,
    Contents,
    Direction,
    Fault,
    Kind,
    Problem,
    Reading,
    Refusal,
    Refused,
    Series,
    Unit,
)
from .workbook import is_workbook, sheets

_MOST_LINE: Final = 4_096


def parse(data: bytes) -> Contents:
    """Read a file of any form: text, an archive of texts, or a workbook. Raises `Refused`."""
    if len(data) > MOST_BYTES:
        raise Refused(Refusal.TOO_LARGE)
    if not data.strip():
        raise Refused(Refusal.EMPTY)
    reader = _Reader()
    for rows in _parts(data):
        reader.read(rows)
    return reader.contents()


def _parts(data: bytes) -> Iterator[Iterable[Row]]:
    if not is_archive(data):
        yield _rows(data)
    elif is_workbook(inside := names(data)):
        yield from sheets(data, inside)
    else:
        for text in unpack(data, lambda name: name.casefold().endswith((".csv", ".txt"))).values():
            yield _rows(text)


def _rows(data: bytes) -> Iterator[Row]:
    """Yield the lines of a text with their numbers. What is not UTF-8 is Windows' Latin-1."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if lines.count("\n") > MOST_ROWS:
        raise Refused(Refusal.TOO_MANY_ROWS)
    for number, line in enumerate(lines.split("\n"), 1):
        yield number, _split(line[:_MOST_LINE])


def _split(line: str) -> Sequence[str]:
    delimiter = next((each for each in (";", "\t") if each in line), ",")
    if '"' in line:
        return next(csv.reader([line.replace("\0", "")], delimiter=delimiter), [""]) or [""]
    return line.split(delimiter)


class _Reader:
    """Collects what the parts of a file say."""

    def __init__(self) -> None:
        self._readings: dict[tuple[Direction, Kind], list[Reading]] = {}
        self._units: dict[tuple[Direction, Kind], Unit] = {}
        self._faults: list[Fault] = []
        self._more_faults = 0
        self._part, self._row_count = 0, 0
        self._has_tables = False

    def read(self, rows: Iterable[Row]) -> None:
        """Read the tables of one text or sheet."""
        self._part += 1
        heading, head, body = Heading(), None, list[Row]()
        for line, cells in rows:
            self._row_count += 1
            if self._row_count > MOST_ROWS:
                raise Refused(Refusal.TOO_MANY_ROWS)
            if not any(map(str.strip, cells)):
                continue
            # The rows of a table begin with a digit, and no head does.
            if cells[0].lstrip()[:1].isdigit() and not heading.awaits_values:
                if head is not None:
                    body.append((line, cells))
                continue
            texts = words(cells)
            if heading.awaits_values:
                heading.read(texts)
            elif begins_heading(texts):
                self._close(head, body)
                heading, head, body = Heading(), None, []
                heading.read(texts)
            elif ends_table(texts):
                self._close(head, body)
                head, body = None, []
            elif (new := heading.head(texts, line)) is not None:
                self._close(head, body)
                self._has_tables = True
                head, body = new if isinstance(new, Head) else None, []
                if isinstance(new, Problem):
                    self._report(new, line)
            elif head is None:
                heading.read(texts)
            else:
                self._report(Problem.TIME_UNREADABLE, line)
        self._close(head, body)

    def contents(self) -> Contents:
        """Return all that was read. Raises `Refused` if it is nothing."""
        faults = sorted(self._faults, key=lambda fault: (fault.part, fault.line))
        if not self._has_tables:
            raise Refused(Refusal.UNKNOWN_FORM)
        series = tuple(
            Series(direction=key[0], kind=key[1], unit=self._units[key], readings=_merged(readings))
            for key, readings in sorted(self._readings.items())
        )
        if not series:
            raise Refused(Refusal.NOTHING_READ, faults)
        return Contents(series=series, faults=tuple(faults), more_faults=self._more_faults)

    def _close(self, head: Head | None, body: Sequence[Row]) -> None:
        if head is None:
            return
        kind, readings = read(head, body, self._report)
        if readings:
            self._readings.setdefault((head.direction, kind), []).extend(readings)
            self._units.setdefault((head.direction, kind), head.unit)

    def _report(self, problem: Problem, line: int) -> None:
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(Fault(problem=problem, line=line, part=self._part))
        else:
            self._more_faults += 1


def _merged(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Return the readings of all tables in the order of time, without those that overlap."""
    merged: list[Reading] = []
    for each in sorted(readings, key=lambda reading: reading.start):
        if not merged or merged[-1].end <= each.start:
            merged.append(each)
    return tuple(merged)
