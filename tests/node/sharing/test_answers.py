"""A household's answers: to whom, for which time, how much at once; and its refusals."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from consometers_node.i18n.protocol import sentence
from consometers_node.permission import Choice, DataNeedSeries, Identification, Permissions
from consometers_node.series import Device, Direction, Interval, Quantity, Range
from consometers_node.store import Store
from consometers_node.store.peers import add_peer, subscriptions
from consometers_node.store.settings import setting
from consometers_node.wire import Naming
from consometers_quoalise import (
    BadRequest,
    GetHistory,
    Identifier,
    ItemNotFound,
    Node,
    NotAuthorized,
    State,
)
from consometers_quoalise_network import Asker
from testing.databases.fixtures import Place
from testing.homes.answering import COOP, AnsweringHome, logged
from testing.homes.data_needs import (
    CHOICE,
    DAILY,
    FINE,
    HOURLY,
    INJECTED,
    NEED,
    PRODUCED,
    grant,
    now,
)
from testing.homes.ledgers import DAY, HOUR, NAMING, Ledger, hours, midnight, run_out
from testing.sentences import says

TOWN = Asker("town@example.org", "town@example.org/quoalise", "en")
STRANGER = Asker("stranger@example.org", "stranger@example.org/x", "en")


@pytest.fixture
def house(store: Store) -> AnsweringHome:
    return AnsweringHome(store)


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    """A week was granted, and has been read."""
    ledger = await Ledger.open(store)
    await ledger.grant()
    await ledger.cover(midnight(-40), midnight(1))
    await ledger.keep(hours(midnight(-10), range(240)))
    return ledger


async def test_granted_records_are_answered_and_logged(
    house: AnsweringHome, ledger: Ledger
) -> None:
    start, end = midnight(-3), midnight(-2)
    assert await house.history(start, end) == hours(start, range(168, 192))
    (answer,) = await logged(house, ledger)
    assert (answer.records, answer.count, answer.command) == (Range(start, end), 24, "get_history")
    assert house.answered == [(COOP.jid, Node.GET_HISTORY)]


async def test_without_a_range_the_last_day_is_answered(
    house: AnsweringHome, ledger: Ledger
) -> None:
    since = now() - DAY
    answer = await house.history()
    yesterday = hours(midnight(-1), range(24))
    assert set(answer) in [
        {start for start in yesterday if start >= at} for at in (since, now() - DAY)
    ]


async def test_fractions_of_a_second_neither_lose_nor_add_a_record(
    house: AnsweringHome, ledger: Ledger
) -> None:
    half = timedelta(milliseconds=500)
    answer = await house.history(midnight(-3) - half, midnight(-2) - half)
    assert list(answer) == list(hours(midnight(-3), range(24)))
    answer = await house.history(midnight(-3) + half, midnight(-2) + half)
    assert list(answer) == list(hours(midnight(-3) + HOUR, range(24)))


async def test_an_answer_is_clipped_to_the_permission(house: AnsweringHome, ledger: Ledger) -> None:
    values = await house.history(midnight(-10), midnight(30))
    assert min(values) >= now() - 7 * DAY - timedelta(seconds=5)
    assert max(values) == midnight() - HOUR
    (answer,) = await logged(house, ledger)
    assert answer.records.start >= now() - 7 * DAY - timedelta(seconds=5)


async def test_a_range_outside_the_permission_is_refused_with_the_permitted_one(
    house: AnsweringHome, ledger: Ledger
) -> None:
    with pytest.raises(NotAuthorized, check=says(r"read records from .* on")):
        await house.history(midnight(-10), midnight(-9))
    assert await logged(house, ledger) == []


async def test_an_empty_range_has_no_records(house: AnsweringHome, ledger: Ledger) -> None:
    assert await house.history(midnight(-3), midnight(-3)) == {}


type Ask = Callable[[AnsweringHome, Asker, Identifier], Awaitable[object]]
UNKNOWN = replace(HOURLY, device=Device("sensor.of_nobody"))


def history(house: AnsweringHome, asker: Asker, name: Identifier) -> Awaitable[object]:
    return house.answers.get_history(asker, GetHistory(name))


def subscribing(house: AnsweringHome, asker: Asker, name: Identifier) -> Awaitable[object]:
    return house.answers.subscribe(asker, name)


def unsubscribing(house: AnsweringHome, asker: Asker, name: Identifier) -> Awaitable[object]:
    return house.answers.unsubscribe(asker, name)


ASKS: list[Ask] = [history, subscribing, unsubscribing]


@pytest.mark.parametrize("ask", ASKS)
async def test_strangers_and_peers_without_a_grant_get_the_same_refusal(
    house: AnsweringHome, ledger: Ledger, ask: Ask
) -> None:
    async with house.store.writing() as connection:
        await add_peer(connection, TOWN.jid, "Town", now())
        await Permissions(connection).propose(ledger.peer.id, replace(NEED, id="new"), now())
    nothing = house.name(UNKNOWN)
    refusals = []
    for asker in (STRANGER, TOWN):
        for name in (house.name(), house.name(asker=asker), house.name(INJECTED), nothing):
            with pytest.raises(NotAuthorized) as refused:
                await ask(house, asker, name)
            refusals.append(sentence(refused.value))
    assert len({str(refusal) for refusal in refusals}) == 1
    assert house.answered == []


@pytest.mark.parametrize("ask", ASKS)
async def test_a_grant_reveals_no_other_series(
    house: AnsweringHome, ledger: Ledger, ask: Ask
) -> None:
    other = await Ledger.open(house.store, TOWN.jid, series=INJECTED)
    await other.grant()
    point = NAMING.name(HOURLY, COOP.jid, Identification.DELIVERY_POINT)
    nobodys = Naming(bytes(32), "12345678901234").name(
        HOURLY, COOP.jid, Identification.DELIVERY_POINT
    )
    for name in (house.name(INJECTED), house.name(DAILY), house.name(PRODUCED), point, nobodys):
        with pytest.raises(NotAuthorized):
            await ask(house, COOP, name)
    for name in (house.name(asker=TOWN), house.name(UNKNOWN)):
        with pytest.raises(ItemNotFound):
            await ask(house, COOP, name)


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("is_withdrawn", [True, False])
async def test_an_ended_permission_answers_nothing(
    place: Place, store: Store, house: AnsweringHome, ask: Ask, *, is_withdrawn: bool
) -> None:
    ledger = await Ledger.open(store)
    permission = await ledger.grant()
    await ledger.cover(midnight(-40), midnight(1))
    await house.history()
    await house.answers.subscribe(COOP, house.name())
    if is_withdrawn:
        await ledger.withdraw(permission)
    else:
        run_out(place, permission)
    with pytest.raises(NotAuthorized):
        await ask(house, COOP, house.name())
    assert await house.listed() == []


async def test_a_refusal_by_the_database_refuses_the_request(
    store: Store, house: AnsweringHome, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A clock that is far from the database's may log nothing.
    class Slow(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return now() - timedelta(minutes=20)

    monkeypatch.setattr("consometers_node.sharing.answers.datetime", Slow)
    with pytest.raises(NotAuthorized):
        await house.history(midnight(-3), midnight(-2))
    assert await logged(house, ledger) == []


async def test_too_many_records_are_refused_with_how_to_page(
    house: AnsweringHome, store: Store
) -> None:
    ledger = await Ledger.open(store, series=FINE)
    need = replace(NEED, interval=Interval.PT5M)
    await ledger.grant(need, replace(CHOICE, history_days=30))
    await ledger.cover(midnight(-40), midnight(1))
    five = timedelta(minutes=5)
    await ledger.keep({midnight(-29) + n * five: n for n in range(288 * 29)})
    for start in (midnight(-29), midnight(-15)):
        with pytest.raises(
            BadRequest, check=says(r"More than 2000 .* shorter period, then the next one")
        ):
            await house.history(start, midnight(), series=FINE)
    assert await logged(house, ledger) == []
    page = await house.history(midnight(-29), midnight(-29) + 2000 * five, series=FINE)
    assert len(page) == 2000
    with pytest.raises(BadRequest):
        await house.history(midnight(-29), midnight(-29) + 2001 * five, series=FINE)


async def test_civil_days_are_answered_over_the_turn_of_clocks(
    house: AnsweringHome, store: Store
) -> None:
    ledger = await Ledger.open(store, series=DAILY)
    year = replace(CHOICE, history_days=400)
    await ledger.grant(replace(NEED, history_days=400), year)
    await ledger.cover(midnight(-400), midnight(1))
    starts = [start for n in range(-390, -1) for start in DAILY.starts(midnight(n).date())]
    await ledger.keep({start: n for n, start in enumerate(starts)})
    answer = await house.history(midnight(-395), midnight(), series=DAILY)
    assert answer == {start: n for n, start in enumerate(starts)}
    (listed,) = await house.listed()
    assert (listed.first, listed.last, listed.unit) == (starts[0], starts[-1], "Wh")


# Subscriptions


async def test_a_subscription_starts_after_the_last_stored_record(
    house: AnsweringHome, ledger: Ledger
) -> None:
    await ledger.keep(hours(midnight(), range(1)))
    await house.answers.subscribe(COOP, house.name())
    assert await ledger.cursor() == midnight() + HOUR
    await ledger.keep(hours(midnight(), range(2)))
    await house.answers.subscribe(COOP, house.name())
    assert await ledger.cursor() == midnight() + HOUR
    assert [node for _, node in house.answered] == [Node.SUBSCRIBE] * 2


async def test_a_subscription_without_records_starts_a_day_back(
    house: AnsweringHome, store: Store
) -> None:
    ledger = await Ledger.open(store)
    await ledger.grant()
    await house.answers.subscribe(COOP, house.name())
    cursor = await ledger.cursor()
    assert cursor is not None
    assert abs(now() - DAY - cursor) < timedelta(seconds=5)


async def test_a_subscription_ends(house: AnsweringHome, ledger: Ledger) -> None:
    await house.answers.subscribe(COOP, house.name())
    for _ in range(2):
        await house.answers.unsubscribe(COOP, house.name())
    async with house.store.reading() as connection:
        assert await subscriptions(connection) == []


async def test_a_subscriber_s_support_of_receipts_is_stored(
    house: AnsweringHome, ledger: Ledger
) -> None:
    key = f"peer.{ledger.peer.id}.receipts"
    for confirms, stored in ((False, "no"), (None, "no"), (True, None)):
        house.confirms = confirms
        await house.answers.subscribe(COOP, house.name())
        async with house.store.reading() as connection:
            assert await setting(connection, key) == stored


# Lists


async def test_a_listed_series_shows_its_readable_range(
    house: AnsweringHome, ledger: Ledger
) -> None:
    (listed,) = await house.listed()
    assert listed.series == house.name()
    assert (str(listed.interval), listed.unit) == ("PT1H", "W")
    assert listed.first is not None
    assert abs(listed.first - (now() - 7 * DAY)) <= HOUR
    assert listed.last == midnight() - HOUR
    assert await house.listed(STRANGER) == []


@pytest.mark.parametrize(
    ("direction", "device"),
    [
        (Direction.CONSUMPTION, "electricity-meter"),
        (Direction.INJECTION, "electricity-meter"),
        (Direction.PRODUCTION, "inverter"),
    ],
)
async def test_a_list_tells_injection_from_production(
    house: AnsweringHome, store: Store, direction: Direction, device: str
) -> None:
    series = replace(HOURLY, direction=direction)
    ledger = await Ledger.open(store, series=series)
    asked = frozenset({DataNeedSeries(direction, Quantity.ENERGY)})
    await ledger.grant(replace(NEED, series=asked))
    (listed,) = await house.listed()
    assert listed.device == device


async def test_a_series_without_records_is_listed_too(house: AnsweringHome, store: Store) -> None:
    ledger = await Ledger.open(store)
    await ledger.grant()
    (listed,) = await house.listed()
    assert (listed.first, listed.last) == (None, None)


async def test_production_has_a_pseudonym_beside_delivery_points(
    house: AnsweringHome, store: Store
) -> None:
    need = replace(
        NEED,
        identification=Identification.DELIVERY_POINT,
        series=frozenset(DataNeedSeries(direction, Quantity.ENERGY) for direction in Direction),
    )
    async with store.writing() as connection:
        peer = await add_peer(connection, COOP.jid, "Coop", now())
        choice = Choice(series=frozenset({HOURLY, INJECTED, PRODUCED}))
        await grant(Permissions(connection), peer.id, need, choice)
    names = {str(entry.series) for entry in await house.listed()}
    assert {
        "urn:dev:prm:30001610071843_consumption/power/active/raw",
        "urn:dev:prm:30001610071843_production/power/active/raw",
    } < names
    assert len(names) == 3


# Given back


async def test_a_collective_terminates_its_permission(house: AnsweringHome, store: Store) -> None:
    ledger = await Ledger.open(store)
    permission = await ledger.grant()
    for _ in range(2):
        receipt = await house.answers.terminate(COOP, permission)
        assert (receipt.permission, receipt.state) == (permission, State.TERMINATED)
    with pytest.raises(NotAuthorized):
        await house.history()


async def test_a_peer_terminates_only_its_own_running_permissions(
    house: AnsweringHome, store: Store
) -> None:
    ledger, other = await Ledger.open(store), await Ledger.open(store, TOWN.jid)
    mine, theirs = await ledger.grant(), await other.grant()
    await ledger.withdraw(mine)
    for number in (mine, theirs, "no-such-permission", ""):
        with pytest.raises(ItemNotFound):
            await house.answers.terminate(COOP, number)
    with pytest.raises(NotAuthorized):
        await house.answers.terminate(STRANGER, theirs)
    assert len(await house.listed(TOWN)) == 1
