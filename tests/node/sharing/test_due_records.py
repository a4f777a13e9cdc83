"""Due records of each peer: beyond the cursor in order, behind it the corrections, and no more."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from consometers_node.permission import Choice, Identification
from consometers_node.series import Interval, Range
from consometers_node.sharing.records.record_messages import RecordsMessage, next_messages
from consometers_node.store import NotPermitted, PermissionId, Store
from consometers_node.store.outbox import acknowledged
from consometers_node.store.series import erase_series
from consometers_quoalise import MAX_PUSHED
from testing.databases.fixtures import Place
from testing.homes.data_needs import CHOICE, DAILY, FINE, HOURLY, NEED, now, queue, waiting
from testing.homes.ledgers import DAY, HOUR, NAMING, Ledger, data_of, hours, midnight, run_out

WEEK = Choice(series=frozenset(), history_days=7, duration_days=60)
FIVE = timedelta(minutes=5)
MONTH = replace(WEEK, history_days=30)


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    ledger = await Ledger.open(store)
    await ledger.grant()
    await ledger.cover(midnight(-40), midnight(1))
    return ledger


@pytest.fixture
async def fine(store: Store) -> Ledger:
    ledger = await Ledger.open(store, series=FINE)
    await ledger.grant(replace(NEED, interval=Interval.PT5M))
    await ledger.cover(midnight(-40), midnight(1))
    return ledger


async def test_records_beyond_the_cursor_are_due_and_a_receipt_moves_it(ledger: Ledger) -> None:
    await ledger.keep(hours(midnight(-3), range(48)))
    await ledger.subscribe(midnight(-2))
    message = await ledger.due("first")
    assert message.queued.records == Range(midnight(-2), midnight(-1))
    assert await ledger.next("second") is None
    await ledger.receive(message)
    assert ledger.sent == hours(midnight(-2), range(24, 48))
    assert await ledger.cursor() == midnight(-1)
    assert await ledger.receive_all() == []


async def test_nothing_is_due_without_a_subscription(ledger: Ledger) -> None:
    await ledger.keep(hours(midnight(-3), range(48)))
    assert await ledger.receive_all() == []


async def test_a_subscription_without_cursor_begins_when_it_was_made(ledger: Ledger) -> None:
    await ledger.subscribe()
    since = (await ledger.subscription()).since
    await ledger.keep(hours(midnight(), range(24)) | hours(midnight(1), range(24)))
    await ledger.receive_all()
    assert min(ledger.sent) >= since


async def test_messages_hold_a_thousand_records_or_three_days_of_corrections(fine: Ledger) -> None:
    await fine.subscribe(midnight(-6))
    for more, border in enumerate((midnight(-6) + MAX_PUSHED * FIVE, midnight(-3))):
        await fine.keep({midnight(-6) + n * FIVE: n + more for n in range(288 * 6)})
        parts = [Range(midnight(-6), border), Range(border, midnight())]
        assert await fine.receive_all() == parts
        assert list(fine.sent.values()) == [12 * (n + more) for n in range(288 * 6)]


async def test_a_hole_filled_meanwhile_splits_a_message(fine: Ledger) -> None:
    await fine.subscribe(midnight(-7) + 12 * HOUR)
    start = midnight(-6)
    await fine.keep({start + n * FIVE: n for n in range(288 * 5) if n % 2})
    assert len((await fine.due("lost")).data) == 720
    await fine.restart()
    await fine.keep({start + n * FIVE: n for n in range(288 * 5)})
    assert await fine.receive_all()
    assert [fine.sent[at] for at in sorted(fine.sent)] == [12 * n for n in range(288 * 5)]


async def test_a_year_without_records_is_skipped(store: Store) -> None:
    ledger = await Ledger.open(store)
    await ledger.grant(replace(NEED, history_days=500), replace(WEEK, history_days=500))
    await ledger.subscribe(midnight(-450))
    await ledger.keep(hours(midnight(-2), range(24)))
    assert await ledger.receive_all() == [Range(midnight(-450), midnight(-1))]


# Corrections


async def test_a_correction_behind_the_cursor_is_sent_once_and_alone(
    ledger: Ledger,
) -> None:
    await ledger.subscribe(midnight(-5))
    await ledger.keep(hours(midnight(-5), range(96)))
    await ledger.receive_all()
    corrected = [*range(10), 110, 11, 112, *range(13, 24)]
    assert await ledger.keep(hours(midnight(-5), corrected))
    assert not await ledger.keep(hours(midnight(-5), corrected))
    start = midnight(-5) + 10 * HOUR
    assert await ledger.receive_all() == [Range(start, start + 3 * HOUR)]
    assert ledger.sent == hours(midnight(-5), [*corrected, *range(24, 96)])
    assert await ledger.cursor() == midnight(-1)


async def test_corrections_of_neighbouring_days_go_together(ledger: Ledger) -> None:
    await ledger.subscribe(midnight(-6))
    values = hours(midnight(-6), range(24 * 6))
    await ledger.keep(values)
    await ledger.receive_all()
    for day in (-6, -5, -2):
        values[midnight(day) + 12 * HOUR] = 999
    await ledger.keep(values)
    assert await ledger.receive_all() == [
        Range(midnight(-6) + 12 * HOUR, midnight(-5) + 13 * HOUR),
        Range(midnight(-2) + 12 * HOUR, midnight(-2) + 13 * HOUR),
    ]


async def test_today_growing_is_no_correction(ledger: Ledger) -> None:
    await ledger.subscribe(midnight(-1))
    await ledger.keep(hours(midnight(-1), range(5)))
    assert await ledger.receive_all() == [Range(midnight(-1), midnight(-1) + 5 * HOUR)]
    await ledger.keep(hours(midnight(-1), range(7)))
    following = Range(midnight(-1) + 5 * HOUR, midnight(-1) + 7 * HOUR)
    assert await ledger.receive_all() == [following]


async def test_a_record_that_becomes_missing_sends_nothing(ledger: Ledger) -> None:
    await ledger.subscribe(midnight(-3))
    await ledger.keep(hours(midnight(-3), range(24)))
    await ledger.receive_all()
    assert await ledger.keep(hours(midnight(-3), [0, None, *range(2, 24)]))
    assert await ledger.receive_all() == []
    await ledger.keep(hours(midnight(-3), range(24)))
    again = Range(midnight(-3) + HOUR, midnight(-3) + 2 * HOUR)
    assert await ledger.receive_all() == [again]


async def test_a_correction_during_the_send_is_sent(ledger: Ledger) -> None:
    await ledger.subscribe(midnight(-3))
    await ledger.keep(hours(midnight(-3), range(24)))
    async with ledger.store.writing() as connection:
        message = await ledger.next_in(connection, "first")
        correcting = asyncio.create_task(ledger.keep(hours(midnight(-3), [100, *range(1, 24)])))
        await asyncio.sleep(0.2)
        assert not correcting.done()
    await correcting
    assert message is not None
    await ledger.receive(message)
    await ledger.receive_all()
    assert ledger.sent[midnight(-3)] == 100


async def test_a_queued_message_is_sent_with_its_corrections(ledger: Ledger) -> None:
    await ledger.subscribe(midnight(-3))
    await ledger.keep(hours(midnight(-3), range(24)))
    assert await ledger.next("lost") is not None
    await ledger.restart()
    await ledger.keep(hours(midnight(-3), [100, *range(1, 24)]))
    # The first message may arrive yet, and last: so the corrected hour goes after it.
    corrected = Range(midnight(-3), midnight(-3) + HOUR)
    assert await ledger.receive_all() == [Range(midnight(-3), midnight(-2)), corrected]
    assert ledger.sent == hours(midnight(-3), [100, *range(1, 24)])


async def test_a_repeated_message_keeps_its_id_until_it_changes(ledger: Ledger) -> None:
    await ledger.subscribe(midnight(-3))
    await ledger.keep(hours(midnight(-3), range(24)))
    first = await ledger.due("first")
    await ledger.restart()
    again = await ledger.due("again")
    await ledger.restart()
    await ledger.keep(hours(midnight(-3), [100, *range(1, 24)]))
    assert first.id == again.id != (await ledger.due("changed")).id


async def test_a_late_receipt_of_a_wrong_value_leaves_its_correction_due(
    ledger: Ledger,
) -> None:
    await ledger.subscribe(midnight(-3))
    await ledger.keep(hours(midnight(-3), range(24)))
    slow = await ledger.due("slow")
    await ledger.restart()
    await ledger.keep(hours(midnight(-3), [100, *range(1, 24)]))
    await ledger.receive(slow)
    assert await ledger.receive_all() == [Range(midnight(-3), midnight(-3) + HOUR)]
    assert ledger.sent == hours(midnight(-3), [100, *range(1, 24)])


async def test_a_past_read_after_the_subscription_is_not_pushed(store: Store) -> None:
    ledger = await Ledger.open(store)
    await ledger.grant(choice=MONTH)
    await ledger.subscribe(now() - DAY)
    for day in range(-20, 0):
        await ledger.keep(hours(midnight(day), range(24)))
    await ledger.receive_all()
    assert all(start >= now() - 2 * DAY for start in ledger.sent)


async def test_records_from_before_an_outage_are_sent(store: Store) -> None:
    ledger = await Ledger.open(store)
    await ledger.grant(choice=MONTH)
    await ledger.subscribe(midnight(-20), since=midnight(-25))
    await ledger.cover(midnight(-40), midnight(-20))
    await ledger.keep(hours(midnight(-3), range(24 * 3)))
    await ledger.receive_all()
    await ledger.keep(hours(midnight(-20), range(24 * 17)))
    await ledger.receive_all()
    assert sorted(ledger.sent) == sorted(hours(midnight(-20), range(24 * 20)))


# What may not leave


async def test_records_from_before_or_after_the_permission_never_leave(store: Store) -> None:
    ledger = await Ledger.open(store)
    await ledger.grant(choice=replace(WEEK, history_days=2, duration_days=1))
    await ledger.cover(midnight(-40), midnight(5))
    await ledger.subscribe(midnight(-10))
    first, last = now() - 2 * DAY, now() + DAY
    for value in (1, 2):
        await ledger.keep(dict.fromkeys(hours(midnight(-10), range(24 * 14)), value))
        await ledger.receive_all()
    assert min(ledger.sent) >= first - timedelta(seconds=2)
    assert max(ledger.sent) < last + timedelta(seconds=2)
    assert len(ledger.sent) in range(70, 73)
    assert set(ledger.sent.values()) == {2}


async def test_records_far_in_the_future_are_not_due(ledger: Ledger) -> None:
    await ledger.subscribe(midnight(-1))
    await ledger.keep(hours(midnight(20), range(24)))
    assert await ledger.receive_all() == []


async def test_each_peer_has_its_own_records_and_cursor(store: Store) -> None:
    coop = await Ledger.open(store)
    town = await Ledger.open(store, "town@example.org")
    await coop.cover(midnight(-40), midnight(1))
    await coop.grant(choice=replace(WEEK, history_days=3))
    await town.grant(choice=MONTH)
    await coop.keep(hours(midnight(-10), range(24 * 10)))
    await coop.subscribe(midnight(-2))
    await town.subscribe(midnight(-9))
    await coop.receive_all()
    await town.receive_all()
    assert min(coop.sent) == midnight(-2)
    assert min(town.sent) == midnight(-9)
    values = hours(midnight(-10), [7] * 24 * 10)
    await coop.keep(values)
    await town.receive_all()
    assert town.sent == dict.fromkeys(values, 7)
    await coop.receive_all()
    assert min(coop.sent) >= now() - 3 * DAY - timedelta(seconds=2)


async def test_the_longest_history_of_several_permissions_counts(
    store: Store,
) -> None:
    ledger = await Ledger.open(store)
    await ledger.grant(choice=replace(WEEK, history_days=0))
    await ledger.grant(replace(NEED, id="other"), MONTH)
    await ledger.grant(replace(NEED, id="third"), replace(WEEK, history_days=0))
    await ledger.cover(midnight(-40), midnight(1))
    await ledger.subscribe(midnight(-9))
    for value in (1, 2):
        await ledger.keep(dict.fromkeys(hours(midnight(-9), range(24 * 9)), value))
        await ledger.receive_all()
    assert ledger.sent == dict.fromkeys(hours(midnight(-9), range(24 * 9)), 2)


async def test_after_a_withdrawal_nothing_is_due_and_a_receipt_counts_for_nothing(
    store: Store,
) -> None:
    ledger = await Ledger.open(store)
    permissions = {await ledger.grant(), await ledger.grant(replace(NEED, id="other"))}
    await ledger.subscribe(midnight(-3))
    await ledger.keep(hours(midnight(-3), range(72)))
    message = await ledger.due("first")
    await ledger.withdraw(message.queued.permission)
    async with ledger.store.writing() as connection:
        assert await acknowledged(connection, ledger.peer.id, message.id) == []
    # The other permission still names the series.
    assert (await ledger.subscription()).cursor == midnight(-3)
    await ledger.receive_all()
    assert ledger.sent == hours(midnight(-3), range(72))
    (other,) = permissions - {message.queued.permission}
    await ledger.withdraw(other)
    await ledger.keep(hours(midnight(-3), range(100, 172)))
    assert await ledger.receive_all() == []


async def test_an_expired_permission_lets_nothing_leave_before_it_is_registered(
    place: Place, store: Store
) -> None:
    ledger = await Ledger.open(store)
    permission = await ledger.grant()
    await ledger.subscribe(midnight(-3))
    await ledger.keep(hours(midnight(-3), range(24)))
    assert await ledger.next("lost") is not None
    await ledger.restart()
    run_out(place, permission)
    assert await ledger.receive_all() == []
    await ledger.keep(hours(midnight(-3), range(24, 72)))
    assert await ledger.receive_all() == []
    async with store.writing() as connection:
        assert await waiting(connection, ledger.peer.id) == 1
        past = Range(midnight(-3), midnight(-2))
        with pytest.raises(NotPermitted):
            await queue(connection, ledger.peer.id, permission, ledger.series_id, past)


# Civil days


async def test_civil_days_are_sent_once_in_wh(store: Store) -> None:
    ledger = await Ledger.open(store, series=DAILY)
    await ledger.grant(replace(NEED, history_days=400), replace(WEEK, history_days=400))
    await ledger.cover(midnight(-400), midnight(1))
    await ledger.subscribe(midnight(-380))
    starts = [start for n in range(-380, -1) for start in DAILY.starts(midnight(n).date())]
    await ledger.keep({start: n for n, start in enumerate(starts)})
    assert len(await ledger.receive_all()) == 1
    assert ledger.sent == {start: n for n, start in enumerate(starts)}
    assert await ledger.cursor() == DAILY.end(starts[-1])
    # Their days are of 23 to 25 hours.
    assert len({DAILY.end(start) - start for start in starts}) == 3


async def test_two_series_with_one_name_reach_their_own_peers(
    store: Store,
) -> None:
    """By the delivery point, hours and five minutes of one meter have the same name."""
    hourly = await Ledger.open(store)
    fine = await Ledger.open(store, "town@example.org", FINE)
    by_point = replace(NEED, identification=Identification.DELIVERY_POINT)
    await hourly.grant(by_point)
    await fine.grant(replace(by_point, interval=Interval.PT5M))
    for ledger, steps in ((hourly, 24), (fine, 288)):
        await ledger.subscribe(midnight(-3))
        length = DAY / steps
        await ledger.keep({midnight(-3) + n * length: n for n in range(steps)})
    async with store.writing() as connection:
        messages = await next_messages(
            connection,
            NAMING,
            {ledger.peer.id: ledger.peer.jid for ledger in (fine, hourly)},
            {each.series_id: each.series for each in (fine, hourly)},
            new_id=lambda: "message",
            at=now(),
        )
    sent = {
        peer: data_of(message)
        for peer, message in messages.items()
        if isinstance(message, RecordsMessage)
    }
    names = {data.records[0].name for data in sent.values()}
    assert names == {"urn:dev:prm:30001610071843_consumption/power/active/raw"}
    assert len(sent[hourly.peer.id].records[0].values) == 24
    assert len(sent[fine.peer.id].records[0].values) == 288


async def test_a_series_with_two_permissions_is_sent_once(store: Store) -> None:
    ledger = await Ledger.open(store)
    pseudonym = await ledger.grant()
    by_name = replace(NEED, id="by-name", identification=Identification.NAME)
    await ledger.grant(by_name, replace(CHOICE, history_days=5))
    await ledger.subscribe(midnight(-3))
    await ledger.keep(hours(midnight(-3), range(24)))
    message = await ledger.due()
    (records,) = data_of(message).records
    name = NAMING.name(HOURLY, ledger.peer.jid, Identification.PSEUDONYM)
    assert records.name == str(name)
    assert name == NAMING.name(HOURLY, ledger.peer.jid, Identification.NAME)
    await ledger.receive(message)
    assert await ledger.next() is None
    # The other one goes on by itself.
    await ledger.withdraw(pseudonym)
    await ledger.keep(hours(midnight(-2), range(24)))
    assert await ledger.receive_all() == [Range(midnight(-2), midnight(-1))]


# Any life

_ACTIONS = st.one_of(
    st.tuples(st.just("keep"), st.integers(-9, -1), st.integers(0, 23)),
    st.tuples(st.just("lose"), st.integers(-9, -1), st.integers(0, 23)),
    st.tuples(st.just("send"), st.integers(0, 1), st.just(0)),
    st.tuples(st.just("receipt"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("restart"), st.just(0), st.just(0)),
    st.tuples(st.just("withdraw"), st.just(0), st.just(0)),
    st.tuples(st.just("grant"), st.integers(0, 12), st.just(0)),
)
_lives = count(1)


class Life:
    """A home and its peer, and what the peer should have."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.values: dict[datetime, int | None] = hours(midnight(-9), [None] * 24 * 9)
        self.number = count(1)
        self.on_their_way: list[RecordsMessage] = []
        self.permission: PermissionId | None = None
        self.start = now()
        self.version = 0

    async def step(self, action: str, which: int, hour: int) -> None:
        ledger = self.ledger
        match action:
            case "grant" if self.permission is None:
                self.version += 1
                choice = replace(WEEK, history_days=which)
                need = replace(NEED, version=self.version)
                self.permission = await ledger.grant(need, choice)
                self.start = now() - which * DAY
                await ledger.subscribe(max(midnight(-9), self.start))
            case "withdraw" if self.permission is not None:
                await ledger.withdraw(self.permission)
                self.permission = None
            case "keep" | "lose":
                day = midnight(which)
                changed = {
                    at: next(self.number) if action == "keep" else None
                    for at in (day + hour * HOUR, day + min(23, hour + 3) * HOUR)
                }
                self.values |= changed
                await ledger.keep(
                    {at: value for at, value in self.values.items() if day <= at < day + DAY}
                )
            case "send":
                message = await ledger.next(f"{next(_lives)}")
                if message is not None:
                    assert self.permission is not None
                    self.on_their_way.append(message)
                    assert message.queued.records.start >= self.start - timedelta(seconds=2)
                    if which:
                        ledger.record_message(message)
            case "receipt" if self.on_their_way:
                await ledger.receive(self.on_their_way.pop(which % len(self.on_their_way)))
            case "restart":
                await ledger.restart()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(_ACTIONS, min_size=5, max_size=40))
async def test_any_history_leaves_the_peer_with_the_household_s_records(
    store: Store, steps: list[tuple[str, int, int]]
) -> None:
    ledger = await Ledger.open(store, f"coop-{next(_lives)}@example.org")
    async with store.writing() as connection:
        await erase_series(connection, [ledger.series_id])
    await ledger.cover(midnight(-40), midnight(1))
    life = Life(ledger)
    await life.step("grant", 10, 0)
    for step in steps:
        await life.step(*step)
    await ledger.restart()
    if life.permission is None:
        assert await ledger.receive_all() == []
        return
    ledger.sent = {at: value for at, value in ledger.sent.items() if at >= life.start}
    await ledger.receive_all()
    wanted = {
        at: value
        for at, value in life.values.items()
        if value is not None and at >= max(life.start, midnight(-9))
    }
    assert wanted.items() <= ledger.sent.items()
    missing = ledger.sent.keys() - wanted.keys()
    assert all(life.values[at] is None for at in missing)
