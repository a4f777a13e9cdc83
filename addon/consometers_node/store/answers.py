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


async def answers(connection: AsyncConnection, peer: PeerId, within: Range) -> list[Answer]:
    """Give what a peer was answered in a range of time, in order."""
    query = (
        select(
            AnswerRow.permission_id,
            AnswerRow.series_id,
            AnswerRow.command,
            AnswerRow.range_start,
            AnswerRow.range_end,
            AnswerRow.records,
            AnswerRow.at,
        )
        .where(AnswerRow.peer_id == peer, AnswerRow.at >= within.start, AnswerRow.at < within.end)
        .order_by(AnswerRow.id)
    )
    return [
        Answer(
            peer=peer,
            permission=permission,
            series_id=number,
            command=command,
            records=Range(start, end),
            count=count,
            at=at,
        )
        for permission, number, command, start, end, count, at in await connection.execute(query)
    ]
