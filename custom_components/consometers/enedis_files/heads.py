"""The heads of tables, and what stands above them: every known form is declared here."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
import re
from typing import Final

from .cells import plain
from .values import Direction, Problem, Unit


class TimeForm(Enum):
    """How the rows of a table say of which interval they are."""

    END = "end"
    """A stamp at which a step ends."""
    DATE = "date"
    """A day, or a stamp as above: the rows show which."""
    SPAN = "span"
    """Begin and end."""
    UNDER_DAY = "under_day"
    """The day on a row of its own, then the times at which steps of half an hour end."""
    REGISTER = "register"
    """A stamp of registers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How to read the rows of a table."""

    line: int
    form: TimeForm
    columns: tuple[int, ...]
    """Of the values: several registers are summed."""
    total: int | None = None
    """The column of the total of the registers, which may be empty."""
    direction: Direction
    unit: Unit
    nature: int | None = None
    minutes: int | None = None
    """The length of a step, where the file says it."""


_UNITS: Final = {"w": Unit.W, "kw": Unit.KW, "wh": Unit.WH, "kwh": Unit.KWH}
_IN_PARENTHESES: Final = re.compile(r"\((?:en )?([a-z]+)\)")
_VALUE: Final = re.compile(
    r"(valeur|consommation|production|injection|energie|puissance (moyenne|atteinte|maximale))\b"
)
_REGISTER: Final = re.compile(r"ea([si]) (f\d{1,2}|t)")
_CALENDAR: Final = "periode"
_CONSUMED: Final = re.compile(r"\b(consommation|soutirage)")
_PRODUCED: Final = re.compile(r"\b(production|injection)")
_PEAK: Final = "puissance maximale"


def begins_heading(names: Sequence[str]) -> bool:
    """Return whether what stood above no longer holds."""
    return names[0] == "identifiant prm"


def ends_table(names: Sequence[str]) -> bool:
    """Return whether a supplier's calendar begins, which has no energies."""
    return names[0] == _CALENDAR


class Heading:
    """What the rows above a table say of it."""

    def __init__(self) -> None:
        self._direction, self._unit = Direction.CONSUMPTION, ""
        self._is_peak = False
        self._minutes: int | None = None
        self._columns: Sequence[str] = ()

    @property
    def awaits_values(self) -> bool:
        """Whether the next row has what the names of the last one stand for."""
        return bool(self._columns)

    def read(self, names: Sequence[str]) -> None:
        """Read a row above a table, by the words of its cells."""
        if self._columns:
            for name, value in zip(self._columns, names, strict=False):
                self._learn(name, value)
            self._columns = ()
        elif begins_heading(names) and names[1:2] == ["type de donnees"]:
            self._columns = names
        else:
            for name, value in pairwise(names):
                self._learn(name, value)
            for each in names:
                self._mentions(each)

    def head(self, names: Sequence[str], line: int) -> Head | Problem | None:
        """Return how to read the rows under these, if they are the head of a table."""
        registers = [
            (column, match) for column, each in enumerate(names) if (match := _match(each))
        ]
        if names[0] == "horodate" and registers:
            return self._of_registers(registers, line)
        if names[0].startswith("date de releve"):
            return self._of_supplier_registers(names, line)
        form, first = _form(names)
        column = next(
            (number for number, each in enumerate(names) if number >= first and _VALUE.match(each)),
            None,
        )
        if form is None or column is None:
            return None
        name = names[column]
        unit = match[1] if (match := _IN_PARENTHESES.search(name)) else self._unit
        if self._is_peak or _PEAK in name or unit in {"va", "kva"}:
            return Problem.NO_ENERGY
        if unit not in _UNITS:
            return Problem.UNIT_UNKNOWN
        return Head(
            line=line,
            form=form,
            columns=(column,),
            direction=_direction(name) or self._direction,
            unit=_UNITS[unit],
            nature=_place(names, "nature de la donnee"),
            minutes=30 if form is TimeForm.UNDER_DAY else self._minutes,
        )

    def _of_registers(self, registers: Sequence[tuple[int, re.Match[str]]], line: int) -> Head:
        total = next((column for column, match in registers if match[2] == "t"), None)
        injected = any(match[1] == "i" for _, match in registers)
        return Head(
            line=line,
            form=TimeForm.REGISTER,
            columns=tuple(column for column, match in registers if match[2] != "t"),
            total=total,
            direction=Direction.PRODUCTION if injected else self._direction,
            unit=_UNITS.get(self._unit, Unit.WH),
        )

    def _of_supplier_registers(self, names: Sequence[str], line: int) -> Head | Problem | None:
        columns = [number for number, each in enumerate(names) if each.startswith("index ")]
        units = {
            match[1] if (match := _IN_PARENTHESES.search(names[number])) else ""
            for number in columns
        }
        if not columns:
            return None
        if len(units) != 1 or not units <= {"wh", "kwh"}:
            return Problem.UNIT_UNKNOWN
        return Head(
            line=line,
            form=TimeForm.REGISTER,
            columns=tuple(columns),
            direction=self._direction,
            unit=_UNITS[units.pop()],
        )

    def _learn(self, name: str, value: str) -> None:
        match name:
            case "unite":
                self._unit = value
            case "pas en minutes" if value.isascii() and value.isdigit() and len(value) < 4:
                self._minutes = int(value)
            case "type de donnees" | "type de comptage" | "grandeur metier" | "grandeur physique":
                self._mentions(value)
            case _:
                pass

    def _mentions(self, text: str) -> None:
        self._is_peak = self._is_peak or _PEAK in text
        self._direction = _direction(text) or self._direction


def _match(name: str) -> re.Match[str] | None:
    return _REGISTER.fullmatch(name)


def _form(names: Sequence[str]) -> tuple[TimeForm | None, int]:
    """Return how a table says its times, and the first column after them."""
    first = names[0]
    if first == "horodate" or first.startswith("horodate iso fin de pas"):
        return TimeForm.END, 1
    if first == "debut" and names[1:2] == ["fin"]:
        return TimeForm.SPAN, 2
    if first.startswith("date et heure de releve"):
        return TimeForm.UNDER_DAY, 1
    if first in {"date", "date de consommation", "jour"}:
        return TimeForm.DATE, 1
    return None, 0


def _direction(text: str) -> Direction | None:
    """Return the direction that a text names, if it names one alone."""
    consumed, produced = _CONSUMED.search(text), _PRODUCED.search(text)
    if bool(consumed) == bool(produced):
        return None
    return Direction.CONSUMPTION if consumed else Direction.PRODUCTION


def _place(names: Sequence[str], name: str) -> int | None:
    return names.index(name) if name in names else None


def words(cells: Sequence[str]) -> list[str]:
    """Return the cells of a row as their words, without those that are empty at its end."""
    names = [plain(cell) for cell in cells]
    while len(names) > 1 and not names[-1]:
        names.pop()
    return names
