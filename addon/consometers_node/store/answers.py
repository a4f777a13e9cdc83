"""The logs of answers to peers, written before they leave, and of data that peers sent us."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select

from consometers_node.series import Range

from .engine.connection import AsyncConnection
from .engine.declaration import columns_of
from .engine.errors import only_with_permission
from .tables import AccessRequestRow, AnswerRow, PeerId, PermissionId, SeriesId


@dataclass(frozen=True, slots=True)
class Answer:
    """Which records left to whom, by which command, under which permission."""

    peer: PeerId
    permission: PermissionId
    series_id: SeriesId
    command: str
    count: int
    at: datetime
    records: Range


async def log_answer(connection: AsyncConnection, answer: Answer) -> None:
    """Log an answer before it leaves. Raises NotPermitted: then it must not."""
    row = insert(AnswerRow).values(
        at=answer.at,
        peer_id=answer.peer,
        permission_id=answer.permission,
        series_id=answer.series_id,
        command=answer.command,
        range_start=answer.records.start,
        range_end=answer.records.end,
        records=answer.count,
    )
    with only_with_permission():
        await connection.execute(row)


async def latest_answers(
    connection: AsyncConnection, permission: PermissionId, most: int
) -> list[Answer]:
    """Return the last answers under a permission, the newest first."""
    query = _ANSWERS.where(AnswerRow.permission_id == permission)
    return await _answers(connection, query.order_by(AnswerRow.id.desc()).limit(most))


@dataclass(frozen=True, slots=True)
class AnswersTotal:
    """The total of answers under a permission: series, records, and their range."""

    series: int
    count: int
    records: Range


async def total_of_answers(
    connection: AsyncConnection, permission: PermissionId
) -> AnswersTotal | None:
    """Return the total of all answers under a permission; None if there is none."""
    query = select(
        func.count(AnswerRow.series_id.distinct()),
        func.sum(AnswerRow.records),
        func.min(AnswerRow.range_start),
        func.max(AnswerRow.range_end),
    ).where(AnswerRow.permission_id == permission)
    series, count, start, end = (await connection.execute(query)).one()
    return AnswersTotal(series, int(count), Range(start, end)) if series else None


_ANSWERS = select(
    AnswerRow.peer_id,
    AnswerRow.permission_id,
    AnswerRow.series_id,
    AnswerRow.command,
    AnswerRow.records,
    AnswerRow.at,
    AnswerRow.range_start,
    AnswerRow.range_end,
)


async def _answers(connection: AsyncConnection, query: Select[Any]) -> list[Answer]:
    rows = await connection.execute(query)
    return [
        Answer(peer, permission, series_id, command, count, at, Range(start, end))
        for peer, permission, series_id, command, count, at, start, end in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """A copy that was received: who asked, and the file, of `size` bytes, by its hash."""

    at: datetime
    peer_id: PeerId
    who: str
    made_at: datetime
    size: int
    sha256: str


async def log_request(connection: AsyncConnection, request: AccessRequest) -> None:
    """Register a received copy."""
    await connection.execute(insert(AccessRequestRow).values(asdict(request)))


async def requests_to(connection: AsyncConnection, peer: PeerId) -> Sequence[AccessRequest]:
    """Return the copies received from a peer, the last first."""
    query = select(*columns_of(AccessRequestRow, AccessRequest)).where(
        AccessRequestRow.peer_id == peer
    )
    rows = await connection.execute(query.order_by(AccessRequestRow.id.desc()))
    return [AccessRequest(**row._asdict()) for row in rows]
