"""Where two series of one meter meet. Pure. Times are seconds, Unix; energies are Wh."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, Self

from ..recorder.rows import HOUR_S, Row, Rows

_ROUNDED_WH: Final = 10.0
"""Some round a register to hundredths of a kWh."""
_SLACK_WH: Final = 1_000.0
_MEAN_W: Final = 9_000.0
"""A home that draws more than this for days is not the home whose register it was."""


class Register(Enum):
    """The relation of the earlier series' register to the meter's."""

    SAME = "same"
    """It counts on where the earlier one ended."""
    OTHER = "other"
    """Their levels cannot be of one register: the meter was replaced, or it is another tariff."""
    UNKNOWN = "unknown"
    """The earlier series has energies without a register, as those of a supplier's website."""


def rise_wh(earlier: Row, level_wh: float, at: float) -> float | None:
    """Return what a register counted since a row; None if it cannot be the same register."""
    if earlier.state_wh is None:
        return None
    rise = level_wh - earlier.state_wh
    most = _SLACK_WH + _MEAN_W * max(0.0, at - earlier.end) / HOUR_S
    return max(0.0, rise) if -_ROUNDED_WH <= rise <= most else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """The hours that let an earlier series run into a later one without a step.

    Hours of the earlier series keep their sums: what they show is what they showed. The later
    one is raised by what had been counted when it began.
    """

    hours: Rows
    """The hours to write: those of the earlier series before the hour of the joint."""
    register: Register
    between_wh: float
    """What the register counted in between, which the first hour of the later series shows."""
    raised_wh: float
    """By how much the first row of the later series, and all that follow, are to be raised."""

    @classmethod
    def of_rows(cls, earlier: Rows, first: Row, *, has_register: bool) -> Self | None:
        """Join hours to the first row of the later series; None if there are none before it."""
        hours = [row for row in earlier if row.end <= first.hour]
        if not hours:
            return None
        last, level_wh = hours[-1], first.state_wh
        between_wh = None
        if has_register and level_wh is not None:
            between_wh = rise_wh(last, level_wh, first.end)
        if between_wh is not None:
            register, raised_wh = Register.SAME, last.sum_wh + between_wh - first.sum_wh
        else:
            register = Register.OTHER if has_register else Register.UNKNOWN
            # The energy of its own first minutes stays counted.
            raised_wh = last.sum_wh
            hours = [replace(row, state_wh=None) for row in hours]
        return cls(
            hours=hours,
            register=register,
            between_wh=between_wh or 0.0,
            raised_wh=raised_wh,
        )
