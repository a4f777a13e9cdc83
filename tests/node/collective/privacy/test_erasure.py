"""After an erasure no file and no table of the database has a trace of the member."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.members import invitations
from consometers_node.collective.members.members import Member, MemberKind, Members
from consometers_node.collective.members.sites import Building, Description
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.permissions.member_permissions import (
    MemberPermission,
    PermissionActor,
    take,
)
from consometers_node.collective.privacy.erasure import (
    NOTIFY_FOR,
    erase,
    erase_member,
    forget_notified,
    is_wiped,
    wipe,
)
from consometers_node.collective.privacy.retention import Retention
from consometers_node.collective.publication.closing.closer import Closer, WaitRule
from consometers_node.permission import DataNeed, State
from consometers_node.series import Range
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.collective import access_log
from consometers_node.store.collective.access_log import Read, note_read
from consometers_node.store.series import all_series, blocks, stored_days
from consometers_node.store.tables import MemberCountRow
from consometers_quoalise import Duration, Erased
from testing.clocks import Hands, confirmed, sure
from testing.collectives.erasure import CURVE, LATER, admit_homes, everything, shapes
from testing.collectives.members import (
    AT,
    OWN,
    ZONE,
    changing,
    join,
    let_be_named,
    meter,
    permission,
)
from testing.collectives.records import pushed_data, running_queue, stored_blocks
from testing.homes.data_needs import NEED, now

DAY = date(2026, 6, 11)
MIDNIGHT = datetime(2026, 6, 11, tzinfo=UTC)
OTHER = [500] * 24
SITE = [733 + 3 * n * n for n in range(24)]
A_DAY = timedelta(days=1)


async def push(store: Store, name: str, values: list[int], start: datetime = MIDNIGHT) -> None:
    async with running_queue(store) as queue:
        await queue.keep(f"{name}@example.org", pushed_data(meter(name), start, values))


async def grant_more(
    store: Store, member: Member, need: DataNeed, at: datetime = LATER, **terms: object
) -> MemberPermission:
    """Have the home “a” grant another data need, or another version of one."""
    async with changing(store) as (connection, members):
        await needs.offer(connection, need, at)
        given = permission(meter("a"), id="more", need=need, at=at, **terms)
        return await take(members, member.id, given, at, own=OWN)


async def withdraw(store: Store, permission: MemberPermission) -> tuple[Erased, ...]:
    async with changing(store) as (_, members):
        ended = await member_permissions.withdraw(
            members, permission.member, permission.id, LATER, erase=True
        )
    return await erase(store, ZONE, ended, LATER, PermissionActor.MEMBER)


async def traces(store: Store, place: Path | str, words: list[bytes]) -> list[bytes]:
    """Return the words that stand in a table or in a file of the database."""
    async with store.reading() as connection:
        content = await everything(connection)
    if isinstance(place, Path):
        content += b"".join(path.read_bytes() for path in place.parent.iterdir() if path.is_file())
    return [word for word in words if word in content]


async def test_a_withdrawal_with_erasure_leaves_no_trace(store: Store, place: Path | str) -> None:
    async with changing(store) as (connection, members):
        invitation, token = await invitations.make(
            connection, at=AT, expires_at=AT + A_DAY, note="For the house at the well"
        )
        await invitations.admit(members, "anemone@example.org", token, AT)
    async with store.writing() as connection:
        member, taken = await join(connection, "anemone", permission(meter("anemone")))
    await admit_homes(store, "b", "c")
    await push(store, "anemone", CURVE)
    await push(store, "b", OTHER)
    async with changing(store) as (connection, members):
        await members.set_area(member.id, "Quistinic")
        read = Read(
            at=now(), who="anemone@example.org", what="export", member=member.id, records=24
        )
        await note_read(connection, read)
    words = [b"anemone", b"the well", *shapes(CURVE)[:1]]
    assert await traces(store, place, words) == words
    erased = await withdraw(store, taken)
    async with store.reading() as connection:
        gone = await Members(connection, ZONE).get(member.id)
        assert not await is_wiped(connection)
    assert await wipe(store)
    assert [(str(series.series), series.records) for series in erased] == [
        (str(meter("anemone")), 24)
    ]
    assert (gone.jid, gone.area, gone.pseudonym) == (None, None, member.pseudonym)
    assert await traces(store, place, [b"anemone", b"the well", *shapes(CURVE)]) == []
    async with store.reading() as connection:
        entries = await member_permissions.register(connection, [taken.id])
        assert [(entry.state, entry.actor, entry.erased) for entry in entries] == [
            ("granted", "member", None),
            ("withdrawn", "member", None),
            ("withdrawn", "member", 24),
        ]
        # The register still shows the agreement, and others' records are there.
        assert (await member_permissions.get(connection, taken.id)).need == NEED
        assert [entry.who for entry in await access_log.reads(connection)] == [member.pseudonym]
        (used,) = await invitations.all_invitations(connection)
        assert (used.id, used.note) == (invitation.id, "")
        assert await stored_days(connection) != {}


async def test_records_under_another_permission_stay(store: Store) -> None:
    ((member, first),) = await admit_homes(store, "a")
    second = replace(NEED, id="second")
    await grant_more(store, member, second, MIDNIGHT, records_from=MIDNIGHT + A_DAY)
    await push(store, "a", CURVE * 3)
    erased = await withdraw(store, first)
    async with store.reading() as connection:
        assert (await Members(connection, ZONE).get(member.id)).jid == "a@example.org"
    assert [series.records for series in erased] == [24]
    assert await stored_blocks(store, DAY) == {}
    for day in (DAY + A_DAY, DAY + 2 * A_DAY):
        (block,) = (await stored_blocks(store, day)).values()
        assert block.values == tuple(CURVE)


async def test_erasure_includes_records_of_older_versions(store: Store) -> None:
    ((member, first),) = await admit_homes(store, "a")
    await push(store, "a", CURVE)
    second = await grant_more(store, member, replace(NEED, version=2), records_from=LATER)
    async with store.reading() as connection:
        assert (await member_permissions.get(connection, first.id)).state is State.TERMINATED
    await withdraw(store, second)
    async with store.reading() as connection:
        assert await stored_days(connection) == {}
        assert await member_permissions.due(connection, sure(LATER + 1000 * A_DAY)) == []
        assert (await Members(connection, ZONE).get(member.id)).jid is None


async def test_records_of_an_older_version_are_erased_after_their_retention(store: Store) -> None:
    ((member, first),) = await admit_homes(store, "a")
    await push(store, "a", CURVE * 6)
    since = MIDNIGHT + 3 * A_DAY + timedelta(hours=5)
    await grant_more(store, member, replace(NEED, version=2), records_from=since)
    over = LATER + timedelta(days=NEED.retention_days)
    async with store.writing() as connection:
        await member_permissions.announce(connection, sure(over - A_DAY))
        assert await member_permissions.due(connection, sure(over - A_DAY)) == []
        (due,) = await member_permissions.due(connection, sure(over))
    assert due.id == first.id
    erased = await erase(store, ZONE, due, over)
    assert [series.records for series in erased] == [3 * 24 + 5]
    async with store.reading() as connection:
        ((number, series),) = (await all_series(connection)).items()
        within = Range(MIDNIGHT - A_DAY, MIDNIGHT + 10 * A_DAY)
        left = await blocks(connection, number, series, within)
        assert [block.day for block in left] == [DAY + n * A_DAY for n in (3, 4, 5)]
        assert list(left[0].values) == [None] * 5 + CURVE[5:]
        assert await member_permissions.due(connection, sure(over)) == []


async def test_a_daily_permission_retains_no_hourly_records(store: Store) -> None:
    ((member, first),) = await admit_homes(store, "a")
    await push(store, "a", CURVE)
    await grant_more(store, member, replace(NEED, id="second"), AT, interval=Duration(days=1))
    await withdraw(store, first)
    async with store.reading() as connection:
        assert await stored_days(connection) == {}
        assert (await Members(connection, ZONE).get(member.id)).jid is not None


async def test_an_erased_member_is_forgotten_once_its_node_was_notified(store: Store) -> None:
    ((member, taken),) = await admit_homes(store, "a")
    await push(store, "a", CURVE)
    (erased,) = await erase_member(store, ZONE, member.id, LATER)
    assert erased.records == 24
    async with changing(store) as (connection, members):
        assert await stored_days(connection) == {}
        assert await forget_notified(members, sure(LATER)) == 0
        assert (await members.get(member.id)).jid == "a@example.org"
        await member_permissions.note_notified(connection, taken.id, LATER)
        assert await forget_notified(members, sure(LATER)) == 1
        assert (await members.get(member.id)).jid is None
        assert await forget_notified(members, sure(LATER)) == 0


async def test_an_unreachable_member_keeps_its_address_for_a_month(
    store: Store, place: Path | str
) -> None:
    ((member, taken),) = await admit_homes(store, "anemone")
    async with changing(store) as (connection, members):
        description = Description(building=Building.SCHOOL, words_fr="Derrière le lavoir")
        by_name = await let_be_named(connection, member)
        await members.present(member.id, "École Anjela", description, AT)
        await members.set_area(member.id, "Quistinic")
    await push(store, "anemone", CURVE)
    words = [b"Anjela", b"lavoir", *shapes(CURVE)[:1]]
    assert await traces(store, place, words) == words
    await erase_member(store, ZONE, member.id, LATER)
    assert await wipe(store)
    assert await traces(store, place, words) == []
    async with store.reading() as connection:
        member_now = await Members(connection, ZONE).get(member.id)
        assert (member_now.jid, member_now.area) == ("anemone@example.org", None)
        assert [
            permission.id for permission in await member_permissions.not_notified(connection)
        ] == [
            taken.id,
            by_name.id,
        ]
    hands = Hands(LATER + NOTIFY_FOR - timedelta(seconds=1))
    upkeep = Retention(store, ZONE, Changes(), await confirmed(store, hands))
    await upkeep.look()
    assert await traces(store, place, [b"anemone@"]) == [b"anemone@"]
    hands.go_on(timedelta(seconds=1))
    await upkeep.look()
    assert await traces(store, place, [b"anemone@"]) == []
    async with store.reading() as connection:
        # Nobody is left to notify, and the register still shows that nobody was notified.
        assert await member_permissions.not_notified(connection) == []
        assert (await member_permissions.get(connection, taken.id)).notified_at is None
        entries = await member_permissions.register(connection, [taken.id])
        assert [(entry.state, entry.erased) for entry in entries] == [
            ("granted", None),
            ("terminated", None),
            ("terminated", 24),
        ]


async def test_a_guest_can_be_erased(store: Store) -> None:
    async with changing(store) as (_, members):
        guest = await members.admit("guest@example.org", AT)
    assert await erase_member(store, ZONE, guest.id, LATER) == ()
    async with store.reading() as connection:
        assert (await Members(connection, ZONE).get(guest.id)).jid is None


async def publish(store: Store) -> None:
    """Close all intervals that have ended."""
    at = datetime.now(UTC)
    waiting = WaitRule(online_since=at, opened_at=at, arrivals=Arrivals())
    publication = Publication(minimum=3)
    async with changing(store) as (_, members):
        while await Closer(members, "kersabiec", publication, waiting, at).close():
            pass


async def test_erasure_leaves_no_trace_of_a_member_in_published_sums(
    store: Store, place: Path | str
) -> None:
    corrected = [value + 1000 for value in CURVE]
    ((_, granted), *_, (site, named)) = await admit_homes(store, "a", "b", "c", "d", "e")
    async with changing(store) as (connection, members):
        by_name = await let_be_named(connection, site)
        description = Description(building=Building.SCHOOL, words_fr="Derrière le lavoir")
        await members.present(site.id, "anjela", description, AT)
    for name, values in (("a", CURVE), ("e", SITE), ("b", OTHER), ("c", OTHER), ("d", OTHER)):
        await push(store, name, values)
    await publish(store)
    await push(store, "a", corrected)
    words = [*shapes(corrected)[:1], *shapes(SITE)[:1], b"anjela", b"lavoir"]
    assert await traces(store, place, words) == words
    async with store.reading() as connection:
        own = [
            series
            for series in (await all_series(connection)).values()
            if "kersabiec" in series.device
        ]
    names = {series.device.partition("kersabiec")[2] for series in own}
    assert {"", "-anjela", "-school"} <= names
    for member in (granted, by_name, named):
        await withdraw(store, member)
    await publish(store)
    assert await wipe(store)
    # Published records of schools stay: they are the public's.
    words = [*shapes(CURVE), *shapes(corrected), b"anjela", b"lavoir"]
    assert await traces(store, place, words) == []
    async with store.reading() as connection:
        all_stored = (await all_series(connection)).values()
    assert not [series for series in all_stored if series.device.endswith("-anjela")]


async def test_a_collective_is_erased_with_its_member_counts(store: Store) -> None:
    async with changing(store) as (_, members):
        await members.admit("coop@example.org", AT, kind=MemberKind.COLLECTIVE)
    ((_, granted), *_) = await admit_homes(store, "coop", "b")
    async with running_queue(store) as queue:
        data = pushed_data(meter("coop"), MIDNIGHT, CURVE, device="collective", members=[12] * 24)
        await queue.keep("coop@example.org", data)
        await queue.keep("b@example.org", pushed_data(meter("b"), MIDNIGHT, OTHER))
    (erased,) = await withdraw(store, granted)
    assert erased.records == 24
    async with store.reading() as connection:
        left = {series.device for series in (await all_series(connection)).values()}
        counted = (await connection.execute(select(MemberCountRow.series_id))).all()
    assert left == {str(meter("b").device)}
    assert not counted
