"""What a source says of some days of a series: blocks, and notes on their records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from consometers_node.series import Block, Range, Series

HOUR = timedelta(hours=1)

MOST_W = 70_000
"""A mean power that no home reaches: twice that of a three-phase connection of 36 kVA."""


class Flag(StrEnum):
    """A note on a record for its reader. Of several notes, the first one here counts."""

    AWAY = "away"
    """The source was off: the record is missing."""
    ABSURD = "absurd"
    """The sum rose by more than a home can draw: the record is missing."""
    BACKWARDS = "backwards"
    """The sum fell, or the mean power is below zero: the record is missing."""
    RESTARTED = "restarted"
    """The meter's register was reset."""
    FILLED = "filled"
    """The hour, or one of the day, was missing, and is made of its 5-minute rows."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A block as the source has it now, with flags by the start of a record."""

    block: Block
    flags: Mapping[datetime, Flag] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What was read of some series over some whole days: all that is there, or all that changed.

    A series without a reading has nothing there, or nothing new.
    """

    series: Sequence[Series]
    days: Range
    readings: Sequence[Reading]
