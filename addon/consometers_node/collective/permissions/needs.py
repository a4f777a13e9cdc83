"""What this collective asks for: its own data needs, each version as members are told of it.

A version stands as it was offered. Whoever changes what is asked numbers it anew, and members are
asked again: what they gave to the version before goes on under the terms of that one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
import logging
import re
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ...permission import ChangedNeed, DataNeed, Wanted
from ...permission.need import MAX_DAYS
from ...quoalise import Malformed, Text, federation_xml
from ...quoalise.markup import parse, serialise
from ...quoalise.problems import Problem
from ...quoalise.text import text
from ...series import Direction, Interval, Quantity
from ...store.collective_tables import OwnNeedRow
from ...wire import Unsayable, read_need, write_need
from ..errors import Unknown

_LOGGER = logging.getLogger(__name__)
_RETENTION = re.compile(r'\sretention="P(\d{1,5})D"')
_LOST = text("What was asked in this version cannot be read any more.")
_NO_SUCH_NEED = text("Nothing of the name “{need}” is asked for: “needs list” tells what is.")


type Version = tuple[str, int]
"""A data need by its name, and its number."""


@dataclass(frozen=True, slots=True)
class OwnNeed:
    """One version of what this collective asks for. Once it is closed nobody can answer it."""

    need: DataNeed
    offered_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A version of what was asked for that this program cannot read, and why."""

    need: str
    version: int
    closed_at: datetime | None
    why: Text
    retention_days: int
    """As far as it can be found; otherwise 0: nothing is kept longer than anybody knows of."""

    @property
    def left(self) -> DataNeed:
        """Return what is known of it, to go on with what members granted."""
        said = {tag: _LOST.say(tag) for tag in _LOST.by_language}
        return DataNeed(
            id=self.need,
            version=self.version,
            title={"": self.need},
            purpose=said,
            recipients=said,
            controller="?",
            contact="?",
            policy="?",
            wanted=frozenset(Wanted(way, Quantity.ENERGY) for way in Direction),
            interval=Interval.P1D,
            history_days=0,
            duration_days=1,
            retention_days=self.retention_days,
        )


def as_told(need: DataNeed) -> DataNeed:
    """Return a data need as members read it. Raises Malformed, Unsayable."""
    return _read(_body(need))


async def offer(connection: AsyncConnection, need: DataNeed, at: datetime) -> bool:
    """Ask members for this from now on, and no longer for an older version of it.

    Tells whether it is new; what was offered before stays as it is. Raises ChangedNeed, and what
    `as_told` raises.
    """
    body = _body(need)
    told = _read(body)
    known = await _versions(connection, need.id)
    if need.version in known:
        same = known[need.version]
        if not isinstance(same, OwnNeed) or same.need != told:
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
    """Return a data need with the version of the newest if that says the same, else the next."""
    known = await _versions(connection, need.id)
    last = max(known, default=0)
    newest = known.get(last)
    if isinstance(newest, OwnNeed) and replace(need, version=last) == newest.need:
        return newest.need
    return replace(need, version=last + 1)


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
    """Return what is asked for now: one version of each."""
    return [one.need for one in await all_needs(connection) if one.closed_at is None]


async def versions(connection: AsyncConnection, need: str) -> list[OwnNeed]:
    """Return every version of one data need, the oldest first."""
    return [one for one in await all_needs(connection) if one.need.id == need]


async def all_needs(connection: AsyncConnection) -> list[OwnNeed]:
    """Return every version of everything that was ever asked for: they are few, and stay.

    What cannot be read is left out, for it stands in nobody's way: `unreadable` tells it.
    """
    return [one for one in await _all(connection) if isinstance(one, OwnNeed)]


async def unreadable(connection: AsyncConnection) -> list[Unreadable]:
    """Return what `all_needs` leaves out."""
    return [one for one in await _all(connection) if isinstance(one, Unreadable)]


async def granted(
    connection: AsyncConnection, versions: Collection[Version]
) -> Mapping[Version, DataNeed]:
    """Return versions that members granted: of one that cannot be read, what is left."""
    found: dict[Version, DataNeed] = {}
    for one in await _all(connection):
        if isinstance(one, OwnNeed):
            found[one.need.id, one.need.version] = one.need
        elif (version := (one.need, one.version)) in versions:
            tell_lost(*version, one.why.say())
            found[version] = one.left
    return found


@cache
def tell_lost(need: str, version: int, why: str) -> None:
    """Report it once, however often it is read."""
    _LOGGER.warning(
        "“%s”, version %s, cannot be read: what members granted of it goes on. %s",
        need,
        version,
        why,
    )


async def _all(connection: AsyncConnection) -> list[OwnNeed | Unreadable]:
    query = select(OwnNeedRow.__table__).order_by(OwnNeedRow.need, OwnNeedRow.version)
    return [_row(row) for row in await connection.execute(query)]


async def _versions(connection: AsyncConnection, need: str) -> dict[int, OwnNeed | Unreadable]:
    query = select(OwnNeedRow.__table__).where(OwnNeedRow.need == need)
    return {row.version: _row(row) for row in await connection.execute(query)}


def _row(row: Row[Any]) -> OwnNeed | Unreadable:
    try:
        return OwnNeed(_read(row.body), row.offered_at, row.closed_at)
    except (Malformed, Unsayable) as fault:
        return Unreadable(row.need, row.version, row.closed_at, fault.text, _retention(row.body))


def _retention(body: str) -> int:
    found = _RETENTION.search(body)
    return 0 if found is None else min(int(found[1]), MAX_DAYS)


async def _close(connection: AsyncConnection, need: str, at: datetime) -> bool:
    closing = update(OwnNeedRow).where(OwnNeedRow.need == need, OwnNeedRow.closed_at.is_(None))
    return bool((await connection.execute(closing.values(closed_at=at))).rowcount)


def _body(need: DataNeed) -> str:
    return serialise(federation_xml.write_data_needs([write_need(need)])).decode()


def _read(body: str) -> DataNeed:
    found = federation_xml.read_data_needs(parse(body.encode()))
    if len(found) != 1:
        problem = Problem.TWO_ELEMENTS if found else Problem.NO_ELEMENT
        raise Malformed("data-needs", problem, wanted="data-need")
    return read_need(found[0])
