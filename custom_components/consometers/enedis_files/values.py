"""What a file contains, and why it is refused, as frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import fsum
from typing import Final

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a file: steps of ten minutes over three years take 6 MB."""
MOST_UNPACKED_BYTES: Final = 64 * 1024 * 1024
"""Of all that an archive or a workbook contains."""
MOST_ROWS: Final = 300_000
"""Of a file, in all its tables: five years of steps of ten minutes."""
MOST_FAULTS: Final = 100
"""Listed; those after them are counted."""


class Direction(StrEnum):
    """What was metered. Enedis calls *production* what is fed into its grid."""

    CONSUMPTION = "consumption"
    PRODUCTION = "production"


class Kind(StrEnum):
    """What the rows of a table are."""

    CURVE = "curve"
    """Mean power or energy of steps of minutes."""
    DAYS = "days"
    REGISTERS = "registers"
    """Levels of registers: a reading is the difference of two."""


class Unit(StrEnum):
    """The unit of a file's values; those of readings are Wh."""

    W = "W"
    KW = "kW"
    WH = "Wh"
    KWH = "kWh"

    @property
    def is_power(self) -> bool:
        return self in {Unit.W, Unit.KW}

    @property
    def factor(self) -> int:
        """How many W or Wh it is."""
        return 1_000 if self in {Unit.KW, Unit.KWH} else 1


class Problem(StrEnum):
    """Why a row, or a table by its head, was left out."""

    TIME_UNREADABLE = "time_unreadable"
    TIME_OFF_STEP = "time_off_step"
    """It does not continue the steps of the rows beside it, or overlaps one of them."""
    TIME_SKIPPED = "time_skipped"
    """An hour of the clock that the change to summer time leaves out."""
    VALUE_UNREADABLE = "value_unreadable"
    VALUE_IMPLAUSIBLE = "value_implausible"
    """Less than nothing, or a mean power of more than a megawatt."""
    REPEATED = "repeated"
    """The same time again with another value: the first counts, or a corrected one."""
    REGISTER_FELL = "register_fell"
    """Another meter counts from here on."""
    STEP_UNKNOWN = "step_unknown"
    UNIT_UNKNOWN = "unit_unknown"
    NO_ENERGY = "no_energy"
    """A table of peak powers."""


class Refusal(StrEnum):
    """Why nothing of a file was taken."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    DAMAGED = "damaged"
    """An archive or a workbook that cannot be unpacked."""
    ENCRYPTED = "encrypted"
    UNPACKS_TOO_LARGE = "unpacks_too_large"
    FORMULA = "formula"
    EXTERNAL_LINK = "external_link"
    MACRO = "macro"
    DOCUMENT_TYPE = "document_type"
    """XML that declares one could expand entities without end."""
    UNKNOWN_FORM = "unknown_form"
    NOTHING_READ = "nothing_read"
    """Its form is understood, and none of its rows has an energy."""


class Refused(Exception):
    """Nothing of the file is taken."""

    def __init__(self, refusal: Refusal, faults: Sequence[Fault] = ()) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What was not understood, and where."""

    problem: Problem
    line: int
    """From 1: of the text, or of the sheet."""
    part: int = 1
    """From 1: which file of an archive, which sheet of a workbook."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The energy of an interval. Times are in UTC."""

    start: datetime
    end: datetime
    energy_wh: float

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """An interval between two readings of which nothing is known."""

    start: datetime
    end: datetime
    steps: int
    """How many readings are missing, of the length of the one that follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What a file says in one direction, of one kind."""

    direction: Direction
    kind: Kind
    unit: Unit
    """As in the file."""
    readings: tuple[Reading, ...]
    """At least one, in the order of time; none overlaps another."""

    @property
    def start(self) -> datetime:
        return self.readings[0].start

    @property
    def end(self) -> datetime:
        return self.readings[-1].end

    @property
    def energy_wh(self) -> float:
        return fsum(reading.energy_wh for reading in self.readings)

    @property
    def steps(self) -> tuple[timedelta, ...]:
        """The lengths of its readings."""
        return tuple(sorted({reading.length for reading in self.readings}))

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return tuple(
            Gap(
                start=before.end,
                end=after.start,
                steps=max(1, round((after.start - before.end) / after.length)),
            )
            for before, after in pairwise(self.readings)
            if before.end < after.start
        )

    @property
    def missing(self) -> int:
        """How many readings are missing between the first and the last."""
        return sum(gap.steps for gap in self.gaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What was read, and what was not."""

    series: tuple[Series, ...]
    """At least one; a direction and a kind occur once."""
    faults: tuple[Fault, ...]
    more_faults: int = 0
    """How many are not listed."""
