"""Closes intervals: decides once what to publish of each, and stores the decision for good.

Sums are made here and nowhere else, from the blocks that members have when an interval closes. Each
direction goes on by itself, interval after interval, and never back.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time, timedelta

from consometers_node.collective.calendar import days_of, instants, month_of
from consometers_node.collective.disclosure.sdc_rules import Publication, Quartiles
from consometers_node.collective.ingestion.arrivals import RECENT, Arrivals
from consometers_node.collective.members.members import Members
from consometers_node.collective.output_series import offer
from consometers_node.collective.publication.policy import StepChange
from consometers_node.series import Direction, Interval, Range, Series
from consometers_node.store.collective.memberships import Expected, Membership, first_blocks
from consometers_node.store.collective.publication import (
    ClosedInterval,
    HomeQuartiles,
    PublishedCell,
    closed_intervals,
    closed_spans,
    closed_step,
    closed_until,
    day_sums,
    last_closed,
    last_closed_or_first_block,
    write,
    write_month,
)
from consometers_node.store.collective.tables import GroupId, MemberId

from .blocks import Day, Sums
from .first_days import first_records
from .masked_hours import NOTHING_MASKED, MaskedHour
from .monthly_groups import GroupsOfMonth, MonthlyGroups, Together
from .protected_hours import ProtectedHours
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
        before: date = date.max,
        steps: StepChange | None = None,
        together: Together | None = None,
        asks_witnesses: bool = False,
    ) -> None:
        """Close for a collective (its identifier); from a civil day on, if nothing was closed then.

        Days from `before` on are left alone: what was closed of them does not count.
        `steps` is which step civil days have: without it, that of the publication. `together` is
        what an earlier one decided, whose transaction was committed. One that
        `asks_witnesses` has protected sums opened. Another one leaves the reports out.
        """
        self._connection = members.connection
        self._publication = publication
        self._zone = members.zone
        self._waiting = waiting
        self._at = at
        self._since = since
        self._within: Range | None = None
        """When the days start that are closed, if others are left alone."""
        if before != date.max:
            zone = self._zone.key
            self._within = Range(instants(zone, since).start, instants(zone, before).start)
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
        self._protected = ProtectedHours(
            self._connection, publication, self.groups, self.tabulation, at
        )

    async def close(self) -> bool:
        """Close what is due of each direction, some days at once. Return if anything was."""
        if self._asks_witnesses and await self._close_protected():
            return True
        last, blocks = await self._last_and_first()
        first = await self._first_days(last, blocks)
        directions = {direction for direction, interval in last if interval is Interval.P1D}
        first |= dict.fromkeys(directions, self._since)
        is_new = False
        for direction in Direction:
            if direction in first and not self._is_beyond(first[direction]):
                since = max(first[direction], self._since)
                is_new |= await self._close(direction, since, last)
        await self._offer()
        return is_new

    async def _last_and_first(
        self,
    ) -> tuple[dict[tuple[Direction, Interval], datetime], dict[Direction, date]]:
        """Return what `last_closed_or_first_block` does, of the days that are closed."""
        if self._within is None:
            return await last_closed_or_first_block(self._connection)
        last = await last_closed(self._connection, self._within)
        blocks = await first_blocks(self._connection)
        return last, {way: day for way, day in blocks.items() if (way, Interval.P1D) not in last}

    def _is_beyond(self, day: date) -> bool:
        """Return whether a civil day is left alone."""
        within = self._within
        return within is not None and instants(self._zone.key, day).start >= within.end

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
            for (direction, _), (start, _) in (
                await closed_spans(self._connection, self._within)
            ).items():
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
            is_new |= (until, day) != before
            if has_asked or (until, day) == before:
                break
        return is_new

    async def _close_intervals(
        self, direction: Direction, until: datetime
    ) -> tuple[datetime, bool]:
        """Close the intervals of the UTC day in which the next one is, as far as its step lasts.

        Return until when, and whether a witness is asked for the last one: that takes its time.
        """
        civil = until.astimezone(self._zone).date()
        step = await self._step(civil)
        length = timedelta(minutes=step.minutes)
        start = _aligned(until, length)
        midnight = datetime.combine(start.date(), time(), UTC)
        ended = min(self._at, midnight + _DAY)
        if self._within is not None:
            ended = min(ended, self._within.end)
        if start + length > ended:
            return until, False
        if await self._step(civil + _DAY) is not step:
            ended = min(ended, _aligned(instants(self._zone.key, civil).end, length))
        has_masked = self._asks_witnesses and step is Interval.PT1H
        day = await self.tabulation.day(direction, start.date(), step)
        months = await self.groups.months(day.day, step)
        first, end = (start - midnight) // length, (ended - midnight) // length
        expected = Expected(direction, self._at, (start - RECENT).date())
        cells: list[PublishedCell] = []
        closed: list[ClosedInterval] = []
        has_asked = False
        for sent in day.intervals(months, first, end):
            arrived = await self._arrived(direction, day, Range(start, start + length), sent)
            if not await self._is_over(direction, step, arrived, expected):
                break
            some, reason = await self.tabulation.publish(
                direction, step, start, arrived.civil, sent
            )
            cells += some
            missing = await expected.among(self._connection, step, arrived.left)
            closed.append(
                ClosedInterval(
                    direction=direction,
                    interval=step,
                    start=start,
                    closed_at=self._at,
                    expected=len(missing) + len(sent.senders),
                    response=len(sent.senders),
                    reason=reason,
                )
            )
            has_asked = has_masked and await self._protected.ask(
                direction, start, arrived.civil, arrived.masked
            )
            start += length
            if has_asked:
                break
        await self._write(cells, closed)
        if closed and has_masked:
            await self._protected.leave_out(direction, closed[-1].start)
        return (max(until, start) if closed else until), has_asked

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

        A sum of a collective that lacks homes may follow with them: its witness has yet to answer.
        Those of the first civil day before the first record wait for nothing.
        """
        if direction in self._begins and arrived.within.end <= self._begins[direction]:
            return True
        masked = arrived.masked
        is_complete = (
            self._is_recent(arrived.within)
            and not masked.missing
            and not arrived.sent.without
            and not await expected.is_anybody(self._connection, step, arrived.left)
            and (
                bool(masked.reporters)
                or await expected.is_anybody(self._connection, step, arrived.sent.senders)
            )
        )
        return self._waiting.is_over(
            self._publication, direction, arrived.within, self._at, is_complete=is_complete
        )

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

    async def _close_protected(self) -> bool:
        """Close the protected sums that witnesses have opened. Return if anything was."""
        cells = await self._protected.close()
        if cells is None:
            return False
        last = await last_closed(self._connection)
        for cell in cells:
            self._note(cell.group, cell.direction, cell.interval, cell.start)
            day = instants(self._zone.key, cell.day).start
            closed = last.get((cell.direction, Interval.P1D))
            if closed is not None and day <= closed:
                # A day is the sum of its hours.
                self._note(cell.group, cell.direction, Interval.P1D, day)
        await self._offer()
        return True

    async def _write(
        self, cells: Sequence[PublishedCell], closed: Sequence[ClosedInterval]
    ) -> None:
        await write(self._connection, cells, closed)
        for cell in cells:
            self._note(cell.group, cell.direction, cell.interval, cell.start)

    def _note(
        self, group: GroupId, direction: Direction, interval: Interval, start: datetime
    ) -> None:
        """Note that something of a group was published."""
        key = group, direction, interval
        starts = self._published.get(key, Range(start, start))
        self._published[key] = Range(min(starts.start, start), max(starts.end, start))

    async def _offer(self) -> None:
        """Offer the published figures as this collective's own series."""
        published: dict[Series, Range] = {}
        for (group, direction, interval), starts in self._published.items():
            series = await self.groups.series(group, direction, interval)
            published[series] = Range(starts.start, series.end(starts.end))
        if published:
            await offer(self._connection, published, self._at)
        self._published.clear()


def _aligned(at: datetime, length: timedelta) -> datetime:
    """Return when the next interval of a length starts."""
    midnight = datetime.combine(at.date(), time(), UTC)
    return midnight + -(-(at - midnight) // length) * length
