"""The devices that members name, and whose records of each count in sums.

Anybody may name a device, a delivery point of somebody else too: so each who names one has series
of their own, and the records of one of them count. Those of the first to name it
count, until an administrator decides otherwise.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of

from .tables import DeviceClaimRow, MemberId


class Proof(StrEnum):
    """The proof of whose device it is."""

    METER = "meter"
    """The meter's own address, read at home."""
    OPERATOR = "operator"
    """An e-mail from the operator of the network."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A member shares under the name of a device (its URN)."""

    device: str
    member: MemberId
    claimed_at: datetime
    counts: bool
    settled_at: datetime | None
    proof: Proof | None


_COLUMNS = columns_of(
    DeviceClaimRow, Claim, member=DeviceClaimRow.member_id, counts=DeviceClaimRow.counts == 1
)


async def add_claims(
    connection: AsyncConnection, member: MemberId, devices: Collection[str], at: datetime
) -> None:
    """Store that a member shares under these devices; its records count where no others do."""
    claims = await _claims(connection, DeviceClaimRow.device.in_(devices))
    own = {claim.device for claim in claims if claim.member == member}
    taken = {claim.device for claim in claims if claim.counts}
    for device in sorted(set(devices) - own):
        row = {"device": device, "member_id": member, "claimed_at": at}
        await connection.execute(
            insert(DeviceClaimRow), {**row, "counts": int(device not in taken)}
        )


async def claims_of(connection: AsyncConnection, member: MemberId) -> list[Claim]:
    """Return the claims of a member."""
    return await _claims(connection, DeviceClaimRow.member_id == member)


async def claims_to(connection: AsyncConnection, device: str) -> list[Claim]:
    """Return the claims to a device, the first one first."""
    return await _claims(connection, DeviceClaimRow.device == device)


async def shared_with(connection: AsyncConnection, member: MemberId) -> list[Claim]:
    """Return all claims to the devices that this member names and another one too."""
    own = select(DeviceClaimRow.device).where(DeviceClaimRow.member_id == member)
    several = (
        select(DeviceClaimRow.device)
        .where(DeviceClaimRow.device.in_(own))
        .group_by(DeviceClaimRow.device)
        .having(func.count() > 1)
    )
    return await _claims(connection, DeviceClaimRow.device.in_(several))


async def contested(connection: AsyncConnection) -> set[MemberId]:
    """Return the members that name a device of undecided ownership."""
    open_ones = select(DeviceClaimRow.device).where(
        DeviceClaimRow.counts == 0, DeviceClaimRow.settled_at.is_(None)
    )
    query = select(DeviceClaimRow.member_id).where(DeviceClaimRow.device.in_(open_ones))
    return set((await connection.execute(query)).scalars())


async def set_counts(connection: AsyncConnection, claim: Claim, *, counts: bool) -> None:
    """Store whether the records of a claim count. At most one claim to a device counts."""
    await connection.execute(update(DeviceClaimRow).where(*_key(claim)).values(counts=int(counts)))


async def note_settled(
    connection: AsyncConnection, device: str, member: MemberId, proof: Proof, at: datetime
) -> None:
    """Store that the ownership of a device was decided, and by which proof."""
    named = update(DeviceClaimRow).where(DeviceClaimRow.device == device)
    await connection.execute(named.values(settled_at=at, proof=None))
    await connection.execute(named.where(DeviceClaimRow.member_id == member).values(proof=proof))


async def drop(connection: AsyncConnection, claim: Claim) -> None:
    """Remove a claim."""
    await connection.execute(delete(DeviceClaimRow).where(*_key(claim)))


def _key(claim: Claim) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return DeviceClaimRow.device == claim.device, DeviceClaimRow.member_id == claim.member


async def _claims(connection: AsyncConnection, *which: ColumnElement[bool]) -> list[Claim]:
    query = (
        select(*_COLUMNS)
        .where(*which)
        .order_by(DeviceClaimRow.device, DeviceClaimRow.claimed_at, DeviceClaimRow.member_id)
    )
    return [Claim(*row) for row in await connection.execute(query)]
