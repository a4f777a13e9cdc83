"""What a collective asks for, in versions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consometers_node.collective import needs
from consometers_node.collective.errors import Unknown
from consometers_node.permission import ChangedNeed, Wanted
from consometers_node.series import Direction, Quantity
from consometers_node.store import Store

from ..permission.samples import NEED
from .people import AT

LATER = AT + timedelta(days=30)
POWER = replace(
    NEED,
    id="power",
    wanted=frozenset(
        {
            Wanted(Direction.PRODUCTION, Quantity.POWER),
            Wanted(Direction.PRODUCTION, Quantity.ENERGY),
        }
    ),
)


async def test_what_is_offered_is_asked_for(store: Store) -> None:
    async with store.writing() as connection:
        assert await needs.offer(connection, NEED, AT)
        assert await needs.offer(connection, POWER, AT)
    async with store.reading() as connection:
        assert await needs.offered(connection) == [POWER, NEED]
        (kept,) = await needs.versions(connection, NEED.id)
    assert kept == needs.OwnNeed(NEED, AT, None)


async def test_what_is_offered_again_is_the_same(store: Store) -> None:
    async with store.writing() as connection:
        await needs.offer(connection, NEED, AT)
        assert not await needs.offer(connection, NEED, LATER)
        assert [one.offered_at for one in await needs.all_needs(connection)] == [AT]


async def test_a_new_version_takes_the_place_of_the_one_before(store: Store) -> None:
    newer = replace(NEED, version=3, purpose={"fr": "Autre chose."})
    async with store.writing() as connection:
        await needs.offer(connection, NEED, AT)
        assert await needs.offer(connection, newer, LATER)
        assert await needs.offered(connection) == [newer]
        assert [one.closed_at for one in await needs.versions(connection, NEED.id)] == [LATER, None]


@pytest.mark.parametrize(
    "changed",
    [
        replace(NEED, version=2, purpose={"fr": "Autre chose."}),
        replace(NEED, version=2, retention_days=NEED.retention_days + 1),
        replace(NEED, version=1),
    ],
    ids=["other words", "kept longer", "an older version"],
)
async def test_what_changed_has_a_new_version(store: Store, changed: object) -> None:
    assert isinstance(changed, type(NEED))
    async with store.writing() as connection:
        await needs.offer(connection, replace(NEED, version=2), AT)
        with pytest.raises(ChangedNeed):
            await needs.offer(connection, changed, LATER)


async def test_what_is_closed_is_asked_for_no_longer_and_can_be_again(store: Store) -> None:
    async with store.writing() as connection:
        await needs.offer(connection, NEED, AT)
        await needs.close(connection, NEED.id, LATER)
        assert await needs.offered(connection) == []
        with pytest.raises(Unknown):
            await needs.close(connection, NEED.id, LATER)
        assert not await needs.offer(connection, NEED, LATER)
        assert await needs.offered(connection) == []
        await needs.reopen(connection, NEED.id)
        assert await needs.offered(connection) == [NEED]
        with pytest.raises(Unknown):
            await needs.reopen(connection, "other")
