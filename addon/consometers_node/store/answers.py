"""The log of what peers were answered: an answer leaves only once it stands there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Range
from .errors import only_with_permission
from .tables import AnswerRow, PeerId, PermissionId, SeriesId


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """To whom which records left, by which command, under which permission."""

    peer: PeerId
    permission: PermissionId
    series_id: SeriesId
    command: str
    records: Range
    count: int
    at: datetime


async def log_answer(connection: AsyncConnection, answer: Answer) -> None:
    """Write down an answer before it leaves. Raises NotPermitted: then it must not."""
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
    """Give the last answers under a permission, the newest first."""
    query = (
        _ANSWERS.where(AnswerRow.permission_id == permission)
        .order_by(AnswerRow.id.desc())
        .limit(most)
    )
    return [_answer(row) for row in (await connection.execute(query)).tuples()]


async def answers(connection: AsyncConnection, peer: PeerId, within: Range) -> list[Answer]:
    """Give what a peer was answered in a range of time, in order."""
    query = _ANSWERS.where(
        AnswerRow.peer_id == peer, AnswerRow.at >= within.start, AnswerRow.at < within.end
    ).order_by(AnswerRow.id)
    return [_answer(row) for row in (await connection.execute(query)).tuples()]


_ANSWERS = select(
    AnswerRow.peer_id,
    AnswerRow.permission_id,
    AnswerRow.series_id,
    AnswerRow.command,
    AnswerRow.range_start,
    AnswerRow.range_end,
    AnswerRow.records,
    AnswerRow.at,
)
type _Row = tuple[PeerId, PermissionId, SeriesId, str, datetime, datetime, int, datetime]


def _answer(row: _Row) -> Answer:
    peer, permission, number, command, start, end, count, at = row
    return Answer(
        peer=peer,
        permission=permission,
        series_id=number,
        command=command,
        records=Range(start, end),
        count=count,
        at=at,
    )
