"""The past of what members granted, and what is missing of the last weeks: asked for.

    subscribe ─ the past, answer by answer ─ each day: what is missing of the last weeks

A few members are asked at a time. How far one was asked is stored after each answer, so that a
restart goes on there. One that is not there is asked again later, and at once when it is heard of.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
import random
from typing import NoReturn

from ...quoalise import MAX_RECORDS, QuoaliseError, ResourceConstraint, Text
from ...quoalise.identifier import identifier
from ...series import Interval, Range
from ...sharing.changes import Changes
from ...sharing.decision_delivery import is_away
from ...sharing.known import Known
from ...store import Store
from ...store.clock import Clock
from ...store.member_series import (
    MemberSeries,
    granting_members,
    note_asked,
    note_problem,
    note_subscribed,
    of_member,
    unasked_members,
)
from ...store.series import blocks
from ...store.set_aside import places
from ...xmpp import Asking, NetworkError, NotKept
from ..counters import Visit
from .write_queue import Intake

MOST_AT_ONCE = 50
"""Members that are asked. What many tell of the same days is committed and summed together."""
REMEMBERED = timedelta(days=35)
"""What is missing of older days was asked for often enough."""

_RECORDS_AT_ONCE = MAX_RECORDS // 2
"""In an answer: sums come with as many counts beside them."""
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a member is left alone."""

    again_s: float = 24 * 3600.0
    """Once all is there that it has."""
    busy_s: float = 60.0
    """When it says that it is asked too often, or still reads."""
    first_delay_s: float = 30.0
    """When it is not there; then twice as long each time."""
    longest_delay_s: float = 6 * 3600.0
    rest_s: float = 1.0
    """Between two looks at who grants something."""

    def hurried(self, haste: float) -> Pace:
        """Return waits that are so many times shorter."""
        return Pace(
            again_s=self.again_s / haste,
            busy_s=self.busy_s / haste,
            first_delay_s=self.first_delay_s / haste,
            longest_delay_s=self.longest_delay_s / haste,
            rest_s=self.rest_s / haste,
        )


@dataclass(slots=True)
class _Member:
    """When a member is to be asked next, by the loop's clock."""

    delay_s: float
    due: float = 0
    asked: asyncio.Task[None] | None = None
    fails: bool = False
    away: bool = False
    """It fails because it is not there."""


