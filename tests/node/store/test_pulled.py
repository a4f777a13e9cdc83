"""Series of other peers, and how far each has been written."""

from dataclasses import replace
from datetime import timedelta

from consometers_node.store import Store
from consometers_node.store.pulled import (
    Pulled,
    add_pulled,
    all_pulled,
    remove_pulled,
    update_pulled,
)

from ..permission.samples import now

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
        assert not await add_pulled(connection, replace(GRID, jid="other@example.org"))
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
