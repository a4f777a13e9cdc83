"""Invitations: their uses, their expiry, and the kind of their members."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consometers_node.collective.errors import NotFound
from consometers_node.collective.members import invitations
from consometers_node.collective.members.invitations import Invitation, NotInvited, OtherKind
from consometers_node.collective.members.members import MemberKind
from consometers_node.collective.members.sites import Description
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from testing.collectives.members import AT, changing, join, let_be_named

A_DAY = timedelta(days=1)


async def make(connection: AsyncConnection, **terms: Any) -> tuple[Invitation, str]:
    return await invitations.make(connection, at=AT, expires_at=AT + A_DAY, **terms)


async def test_an_invitation_admits_its_holder(store: Store) -> None:
    async with changing(store) as (connection, members):
        invitation, token = await make(
            connection, kind=MemberKind.SITE, area="Lanester", note="School"
        )
        member = await invitations.admit(members, "school@example.org", token, AT)
        assert member.kind is MemberKind.SITE
        assert member.area == "Lanester"
        assert member.invitation_id == invitation.id
        (used,) = await invitations.all_invitations(connection)
        assert used.uses == 1
        assert not used.stands(AT)
        # Whoever is in needs it no more.
        assert await invitations.admit(members, "school@example.org", None, AT) == member


async def test_strangers_without_an_invitation_are_refused(store: Store) -> None:
    async with changing(store) as (_, members):
        for token in (None, "", "guessed"):
            with pytest.raises(NotInvited):
                await invitations.admit(members, "who@example.org", token, AT)
        assert await members.all() == []


@pytest.mark.parametrize("most", [1, 3, None])
async def test_an_invitation_admits_no_more_members_than_its_uses(
    store: Store, most: int | None
) -> None:
    async with changing(store) as (connection, members):
        _, token = await make(connection, most_uses=most)
        for number in range(5):
            with suppress(NotInvited):
                await invitations.admit(members, f"{number}@example.org", token, AT)
        assert len(await members.all()) == (most or 5)


async def test_an_invitation_expires_or_is_revoked(store: Store) -> None:
    async with changing(store) as (connection, members):
        _, token = await make(connection, most_uses=None)
        await invitations.admit(members, "a@example.org", token, AT + A_DAY - timedelta(seconds=1))
        with pytest.raises(NotInvited):
            await invitations.admit(members, "b@example.org", token, AT + A_DAY)
        other, token = await make(connection)
        revoked = await invitations.revoke(connection, other.id, AT)
        assert revoked.revoked_at == AT
        assert (await invitations.revoke(connection, other.id, AT + A_DAY)).revoked_at == AT
        with pytest.raises(NotInvited):
            await invitations.admit(members, "c@example.org", token, AT)
        with pytest.raises(NotFound):
            await invitations.revoke(connection, "none", AT)


async def test_another_invitation_corrects_the_kind_of_a_guest(store: Store) -> None:
    async with changing(store) as (connection, members):
        _, wrong = await make(connection, area="Riantec")
        right, token = await make(connection, kind=MemberKind.COLLECTIVE)
        guest = await invitations.admit(members, "coop@example.org", wrong, AT)
        assert guest.kind is MemberKind.HOME
        member = await invitations.admit(members, "coop@example.org", token, AT)
        assert (member.id, member.kind, member.area) == (guest.id, MemberKind.COLLECTIVE, None)
        assert member.invitation_id == right.id
        assert [
            invitation.uses for invitation in await invitations.all_invitations(connection)
        ] == [1, 1]
        # A used-up invitation changes nothing more.
        for used in (wrong, token, None, "guessed"):
            assert await invitations.admit(members, "coop@example.org", used, AT) == member


async def test_a_member_with_a_permission_keeps_its_kind(store: Store) -> None:
    async with changing(store) as (connection, members):
        own, open_to_all = await make(connection, most_uses=None)
        _, other = await make(connection, kind=MemberKind.COLLECTIVE)
        await invitations.admit(members, "a@example.org", open_to_all, AT)
        member, _ = await join(connection, "a")
        with pytest.raises(OtherKind):
            await invitations.admit(members, "a@example.org", other, AT)
        uses = {
            invitation.kind: invitation.uses
            for invitation in await invitations.all_invitations(connection)
        }
        assert uses == {MemberKind.HOME: 1, MemberKind.COLLECTIVE: 0}
        # What the collective calls it since is no reason to refuse its own invitation.
        await let_be_named(connection, member)
        await members.present(member.id, "École", Description(), AT)
        after = await members.get(member.id)
        assert (after.kind, after.invitation_id) == (MemberKind.SITE, own.id)
        assert await invitations.admit(members, "a@example.org", open_to_all, AT) == after


async def test_no_token_is_stored(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node.db")
    async with store.writing() as connection:
        _, token = await make(connection, note="Spring")
    await store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Spring" in content
    assert token.encode() not in content


async def test_a_home_with_permissions_may_become_a_site(store: Store) -> None:
    async with changing(store) as (connection, members):
        before, _ = await join(connection, "a")
        site, token = await make(connection, kind=MemberKind.SITE, area="Lanester")
        member = await invitations.admit(members, "a@example.org", token, AT)
        assert member == replace(before, kind=MemberKind.SITE)
        (used,) = await invitations.all_invitations(connection)
        assert (used.id, used.uses) == (site.id, 1)
        # An invitation as a home does not make a site one.
        _, home = await make(connection)
        with pytest.raises(OtherKind):
            await invitations.admit(members, "a@example.org", home, AT)
