"""Looks for the values of homes in files: databases, their journals, dumps, logs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
import json
from pathlib import Path
import re
import shutil
import sqlite3
import struct
from tempfile import TemporaryDirectory
from typing import Final

BY_CHANCE: Final = 2
"""As many numbers of a file may be others, such as that of a process."""
IN_A_ROW: Final = 3
"""As many values of a home, packed one after the other, are no accident."""

_SQLITE: Final = b"SQLite format 3\0"
_PACKED: Final = [f"{order}{IN_A_ROW}{width}" for order in "<>" for width in "HIQfd"]
# A number with or without its unit, its thousands apart or not; no time, address or hash.
_NUMBER: Final = re.compile(
    rb"(?<![0-9A-Za-z.:-])(\d{1,3}(?:[, _]\d{3})+|\d+)(\.\d+)?"
    rb"(?: ?[kM]?(?:Wh?|VAh?|J))?(?![0-9A-Za-z:-])"
)
_PER: Final = (1, 60, 3_600, 1 / 1_000)
"""Wh as Wh or W, watt-minutes, joules and kWh; a report has squares of Wh too."""


class Values:
    """The values of homes, in Wh, one after the other of each home."""

    def __init__(self, homes: Sequence[Sequence[int]]) -> None:
        self._forms = {value * per: value for home in homes for value in home for per in _PER}
        self._forms |= {value * value: value for home in homes for value in home}
        self._squares = [
            struct.pack(shape, value * value)
            for home in homes
            for value in home
            for shape in ("<Q", ">Q")
        ]
        self._packed = [
            struct.pack(shape, *(value * per for value in home[at : at + IN_A_ROW]))
            for home in homes
            for at in range(0, len(home) - IN_A_ROW + 1, IN_A_ROW)
            for shape in _PACKED
            for per in (_PER if shape[-1] in "fd" else (1, 60))
            if shape[-1] != "H" or per == 1
        ]

    def found_in(self, file: Path) -> list[str]:
        """Return what of them a file has; of a SQLite database, in its columns too."""
        content = file.read_bytes()
        traces = [*self._in_bytes(content)]
        if content.startswith(_SQLITE):
            traces += self._in_columns(file)
        return traces

    def _in_bytes(self, content: bytes) -> Iterator[str]:
        yield from self._unless_by_chance(
            float(re.sub(rb"\D", b"", whole) + rest) for whole, rest in _NUMBER.findall(content)
        )
        yield from ("three in a row" for some in self._packed if some in content)
        yield from ("a square" for some in self._squares if some in content)

    def found_in_rows(self, tables: Mapping[str, Sequence[Sequence[object]]]) -> list[str]:
        """Return the traces in rows of tables, in columns of any type."""
        return [
            f"{table}: {what}"
            for table, rows in tables.items()
            for what in self._in_values([value for row in rows for value in row])
        ]

    def _in_values(self, values: Sequence[object]) -> Iterator[str]:
        yield from self._unless_by_chance(
            [float(each) for each in values if isinstance(each, int | float | Decimal)]
        )
        words = [
            value if isinstance(value, str) else json.dumps(value, default=str)
            for value in values
            if isinstance(value, str | list | dict)
        ]
        yield from self._in_bytes("\n".join(words).encode())
        for value in values:
            if isinstance(value, bytes):
                yield from self._in_bytes(value)

    def _in_columns(self, file: Path) -> list[str]:
        """Read a copy: what is only in its journal yet is in it too."""
        with TemporaryDirectory() as folder:
            for part in (file, file.with_name(f"{file.name}-wal")):
                if part.exists():
                    shutil.copy(part, folder)
            with closing(sqlite3.connect(Path(folder) / file.name)) as database:
                tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                return self.found_in_rows(
                    {
                        table: database.execute(f'SELECT * FROM "{table}"').fetchall()
                        for (table,) in tables.fetchall()
                    }
                )

    def _unless_by_chance(self, numbers: Iterator[float] | Sequence[float]) -> Iterator[str]:
        forms = {self._forms[number] for number in numbers if number in self._forms}
        if len(forms) > BY_CHANCE:
            yield from map(repr, sorted(forms))
