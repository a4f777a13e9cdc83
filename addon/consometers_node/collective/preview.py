"""What there would be to see if sums were published by other rules, and how that is now.

Intervals of the past are decided by the function that closes them, in a transaction that is undone:
nothing of it stays. Members wait meanwhile. An administrator may read more than that anyway.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time as daytime, timedelta
from enum import StrEnum
import time

from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Direction, Interval
from ..store import Store
from ..store.collective_tables import GroupId
from ..store.parts import first_block
from ..store.publication import DaySum, PublishedCell
from .arrivals import Arrivals
from .calendar import Places, instants, places
from .disclosure import Publication, Reason, Released
from .members import GroupKind, Members
from .published import Place, Published, Span
from .publishing import Closer, Waiting
from .settings import Settings
from .snapshot import Sums

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
    """How many figures there are to see, and how many are withheld, by why."""

    shown: int = 0
    withheld: Counter[Reason] = field(default_factory=Counter)

    @property
    def hidden(self) -> int:
        """How many are withheld in all."""
        return self.withheld.total()


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to see of a time: of everybody, and of communes."""

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
    last = _yesterday(settings, at)
    async with store.writing() as connection, connection.begin_nested() as tried:
        members, waiting = Members(connection, settings.time_zone), _at_once(publication, at)
        closer = Closer(members, settings.identifier, publication, waiting, at)
        await closer.know_groups()
        outlook = _Outlook(connection, closer, settings, publication)
        found = await outlook.count(last)
        await tried.rollback()
    return found


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
    async with store.writing() as connection, connection.begin_nested() as tried:
        members, waiting = Members(connection, settings.time_zone), _at_once(publication, at)
        closer = Closer(members, settings.identifier, publication, waiting, at, since=since)
        while await closer.close():
            pass
        found = await look(connection)
        await tried.rollback()
    return found


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
        """Count, the last day first."""
        hours = Seen(Stretch.DAY, Span(last, last), Count(), Count())
        month, year = (Count(), Count()), (Count(), Count())
        began, day = time.monotonic(), last
        first = last - (_YEAR_DAYS - 1) * _DAY
        in_month = last - (_MONTH_DAYS - 1) * _DAY
        begun = {
            direction: block
            for direction in Direction
            if (block := await first_block(self._connection, direction)) is not None
        }
        first = max(first, min(begun.values(), default=last))
        while day >= first and (day >= in_month or time.monotonic() - began < ENOUGH_S):
            for direction in begun:
                decided = [
                    await self._intervals(direction, part, day)
                    for part in places(self._zone, self._step, day)
                ]
                flat = [one for some in decided for one in some]
                if day == last:
                    for sent, cells, reason in flat:
                        shown = {cell.group for cell in cells}
                        self._add(hours.everybody, hours.areas, sent, shown, reason)
                sums = _day_sums(cell for _, cells, _ in flat for cell in cells)
                sent = await self._closer.sums_of_civil_day(
                    direction, day, sums.get(self._closer.everybody)
                )
                start = instants(self._zone, day).start
                cells, reason = await self._closer.publish(
                    direction, Interval.P1D, start, day, sent
                )
                groups = sums.keys() | {cell.group for cell in cells}
                sent_at_all = (
                    sent if sent.told else Sums(told={m for s, *_ in flat for m in s.told})
                )
                for counts in (month, year) if day >= in_month else (year,):
                    self._add(*counts, sent_at_all, groups, reason)
            day -= _DAY
        return [
            hours,
            Seen(Stretch.MONTH, Span(max(first, in_month), last), *month),
            Seen(Stretch.YEAR, Span(day + _DAY, last), *year),
        ]

    async def _intervals(
        self, direction: Direction, part: Places, day: date
    ) -> list[tuple[Sums, list[PublishedCell], str | None]]:
        """Return the intervals of a civil day that are in a UTC day, decided."""
        sums = await self._closer.sums_of(direction, part.day)
        midnight = datetime.combine(part.day, daytime(), UTC)
        step = timedelta(minutes=self._step.minutes)
        return [
            (
                sums[place],
                *await self._closer.publish(
                    direction, self._step, midnight + place * step, day, sums[place]
                ),
            )
            for place in range(part.first, part.end)
        ]

    def _add(
        self,
        everybody: Count,
        areas: Count,
        sent: Sums,
        shown: Collection[GroupId],
        reason: str | None,
    ) -> None:
        why = Reason(reason) if reason is not None else Reason.BELOW_THRESHOLD
        if self._closer.everybody in shown:
            everybody.shown += 1
        elif sent.told:
            everybody.withheld[why] += 1
        areas.shown += len(set(shown) & self._closer.communes)
        if self._closer.everybody not in shown:
            areas.withheld[why] += len(sent.cells.keys() & self._closer.communes)


def _day_sums(cells: Iterable[PublishedCell]) -> dict[GroupId, DaySum]:
    """Return the sums of a day, by group, as they would be published."""
    found: dict[GroupId, DaySum] = {}
    for cell in cells:
        of = found.get(cell.group, DaySum(0, 0, 0, 0, 0, 0))
        found[cell.group] = DaySum(
            of.watt_minutes + cell.watt_minutes,
            max(of.members, cell.members),
            max(of.homes, cell.homes),
            max(of.counting, cell.counting),
            of.per_member + cell.per_member,
            of.minutes + cell.minutes,
        )
    return found


def _at_once(publication: Publication, at: datetime) -> Waiting:
    """Wait for nobody: all that has ended is closed."""
    opened_at = at + publication.longest_wait
    return Waiting(online_since=at, opened_at=opened_at, arrivals=Arrivals())


async def seen(
    connection: AsyncConnection,
    settings: Settings,
    publication: Publication,
    at: datetime,
    since: date | None = None,
) -> Sequence[Seen]:
    """Count what there is to see: of yesterday, of the last month, and of the last year.

    Nobody owes anything of before the first day of which anybody told.
    """
    published = Published(settings.identifier, settings.time_zone, publication)
    last = _yesterday(settings, at)
    first = last - (_YEAR_DAYS - 1) * _DAY
    spans = {
        Stretch.DAY: Span(last, last),
        Stretch.MONTH: Span(last - (_MONTH_DAYS - 1) * _DAY, last),
        Stretch.YEAR: Span(max(first, since or first), last),
    }
    places = (await published.places(connection)).values()
    begun = {one.id: await published.begun(connection, one) for one in places}
    found = []
    for stretch, span in spans.items():
        interval = publication.interval if stretch is Stretch.DAY else Interval.P1D
        one = Seen(stretch, span, Count(), Count())
        for place in places:
            count = _of(one, place)
            if count is None:
                continue
            first_day = begun[place.id]
            figures = await published.figures(connection, place, interval, span, at)
            for told in (told for some in figures.values() for told in some):
                if isinstance(told.figure, Released):
                    count.shown += 1
                elif first_day is not None and told.start.date() >= first_day:
                    count.withheld[told.figure.reason] += 1
        found.append(one)
    return found


def _of(seen: Seen, place: Place) -> Count | None:
    match place.kind:
        case GroupKind.ALL:
            return seen.everybody
        case GroupKind.AREA:
            return seen.areas
    return None


def _yesterday(settings: Settings, at: datetime) -> date:
    return at.astimezone(settings.time_zone).date() - _DAY
