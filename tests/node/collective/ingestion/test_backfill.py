"""The history of granted series is requested once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from consometers_node.collective.calendar import recent_months
from consometers_node.collective.ingestion.backfill import Backfill, BackfillPace, _ranges
from consometers_node.collective.ingestion.write_queue import WriteQueue
from consometers_node.collective.members.members import MemberKind, Members
from consometers_node.collective.permissions.member_permissions import take
from consometers_node.series import Range
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.collective.member_series import of_member
from consometers_node.store.collective.member_status import count_members
from consometers_quoalise import MAX_RECORDS, Data, Identifier, ResourceConstraint
from consometers_quoalise.records.identifier import BESIDE
from consometers_quoalise_network import Asking, NetworkError, NotStored
from testing.clocks import Hands, confirmed, leaping
from testing.collectives.members import (
    AT,
    OWN,
    ZONE,
    EmptyMember,
    join,
    let_be_named,
    meter,
    permission,
)


async def test_a_series_under_two_permissions_is_requested_once(store: Store) -> None:
    since = AT - timedelta(days=3)
    async with store.writing() as connection:
        given = permission(meter("a"), id="a", records_from=since)
        member, _ = await join(connection, "a", given)
        await let_be_named(connection, member, records_from=since + timedelta(days=1))
    home, queue = EmptyMember(), WriteQueue(store, ZONE.key, lambda _: None)
    clock = await confirmed(store, Hands(AT))
    backfill = Backfill(store, cast("Asking", home), queue, Changes(), clock=clock)
    await backfill._gather("a@example.org")
    assert home.requested == [Range(since, AT)]
    async with store.reading() as connection:
        permissions = await of_member(connection, "a@example.org")
    assert [
        (permission.backfilled_until, permission.subscribed_at) for permission in permissions
    ] == [(AT, AT)] * 2


@pytest.mark.parametrize("reads", range(1, 6))
async def test_a_clock_that_leaps_meanwhile_ends_no_request(store: Store, reads: int) -> None:
    """The past was requested up to a time that was checked, or the next visit requests it."""
    since = AT - timedelta(days=3)
    hands = Hands(AT)
    async with store.writing() as connection:
        await join(connection, "a", permission(meter("a"), id="a", records_from=since))
    await confirmed(store, hands)
    home, queue = EmptyMember(), WriteQueue(store, ZONE.key, lambda _: None)
    clock = leaping(hands, reads)
    backfill = Backfill(store, cast("Asking", home), queue, Changes(), clock=clock)
    with suppress(NotStored):
        await backfill._gather("a@example.org")
    async with store.reading() as connection:
        (series,) = await of_member(connection, "a@example.org")
    is_requested = bool(home.requested)
    assert home.requested == [Range(since, AT)] * is_requested
    noted = (AT, AT) if is_requested else (None, None)
    assert (series.backfilled_until, series.subscribed_at) == noted
    assert is_requested or reads == 1


class SlowMember(EmptyMember):
    """A member whose answer to the first subscription waits for `answers`, and may be `busy`."""

    def __init__(self, *, busy: bool) -> None:
        super().__init__()
        self.busy = busy
        self.visits = asyncio.Queue[str]()
        self.answers = asyncio.Event()

    async def subscribe(self, peer: str, name: Identifier) -> None:
        self.visits.put_nowait(peer)
        await self.answers.wait()
        if self.busy:
            raise ResourceConstraint


@pytest.mark.parametrize("busy", [False, True])
async def test_a_change_during_a_visit_causes_another_visit_at_once(
    store: Store, *, busy: bool
) -> None:
    async with store.writing() as connection:
        await join(connection, "a")
    home, queue, changes = (
        SlowMember(busy=busy),
        WriteQueue(store, ZONE.key, lambda _: None),
        Changes(),
    )
    clock, pace = await confirmed(store, Hands(AT)), BackfillPace(pause_s=0)
    backfill = Backfill(store, cast("Asking", home), queue, changes, clock=clock, pace=pace)
    running = asyncio.create_task(backfill.run())
    assert await home.visits.get() == "a@example.org"
    while backfill._members["a@example.org"].due:
        changes.notify()
        await asyncio.sleep(0.01)
    home.answers.set()
    assert await home.visits.get() == "a@example.org"
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


class LeavingMember(EmptyMember):
    """A member that is offline after some requests for its past."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self._answers = answers

    async def history(
        self, peer: str, name: Identifier, start: datetime, end: datetime
    ) -> AsyncIterator[Data]:
        if len(self.requested) == self._answers:
            raise NetworkError
        async for page in super().history(peer, name, start, end):
            yield page


