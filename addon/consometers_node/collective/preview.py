"""What there would be to see if sums were published by other rules, and how that is now.

Sums are released by these rules in a transaction that is undone, so that it is exactly what there
would be. Nobody is told of it, and nothing of it is kept; meanwhile members wait. Whoever looks is
an administrator, who may read more than that anyway.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
import time

from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Interval
from ..store import Store
from ..store.releases import withheld
from .calendar import month_of
from .disclosure import Publication, Reason, Released
from .members import GroupKind
from .published import Place, Published, Span
from .release import Release
from .settings import Settings

ENOUGH_S = 3.0
"""How long members wait at most for what is older than a month."""

_DAY = timedelta(days=1)
_AT_ONCE = 8 * _DAY
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


async def foresee[T](
    store: Store,
    settings: Settings,
    publication: Publication,
    at: datetime,
    look: Callable[[AsyncConnection, date], Awaitable[T]],
    *,
    most_days: int = _YEAR_DAYS,
) -> T:
    """Give what `look` finds where sums are published by these rules, from some day on.

    That is so many days ago, or as far back as there was time to look, and a month at least.
    """
    release = Release(publication, settings.time_zone.key, settings.identifier)
    last = _yesterday(settings, at)
    first = last - (most_days - 1) * _DAY
    async with store.writing() as connection, connection.begin_nested() as tried:
        since = await _release(connection, release, publication.interval, Span(first, last), at)
        found = await look(connection, since)
        await tried.rollback()
    return found


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


async def _release(
    connection: AsyncConnection,
    release: Release,
    interval: Interval,
    span: Span,
    at: datetime,
) -> date:
    """Release step by step, the last days first, then days; give the first that was looked at."""
    first, last = span.first, span.last
    at_least = last - (_MONTH_DAYS - 1) * _DAY
    rows = await withheld(connection, interval, month_of(first) - _DAY)
    began, since, edge = time.monotonic(), last + _DAY, last + 3 * _DAY
    while since > first and (since > at_least or time.monotonic() - began < ENOUGH_S):
        since = max(first, since - _AT_ONCE)
        # A civil day begins up to a day before its UTC day does.
        days, edge = {*Span(since - _DAY, edge - _DAY)}, since - _DAY
        mine = [row for row in rows if row.interval is not Interval.P1D and row.day in days]
        await release.look_at(connection, mine, at)
    months = [row for row in rows if row.interval is Interval.P1D and row.day >= month_of(since)]
    await release.look_at(connection, months, at)
    return since
