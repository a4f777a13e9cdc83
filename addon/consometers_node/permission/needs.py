"""Data needs in the database, all versions of them."""

from collections.abc import Collection
from dataclasses import asdict, fields
from datetime import datetime

from sqlalchemy import func, insert, select

from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_node.store.engine.errors import DAMAGED, Unusable
from consometers_node.store.tables import DataNeedRow, DataNeedSeriesRow, NeedId, PeerId
from consometers_quoalise import Witness

from .errors import ChangedNeed
from .need import DataNeed, DataNeedSeries

_FACTS = columns_of(DataNeedRow, DataNeed, id=DataNeedRow.need, series=None)


async def add_need(
    connection: AsyncConnection, peer: PeerId, need: DataNeed, at: datetime
) -> NeedId:
    """Return the id of this version of a data need, stored if it is new. Raises ChangedNeed."""
    query = select(DataNeedRow.id).where(
        DataNeedRow.peer_id == peer,
        DataNeedRow.need == need.id,
        DataNeedRow.version == need.version,
    )
    stored = (await connection.execute(query)).scalar_one_or_none()
    if stored is not None:
        if (await some_needs(connection, [stored]))[stored] != need:
            raise ChangedNeed(need.id, need.version)
        return stored
    if need.version < await newest_version(connection, peer, need.id):
        raise ChangedNeed(need.id, need.version)
    values = {
        getattr(DataNeedRow, field.name): getattr(need, field.name)
        for field in fields(need)
        if field.name not in {"id", "series"}
    }
    values |= {
        DataNeedRow.peer_id: peer,
        DataNeedRow.need: need.id,
        DataNeedRow.received_at: at,
        DataNeedRow.witness: None if need.witness is None else _stored(need.witness),
    }
    result = await connection.execute(insert(DataNeedRow).values(values).returning(DataNeedRow.id))
    need_id = result.scalar_one()
    kinds = [
        {"data_need_id": need_id, "direction": series.direction, "quantity": series.quantity}
        for series in need.series
    ]
    await connection.execute(insert(DataNeedSeriesRow), kinds)
    return need_id


async def newest_version(connection: AsyncConnection, peer: PeerId, need: str) -> int:
    """Return the newest version of a data need that came, 0 without one."""
    query = select(func.max(DataNeedRow.version)).where(
        DataNeedRow.peer_id == peer, DataNeedRow.need == need
    )
    return (await connection.execute(query)).scalar_one() or 0


async def some_needs(
    connection: AsyncConnection, numbers: Collection[NeedId]
) -> dict[NeedId, DataNeed]:
    """Return these data needs.

    Raises:
        Unusable: the series of a data need are gone, as in a damaged file that SQLite takes for
            sound.
    """
    series: dict[NeedId, set[DataNeedSeries]] = {}
    kinds = select(
        DataNeedSeriesRow.data_need_id, DataNeedSeriesRow.direction, DataNeedSeriesRow.quantity
    )
    kinds = kinds.where(DataNeedSeriesRow.data_need_id.in_(numbers))
    for need_id, direction, quantity in await connection.execute(kinds):
        series.setdefault(need_id, set()).add(DataNeedSeries(direction, quantity))
    query = select(DataNeedRow.id.label("stored_id"), *_FACTS).where(DataNeedRow.id.in_(numbers))
    needs = {}
    for row in (await connection.execute(query)).mappings():
        facts = dict(row)
        need_id = facts.pop("stored_id")
        if need_id not in series:
            raise Unusable(DAMAGED)
        witness = facts["witness"]
        if witness is not None:
            witness = Witness(**witness | {"minimum": int(witness["minimum"])})
        needs[need_id] = DataNeed(
            **facts | {"series": frozenset(series[need_id]), "witness": witness}
        )
    return needs


def _stored(witness: Witness) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(witness).items()}
