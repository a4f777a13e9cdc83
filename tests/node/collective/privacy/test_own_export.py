"""A member's node fetches the export of its data, part by part."""

import asyncio
from datetime import timedelta
import json

import pytest

from consometers_node.collective.members.members import Members
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.privacy import own_export
from consometers_node.collective.privacy.erasure import erase, erase_member
from consometers_node.collective.privacy.own_export import DOCUMENT, RECORDS, WHAT, OwnExports
from consometers_node.store import Store
from consometers_node.store.collective.access_log import reads
from consometers_quoalise import BadRequest, ItemNotFound, ResourceConstraint
from testing.collectives.exports import files, whole
from testing.collectives.members import AT, MIDNIGHT, ZONE, join, meter
from testing.collectives.records import pushed_data, running_queue
from testing.run import DEADLINE_S
from testing.sentences import says

A, B = "a@example.org", "b@example.org"


@pytest.fixture
async def exports(store: Store) -> OwnExports:
    """The exports of two members: one has drawn 311 W, the other 944."""
    async with store.writing() as connection:
        for name in ("a", "b"):
            await join(connection, name)
    async with running_queue(store) as queue:
        for name, value in (("a", 311), ("b", 944)):
            await queue.keep(
                f"{name}@example.org", pushed_data(meter(name), MIDNIGHT, [value] * 30)
            )
    return OwnExports(store, ZONE)


async def withdrawn(store: Store, name: str, *, erases: bool) -> None:
    async with store.writing() as connection:
        people = Members(connection, ZONE)
        member = await people.named(f"{name}@example.org")
        ended = await member_permissions.withdraw(people, member.id, name, AT, erase=erases)
    if erases:
        await erase(store, ZONE, ended, AT)


async def test_an_export_in_parts_has_only_data_of_its_member(
    exports: OwnExports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_export, "PART_BYTES", 100)
    first = await exports.part(A, 1)
    assert first.parts > 3
    held = files(await whole(exports, A))
    assert held.keys() == {DOCUMENT, RECORDS}
    document = json.loads(held[DOCUMENT])
    assert document["member"]["jid"] == A
    assert [value for part in document["block"] for _, value in part["records"]] == [311] * 30
    assert len(held[RECORDS].splitlines()) == 31
    assert not [name for name, words in held.items() if "944" in words or B in words]
    with pytest.raises(BadRequest, check=says(f"There are {first.parts} parts")):
        await exports.part(A, first.parts + 1)


async def test_an_export_for_a_stranger_is_not_found(exports: OwnExports) -> None:
    await exports.part(A, 1)
    for part in (1, 2):
        with pytest.raises(ItemNotFound, check=says("holds nothing under your address")):
            await exports.part("c@example.org", part)


async def test_simultaneous_requests_share_one_file_and_one_log_entry(
    store: Store, exports: OwnExports
) -> None:
    parts = await asyncio.gather(*(exports.part(A, 1) for _ in range(20)))
    assert len({part.id for part in parts}) == 1
    async with store.reading() as connection:
        member = await Members(connection, ZONE).named(A)
        (read,) = await reads(connection)
    assert (read.member, read.who) == (member.id, member.pseudonym)
    assert (read.what, read.records) == (WHAT, 30)


async def test_an_interrupted_export_resumes_and_waits_after_a_restart(
    store: Store, exports: OwnExports
) -> None:
    assert (await exports.part(A, 1)).id == (await exports.part(A, 1)).id
    restarted = OwnExports(store, ZONE)
    with pytest.raises(ItemNotFound, check=says("ask for part 1 again")):
        await restarted.part(A, 2)
    with pytest.raises(ResourceConstraint, check=says(r"ask again in \d+ min")):
        await restarted.part(A, 1)
    await restarted.part(B, 1)


async def test_a_new_export_is_made_after_an_hour(
    exports: OwnExports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_export, "HELD_FOR", timedelta(milliseconds=1))
    first = await exports.part(A, 1)
    async with asyncio.timeout(DEADLINE_S):
        while (await exports.part(A, 1)).id == first.id:
            pass


async def test_exports_in_memory_are_bounded(
    exports: OwnExports, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await exports.part(A, 1)
    monkeypatch.setattr(own_export, "MOST_BYTES", first.size + 100)
    await exports.part(B, 1)
    with pytest.raises(ItemNotFound, check=says("no longer held")):
        await exports.part(A, 2)


async def test_an_export_after_a_withdrawal_has_the_remaining_data(
    store: Store, exports: OwnExports
) -> None:
    await withdrawn(store, "a", erases=False)
    document = json.loads(files(await whole(exports, A))[DOCUMENT])
    assert [permission["state"] for permission in document["member_permission"]] == ["withdrawn"]
    assert document["block"]


async def test_an_erased_member_gets_no_export(store: Store, exports: OwnExports) -> None:
    await exports.part(A, 1)
    await withdrawn(store, "a", erases=True)
    with pytest.raises(ItemNotFound, check=says("holds nothing under your address")):
        await exports.part(A, 1)


async def test_an_erasure_drops_the_export_in_memory(store: Store, exports: OwnExports) -> None:
    await exports.part(B, 1)
    async with store.reading() as connection:
        member = await Members(connection, ZONE).named(B)
    await erase_member(store, ZONE, member.id, AT)
    with pytest.raises(ItemNotFound, check=says("no longer held")):
        await exports.part(B, 2)
    with pytest.raises(ResourceConstraint, check=says(r"ask again in \d+ min")):
        await exports.part(B, 1)