class Gathering:
    """Asks all members for what they granted, those that come later too."""

    def __init__(
        self,
        store: Store,
        asking: Asking,
        intake: Intake,
        changes: Changes,
        pace: Pace | None = None,
        *,
        clock: Clock,
        visits: Counter[Visit] | None = None,
    ) -> None:
        """Prepare; nobody is asked yet. `visits` are counted."""
        self._store = store
        self._asking = asking
        self._intake = intake
        self._changes = changes
        self._clock = clock
        self._pace = pace or Pace()
        self._visits = Counter() if visits is None else visits
        self.givers = Known(changes)
        """Who granted something that holds, and no other member."""
        self._members: dict[str, _Member] = {}
        self._wake = asyncio.Event()
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    @property
    def away(self) -> set[str]:
        """The members (bare JID) that were not there when they were asked last."""
        return {peer for peer, member in self._members.items() if member.away}

    def heard(self, peer: str) -> None:
        """Take the word that a member (bare JID) is there: what it was not there for is asked."""
        member = self._members.get(peer)
        if member is not None and member.away:
            self._ask_at_once(member)

    def came_back(self) -> None:
        """Take the word that the network is there again."""
        for member in self._members.values():
            if member.away:
                self._ask_at_once(member)

    async def run(self) -> NoReturn:
        """Ask on. Ends when it is cancelled."""
        clock = asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            while True:
                self._wake.clear()
                soon = clock() + self._pace.again_s
                for peer, member in self._members.items():
                    if member.asked is None and member.due <= clock():
                        member.asked = tasks.create_task(self._visit(peer, member))
                    elif member.asked is None:
                        soon = min(soon, member.due)
                with suppress(TimeoutError):
                    async with asyncio.timeout(soon - clock()):
                        await self._wake.wait()

    async def _watch(self) -> NoReturn:
        """Know who grants something."""
        while True:
            seen = self._changes.count
            async with self._store.reading() as connection:
                found, new = await granting_members(connection), await unasked_members(connection)
            self.givers.are(found, seen)
            for gone in self._members.keys() - found:
                if (asked := self._members.pop(gone).asked) is not None:
                    asked.cancel()
            for peer in found:
                member = self._members.setdefault(peer, _Member(self._pace.first_delay_s))
                if peer in new and not member.fails:
                    self._ask_at_once(member)
            self._wake.set()
            await asyncio.sleep(self._pace.rest_s)
            await self._changes.after(seen)

    def _ask_at_once(self, member: _Member) -> None:
        member.away = False
        member.due = 0
        self._wake.set()

    async def _visit(self, peer: str, member: _Member) -> None:
        """Ask a member for all that is missing, and say when to ask it again."""
        clock = asyncio.get_running_loop().time
        member.due = clock() + self._pace.again_s
        wait_s = None
        try:
            async with self._room:
                await self._gather(peer)
            member.delay_s = self._pace.first_delay_s
            member.fails = member.away = False
            self._visits[Visit.DONE] += 1
        except ResourceConstraint, NotKept:
            wait_s = self._pace.busy_s
            self._visits[Visit.BUSY] += 1
        except (NetworkError, QuoaliseError) as fault:
            _LOGGER.debug("a member is asked again in %.0f s: %s", member.delay_s, fault)
            member.fails, member.away = True, is_away(fault)
            self._visits[Visit.AWAY if member.away else Visit.REFUSED] += 1
            wait_s = member.delay_s
            member.delay_s = min(2 * member.delay_s, self._pace.longest_delay_s)
        finally:
            member.asked = None
        if wait_s is not None:
            member.due = clock() + wait_s * random.uniform(0.5, 1)  # noqa: S311  # not a secret
        self._wake.set()

    async def _gather(self, peer: str) -> None:
        """Ask for each series. What is refused of one keeps no other from being asked for.

        Raises NotKept while the clock is wrong: the past would pass for asked up to then.
        """
        async with self._store.reading() as connection:
            if await self._clock.is_wrong(connection):
                raise NotKept
            granted = await of_member(connection, peer)
        refusal: QuoaliseError | None = None
        asked: dict[str, MemberSeries] = {}
        for one in granted:
            if self._clock.now() >= one.records.end:
                continue
            # Of permissions that name a series the first one reaches furthest back.
            wider = asked.get(one.identifier)
            if wider is not None and one.interval.no_finer_than(wider.interval):
                await self._know(one)
                continue
            try:
                await self._subscribe(peer, one)
                await self._ask(peer, one)
                asked[one.identifier] = one
            except ResourceConstraint:
                raise
            except QuoaliseError as fault:
                if is_away(fault):
                    raise
                refusal = fault
                await self._tell(one, fault.text)
        if refusal is not None:
            raise refusal

    async def _know(self, one: MemberSeries) -> None:
        """Note that all of a series is asked for by another permission that names it."""
        now = self._clock.now()
        async with self._store.writing() as connection:
            await note_subscribed(connection, one.key, now)
            await note_asked(connection, one.key, now)

    async def _subscribe(self, peer: str, one: MemberSeries) -> None:
        await self._asking.subscribe(peer, identifier(one.identifier))
        async with self._store.writing() as connection:
            await note_subscribed(connection, one.key, self._clock.now())

    async def _ask(self, peer: str, one: MemberSeries) -> None:
        now = self._clock.now()
        recent = now - REMEMBERED
        since = one.asked_until or one.records.start
        if one.asked_until is None or since < recent:
            past = Range(since, max(since, min(now, one.records.end)))
            for span in _spans(past, one.interval):
                await self._span(peer, one, span)
        else:
            since = max(recent, one.records.start)
            for span in await self._missing(one, Range(since, max(since, now))):
                await self._span(peer, one, span)
        async with self._store.writing() as connection:
            await note_asked(connection, one.key, now)

    async def _span(self, peer: str, one: MemberSeries, within: Range) -> None:
        name = identifier(one.identifier)
        with self._intake.asking(peer) as question:
            async for page in self._asking.history(peer, name, within.start, within.end):
                await question.take(page)
        if one.asked_until is None or one.asked_until < within.end:
            async with self._store.writing() as connection:
                await note_asked(connection, one.key, within.end)

    async def _missing(self, one: MemberSeries, within: Range) -> list[Range]:
        """Return the times of which no record is here, joined to spans of whole days."""
        if one.series is None or one.series_id is None:
            return [within]
        async with self._store.reading() as connection:
            known = {
                block.day: block
                for block in await blocks(connection, one.series_id, one.series, within)
            }
            apart = {start for _, start in await places(connection, [one.series_id])}
        missing = []
        for day in within.days():
            block = known.get(day)
            starts = one.series.starts(day)
            values = block.values if block else (None,) * len(starts)
            for start, value in zip(starts, values, strict=True):
                if value is not None or start in apart or start not in within:
                    continue
                if self._is_over(one, start, within.end):
                    missing.append(Range.of_day(day).clip(within))
                    break
        return list(_joined(missing))

    @staticmethod
    def _is_over(one: MemberSeries, start: datetime, now: datetime) -> bool:
        """Return whether a record was to be here by now: homes read their last hour a bit later."""
        assert one.series is not None
        late = _DAY if one.series.interval is Interval.P1D else _HOUR
        return one.series.end(start) + late <= now

    async def _tell(self, one: MemberSeries, words: Text) -> None:
        async with self._store.writing() as connection:
            await note_problem(connection, one.key, words.say())


def _spans(within: Range, interval: Interval) -> Iterator[Range]:
    """Return what to ask for at once: an account asks 60 times a minute."""
    length = _RECORDS_AT_ONCE * timedelta(minutes=interval.minutes)
    start = within.start
    while start < within.end:
        end = min(start + length, within.end)
        yield Range(start, end)
        start = end


def _joined(days: Iterable[Range]) -> Iterator[Range]:
    """Put days together that follow one another."""
    span: Range | None = None
    for day in days:
        if span is not None and span.end == day.start:
            span = Range(span.start, day.end)
            continue
        if span is not None:
            yield span
        span = day
    if span is not None:
        yield span
