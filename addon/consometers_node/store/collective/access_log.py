"""The access log: who read what of which member. `answer` has the accesses of peers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from consometers_node.series import Range
from consometers_node.store.clock import Confirmed
from consometers_node.store.collective.tables import AccessLogRow, MemberId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.tables import AnswerRow

KEPT_FOR = timedelta(days=367)
"""The database itself lets no entry be removed for 366 days."""

_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An access to the data of a member: `records` of a range, or other data."""

    at: datetime
    who: str
    what: str
    member: MemberId | None = None
    range: Range | None = None
    records: int = 0


async def note_read(connection: AsyncConnection, read: Read) -> None:
    """Log an access, before the data leaves."""
    await connection.execute(
        insert(AccessLogRow).values(
            at=read.at,
            who=read.who,
            what=read.what,
            member_id=read.member,
            range_start=read.range.start if read.range else None,
            range_end=read.range.end if read.range else None,
            records=read.records,
        )
    )


def written_by(who: str) -> Callable[[AsyncConnection, str], Awaitable[None]]:
    """Return what logs the decisions of an administrator in the collective's name."""

    async def log(connection: AsyncConnection, what: str) -> None:
        await note_read(connection, Read(at=datetime.now(UTC), who=who, what=what))

    return log


async def reads(
    connection: AsyncConnection, member: MemberId | None = None, since: datetime | None = None
) -> list[Read]:
    """Return the accesses, to one member's data or to all, the last first."""
    query = select(AccessLogRow.__table__).order_by(AccessLogRow.id.desc())
    if member is not None:
        query = query.where(AccessLogRow.member_id == member)
    if since is not None:
        query = query.where(AccessLogRow.at >= since)
    return [
        Read(
            at=row.at,
            who=row.who,
            what=row.what,
            member=row.member_id,
            range=None if row.range_start is None else Range(row.range_start, row.range_end),
            records=row.records,
        )
        for row in await connection.execute(query)
    ]


async def last_read(connection: AsyncConnection, member: MemberId, what: str) -> datetime | None:
    """Return when a member's data was last accessed in this way."""
    query = select(func.max(AccessLogRow.at)).where(
        AccessLogRow.member_id == member, AccessLogRow.what == what
    )
    return (await connection.execute(query)).scalar_one()


async def rename(connection: AsyncConnection, who: str, name: str) -> None:
    """Call a reader by another name, once its own is erased."""
    renamed = update(AccessLogRow).where(AccessLogRow.who == who).values(who=name)
    await connection.execute(renamed)


async def forget(connection: AsyncConnection, now: Confirmed) -> None:
    """Delete the oldest expired entries, of answers too: as many as take no time."""
    for table in (AnswerRow, AccessLogRow):
        oldest = select(table.id, table.at).order_by(table.id).limit(_AT_ONCE).subquery()
        gone = select(oldest.c.id).where(oldest.c.at < now - KEPT_FOR)
        await connection.execute(delete(table).where(table.id.in_(gone)))
