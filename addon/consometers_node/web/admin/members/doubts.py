"""Implausible records, and devices that several members name: a person decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from aiohttp import web

from consometers_node.collective.ingestion import validation
from consometers_node.collective.ingestion.plausibility import MOST_BELIEVED_W, watts
from consometers_node.collective.members.members import Member, Members
from consometers_node.collective.permissions import claims
from consometers_node.i18n.text import text
from consometers_node.store.collective import set_aside
from consometers_node.store.collective.claims import Claim, Proof, shared_with
from consometers_node.store.collective.set_aside import SetAside
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.page_base import RequestRefused

SHOWN = 20
"""Records that are set aside and shown: the first ones."""
MOST_KW = MOST_BELIEVED_W // 1000

PROOFS = {
    Proof.METER: text("its meter’s own address, read at home, is that of this device"),
    Proof.OPERATOR: text("an e-mail from the network operator"),
}
_CHOOSE = text("Choose the evidence for the owner of this device.")
_POWER = text("Write a whole number of kW, from 1 to {most}.")


@dataclass(frozen=True, slots=True)
class Doubts:
    """Open questions about a member. `named` are pseudonyms, or names."""

    apart: Sequence[tuple[SetAside, float]]
    """The records that are set aside, with their mean power in kW."""
    open: int
    devices: Mapping[str, Sequence[Claim]]
    named: Mapping[int, Member]

    @property
    def most_kw(self) -> int:
        """The power that would accept all records set aside."""
        return min(MOST_KW, max((ceil(kw) for _, kw in self.apart), default=0))

    def is_open(self, device: str) -> bool:
        """Return whether the ownership of a device is undecided."""
        return any(not claim.counts and claim.settled_at is None for claim in self.devices[device])


async def of_member(pages: AdminPages, connection: AsyncConnection, member: Member) -> Doubts:
    """Return everything doubtful about a member."""
    apart = await set_aside.of_member(connection, member.id)
    shared = await shared_with(connection, member.id)
    members = Members(connection, pages.settings.time_zone)
    return Doubts(
        apart=[(record, watts(record.series, record.record) / 1000) for record in apart],
        open=sum(record.excluded_at is None for record in apart),
        devices={
            device: list(some) for device, some in groupby(shared, lambda claim: claim.device)
        },
        named={
            member_id: await members.get(member_id)
            for member_id in {claim.member for claim in shared}
        },
    )


async def settle(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Count this member's records for a device that others name too."""
    typed = context.typed("proof")
    if typed not in Proof:
        raise RequestRefused(422, _CHOOSE)
    async with pages.store.writing() as connection:
        member = await pages.member_of(context, connection)
        device = context.typed("device")
        for other in {
            claim.member
            for claim in await shared_with(connection, member.id)
            if claim.device == device
        }:
            await pages.note(connection, context, "device", other)
        await claims.settle(connection, device, member.id, Proof(typed), context.now)
    return pages.done(context, member, "device")


async def believe(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Accept records up to a power, and count those that were set aside below it."""
    most_kw = context.whole_number("kw")
    if most_kw is None or not 0 < most_kw <= MOST_KW:
        raise RequestRefused(422, _POWER.fill(most=MOST_KW))
    async with pages.store.writing() as connection:
        member = await pages.member_of(context, connection)
        records = await validation.accept(connection, member, most_kw * 1000, context.now)
        await pages.note(connection, context, "believe", member.id, records)
    return pages.done(context, member, "believed")


async def leave_out(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Exclude for good a member's records that are set aside."""
    async with pages.store.writing() as connection:
        member = await pages.member_of(context, connection)
        records = await set_aside.leave_out(connection, member.id, context.now)
        await pages.note(connection, context, "leave out", member.id, records)
    return pages.done(context, member, "left-out")
