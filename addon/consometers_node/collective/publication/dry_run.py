"""A preview of what the past would show if sums were published under given rules.

Intervals of the past are decided by the function that closes them, in a transaction that is undone:
nothing of it stays. Members wait meanwhile. An administrator may read more than that anyway.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time as daytime, timedelta
from enum import StrEnum
import time

from consometers_node.collective.calendar import Span, instants, places
from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.members.members import Members
from consometers_node.collective.settings import Settings
from consometers_node.series import Direction, Interval
from consometers_node.store import Store
from consometers_node.store.collective.memberships import first_blocks
from consometers_node.store.collective.publication import PublishedCell
from consometers_node.store.collective.tables import GroupId
from consometers_node.store.engine.connection import AsyncConnection

from .closing.closer import Closer, WaitRule
from .closing.first_days import first_days
from .closing.monthly_groups import GroupsOfMonth
from .closing.tabulation import disclosure_secret

ENOUGH_S = 3.0
"""How long members wait at most for figures older than a month."""

_DAY = timedelta(days=1)
_MONTH_DAYS = 31
_YEAR_DAYS = 365


class PreviewPeriod(StrEnum):
    """The periods of the preview: a day by its hours, the others by their days."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(slots=True)
class Count:
    """How many sums would be visible, and how many suppressed, by reason."""

    shown: int = 0
    withheld: Counter[Reason] = field(default_factory=Counter)

    @property
    def hidden(self) -> int:
        return self.withheld.total()

    @property
    def is_in_vain(self) -> bool:
        """Whether there is something, and all of it would be suppressed."""
        return self.hidden > 0 and self.shown == 0


@dataclass(frozen=True, slots=True)
class Seen:
    """How many sums of homes would be visible in a period: of everybody, and of communes.

    A day's are those of its intervals, a longer period's those of its days; `intervals` counts the
    intervals of everybody in each.
    """

    stretch: PreviewPeriod
    span: Span
    everybody: Count
    areas: Count
    intervals: Count


async def foresee(
    store: Store, settings: Settings, publication: Publication, at: datetime
) -> Sequence[Seen]:
    """Count what there would be to see of yesterday, of the last month, and of the last year.

    Of the year, as far back as there was time to look.
    """
    last = _yesterday(settings, at)
    in_month = last - (_MONTH_DAYS - 1) * _DAY
    hours, month, year = ((Count(), Count()) for _ in PreviewPeriod)
    of_month, of_year = Count(), Count()
    async with _trial(store, settings, publication, at) as (connection, closer):
        starts = await first_days(
            connection, settings.time_zone, await first_blocks(connection), has_masked=False
        )
        first = max(last - (_YEAR_DAYS - 1) * _DAY, min(starts.values(), default=last))
        began, day = time.monotonic(), last
        while day >= first and (day >= in_month or time.monotonic() - began < ENOUGH_S):
            for direction in starts:
                intervals = await _intervals(closer, settings, publication, direction, day)
                for interval in intervals if day == last else ():
                    _add(*hours, interval)
                for count in (of_month, of_year) if day >= in_month else (of_year,):
                    for interval in intervals:
                        _add(count, Count(), interval)
                whole = await _whole_day(
                    closer, settings, direction, day, intervals, step=publication.interval
                )
                for counts in (month, year) if day >= in_month else (year,):
                    _add(*counts, whole)
            day -= _DAY
    return [
        Seen(PreviewPeriod.DAY, Span(last, last), *hours, hours[0]),
        Seen(PreviewPeriod.MONTH, Span(max(first, in_month), last), *month, of_month),
        Seen(PreviewPeriod.YEAR, Span(day + _DAY, last), *year, of_year),
    ]


