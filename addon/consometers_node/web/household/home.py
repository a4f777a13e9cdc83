"""The first page: whether data go where the household wants, and only there."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain

from aiohttp import web

from consometers_node.household.errors import SourceFault
from consometers_node.household.readings import Flag
from consometers_node.household.sharing.candidate_statistics import reasons
from consometers_node.household.sharing.coverage import Calendar, DayState
from consometers_node.household.sharing.sync import progress
from consometers_node.i18n.protocol import sentence
from consometers_node.i18n.text import Text, text
from consometers_node.permission import State
from consometers_node.series import Interval, Range, Series
from consometers_node.sharing import consent_text
from consometers_node.sharing.account import load
from consometers_node.sharing.restriction import pause, resume
from consometers_node.sharing.status import (
    Answered,
    Collective,
    Shared,
    collectives,
    current_permissions,
)
from consometers_node.store import PeerId, SeriesId
from consometers_node.store.answers import latest_answers
from consometers_node.store.clock import confirm
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.letters import all_letters
from consometers_node.store.series import all_series
from consometers_node.web.core.calendar_svg import Strip, draw
from consometers_node.web.core.page_base import RequestRefused
from consometers_node.web.core.request_context import RequestContext

from .page_base import Pages

type Year = Mapping[SeriesId, tuple[Calendar, tuple[Strip, ...]]]

_HOLES_EXPLAINED = 10
_EXPLAINED_DAYS = timedelta(days=30)
_REASONS_WITHIN_S = 10.0

REASONS = {
    Flag.AWAY: text("Home Assistant was off, or may have been"),
    Flag.ABSURD: text("the value jumped by more than a home can use"),
    Flag.BACKWARDS: text("the value went backwards"),
}
_AWAY = text(
    "While Home Assistant is off, nothing is measured. The meter counts on: "
    "whole days or months around the gap stay exact. There is nothing to do."
)

_NO_SERIES = text("There is no such series.")
_NO_COLLECTIVE = text("There is no such collective.", context="web page")


@dataclass(frozen=True, slots=True)
class Card:
    """A collective on the page."""

    collective: Collective
    stands: str
    """sharing, paused, trouble, asked or nothing"""
    problem: Text | None
    permissions: Sequence[Answered]
    rows: Sequence[SharedSeriesRow]
    last_read: datetime | None
    """When it last read records by a request of its own."""

    @property
    def is_read_on_demand(self) -> bool:
        """Whether it subscribed to nothing of what it may read."""
        return all(row.shared.subscription is None for row in self.rows)

    @property
    def asks(self) -> list[Answered]:
        """Requests waiting for an answer."""
        return self._in(State.PROPOSED)

    @property
    def holds(self) -> list[Answered]:
        """Valid permissions."""
        return self._in(State.GRANTED)

    @property
    def intervals(self) -> list[Interval]:
        """The intervals shared."""
        return sorted(
            {row.shared.series.interval for row in self.rows}, key=lambda interval: interval.minutes
        )

    def _in(self, state: State) -> list[Answered]:
        return [answered for answered in self.permissions if answered.permission.state is state]


@dataclass(frozen=True, slots=True)
class SharedSeriesRow:
    """A shared series, its display name, and its gaps."""

    shared: Shared
    name: str
    calendar: Calendar | None
    halves: tuple[Strip, ...]

    @property
    def has_gaps(self) -> bool:
        """Whether its calendar is worth a look."""
        return self.calendar is not None and self.calendar.has_gaps


async def show(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Show the state of each collective."""
    node = pages.node
    now = datetime.now(UTC)
    year = await pages.year()
    names = await pages.names(context.language.tag)
    async with node.store.reading() as connection:
        doubt = await node.clock.look(connection)
        shared_with = await collectives(
            connection, now, await progress(connection, node.source.memory, now)
        )
        letters = await all_letters(connection)
        last_reads = [await _last_read(connection, each) for each in shared_with]
    account = await load(node.store)
    network = node.network_problem
    return pages.page(
        context,
        "home.html",
        cards=[
            _card(pages, collective, year, names, now, last_read=last_read)
            for collective, last_read in zip(shared_with, last_reads, strict=True)
        ],
        account=account.account.jid if account else None,
        network=node.database_problem or (sentence(network) if network else None),
        home=node.home_problem,
        doubt=doubt if doubt and doubt.is_wrong else None,
        letters=letters,
        unread=[letter for letter in letters if letter.read_at is None],
        directions=consent_text.DIRECTIONS,
        intervals=consent_text.INTERVALS,
        states=consent_text.STATES,
    )


