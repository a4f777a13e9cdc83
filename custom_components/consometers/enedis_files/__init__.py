"""Files that a household gets from Enedis or its supplier: bytes in, energies of intervals out.

Pure: no Home Assistant, no I/O, no clock. `parse` reads every form; limits and refusals are in
`values`. The delivery point and the names of files in an archive are in no value and no error.
"""

from .parsing import parse
from .values import (
    MOST_BYTES,
    MOST_ROWS,
    MOST_UNPACKED_BYTES,
    Contents,
    Direction,
    Fault,
    Gap,
    Kind,
    Problem,
    Reading,
    Refusal,
    Refused,
    Series,
    Unit,
)

__all__ = [
    "MOST_BYTES",
    "MOST_ROWS",
    "MOST_UNPACKED_BYTES",
    "Contents",
    "Direction",
    "Fault",
    "Gap",
    "Kind",
    "Problem",
    "Reading",
    "Refusal",
    "Refused",
    "Series",
    "Unit",
    "parse",
]
