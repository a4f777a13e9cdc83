"""Messages of members, checked against their permissions, and stored.

A message is taken whole or refused whole, in words. The same records may come again, in any order
and at any time: the last value counts, and one that is stored already changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from consometers_node.collective.members.members import Member, MemberKind
from consometers_node.i18n.text import text
from consometers_node.series import Block, OffTheGrid, Range, Record, Series
from consometers_node.store import SeriesId
from consometers_node.store.collective.member_series import (
    Key,
    MemberSeries,
    note_received,
    of_member,
    under_names,
    update_series,
)
from consometers_node.store.collective.set_aside import (
    Place,
    SetAside,
    of_member as set_aside_of,
    places,
    remove,
    set_aside,
)
from consometers_node.store.collective.tables import MemberId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.exclusive import alone
from consometers_node.store.series import (
    MemberCount,
    add_series,
    blocks_of_days,
    counts,
    put_blocks,
    put_counts,
)
from consometers_node.wire import Unsayable
from consometers_node.wire.decode import DecodedSeries, decode, read_series
from consometers_quoalise import (
    BadRequest,
    Data,
    Metadata,
    NotAuthorized,
    QuoaliseError,
    Reports,
    iso8601,
)
from consometers_quoalise.records.values import ALLOWED

from . import plausibility
from .arrivals import Arrivals
from .masked_reports import take_reports
from .plausibility import plausible_w, watts

SOON = timedelta(days=2)
"""A record that starts later than this is refused: clocks differ, but not by that."""

MAX_NAMES = 50
"""Series in one message: a home has a few."""

_TOO_MANY_NAMES = text(
    "A message contains at most {most} series, this one has {found}: send several messages."
)
_NOT_GRANTED = text(
    "You have not allowed this series here, or no longer: the message was not stored."
)
_MASKED_ALONE = text(
    "Your permission is for a protected sum: records must come masked. The message was not stored."
)
_NOT_THEN = text(
    "Your permission covers records from {start} until {end}: the message was not stored."
)
_TOO_FINE = text(
    "Your permission covers resolutions of {granted} and coarser, these records are at {found}:"
    " the message was not stored."
)
_ANOTHER_SERIES = text(
    "This name used to carry {known}, and now {found}: allow the changed series again."
)
_NOT_YET = text("A record starts in the future, at {start}: set your clock.")
_TOO_MUCH = text("{found} {unit} is impossible: at most {most} {unit} are accepted.")
_OF_NOBODY = text(
    "A sum of zero members has a value, at {start}: leave out both the value and the count."
)
_OFF_THE_GRID = text("No interval of {interval} starts at {start}.")


@dataclass(frozen=True, slots=True)
class MemberMessage:
    """A message of a peer (bare JID): records, or masked reports."""

    sender: str
    data: Data | Reports


@dataclass(frozen=True, slots=True)
class _NewRecords:
    """New records of one series, by day, with the packed member counts that came along.

    Those that are `implausible` are set aside.
    """

    granted: MemberSeries
    series: Series
    days: Mapping[date, Block]
    members: Mapping[date, Block]
    implausible: tuple[Record, ...] = ()

    def starts(self) -> Iterator[datetime]:
        """Yield when its records start."""
        for block in self.days.values():
            yield from (record.start for record in block.records())

    def without(self, starts: Collection[datetime]) -> _NewRecords:
        """Return it without the records that start then."""
        if not starts:
            return self
        records = (record for block in self.days.values() for record in block.records())
        left = [record for record in records if record.start not in starts]
        return replace(self, days=_blocks(self.series, left))


async def take(
    connection: AsyncConnection,
    messages: Sequence[MemberMessage],
    time_zone: str,
    at: datetime,
    arrivals: Arrivals | None = None,
) -> list[QuoaliseError | None]:
    """Store messages, in this order; return why each one is refused, None if it is stored.

    The series of members have this time zone. A message that is refused writes nothing; a record
    that is not believed is set aside, and the rest of its message stored. New records are noted in
    `arrivals`.
    """
    refusals: list[QuoaliseError | None] = [None for _ in messages]
    decoded: dict[int, tuple[DecodedSeries, ...]] = {}
    masked: dict[int, tuple[str, Reports]] = {}
    metadata: dict[int, Metadata] = {}
    for place, message in enumerate(messages):
        if isinstance(message.data, Reports):
            masked[place] = message.sender, message.data
            continue
        metadata[place] = message.data.metadata
        with _refusing(refusals, place):
            decoded[place] = _decode(message.data)
    names = {str(series.name) for message in decoded.values() for series in message}
    check = _Check(time_zone, at)
    for granted in await under_names(connection, names):
        check.granted[granted.identifier].append(granted)
    new: list[_NewRecords] = []
    for place, series in decoded.items():
        with _refusing(refusals, place):
            new += check.records(messages[place].sender, metadata[place], series)
    arrivals = arrivals or Arrivals()
    await _store(connection, new, at, arrivals)
    for place, refusal in (await take_reports(connection, masked, at, arrivals)).items():
        refusals[place] = refusal
    return refusals


async def accept(connection: AsyncConnection, member: Member, most_w: int, at: datetime) -> int:
    """Believe a member up to a power, and store what that lets of its records set aside; count it.

    Records that its permissions cover no longer stay set aside.
    """
    await alone(connection)
    await plausibility.believe(connection, member.id, most_w)
    return await _release(connection, member, await set_aside_of(connection, member.id), at)


async def reconsider(connection: AsyncConnection, member: Member, at: datetime) -> int:
    """Store the records of a member set aside that are plausible by now; count them.

    Those that an administrator left out stay out.
    """
    apart = await set_aside_of(connection, member.id)
    undecided = [record for record in apart if record.excluded_at is None]
    if not undecided:
        return 0
    await alone(connection)
    return await _release(connection, member, undecided, at)


async def _release(
    connection: AsyncConnection, member: Member, apart: list[SetAside], at: datetime
) -> int:
    """Store those of these records that are plausible; count them."""
    new = []
    for granted in await of_member(connection, member.jid or ""):
        accepted = [
            record
            for record in apart
            if record.series_id == granted.series_id
            and record.record.start in granted.records
            and not _implausible(granted, record.series, [record.record])
        ]
        if accepted:
            apart = [record for record in apart if record not in accepted]
            series = accepted[0].series
            days = _blocks(series, [record.record for record in accepted])
            new.append(_NewRecords(granted, series, days, {}))
    await _store(connection, new, at, Arrivals())
    return sum(1 for records in new for _ in records.starts())


@dataclass(slots=True)
class _Check:
    """Checks messages against the `granted` series, by name, and the series `learnt` from them."""

    time_zone: str
    at: datetime
    granted: defaultdict[str, list[MemberSeries]] = field(default_factory=lambda: defaultdict(list))
    learnt: dict[Key, Series] = field(default_factory=dict)

    def records(
        self, sender: str, metadata: Metadata, decoded: Sequence[DecodedSeries]
    ) -> list[_NewRecords]:
        """Return the records of a message. Raises QuoaliseError, Unsayable."""
        new = [self._records(sender, metadata, series) for series in decoded]
        self.learnt |= {records.granted.key: records.series for records in new}
        return new

    def _records(self, sender: str, metadata: Metadata, decoded: DecodedSeries) -> _NewRecords:
        granted = self._permission(sender, decoded)
        earlier = self.learnt.get(granted.key, granted.series)
        series = read_series(
            decoded.name,
            metadata,
            earlier.time_zone if earlier else self.time_zone,
            finest=granted.interval,
            before=earlier,
        )
        if not series.interval.no_finer_than(granted.interval):
            raise NotAuthorized(
                _TOO_FINE.fill(granted=granted.interval, found=series.interval).by_language
            )
        if earlier is not None and series != earlier:
            raise BadRequest(
                _ANOTHER_SERIES.fill(known=_shown(earlier), found=_shown(series)).by_language
            )
        records = decoded.records()
        kind = MemberKind(granted.kind)
        latest = max(decoded.values)
        if latest > self.at + SOON:
            raise BadRequest(_NOT_YET.fill(start=iso8601.shown(latest)).by_language)
        members: list[Record] = []
        if kind is MemberKind.COLLECTIVE:
            most = ALLOWED[decoded.name.quantity].most
            largest = max(record.value for record in records)
            if largest > most:
                unit = series.quantity.unit
                raise BadRequest(_TOO_MUCH.fill(found=largest, most=most, unit=unit).by_language)
            members = [*_counted(decoded)]
        days, counted = _blocks(series, records), _blocks(series, members)
        implausible = _implausible(granted, series, records)
        return _NewRecords(granted, series, days, counted, implausible)

    def _permission(self, sender: str, decoded: DecodedSeries) -> MemberSeries:
        """Return the permission under which these records may be stored. Raises NotAuthorized."""
        granted = [
            series
            for series in self.granted.get(str(decoded.name), ())
            if series.jid == sender and self.at < series.records.end
        ]
        if not granted:
            raise NotAuthorized(_NOT_GRANTED.by_language)
        if all(series.is_masked for series in granted):
            raise NotAuthorized(_MASKED_ALONE.by_language)
        granted = [series for series in granted if not series.is_masked]
        first, last = min(decoded.values), max(decoded.values)
        for series in granted:
            if first in series.records and last in series.records:
                return series
        within = granted[0].records
        start, end = iso8601.shown(within.start), iso8601.shown(within.end)
        raise NotAuthorized(_NOT_THEN.fill(start=start, end=end).by_language)


async def _store(
    connection: AsyncConnection, new: list[_NewRecords], at: datetime, arrivals: Arrivals
) -> None:
    """Store new records, and their consequences."""
    if not any(records.days for records in new):
        return
    ids = await _series_ids(connection, new)
    new = await _set_aside(connection, new, ids, at)
    wanted: dict[SeriesId, tuple[Series, set[date]]] = {}
    for records in new:
        _, days = wanted.setdefault(ids[records.granted.key], (records.series, set()))
        days.update(records.days)
    before = await blocks_of_days(connection, wanted)
    changed = _changed(before, ((ids[records.granted.key], records.days) for records in new))
    for series_id, blocks in changed.items():
        for block in blocks:
            arrivals.note(block, before.get((series_id, block.day)), at)
    await put_blocks(connection, changed, at)
    counted: dict[tuple[SeriesId, date], Block] = {}
    for series_id in {ids[records.granted.key] for records in new if records.members}:
        series, days = wanted[series_id]
        within = Range(Range.of_day(min(days)).start, Range.of_day(max(days)).end)
        for block in await counts(connection, series_id, series, within):
            counted[series_id, block.day] = block
    members = ((ids[records.granted.key], records.members) for records in new)
    await put_counts(connection, _changed(counted, members))
    await note_received(connection, {records.granted.key for records in new}, at)


async def _series_ids(
    connection: AsyncConnection, new: Iterable[_NewRecords]
) -> dict[Key, SeriesId]:
    ids: dict[Key, SeriesId] = {}
    for records in new:
        key, series_id = records.granted.key, records.granted.series_id
        if key not in ids:
            if series_id is None:
                series_id = await add_series(connection, records.series, records.granted.member)
                await update_series(connection, key, series_id=series_id)
            ids[key] = series_id
    return ids


async def _set_aside(
    connection: AsyncConnection,
    new: list[_NewRecords],
    ids: Mapping[Key, SeriesId],
    at: datetime,
) -> list[_NewRecords]:
    """Set aside implausible records, and no longer those that come again as they can be.

    Return the others.
    """
    # A new permission may name a series of an old one.
    looked_up = {
        ids[records.granted.key]
        for records in new
        if records.granted.has_records_set_aside or records.granted.series_id is None
    }
    stored = await places(connection, looked_up) if looked_up else set()
    if not (stored or any(records.implausible for records in new)):
        return new
    last: dict[Place, tuple[MemberId, int] | None] = {}
    left = []
    for records in new:
        series_id, member = ids[records.granted.key], records.granted.member
        apart = {record.start: (member, record.value) for record in records.implausible}
        left.append(records.without(apart))
        last |= dict.fromkeys((series_id, start) for start in left[-1].starts())
        last |= {(series_id, start): value for start, value in apart.items()}
    await remove(connection, stored & {place for place, value in last.items() if value is None})
    members: defaultdict[MemberId, dict[Place, int]] = defaultdict(dict)
    for place, implausible in last.items():
        if implausible is not None:
            member, value = implausible
            members[member][place] = value
    for member, values in members.items():
        await set_aside(connection, member, values, at, most=plausibility.MOST_KEPT)
    return left


def _changed(
    before: Mapping[tuple[SeriesId, date], Block],
    new: Iterable[tuple[SeriesId, Mapping[date, Block]]],
) -> dict[SeriesId, list[Block]]:
    """Return the blocks that new records change, with these records over the stored ones."""
    after = dict(before)
    for series_id, days in new:
        for day, block in days.items():
            after[series_id, day] = _over(after.get((series_id, day)), block)
    changed: defaultdict[SeriesId, list[Block]] = defaultdict(list)
    for key, block in after.items():
        if before.get(key) != block:
            changed[key[0]].append(block)
    return changed


@contextmanager
def _refusing(refusals: list[QuoaliseError | None], place: int) -> Iterator[None]:
    """Note the refusal of the message at an index."""
    try:
        yield
    except QuoaliseError as refusal:
        refusals[place] = refusal
    except Unsayable as fault:
        refusals[place] = BadRequest(fault.text.by_language)


def _counted(decoded: DecodedSeries) -> Iterator[Record]:
    """Yield the packed member counts of values that have one. Raises BadRequest."""
    for start in decoded.values:
        # A sum without a count is one of a single member.
        count = decoded.members.get(start, 1)
        if count == 0:
            raise BadRequest(_OF_NOBODY.fill(start=iso8601.shown(start)).by_language)
        if start in decoded.members or start in decoded.lacking:
            yield Record(start, MemberCount(count, start in decoded.lacking).packed)


def _decode(data: Data) -> tuple[DecodedSeries, ...]:
    if len(data.records) > 2 * MAX_NAMES:
        raise BadRequest(_TOO_MANY_NAMES.fill(most=MAX_NAMES, found=len(data.records)).by_language)
    return decode(data)


def _blocks(series: Series, records: Iterable[Record]) -> dict[date, Block]:
    days: defaultdict[date, list[Record]] = defaultdict(list)
    for record in records:
        days[record.start.date()].append(record)
    try:
        return {day: Block.of(series, day, of_day) for day, of_day in days.items()}
    except OffTheGrid as fault:
        raise BadRequest(
            _OFF_THE_GRID.fill(
                interval=series.interval, start=iso8601.shown(fault.start)
            ).by_language
        ) from fault


def _over(stored: Block | None, new: Block) -> Block:
    """Return a block with the new records over the stored ones."""
    if stored is None:
        return new
    pairs = zip(stored.values, new.values, strict=True)
    return Block(
        new.series, new.day, tuple(old if value is None else value for old, value in pairs)
    )


def _implausible(
    granted: MemberSeries, series: Series, records: Iterable[Record]
) -> tuple[Record, ...]:
    most = plausible_w(granted, series.direction)
    if most is None:
        return ()
    return tuple(record for record in records if watts(series, record) > most)


def _shown(series: Series) -> str:
    return f"{series.direction} {series.interval}"
