"""Letters that a home receives: of whom, how many, and for how long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest

from consometers_node.household.node import MOST_LETTERS, HouseholdAnswers
from consometers_node.household.recorder.memory import MEMORY
from consometers_node.permission import Permissions
from consometers_node.store import Store
from consometers_node.store.household import letters
from consometers_node.store.household.letters import (
    KEPT_FOR,
    MOST_OF_PEER,
    ReceivedLetter,
    all_letters,
)
from consometers_quoalise import Letter, Node, NotAuthorized, ResourceConstraint
from consometers_quoalise_network import Asker
from testing.clocks import sure
from testing.homes.answering import COOP, AnsweringHome
from testing.homes.data_needs import NEED, now
from testing.homes.ledgers import Ledger
from testing.sentences import says

STRANGER = Asker("stranger@example.org", "stranger@example.org/x", "en")


def letter(body: str = "Hello.") -> Letter:
    return Letter(id=str(uuid4()), time=datetime(2027, 3, 1, 9, tzinfo=UTC), body={"en": body})


async def stored(store: Store) -> list[ReceivedLetter]:
    async with store.reading() as connection:
        return await all_letters(connection)


@pytest.fixture
def house(store: Store) -> AnsweringHome:
    return AnsweringHome(store, partial(HouseholdAnswers, memory=MEMORY))


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    ledger = await Ledger.open(store)
    await ledger.grant()
    return ledger


async def test_a_letter_of_an_allowed_collective_is_stored_once(
    house: AnsweringHome, ledger: Ledger
) -> None:
    first = letter()
    await house.answers.receive_letter(COOP, first)
    await house.answers.receive_letter(COOP, replace(first, body={"en": "Something else."}))
    (received,) = await stored(house.store)
    assert (received.peer_id, received.id, received.body) == (
        ledger.peer.id,
        first.id,
        {"en": "Hello."},
    )
    assert received.written_at == first.time
    assert received.read_at is None
    assert house.answered == [(COOP.jid, Node.SEND_LETTER)]


@pytest.mark.usefixtures("ledger")
async def test_a_stranger_s_letter_is_refused_with_a_reason(house: AnsweringHome) -> None:
    with pytest.raises(NotAuthorized, check=says("allows you nothing")):
        await house.answers.receive_letter(STRANGER, letter())
    assert await stored(house.store) == []


async def test_a_collective_that_only_asks_is_a_stranger(house: AnsweringHome) -> None:
    ledger = await Ledger.open(house.store)
    async with house.store.writing() as connection:
        await Permissions(connection).propose(ledger.peer.id, NEED, now())
    with pytest.raises(NotAuthorized, check=says("allows you nothing")):
        await house.answers.receive_letter(COOP, letter())


async def test_after_the_end_of_its_permission_a_collective_is_a_stranger(
    house: AnsweringHome, ledger: Ledger
) -> None:
    async with house.store.writing() as connection:
        permissions = Permissions(connection)
        for permission in await permissions.all(ledger.peer.id):
            await permissions.terminate(permission.id, now())
    with pytest.raises(NotAuthorized, check=says("allows you nothing")):
        await house.answers.receive_letter(COOP, letter())
    assert await stored(house.store) == []


@pytest.mark.usefixtures("ledger")
async def test_a_collective_writes_so_often_a_day_and_a_repetition_does_not_count(
    house: AnsweringHome,
) -> None:
    first = letter()
    for each in (first, first, *(letter() for _ in range(MOST_LETTERS - 1))):
        await house.answers.receive_letter(COOP, each)
    with pytest.raises(ResourceConstraint, check=says("5 messages a day")):
        await house.answers.receive_letter(COOP, letter())
    await house.answers.receive_letter(COOP, first)
    assert len(await stored(house.store)) == MOST_LETTERS


async def test_the_oldest_letters_go(store: Store, ledger: Ledger) -> None:
    async with store.writing() as connection:
        for day in range(MOST_OF_PEER + 2):
            at = now() - timedelta(days=100 - day)
            received = ReceivedLetter(
                peer_id=ledger.peer.id,
                id=str(uuid4()),
                written_at=at,
                received_at=at,
                body={"en": str(day)},
            )
            await letters.add(connection, received)
    newest = [each.body["en"] for each in await stored(store)]
    assert newest == [str(day) for day in range(MOST_OF_PEER + 1, 1, -1)]
    async with store.writing() as connection:
        first = now() - timedelta(days=98) + KEPT_FOR
        await letters.forget(connection, sure(first + timedelta(hours=1)))
    assert len(await stored(store)) == MOST_OF_PEER - 1
