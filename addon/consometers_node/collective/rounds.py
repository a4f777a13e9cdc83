"""When a place of a row is looked at, and what is released of it then. Pure.

A place is released first when all homes have told, or when whoever has not is late. What came long
after its time (the history of those who join) is settled when it has not changed for a while; so is
what has changed since it was released, unless all homes have.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..series import Direction, Interval
from ..store.collective_tables import MemberId
from .atoms import (
    Cells,
    Fresh,
    Groups,
    Hour,
    Standings,
    add_dailies,
    add_hours,
    release,
    release_anew,
)
from .disclosure import NOBODY, Publication, Reason

_LIVE = timedelta(days=1)
"""How long what an interval brings is news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of sums, place by place, and what was released of it.

    `homes` is how many homes count in all, and `collectives` how many collectives. `fresh` are
    changes of places that were released.
    """

    direction: Direction
    interval: Interval
    ends: Sequence[datetime]
    cells: Sequence[Cells]
    standings: Standings
    groups: Groups
    fresh: Mapping[int, Sequence[Fresh]]
    homes: int
    changed_at: datetime
    collectives: int = 0

    def is_out(self, place: int) -> bool:
        """Tell whether something was released in a place."""
        return self.standings[self.groups.top].is_out(place)

    def is_complete(self, place: int) -> bool:
        """Tell whether nobody is left to wait for: all homes have told, or the one collective."""
        told = self.cells[place].get(self.groups.top, NOBODY)
        if not self.homes:
            return self.collectives == 1 and told.below > 0
        return self.homes <= told.homes

    def withhold(self, place: int, why: Reason) -> None:
        """Say of all groups why nothing is released in a place."""
        for standing in self.standings.values():
            standing.withhold(place, why)


@dataclass(slots=True)
class Looked:
    """What came of a look: whose changes were released, by place, and when to look again."""

    counted: list[tuple[int, MemberId]]
    next: datetime | None = None

    def again(self, at: datetime) -> None:
        """Look again then, or before."""
        self.next = at if self.next is None else min(self.next, at)


@dataclass(frozen=True, slots=True)
class Rounds:
    """Looks at rows at an instant."""

    publication: Publication
    at: datetime

    def look(self, row: Row, barred: Mapping[int, Reason]) -> Looked:
        """Release what may be of a row finer than a day; in barred places nothing ever is."""
        looked = Looked([])
        for place in range(len(row.ends)):
            if place in barred and not row.is_out(place):
                row.withhold(place, barred[place])
            elif row.standings[row.groups.top].reasons[place] is not Reason.SUMMED:
                self._look_at(row, place, looked)
        return looked

    def look_at_days(
        self,
        row: Row,
        hours: Mapping[int, Sequence[Hour]],
        dailies: Mapping[int, Cells],
        elsewhere: Collection[int],
    ) -> Looked:
        """Release what may be of the civil days of a month.

        A day is the sum of its hours where any of them was released, and a sum of its own where
        none was. `dailies` is what homes have that tell of days alone; of `elsewhere`, something
        was released at another step.
        """
        looked = Looked([])
        top = row.groups.top
        fine = self.publication.needed(row.direction, self.publication.interval)
        need = self.publication.needed(row.direction, Interval.P1D)
        for place in range(len(row.ends)):
            of_day = hours.get(place, ())
            if place in elsewhere:
                if not row.is_out(place):
                    row.withhold(place, Reason.STEP)
                continue
            if not any(hour.standings[top].is_out(hour.place) for hour in of_day):
                if row.is_out(place) or not any(hour.waits(top) for hour in of_day):
                    self._look_at(row, place, looked)
                continue
            is_late = self._is_late(row, place, looked)
            add_hours(place, row.standings, of_day, row.groups, fine, is_late=is_late)
            if is_late:
                add_dailies(place, row.standings, dailies.get(place, {}), row.groups, need)
        return looked

    def _look_at(self, row: Row, place: int, looked: Looked) -> None:
        need = self.publication.needed(row.direction, row.interval)
        if not row.is_out(place):
            if row.groups.top in row.cells[place] and self._is_ready(row, place, looked):
                release(place, row.cells[place], row.standings, row.groups, need)
            return
        fresh = row.fresh.get(place)
        if not fresh or row.standings[row.groups.top].final:
            return
        settled = row.changed_at + self.publication.wait
        if self.at < settled and len(fresh) < row.homes:
            looked.again(settled)
            return
        counted = release_anew(place, fresh, row.cells[place], row.standings, row.groups, need=need)
        looked.counted += [(place, member) for member in counted]

    def _is_ready(self, row: Row, place: int, looked: Looked) -> bool:
        """Tell whether a place waits for nobody."""
        if row.ends[place] <= self.at and row.is_complete(place):
            return True
        return self._is_late(row, place, looked)

    def _is_late(self, row: Row, place: int, looked: Looked) -> bool:
        """Tell whether whoever has not told of a place is late, else when it is to be looked at."""
        end = row.ends[place]
        late = end + self.publication.waits(row.interval)
        settled = row.changed_at + self.publication.wait
        if end > self.at:
            return False
        if self.at < late:
            looked.again(late)
            return False
        if late + _LIVE < self.at < settled:
            looked.again(settled)
            return False
        return True
