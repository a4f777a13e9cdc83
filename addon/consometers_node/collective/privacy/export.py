"""All that is held of one member, for that member: access and portability are a right."""

from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ...quoalise import iso8601
from ...sharing import export
from ...sharing.export import Told
from ...store.claims import claims_of
from ...store.collective_tables import InGroupRow, MemberGroupRow
from ...store.memberships import series_of_member
from ...store.peers import MEMBER, peer_by_jid
from ...store.series import all_series
from ...store.set_aside import of_member as set_aside_of
from ..access_log import reads
from ..members.members import Member
from ..permissions import member_permissions
from ..permissions.member_permissions import MemberPermission


async def as_json(connection: AsyncConnection, member: Member) -> AsyncIterator[str]:
    """Yield everything as one JSON document, part by part."""
    held = await everything(connection, member)
    async for part in export.document(
        connection, held, await series_of_member(connection, member.id)
    ):
        yield part


async def as_csv(connection: AsyncConnection, member: Member) -> AsyncIterator[str]:
    """Yield the records alone, part by part."""
    async for part in export.table(connection, await series_of_member(connection, member.id)):
        yield part


async def everything(connection: AsyncConnection, member: Member) -> dict[str, Told]:
    """Return all but the records: who the member is here, what it gave, who read what of it.

    And what it read itself of the sums of all members.
    """
    gave: list[Told] = [
        await _permission(connection, one)
        for one in await member_permissions.of_member(connection, member.id)
    ]
    read: list[Told] = [
        {
            "at": iso8601.shown(one.at),
            "who": one.who,
            "what": one.what,
            "from": _shown(one.range.start if one.range else None),
            "to": _shown(one.range.end if one.range else None),
            "records": one.records,
        }
        for one in await reads(connection, member.id)
    ]
    peer = await peer_by_jid(connection, MEMBER + member.pseudonym)
    numbers = await all_series(connection) if peer else {}
    return {
        "member": facts(member),
        "counts_in": await _groups(connection, member),
        "permissions": gave,
        "reads": read,
        "devices": [
            {
                "device": claim.device,
                "since": iso8601.shown(claim.claimed_at),
                "counts": claim.counts,
                "settled_at": _shown(claim.settled_at),
                "proof": claim.proof,
            }
            for claim in await claims_of(connection, member.id)
        ],
        "set_aside": [
            {
                "device": one.series.device,
                "direction": one.series.direction,
                "interval": one.series.interval,
                "unit": one.series.quantity.unit,
                "start": iso8601.shown(one.record.start),
                "value": one.record.value,
                "came_at": iso8601.shown(one.came_at),
                "left_out_at": _shown(one.left_out_at),
            }
            for one in await set_aside_of(connection, member.id)
        ],
        "sums": await export.of_peer(connection, peer.id, numbers) if peer else None,
    }


def facts(member: Member) -> dict[str, Told]:
    """Return who a member is here."""
    return {
        "pseudonym": member.pseudonym,
        "jid": member.jid,
        "kind": member.kind,
        "name": member.name,
        "description": dict(member.description.told()) if member.description else None,
        "area": member.area,
        "joined_at": iso8601.shown(member.joined_at),
        "left_at": _shown(member.left_at),
    }


async def _groups(connection: AsyncConnection, member: Member) -> list[Told]:
    query = (
        select(
            MemberGroupRow.kind,
            MemberGroupRow.name,
            InGroupRow.from_month,
            InGroupRow.until_month,
        )
        .join(MemberGroupRow, MemberGroupRow.id == InGroupRow.group_id)
        .where(InGroupRow.member_id == member.id)
        .order_by(InGroupRow.from_month, MemberGroupRow.id)
    )
    return [
        {
            "kind": kind,
            "name": name,
            "from_month": since.isoformat(),
            "until_month": until.isoformat() if until else None,
        }
        for kind, name, since, until in await connection.execute(query)
    ]


async def _permission(connection: AsyncConnection, one: MemberPermission) -> Told:
    register: list[Told] = [
        {
            "at": iso8601.shown(entry.at),
            "state": entry.state,
            "actor": entry.actor,
            "sha256": entry.text_hash,
            "erased": entry.erased,
        }
        for entry in await member_permissions.register(connection, [one.id])
    ]
    return {
        "permission": one.id,
        "state": one.state,
        "need": one.need.id,
        "version": one.need.version,
        "title": dict(one.need.title),
        "purpose": dict(one.need.purpose),
        "recipients": dict(one.need.recipients),
        "controller": one.need.controller,
        "contact": one.need.contact,
        "policy": one.need.policy,
        "retention_days": one.need.retention_days,
        "series": [str(name) for name in one.series],
        "interval": one.interval,
        "identification": one.identification,
        "records_from": iso8601.shown(one.records_from),
        "valid_from": iso8601.shown(one.valid_from),
        "valid_until": iso8601.shown(one.valid_until),
        "erase_at": _shown(one.erase_at),
        "register": register,
    }


def _shown(at: datetime | None) -> str | None:
    return None if at is None else iso8601.shown(at)
