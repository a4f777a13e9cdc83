"""A pushed message is stored whole, or refused with a reason, apart from all others."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from sqlalchemy import text

from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.ingestion.validation import MemberMessage, take
from consometers_node.collective.members.members import MemberKind, Members
from consometers_node.collective.permissions import needs
from consometers_node.collective.permissions.member_permissions import take as take_given, withdraw
from consometers_node.collective.privacy.export import everything
from consometers_node.i18n.protocol import sentence
from consometers_node.series import Block, Interval, Quantity, Range
from consometers_node.store import Store
from consometers_node.store.collective.member_series import of_member, under_names
from consometers_node.store.series import MemberCount, counts
from consometers_quoalise import (
    BadRequest,
    Data,
    DeviceType,
    Direction,
    Metadata,
    NotAuthorized,
    QuoaliseError,
    Records,
    SeriesPath,
)
from consometers_quoalise_network import NotStored
from testing.collectives.members import AT, OWN, ZONE, changing, join, meter, permission
from testing.collectives.records import (
    HOUR,
    pushed_data,
    running_queue,
    stored_blocks,
    stored_values,
)
from testing.databases.fixtures import Place
from testing.databases.sql import plain
from testing.homes.data_needs import NEED

DAY = AT.replace(hour=0)
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
A, B = meter("a"), meter("b")


async def take_at(
    store: Store, *messages: MemberMessage, at: datetime = AT
) -> list[QuoaliseError | None]:
    async with store.writing() as connection:
        return await take(connection, messages, "Europe/Paris", at, Arrivals())


async def joined(store: Store, *names: str, at: datetime = AT) -> None:
    async with store.writing() as connection:
        for name in names:
            await join(connection, name, at=at)


def by(name: str, data: Data) -> MemberMessage:
    return MemberMessage(f"{name}@example.org", data)


async def test_records_of_members_are_stored_as_their_series(store: Store) -> None:
    await joined(store, "a", "b")
    refusals = await take_at(
        store, by("a", pushed_data(A, DAY, range(24))), by("b", pushed_data(B, DAY + HOUR, [7, 8]))
    )
    assert refusals == [None, None]
    stored = await stored_blocks(store, DAY.date())
    assert stored[str(A.device)].values == tuple(range(24))
    assert stored[str(B.device)].values == (None, 7, 8, *(21 * [None]))
    series = stored[str(A.device)].series
    assert (series.direction, series.quantity) == (Direction.CONSUMPTION, Quantity.POWER)
    assert (series.interval, series.time_zone) == (Interval.PT1H, "Europe/Paris")
    async with store.reading() as connection:
        (permission,) = await of_member(connection, "a@example.org")
        assert (permission.series, permission.last_received_at) == (series, AT)


async def test_the_last_value_counts_in_any_order(store: Store) -> None:
    await joined(store, "a")
    yesterday = DAY - timedelta(days=1)
    for start, values in (
        (DAY, [1, 2, 3]),
        (yesterday, [9] * 24),  # late
        (DAY, [1, 2, 3]),  # doubled
        (DAY + HOUR, [20]),  # corrected
        (yesterday + 23 * HOUR, [90, 10]),  # over midnight
    ):
        assert await take_at(store, by("a", pushed_data(A, start, values))) == [None]
    assert (await stored_blocks(store, DAY.date()))[str(A.device)].values[:4] == (10, 20, 3, None)
    before = (await stored_blocks(store, yesterday.date()))[str(A.device)]
    assert before.values == (*(23 * [9]), 90)


async def test_daily_records_are_civil_days_of_the_time_zone(store: Store) -> None:
    daily = replace(A, path=f"consumption/{SeriesPath.ENERGY_DAILY}")
    async with store.writing() as connection:
        await join(connection, "a", permission(daily))
    midnight = datetime(2026, 6, 8, 22, tzinfo=UTC)
    data = pushed_data(daily, midnight, [12_000, 13_000], interval=timedelta(days=1), unit="Wh")
    assert await take_at(store, by("a", data)) == [None]
    block = (await stored_blocks(store, midnight.date()))[str(A.device)]
    assert (block.series.quantity, block.series.interval) == (Quantity.ENERGY, Interval.P1D)
    assert block.values == (12_000,)


MINE = pushed_data(A, DAY + HOUR, [7])
BOTH = Data(MINE.metadata, (*MINE.records, *pushed_data(B, DAY, [6]).records))
SUN = Records("sun", "W", {int(DAY.timestamp()): 1})
PART_OF_A_SECOND = Records(str(A), "W", {DAY.timestamp() + 0.5: 1})
NOT_ALLOWED = "You have not allowed this series"
REFUSED_AS_NOT_GRANTED = {
    "a stranger": ("nobody", pushed_data(A, DAY, [1]), NOT_ALLOWED),
    "another member's": ("b", pushed_data(A, DAY, [1]), NOT_ALLOWED),
    "another series": ("a", pushed_data(meter("a", Direction.PRODUCTION), DAY, [1]), NOT_ALLOWED),
    "one series of another member's": ("a", BOTH, NOT_ALLOWED),
    "before the grant": ("a", pushed_data(A, DAY - timedelta(days=31), [1]), "from 2026-05-11"),
    "finer than granted": ("a", pushed_data(A, DAY, [1], interval=HOUR / 2), "PT1H and coarser"),
}
REFUSED_AS_WRONG = {
    "of another interval": ("a", pushed_data(A, DAY, [1], interval=HOUR / 6), "PT10M"),
    "not at the hour": ("a", pushed_data(A, DAY + HOUR / 6, [1]), "No interval of PT1H"),
    "still to come": ("a", pushed_data(A, AT + timedelta(days=3), [1]), "set your clock"),
    "below zero": ("a", pushed_data(A, DAY, [1, -1]), "below zero"),
    "no power": ("a", pushed_data(A, DAY, [1], unit="Cel"), "send W, kW"),
    "a foreign name": ("a", Data(Metadata(), (SUN,)), "names no device"),
    "part of a second": ("a", Data(Metadata(), (PART_OF_A_SECOND,)), "whole seconds"),
}
REFUSED = REFUSED_AS_NOT_GRANTED | REFUSED_AS_WRONG


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refused_message_fails_alone(store: Store, case: str) -> None:
    await joined(store, "a", "b")
    sender, data, words = REFUSED[case]
    refusal, none = await take_at(store, by(sender, data), by("a", pushed_data(A, DAY, [5])))
    assert none is None
    assert isinstance(refusal, NotAuthorized if case in REFUSED_AS_NOT_GRANTED else BadRequest)
    assert words in sentence(refusal).say("en")
    assert sentence(refusal).say("fr") != sentence(refusal).say("en")
    assert set(await stored_blocks(store, DAY.date())) == {str(A.device)}
    block = (await stored_blocks(store, DAY.date()))[str(A.device)]
    assert block.values == (5, *(23 * [None]))


async def test_a_series_keeps_its_interval(store: Store) -> None:
    await joined(store, "a")
    daily = pushed_data(A, datetime(2026, 6, 8, 22, tzinfo=UTC), [12], interval=timedelta(days=1))
    (refusal,) = [
        refusal
        for refusal in await take_at(store, by("a", pushed_data(A, DAY, [5])), by("a", daily))
        if refusal is not None
    ]
    assert "consumption PT1H" in sentence(refusal).say()
    (again,) = await take_at(store, by("a", daily))
    assert isinstance(again, BadRequest)


async def test_records_after_a_withdrawal_or_expiry_are_refused(store: Store) -> None:
    await joined(store, "a")
    after = AT + timedelta(days=366)
    (over,) = await take_at(store, by("a", pushed_data(A, after - 3 * HOUR, [1])), at=after)
    assert isinstance(over, NotAuthorized)
    async with changing(store) as (_, members):
        member = await members.named("a@example.org")
        await withdraw(members, member.id, "a", AT, erase=False)
    (refusal,) = await take_at(store, by("a", pushed_data(A, DAY, [1])))
    assert isinstance(refusal, NotAuthorized)
    async with store.writing() as connection:
        assert await under_names(connection, [str(A)]) == []


async def test_a_collective_sends_member_counts(store: Store) -> None:
    below = meter("below", Direction.INJECTION)
    async with changing(store) as (connection, members):
        await members.admit("below@example.org", AT, kind=MemberKind.COLLECTIVE)
        await join(connection, "below", permission(below))

    def sums(start: datetime, values: list[int], members: list[int]) -> MemberMessage:
        data = pushed_data(below, start, values, device=DeviceType.COLLECTIVE, members=members)
        return by("below", data)

    assert await take_at(store, sums(DAY, [5000, 6000], [11, 12])) == [None]
    assert await take_at(store, sums(DAY + HOUR, [6000], [13])) == [None]
    async with store.reading() as connection:
        (given,) = await of_member(connection, "below@example.org")
        assert given.series is not None
        assert given.series_id is not None
        assert given.series.direction is Direction.INJECTION
        (block,) = await counts(connection, given.series_id, given.series, Range.of_day(DAY.date()))
        member_counts = [packed and MemberCount.unpack(packed) for packed in block.values[:3]]
        assert member_counts == [(11, False), (13, False), None]


async def test_a_collective_says_which_sums_lack_homes(store: Store) -> None:
    """The last message counts, of a sum without a count of members too."""
    below = meter("below")
    async with changing(store) as (connection, members):
        await members.admit("below@example.org", AT, kind=MemberKind.COLLECTIVE)
        await join(connection, "below", permission(below))
    sent = pushed_data(below, DAY, [900, 800, 700], device=DeviceType.COLLECTIVE, members=[2, 2, 2])
    uncounted = pushed_data(below, DAY + 3 * HOUR, [600], device=DeviceType.COLLECTIVE)
    name, at = str(below.beside(SeriesPath.WITHOUT_HOMES)), int(DAY.timestamp())

    def marked(data: Data, *hours: int) -> MemberMessage:
        marks = Records(name, "count", {at + 3600 * hour: 1 for hour in hours})
        return by("below", Data(data.metadata, (*data.records, marks)))

    again = pushed_data(below, DAY, [900], device=DeviceType.COLLECTIVE, members=[12])
    messages = marked(sent, 0, 2), marked(uncounted, 3), by("below", again)
    assert await take_at(store, *messages) == [None] * 3
    async with store.reading() as connection:
        (given,) = await of_member(connection, "below@example.org")
        assert given.series is not None
        assert given.series_id is not None
        (block,) = await counts(connection, given.series_id, given.series, Range.of_day(DAY.date()))
        member_counts = [
            MemberCount.unpack(packed) for packed in block.values[:4] if packed is not None
        ]
        assert member_counts == [(12, False), (2, False), (2, True), (1, True)]
        member = await Members(connection, ZONE).named("below@example.org")
        exported: Any = (await everything(connection, member))["member_count"]
        assert [count for _, count in exported[0]["members"]] == [12, 2, 2, 1]
        assert len(exported[0]["without_homes"]) == 2


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [
        (-3, "-3 members", "membres, c’est impossible"),
        (11.5, "11.5 members", "membres, c’est impossible"),
        (10**9, "at most 100000000", "membres, c’est impossible"),
        (0, "zero members", "zéro membre"),
    ],
)
async def test_impossible_member_counts_are_refused(
    store: Store, count: float, english: str, french: str
) -> None:
    (refusal,) = await take_at(store, await below(store, count))
    assert isinstance(refusal, BadRequest)
    assert english in sentence(refusal).say("en")
    assert french in sentence(refusal).say("fr")
    assert not await stored_blocks(store, DAY.date())


async def below(store: Store, count: float) -> MemberMessage:
    """Admit a collective as a member, and return its message with the count of its own members."""
    async with store.writing() as connection:
        await Members(connection, ZONE).admit("below@example.org", AT, kind=MemberKind.COLLECTIVE)
        await join(connection, "below", permission(meter("below")))
    data = pushed_data(
        meter("below"), DAY, [5000, 6000], device=DeviceType.COLLECTIVE, members=[12, count]
    )
    return by("below", data)


async def test_member_counts_of_a_home_are_ignored(store: Store) -> None:
    await joined(store, "a")
    assert await take_at(store, by("a", pushed_data(A, DAY, [5], members=[1000]))) == [None]
    async with store.reading() as connection:
        (permission,) = await of_member(connection, "a@example.org")
        assert permission.series is not None
        assert permission.series_id is not None
        within = Range.of_day(DAY.date())
        assert not await counts(connection, permission.series_id, permission.series, within)


async def test_simultaneous_messages_get_their_own_answers(store: Store) -> None:
    names = [f"m{n}" for n in range(30)]
    await joined(store, *names, at=NOW - timedelta(days=2))
    start = NOW - timedelta(days=1)

    async with running_queue(store) as queue:

        async def push(name: str) -> None:
            for hours in batched(range(12), 2, strict=True):
                values = [int(name[1:]) * 100 + hour for hour in hours]
                data = pushed_data(meter(name), start + hours[0] * HOUR, values)
                await queue.keep(f"{name}@example.org", data)

        async def intrude() -> None:
            with pytest.raises(NotAuthorized):
                await queue.keep("nobody@example.org", pushed_data(meter("m1"), start, [1]))

        async with asyncio.TaskGroup() as tasks:
            for name in names:
                tasks.create_task(push(name))
            for _ in range(10):
                tasks.create_task(intrude())
    blocks: list[Block] = []
    for day in Range(start, NOW).days():
        blocks += (await stored_blocks(store, day)).values()
    values = sorted(record.value for block in blocks for record in block.records())
    assert values == sorted(n * 100 + hour for n in range(30) for hour in range(12))


async def test_a_flood_of_series_is_refused_alone(store: Store) -> None:
    await joined(store, "a")
    at = int(DAY.timestamp())

    def flood(names: int) -> MemberMessage:
        records = (Records(str(meter(f"x{n}")), "W", {at: 1}) for n in range(names))
        return by("nobody", Data(Metadata(), tuple(records)))

    floods = [flood(1_000) for _ in range(40)]
    *refusals, none = await take_at(store, *floods, by("a", pushed_data(A, DAY, [5])))
    assert none is None
    assert all(isinstance(refusal, BadRequest) for refusal in refusals)
    # As many as may be asked for at once, of many peers.
    *refusals, none = await take_at(
        store, *[flood(50) for _ in range(60)], by("a", pushed_data(A, DAY, [6]))
    )
    assert none is None
    assert all(isinstance(refusal, NotAuthorized) for refusal in refusals)


async def test_a_push_of_many_days_delays_only_its_sender(store: Store) -> None:
    long = replace(NEED, history_days=400)
    async with store.writing() as connection:
        await needs.offer(connection, long, NOW)
        for name in "ab":
            member = await Members(connection, ZONE).admit(f"{name}@example.org", NOW)
            given = permission(meter(name), id=name, need=long, at=NOW)
            await take_given(Members(connection, ZONE), member.id, given, NOW, own=OWN)
    days = pushed_data(A, NOW - timedelta(days=390), [1] * 380, interval=timedelta(days=1))
    spread = Data(pushed_data(A, NOW, [1]).metadata, days.records)
    async with running_queue(store) as queue:
        slow = asyncio.create_task(queue.keep("a@example.org", spread))
        while not await stored_blocks(store, (NOW - timedelta(days=300)).date()):
            await asyncio.sleep(0.01)
        await queue.keep("b@example.org", pushed_data(B, NOW - HOUR, [1]))
        assert not slow.done()
        await slow


async def test_records_pushed_during_a_history_request_take_precedence(
    store: Store,
) -> None:
    await joined(store, "a", at=NOW - timedelta(days=2))
    start = NOW - 5 * HOUR
    async with running_queue(store) as queue:
        with queue.requesting("a@example.org") as request:
            await queue.keep("a@example.org", pushed_data(A, start + HOUR, [20, 30]))
            assert await stored_values(store, Range(start, NOW).days()) == {
                start + HOUR: 20,
                start + 2 * HOUR: 30,
            }
            await request.take(pushed_data(A, start, [1, 2, 3, 4]))
            # The next page is asked for after that, so it is newer than the earlier push.
            await request.take(pushed_data(A, start + 2 * HOUR, [5]))
        await queue.keep("a@example.org", pushed_data(A, start, [6]))
        with queue.requesting("a@example.org") as request:
            await request.take(pushed_data(A, start + 3 * HOUR, [7]))
            await queue.keep("a@example.org", pushed_data(A, start + 3 * HOUR, [8]))
            # Nothing of it is news.
            await request.take(pushed_data(A, start + 3 * HOUR, [7]))
    expected = [6, 20, 5, 8]
    assert await stored_values(store, Range(start, NOW).days()) == {
        start + n * HOUR: v for n, v in enumerate(expected)
    }


async def test_a_refused_push_leaves_the_answer_whole(store: Store) -> None:
    await joined(store, "a", at=NOW - timedelta(days=2))
    start = NOW - 3 * HOUR
    async with running_queue(store) as queue:
        with queue.requesting("a@example.org") as request:
            with pytest.raises(BadRequest):
                await queue.keep("a@example.org", pushed_data(A, start, [9, -9]))
            await request.take(pushed_data(A, start, [1, 2]))
    assert await stored_values(store, Range(start, NOW).days()) == {start: 1, start + HOUR: 2}


async def test_messages_that_the_database_cannot_store_are_not_acknowledged(
    place: Place, store: Store
) -> None:
    await joined(store, "a", "b", at=NOW - timedelta(days=2))
    async with running_queue(store) as queue:
        with plain(place) as owner:
            owner.run("ALTER TABLE block RENAME TO elsewhere")
        pushes = (
            queue.keep("a@example.org", pushed_data(A, NOW - HOUR, [1])),
            queue.keep("b@example.org", pushed_data(B, NOW - HOUR, [1])),
        )
        failed = await asyncio.gather(*pushes, return_exceptions=True)
        assert [type(refusal) for refusal in failed] == [NotStored, NotStored]
        with plain(place) as owner:
            owner.run("ALTER TABLE elsewhere RENAME TO block")
        await queue.keep("a@example.org", pushed_data(A, NOW - HOUR, [1]))
    assert (await stored_blocks(store, (NOW - HOUR).date())).keys() == {str(A.device)}


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    messages=st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(0, 60),
            st.lists(st.integers(0, 9_000), min_size=1, max_size=30),
        ),
        max_size=12,
    ),
    together=st.integers(1, 5),
)
async def test_any_batches_of_messages_leave_the_last_values(
    file: Store, messages: list[tuple[str, int, list[int]]], together: int
) -> None:
    start = DAY - timedelta(days=4)
    async with file.writing() as connection:
        for name in "ab":
            member = await Members(connection, ZONE).by_jid(f"{name}@example.org")
            if member is None:
                await join(connection, name)
        await connection.execute(text("DELETE FROM block"))
    expected: dict[tuple[str, datetime], int] = {}
    for some in batched(messages, together, strict=False):
        batch = []
        for name, hour, values in some:
            batch.append(by(name, pushed_data(meter(name), start + hour * HOUR, values)))
            for n, value in enumerate(values):
                expected[str(meter(name).device), start + (hour + n) * HOUR] = value
        assert await take_at(file, *batch) == [None] * len(batch)
    stored: dict[tuple[str, datetime], int] = {}
    for day in Range(start, DAY).days():
        for device, block in (await stored_blocks(file, day)).items():
            stored |= {(device, record.start): record.value for record in block.records()}
    assert stored == expected
