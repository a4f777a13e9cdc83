"""How homes differ in a month: published once, quartiles of a month stay.

So nobody compares what was published before a home's records came late, or went, with it after.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from datetime import date, datetime
import json

from ...quoalise import (
    Data,
    DeviceType,
    Duration,
    Identifier,
    Number,
    Records,
    SeriesPath,
    describe,
)
from ...series import Interval, Range, Series
from ...store.collective_tables import GroupId
from ...store.connection import AsyncConnection
from ...store.groups import counting
from ...store.memberships import groups_and_memberships
from ...store.publication import cells, parts
from ...store.published_series import group_of
from ...store.settings import set_setting, setting
from ..calendar import days_of, instants, month_of
from ..disclosure.sdc_rules import Publication, Quartiles, Reason, Withheld, quartiles
from ..members.members import month_after
from .blocks import Snapshot
from .member_values import SeriesValues, civil_day

PATHS = (SeriesPath.LOWER_QUARTILE, SeriesPath.MEDIAN, SeriesPath.UPPER_QUARTILE)
MOST_MONTHS = 12
"""Months in one answer: unpublished ones are counted for it."""

WHOLE_DAYS = 15
"""Days that a home needs in a month, to count in its quartiles."""

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


async def of_months(
    connection: AsyncConnection,
    publication: Publication,
    collective: str,
    series: Series,
    months: Iterable[date],
    *,
    at: datetime,
) -> dict[date, Quartiles]:
    """Return the quartiles of the group of one of our series, in watt-minutes of a day."""
    group = await group_of(connection, collective, series)
    published: dict[date, Quartiles] = {}
    if group is None:
        return published
    for month in months:
        key = f"quartiles.{group}.{series.direction}.{month}"
        if (stored := await setting(connection, key)) is not None:
            published[month] = Quartiles(*json.loads(stored))
            continue
        spread = await of_month(connection, publication, group, series, month, at=at)
        if isinstance(spread, Quartiles):
            published[month] = spread
            await set_setting(connection, key, json.dumps(astuple(spread)))
    return published


async def of_month(
    connection: AsyncConnection,
    publication: Publication,
    group: GroupId,
    series: Series,
    month: date,
    *,
    at: datetime,
) -> Quartiles | Withheld:
    """Return how homes of a group differ in their mean daily energy of a month.

    Only of a month that is over, and of a group of which some day in it was published. `series` is
    the group's, of days.
    """
    zone, direction = series.time_zone, series.direction
    days = days_of(month)
    within = Range(instants(zone, days[0]).start, instants(zone, days[-1]).end)
    published = await cells(connection, group, Interval.P1D, [direction], within)
    if at < within.end + publication.day_wait or not published:
        return Withheld(Reason.NOT_YET)
    _, members = await groups_and_memberships(connection, month, at)
    homes = {
        member
        for part in (await parts(connection)).get(group, {group})
        for member in await counting(connection, part, month)
        if member in members and members[member].is_home
    }
    utc_days = tuple(within.days())
    snapshot = await Snapshot.read(connection, direction, utc_days[0], utc_days[-1])
    means = sorted(
        mean
        for member in homes & snapshot.members.keys()
        if (mean := _mean(list(snapshot.members[member]), days)) is not None
    )
    need = publication.needed(direction, Interval.P1D)
    if not means:
        return quartiles(0, 0, 0, 0, need)
    places = ((len(means) * quarters + 3) // 4 - 1 for quarters in (1, 2, 3))
    lower, median, upper = (means[place] for place in places)
    return quartiles(len(means), lower, median, upper, need)


def _mean(sources: Sequence[SeriesValues], days: Iterable[date]) -> int | None:
    """Return the mean energy of the whole days of a home, if they are enough."""
    whole = [own.watt_minutes for day in days if (own := civil_day(sources, day)).is_whole]
    return sum(whole) // len(whole) if len(whole) >= WHOLE_DAYS else None


def as_data(asked: Identifier, published: Mapping[date, Quartiles], time_zone: str) -> Data:
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
