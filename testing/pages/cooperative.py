"""A cooperative of Lorient: homes, and a school with panels."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
import shutil

import pytest

from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.members.sites import Building, Description, Heat
from consometers_node.collective.monitoring.backups import BackupStep, note
from consometers_node.series import Direction, Interval
from consometers_node.store import Store
from consometers_node.store.collective.groups import GroupKind
from testing.pages.town import NOW, ZONE, ReleasedTown, day_of, hours_of, serving, settings

SCHOOL = Description(
    building=Building.SCHOOL,
    heating=Heat.GAS,
    hot_water=Heat.ELECTRIC,
    surface_m2=1850,
    peak_kwp=36,
    words_en="The roof of the gym.",
)


@pytest.fixture(scope="session")
def filled() -> dict[str, Path]:
    """Where a database was filled, once it was."""
    return {}


@pytest.fixture
async def town(
    filled: dict[str, Path],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    socket_enabled: None,
) -> AsyncIterator[ReleasedTown]:
    if not filled:
        place = tmp_path_factory.mktemp("town") / "node.db"
        store = await Store.open(place)
        await fill(ReleasedTown(store, settings(tmp_path)))
        await store.checkpoint()
        await store.close()
        filled["town"] = place
    store = await Store.open(Path(shutil.copy(filled["town"], tmp_path / "town.db")))
    async with serving(ReleasedTown(store, settings(tmp_path))) as opened:
        yield opened
    await store.close()


async def fill(town: ReleasedTown) -> None:
    """Release some hours up to now, and June of the year before.

    10 kW are drawn at all times; 6 kW made by day, of which 2 kW go to the grid.
    """
    everybody = await town.group()
    await town.join(everybody, 40)
    async with town.store.writing() as connection:
        for step in BackupStep:
            await note(connection, step, NOW)
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
        drawn = {
            direction: {start: value for start, value in watts.items() if start < until}
            for direction, watts in hours.items()
        }
        await town.release(everybody, drawn, counting=40)
        await town.release(school, drawn, members=1)
    larmor = await town.group(GroupKind.AREA, "Larmor-Plage")
    before = dict.fromkeys(hours_of(date(2026, 5, 31)), 3000)
    await town.release(larmor, {Direction.CONSUMPTION: before}, members=12)
    days = [datetime(2026, 6, day, tzinfo=ZONE) for day in range(1, NOW.day)]
    for direction in Direction:
        starts = [start for start in hours_of(date(2026, 6, 8), NOW.date()) if start < until]
        await town.close(starts, Reason.BELOW_THRESHOLD, direction=direction)
        await town.close(days, Reason.BELOW_THRESHOLD, direction=direction, interval=Interval.P1D)


SITE = "ecole-de-kersabiec"
