"""Everything stored about one member, for that member: access and portability are rights."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, select

from consometers_node.collective.members.members import Member
from consometers_node.collective.members.shares import holdings
from consometers_node.collective.permissions import member_permissions
from consometers_node.i18n.text import Text
from consometers_node.sharing import export
from consometers_node.store import personal
from consometers_node.store.collective.memberships import series_of_member
from consometers_node.store.collective.tables import (
    GroupMembershipRow,
    InvitationRow,
    MemberGroupRow,
    MemberPermissionRow,
    MemberRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.peers import MEMBER as MEMBER_JID
from consometers_node.store.personal import MEMBER, READER, Json, rows, tables_with
from consometers_node.store.series import MemberCount, counts
from consometers_node.store.tables import (
    DataNeedRow,
    PeerRow,
    PermissionRow,
    RegisterRow,
    SeriesRow,
)

_EXPLAINED = (
    *("id", "version", "title", "purpose", "recipients", "controller", "contact", "policy"),
    "retention_days",
)
"""What the export says of each data need that a permission answers."""


async def as_json(connection: AsyncConnection, member: Member) -> AsyncIterator[str]:
    """Yield everything as one JSON document, part by part."""
    facts = await everything(connection, member)
    series = await series_of_member(connection, member.id)
    async for part in export.document(connection, facts, series):
        yield part


async def as_csv(connection: AsyncConnection, member: Member) -> AsyncIterator[str]:
    """Yield the records alone, part by part."""
    async for part in export.table(connection, await series_of_member(connection, member.id)):
        yield part


async def everything(connection: AsyncConnection, member: Member) -> dict[str, Json]:
    """Return all but the records, by table: what the tables declare to be personal.

    A table without rows is left out. What the rows refer to is explained by what the member agreed
    to, and by the names of the plants.
    """
    own = _Own(member)
    by_table = {
        table.name: await rows(connection, table, MEMBER, own.rows_of(table))
        for table in tables_with(MEMBER)
    }
    by_table |= {
        table.name: await rows(connection, table, READER, which)
        for table in tables_with(READER)
        if (which := own.read_in(table)) is not None
    }
    (itself,) = by_table.pop("member")
    permissions = await member_permissions.of_member(connection, member.id)
    needs = {(each.need.id, each.need.version): each.need for each in permissions}
    explained: dict[str, list[Json]] = {
        "data_needs": [values(need, *_EXPLAINED) for need in needs.values()],
        "plants": [
            {**values(holding.plant, "id", "name"), "shares": holding.plant.total}
            for holding in await holdings(connection, member.id)
        ],
        "member_count": await _member_counts(connection, member),
    }
    return {"member": itself} | {
        name: some for name, some in (by_table | explained).items() if some
    }


class _Own:
    """Which rows of a table are a member's."""

    def __init__(self, member: Member) -> None:
        its_id = member.id
        permissions = select(MemberPermissionRow.id).where(MemberPermissionRow.member_id == its_id)
        self._keys: Mapping[str, Collection[Any] | Select[Any]] = {
            "member_id": [its_id],
            "permission_id": permissions,
            "series_id": select(SeriesRow.id).where(SeriesRow.member_id == its_id),
        }
        counts_in = select(GroupMembershipRow.group_id).where(
            GroupMembershipRow.member_id == its_id
        )
        is_alone = InvitationRow.id == member.invitation_id, InvitationRow.most_uses == 1
        self._rows: Mapping[str, ColumnElement[bool]] = {
            "member": MemberRow.id == its_id,
            "member_group": MemberGroupRow.id.in_(counts_in),
            "invitation": and_(*is_alone),
        }
        names = MEMBER_JID + member.pseudonym, member.jid
        peers = select(PeerRow.id).where(PeerRow.jid.in_(names))
        read = select(PermissionRow.id).where(PermissionRow.peer_id.in_(peers))
        entries = RegisterRow.permission_id.in_(read)
        self._read: Mapping[str, Select[Any]] = {
            "peer_id": peers,
            "permission_id": read,
            "data_need_id": select(DataNeedRow.id).where(DataNeedRow.peer_id.in_(peers)),
            "seq": select(RegisterRow.seq).where(entries),
            "hash": select(RegisterRow.text_hash).where(entries),
        }
        self._peer = PeerRow.id.in_(peers)

    def rows_of(self, table: Table) -> ColumnElement[bool]:
        """Return which rows are of the member. Raise TypeError if a table does not say it."""
        if (which := self._rows.get(table.name)) is not None:
            return which
        for key, ids in self._keys.items():
            if key in table.columns:
                return table.columns[key].in_(ids)
        raise TypeError(f"{table.name} does not say whose its rows are")

    def read_in(self, table: Table) -> ColumnElement[bool] | None:
        """Return which rows are of the member that reads sums; None where a home alone has some."""
        if table.name == "peer":
            return self._peer
        for key, ids in self._read.items():
            if key in table.columns:
                return table.columns[key].in_(ids)
        return None


def values(row: Any, *names: str) -> dict[str, Json]:
    """Return some fields of a record, by default all of a dataclass, under their names."""
    names = names or tuple(field.name for field in fields(row))
    return {name: plain(getattr(row, name)) for name in names}


def plain(value: Any) -> Json:
    """Return a value for programs: a time or a day in ISO 8601, a text by language."""
    return personal.plain(value.by_language if isinstance(value, Text) else value)


async def _member_counts(connection: AsyncConnection, member: Member) -> list[Json]:
    """Return how many members each sum of a collective is of, and which sums lack homes."""
    counted: list[Json] = []
    for series_id, each in (await series_of_member(connection, member.id)).items():
        blocks = await counts(connection, series_id, each, export.EVER)
        records = [record for block in blocks for record in block.records(export.EVER)]
        if records:
            members: list[Json] = []
            without: list[Json] = []
            for record in records:
                start, count = plain(record.start), MemberCount.unpack(record.value)
                members.append([start, count.members])
                if count.lacks_homes:
                    without.append(start)
            counted.append({**export.series(each), "members": members, "without_homes": without})
    return counted
