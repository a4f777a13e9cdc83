"""Exports and erasure derive from what the tables declare to be personal."""

from collections.abc import Iterator
import json
from typing import Any

import pytest
from sqlalchemy import Column, Integer, insert, select, update
from sqlalchemy.schema import CreateTable

from consometers_node.collective.members import invitations
from consometers_node.collective.members.members import Member, Members
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.privacy import export
from consometers_node.collective.privacy.erasure import erase_member, forget_notified
from consometers_node.collective.privacy.own_export import DOCUMENT, OwnExports
from consometers_node.store import Store
from consometers_node.store.all_tables import TABLES
from consometers_node.store.collective.tables import MemberId, MemberRow
from consometers_node.store.engine.declaration import Base, Erasure, check, column
from consometers_node.store.personal import MEMBER, rows, tables_with
from consometers_node.store.tables import SecretRow
from testing.clocks import sure
from testing.collectives.erasure import LATER
from testing.collectives.exports import files, whole
from testing.collectives.members import AT, ZONE, changing, join, let_be_named

ELSEWHERE = {"block", "member_count"}
"""Tables whose rows an export prints as records."""


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    """Forget the tables that a test declares."""
    before = set(Base.metadata.tables)
    yield
    for name in set(Base.metadata.tables) - before:
        Base.metadata.remove(Base.metadata.tables[name])


async def member_with_everything(store: Store) -> tuple[Member, dict[str, object]]:
    """Return a member, and the values of all columns of it that an erasure empties."""
    async with changing(store) as (connection, _):
        member, _ = await join(connection, "a")
        await let_be_named(connection, member)
        invitation, _ = await invitations.make(connection, at=AT, expires_at=LATER, note="Well")
        values: dict[str, object] = {}
        for each in MemberRow.__table__.columns:
            if each.info["personal"] is Erasure.EMPTIED:
                is_number = isinstance(each.type, Integer)
                values[each.name] = 4242 if is_number else f"the {each.name} of a"
        values |= {
            "description": json.dumps({"words": "At the well"}),
            "invitation_id": invitation.id,
        }
        changed = update(MemberRow).where(MemberRow.id == member.id)
        await connection.execute(changed.values(kind="site", **values))
        return await Members(connection, ZONE).get(member.id), values


async def administrations(store: Store, member: Member) -> dict[str, Any]:
    """Return what the administration exports about a member."""
    async with store.reading() as connection:
        text = "".join([part async for part in export.as_json(connection, member)])
    document: dict[str, Any] = json.loads(text)
    return document


async def own(store: Store, member: Member) -> dict[str, Any]:
    """Return what the member's own node fetches."""
    assert member.jid is not None
    document: dict[str, Any] = json.loads(
        files(await whole(OwnExports(store, ZONE), member.jid))[DOCUMENT]
    )
    return document


async def erased(store: Store, member: Member) -> None:
    await erase_member(store, ZONE, member.id, LATER)
    async with changing(store) as (connection, members):
        for permission in await member_permissions.of_member(connection, member.id):
            await member_permissions.note_notified(connection, permission.id, LATER)
        await forget_notified(members, sure(LATER))


def test_a_column_that_says_neither_personal_nor_not_is_refused() -> None:
    with pytest.raises(TypeError, match=r"CellarRow\.shelf does not say whether it is personal"):

        class CellarRow(Base):
            member_id: Column[MemberId] = column(primary_key=True, personal=Erasure.KEPT)
            shelf: Column[str]


def test_a_check_does_not_stand_for_what_is_personal() -> None:
    with pytest.raises(TypeError, match=r"CellarRow\.shelf does not say whether it is personal"):

        class CellarRow(Base):
            member_id: Column[MemberId] = column(primary_key=True, personal=False)
            shelf: Column[str] = check("shelf", "shelf <> ''")


def test_an_emptied_column_may_be_empty() -> None:
    with pytest.raises(TypeError, match=r"CellarRow\.shelf is to be emptied, but may not be empty"):

        class CellarRow(Base, personal=False):
            member_id: Column[MemberId] = column(primary_key=True)
            shelf: Column[str] = column(personal=Erasure.EMPTIED)


def test_every_column_of_every_table_is_personal_or_not() -> None:
    declared = {each.info["personal"] for table in TABLES for each in table.columns}
    assert declared == {False, *Erasure}


async def test_all_that_a_member_is_declared_to_have_is_in_both_exports_and_erased(
    store: Store,
) -> None:
    member, values = await member_with_everything(store)
    assert {"accepted_w", "nickname", "note", "website"} <= values.keys()
    shown = values | {"description": {"words": "At the well"}}
    for held in (await administrations(store, member), await own(store, member)):
        assert {name: held["member"][name] for name in shown} == shown
        assert held["invitation"] == [{"id": values["invitation_id"], "note": "Well"}]
    await erased(store, member)
    async with store.reading() as connection:
        (left,) = await rows(connection, MemberRow.__table__, MEMBER, MemberRow.id == member.id)
    assert isinstance(left, dict)
    columns = MemberRow.__table__.columns
    declared = {each.name for each in columns if each.info["personal"] is Erasure.KEPT}
    stored = {name for name, value in left.items() if value is not None}
    assert {"id", "pseudonym"} <= stored <= declared


async def test_a_declared_table_is_in_both_exports_and_erased(store: Store) -> None:
    class CellarRow(Base, personal=Erasure.WITH_MEMBER):
        member_id: Column[MemberId] = column(primary_key=True)
        shelf: Column[str]

    async with changing(store) as (connection, _):
        await connection.execute(CreateTable(CellarRow.__table__))
        member, _ = await join(connection, "a")
        other, _ = await join(connection, "b")
        bottles = [{"member_id": each.id, "shelf": f"of {each.jid}"} for each in (member, other)]
        await connection.execute(insert(CellarRow), bottles)
    for held in (await administrations(store, member), await own(store, member)):
        assert held["cellar"] == bottles[:1]
    await erased(store, member)
    async with store.reading() as connection:
        left = (await connection.execute(select(CellarRow.member_id))).scalars().all()
    assert left == [other.id]


async def test_a_table_that_does_not_say_whose_it_is_is_not_forgotten(store: Store) -> None:
    class CellarRow(Base, personal=Erasure.KEPT):
        owner: Column[MemberId] = column(primary_key=True)

    async with changing(store) as (connection, _):
        member, _ = await join(connection, "a")
    with pytest.raises(TypeError, match="cellar does not say whose its rows are"):
        await administrations(store, member)


def test_no_export_has_a_secret() -> None:
    exported = {table.name for table in tables_with(set(Erasure) - {Erasure.SECRET})}
    assert SecretRow.__table__.name not in exported
    assert exported.isdisjoint(ELSEWHERE)
