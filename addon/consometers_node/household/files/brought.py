"""A file that a household brings: what it has, before it is kept."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import mode
from zoneinfo import ZoneInfo

from consometers_enedis_files import Contents, Fault, Kind, Series, Unit, parse
from consometers_node.series import Direction
from consometers_node.store.household.files import FileMonth

from .blocks import DIRECTIONS, months_of

TIME_ZONE = "Europe/Paris"
"""That of the files' clock."""

_MOST_DAYS = 62
"""Of a longer time, energies are shown month by month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtPart:
    """What a file has in one direction, of one kind."""

    direction: Direction
    kind: Kind
    unit: Unit
    begins: datetime
    ends: datetime
    count: int
    missing: int
    step: timedelta
    """The length that most readings have."""
    energy_wh: float
    is_daily: bool
    """Whether the energies are of civil days, or else of months."""
    energies_wh: Sequence[tuple[date, float]]
    """The energy of each day or month, by its first day; of what was read alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What was read of a file, and what was not."""

    parts: Sequence[BroughtPart]
    months: Sequence[FileMonth] = field(repr=False)
    faults: Sequence[Fault]
    more_faults: int


def bring(data: bytes) -> Brought:
    """Read a file of any known form. Raises `Refused`."""
    contents: Contents = parse(data)
    return Brought(
        parts=[_part(series) for series in contents.series],
        months=months_of(contents),
        faults=contents.faults,
        more_faults=contents.more_faults,
    )


def _part(series: Series) -> BroughtPart:
    is_daily = (series.end - series.start).days <= _MOST_DAYS
    zone = ZoneInfo(TIME_ZONE)
    energies: defaultdict[date, float] = defaultdict(float)
    for each in series.readings:
        day = each.start.astimezone(zone).date()
        energies[day if is_daily else day.replace(day=1)] += each.energy_wh
    return BroughtPart(
        direction=DIRECTIONS[series.direction],
        kind=series.kind,
        unit=series.unit,
        begins=series.start,
        ends=series.end,
        count=len(series.readings),
        missing=series.missing,
        step=mode(each.length for each in series.readings),
        energy_wh=series.energy_wh,
        is_daily=is_daily,
        energies_wh=sorted(energies.items()),
    )
