"""Everything stored about one member, for that member: access and portability are rights."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from ...quoalise import Text, iso8601
from ...sharing import export
from ...sharing.export import Json
from ...store.claims import claims_of
from ...store.collective_tables import GroupMembershipRow, MemberGroupRow
from ...store.connection import AsyncConnection
from ...store.masked_reports import reports_of_permissions
from ...store.memberships import series_of_member
from ...store.peers import MEMBER, peer_by_jid
from ...store.series import all_series
from ...store.set_aside import of_member as set_aside_of
from ..access_log import reads
from ..members.members import Member
from ..members.shares import Holding, holdings
from ..permissions import member_permissions
from ..permissions.member_permissions import MemberPermission


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
    """Return all but the records: member, permissions, accesses, and the sums that it read."""
    peer = await peer_by_jid(connection, MEMBER + member.pseudonym)
    series = await all_series(connection) if peer else {}
    return {
        "member": facts(member),
        "shares": [share(holding) for holding in await holdings(connection, member.id)],
        "counts_in": await _groups(connection, member),
        "permissions": [
            await _permission(connection, permission)
            for permission in await member_permissions.of_member(connection, member.id)
        ],
        "reads": [
            {
                **values(read, "at", "who", "what"),
                "from": plain(read.range.start if read.range else None),
                "to": plain(read.range.end if read.range else None),
                "records": read.records,
            }
            for read in await reads(connection, member.id)
        ],
        "devices": [
            {
                "device": claim.device,
                "since": plain(claim.claimed_at),
                **values(claim, "counts", "settled_at", "proof"),
            }
            for claim in await claims_of(connection, member.id)
        ],
        "set_aside": [
            {
                **values(apart.series, "device", "direction", "interval"),
                "unit": apart.series.quantity.unit,
                **values(apart.record, "start", "value"),
                **values(apart, "received_at", "excluded_at"),
            }
            for apart in await set_aside_of(connection, member.id)
        ],
        "masked_reports": await _masked(connection, member),
        "sums": await export.of_peer(connection, peer.id, series) if peer else None,
    }


def facts(member: Member) -> dict[str, Json]:
    """Return the member's identity here."""
    described = member.description
    return {
        **values(member, "pseudonym", "jid", "kind", "name"),
        "description": dict(described.facts()) if described else None,
        **values(member, "area", "joined_at", "left_at", "note"),
    }


def share(holding: Holding) -> dict[str, Json]:
    """Return shares of a plant."""
    plant = holding.plant
    return {"plant": plant.name, "shares": holding.shares, "of": plant.total}


def values(row: Any, *names: str) -> dict[str, Json]:
    """Return some fields of a record, by default all of a dataclass, under their names."""
    names = names or tuple(field.name for field in fields(row))
    return {name: plain(getattr(row, name)) for name in names}


def plain(value: Any) -> Json:
    """Return a value for programs: a time or a day in ISO 8601, a text by language."""
    if isinstance(value, datetime):
        return iso8601.shown(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Text):
        value = value.by_language
    return dict(value) if isinstance(value, Mapping) else value


async def _groups(connection: AsyncConnection, member: Member) -> list[Json]:
    query = (
        select(
            MemberGroupRow.kind,
            MemberGroupRow.name,
            GroupMembershipRow.from_month,
            GroupMembershipRow.until_month,
        )
        .join(MemberGroupRow, MemberGroupRow.id == GroupMembershipRow.group_id)
        .where(GroupMembershipRow.member_id == member.id)
        .order_by(GroupMembershipRow.from_month, MemberGroupRow.id)
    )
    names = ("kind", "name", "from_month", "until_month")
    return [values(row, *names) for row in await connection.execute(query)]


async def _masked(connection: AsyncConnection, member: Member) -> list[Json]:
    """Return the masked hours stored until their sum is opened. Nobody here can read them."""
    permissions = await member_permissions.of_member(connection, member.id)
    ids = [permission.id for permission in permissions]
    return [
        {
            "permission": report.permission,
            "direction": direction,
            "hour": plain(start),
            "key_of": report.day.isoformat(),
            "nonce": report.nonce.hex(),
            "masked": report.masked.hex(),
            "masked_square": report.masked_square.hex(),
        }
        for direction, start, report in await reports_of_permissions(connection, ids)
    ]


async def _permission(connection: AsyncConnection, permission: MemberPermission) -> Json:
    need = permission.need
    terms = ("interval", "identification", "records_from", "valid_from", "valid_until", "erase_at")
    return {
        "permission": permission.id,
        "state": permission.state,
        "need": need.id,
        **values(need, "version", "title", "purpose", "recipients", "controller", "contact"),
        **values(need, "policy", "retention_days"),
        "series": [str(name) for name in permission.series],
        **values(permission, *terms),
        "register": [
            {
                **values(entry, "at", "state", "actor"),
                "sha256": entry.text_hash,
                "erased": entry.erased,
            }
            for entry in await member_permissions.register(connection, [permission.id])
        ],
    }
