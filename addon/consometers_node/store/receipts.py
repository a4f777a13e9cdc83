"""What a peer confirmed of the changes of a permission, as it said it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from .tables import NoticeRow, PermissionId, RegisterRow


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A change that a peer was told, when, and its receipt."""

    state: str
    at: datetime
    receipt: str


async def receipts(connection: AsyncConnection, permission: PermissionId) -> list[Confirmed]:
    """Return what was confirmed of a permission, in order."""
    query = (
        select(RegisterRow.state, NoticeRow.told_at, NoticeRow.receipt)
        .join(RegisterRow, RegisterRow.seq == NoticeRow.seq)
        .where(RegisterRow.permission_id == permission)
        .order_by(NoticeRow.seq)
    )
    return [
        Confirmed(state, at, receipt)
        for state, at, receipt in await connection.execute(query)
        if at is not None and receipt is not None
    ]
