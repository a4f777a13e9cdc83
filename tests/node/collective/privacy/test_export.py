"""A member's export of its data, and the records of processing."""

import csv
from dataclasses import replace
from datetime import timedelta
import io
import json
from pathlib import Path

from consometers_node.collective.members.members import Members
from consometers_node.collective.members.sites import Building, Description
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.privacy import export
from consometers_node.collective.privacy.erasure import erase
from consometers_node.collective.privacy.processing_records import processing
from consometers_node.series import Range
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from consometers_node.store.collective.access_log import Read, note_read
from testing.clocks import set_aside_the_clock_of, sure
from testing.collectives.members import (
    AT,
    MIDNIGHT,
    ZONE,
    changing,
    join,
    let_be_named,
    meter,
    permission,
)
from testing.collectives.records import pushed_data, running_queue
from testing.homes.data_needs import NEED, now
from testing.pages.town import settings

A_DAY = timedelta(days=1)


async def test_an_export_has_all_data_of_its_member_and_of_nobody_else(store: Store) -> None:
    async with changing(store) as (connection, members):
        given = permission(meter("a"), id="a", subscribed_kva={meter("a"): 9})
        member, _ = await join(connection, "a", given)
        other, _ = await join(connection, "b")
        description = Description(building=Building.SCHOOL, peak_kwp=35.5)
        await let_be_named(connection, member)
        await members.present(member.id, "School", description, AT)
        for each in (member, other):
            span = Range(AT, AT + A_DAY)
            read = Read(at=now(), who=f"for {each.jid}", what="page", member=each.id, range=span)
            await note_read(connection, read)
    async with running_queue(store) as queue:
        for name, value in (("a", 311), ("b", 944)):
            data = pushed_data(meter(name), MIDNIGHT, [value] * 30)
            await queue.keep(f"{name}@example.org", data)
    async with store.reading() as connection:
        site = await Members(connection, ZONE).get(member.id)
        document = "".join([part async for part in export.as_json(connection, site)])
        table = "".join([part async for part in export.as_csv(connection, site)])
    held = json.loads(document)
    assert held["member"]["jid"] == "a@example.org"
    assert held["member"]["description"] == {"building": "school", "peak_kwp": 35.5}
    assert {group["kind"] for group in held["member_group"]} == {"rest", "site", "building"}
    assert {row["group_id"] for row in held["group_membership"]} == {
        group["id"] for group in held["member_group"]
    }
    stored = {row["id"]: row for row in held["member_permission"]}
    assert [row["identification"] for row in stored.values()].count("name") == 1
    granted = stored["a"]
    assert (granted["need"], granted["state"], granted["interval_minutes"]) == (
        NEED.id,
        "granted",
        60,
    )
    assert {row["identifier"] for row in held["member_permission_series"]} == {str(meter("a"))}
    powers = {row["subscribed_kva"] for row in held["member_permission_series"]}
    assert powers == {9, None}
    entries = held["member_permission_register"]
    assert [(entry["permission_id"], entry["state"]) for entry in entries] == [
        (row, "granted") for row in stored
    ]
    needs = {(need["id"], need["version"]): need for need in held["data_needs"]}
    assert needs[NEED.id, NEED.version]["purpose"] == dict(NEED.purpose)
    assert [entry["who"] for entry in held["access_log"]] == ["for a@example.org"]
    values = [value for part in held["block"] for _, value in part["records"]]
    assert values == [311] * 30
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["value"] for row in rows] == ["311"] * 30
    for text in (document, table):
        assert "944" not in text
        assert "b@example.org" not in text


async def test_the_records_of_processing_list_each_version_of_a_need(
    store: Store, tmp_path: Path
) -> None:
    newer, own = replace(NEED, version=2), settings(tmp_path)
    await keep_collective(store, "kersabiec")
    async with changing(store) as (connection, members):
        await set_aside_the_clock_of(connection)
        for name in ("a", "b", "c"):
            _, taken = await join(connection, name)
        await member_permissions.withdraw(members, taken.member, taken.id, AT, erase=False)
        await needs.offer(connection, newer, AT + A_DAY)
        first, second = await processing(connection, own, AT)
        assert (first.version, first.until, first.granted, first.ended) == (1, AT + A_DAY, 2, 1)
        assert (second.version, second.until, second.granted, second.ended) == (2, None, 0, 0)
        assert first.recipients.say("fr") == "Personne d’autre."
        await member_permissions.announce(connection, sure(AT + 999 * A_DAY))
        (due,) = await member_permissions.due(connection, sure(AT + 1000 * A_DAY))
    await erase(store, ZONE, due, AT + 1000 * A_DAY)
    async with store.reading() as connection:
        assert (await processing(connection, own, AT))[0].ended == 0
