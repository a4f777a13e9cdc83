"""Members that allow to be shown by name: by which permission, and which of their series."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from consometers_node.series import Series
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import aliased
from consometers_node.store.series import SERIES_FACTS
from consometers_node.store.tables import SeriesRow

from .tables import MemberId, MemberPermissionRow, MemberPermissionSeriesRow, MemberRow


async def shown_from(
    connection: AsyncConnection, member: MemberId, at: datetime
) -> datetime | None:
    """Return from when on records of a member may be shown under its name; None if none may."""
    query = select(func.min(MemberPermissionRow.records_from)).where(
        MemberPermissionRow.member_id == member, *_by(at)
    )
    return (await connection.execute(query)).scalar_one()


async def shown_series(connection: AsyncConnection, at: datetime) -> dict[MemberId, set[Series]]:
    """Return the series that sites let be shown under their names."""
    # Sites are few: SQLite would look at the permissions of all members otherwise.
    sites = select(MemberRow.id).where(MemberRow.kind == "site")
    # Which series it is may be noted with another permission that names it.
    named, permission = aliased(MemberPermissionSeriesRow), aliased(MemberPermissionRow)
    query = (
        select(MemberPermissionRow.member_id, *SERIES_FACTS)
        .join(
            MemberPermissionSeriesRow,
            MemberPermissionSeriesRow.permission_id == MemberPermissionRow.id,
        )
        .join(named, named.identifier == MemberPermissionSeriesRow.identifier)
        .join(
            permission,
            (permission.id == named.permission_id)
            & (permission.member_id == MemberPermissionRow.member_id),
        )
        .join(SeriesRow, SeriesRow.id == named.series_id)
        .where(
            MemberPermissionRow.member_id.in_(sites),
            MemberPermissionRow.interval <= SeriesRow.interval,
            *_by(at),
        )
    )
    shown: dict[MemberId, set[Series]] = {}
    for member, *facts in await connection.execute(query):
        shown.setdefault(member, set()).add(Series(*facts))
    return shown


def _by(at: datetime) -> tuple[ColumnElement[bool], ...]:
    by_name = MemberPermissionRow.identification == "name"
    return MemberPermissionRow.state == "granted", by_name, MemberPermissionRow.valid_until > at
