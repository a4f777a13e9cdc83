"""A new collective publishes its last weeks first, then its history: each interval once."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from consometers_node.collective.calendar import Span, recent_months
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.publication.closing.worker import PAST_WITHIN, Publishing
from consometers_node.collective.publication.policy import (
    AT_ONCE,
    NOT_YET,
    InForce,
    Rules,
    choose,
    open_from,
    opened,
    past_left,
)
from consometers_node.collective.publication.reading.closed_hours import PastProgress, progress
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.collective.tables import (
    GroupId,
    MemberId,
    MemberPermissionSeriesRow,
    MemberRow,
)
from testing.clocks import Hands, confirmed
from testing.collectives.publishing import AGREED, DAY, NOON, ZONE, PublishingTown
from testing.pages.town import settings

RECENT = date(2026, 6, 1)
"""The first of the month of five weeks before."""
FIRST = date(2026, 4, 29)
_DAY = timedelta(days=1)
HOMES = 4
LATE = MemberId(HOMES)
"""The home whose history comes last."""

type Published = Mapping[tuple[GroupId, str, datetime], int]


@dataclass(frozen=True)
class Collective:
    """A collective that was opened, and what closes its intervals."""

    store: Store
    town: PublishingTown
    work: Publishing

    @asynccontextmanager
    async def written(self) -> AsyncIterator[PublishingTown]:
        async with self.store.writing() as connection:
            self.town.connection = connection
            yield self.town

    async def close(self, at: datetime = NOON) -> Published:
        """Close all that is due then; return all that is published."""
        while await self.work.look(NOON, at):
            pass
        async with self.written() as town:
            return await town.published()

    async def history_arrives(self) -> None:
        """Store what the late home has still to send."""
        async with self.written() as town:
            await record(town, LATE, Span(FIRST, RECENT - 2 * _DAY))
            await set_backfilled(town, NOON)

    async def left(self) -> date | None:
        async with self.store.reading() as connection:
            return await past_left(connection)

    async def progress(self) -> PastProgress | None:
        async with self.store.reading() as connection:
            opening = await opened(connection)
            assert opening is not None
            return await progress(connection, AGREED, ZoneInfo(ZONE), opening)


async def record(town: PublishingTown, member: MemberId, days: Span) -> None:
    for day in days:
        value = 1_000 + 100 * member + day.day
        await town.record(member, [value + hour for hour in range(24)], day=day)


async def set_backfilled(town: PublishingTown, until: datetime | None) -> None:
    """Note how far the history of the late home was read."""
    row = MemberPermissionSeriesRow
    late = update(row).where(row.permission_id == str(LATE))
    await town.connection.execute(late.values(backfilled_until=until))


@asynccontextmanager
async def founded(store: Store, folder: Path, *, is_late: bool = True) -> AsyncIterator[Collective]:
    """Open a collective, to which a late home has still to send what is before its last weeks."""
    town_settings = settings(folder, identifier="kersabiec")
    async with store.writing() as connection:
        town = PublishingTown(connection)
        for _ in range(HOMES):
            home = await town.member("Lorient", since=FIRST.replace(day=1))
            is_whole = home != LATE or not is_late
            await record(town, home, Span(FIRST if is_whole else RECENT - _DAY, DAY))
        if is_late:
            jid = update(MemberRow).where(MemberRow.id == LATE).values(jid="late@example.org")
            await connection.execute(jid)
            await set_backfilled(town, datetime(2026, 5, 1, tzinfo=NOON.tzinfo))
        await choose(connection, Rules(AGREED, AT_ONCE), "Maëlle", NOON)
    work = Publishing(
        store,
        town_settings,
        InForce(AGREED),
        Changes(),
        arrivals=Arrivals(),
        clock=await confirmed(store, Hands(NOON)),
        is_online=lambda: True,
    )
    yield Collective(store, town, work)


@pytest.fixture
async def collective(file: Store, tmp_path: Path) -> AsyncIterator[Collective]:
    async with founded(file, tmp_path) as collective:
        yield collective


def first_of(published: Published) -> date:
    """Return the first civil day of which anything is published."""
    return min(start for _, _, start in published).astimezone(ZoneInfo(ZONE)).date()


def test_recent_months_begin_five_weeks_before() -> None:
    assert recent_months(DAY) == RECENT
    assert recent_months(date(2026, 7, 5)) == date(2026, 5, 1)
    assert recent_months(date(2026, 7, 6)) == RECENT


async def test_the_last_weeks_are_published_while_history_arrives(collective: Collective) -> None:
    published = await collective.close()
    assert first_of(published) == RECENT
    assert await collective.left() == RECENT
    seen = await collective.progress()
    assert seen is not None
    assert seen.back_to == RECENT
    assert 0 < seen.share < 1
    assert await collective.close() == published


async def test_history_is_published_as_if_all_of_it_had_been_there(
    collective: Collective, tmp_path: Path
) -> None:
    """No interval of the past is closed without the home whose history comes late."""
    first = await collective.close()
    await collective.history_arrives()
    published = await collective.close()
    assert first_of(published) == FIRST
    assert {place: published[place] for place in first} == first
    assert (await collective.left(), await collective.progress()) == (None, None)
    other = await Store.open(tmp_path / "other.db")
    try:
        async with (
            founded(other, tmp_path / "other", is_late=False) as prompt,
            prompt.written() as town,
        ):
            # In order, from the first record on.
            town.opened_at = NOON
            await town.look(NOON)
            assert await town.published() == published
    finally:
        await other.close()


async def test_months_are_closed_from_the_last_one_back(collective: Collective) -> None:
    await collective.close()
    await collective.history_arrives()
    months = [await collective.left()]
    while await collective.work.look(NOON, NOON):
        if (left := await collective.left()) != months[-1]:
            months.append(left)
    assert months == [RECENT, date(2026, 5, 1)]
    assert await collective.left() is None


async def test_history_waits_three_days_for_a_member_that_sends_none(
    collective: Collective,
) -> None:
    published = await collective.close(NOON + PAST_WITHIN - timedelta(minutes=1))
    assert first_of(published) == RECENT
    assert first_of(await collective.close(NOON + PAST_WITHIN)) == FIRST


async def test_a_collective_that_closes_for_a_while_goes_on_where_it_was(
    collective: Collective,
) -> None:
    published = await collective.close()
    later = NOON + timedelta(days=40)
    async with collective.written() as town:
        for opens in (NOT_YET, AT_ONCE):
            await open_from(town.connection, opens, "Maëlle", later)
    assert await collective.left() == RECENT
    await collective.history_arrives()
    assert first_of(await collective.close(later)) == FIRST
    assert first_of(published) == RECENT