async def confirm_clock(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Store that the household confirmed the clock."""
    async with pages.node.store.writing() as connection:
        await confirm(connection, pages.node.clock.now())
    pages.changed()
    return context.go()


async def hold(pages: Pages, context: RequestContext, *, paused: bool) -> web.StreamResponse:
    """Pause a collective's grants, or resume them."""
    peer_id = PeerId(int(context.named("peer")))
    store = pages.node.store
    async with store.reading() as connection:
        peer_ids = {
            collective.peer.id for collective in await collectives(connection, datetime.now(UTC))
        }
    if peer_id not in peer_ids:
        raise RequestRefused(404, _NO_COLLECTIVE)
    async with store.withdrawing() as connection:
        await (pause if paused else resume)(connection, peer_id)
    pages.changed()
    return context.go()


async def _last_read(connection: AsyncConnection, collective: Collective) -> datetime | None:
    latest = [
        answer.at
        for answered in collective.permissions
        for answer in await latest_answers(connection, answered.permission.id, 1)
    ]
    return max(latest, default=None)


def _card(
    pages: Pages,
    collective: Collective,
    year: Year,
    names: Mapping[str, str],
    now: datetime,
    *,
    last_read: datetime | None,
) -> Card:
    network = pages.node.network
    delivery = network.sharing.deliveries.get(collective.peer.id) if network else None
    problem = delivery.problem if delivery and collective.shared else None
    rows = [
        _row(shared, names.get(shared.series.device, shared.series.device), year)
        for shared in collective.shared
    ]
    answered = current_permissions(collective, now)
    return Card(
        collective=collective,
        stands=_stands(collective, problem, answered),
        problem=problem,
        permissions=answered,
        rows=rows,
        last_read=last_read,
    )


def _row(shared: Shared, name: str, year: Year) -> SharedSeriesRow:
    if shared.id not in year:
        return SharedSeriesRow(shared, name, None, ())
    # Another collective may have been allowed more of it.
    of_home, halves = year[shared.id]
    calendar = of_home.since(shared.since)
    return SharedSeriesRow(
        shared, name, calendar, halves if calendar == of_home else draw(calendar)
    )


def _stands(collective: Collective, problem: Text | None, answered: Sequence[Answered]) -> str:
    if collective.paused:
        return "paused"
    if collective.shared:
        return "trouble" if problem else "sharing"
    is_asked = any(permission.permission.state is State.PROPOSED for permission in answered)
    return "asked" if is_asked else "nothing"


async def _reasons(
    pages: Pages, series: Series, holes: Sequence[tuple[date, date, DayState]]
) -> list[list[Flag]]:
    """Return why data of the latest holes are missing, by Home Assistant's present records."""
    if not pages.node.source.is_connected:
        return []
    found_reasons: list[list[Flag]] = []
    try:
        async with asyncio.timeout(_REASONS_WITHIN_S):
            for first, last, _ in holes[:_HOLES_EXPLAINED]:
                begin = max(first, last - _EXPLAINED_DAYS)
                days = Range(Range.of_day(begin).start, Range.of_day(last).end)
                flags = await reasons(pages.node.source, series, days)
                found_reasons.append([flag for flag in Flag if flag in flags])
    except SourceFault, TimeoutError:
        # The holes are shown all the same.
        pass
    return found_reasons


async def show_series(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Show the calendar of one series, and each hole in words."""
    series_id = SeriesId(int(context.named("series")))
    async with pages.node.store.reading() as connection:
        found_series = (await all_series(connection)).get(series_id)
    if found_series is None:
        raise RequestRefused(404, _NO_SERIES)
    calendar, halves = (await pages.year()).get(series_id, (None, ()))
    names = await pages.names(context.language.tag)
    holes = list(reversed(calendar.holes())) if calendar else []
    why = await _reasons(pages, found_series, holes)
    source_words = pages.node.source.words
    explanations = {
        Flag.AWAY: _AWAY,
        Flag.ABSURD: source_words.absurd,
        Flag.BACKWARDS: source_words.backwards,
    }
    return pages.page(
        context,
        "series.html",
        why=why,
        reasons=REASONS,
        explanations=[words for flag, words in explanations.items() if flag in chain(*why)],
        series=found_series,
        calendar=calendar,
        name=names.get(found_series.device, found_series.device),
        halves=halves,
        holes=holes,
        DayState=DayState,
        directions=consent_text.DIRECTIONS,
        intervals=consent_text.INTERVALS,
    )
