"""Series of other peers, and how far each has been written."""

from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from sqlalchemy import UpdateBase, delete, insert, update
from sqlalchemy.exc import IntegrityError

from consometers_node.store import Store
from consometers_node.store.household.pulled import (
    OthersStatistic,
    Pulled,
    add_pulled,
    all_pulled,
    remove_pulled,
    update_pulled,
)
from consometers_node.store.household.statistic_owners import own
from consometers_node.store.tables import HeldPlantRow, PulledSeriesRow, StatisticOwnerRow
from testing.homes.data_needs import now

GRID = Pulled(
    statistic="consometers:grid",
    jid="town@example.org/node",
    identifier="urn:dev:prm:30001610071843_consumption",
    name="The town hall",
    added_at=now(),
)
ROOF = replace(GRID, statistic="consometers:roof", added_at=GRID.added_at - timedelta(days=1))


async def test_a_statistic_holds_one_series_and_the_oldest_comes_first(store: Store) -> None:
    async with store.writing() as connection:
        assert await add_pulled(connection, GRID)
        assert await add_pulled(connection, ROOF)
        assert not await add_pulled(connection, GRID)
        assert await all_pulled(connection) == [ROOF, GRID]
        assert await remove_pulled(connection, GRID.statistic)
        assert not await remove_pulled(connection, GRID.statistic)
        assert await all_pulled(connection) == [ROOF]


async def test_a_problem_of_one_import_leaves_the_others_unchanged(store: Store) -> None:
    until = now()
    async with store.writing() as connection:
        await add_pulled(connection, GRID)
        await add_pulled(connection, ROOF)
        await update_pulled(connection, GRID.statistic, until=until)
        await update_pulled(connection, ROOF.statistic, problem="It cannot be reached.")
        assert await all_pulled(connection) == [
            replace(ROOF, problem="It cannot be reached."),
            replace(GRID, until=until),
        ]
        await update_pulled(connection, ROOF.statistic, problem=None)
        assert await all_pulled(connection) == [ROOF, replace(GRID, until=until)]


async def test_a_statistic_is_of_its_peer_for_good(store: Store) -> None:
    other = replace(GRID, jid="other@example.org")
    async with store.writing() as connection:
        await add_pulled(connection, GRID)
        await remove_pulled(connection, GRID.statistic)
        with pytest.raises(OthersStatistic):
            await add_pulled(connection, other)
        assert await all_pulled(connection) == []
        assert await add_pulled(connection, replace(GRID, jid="town@example.org"))


@pytest.mark.parametrize(
    "statement",
    [
        insert(PulledSeriesRow).values(
            asdict(GRID) | {"statistic": ROOF.statistic, "jid": "other@example.org"}
        ),
        update(PulledSeriesRow).values(jid="town@example.orgies"),
        update(PulledSeriesRow).values(statistic=ROOF.statistic),
        insert(HeldPlantRow).values(
            statistic=ROOF.statistic,
            jid="other@example.org",
            identifier="urn:dev:org:60060-roof_production/power/active/raw",
            name="Roof",
            shares=1,
            total=2,
        ),
        update(StatisticOwnerRow).values(jid="other@example.org"),
        delete(StatisticOwnerRow),
    ],
)
async def test_the_database_refuses_the_statistic_of_another_peer(
    store: Store, statement: UpdateBase
) -> None:
    async with store.writing() as connection:
        await add_pulled(connection, GRID)
        await own(connection, ROOF.statistic, "else@example.org", "device", ROOF.statistic)
    with pytest.raises(IntegrityError):
        async with store.writing() as connection:
            await connection.execute(statement)
