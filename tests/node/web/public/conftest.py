"""A cooperative of Lorient: homes, and a school with panels."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
import shutil

import pytest

from consometers_node.collective.disclosure import Reason
from consometers_node.collective.members import GroupKind
from consometers_node.collective.sites import Building, Description, Heat
from consometers_node.series import Direction, Interval
from consometers_node.store import Store
from consometers_node.store.collective_tables import GroupId
from consometers_node.store.releases import RowKey

from .town import NOW, Town, day_of, serving, settings

SCHOOL = Description(
    building=Building.SCHOOL,
    heating=Heat.GAS,
    hot_water=Heat.ELECTRIC,
    surface_m2=1850,
    peak_kwp=36,
    words="The roof of the gym.",
)


@pytest.fixture(scope="session")
def filled() -> dict[str, Path]:
    """Where a database was filled, once it was."""
    return {}


@pytest.fixture
async def empty(file: Store, tmp_path: Path, socket_enabled: None) -> AsyncIterator[Town]:
    async with serving(Town(file, settings(tmp_path))) as town:
        yield town


@pytest.fixture
async def town(
    filled: dict[str, Path],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    socket_enabled: None,
) -> AsyncIterator[Town]:
    if not filled:
        place = tmp_path_factory.mktemp("town") / "node.db"
        store = await Store.open(place)
        await fill(Town(store, settings(tmp_path)))
        await store.checkpoint()
        await store.close()
        filled["town"] = place
    store = await Store.open(Path(shutil.copy(filled["town"], tmp_path / "town.db")))
    async with serving(Town(store, settings(tmp_path))) as opened:
        yield opened
    await store.close()


async def fill(town: Town) -> None:
    """Release some hours up to now, and June of the year before.

    10 kW are drawn at all times; 6 kW made by day, of which 2 kW are fed into the grid.
    """
    everybody = await town.group()
    await town.join(everybody, 40)
    school = await town.site("École de Kersabiec", SCHOOL, "Lorient")
    until = NOW.replace(minute=0)
    for first, last in ((date(2026, 6, 8), NOW.date()), (date(2025, 6, 1), date(2025, 6, 30))):
        hours = day_of(
            first,
            last,
            consumption=lambda hour: 10_000,
            production=lambda hour: 6_000 if 8 <= hour < 20 else 0,
            injection=lambda hour: 2_000 if 8 <= hour < 20 else 0,
        )
        told = {
            direction: {start: value for start, value in watts.items() if start < until}
            for direction, watts in hours.items()
        }
        await town.release(everybody, told)
        await town.release(school, told, members=1)
    out = until.hour
    await town.look_at(
        everybody,
        RowKey(Direction.CONSUMPTION, Interval.PT1H, NOW.date()),
        [Reason.NONE] * out + [Reason.NOT_YET] * (24 - out),
        [37] * out + [0] * (24 - out),
    )
    await withhold(town, await town.group(GroupKind.AREA, "Larmor-Plage"), Reason.TOO_FEW, 7)


async def withhold(town: Town, group: GroupId, reason: Reason, homes: int) -> None:
    """Say of a group, for today and this month, why nothing is told of what it draws."""
    for interval, row, count in (
        (Interval.PT1H, NOW.date(), 24),
        (Interval.PT1H, NOW.date() - timedelta(days=1), 24),
        (Interval.P1D, NOW.date().replace(day=1), 30),
    ):
        key = RowKey(Direction.CONSUMPTION, interval, row)
        await town.look_at(group, key, [reason] * count, [homes] * count)
