"""Shares of plants: sites whose panels members pay for, and how many shares each member holds.

A member's part of a plant is its published production times shares / total. It is computed at the
member's home, so nothing but the number of its shares is stored here. An invitation may bring some.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select

from consometers_node.collective.errors import CollectiveFault, NotFound
from consometers_node.i18n.text import text
from consometers_node.store.collective.tables import (
    InvitationShareRow,
    MemberId,
    MemberRow,
    PlantShareRow,
)
from consometers_node.store.engine.connection import AsyncConnection

from .sites import Description

_NO_PLANT = text(
    "No public building “{name}” has shares: set their number in its description first."
)


class TooManyShares(CollectiveFault):
    """A member would hold more shares of a plant than are left."""

    condition = "too-many-shares"
    words = text(
        "{name} has {total} shares, and members may hold {left} more: write a smaller number, or"
        " change the number of shares in its description."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A site that has shares: `total` of them, of which members hold `held`."""

    id: MemberId
    pseudonym: str
    name: str
    total: int
    held: int
    holders: int
    """How many members hold some."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares of one plant."""

    plant: Plant
    shares: int


async def all_plants(connection: AsyncConnection) -> list[Plant]:
    """Return the sites that have shares, by name."""
    of_plant = PlantShareRow.plant_id == MemberRow.id
    held = select(func.coalesce(func.sum(PlantShareRow.shares), 0)).where(of_plant)
    holders = select(func.count(PlantShareRow.member_id)).where(of_plant)
    query = (
        select(
            MemberRow.id,
            MemberRow.pseudonym,
            MemberRow.name,
            MemberRow.description,
            held.scalar_subquery(),
            holders.scalar_subquery(),
        )
        .where(MemberRow.kind == "site", MemberRow.name.is_not(None))
        .where(MemberRow.description.is_not(None))
        .order_by(MemberRow.name)
    )
    plants = []
    for member, pseudonym, name, packed, held_shares, count in await connection.execute(query):
        description = Description.unpack(packed)
        if description is not None and description.shares is not None:
            plants.append(
                Plant(
                    id=member,
                    pseudonym=pseudonym,
                    name=name,
                    total=description.shares,
                    held=int(held_shares),
                    holders=count,
                )
            )
    return plants


async def plant_named(connection: AsyncConnection, name: str) -> Plant:
    """Return the plant with this name or pseudonym. Raises NotFound."""
    for plant in await all_plants(connection):
        if name in {plant.name, plant.pseudonym}:
            return plant
    raise NotFound(_NO_PLANT.fill(name=name))


async def holdings(connection: AsyncConnection, member: MemberId) -> list[Holding]:
    """Return the shares that a member holds, by the name of their plant."""
    query = select(PlantShareRow.plant_id, PlantShareRow.shares).where(
        PlantShareRow.member_id == member
    )
    held = dict((await connection.execute(query)).tuples().all())
    plants = await all_plants(connection) if held else []
    return [Holding(plant, held[plant.id]) for plant in plants if plant.id in held]


async def hold(
    connection: AsyncConnection, member: MemberId, shares: Mapping[MemberId, int]
) -> None:
    """Store how many shares a member holds, by plant; 0 for none. Raises TooManyShares."""
    before = {holding.plant.id: holding.shares for holding in await holdings(connection, member)}
    for plant in await all_plants(connection):
        left = plant.total - plant.held + before.get(plant.id, 0)
        if shares.get(plant.id, 0) > max(left, before.get(plant.id, 0)):
            raise TooManyShares(name=plant.name, total=plant.total, left=max(left, 0))
    await _put(connection, member, shares)


async def promise(
    connection: AsyncConnection, invitation: str, shares: Mapping[MemberId, int]
) -> None:
    """Store the shares of each member that joins by an invitation. Raises TooManyShares."""
    for plant in await all_plants(connection):
        if shares.get(plant.id, 0) > plant.total:
            raise TooManyShares(name=plant.name, total=plant.total, left=plant.total - plant.held)
    if rows := _rows(shares, invitation_id=invitation):
        await connection.execute(insert(InvitationShareRow), rows)


async def redeem(connection: AsyncConnection, member: MemberId, invitation: str) -> None:
    """Store an invitation's shares for a member that joins by it."""
    row = InvitationShareRow
    query = select(row.plant_id, row.shares).where(row.invitation_id == invitation)
    await _put(connection, member, dict((await connection.execute(query)).tuples().all()))


async def promised(connection: AsyncConnection) -> Mapping[str, Sequence[Holding]]:
    """Return the shares of invitations, by the id of the invitation."""
    plants = {plant.id: plant for plant in await all_plants(connection)}
    row = InvitationShareRow
    by_invitation: dict[str, list[Holding]] = {}
    query = select(row.invitation_id, row.plant_id, row.shares).order_by(row.plant_id)
    for invitation, plant, shares in await connection.execute(query):
        if plant in plants:
            by_invitation.setdefault(invitation, []).append(Holding(plants[plant], shares))
    return by_invitation


async def forget_plant(connection: AsyncConnection, member: MemberId) -> None:
    """Forget the shares of a member's own plant, of all their holders."""
    for row in (PlantShareRow, InvitationShareRow):
        await connection.execute(delete(row).where(row.plant_id == member))


async def _put(
    connection: AsyncConnection, member: MemberId, shares: Mapping[MemberId, int]
) -> None:
    row = PlantShareRow
    await connection.execute(delete(row).where(row.member_id == member, row.plant_id.in_(shares)))
    if rows := _rows(shares, member_id=member):
        await connection.execute(insert(row), rows)


def _rows(shares: Mapping[MemberId, int], **key: object) -> list[dict[str, object]]:
    return [{"plant_id": plant, "shares": count, **key} for plant, count in shares.items() if count]
