"""Closes intervals: decides once what to publish of each, and stores the decision for good.

Sums are made here and nowhere else, from the blocks that members have when an interval closes. Each
direction goes on by itself, interval after interval, and never back.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
import json
from typing import NoReturn

from ...series import Device, Direction, Interval, Range
from ...sharing.changes import Changes
from ...store import Store
from ...store.clock import Clock
from ...store.collective_tables import GroupId, MemberId
from ...store.exclusive import alone
from ...store.groups import Group, GroupKind, all_groups
from ...store.masked_reports import (
    StoredOpening,
    first_reports,
    forget_hour,
    openings,
    store_opening,
)
from ...store.memberships import Expected, Membership, groups_and_memberships, senders
from ...store.outbox import take_turns
from ...store.publication import (
    ClosedInterval,
    PublishedCell,
    closed_intervals,
    closed_spans,
    closed_until,
    combined,
    day_sums,
    last_closed_or_first_block,
    write,
)
from ...store.published_series import devices, own_series
from ...store.settings import set_setting, setting
from ..calendar import civil_days, instants, month_of, stretches
from ..counters import Counts
from ..disclosure.closing import Groups, add_up, close, combine_small
from ..disclosure.sdc_rules import Cell, Publication, Reason
from ..ingestion.arrivals import RECENT, Arrivals
from ..members.members import Members
from ..output_series import offer
from ..settings import Settings
from .blocks import Day, Months, PublicSum, Snapshot, Sums
from .masked_hours import NOTHING_MASKED, MaskedHour, MaskedSeries
from .openings import OpenedCells, opening, read_answer
from .policy import InForce, opened

EVERY_S = 2.0
DAYS_AT_ONCE = 10
"""In one transaction, while members wait."""

_DAY = timedelta(days=1)
_REST = 9
"""Times the length of a look that the worker rests, where it found nothing to close."""
_LEFT_TO_OTHERS = 3
"""Times the length of a closing that the database is left to waiting members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRule:
    """Since when homes are waited for, at the earliest, and what came meanwhile.

    An interval that ended before the collective was opened closes at once.
    """

    online_since: datetime
    opened_at: datetime
    arrivals: Arrivals

    def is_over(
        self,
        publication: Publication,
        direction: Direction,
        within: Range,
        at: datetime,
        *,
        is_complete: bool,
    ) -> bool:
        """Return whether an interval closes now."""
        if within.end <= self.opened_at - publication.longest_wait:
            return True
        since = max(within.end, self.online_since)
        last = self.arrivals.last(direction, within)
        return publication.is_over(
            is_complete=is_complete,
            since_end=at - since,
            quiet=at - max(since, last or since),
        )


