"""What this collective asks for: its own data needs, each version as members are told of it.

A version stands as it was offered. Whoever changes what is asked numbers it anew, and members are
asked again: what they gave to the version before goes on under the terms of that one.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..permission import ChangedNeed, DataNeed
from ..quoalise import federation_xml
from ..quoalise.markup import parse, serialise
from ..quoalise.text import text
from ..store.collective_tables import OwnNeedRow
from ..wire import read_need, write_need
from .errors import Unknown

_NO_SUCH_NEED = text(
    "Nothing of the name “{need}” is asked for: “needs list” tells what is.",
    "Rien n’est demandé sous le nom « {need} » : « needs list » dit ce qui l’est.",
)


@dataclass(frozen=True, slots=True)
class OwnNeed:
    """One version of what this collective asks for. Once it is closed nobody can answer it."""

    need: DataNeed
    offered_at: datetime
    closed_at: datetime | None


async def offer(connection: AsyncConnection, need: DataNeed, at: datetime) -> bool:
    """Ask members for this from now on, and no longer for an older version of it.

    Tells whether it is new; what was offered before stays as it is. Raises ChangedNeed.
    """
    known = {one.need.version: one for one in await versions(connection, need.id)}
    body = serialise(federation_xml.write_data_needs([write_need(need)])).decode()
    if (same := known.get(need.version)) is not None:
        if same.need != _read(body):
            raise ChangedNeed(need.id, need.version)
        return False
    if need.version < max(known, default=0):
        raise ChangedNeed(need.id, need.version)
    await _close(connection, need.id, at)
    await connection.execute(
        insert(OwnNeedRow).values(need=need.id, version=need.version, body=body, offered_at=at)
    )
    return True


async def numbered(connection: AsyncConnection, need: DataNeed) -> DataNeed:
    """Give a data need with the version of the newest that says the same, or with the next one."""
    known = await versions(connection, need.id)
    if not known:
        return replace(need, version=1)
    newest = known[-1].need
    return (
        newest
        if replace(need, version=newest.version) == newest
        else replace(need, version=newest.version + 1)
    )


async def close(connection: AsyncConnection, need: str, at: datetime) -> None:
    """Ask for this no longer. What members gave goes on until it ends. Raises Unknown."""
    if not await _close(connection, need, at):
        raise Unknown(_NO_SUCH_NEED.fill(need=need))


async def reopen(connection: AsyncConnection, need: str) -> None:
    """Ask for the newest version of this again. Raises Unknown."""
    known = await versions(connection, need)
    if not known:
        raise Unknown(_NO_SUCH_NEED.fill(need=need))
    newest = known[-1].need.version
    await connection.execute(
        update(OwnNeedRow)
        .where(OwnNeedRow.need == need, OwnNeedRow.version == newest)
        .values(closed_at=None)
    )


async def offered(connection: AsyncConnection) -> list[DataNeed]:
    """Give what is asked for now: one version of each."""
    return [one.need for one in await all_needs(connection) if one.closed_at is None]


async def versions(connection: AsyncConnection, need: str) -> list[OwnNeed]:
    """Give every version of one data need, the oldest first."""
    return [one for one in await all_needs(connection) if one.need.id == need]


async def all_needs(connection: AsyncConnection) -> list[OwnNeed]:
    """Give every version of everything that was ever asked for: they are few, and stay."""
    query = select(OwnNeedRow.body, OwnNeedRow.offered_at, OwnNeedRow.closed_at).order_by(
        OwnNeedRow.need, OwnNeedRow.version
    )
    return [OwnNeed(_read(row.body), *row[1:]) for row in await connection.execute(query)]


async def _close(connection: AsyncConnection, need: str, at: datetime) -> bool:
    closing = update(OwnNeedRow).where(OwnNeedRow.need == need, OwnNeedRow.closed_at.is_(None))
    return bool((await connection.execute(closing.values(closed_at=at))).rowcount)


def _read(body: str) -> DataNeed:
    (said,) = federation_xml.read_data_needs(parse(body.encode()))
    return read_need(said)