async def foresee_page[T](
    store: Store,
    settings: Settings,
    publication: Publication,
    at: datetime,
    look: Callable[[AsyncConnection], Awaitable[T]],
    *,
    days: int,
) -> T:
    """Return what `look` finds where a collective that is closed opened now, of the last days."""
    since = _yesterday(settings, at) - days * _DAY
    async with _trial(store, settings, publication, at, since) as (connection, closer):
        while await closer.close():
            pass
        return await look(connection)


@asynccontextmanager
async def _trial(
    store: Store, settings: Settings, publication: Publication, at: datetime, since: date = date.min
) -> AsyncIterator[tuple[AsyncConnection, Closer]]:
    """Close intervals that wait for nobody, in a transaction that is undone."""
    waiting = WaitRule(
        online_since=at, opened_at=at + publication.longest_wait, arrivals=Arrivals()
    )
    async with store.writing() as connection:
        # Before what is undone: figures are closed by the secret that the preview had.
        await disclosure_secret(connection)
    async with store.writing() as connection, connection.begin_nested() as savepoint:
        members = Members(connection, settings.time_zone)
        closer = Closer(members, settings.identifier, publication, waiting, at, since=since)
        yield connection, closer
        await savepoint.rollback()


@dataclass(frozen=True, slots=True)
class _Decided:
    """The preview of a period: the communes (or the rest) whose homes sent something."""

    month: GroupsOfMonth
    areas: Set[GroupId]
    cells: Sequence[PublishedCell]
    reason: str | None


async def _intervals(
    closer: Closer,
    settings: Settings,
    publication: Publication,
    direction: Direction,
    day: date,
) -> list[_Decided]:
    """Decide the intervals of a civil day."""
    interval = publication.interval
    step = timedelta(minutes=interval.minutes)
    month = await closer.groups.of(day)
    decided = []
    for part in places(settings.time_zone.key, interval, day):
        day_sent = await closer.tabulation.day(direction, part.day, interval)
        sums = day_sent.intervals(await closer.groups.months(part.day, interval))
        midnight = datetime.combine(part.day, daytime(), UTC)
        for place in range(part.first, part.end):
            start = midnight + place * step
            cells, reason = await closer.tabulation.publish(
                direction, interval, start, day, sums[place]
            )
            decided.append(_Decided(month, sums[place].cells.keys(), cells, reason))
    return decided


async def _whole_day(
    closer: Closer,
    settings: Settings,
    direction: Direction,
    day: date,
    intervals: Sequence[_Decided],
    *,
    step: Interval,
) -> _Decided:
    """Decide a civil day: its intervals, and homes that send days alone."""
    month = await closer.groups.of(day)
    cells = [cell for interval in intervals for cell in interval.cells]
    homes = max((cell.homes for cell in cells if cell.group == month.everybody), default=None)
    sent = await closer.tabulation.civil_day(direction, day, step, homes)
    start = instants(settings.time_zone.key, day).start
    alone, reason = await closer.tabulation.publish(direction, Interval.P1D, start, day, sent)
    reasons = Counter(interval.reason for interval in intervals if interval.reason is not None)
    of_intervals = next((reason for reason, _ in reasons.most_common(1)), None)
    areas = set(sent.cells).union(*(interval.areas for interval in intervals))
    return _Decided(month, areas, [*cells, *alone], reason or of_intervals)


def _add(everybody: Count, areas: Count, decided: _Decided) -> None:
    """Count sums of homes; where none sent anything, what is public by itself."""
    if not decided.areas and not decided.cells:
        return
    why = Reason(decided.reason) if decided.reason is not None else Reason.BELOW_THRESHOLD
    shown = {cell.group for cell in decided.cells if cell.homes or not decided.areas}
    if decided.month.everybody in shown:
        everybody.shown += 1
    else:
        everybody.withheld[why] += 1
        areas.withheld[why] += len(decided.areas & decided.month.communes.keys())
    areas.shown += len(shown & decided.month.communes.keys())


def _yesterday(settings: Settings, at: datetime) -> date:
    return at.astimezone(settings.time_zone).date() - _DAY