class Publishing:
    """Closes what is due, some days at a time, so that no member waits long."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        rules: InForce,
        changes: Changes,
        *,
        arrivals: Arrivals,
        clock: Clock,
        is_online: Callable[[], bool],
        every_s: float = EVERY_S,
        counts: Counts | None = None,
        is_waited_for: Callable[[], bool] = bool,
    ) -> None:
        self._store = store
        self._settings = settings
        self._rules = rules
        self._changes = changes
        self._arrivals = arrivals
        self._clock = clock
        self._is_online = is_online
        self._online_since: datetime | None = None
        self._every_s = every_s
        self._counts = counts or Counts()
        self._is_waited_for = is_waited_for
        self._together: Together = {}

    async def run(self) -> NoReturn:
        """Close on. Ends when it is cancelled.

        Nothing is closed by a clock that is wrong: it would be hours that have yet to end.
        """
        steady = asyncio.get_running_loop().time
        while True:
            began, at = steady(), self._clock.now()
            if not self._is_online() or await self._is_wrong():
                self._online_since = None
            elif self._online_since is None:
                self._online_since = at
            if self._online_since is None or not await self.look(self._online_since, at):
                # While an interval waits for homes, each look reads their day.
                await asyncio.sleep(max(self._every_s, _REST * (steady() - began)))
                continue
            self._counts.closed_at = self._clock.now()
            self._changes.notify()
            if self._is_waited_for():
                await asyncio.sleep(_LEFT_TO_OTHERS * (steady() - began))

    async def _is_wrong(self) -> bool:
        async with self._store.writing() as connection:
            return await self._clock.is_wrong(connection)

    async def look(self, online_since: datetime, at: datetime) -> bool:
        """Close what is due by the rules of now. Return whether there may be more."""
        settings = self._settings
        async with self._store.reading() as connection:
            rules = await self._rules.read(connection)
            opening = await opened(connection)
        if opening is None or not rules.are_open(at, settings.time_zone):
            return False
        waiting = WaitRule(
            online_since=online_since,
            opened_at=opening.since(settings.time_zone),
            arrivals=self._arrivals,
        )
        with self._counts.closings.once():
            async with self._store.writing() as connection:
                await take_turns(connection)
                await alone(connection)
                members = Members(connection, settings.time_zone)
                closer = Closer(
                    members,
                    settings.identifier,
                    rules.publication,
                    waiting,
                    at,
                    together=self._together,
                    asks_witnesses=True,
                )
                is_new = await closer.close()
        # After the commit: a failed transaction stores no decision.
        self._together = closer.together
        self._arrivals.forget(at - RECENT)
        return is_new


type Together = Mapping[str, frozenset[Groups[GroupId]]]
"""The groups published together, by the setting that stores them for a month."""


class Closer:
    """Closes what is due in one transaction, in which nothing else changes."""

    def __init__(
        self,
        members: Members,
        collective: str,
        publication: Publication,
        waiting: WaitRule,
        at: datetime,
        *,
        since: date = date.min,
        together: Together | None = None,
        asks_witnesses: bool = False,
    ) -> None:
        """Close for a collective (its identifier); from a UTC day on, if nothing was before.

        `together` is what an earlier one knew, whose transaction was committed. One that
        `asks_witnesses` has protected sums opened: an hour with masked reports closes once its
        witnesses have answered. Another one leaves the reports out.
        """
        self._connection = members.connection
        self._publication = publication
        self._zone = members.zone.key
        self._members = members
        self._collective = collective
        self._waiting = waiting
        self._at = at
        self._since = since
        self._memberships: dict[date, Mapping[MemberId, Membership]] = {}
        self._homes: dict[tuple[date, Direction], Counter[GroupId]] = {}
        self._published: dict[tuple[GroupId, Direction, Interval], Range] = {}
        self._devices: Mapping[GroupId, Device] = {}
        self._names: dict[GroupId, str] = {}
        self._senders: dict[Direction, Set[MemberId]] = {}
        self._together: dict[str, frozenset[Groups[GroupId]]] = dict(together or {})
        self._combined: dict[Groups[GroupId], GroupId] = {}
        self._asks_witnesses = asks_witnesses
        self._masked: dict[Direction, MaskedSeries] = {}
        self.everybody = GroupId(0)

    @property
    def communes(self) -> frozenset[GroupId]:
        """The groups of communes, and of members in none."""
        return frozenset(self._names)

    @property
    def together(self) -> Together:
        """The groups published together, of the months looked up so far."""
        return self._together

    async def close(self) -> bool:
        """Close what is due of each direction, some days at once. Return if anything was."""
        last, first = await last_closed_or_first_block(self._connection)
        if self._asks_witnesses:
            first = await self._first_days(last, first)
        begun = {direction for direction, interval in last if interval is Interval.P1D}
        first |= dict.fromkeys(begun, self._since)
        is_new = False
        for direction in Direction:
            if direction in first:
                since = max(first[direction], self._since)
                is_new |= await self._close(direction, since, last)
        await self._offer()
        return is_new

    async def _first_days(
        self, last: Mapping[tuple[Direction, Interval], datetime], blocks: dict[Direction, date]
    ) -> dict[Direction, date]:
        """Return the first UTC day of each direction of which there is a block, or a report.

        Reports of hours that are closed are gone.
        """
        first = dict(blocks)
        days = list((await first_reports(self._connection)).items())
        if any((direction, Interval.P1D) not in last for direction, _ in last):
            closed = await closed_spans(self._connection)
            days += [(direction, start.date()) for (direction, _), (start, _) in closed.items()]
        for direction, day in days:
            first[direction] = min(day, first.get(direction, day))
        return first

    async def _close(
        self,
        direction: Direction,
        first: date,
        last: Mapping[tuple[Direction, Interval], datetime],
    ) -> bool:
        until = closed_until(last, direction) or datetime.combine(first, time(), UTC)
        day_start = last.get((direction, Interval.P1D))
        day = (
            min(civil_days(self._zone, first))
            if day_start is None
            else day_start.astimezone(self._members.zone).date() + _DAY
        )
        is_new = False
        for _ in range(DAYS_AT_ONCE):
            before = until, day
            until, has_asked = await self._close_intervals(direction, until)
            if await self._close_day(direction, day, until):
                day += _DAY
            is_new |= has_asked or (until, day) != before
            if has_asked or (until, day) == before:
                break
        return is_new

    def _take_groups(self, groups: Iterable[Group]) -> None:
        self._devices = devices(self._collective, groups)
        kinds = {group.kind: group.id for group in groups}
        self.everybody = kinds.get(GroupKind.ALL, self.everybody)
        communes = {GroupKind.AREA, GroupKind.REST}
        self._names = {group.id: group.name for group in groups if group.kind in communes}

    async def _close_intervals(
        self, direction: Direction, until: datetime
    ) -> tuple[datetime, bool]:
        """Close the intervals of the UTC day in which the next one is.

        Return until when, and whether a witness is to be asked before the next one closes.
        """
        step = self._publication.interval
        length = timedelta(minutes=step.minutes)
        start = _aligned(until, length)
        midnight = datetime.combine(start.date(), time(), UTC)
        ended = min(self._at, midnight + _DAY)
        if start + length > ended:
            return until, False
        asked: Sequence[StoredOpening] = ()
        if self._asks_witnesses:
            asked = await openings(self._connection, direction, start)
        if any(opening.answer is None for opening in asked):
            return until, False
        day = await Day.read(self._connection, direction, start.date(), step)
        self._senders[direction] = day.senders
        first, end = (start - midnight) // length, (ended - midnight) // length
        expected = self._expected(direction, start)
        is_recent = start >= self._at - RECENT - self._publication.longest_wait
        months = await self.months(day.day)
        masked_series = await self._masked_series(direction)
        cells: list[PublishedCell] = []
        closed: list[ClosedInterval] = []
        has_asked = False
        for place, sent in enumerate(day.intervals(months, first, end), first):
            within = Range(start, start + length)
            civil = start.astimezone(self._members.zone).date()
            memberships = await self.memberships(civil)
            in_openings = masked_series.in_openings(asked)
            if twice := in_openings & sent.senders:
                # Their past was read in after they had been asked for: they are in the opening.
                (sent,) = day.intervals(_without(twice, months), place, place + 1)  # noqa: PLW2901
            masked = NOTHING_MASKED
            if step is Interval.PT1H:
                masked = await masked_series.hour(
                    self._connection, start, memberships, sent.senders
                )
            left = _left(direction, day, memberships, sent.senders) if is_recent else set()
            is_complete = (
                is_recent
                and not masked.missing
                and not await expected.is_anybody(self._connection, step, left)
                and (
                    bool(masked.reporters)
                    or await expected.is_anybody(self._connection, step, sent.senders)
                )
            )
            if not asked and not self._waiting.is_over(
                self._publication,
                direction,
                within,
                self._at,
                is_complete=is_complete,
            ):
                break
            opened = [read_answer(opening) for opening in asked]
            if not asked:
                ask, opened = await self._to_open(direction, start, civil, masked)
                if ask:
                    for opening in ask:
                        await store_opening(self._connection, opening)
                    has_asked = True
                    break
            missing = await expected.among(self._connection, step, left)
            some, reason = await self.publish(direction, step, start, civil, sent, opened=opened)
            cells += some
            response = len(sent.senders | masked.reporters | in_openings)
            closed.append(
                ClosedInterval(
                    direction=direction,
                    interval=step,
                    start=start,
                    closed_at=self._at,
                    expected=len(missing) + len(masked.missing) + response,
                    response=response,
                    reason=reason,
                )
            )
            start += length
            asked = ()
        await self._write(cells, closed)
        if closed and self._asks_witnesses:
            await forget_hour(self._connection, direction, closed[-1].start)
        return (max(until, start) if closed else until), has_asked

    async def _masked_series(self, direction: Direction) -> MaskedSeries:
        if not self._asks_witnesses:
            return MaskedSeries(direction)
        if direction not in self._masked:
            self._masked[direction] = await MaskedSeries.read(self._connection, direction)
        return self._masked[direction]

    async def _to_open(
        self, direction: Direction, start: datetime, civil: date, masked: MaskedHour
    ) -> tuple[list[StoredOpening], list[OpenedCells]]:
        """Return the requests to witnesses for an hour; and the reason where there is none."""
        ask, left = [], []
        needed = self._publication.needed(direction, Interval.PT1H)
        memberships = await self.memberships(civil)
        series = await self._masked_series(direction)
        for witness, reports in masked.reports.items():
            minimum = None if needed is None else max(needed, series.minimum[witness])
            key = f"together.{month_of(civil)}.{direction}.{minimum}.{witness}"
            together = await self._decided(key, series.homes(memberships, witness=witness), minimum)
            cells = {area: Cell(homes=len(some)) for area, some in reports.items()}
            passed, reason = close(cells, together, minimum)
            if minimum is None or not passed:
                left.append(OpenedCells({}, reason))
                continue
            groups = {
                communes: [report for area in communes for report in reports.get(area, ())]
                for communes in passed
            }
            ask.append(opening(direction, start, witness, groups, minimum=minimum, at=self._at))
        return ask, left

    async def sums_of(self, direction: Direction, day: date) -> list[Sums]:
        """Return what arrived of each interval of a UTC day."""
        read = await Day.read(self._connection, direction, day, self._publication.interval)
        return read.intervals(await self.months(day))

    async def months(self, day: date) -> Months:
        """Return who counts where in each stretch of a UTC day."""
        return [
            (stretch, await self.memberships(stretch.month))
            for stretch in stretches(self._zone, self._publication.interval, day)
        ]

    async def sums_of_civil_day(
        self,
        direction: Direction,
        day: date,
        homes: int | None,
    ) -> Sums:
        """Return what arrived of a civil day from members that are in no interval of it.

        `homes` is how many are in what was published of all members' intervals, None where nothing
        was. Where none is in it, all of them are summed by the day.
        """
        step = self._publication.interval
        days = tuple(instants(self._zone, day).days())
        # With everybody beside the senders of the step, only members that send days remain.
        coarser = step if homes else None
        snapshot = await Snapshot.read(self._connection, direction, days[0], days[-1], coarser)
        return snapshot.civil_day(
            day,
            await self.memberships(day),
            homes_beside=coarser,
            public_beside=None if homes is None else step,
        )

    async def _close_day(self, direction: Direction, day: date, until: datetime) -> bool:
        """Close the next civil day, once its intervals are, and homes that send days had time."""
        within = instants(self._zone, day)
        if within.end > until:
            return False
        step, publication = self._publication.interval, self._publication
        memberships = await self.memberships(day)
        sums = await day_sums(self._connection, direction, day, within)
        beside = sums.get(self.everybody)
        sent = await self.sums_of_civil_day(direction, day, beside and beside.homes)
        expected = {
            member
            for member, finest in (await self._finest(direction, within.start)).items()
            if (membership := memberships.get(member)) is not None
            # What was published by the interval is in the day already.
            and (
                beside is None
                or (membership.is_home and not beside.homes)
                or finest.minutes > step.minutes
            )
        }
        is_late = self._at - max(within.end, self._waiting.online_since) >= publication.day_wait
        is_past = within.end <= self._waiting.opened_at - publication.longest_wait
        if not (is_late or is_past or expected <= sent.senders):
            return False
        cells, reason = await self.publish(direction, Interval.P1D, within.start, day, sent)
        days = {cell.group: cell for cell in cells}
        minutes = (within.end - within.start) // timedelta(minutes=1)
        total = [
            _whole_day(sums.get(group), days.get(group), minutes)
            for group in sums.keys() | days.keys()
        ]
        closed = ClosedInterval(
            direction=direction,
            interval=Interval.P1D,
            start=within.start,
            closed_at=self._at,
            expected=len(expected | sent.senders),
            response=len(sent.senders),
            reason=reason or await self._why_without_homes(direction, within, beside),
        )
        await self._write(total, [closed])
        return True

    async def _why_without_homes(
        self, direction: Direction, within: Range, hours: PublishedCell | None
    ) -> str | None:
        """Return why no interval of a day has homes; None if one has, or none sent any."""
        if hours is not None and hours.homes:
            return None
        closed = await closed_intervals(self._connection, self._publication.interval, within)
        reasons = (interval.reason for interval in closed if interval.direction is direction)
        return next(filter(None, reasons), None)

    async def publish(
        self,
        direction: Direction,
        interval: Interval,
        start: datetime,
        civil: date,
        sent: Sums,
        *,
        opened: Collection[OpenedCells] = (),
    ) -> tuple[list[PublishedCell], str | None]:
        """Return the cells of an interval, and why its homes are suppressed, if they are.

        What witnesses `opened` is added to what passes by itself.
        """
        minimum = self._publication.needed(direction, interval)
        month = month_of(civil)
        counting = await self._counting_homes(month, direction)
        together = await self._decided(f"together.{month}.{direction}.{minimum}", counting, minimum)
        by_records, suppressed = close(sent.cells, together, minimum)
        passed = add_up([by_records, *(each.cells for each in opened)])
        reason = _reason(suppressed if sent.cells else None, opened, is_published=bool(passed))
        if interval is not Interval.P1D:
            masked = await self._masked_series(direction)
            reporting = masked.homes(await self.memberships(civil), start=start)
            # Not in place: the month's count stays.
            counting = counting + reporting
        left = dict(sent.public)
        cells: list[PublishedCell] = []
        unit = interval.minutes if interval is not Interval.P1D else 1

        def cell(
            group: GroupId, watt_minutes: int, members: int, homes: int = 0, counting: int = 0
        ) -> PublishedCell:
            # As a record says it: whole W over the interval.
            energy = (watt_minutes + unit // 2) // unit * unit
            return PublishedCell(
                group=group,
                direction=direction,
                interval=interval,
                start=start,
                day=civil,
                watt_minutes=energy,
                members=members,
                homes=homes,
                counting=max(counting, homes),
                per_member=_mean(energy, members),
                minutes=interval.minutes,
            )

        for groups, homes in passed.items():
            group = await self._group(groups)
            public = sum((left.pop(part, PublicSum()) for part in groups), PublicSum())
            energy, members = homes.watt_minutes + public.watt_minutes, homes.homes + public.members
            expected = sum(counting[part] for part in groups)
            cells.append(cell(group, energy, members, homes.homes, expected))
        areas = {group: left.pop(group) for group in list(left) if group in self._names}
        cells += [cell(group, site.watt_minutes, site.members) for group, site in areas.items()]
        if cells:
            everybody = cell(
                self.everybody,
                sum(part.watt_minutes for part in cells),
                sum(part.members for part in cells),
                sum(part.homes for part in cells),
                sum(part.counting for part in cells),
            )
            alone = (cell(group, site.watt_minutes, site.members) for group, site in left.items())
            cells = [everybody, *cells, *alone]
        return cells, reason

    async def _write(
        self, cells: Sequence[PublishedCell], closed: Sequence[ClosedInterval]
    ) -> None:
        await write(self._connection, cells, closed)
        for cell in cells:
            key = cell.group, cell.direction, cell.interval
            since = self._published.get(key, Range(cell.start, cell.start)).start
            self._published[key] = Range(since, cell.start)

    async def _offer(self) -> None:
        """Offer the published figures as this collective's own series."""
        if not self._published:
            return
        if not {group for group, *_ in self._published} <= self._devices.keys():
            # Communes are together for the first time.
            self._take_groups(await all_groups(self._connection))
        published = {}
        for (group, direction, interval), starts in self._published.items():
            series = own_series(self._devices[group], direction, interval, self._zone)
            published[series] = Range(starts.start, series.end(starts.end))
        await offer(self._connection, published, self._at)
        self._published.clear()

    async def _group(self, groups: Groups[GroupId]) -> GroupId:
        if len(groups) == 1:
            return next(iter(groups))
        if groups not in self._combined:
            self._combined[groups] = await combined(self._connection, groups, self._names)
        return self._combined[groups]

    async def memberships(self, day: date) -> Mapping[MemberId, Membership]:
        """Return who counts where in the month of a civil day."""
        month = month_of(day)
        if month not in self._memberships:
            groups, memberships = await groups_and_memberships(self._connection, month, self._at)
            self._take_groups(groups)
            self._memberships[month] = memberships
        return self._memberships[month]

    async def _decided(
        self, key: str, homes: Mapping[GroupId, int], minimum: int | None
    ) -> frozenset[Groups[GroupId]]:
        """Return which groups a month publishes together, decided with its first interval."""
        if key in self._together:
            return self._together[key]
        if (stored := await setting(self._connection, key)) is not None:
            together = frozenset(
                frozenset(GroupId(group) for group in groups) for groups in json.loads(stored)
            )
        else:
            together = combine_small(homes, minimum)
            decided = sorted(sorted(groups) for groups in together)
            await set_setting(self._connection, key, json.dumps(decided))
        self._together[key] = together
        return together

    async def _counting_homes(self, month: date, direction: Direction) -> Counter[GroupId]:
        """Return how many homes that send a direction count in a month, by commune or the rest."""
        if (month, direction) not in self._homes:
            where = await self.memberships(month)
            homes = self._homes[month, direction] = Counter[GroupId]()
            # All homes of a commune share one membership.
            senders = Counter(map(where.get, await self._senders_of(direction)))
            for membership, count in senders.items():
                if membership is not None and membership.is_home:
                    homes[membership.area] += count
        return self._homes[month, direction]

    async def _senders_of(self, direction: Direction) -> Set[MemberId]:
        if direction not in self._senders:
            self._senders[direction] = await senders(self._connection, direction)
        return self._senders[direction]

    async def _finest(self, direction: Direction, start: datetime) -> dict[MemberId, Interval]:
        """Return from which members that count records are expected, with their finest step."""
        expected = await self._expected(direction, start).finest(self._connection)
        civil = start.astimezone(self._members.zone).date()
        finest = {}
        for member, membership in (await self.memberships(civil)).items():
            steps = [] if member not in expected else [expected[member]]
            if membership.shown is not None:
                steps = [
                    series.interval
                    for series in membership.shown
                    if steps and series.direction is direction
                ]
            if steps:
                finest[member] = min(steps, key=lambda step: step.minutes)
        return finest

    def _expected(self, direction: Direction, start: datetime) -> Expected:
        return Expected(direction, self._at, (start - RECENT).date())


