"""Closes intervals: decides once what to publish of each, and stores the decision for good.

Sums are made here and nowhere else, from the blocks that members have when an interval closes. Each
direction goes on by itself, interval after interval, and never back.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time, timedelta

from ...series import Direction, Interval, Range, Series
from ...store.collective_tables import GroupId, MemberId
from ...store.masked_reports import (
    StoredOpening,
    forget_hour,
    openings,
    store_opening,
)
from ...store.memberships import Expected, Membership
from ...store.publication import (
    ClosedInterval,
    HomeQuartiles,
    PublishedCell,
    closed_intervals,
    closed_spans,
    closed_step,
    closed_until,
    day_sums,
    last_closed_or_first_block,
    write,
    write_month,
)
from ...store.settings import VERIFICATION_SECRET, secret
from ..calendar import days_of, instants, month_of
from ..disclosure.closing import close_counts
from ..disclosure.reasons import Reason
from ..disclosure.sdc_rules import Publication, Quartiles
from ..ingestion.arrivals import RECENT, Arrivals
from ..members.members import Members
from ..output_series import offer
from .blocks import Day, Months, Sums
from .first_days import first_records
from .masked_hours import NOTHING_MASKED, MaskedHour
from .monthly_groups import GroupsOfMonth, MonthlyGroups, Together
from .openings import OpenedCells, opening, read_answer
from .policy import StepChange
from .quartiles import of_month, range_of
from .tabulation import Tabulation, whole_day

DAYS_AT_ONCE = 10
"""In one transaction, while members wait."""

_DAY = timedelta(days=1)


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


@dataclass(frozen=True, slots=True)
class _Arrived:
    """What arrived of an interval, as records or masked; `left` are those that may still send."""

    within: Range
    civil: date
    sent: Sums
    masked: MaskedHour
    left: Set[MemberId]


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
        steps: StepChange | None = None,
        together: Together | None = None,
        asks_witnesses: bool = False,
    ) -> None:
        """Close for a collective (its identifier); from a civil day on, if nothing was before.

        `steps` is which step civil days have: without it, that of the publication. `together` is
        what an earlier one decided, whose transaction was committed. One that
        `asks_witnesses` has protected sums opened: an hour with masked reports closes once its
        witnesses have answered. Another one leaves the reports out.
        """
        self._connection = members.connection
        self._publication = publication
        self._zone = members.zone
        self._waiting = waiting
        self._at = at
        self._since = since
        self._asks_witnesses = asks_witnesses
        self._begins: Mapping[Direction, datetime] = {}
        """The first records of directions of which nothing is closed."""
        self._planned = steps
        self._steps: dict[date, Interval] = {}
        self._published: dict[tuple[GroupId, Direction, Interval], Range] = {}
        self.groups = MonthlyGroups(members, collective, at, together)
        self.tabulation = Tabulation(
            self._connection, publication, self.groups, has_masked=asks_witnesses
        )

    async def close(self) -> bool:
        """Close what is due of each direction, some days at once. Return if anything was."""
        last, blocks = await last_closed_or_first_block(self._connection)
        first = await self._first_days(last, blocks)
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
        """Return the first civil day of each direction: the first closed one, or one to close."""
        new = {way: day for way, day in blocks.items() if closed_until(last, way) is None}
        starts = await first_records(self._connection, new, has_masked=self._asks_witnesses)
        self._begins = {
            way: start for way, start in starts.items() if closed_until(last, way) is None
        }
        first = {way: start.astimezone(self._zone).date() for way, start in starts.items()}
        if any((direction, Interval.P1D) not in last for direction, _ in last):
            for (direction, _), (start, _) in (await closed_spans(self._connection)).items():
                first[direction] = start.astimezone(self._zone).date()
        return first

    async def _close(
        self,
        direction: Direction,
        first: date,
        last: Mapping[tuple[Direction, Interval], datetime],
    ) -> bool:
        until = closed_until(last, direction) or instants(self._zone.key, first).start
        day_start = last.get((direction, Interval.P1D))
        day = first if day_start is None else day_start.astimezone(self._zone).date() + _DAY
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

    async def _close_intervals(
        self, direction: Direction, until: datetime
    ) -> tuple[datetime, bool]:
        """Close the intervals of the UTC day in which the next one is, as far as its step lasts.

        Return until when, and whether a witness is to be asked before the next one closes.
        """
        civil = until.astimezone(self._zone).date()
        step = await self._step(civil)
        length = timedelta(minutes=step.minutes)
        start = _aligned(until, length)
        midnight = datetime.combine(start.date(), time(), UTC)
        ended = min(self._at, midnight + _DAY)
        if start + length > ended:
            return until, False
        if await self._step(civil + _DAY) is not step:
            ended = min(ended, _aligned(instants(self._zone.key, civil).end, length))
        has_masked = self._asks_witnesses and step is Interval.PT1H
        asked: Sequence[StoredOpening] = ()
        if has_masked:
            asked = await openings(self._connection, direction, start)
        if any(opening.answer is None for opening in asked):
            return until, False
        day = await self.tabulation.day(direction, start.date(), step)
        months = await self.groups.months(day.day, step)
        first, end = (start - midnight) // length, (ended - midnight) // length
        intervals = day.intervals(months, first, end)
        in_openings = (await self.tabulation.masked(direction)).in_openings(asked)
        if twice := in_openings & intervals[0].senders:
            # Their past was read in after they had been asked for: they are in the opening.
            intervals[:1] = day.intervals(_without(twice, months), first, first + 1)
        expected = Expected(direction, self._at, (start - RECENT).date())
        cells: list[PublishedCell] = []
        closed: list[ClosedInterval] = []
        ask: Sequence[StoredOpening] = ()
        for sent in intervals:
            arrived = await self._arrived(direction, day, Range(start, start + length), sent)
            if asked:
                opened = [read_answer(opening) for opening in asked]
            elif await self._is_over(direction, step, arrived, expected):
                ask, opened = await self._to_open(direction, arrived)
            else:
                break
            if ask:
                break
            some, reason = await self.tabulation.publish(
                direction, step, start, arrived.civil, sent, opened=opened
            )
            cells += some
            missing = await expected.among(self._connection, step, arrived.left)
            response = len(sent.senders | arrived.masked.reporters | in_openings)
            closed.append(
                ClosedInterval(
                    direction=direction,
                    interval=step,
                    start=start,
                    closed_at=self._at,
                    expected=len(missing) + len(arrived.masked.missing) + response,
                    response=response,
                    reason=reason,
                )
            )
            start += length
            asked, in_openings = (), set()
        for request in ask:
            await store_opening(self._connection, request)
        await self._write(cells, closed)
        if closed and has_masked:
            await forget_hour(self._connection, direction, closed[-1].start)
        return (max(until, start) if closed else until), bool(ask)

    async def _arrived(self, direction: Direction, day: Day, within: Range, sent: Sums) -> _Arrived:
        """Return what arrived of an interval; who may still send it, where that was lately."""
        civil = within.start.astimezone(self._zone).date()
        memberships = await self.groups.memberships(civil)
        masked = NOTHING_MASKED
        if day.step is Interval.PT1H:
            series = await self.tabulation.masked(direction)
            masked = await series.hour(self._connection, within.start, memberships, sent.senders)
        left = {
            member
            for member in (day.senders - sent.senders if self._is_recent(within) else ())
            if (membership := memberships.get(member)) is not None
            and membership.may_send(direction, day.step)
        }
        return _Arrived(within, civil, sent, masked, left)

    def _is_recent(self, within: Range) -> bool:
        return within.start >= self._at - RECENT - self._publication.longest_wait

    async def _step(self, day: date) -> Interval:
        """Return the step of a civil day: the one at which intervals of it were closed.

        Of a day of which none was, in no direction, it is the planned one. So a day has one step.
        """
        if day not in self._steps:
            within = instants(self._zone.key, day)
            step = await closed_step(self._connection, within)
            if step is None:
                planned = self._planned
                step = planned.step(within.start) if planned else self._publication.interval
            self._steps[day] = step
        return self._steps[day]

    async def _is_over(
        self, direction: Direction, step: Interval, arrived: _Arrived, expected: Expected
    ) -> bool:
        """Return whether an interval closes now: all of it is there, or was waited for.

        Those of the first civil day before the first record wait for nothing.
        """
        if direction in self._begins and arrived.within.end <= self._begins[direction]:
            return True
        masked = arrived.masked
        is_complete = (
            self._is_recent(arrived.within)
            and not masked.missing
            and not await expected.is_anybody(self._connection, step, arrived.left)
            and (
                bool(masked.reporters)
                or await expected.is_anybody(self._connection, step, arrived.sent.senders)
            )
        )
        return self._waiting.is_over(
            self._publication, direction, arrived.within, self._at, is_complete=is_complete
        )

    async def _to_open(
        self, direction: Direction, arrived: _Arrived
    ) -> tuple[list[StoredOpening], list[OpenedCells]]:
        """Return the requests to witnesses for an hour; and the reason where there is none."""
        ask, left = [], []
        needed = self._publication.needed(direction, Interval.PT1H)
        memberships = await self.groups.memberships(arrived.civil)
        series = await self.tabulation.masked(direction)
        for witness, reports in arrived.masked.reports.items():
            minimum = None if needed is None else max(needed, series.minimum[witness])
            together = await self.groups.published_together(
                month_of(arrived.civil),
                direction,
                series.homes(memberships, witness=witness),
                minimum,
                witness=witness,
            )
            counts = {area: len(some) for area, some in reports.items()}
            passed, reason = close_counts(counts, together, minimum)
            if minimum is None or not passed:
                left.append(OpenedCells({}, reason))
                continue
            groups = {
                communes: [report for area in communes for report in reports.get(area, ())]
                for communes in passed
            }
            key = await secret(self._connection, VERIFICATION_SECRET.format(witness=witness))
            if key is None:
                # The key was lost, and another one would verify reports twice.
                left.append(OpenedCells({}, Reason.NOT_OPENED))
                continue
            start = arrived.within.start
            ask.append(
                opening(direction, start, witness, groups, minimum=minimum, key=key, at=self._at)
            )
        return ask, left

    async def _close_day(self, direction: Direction, day: date, until: datetime) -> bool:
        """Close the next civil day, once its intervals are, and homes that send days had time."""
        within = instants(self._zone.key, day)
        if within.end > until:
            return False
        step, month = await self._step(day), await self.groups.of(day)
        sums = await day_sums(self._connection, direction, day, within)
        beside = None if month.everybody is None else sums.get(month.everybody)
        sent = await self.tabulation.civil_day(direction, day, step, beside and beside.homes)
        expected = await self._expected_days(
            direction, within.start, step, month.memberships, beside
        )
        is_late = (
            self._at - max(within.end, self._waiting.online_since) >= self._publication.day_wait
        )
        is_past = within.end <= self._waiting.opened_at - self._publication.longest_wait
        if not (is_late or is_past or expected <= sent.senders):
            return False
        cells, reason = await self.tabulation.publish(
            direction, Interval.P1D, within.start, day, sent
        )
        days = {cell.group: cell for cell in cells}
        minutes = (within.end - within.start) // timedelta(minutes=1)
        total = [
            whole_day(sums.get(group), days.get(group), minutes)
            for group in sums.keys() | days.keys()
        ]
        closed = ClosedInterval(
            direction=direction,
            interval=Interval.P1D,
            start=within.start,
            closed_at=self._at,
            expected=len(expected | sent.senders),
            response=len(sent.senders),
            reason=reason or await self._why_without_homes(direction, step, within, beside),
        )
        await self._write(total, [closed])
        if day == days_of(month_of(day))[-1]:
            await self._close_month(direction, month_of(day), month)
        return True

    async def _close_month(self, direction: Direction, month: date, groups: GroupsOfMonth) -> None:
        """Write the quartiles of a month whose last day is closed, or that it has none."""
        zone = self._zone.key
        spread = await of_month(
            self._connection, self._publication, direction, month, groups, time_zone=zone
        )
        quartiles = HomeQuartiles(*astuple(spread)) if isinstance(spread, Quartiles) else None
        await write_month(self._connection, direction, range_of(month, zone), quartiles)

    async def _expected_days(
        self,
        direction: Direction,
        start: datetime,
        step: Interval,
        memberships: Mapping[MemberId, Membership],
        beside: PublishedCell | None,
    ) -> set[MemberId]:
        """Return the members expected to send a civil day `beside` what its intervals published."""
        records = Expected(direction, self._at, (start - RECENT).date())
        finest = await records.finest(self._connection)
        expected = set()
        for member, membership in memberships.items():
            if member not in finest:
                continue
            steps = [finest[member]]
            if membership.shown is not None:
                steps = [each.interval for each in membership.shown if each.direction is direction]
            is_coarser = all(sent.minutes > step.minutes for sent in steps)
            # What was published by the interval is in the day already.
            if steps and (
                beside is None or is_coarser or (membership.is_home and not beside.homes)
            ):
                expected.add(member)
        return expected

    async def _why_without_homes(
        self, direction: Direction, step: Interval, within: Range, hours: PublishedCell | None
    ) -> str | None:
        """Return why no interval of a day has homes; None if one has, or none sent any."""
        if hours is not None and hours.homes:
            return None
        closed = await closed_intervals(self._connection, step, within)
        reasons = (interval.reason for interval in closed if interval.direction is direction)
        return next(filter(None, reasons), None)

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
        published: dict[Series, Range] = {}
        for (group, direction, interval), starts in self._published.items():
            series = await self.groups.series(group, direction, interval)
            published[series] = Range(starts.start, series.end(starts.end))
        if published:
            await offer(self._connection, published, self._at)
        self._published.clear()


def _without(members: Set[MemberId], months: Months) -> Months:
    return [
        (stretch, {member: where for member, where in memberships.items() if member not in members})
        for stretch, memberships in months
    ]


def _aligned(at: datetime, length: timedelta) -> datetime:
    """Return when the next interval of a length starts."""
    midnight = datetime.combine(at.date(), time(), UTC)
    return midnight + -(-(at - midnight) // length) * length
