"""How intervals were closed: with how many members, and why not. For administrators alone.

What everybody may know stands in `queries`: it has no count of an interval that is suppressed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from consometers_node.collective.calendar import instants
from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.publication.closing.first_days import first_days
from consometers_node.collective.publication.policy import Opening, past_left
from consometers_node.i18n.text import Text, text
from consometers_node.series import Direction, Interval, Range
from consometers_node.store.collective.masked_reports import waiting_hours
from consometers_node.store.collective.memberships import first_blocks
from consometers_node.store.collective.publication import (
    ClosedInterval,
    closed_intervals,
    closed_step,
    closed_until,
    last_closed,
)
from consometers_node.store.engine.connection import AsyncConnection

_GRACE = timedelta(minutes=5)
"""The longest time in which a running node closes what is due."""


class IntervalState(StrEnum):
    """The state of an interval in one direction, beside the reasons of suppressed ones."""

    short: Text
    """What administrators read."""
    remedy: Text | None
    """What they can do about it, if anything."""

    def __new__(cls, code: str, short: Text, remedy: Text | None = None) -> Self:
        """Return the state of that code."""
        state = str.__new__(cls, code)
        state._value_ = code
        state.short, state.remedy = short, remedy
        return state

    PUBLISHED = "published", text("published")
    NOTHING = (
        "nothing",
        text("nothing came"),
        text("No member reported: see the list of members."),
    )
    WAITING = "waiting", text("waits for members")
    """As long as the rules say."""
    WITNESS = "witness", text("waits for the witness")
    """Of a protected sum."""
    LATE = (
        "late",
        text("should be closed by now"),
        text("The node has not closed them: check its health."),
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of an interval: how many members sent it, of how many expected ones."""

    state: IntervalState | Reason
    response: int = 0
    expected: int = 0


@dataclass(frozen=True, slots=True)
class Hour:
    """An interval, in the time of the collective, with the outcome of each direction."""

    start: datetime
    outcomes: Mapping[Direction, Outcome]


@dataclass(frozen=True, slots=True)
class PastProgress:
    """Progress of closing the past since the opening: until when, and which share.

    What is before the last weeks is closed after them: of these, all is closed up to the opening
    where `back_to` says from which month on.
    """

    until: datetime
    share: float
    back_to: date | None = None


async def hours(
    connection: AsyncConnection,
    publication: Publication,
    zone: ZoneInfo,
    day: date,
    until: datetime,
) -> Sequence[Hour]:
    """Return what became of the intervals of a civil day that ended by then, in order.

    They are of the step of that day. Days before that of the first record are left out.
    """
    within = instants(zone.key, day)
    interval = await closed_step(connection, within) or publication.interval
    step = timedelta(minutes=interval.minutes)
    last = await last_closed(connection)
    ends = {way: end for way in Direction if (end := closed_until(last, way)) is not None}
    blocks = await first_blocks(connection)
    new = {way: first for way, first in blocks.items() if way not in ends}
    for direction, first in (await first_days(connection, zone, new)).items():
        ends.setdefault(direction, instants(zone.key, first).start)
    waiting = await waiting_hours(connection, within)
    closed: dict[tuple[datetime, Direction], Outcome] = {}
    for each in await outcomes(connection, interval, within):
        state = IntervalState.PUBLISHED if each.response else IntervalState.NOTHING
        if (each.direction, each.start) in waiting:
            state = IntervalState.WITNESS
        closed[each.start, each.direction] = Outcome(
            Reason(each.reason) if each.reason and state is not IntervalState.WITNESS else state,
            each.response,
            each.expected,
        )
    shown = []
    start = within.start
    while (end := start + step) <= min(within.end, until):
        is_late = until - end > publication.longest_wait + _GRACE
        results = {}
        for direction, closed_to in ends.items():
            if (outcome := closed.get((start, direction))) is not None:
                results[direction] = outcome
            elif start >= closed_to:
                state = IntervalState.LATE if is_late else IntervalState.WAITING
                results[direction] = Outcome(state)
        if results:
            shown.append(Hour(start.astimezone(zone), results))
        start = end
    return shown


async def outcomes(
    connection: AsyncConnection, interval: Interval, within: Range
) -> list[ClosedInterval]:
    """Return the closed intervals that start in a range, in order: both kinds of each as one."""
    protected = {}
    if interval is Interval.PT1H:
        for each in await closed_intervals(connection, interval, within, protected=True):
            protected[each.start, each.direction] = each
    return [
        _both(each, protected.get((each.start, each.direction)))
        for each in await closed_intervals(connection, interval, within)
    ]


def _both(records: ClosedInterval, protected: ClosedInterval | None) -> ClosedInterval:
    """Return the outcome of both kinds.

    There is no reason where homes of either kind are published, except that a witness did not open
    the others.
    """
    if protected is None or not protected.response:
        return records
    reason = protected.reason
    if reason != Reason.NOT_OPENED and records.response:
        reason = records.reason and reason
    return records._replace(
        expected=records.expected + protected.expected,
        response=records.response + protected.response,
        reason=reason,
    )


def missing(hours: Sequence[Hour]) -> Counter[tuple[Direction, IntervalState | Reason]]:
    """Count the intervals that are not published as they might be, by direction and why.

    A direction of which nothing was expected, such as that of a home that left, is not missing;
    all directions together are.
    """
    counted: Counter[tuple[Direction, IntervalState | Reason]] = Counter()
    for hour in hours:
        states = {direction: outcome.state for direction, outcome in hour.outcomes.items()}
        is_empty = set(states.values()) == {IntervalState.NOTHING}
        counted.update(
            (direction, state)
            for direction, state in states.items()
            if state.remedy is not None
            and (
                state is not IntervalState.NOTHING or is_empty or hour.outcomes[direction].expected
            )
        )
    return counted


async def progress(
    connection: AsyncConnection, publication: Publication, zone: ZoneInfo, opening: Opening
) -> PastProgress | None:
    """Return the progress of closing the past since the opening; None once all of it is closed."""
    end = opening.since(zone) - publication.longest_wait
    step = timedelta(minutes=publication.interval.minutes)
    last = await last_closed(connection)
    left = await past_left(connection)
    begins = None if left is None else instants(zone.key, left).start
    done, total = timedelta(), timedelta()
    reached, back_to = [], None
    for direction, day in (await first_blocks(connection)).items():
        first = datetime.combine(day, time(), UTC)
        if first + step > end:
            continue
        start = first
        if begins is not None and first < begins:
            start, back_to = begins, left
        until = max(start, min(end, closed_until(last, direction) or start))
        done, total = done + until - start, total + end - first
        reached.append(until)
    if not reached or (min(reached) + step > end and back_to is None):
        return None
    until = min(reached)
    return PastProgress(
        until.astimezone(zone), done / total, back_to if until + step > end else None
    )
