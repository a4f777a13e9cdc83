"""How homes differ in a month: computed and written once, when the month closes.

So nobody compares what was published before a home's records came late, or went, with it after.
They are of all homes together. Quartiles of communes beside them, or of groups that share homes,
would differ by what a few homes make of them: each quartile is one home's figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from consometers_node.collective.calendar import days_of, instants, month_of
from consometers_node.collective.disclosure.reasons import Reason, Withheld
from consometers_node.collective.disclosure.sdc_rules import Publication, Quartiles, quartiles
from consometers_node.collective.members.members import month_after
from consometers_node.collective.publication.member_values import SeriesValues, civil_day
from consometers_node.series import Direction, Interval, Range
from consometers_node.store.collective.publication import (
    HomeQuartiles,
    cells_of_records,
    quartiles_of,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_quoalise import (
    Data,
    DeviceType,
    Duration,
    Identifier,
    Number,
    Records,
    SeriesPath,
    describe,
)

from .blocks import Snapshot
from .monthly_groups import GroupsOfMonth

PATHS = (SeriesPath.LOWER_QUARTILE, SeriesPath.MEDIAN, SeriesPath.UPPER_QUARTILE)
MOST_MONTHS = 12
"""Months in one answer."""

WHOLE_DAYS = 15
"""Days of a month that a home needs, to count in its quartiles, and the sum of all homes too."""

_MINUTES = 60


def beside(daily: Identifier) -> list[Identifier]:
    """Return the quartiles that may be read with the sums of days."""
    return [Identifier(daily.device, f"{daily.direction}/{path}") for path in PATHS]


def daily_of(asked: Identifier) -> Identifier | None:
    """Return the daily totals that quartiles describe; None for other series."""
    if asked.direction is None or asked.quantity not in PATHS:
        return None
    return Identifier(asked.device, f"{asked.direction}/{SeriesPath.ENERGY_DAILY}")


def months_in(records: Range, time_zone: str) -> list[date]:
    """Return the civil months that begin in a range, in order."""
    month = month_of(records.start.date())
    months = []
    while (start := instants(time_zone, month).start) < records.end:
        if start >= records.start:
            months.append(month)
        month = month_after(month)
    return months


def range_of(month: date, time_zone: str) -> Range:
    """Return a civil month: from its first midnight to that of the next one."""
    days = days_of(month)
    return Range(instants(time_zone, days[0]).start, instants(time_zone, days[-1]).end)


async def of_months(
    connection: AsyncConnection, direction: Direction, months: Iterable[date], time_zone: str
) -> dict[date, HomeQuartiles]:
    """Return the quartiles that were published of months, in watt-minutes of a day."""
    starts = {instants(time_zone, month).start: month for month in months}
    if not starts:
        return {}
    within = Range(min(starts), instants(time_zone, max(starts.values())).end)
    published = await quartiles_of(connection, direction, within)
    return {starts[start]: spread for start, spread in published.items() if start in starts}


async def of_month(
    connection: AsyncConnection,
    publication: Publication,
    direction: Direction,
    month: date,
    groups: GroupsOfMonth,
    *,
    time_zone: str,
) -> Quartiles | Withheld:
    """Return how all homes differ in their mean daily energy of a month that is over.

    Without enough days of which the sum of their records was published, nothing is known of them.
    """
    within = range_of(month, time_zone)
    published = (
        await cells_of_records(connection, groups.everybody, Interval.P1D, [direction], within)
        if groups.everybody is not None
        else ()
    )
    need = publication.needed(direction, Interval.P1D)
    if sum(cell.homes > 0 for cell in published) < WHOLE_DAYS:
        return Withheld(Reason.BELOW_THRESHOLD, need)
    days, utc_days = days_of(month), tuple(within.days())
    snapshot = await Snapshot.read(connection, direction, utc_days[0], utc_days[-1])
    means = sorted(
        mean
        for member, sources in snapshot.members.items()
        if (membership := groups.memberships.get(member)) is not None
        and membership.is_home
        and (mean := _mean(list(sources), days)) is not None
    )
    if not means:
        return quartiles(0, 0, 0, 0, need)
    places = ((len(means) * quarters + 3) // 4 - 1 for quarters in (1, 2, 3))
    lower, median, upper = (means[place] for place in places)
    return quartiles(len(means), lower, median, upper, need)


def _mean(sources: Sequence[SeriesValues], days: Iterable[date]) -> int | None:
    """Return the mean energy of the whole days of a home, if they are enough."""
    whole = [own.watt_minutes for day in days if (own := civil_day(sources, day)).is_whole]
    return sum(whole) // len(whole) if len(whole) >= WHOLE_DAYS else None


def as_data(asked: Identifier, published: Mapping[date, HomeQuartiles], time_zone: str) -> Data:
    """Return the quartiles of months in Wh: all three of them under the name of the median."""
    values: dict[str, dict[Number, Number]] = {path: {} for path in PATHS}
    for month, spread in published.items():
        start = int(instants(time_zone, month).start.timestamp())
        days = len(days_of(month))
        for path, mean in zip(PATHS, (spread.lower, spread.median, spread.upper), strict=True):
            values[path][start] = round(mean * days / _MINUTES)
    wanted = PATHS if asked.quantity == SeriesPath.MEDIAN else (asked.quantity,)
    names = {path: Identifier(asked.device, f"{asked.direction}/{path}") for path in wanted}
    return Data(
        describe(asked, Duration(months=1), DeviceType.COLLECTIVE),
        tuple(Records(str(names[path]), "Wh", values[path]) for path in wanted if values[path]),
    )
