"""What was published of everybody, interval by interval, with the day that each is in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncConnection

from ...series import Direction
from ..calendar import Span
from ..disclosure.sdc_rules import Released, are_comparable
from .queries import ALL, Published, Told
from .rates import self_consumption, self_sufficiency

_PRODUCTION, _INJECTION, _CONSUMPTION = (
    Direction.PRODUCTION,
    Direction.INJECTION,
    Direction.CONSUMPTION,
)


@dataclass(frozen=True, slots=True)
class Together:
    """Released sums of some intervals: what is withheld is left out, and no rate is told with it.

    `watt_minutes` of each direction of which anything was released; rates are of those intervals
    of which all three directions were.
    """

    watt_minutes: Mapping[Direction, int]
    self_sufficiency: Fraction | None
    self_consumption: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An interval of which something was released, in the time of the collective.

    `members` is how many of them the sum of what was drawn has; `today` is what the civil day had
    up to the end of this interval.
    """

    start: datetime
    end: datetime
    now: Together
    members: int | None
    today: Together

    @property
    def minutes(self) -> int:
        return round((self.end.timestamp() - self.start.timestamp()) / 60)


async def moments(
    published: Published, connection: AsyncConnection, since: datetime, until: datetime
) -> Sequence[Moment]:
    """Return what was published of intervals that start since then and end by then, in order."""
    everybody = (await published.places(connection)).get(ALL)
    if everybody is None:
        return ()
    zone = published.time_zone
    span = Span(since.astimezone(zone).date(), until.astimezone(zone).date())
    figures = await published.within_days(connection, everybody, span, until)
    found, day, so_far = [], span.first, _Sum()
    for told in zip(*figures.values(), strict=True):
        out = _out(dict(zip(figures, told, strict=True)))
        start, end = told[0].start, told[0].end
        if start.date() != day:
            day, so_far = start.date(), _Sum()
        so_far.add(out)
        if out and start >= since:
            drawn = out.get(_CONSUMPTION)
            found.append(
                Moment(
                    start=start,
                    end=end,
                    now=_Sum().add(out).together(),
                    members=None if drawn is None else drawn.members,
                    today=so_far.together(),
                )
            )
    return found


def latest(found: Sequence[Moment]) -> Moment | None:
    """Return the last one that tells of as many directions as any: others may still come."""
    most = max((len(one.now.watt_minutes) for one in found), default=0)
    return next((one for one in reversed(found) if len(one.now.watt_minutes) == most), None)


@dataclass(slots=True)
class _Sum:
    watt_minutes: dict[Direction, int] = field(default_factory=dict)
    of_all: dict[Direction, int] = field(default_factory=lambda: dict.fromkeys(Direction, 0))

    def add(self, out: Mapping[Direction, Released]) -> _Sum:
        for direction, one in out.items():
            self.watt_minutes[direction] = self.watt_minutes.get(direction, 0) + one.watt_minutes
        if len(out) == len(Direction) and are_comparable([*out.values()]):
            for direction, one in out.items():
                self.of_all[direction] += one.watt_minutes
        return self

    def together(self) -> Together:
        made, fed = self.of_all[_PRODUCTION], self.of_all[_INJECTION]
        drawn = self.of_all[_CONSUMPTION]
        return Together(
            dict(self.watt_minutes), self_sufficiency(made, fed, drawn), self_consumption(made, fed)
        )


def _out(told: Mapping[Direction, Told]) -> dict[Direction, Released]:
    return {
        direction: one.figure for direction, one in told.items() if isinstance(one.figure, Released)
    }
