"""Which peer each imported statistic of Home Assistant is of.

Home Assistant keeps a statistic after its peer was left: no other peer may go on writing it.
"""

from sqlalchemy import insert, select

from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.tables import StatisticOwnerRow


async def own_statistic(connection: AsyncConnection, jid: str, device: str, wanted: str) -> str:
    """Return the statistic of a peer's device: the wanted name, or one beside it if taken.

    It is the same each time.
    """
    query = select(StatisticOwnerRow.statistic).where(
        StatisticOwnerRow.jid == jid,
        StatisticOwnerRow.device == device,
        StatisticOwnerRow.wanted == wanted,
    )
    if (stored := (await connection.execute(query)).scalar_one_or_none()) is not None:
        return stored
    statistic, number = wanted, 1
    while await owner(connection, statistic) is not None:
        number += 1
        statistic = f"{wanted}_{number}"
    await own(connection, statistic, jid, device, wanted)
    return statistic


async def devices_ever(connection: AsyncConnection, jid: str, prefix: str) -> set[str]:
    """Return the devices of a peer for which a statistic of this prefix was ever made."""
    query = select(StatisticOwnerRow.device).where(
        StatisticOwnerRow.jid == jid, StatisticOwnerRow.wanted.startswith(prefix, autoescape=True)
    )
    return set((await connection.execute(query)).scalars())


async def owner(connection: AsyncConnection, statistic: str) -> str | None:
    """Return the bare JID that a statistic is of; None if nothing was ever imported as it."""
    query = select(StatisticOwnerRow.jid).where(StatisticOwnerRow.statistic == statistic)
    return (await connection.execute(query)).scalar_one_or_none()


async def own(
    connection: AsyncConnection, statistic: str, jid: str, device: str, wanted: str
) -> None:
    """Store that a statistic is a peer's."""
    values = {"statistic": statistic, "jid": jid, "device": device, "wanted": wanted}
    await connection.execute(insert(StatisticOwnerRow).values(values))