async def test_the_last_weeks_come_first_then_the_past_where_it_was(store: Store) -> None:
    since = AT - timedelta(days=200)
    weeks = Range.of_day(recent_months(AT.date()) - timedelta(days=1)).start
    async with store.writing() as connection:
        member, _ = await join(connection, "a")
        await let_be_named(connection, member, records_from=since)
    queue, clock = WriteQueue(store, ZONE.key, lambda _: None), await confirmed(store, Hands(AT))

    async def visited(home: EmptyMember) -> list[Range]:
        """Have it visited; return what was requested, joined where it follows."""
        backfill = Backfill(store, cast("Asking", home), queue, Changes(), clock=clock)
        with suppress(NetworkError):
            await backfill._gather("a@example.org")
        joined: list[Range] = []
        for within in home.requested:
            follows = bool(joined) and joined[-1].end == within.start
            joined.append(Range(joined.pop().start, within.end) if follows else within)
        return joined

    async def counted() -> tuple[int, int]:
        async with store.reading() as connection:
            (kind,) = (await count_members(connection, AT)).granting.values()
        return kind.unread, kind.catching_up

    assert await visited(LeavingMember(0)) == []
    assert await counted() == (1, 1)
    first, past = await visited(LeavingMember(2))
    assert first == Range(weeks, AT)
    assert past.start == since
    assert past.end < weeks
    assert await counted() == (0, 1)
    assert await visited(EmptyMember()) == [Range(past.end, AT)]
    assert await counted() == (0, 0)


@pytest.mark.parametrize(
    ("kind", "numbers"), [(MemberKind.HOME, 1), (MemberKind.COLLECTIVE, 1 + len(BESIDE))]
)
async def test_what_is_requested_fits_an_answer(
    store: Store, kind: MemberKind, numbers: int
) -> None:
    async with store.writing() as connection:
        await join(connection, "a")
        (series,) = await of_member(connection, "a@example.org")
    year = Range(AT - timedelta(days=365), AT)
    asked = _ranges(year, replace(series, kind=kind))
    hours = max(within.end - within.start for within in asked) / timedelta(hours=1)
    assert 0.9 * MAX_RECORDS < hours * numbers <= MAX_RECORDS


class BusyMember(EmptyMember):
    """A member that does not read its past yet, but for some last weeks."""

    def __init__(self, weeks: datetime) -> None:
        super().__init__()
        self._weeks = weeks
        self.subscribed: list[Identifier] = []

    async def subscribe(self, peer: str, name: Identifier) -> None:
        self.subscribed.append(name)

    async def history(
        self, peer: str, name: Identifier, start: datetime, end: datetime
    ) -> AsyncIterator[Data]:
        if start < self._weeks:
            raise ResourceConstraint
        async for page in super().history(peer, name, start, end):
            yield page


async def test_a_series_granted_later_does_not_wait_for_the_past_of_others(store: Store) -> None:
    since = AT - timedelta(days=200)
    weeks = Range.of_day(recent_months(AT.date()) - timedelta(days=1)).start
    async with store.writing() as connection:
        member, _ = await join(connection, "a")
        await let_be_named(connection, member, records_from=since)
    home, queue = BusyMember(weeks), WriteQueue(store, ZONE.key, lambda _: None)
    clock = await confirmed(store, Hands(AT))
    backfill = Backfill(store, cast("Asking", home), queue, Changes(), clock=clock)
    with pytest.raises(ResourceConstraint):
        await backfill._gather("a@example.org")
    async with store.writing() as connection:
        later = permission(meter("b"), id="b")
        await take(Members(connection, ZONE), member.id, later, AT, own=OWN)
    home.subscribed.clear()
    with pytest.raises(ResourceConstraint):
        await backfill._gather("a@example.org")
    assert home.subscribed == [meter("a"), meter("b")]
    async with store.reading() as connection:
        (kind,) = (await count_members(connection, AT)).granting.values()
    assert (kind.unread, kind.catching_up) == (0, 1)