def _left(
    direction: Direction,
    day: Day,
    memberships: Mapping[MemberId, Membership],
    senders: Set[MemberId],
) -> set[MemberId]:
    """Return the members that count and may send intervals of a day, but for these."""
    return {
        member
        for member in day.senders - senders
        if (membership := memberships.get(member)) is not None
        and membership.may_send(direction, day.step)
    }


def _without(members: Set[MemberId], months: Months) -> Months:
    return [
        (stretch, {member: where for member, where in memberships.items() if member not in members})
        for stretch, memberships in months
    ]


def _reason(
    by_records: Reason | None, opened: Iterable[OpenedCells], *, is_published: bool
) -> str | None:
    """Return why the homes of an interval, or those of a protected sum, are suppressed."""
    reasons = [reason for reason in (by_records, *(each.reason for each in opened)) if reason]
    if Reason.NOT_OPENED in reasons:
        return Reason.NOT_OPENED
    return None if is_published else next(iter(reasons), None)


def _whole_day(
    hours: PublishedCell | None, alone: PublishedCell | None, minutes: int
) -> PublishedCell:
    """Return the published cells of a civil day: of its intervals, and of homes that send days.

    Without intervals it is all of its `minutes`.
    """
    if hours is None:
        assert alone is not None
        return alone._replace(minutes=minutes)
    if alone is None:
        return hours
    members, homes = hours.members + alone.members, hours.homes + alone.homes
    averages = hours.per_member * hours.members + alone.per_member * alone.members
    return hours._replace(
        watt_minutes=hours.watt_minutes + alone.watt_minutes,
        members=members,
        homes=homes,
        counting=max(hours.counting, alone.counting, homes),
        per_member=_mean(averages, members),
    )


def _mean(watt_minutes: int, members: int) -> int:
    return (watt_minutes + members // 2) // members if members else 0


def _aligned(at: datetime, length: timedelta) -> datetime:
    """Return when the next interval of a length starts."""
    midnight = datetime.combine(at.date(), time(), UTC)
    return midnight + -(-(at - midnight) // length) * length
