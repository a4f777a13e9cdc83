"""Whose records of a device count: an administrator decides, or the first claim."""

from datetime import datetime

from consometers_node.collective.errors import NotFound
from consometers_node.i18n.text import text
from consometers_node.store.collective.claims import (
    Proof,
    claims_of,
    claims_to,
    drop,
    note_settled,
    set_counts,
)
from consometers_node.store.collective.tables import MemberId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.exclusive import alone

from . import member_permissions

_NO_CLAIM = text("This member does not share under the name of this device.")


async def settle(
    connection: AsyncConnection, device: str, member: MemberId, proof: Proof, at: datetime
) -> None:
    """Count the records of this member for a device, in place of any other's. Raises NotFound.

    All members go on sharing; none gets a notice.
    """
    await alone(connection)
    claims = await claims_to(connection, device)
    chosen = next((claim for claim in claims if claim.member == member), None)
    if chosen is None:
        raise NotFound(_NO_CLAIM)
    for claim in claims:
        if claim.counts and claim is not chosen:
            await set_counts(connection, claim, counts=False)
    if not chosen.counts:
        await set_counts(connection, chosen, counts=True)
    await note_settled(connection, device, member, proof, at)


async def let_go(connection: AsyncConnection, member: MemberId) -> None:
    """Remove a member's claims to devices of which no records are stored any more.

    Where its records counted, those of the next member that claims the device do.
    """
    permissions = await member_permissions.of_member(connection, member)
    stored = {str(name.device) for permission in permissions for name in permission.series}
    for claim in await claims_of(connection, member):
        if claim.device in stored:
            continue
        await drop(connection, claim)
        others = await claims_to(connection, claim.device)
        if claim.counts and others:
            await set_counts(connection, others[0], counts=True)
