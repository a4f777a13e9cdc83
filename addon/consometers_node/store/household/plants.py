"""Plants of collectives whose shares this home holds or could hold."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, select

from consometers_node.store.engine import upsert
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_node.store.tables import HeldPlantRow


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPlant:
    """A plant, and how many of its shares this home holds: see `HeldPlantRow`."""

    statistic: str
    jid: str
    identifier: str
    name: str
    shares: int
    total: int
    corrected: int | None = None
    since: datetime | None = None

    @property
    def held(self) -> int:
        """How many shares count: a correction at home before the collective's number."""
        return self.shares if self.corrected is None else self.corrected

    @property
    def part(self) -> float:
        """This home's part of the production."""
        return min(1.0, self.held / self.total)


async def all_held_plants(connection: AsyncConnection) -> list[HeldPlant]:
    """Return the stored plants, by name."""
    query = select(*columns_of(HeldPlantRow, HeldPlant)).order_by(
        HeldPlantRow.name, HeldPlantRow.statistic
    )
    return [HeldPlant(**row._asdict()) for row in await connection.execute(query)]


async def put_held_plant(connection: AsyncConnection, plant: HeldPlant) -> None:
    """Store a plant, in place of the one with its statistic."""
    await upsert.put(connection, HeldPlantRow, [asdict(plant)])


async def remove_held_plants(connection: AsyncConnection, statistics: Collection[str]) -> None:
    """Forget plants."""
    gone = delete(HeldPlantRow).where(HeldPlantRow.statistic.in_(statistics))
    await connection.execute(gone)
