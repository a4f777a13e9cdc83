"""Spaces of households at a host: names, invitations, terms, and what a deletion leaves."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from consometers_node.accounts.errors import BadName, NoAccount
from consometers_node.host.accounts import invitations, spaces, terms
from consometers_node.host.accounts.invitations import Invitation, NotInvited
from consometers_node.host.accounts.services import SpaceServices
from consometers_node.host.accounts.spaces import SESSIONS, Full, Space
from consometers_node.store import Store
from consometers_node.store.all_tables import TABLES
from consometers_node.store.engine.declaration import Erasure
from consometers_node.store.tables import ShownTextRow
from testing.collectives.members import AT
from testing.hosts.homes import FewHomes
from testing.hosts.spaces import OPERATOR

A_WEEK = timedelta(days=7)
TERMS = terms.shown(OPERATOR, "fr")


@pytest.fixture
def homes() -> FewHomes:
    return FewHomes()


@pytest.fixture
def services(store: Store, homes: FewHomes) -> SpaceServices:
    return SpaceServices(store, homes, "foyers.example", most_spaces=3)


async def invite(store: Store, note: str = "") -> tuple[Invitation, str]:
    async with store.writing() as connection:
        return await invitations.make(connection, at=AT, expires_at=AT + A_WEEK, note=note)


async def all_spaces(store: Store) -> list[Space]:
    async with store.reading() as connection:
        return await spaces.listed(connection, 0, 10)


async def test_a_space_has_a_home_at_its_address(
    store: Store, services: SpaceServices, homes: FewHomes
) -> None:
    token = await services.create("ker-anna", "kept", TERMS, None, AT)
    (space,) = await all_spaces(store)
    assert (space.name, space.address) == ("ker-anna", "ker-anna@foyers.example")
    assert homes.stored == {"ker-anna@foyers.example": b"fr"}
    async with store.reading() as connection:
        session = await SESSIONS.of_token(connection, token, AT)
    assert session is not None
    assert session.name == "ker-anna"


@pytest.mark.parametrize(
    "name",
    [
        *("", "ab", "a" * 33, "Ker", "ker anna", "-ker", "ker-", "ker--anna", "1ker", "ker@x"),
        *("été", "../a", "ker/anna", "postmaster", "ker\n"),
    ],
)
async def test_a_name_that_is_no_address_is_refused(services: SpaceServices, name: str) -> None:
    with pytest.raises(BadName):
        await services.create(name, "kept", TERMS, None, AT)


async def test_a_name_is_given_once(services: SpaceServices, homes: FewHomes) -> None:
    await services.create("ker-anna", "kept", TERMS, None, AT)
    homes.stored["ker-anna@foyers.example"] = b"readings"
    with pytest.raises(BadName):
        await services.create("ker-anna", "other", TERMS, None, AT)
    assert homes.stored == {"ker-anna@foyers.example": b"readings"}


async def test_the_name_of_a_deleted_space_is_nobody_elses(
    store: Store, services: SpaceServices
) -> None:
    await services.create("ker-anna", "kept", TERMS, None, AT)
    await services.delete("ker-anna")
    with pytest.raises(BadName):
        await services.create("ker-anna", "other", TERMS, None, AT)
    assert await all_spaces(store) == []


async def test_a_host_has_no_more_spaces_than_it_wants(services: SpaceServices) -> None:
    for name in ("one", "two", "three"):
        await services.create(name, "kept", TERMS, None, AT)
    with pytest.raises(Full):
        await services.create("four", "kept", TERMS, None, AT)


async def test_an_invitation_makes_one_space(store: Store, services: SpaceServices) -> None:
    _, token = await invite(store)
    made = [services.create(name, "kept", TERMS, token, AT) for name in ("ker-anna", "ker-lann")]
    outcomes = await asyncio.gather(*made, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {NotInvited, str}
    (space,) = await all_spaces(store)
    async with store.reading() as connection:
        (invitation,) = await invitations.all_invitations(connection)
    assert (invitation.space, invitation.used_at) == (space.name, AT)
    assert not invitation.stands(AT)


async def test_an_invitation_that_ended_makes_no_space(
    store: Store, services: SpaceServices
) -> None:
    revoked, token = await invite(store)
    _, late = await invite(store)
    async with store.writing() as connection:
        await invitations.revoke(connection, revoked.id, AT)
        with pytest.raises(NotInvited):
            await invitations.revoke(connection, revoked.id, AT)
    for tried, at in ((token, AT), (late, AT + A_WEEK), ("unknown", AT), ("", AT)):
        with pytest.raises(NotInvited):
            await services.create("ker-anna", "kept", TERMS, tried, at)
    assert await all_spaces(store) == []


async def test_a_used_invitation_cannot_be_revoked(store: Store, services: SpaceServices) -> None:
    invitation, token = await invite(store)
    await services.create("ker-anna", "kept", TERMS, token, AT)
    async with store.writing() as connection:
        with pytest.raises(NotInvited):
            await invitations.revoke(connection, invitation.id, AT)


async def test_unused_invitations_are_forgotten_a_month_after_their_end(store: Store) -> None:
    await invite(store, note="the house by the well")
    later = AT + A_WEEK + invitations.KEPT_FOR
    async with store.writing() as connection:
        await invitations.make(connection, at=later, expires_at=later + A_WEEK, note="kept")
        assert len(await invitations.all_invitations(connection)) == 2
        later += timedelta(seconds=1)
        await invitations.make(connection, at=later, expires_at=later + A_WEEK, note="kept")
        listed = await invitations.all_invitations(connection)
    assert [each.note for each in listed] == ["kept", "kept"]


async def test_the_accepted_terms_are_kept_as_they_were_shown(
    store: Store, services: SpaceServices
) -> None:
    await services.create("ker-anna", "kept", TERMS, None, AT)
    await services.create("ker-lann", "kept", TERMS, None, AT)
    async with store.reading() as connection:
        (text,) = await connection.execute(select(ShownTextRow.__table__))
    assert (text.hash, text.language, text.body) == (TERMS.hash, "fr", TERMS.body)
    later = AT + A_WEEK
    async with store.writing() as connection:
        await spaces.accept_terms(connection, "ker-anna", terms.shown(OPERATOR, "en"), later)
        space = await spaces.find(connection, "ker-anna")
    assert (space.terms_version, space.terms_accepted_at) == (terms.VERSION, later)


async def test_a_deletion_leaves_nothing_but_a_fingerprint(
    store: Store, services: SpaceServices, homes: FewHomes
) -> None:
    _, token = await invite(store, note="the house by the well")
    key = await services.create("ker-anna", "kept", TERMS, token, AT)
    await services.delete("ker-anna")
    assert homes.stored == {}
    async with store.reading() as connection:
        assert await SESSIONS.of_token(connection, key, AT) is None
        for table in TABLES:
            kinds = {column.info["personal"] for column in table.columns}
            if Erasure.SPACE in kinds:
                assert (await connection.execute(select(table))).all() == [], table.name
    with pytest.raises(NoAccount):
        await services.delete("ker-anna")


async def test_an_account_stays_until_its_home_is_erased(
    store: Store, services: SpaceServices, homes: FewHomes
) -> None:
    key = await services.create("ker-anna", "kept", TERMS, None, AT)
    homes.fault = OSError("no space left on device")
    with pytest.raises(OSError, match="no space"):
        await services.delete("ker-anna")
    async with store.reading() as connection:
        assert await SESSIONS.of_token(connection, key, AT) is not None
        assert await spaces.password_hash(connection, "ker-anna") == "kept"
    homes.fault = None
    await services.delete("ker-anna")
    assert await all_spaces(store) == []
