"""The blocks that sums are brought up to date from: as they were, and as they are."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Block, Direction, Series
from ..store import SeriesId
from ..store.collective_tables import MemberId
from ..store.parts import Told, packed, told
from ..store.tables import BlockRow, MemberCountRow
from .parts import Source, Values

COLLECTIVE = "collective"
"""The kind of members whose series are sums themselves."""

type Whose = tuple[MemberId, Direction]
type Days = dict[date, Values]

_DAY = timedelta(days=1)


class NotTold(LookupError):
    """A series is none that this member lets this collective read."""

    def __init__(self) -> None:
        super().__init__("no permission of this member names the series")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A block of a member has become another one; None where there was none, or is no more.

    Of the series of a collective, `members_before` and `members_after` say how many of its own
    each value sums. Where that is not told, it is one.
    """

    member: MemberId
    series: Series
    day: date
    before: Block | None
    after: Block | None
    members_before: Block | None = None
    members_after: Block | None = None


@dataclass(frozen=True, slots=True)
class _Blocks:
    """What is held of one series, by UTC day."""

    values: Days = field(default_factory=dict)
    members: Days | None = None

    def put(self, day: date, block: Block | None, members: Block | None) -> None:
        _put(self.values, day, block)
        if self.members is not None:
            _put(self.members, day, members)

    def copy(self) -> _Blocks:
        return _Blocks(dict(self.values), None if self.members is None else dict(self.members))


class Held:
    """Blocks of some members."""

    def __init__(self) -> None:
        self._before: dict[Whose, dict[Series, _Blocks]] = {}
        self._after: dict[Whose, dict[Series, _Blocks]] = {}
        self._changed: set[tuple[MemberId, Series, date]] = set()
        self._uncounted: set[tuple[MemberId, Series]] = set()

    def add(self, of: Told, blocks: _Blocks) -> None:
        """Hold what is kept of a series."""
        whose = of.member, of.series.direction
        self._before.setdefault(whose, {})[of.series] = blocks
        self._after.setdefault(whose, {})[of.series] = blocks.copy()

    def leave_out(self, of: Told) -> None:
        """Hold nothing of a series that counts in no sum."""
        self._uncounted.add((of.member, of.series))

    def put(self, change: Change) -> None:
        """Let a change be what it says, whether it is kept already or not. Raises NotTold."""
        whose = change.member, change.series.direction
        if (change.member, change.series) in self._uncounted:
            return
        if change.series not in self._before.get(whose, ()):
            raise NotTold
        known = change.member, change.series, change.day
        if known not in self._changed:
            self._changed.add(known)
            self._before[whose][change.series].put(change.day, change.before, change.members_before)
        self._after[whose][change.series].put(change.day, change.after, change.members_after)

    def before(self, whose: Whose) -> list[Source]:
        """Give what a member had."""
        return list(_sources(self._before.get(whose, {})))

    def after(self, whose: Whose) -> list[Source]:
        """Give what a member has."""
        return list(_sources(self._after.get(whose, {})))


async def hold(
    connection: AsyncConnection,
    wanted: Mapping[Whose, Collection[date]],
    kinds: Mapping[MemberId, str],
    *,
    around: timedelta = _DAY,
) -> Held:
    """Read all series of these members in these directions, on these UTC days and around them."""
    members, directions = {member for member, _ in wanted}, {direction for _, direction in wanted}
    held = Held()
    series = []
    for one in await told(connection, members, directions):
        if not one.counts:
            held.leave_out(one)
        elif (one.member, one.series.direction) in wanted:
            series.append(one)
    blocks = {
        one.number: _Blocks(members={} if kinds[one.member] == COLLECTIVE else None)
        for one in series
    }
    asked: dict[tuple[date, date], list[SeriesId]] = {}
    for one in series:
        for run in _runs(wanted[one.member, one.series.direction], around):
            asked.setdefault(run, []).append(one.number)
    for run, numbers in asked.items():
        for number, day, kept in await packed(connection, BlockRow, numbers, *run):
            blocks[number].values[day] = Block.values_of(kept)
        sums = [number for number in numbers if blocks[number].members is not None]
        if sums:
            for number, day, kept in await packed(connection, MemberCountRow, sums, *run):
                if (counts := blocks[number].members) is not None:
                    counts[day] = Block.values_of(kept)
    for one in series:
        held.add(one, blocks[one.number])
    return held


def _put(days: Days, day: date, block: Block | None) -> None:
    if block is None:
        days.pop(day, None)
    else:
        days[day] = block.values


def _sources(held: Mapping[Series, _Blocks]) -> Iterator[Source]:
    for series, blocks in held.items():
        yield Source(series, blocks.values, blocks.members)


def _runs(days: Iterable[date], around: timedelta) -> Iterator[tuple[date, date]]:
    """Give the stretches of days that are among these or around them: the first and the last."""
    first: date | None = None
    last = date.min
    for day in sorted(days):
        if first is not None and day - around <= last + _DAY:
            last = day + around
            continue
        if first is not None:
            yield first, last
        first, last = day - around, day + around
    if first is not None:
        yield first, last
