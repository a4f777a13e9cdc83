"""A series of a peer, imported into Home Assistant as an external statistic.

So a home of which somebody else reads the meter, such as the network's operator, takes part.

    subscribe ─ the past, month by month ─ what is pushed ─ each day, the last week again

Nothing is kept but how far the past was asked for: Home Assistant is the store (see `sums`). What
the peer sent stands there, or is asked for again, so that whatever is killed loses nothing.

**A peer that says what it has.** A collective lists the first and the last record of each series.
Home Assistant's rows are compared with them, and what is missing is asked for again: a past that
was published between the listing and the subscription, one that begins earlier than before, days
without a row, and records that were refused.

**A peer that refuses.** Proxies answer an upstream error where a time is too long, before a meter
was in service, and while their source is down. So a month that is refused is asked for by weeks,
then days. Times before one that is answered are asked for once more, then given up; with none
answered after them, all of this is tried again later.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
import logging
from typing import NoReturn, Protocol

from consometers_node.household.days import months
from consometers_node.household.errors import AccessDenied, Away, SourceFault
from consometers_node.household.readings import HOUR
from consometers_node.household.source import StatisticsWriter
from consometers_node.household.statistics import StatisticId
from consometers_node.household.waiting import Rest, patiently, shielded
from consometers_node.i18n.protocol import sentence
from consometers_node.i18n.text import around, text
from consometers_node.series import Range
from consometers_quoalise import (
    BadRequest,
    Data,
    Identifier,
    ItemNotFound,
    NotAuthorized,
    QuoaliseError,
    ResourceConstraint,
    UpstreamError,
)
from consometers_quoalise_network import NetworkError
from consometers_quoalise_network.address import bare
from consometers_quoalise_network.backoff import Backoff

from .hours import Hours, SeriesKind, States, Unsuitable
from .limits import RowBudget, reach
from .recorder_writer import RecorderWriter

HISTORY = timedelta(days=3 * 365)
"""The French network operator's records reach this far back."""

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_MONTH = timedelta(days=31)
_AGAIN = _WEEK
"""The network operator corrects the last days."""
_ON_ITS_WAY = timedelta(hours=6)
"""A record that was published lately may still be pushed."""
_REMEMBERED_HOURS = 48
_BACKOFF = Backoff(30, 3600, least=1)

_ENDED = text("the node no longer imports")
_IMPOSSIBLE = text(
    "Impossible values were left out ({count}): inform the peer that sends this series."
)

_ASKED_AGAIN = text("{statistic} is asked for again and again: {said}")
_LOGGER = logging.getLogger(__name__)


class QueriedPeer(Protocol):
    """Sends requests to peers: `xmpp.Asking`."""

    def history(
        self, peer: str, identifier: Identifier, start: datetime, end: datetime
    ) -> AsyncIterator[Data]: ...

    async def subscribe(self, peer: str, identifier: Identifier) -> None: ...


