"""The groups of members whose sums are published."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, insert, or_, select

from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of

from .tables import GroupId, GroupMembershipRow, MemberGroupRow, MemberId


class GroupKind(StrEnum):
    """The kind of a group. Groups of one kind have no member in common."""

    ALL = "all"
    AREA = "area"
    REST = "rest"
    """Members in no commune."""
    COMBINED = "combined"
    """Communes that are published together."""
    BUILDING = "building"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Group:
    """Members that are summed together. `name` is the commune's, the kind of building, a site's."""

    id: GroupId
    kind: GroupKind
    name: str


async def all_groups(connection: AsyncConnection) -> list[Group]:
    """Return every group, past or present."""
    query = select(*columns_of(MemberGroupRow, Group)).order_by(MemberGroupRow.id)
    return [Group(*row) for row in await connection.execute(query)]


async def group_id(connection: AsyncConnection, kind: GroupKind, name: str = "") -> GroupId:
    """Return the id of a group, made when it is first needed."""
    query = select(MemberGroupRow.id).where(
        MemberGroupRow.kind == kind, MemberGroupRow.name == name
    )
    stored = (await connection.execute(query)).scalar_one_or_none()
    if stored is not None:
        return stored
    made = insert(MemberGroupRow).values(kind=kind, name=name).returning(MemberGroupRow.id)
    return (await connection.execute(made)).scalar_one()


def counts_in(month: date | ColumnElement[date]) -> ColumnElement[bool]:
    """Return the condition that a row of `group_membership` has this month."""
    until = GroupMembershipRow.until_month
    return and_(GroupMembershipRow.from_month <= month, or_(until.is_(None), until > month))


def counts_as(group: GroupId) -> ColumnElement[bool]:
    """Return the condition that a membership is of a group: of any, where that is everybody's."""
    everybody = select(MemberGroupRow.id).where(MemberGroupRow.kind == GroupKind.ALL)
    return or_(GroupMembershipRow.group_id == group, everybody.scalar_subquery() == group)


async def counting(connection: AsyncConnection, group: GroupId, month: date) -> frozenset[MemberId]:
    """Return the members that count in a group in a month."""
    query = select(GroupMembershipRow.member_id).where(counts_as(group), counts_in(month))
    return frozenset((await connection.execute(query)).scalars())
