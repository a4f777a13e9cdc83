"""Shares of plants: their holders, and the subscribers of the production."""

from datetime import timedelta

import pytest

from consometers_node.collective.errors import NotFound
from consometers_node.collective.members import invitations
from consometers_node.collective.members.members import GUESTS_FOR, Member, Members
from consometers_node.collective.members.shares import (
    TooManyShares,
    all_plants,
    hold,
    holdings,
    plant_named,
    promise,
    promised,
)
from consometers_node.collective.members.sites import Description
from consometers_node.collective.members.subscribers import PLANTS, Subscribers
from consometers_node.collective.privacy.export import everything
from consometers_node.permission import Permissions, State
from consometers_node.series import Interval
from consometers_node.sharing.names import COLLECTIVE
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.peers import MEMBER, peer_by_jid
from consometers_node.store.settings import set_setting
from testing.clocks import sure
from testing.collectives.members import AT, OWN, ZONE, changing, join, let_be_named
from testing.homes.data_needs import now

SCHOOL = "urn:dev:org:60060-kersabiec-ecole"


async def plant(connection: AsyncConnection, shares: int | None = 100) -> Member:
    """Admit a site that has shares."""
    member, _ = await join(connection, "school")
    await let_be_named(connection, member)
    await Members(connection, ZONE).present(member.id, "École", Description(shares=shares), AT)
    return await Members(connection, ZONE).get(member.id)


async def readable(connection: AsyncConnection, member: Member) -> set[tuple[str, str]]:
    """Return which devices a member may read as plants, and at which intervals."""
    peer = await peer_by_jid(connection, MEMBER + member.pseudonym)
    assert peer is not None
    return {
        (series.device, series.interval.name)
        for permission in await Permissions(connection).all(peer.id)
        if permission.need.id == PLANTS and permission.state is State.GRANTED
        for series in (permission.terms.series if permission.terms else ())
    }


async def test_members_hold_at_most_the_shares_of_a_plant(store: Store) -> None:
    async with store.writing() as connection:
        school = await plant(connection)
        (first, _), (second, _) = await join(connection, "a"), await join(connection, "b")
        await hold(connection, first.id, {school.id: 60})
        with pytest.raises(TooManyShares, match="100 shares, and members may hold 40 more"):
            await hold(connection, second.id, {school.id: 41})
        await hold(connection, second.id, {school.id: 40})
        await hold(connection, first.id, {school.id: 10})
        (of_school,) = await all_plants(connection)
        assert (of_school.total, of_school.held, of_school.holders) == (100, 50, 2)
        await hold(connection, first.id, {school.id: 0})
        assert await holdings(connection, first.id) == []
        assert [held.shares for held in await holdings(connection, second.id)] == [40]
        held = await everything(connection, second)
        match held["plant_share"]:
            case [{"plant_id": school.id, "member_id": second.id, "shares": 40}]:
                pass
            case other:
                pytest.fail(str(other))
        assert held["plants"] == [{"id": school.id, "name": "École", "shares": 100}]


async def test_a_site_without_shares_is_no_plant(store: Store) -> None:
    async with store.writing() as connection:
        await plant(connection, shares=None)
        assert await all_plants(connection) == []
        with pytest.raises(NotFound, match="has shares"):
            await plant_named(connection, "École")


async def test_an_invitation_gives_shares_to_each_new_member(store: Store) -> None:
    async with changing(store) as (connection, members):
        school = await plant(connection)
        made, token = await invitations.make(
            connection, at=AT, expires_at=AT + timedelta(days=1), most_uses=2
        )
        with pytest.raises(TooManyShares):
            await promise(connection, made.id, {school.id: 101})
        await promise(connection, made.id, {school.id: 60})
        assert [held.shares for held in (await promised(connection))[made.id]] == [60]
        for name in ("a", "b"):
            member = await invitations.admit(members, f"{name}@example.org", token, AT)
            assert [held.shares for held in await holdings(connection, member.id)] == [60]
        # More than there are: an administrator sees that, and nobody is kept out.
        (of_school,) = await all_plants(connection)
        assert (of_school.held, of_school.total) == (120, 100)
        await members.forget_guests(sure(AT + 2 * GUESTS_FOR))
        (of_school,) = await all_plants(connection)
        assert of_school.held == 0


async def test_erased_members_and_plants_have_no_shares(store: Store) -> None:
    async with changing(store) as (connection, members):
        school = await plant(connection)
        member, _ = await join(connection, "a")
        await hold(connection, member.id, {school.id: 5})
        await members.forget(member.id, AT)
        assert (await plant_named(connection, "École")).holders == 0
        other, _ = await join(connection, "b")
        await hold(connection, other.id, {school.id: 5})
        await members.forget(school.id, AT)
        assert await holdings(connection, other.id) == []
        assert await all_plants(connection) == []


async def test_members_read_the_production_of_plants_that_have_shares(store: Store) -> None:
    """Plants have a permission of their own, apart from the one for sums."""
    subscribers = Subscribers(OWN, ZONE.key)
    async with store.writing() as connection:
        await set_setting(connection, COLLECTIVE, "kersabiec")
        member, _ = await join(connection, "a")
        await subscribers.grant(connection, member.pseudonym, Interval.PT1H, now())
        assert await readable(connection, member) == set()
        school = await plant(connection)
        peer = await peer_by_jid(connection, MEMBER + member.pseudonym)
        assert peer is not None
        before = await Permissions(connection).all(peer.id)
        while await subscribers.update(connection, Interval.PT1H, now(), 1):
            pass
        assert await readable(connection, member) == {(SCHOOL, "PT1H"), (SCHOOL, "P1D")}
        after = {each.id: each.state for each in await Permissions(connection).all(peer.id)}
        assert {each.id: each.state for each in before}.items() <= after.items()
        await Members(connection, ZONE).hide(school.id)
        while await subscribers.update(connection, Interval.PT1H, now(), 5):
            pass
        assert await readable(connection, member) == set()
        assert await subscribers.are_current(connection, Interval.PT1H)
