"""What members told, checked against what they granted, and kept.

A message is taken whole or refused whole, in words. The same records may come again, in any order
and at any time: what comes last counts, and what says nothing new changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ...quoalise import BadRequest, Data, Metadata, NotAuthorized, QuoaliseError, iso8601
from ...quoalise.text import text
from ...series import Block, OffTheGrid, Range, Record, Series
from ...store import SeriesId
from ...store.collective_tables import MemberId
from ...store.exclusive import alone
from ...store.member_counts import counts as counts_of, put_counts
from ...store.member_series import Key, MemberSeries, learn, note_heard, of_member, under_names
from ...store.series import add_series, blocks_of_days, put_blocks
from ...store.set_aside import Place, of_member as set_aside_of, places, remove, set_aside
from ...wire import Unsayable
from ...wire.decode import Heard, heard, read_series
from ..members.members import Kind, Member
from . import plausibility
from .arrivals import Arrivals
from .plausibility import Doubt, doubtful, watts

SOON = timedelta(days=2)
"""A record that starts later than this is no record: clocks differ, but not by that."""
_MOST_W = 10**10
"""That a collective sums, far beyond what a country draws: sums stay in their columns."""

MAX_NAMES = 50
"""Series that one message tells of: a home has a few."""

_TOO_MANY_NAMES = text(
    "A message tells of at most {most} series, this one of {found}: send several."
)
_NOT_GRANTED = text(
    "You have not granted this series here, or no longer: nothing of the message is kept."
)
_NOT_THEN = text(
    "Your permission covers records from {start} until {end}: nothing of the message is kept."
)
_TOO_FINE = text(
    "Your permission covers records at {granted} and coarser, these are at {found}: nothing of the"
    " message is kept."
)
_ANOTHER_SERIES = text(
    "Under this name came {known}, and now {found}: grant the changed series again."
)
_NOT_YET = text("A record starts at {start}, which is still to come: set your clock.")
_TOO_MUCH = text("{found} W cannot be: at most {most} W are kept.")
_OF_NOBODY = text("A sum of no member comes with a value, at {start}: leave out both.")
_OFF_THE_GRID = text("No interval of {interval} starts at {start}.")


@dataclass(frozen=True, slots=True)
class Told:
    """What a peer (bare JID) told in one message."""

    sender: str
    data: Data


@dataclass(frozen=True, slots=True)
class _Part:
    """New records of one series, by day, with the number of members of a sum if it came along.

    Not everybody is believed of those that are `doubtful`.
    """

    grant: MemberSeries
    series: Series
    days: Mapping[date, Block]
    members: Mapping[date, Block]
    doubtful: tuple[Record, ...] = ()

    def doubts(self, number: SeriesId) -> list[Doubt]:
        """Return what is doubtful of it, under the number of its series."""
        grant = self.grant
        return [
            Doubt(grant.member, Kind(grant.kind), number, self.series, record)
            for record in self.doubtful
        ]

    def starts(self) -> Iterator[datetime]:
        """Return when its records start."""
        for block in self.days.values():
            yield from (record.start for record in block.records())

    def without(self, starts: Collection[datetime]) -> _Part:
        """Return it without the records that start then."""
        if not starts:
            return self
        blocks = self.days.values()
        left = [one for block in blocks for one in block.records() if one.start not in starts]
        return replace(self, days=_blocks(self.series, left))


async def take(
    connection: AsyncConnection,
    messages: Sequence[Told],
    time_zone: str,
    at: datetime,
    arrivals: Arrivals | None = None,
) -> list[QuoaliseError | None]:
    """Keep what was told, in this order. Gives why each message is refused, None if it is kept.

    The series of members have this time zone. What is refused writes nothing; a record that is not
    believed is set aside, and the rest of its message kept. New records are noted in `arrivals`.
    """
    taking = await _Taking.of(connection, messages, time_zone, at, arrivals or Arrivals())
    refusals = [taking.check(message) for message in messages]
    await taking.keep(connection)
    return refusals


async def accept(
    connection: AsyncConnection, member: Member, most_w: int, time_zone: str, at: datetime
) -> int:
    """Believe a member up to a power, and keep what that lets of what was set aside; count it.

    What its permissions cover no longer stays set aside.
    """
    await alone(connection)
    await plausibility.believe(connection, member.id, most_w)
    grants = await of_member(connection, member.jid or "")
    parts = []
    apart = await set_aside_of(connection, member.id)
    for grant in grants:
        some = [
            one
            for one in apart
            if one.series_id == grant.series_id
            and one.record.start in grant.records
            and watts(one.series, one.record) <= most_w
        ]
        if some:
            apart = [one for one in apart if one not in some]
            series = some[0].series
            parts.append(_Part(grant, series, _blocks(series, [one.record for one in some]), {}))
    await _Taking(time_zone, at, Arrivals(), {}, {}, parts).keep(connection)
    return sum(1 for part in parts for _ in part.starts())


@dataclass(slots=True)
class _Taking:
    """Messages that are kept together."""

    time_zone: str
    at: datetime
    arrivals: Arrivals
    granted: Mapping[str, Sequence[MemberSeries]]
    named: Mapping[int, tuple[Heard, ...] | QuoaliseError]
    parts: list[_Part] = field(default_factory=list)
    learnt: dict[Key, Series] = field(default_factory=dict)

    @classmethod
    async def of(
        cls,
        connection: AsyncConnection,
        messages: Sequence[Told],
        time_zone: str,
        at: datetime,
        arrivals: Arrivals,
    ) -> _Taking:
        """Look up what was granted under the names that were told."""
        named = {id(message): _heard(message.data) for message in messages}
        names = {
            str(one.name)
            for found in named.values()
            if not isinstance(found, QuoaliseError)
            for one in found
        }
        granted: defaultdict[str, list[MemberSeries]] = defaultdict(list)
        for one in await under_names(connection, names) if names else ():
            granted[one.identifier].append(one)
        return cls(time_zone, at, arrivals, granted, named)

    def check(self, message: Told) -> QuoaliseError | None:
        """Take a message whole, or say why not."""
        found = self.named[id(message)]
        if isinstance(found, QuoaliseError):
            return found
        try:
            parts = [self._part(message.sender, message.data.metadata, one) for one in found]
        except QuoaliseError as refusal:
            return refusal
        except Unsayable as fault:
            return BadRequest(fault.text)
        self.parts += parts
        self.learnt |= {part.grant.key: part.series for part in parts}
        return None

    async def keep(self, connection: AsyncConnection) -> None:
        """Keep what was taken, and what it changes."""
        if not any(part.days for part in self.parts):
            return
        numbers = await self._numbers(connection)
        await self._set_aside(connection, numbers)
        wanted: dict[SeriesId, tuple[Series, set[date]]] = {}
        for part in self.parts:
            _, days = wanted.setdefault(numbers[part.grant.key], (part.series, set()))
            days.update(part.days)
        before = await blocks_of_days(connection, wanted)
        counted = await self._counts(connection, numbers, wanted)
        after, counts = dict(before), dict(counted)
        for part in self.parts:
            number = numbers[part.grant.key]
            for day, block in part.days.items():
                after[number, day] = _over(after.get((number, day)), block)
            for day, block in part.members.items():
                counts[number, day] = _over(counts.get((number, day)), block)
        new = [key for key, block in after.items() if before.get(key) != block]
        recounted = [key for key, block in counts.items() if counted.get(key) != block]
        kept: defaultdict[SeriesId, list[Block]] = defaultdict(list)
        for number, day in new:
            kept[number].append(after[number, day])
            self.arrivals.note(after[number, day], before.get((number, day)), self.at)
        await put_blocks(connection, kept, self.at)
        new_counts: defaultdict[SeriesId, list[Block]] = defaultdict(list)
        for number, day in recounted:
            new_counts[number].append(counts[number, day])
        await put_counts(connection, new_counts)
        await note_heard(connection, {part.grant.key for part in self.parts}, self.at)

    async def _set_aside(
        self, connection: AsyncConnection, numbers: Mapping[Key, SeriesId]
    ) -> None:
        """Set aside what is not believed, and no longer what now comes as it can be."""
        doubts = {doubt for part in self.parts for doubt in part.doubts(numbers[part.grant.key])}
        unbelieved = await plausibility.unbelieved(connection, doubts) if doubts else set()
        grants = (part.grant for part in self.parts)
        # A new permission may name a series of an old one.
        some = [one.key for one in grants if one.has_records_set_aside or one.series_id is None]
        known = await places(connection, {numbers[key] for key in some}) if some else set()
        if not (unbelieved or known):
            return
        aside: dict[Place, Doubt] = {}
        kept: set[Place] = set()
        for index, part in enumerate(self.parts):
            number = numbers[part.grant.key]
            apart = {doubt.place: doubt for doubt in part.doubts(number) if doubt in unbelieved}
            self.parts[index] = rest = part.without({start for _, start in apart})
            here = {(number, start) for start in rest.starts()}
            kept = (kept | here) - apart.keys()
            aside = {place: aside[place] for place in aside.keys() - here} | apart
        await remove(connection, kept & known)
        members: defaultdict[MemberId, dict[Place, int]] = defaultdict(dict)
        for place, doubt in aside.items():
            members[doubt.member][place] = doubt.record.value
        for member, values in members.items():
            await set_aside(connection, member, values, self.at, most=plausibility.MOST_KEPT)

    async def _counts(
        self,
        connection: AsyncConnection,
        numbers: Mapping[Key, SeriesId],
        wanted: Mapping[SeriesId, tuple[Series, set[date]]],
    ) -> dict[tuple[SeriesId, date], Block]:
        """Return how many members are in what is known of the collectives that told something."""
        found = {}
        of_many = {
            numbers[part.grant.key] for part in self.parts if part.grant.kind == Kind.COLLECTIVE
        }
        for number in of_many:
            series, days = wanted[number]
            within = Range(Range.of_day(min(days)).start, Range.of_day(max(days)).end)
            for block in await counts_of(connection, number, series, within):
                found[number, block.day] = block
        return found

    async def _numbers(self, connection: AsyncConnection) -> dict[Key, SeriesId]:
        numbers: dict[Key, SeriesId] = {}
        for part in self.parts:
            grant = part.grant
            if grant.key in numbers:
                continue
            number = grant.series_id
            if number is None:
                number = await add_series(connection, part.series, grant.member)
                await learn(connection, grant.key, number)
            numbers[grant.key] = number
        return numbers

    def _part(self, sender: str, metadata: Metadata, told: Heard) -> _Part:
        grant = self._grant(sender, told)
        known = self.learnt.get(grant.key, grant.series)
        series = read_series(
            told.name,
            metadata,
            known.time_zone if known else self.time_zone,
            finest=grant.interval,
            known=known,
        )
        if not series.interval.no_finer_than(grant.interval):
            raise NotAuthorized(_TOO_FINE.fill(granted=grant.interval, found=series.interval))
        if known is not None and series != known:
            raise BadRequest(_ANOTHER_SERIES.fill(known=_shown(known), found=_shown(series)))
        records = told.records()
        kind = Kind(grant.kind)
        latest = max(told.values)
        if latest > self.at + SOON:
            raise BadRequest(_NOT_YET.fill(start=iso8601.shown(latest)))
        largest = max(one.value for one in records)
        if kind is Kind.COLLECTIVE and largest > _MOST_W:
            raise BadRequest(_TOO_MUCH.fill(found=largest, most=_MOST_W))
        of_many = [
            Record(start, count)
            for start, count in told.members.items()
            if grant.kind == Kind.COLLECTIVE and start in told.values
        ]
        for one in of_many:
            if one.value == 0:
                raise BadRequest(_OF_NOBODY.fill(start=iso8601.shown(one.start)))
        days, members = _blocks(series, records), _blocks(series, of_many)
        return _Part(grant, series, days, members, doubtful(kind, series, records))

    def _grant(self, sender: str, told: Heard) -> MemberSeries:
        """Return by which permission these records may be kept, or refuse them."""
        grants = [
            one
            for one in self.granted.get(str(told.name), ())
            if one.jid == sender and self.at < one.records.end
        ]
        if not grants:
            raise NotAuthorized(_NOT_GRANTED)
        first, last = min(told.values), max(told.values)
        for grant in grants:
            if first in grant.records and last in grant.records:
                return grant
        within = grants[0].records
        start, end = iso8601.shown(within.start), iso8601.shown(within.end)
        raise NotAuthorized(_NOT_THEN.fill(start=start, end=end))


def _heard(told: Data) -> tuple[Heard, ...] | QuoaliseError:
    if len(told.records) > 2 * MAX_NAMES:
        return BadRequest(_TOO_MANY_NAMES.fill(most=MAX_NAMES, found=len(told.records)))
    try:
        return heard(told)
    except QuoaliseError as refusal:
        return refusal
    except Unsayable as fault:
        return BadRequest(fault.text)


def _blocks(series: Series, records: Sequence[Record]) -> dict[date, Block]:
    days: defaultdict[date, list[Record]] = defaultdict(list)
    for one in records:
        days[one.start.date()].append(one)
    try:
        return {day: Block.of(series, day, found) for day, found in days.items()}
    except OffTheGrid as fault:
        raise BadRequest(
            _OFF_THE_GRID.fill(interval=series.interval, start=iso8601.shown(fault.start))
        ) from fault


def _over(known: Block | None, new: Block) -> Block:
    """Return a block in which the new records stand, and the others as they were."""
    if known is None:
        return new
    pairs = zip(known.values, new.values, strict=True)
    return Block(
        new.series, new.day, tuple(old if value is None else value for old, value in pairs)
    )


def _shown(series: Series) -> str:
    return f"{series.direction} {series.interval}"
