"""Series of other peers, imported into Home Assistant as external statistics."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from consometers_node.store.engine import upsert
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_node.store.tables import PulledSeriesRow

from .statistic_owners import own, owner


class OthersStatistic(Exception):
    """A statistic was imported from another peer: it is that peer's for good."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A series of a peer, and its statistic in Home Assistant.

    `jid` is the address that is asked, bare or full; `identifier` a urn; `until` the end of the
    last record that was written, None at first; `problem` why no more were, if there is one.
    """

    statistic: str
    jid: str
    identifier: str
    name: str
    added_at: datetime
    until: datetime | None = None
    problem: str | None = None


async def add_pulled(connection: AsyncConnection, pulled: Pulled) -> bool:
    """Pull a series from now on. Return whether its statistic is new; else nothing changes.

    Raises `OthersStatistic`.
    """
    jid = pulled.jid.partition("/")[0]
    peer = await owner(connection, pulled.statistic)
    if peer is None:
        device = pulled.identifier
        await own(connection, pulled.statistic, jid, device, pulled.statistic)
    elif peer != jid:
        raise OthersStatistic(pulled.statistic)
    new = upsert.insert(connection, PulledSeriesRow).values(asdict(pulled)).on_conflict_do_nothing()
    added = await connection.execute(new.returning(PulledSeriesRow.statistic))
    return added.one_or_none() is not None


async def remove_pulled(connection: AsyncConnection, statistic: str) -> bool:
    """Stop pulling a series. Return whether it was pulled before."""
    gone = delete(PulledSeriesRow).where(PulledSeriesRow.statistic == statistic)
    return (await connection.execute(gone)).rowcount > 0


async def all_pulled(connection: AsyncConnection) -> list[Pulled]:
    """Return every series that is pulled, the oldest first."""
    query = select(*columns_of(PulledSeriesRow, Pulled)).order_by(
        PulledSeriesRow.added_at, PulledSeriesRow.statistic
    )
    return [Pulled(*row) for row in await connection.execute(query)]


async def update_pulled(
    connection: AsyncConnection, statistic: str, **values: datetime | str | None
) -> None:
    """Store `until` where the records of a statistic were written, or the `problem` with it."""
    changed = update(PulledSeriesRow).where(PulledSeriesRow.statistic == statistic)
    await connection.execute(changed.values(**values))
