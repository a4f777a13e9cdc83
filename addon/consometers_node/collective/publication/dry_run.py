"""What there would be to see of the past if sums were published by some rules.

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

from sqlalchemy.ext.asyncio import AsyncConnection

from ...series import Direction, Interval
from ...store import Store
from ...store.collective_tables import GroupId
from ...store.memberships import first_blocks
from ...store.publication import PublishedCell
from ..calendar import Places, Span, instants, places
from ..disclosure.sdc_rules import Publication, Reason
from ..ingestion.validation import Arrivals
from ..members.members import Members
from ..settings import Settings
from .worker import Closer, Waiting

ENOUGH_S = 3.0
"""How long members wait at most for what is older than a month."""

_DAY = timedelta(days=1)
_MONTH_DAYS = 31
_YEAR_DAYS = 365


class Stretch(StrEnum):
    """The time that figures are counted of: a day by its hours, the others by their days."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(slots=True)
class Count:
    """How many sums there are to see, and how many are withheld, by why."""

    shown: int = 0
    withheld: Counter[Reason] = field(default_factory=Counter)

    @property
    def hidden(self) -> int:
        return self.withheld.total()


@dataclass(frozen=True, slots=True)
class Seen:
    """How many sums of homes there are to see of a time: of everybody, and of communes."""

    stretch: Stretch
    span: Span
    everybody: Count
    areas: Count


async def foresee(
    store: Store, settings: Settings, publication: Publication, at: datetime
) -> Sequence[Seen]:
    """Count what there would be to see of yesterday, of the last month, and of the last year.

    Of the year, as far back as there was time to look.
    """
    async with _trial(store, settings, publication, at) as (connection, closer):
        await closer.know_groups()
        outlook = _Outlook(connection, closer, settings, publication)
        return await outlook.count(_yesterday(settings, at))


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
    waiting = Waiting(online_since=at, opened_at=at + publication.longest_wait, arrivals=Arrivals())
    async with store.writing() as connection, connection.begin_nested() as tried:
        members = Members(connection, settings.time_zone)
        closer = Closer(members, settings.identifier, publication, waiting, at, since=since)
        yield connection, closer
        await tried.rollback()


@dataclass(frozen=True, slots=True)
class _Decided:
    """What would be published of a time: the communes (or the rest) whose homes sent something."""

    areas: Set[GroupId]
    cells: Sequence[PublishedCell]
    reason: str | None


class _Outlook:
    """Decides intervals of the past, and counts."""

    def __init__(
        self,
        connection: AsyncConnection,
        closer: Closer,
        settings: Settings,
        publication: Publication,
    ) -> None:
        self._connection = connection
        self._closer = closer
        self._zone = settings.time_zone.key
        self._step = publication.interval

    async def count(self, last: date) -> Sequence[Seen]:
        hours = Seen(Stretch.DAY, Span(last, last), Count(), Count())
        month, year = (Count(), Count()), (Count(), Count())
        began, day = time.monotonic(), last
        first = last - (_YEAR_DAYS - 1) * _DAY
        in_month = last - (_MONTH_DAYS - 1) * _DAY
        begun = await first_blocks(self._connection)
        first = max(first, min(begun.values(), default=last))
        while day >= first and (day >= in_month or time.monotonic() - began < ENOUGH_S):
            for direction in begun:
                decided = [
                    await self._intervals(direction, part, day)
                    for part in places(self._zone, self._step, day)
                ]
                flat = [one for some in decided for one in some]
                if day == last:
                    for one in flat:
                        self._add(hours.everybody, hours.areas, one)
                cells = [cell for one in flat for cell in one.cells]
                homes = (cell.homes for cell in cells if cell.group == self._closer.everybody)
                sent = await self._closer.sums_of_civil_day(
                    direction, day, max(homes, default=None)
                )
                start = instants(self._zone, day).start
                alone, reason = await self._closer.publish(
                    direction, Interval.P1D, start, day, sent
                )
                reasons = Counter(one.reason for one in flat if one.reason is not None)
                of_hours = next((why for why, _ in reasons.most_common(1)), None)
                areas = set(sent.cells).union(*(one.areas for one in flat))
                whole = _Decided(areas, [*cells, *alone], reason or of_hours)
                for counts in (month, year) if day >= in_month else (year,):
                    self._add(*counts, whole)
            day -= _DAY
        return [
            hours,
            Seen(Stretch.MONTH, Span(max(first, in_month), last), *month),
            Seen(Stretch.YEAR, Span(day + _DAY, last), *year),
        ]

    async def _intervals(self, direction: Direction, part: Places, day: date) -> list[_Decided]:
        sums = await self._closer.sums_of(direction, part.day)
        midnight = datetime.combine(part.day, daytime(), UTC)
        step = timedelta(minutes=self._step.minutes)
        return [
            _Decided(
                sums[place].cells.keys(),
                *await self._closer.publish(
                    direction, self._step, midnight + place * step, day, sums[place]
                ),
            )
            for place in range(part.first, part.end)
        ]

    def _add(self, everybody: Count, areas: Count, one: _Decided) -> None:
        """Count sums of homes; where none sent anything, what is public by itself."""
        if not one.areas and not one.cells:
            return
        why = Reason(one.reason) if one.reason is not None else Reason.BELOW_THRESHOLD
        shown = {cell.group for cell in one.cells if cell.homes or not one.areas}
        if self._closer.everybody in shown:
            everybody.shown += 1
        else:
            everybody.withheld[why] += 1
            areas.withheld[why] += len(one.areas & self._closer.communes)
        areas.shown += len(shown & self._closer.communes)


def _yesterday(settings: Settings, at: datetime) -> date:
    return at.astimezone(settings.time_zone).date() - _DAY
