"""What is read of sums, for disclosure alone: rows of a range, how homes differ."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.series import Direction, Interval
from consometers_node.store import Store
from consometers_node.store.collective_tables import GroupId, MemberId
from consometers_node.store.sums import (
    MemberDay,
    PackedSums,
    Spread,
    SumKey,
    packed_sums,
    put_days,
    put_sums,
    spread,
)
from consometers_node.store.tables import Base

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
APRIL = date(2026, 4, 1)
GROUP = GroupId(1)
CONSUMED = Direction.CONSUMPTION


async def gather(connection: AsyncConnection, members: int, kind: str = "home") -> None:
    """Let so many members count in a group in April, and in no other month."""
    tables = Base.metadata.tables
    add = connection.execute
    await add(insert(tables["member_group"]).values(id=GROUP, kind="all", name=""))
    for member in range(1, members + 1):
        values = {"id": member, "pseudonym": f"{member}", "kind": kind, "joined_at": AT}
        await add(insert(tables["member"]).values(values))
        stay = {"member_id": member, "group_id": GROUP, "from_month": APRIL}
        await add(insert(tables["in_group"]).values(stay | {"until_month": date(2026, 5, 1)}))


def key(day: date, interval: Interval = Interval.PT1H, kind: str = "home") -> SumKey:
    return SumKey(GROUP, CONSUMED, interval, day, kind)


def row(value: int, places: int = 24) -> PackedSums:
    wide = value.to_bytes(8, "little") * places
    return PackedSums(wide, (2).to_bytes(4, "little") * places, wide)


async def test_the_rows_that_are_asked_for_come_back(store: Store) -> None:
    days = [APRIL + timedelta(days=n) for n in range(3)]
    async with store.writing() as connection:
        await gather(connection, 0)
        rows = {key(day): row(day.day) for day in days[:2]}
        rows[key(APRIL, kind="site")] = row(9)
        rows[key(APRIL, Interval.P1D)] = row(7, 30)
        await put_sums(connection, rows, AT)
        assert await packed_sums(connection, [*rows, key(days[2])]) == rows
        del rows[key(APRIL, kind="site")]
        assert await packed_sums(connection, rows) == rows


async def test_a_row_that_counts_nobody_is_not_kept(store: Store) -> None:
    async with store.writing() as connection:
        await gather(connection, 0)
        await put_sums(connection, {key(APRIL): row(5)}, AT)
        nobody = PackedSums(bytes(8 * 24), bytes(4 * 24), bytes(8 * 24))
        await put_sums(connection, {key(APRIL): nobody}, AT)
        assert await packed_sums(connection, [key(APRIL)]) == {}


def nearest_rank(values: Iterable[int]) -> Spread:
    ordered = sorted(values)
    places = [-(-len(ordered) * quarters // 4) for quarters in (1, 2, 3)]
    return Spread(len(ordered), *(ordered[place - 1] for place in places))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(st.integers(0, 50), min_size=1, max_size=9))
async def test_quartiles_are_those_of_the_homes(store: Store, values: list[int]) -> None:
    async with store.writing() as connection:
        await gather(connection, len(values))
        await put_days(
            connection,
            [
                MemberDay(MemberId(member), CONSUMED, APRIL, value, 24, 24)
                for member, value in enumerate(values, 1)
            ],
        )
        assert await spread(connection, GROUP, CONSUMED, APRIL, APRIL) == nearest_rank(values)
        await connection.rollback()


DAY_2, DAY_3 = APRIL + timedelta(days=1), APRIL + timedelta(days=2)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([], None),
        ([MemberDay(MemberId(1), CONSUMED, APRIL, 60, 23, 24)], None),
        ([MemberDay(MemberId(1), Direction.INJECTION, APRIL, 60, 24, 24)], None),
        ([MemberDay(MemberId(1), CONSUMED, date(2026, 5, 1), 60, 24, 24)], None),
        (
            # The mean of the days that are whole.
            [
                MemberDay(MemberId(1), CONSUMED, APRIL, 60, 24, 24),
                MemberDay(MemberId(1), CONSUMED, DAY_2, 80, 24, 24),
                MemberDay(MemberId(1), CONSUMED, DAY_3, 1, 1, 24),
            ],
            Spread(1, 70, 70, 70),
        ),
        (
            # The second one has a day out of three.
            [
                MemberDay(MemberId(1), CONSUMED, APRIL, 60, 24, 24),
                MemberDay(MemberId(1), CONSUMED, DAY_2, 60, 24, 24),
                MemberDay(MemberId(1), CONSUMED, DAY_3, 60, 24, 24),
                MemberDay(MemberId(2), CONSUMED, APRIL, 900, 24, 24),
            ],
            Spread(1, 60, 60, 60),
        ),
    ],
)
async def test_a_home_is_known_by_its_whole_days(
    store: Store, days: list[MemberDay], expected: Spread | None
) -> None:
    async with store.writing() as connection:
        await gather(connection, 2)
        await put_days(connection, days)
        for first, last in ((APRIL, date(2026, 4, 30)), (date(2026, 5, 1), date(2026, 5, 31))):
            found = await spread(connection, GROUP, CONSUMED, first, last)
            assert found == (expected if first == APRIL else None)


async def test_a_site_is_no_home(store: Store) -> None:
    async with store.writing() as connection:
        await gather(connection, 2, "site")
        await put_days(connection, [MemberDay(MemberId(1), CONSUMED, APRIL, 60, 24, 24)])
        assert await spread(connection, GROUP, CONSUMED, APRIL, APRIL) is None