class ImportState(Protocol):
    """Stores the state of an import."""

    async def moved(self, until: datetime) -> None:
        """The peer's records until then were requested and written."""

    async def problem(self, words: str | None) -> None:
        """The problem of the import; None once it is solved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A series of a peer, and the statistic that it becomes.

    `since` is where its past begins; `until` is the last argument of `ImportState.moved`.
    """

    peer: str
    series: Identifier
    statistic: StatisticId
    title: str
    since: datetime
    until: datetime | None = None
    part: float = 1.0
    """This home's share of the energy."""
    per_member: bool = False
    """Whether a sum is divided by the number of its members."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a peer says that it has of a series: the starts of its first and its last record."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """The progress of the past: this is month number `done` of `total`."""

    month: Range
    rows: int
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPace:
    """How often a peer is asked."""

    poll: timedelta = HOUR
    """A peer that pushes nothing."""
    again: timedelta = _DAY
    """Days that may have been corrected."""
    on_return: bool = True
    """Once the node is on the network again. Needless where a peer sends until it has a receipt."""
    backoff: Backoff = _BACKOFF
    """After a failure."""


@dataclass(frozen=True, slots=True)
class _Pushed:
    """A push, and the task that waits until it is stored."""

    data: Data
    stored: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


@dataclass(frozen=True, slots=True)
class _Lost:
    """A time that a peer refused."""

    within: Range
    refusal: QuoaliseError


def _now() -> datetime:
    return datetime.now(UTC)


class StatisticsImport:
    """Keeps one statistic in step with a peer. `run` is its one task."""

    def __init__(
        self,
        plan: Import,
        peer: QueriedPeer,
        recorder: StatisticsWriter,
        state: ImportState,
        *,
        pace: PollPace | None = None,
        budget: RowBudget | None = None,
        progress: Callable[[ImportProgress], None] | None = None,
        seen: Callable[[Data], None] | None = None,
        language: str = "en",
        now: Callable[[], datetime] = _now,
        rest: Rest = asyncio.sleep,
    ) -> None:
        """Prepare; `seen` hears of all that is kept. All imports have the same `budget`.

        Raises `Unsuitable` on a series that cannot be imported, and `NotAnAddress`.
        """
        kind = SeriesKind.from_identifier(plan.series)
        self._jid = bare(plan.peer)
        self._plan = plan
        self._peer = peer
        self._recorder = recorder
        self._state = state
        self._pace = pace or PollPace()
        self._progress = progress
        self._seen = seen
        self._language = language
        self._now = now
        self._rest = rest
        self._budget = budget or RowBudget()
        self._since = self._begins(min(plan.since, plan.until or plan.since))
        self._until = plan.until
        self._writing = RecorderWriter(recorder, plan.statistic, plan.title, kind, rest=rest)
        self._hours: Hours | None = None
        self._ready = False
        self._longest = _MONTH
        self._subscribed: bool | None = None
        self._looked_at: float | None = None
        self._failed = False
        self._offer: Offer | None = None
        self._lacking = 0
        """How often something was found missing, and how many of these were looked into."""
        self._asked_for = 0
        self._asked_since: datetime | None = None
        """The start of all that was asked for in this run, and the last offer that was."""
        self._asked_offer: Offer | None = None
        self._holes: list[_Lost] = []
        self._dropped = 0
        """How many impossible values came since Home Assistant's rows were looked at."""
        self._last_problem: tuple[str | None] | None = None
        self._pushes: deque[_Pushed] = deque()
        self._again = False
        self._wake = asyncio.Event()

    async def receive(self, peer: str, data: Data) -> None:
        """Accept a push, and return once it is stored. Others' records are left alone.

        Waits while Home Assistant is away. Raises `Away` if `run` ends meanwhile, and
        `ResourceConstraint` where the peer has no rows left today.
        """
        names = {records.name for records in data.records}
        if bare(peer) != self._jid or str(self._plan.series) not in names:
            return
        if self._budget.is_spent(self._jid):
            raise ResourceConstraint
        news = _Pushed(data)
        self._pushes.append(news)
        self._wake.set()
        await shielded(news.stored)

    def came_back(self) -> None:
        """Note that the node is online again: something may have been missed."""
        if self._pace.on_return or not self._subscribed:
            self.ask_again()

    def ask_again(self) -> None:
        """Note that something was missed."""
        self._again = True
        self._wake.set()

    def compare(self, offer: Offer) -> None:
        """Compare Home Assistant with what the peer says that it has, and ask for what it lacks.

        A peer that says so answers: after a failure, it is asked again at once.
        """
        self._offer = offer
        if self._lacks(offer):
            self._lacking += 1
            self.ask_again()
        elif self._failed:
            self.ask_again()

    def _lacks(self, offer: Offer) -> bool:
        """Return whether something is missing that was not asked for since it was offered."""
        if self._asked_since is None:
            # The first round is under way, or failed.
            return False
        begin, first, last = self._begins(offer.first), self._writing.first, self._writing.last
        is_late = last is None or offer.last >= last + _ON_ITS_WAY
        return (
            (begin < self._asked_since and (first is None or begin < first))
            or (is_late and offer != self._asked_offer)
            or (self._asked_offer is None and bool(self._writing.gaps))
            or bool(self._holes)
        )

    async def run(self) -> NoReturn:
        """Import, and keep up. Raises `AccessDenied`."""
        loop = asyncio.get_running_loop()
        waits = self._pace.backoff.delays()
        due = loop.time()
        try:
            while True:
                if self._again or loop.time() >= due:
                    self._again = False
                    self._failed = not await self._succeeds(self._round)
                    if not self._failed:
                        waits = self._pace.backoff.delays()
                        every = self._pace.again if self._subscribed else self._pace.poll
                        wait = every.total_seconds()
                    else:
                        wait = next(waits)
                    due = loop.time() + wait
                succeeded = await self._succeeds(self._take_pushes)
                if not succeeded:
                    due = min(due, loop.time() + next(waits))
                await self._sleep(due, news=succeeded and self._ready)
        finally:
            for news in self._pushes:
                if not news.stored.done():
                    news.stored.set_exception(Away(_ENDED))
                    news.stored.exception()  # Nobody has to be waiting for it.

    async def _succeeds(self, step: Callable[[], Awaitable[None]]) -> bool:
        """Take a step; return whether it succeeded, and report its problem."""
        try:
            await step()
        except AccessDenied as fault:
            await self._report(self._words(fault))
            raise
        except (QuoaliseError, NetworkError, SourceFault, Unsuitable) as fault:
            await self._report(self._words(fault))
            return False
        return True

    async def _sleep(self, due: float, *, news: bool) -> None:
        """Sleep until then, until the node is back, or until a push may be taken."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                while not self._again and not (news and self._pushes):
                    self._wake.clear()
                    await self._wake.wait()

    async def _round(self) -> None:
        """Request what may be new: everything at first, then the last week or, between, a day.

        Now and then, and where something is missing, Home Assistant's rows are looked at.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        every = self._pace.again.total_seconds()
        lacking, offer = self._lacking, self._offer
        fully = (
            self._looked_at is None or now - self._looked_at >= every or lacking != self._asked_for
        )
        if offer is not None:
            self._since = min(self._since, self._begins(offer.first))
        zone = await patiently(self._recorder, self._recorder.time_zone, self._rest)
        if self._hours is None:
            self._hours = Hours(
                self._plan.series, zone, self._plan.part, per_member=self._plan.per_member
            )
        if fully:
            self._ready = False
            self._dropped = 0
            await self._writing.look()
            self._ready = True
        await self._subscribe()
        begin = self._begin(fully=fully)
        recent = Range(begin, max(begin, self._now()))
        past = self._missing(offer, begin) if fully and offer is not None else ()
        await self._ask_for([*past, recent])
        since = past[0].start if past else begin
        self._asked_since = min(since, self._asked_since or since)
        if fully:
            self._looked_at = now
            self._asked_for, self._asked_offer = lacking, offer
        await self._report(self._hole())

    def _missing(self, offer: Offer, begin: datetime) -> Sequence[Range]:
        """Return the ranges of an offer without rows before the next request, in order."""
        first = self._writing.first
        if first is None:
            return ()
        offered_from = self._begins(offer.first)
        offered = Range(offered_from, max(begin, offered_from))
        before = Range(min(offered.start, first), first)
        ranges = (missing.clip(offered) for missing in (before, *self._writing.gaps))
        return [missing for missing in ranges if missing]

    def _begin(self, *, fully: bool) -> datetime:
        """Return the start of the next request: what Home Assistant lacks, and some time before."""
        last, until = self._writing.last, self._until
        if until is None or (last is None and fully):
            return self._since
        back = _AGAIN if fully or self._subscribed else _DAY
        return max(self._since, _whole_hour(min(last or until, until) - back))

    async def _subscribe(self) -> None:
        try:
            await self._peer.subscribe(self._plan.peer, self._plan.series)
        except QuoaliseError as refusal:
            if self._subscribed is not False:
                _LOGGER.info(
                    around(_ASKED_AGAIN, sentence(refusal), statistic=self._plan.statistic)
                )
            self._subscribed = False
        else:
            self._subscribed = True

    async def _ask_for(self, ranges: Iterable[Range]) -> None:
        """Request ranges up to now, month by month, the oldest first."""
        parts = [month.clip(asked) for asked in ranges for month in months(asked)]
        self._holes = []
        waiting: list[_Lost] = []
        for done, month in enumerate(parts, 1):
            if self._budget.is_spent(self._jid):
                # Pushes are refused from here on, and none waits meanwhile.
                await self._take_pushes()
                await self._budget.turn(self._jid)
            is_last = done == len(parts)
            ask = self._ask_lightly if waiting and not is_last else self._ask
            rows, lost = await ask(month)
            waiting += lost
            if any(lost_span.within == month for lost_span in lost):
                continue
            # The peer answers: a second refusal is final.
            rows += await self._ask_once_more(waiting)
            waiting = []
            if self._until is None or self._until < month.end:
                self._until = month.end
                await self._state.moved(month.end)
            if self._progress:
                self._progress(ImportProgress(month=month, rows=rows, done=done, total=len(parts)))
            await self._take_pushes()
        if waiting:
            raise waiting[-1].refusal

    async def _ask_once_more(self, refused: Iterable[_Lost]) -> int:
        rows = 0
        for lost_span in refused:
            more, lost = await self._ask_lightly(lost_span.within)
            rows += more
            first = self._writing.first
            # Before the first record, a refusal means that there was no meter yet.
            if first is not None:
                self._holes += [hole for hole in lost if first < hole.within.start]
        return rows

    async def _ask_lightly(self, within: Range) -> tuple[int, Sequence[_Lost]]:
        """Request a range that may be refused: if its last day is, all of it counts as refused."""
        rows, lost = await self._ask(Range(max(within.start, within.end - _DAY), within.end))
        if lost:
            return rows, [_Lost(within, lost[0].refusal)]
        return await self._ask(within)

    async def _ask(self, within: Range) -> tuple[int, Sequence[_Lost]]:
        """Request a range, in parts if need be; return the changed rows and the refused times."""
        length = within.end - within.start
        if length <= max(self._longest, _DAY):
            try:
                return await self._import(within), []
            except UpstreamError as refusal:
                if length <= _DAY:
                    return 0, [_Lost(within, refusal)]
            except _REFUSALS as refusal:
                return 0, [_Lost(within, refusal)]
        step = _WEEK if length > _WEEK else _DAY
        first, *between, last = within.parts(step)
        rows, at_end = await self._ask(last)
        more, at_start = await self._ask(first)
        rows += more
        if [lost_span.within for lost_span in (*at_start, *at_end)] == [first, last]:
            return rows, [_Lost(within, at_end[0].refusal)]
        lost = [*at_start]
        for part in between:
            more, refused = await self._ask(part)
            rows += more
            lost += refused
        lost += at_end
        if not lost:
            self._longest = step
        return rows, lost

    async def _import(self, within: Range) -> int:
        """Ask for a range, write the answer, and return how many rows changed."""
        assert self._hours is not None
        hours = self._hours.like()
        touched: set[datetime] = set()
        async for page in self._peer.history(
            self._plan.peer, self._plan.series, within.start, within.end
        ):
            touched |= hours.take(page)
            self._see(page)
        self._hours.learn(hours)
        self._hours.forget(touched)
        self._note_dropped(hours.dropped)
        return await self._put(hours.whole(touched))

    async def _put(self, states: States) -> int:
        """Write states, and return how many rows changed."""
        rows = await self._writing.put(states)
        self._budget.count(self._jid, rows)
        return rows

    def _begins(self, instant: datetime) -> datetime:
        """Return the hour of an instant, or the first or the last one that is imported."""
        now = self._now()
        return _whole_hour(min(max(instant, reach(now).start), now))

    async def _take_pushes(self) -> None:
        """Store a push. Incomplete hours are requested once they are over.

        An hour that is not over is remembered: its other parts will be pushed.
        """
        while self._pushes and self._ready and self._hours is not None:
            hours, batch = self._hours, list(self._pushes)
            touched: set[datetime] = set()
            before = hours.dropped
            within = reach(self._now())
            messages = [news.data.within(within.start, within.end) for news in batch]
            for message in messages:
                try:
                    touched |= hours.take(message)
                except Unsuitable as fault:
                    await self._report(self._words(fault))
            if hours.dropped > before:
                self._note_dropped(hours.dropped - before)
                await self._report(self._hole())
            whole = hours.whole(touched)
            over = {hour for hour in touched - whole.keys() if hour + HOUR <= self._now()}
            for within in _spans(over):
                try:
                    await self._import(within)
                except _REFUSALS as refusal:
                    _LOGGER.info("%s: %s", self._plan.statistic, sentence(refusal))
            await self._put(whole)
            hours.forget(whole)
            hours.keep_last(_REMEMBERED_HOURS)
            for news, message in zip(batch, messages, strict=True):
                self._see(message)
                self._pushes.remove(news)
                if not news.stored.done():
                    news.stored.set_result(None)

    def _see(self, data: Data) -> None:
        if self._seen is not None:
            self._seen(data)

    def _note_dropped(self, count: int) -> None:
        """Count impossible values, and log the first ones since all was looked at."""
        if count and not self._dropped:
            _LOGGER.warning("%s: %s", self._plan.statistic, _IMPOSSIBLE.fill(count=count))
        self._dropped += count

    def _hole(self) -> str | None:
        """Return the past that the peer refuses, or how much of it is impossible, in words."""
        if not self._holes:
            if not self._dropped:
                return None
            return _IMPOSSIBLE.fill(count=self._dropped).say(self._language)
        first, last = self._holes[0], self._holes[-1]
        days = f"{first.within.start:%Y-%m-%d} – {last.within.end:%Y-%m-%d}"
        return f"{days}: {self._words(last.refusal)}"

    async def _report(self, problem: str | None) -> None:
        if self._last_problem != (problem,):
            await self._state.problem(problem)
            self._last_problem = (problem,)

    def _words(self, fault: Exception) -> str:
        match fault:
            case UpstreamError():
                source = " ".join(filter(None, (fault.issuer, fault.issuer_code)))
                return f"{sentence(fault).say(self._language)} ({source})"
            case QuoaliseError() | NetworkError() | SourceFault() | Unsuitable():
                return sentence(fault).say(self._language)
            case _:
                return str(fault)


_REFUSALS = (UpstreamError, NotAuthorized, ItemNotFound, BadRequest)
"""A peer's refusals of a range; any other error concerns the peer, or the way to it."""


def _spans(hours: Iterable[datetime]) -> Iterator[Range]:
    """Yield a range for each day with some hours."""
    for _, same in groupby(sorted(hours), key=datetime.date):
        first, *others = same
        yield Range(first, (others or [first])[-1] + HOUR)


def _whole_hour(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
