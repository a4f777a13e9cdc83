"""What a home answers while its history is still on its way from Home Assistant."""

from functools import partial

import pytest

from consometers_node.household.node import HouseholdAnswers
from consometers_node.household.recorder.memory import MEMORY
from consometers_node.store import Store
from consometers_quoalise import ResourceConstraint
from testing.homes.answering import AnsweringHome, logged
from testing.homes.ledgers import Ledger, hours, midnight
from testing.sentences import says


@pytest.fixture
def house(store: Store) -> AnsweringHome:
    return AnsweringHome(store, partial(HouseholdAnswers, memory=MEMORY))


async def test_unread_history_asks_the_peer_to_retry(house: AnsweringHome, store: Store) -> None:
    ledger = await Ledger.open(store)
    await ledger.grant()
    await ledger.keep(hours(midnight(-2), range(48)))
    with pytest.raises(ResourceConstraint, check=says("still reading")):
        await house.history(midnight(-2), midnight(-1))
    await ledger.cover(midnight(-3), midnight(1))
    assert len(await house.history(midnight(-3), midnight(-1))) == 24
    with pytest.raises(ResourceConstraint, check=says("still reading")):
        await house.history(midnight(-4), midnight(-1))
    await ledger.cover(midnight(-9), midnight(-4))
    with pytest.raises(ResourceConstraint, check=says("still reading")):
        await house.history(midnight(-4), midnight(-3))
    assert await logged(house, ledger) != []
