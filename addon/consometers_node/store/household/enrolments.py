"""Permissions for sums at their witnesses: receipts, and opened sums."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, insert, or_, select, update

from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_node.store.settings import secret, set_secret
from consometers_node.store.tables import DataNeedRow, EnrolmentRow, PermissionId, PermissionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEnrolment:
    """A permission at its witness; `summary` is its last report, as JSON."""

    permission_id: PermissionId
    enrolled_at: datetime | None
    receipt: str | None
    keys_lost_at: datetime | None
    left_at: datetime | None
    asked_at: datetime | None
    summary: str | None


async def enrolments(connection: AsyncConnection) -> dict[PermissionId, StoredEnrolment]:
    """Return all of them."""
    columns = columns_of(EnrolmentRow, StoredEnrolment)
    rows = (await connection.execute(select(*columns))).mappings()
    return {row["permission_id"]: StoredEnrolment(**row) for row in rows}


async def has_enrolments_due(connection: AsyncConnection) -> bool:
    """Return whether a home is to enrol, is enrolled, or is still to leave."""
    is_granted = exists().where(
        DataNeedRow.id == PermissionRow.data_need_id,
        DataNeedRow.reading == "sum",
        PermissionRow.state == "granted",
    )
    is_enrolled = exists().where(EnrolmentRow.left_at.is_(None))
    return bool((await connection.execute(select(or_(is_granted, is_enrolled)))).scalar_one())


async def add_enrolment(connection: AsyncConnection, permission: PermissionId) -> None:
    """Note that a permission is to be enrolled."""
    await connection.execute(insert(EnrolmentRow).values(permission_id=permission))


async def code_of(connection: AsyncConnection, permission: PermissionId) -> str | None:
    """Return the code that the witness gave to the household, if a person entered one."""
    code = await secret(connection, _code_name(permission))
    return None if code is None else code.decode()


async def set_code(connection: AsyncConnection, permission: PermissionId, code: str | None) -> None:
    """Store a code in place of the former one; None forgets it."""
    packed = None if code is None else code.encode()
    await set_secret(connection, _code_name(permission), packed)


async def update_enrolment(
    connection: AsyncConnection, permission: PermissionId, **values: datetime | str | None
) -> None:
    """Store what the witness confirmed or reported: see `EnrolmentRow`.

    Records may leave from `enrolled_at` on, and until `left_at`.
    """
    changed = update(EnrolmentRow).where(EnrolmentRow.permission_id == permission)
    await connection.execute(changed.values(values))


def _code_name(permission: PermissionId) -> str:
    return f"enrolment-code.{permission}"
