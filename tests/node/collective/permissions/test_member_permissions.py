"""Permissions of members: which are stored, and how they end."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select

from consometers_node.collective.errors import NotFound
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.permissions.member_permissions import (
    NotRequested,
    NotYours,
    PermissionActor,
    take,
)
from consometers_node.permission import DataNeedSeries, State
from consometers_node.series import Quantity
from consometers_node.store import Store
from consometers_node.store.collective.tables import (
    MemberPermissionRow,
    MemberPermissionSeriesRow,
    OwnNeedRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import Base
import consometers_quoalise as quoalise
from consometers_quoalise import Direction, Duration, Identifier
from consometers_quoalise.records.identifier import device, organisation, series
from testing.clocks import sure
from testing.collectives.members import AT, OWN, changing, join, meter, permission
from testing.homes.data_needs import NEED, now

A_DAY = timedelta(days=1)
POINT = series(device("urn:dev:prm:30001610071843"), Direction.CONSUMPTION)
END = AT + timedelta(days=NEED.duration_days)
CLOSED = replace(NEED, id="closed")
PANELS = replace(
    NEED, id="panels", series=frozenset({DataNeedSeries(Direction.PRODUCTION, Quantity.ENERGY)})
)


async def test_a_permission_is_stored_as_received(store: Store) -> None:
    names = (meter("a"), meter("a", Direction.PRODUCTION))
    started = now()
    async with store.writing() as connection:
        member, taken = await join(connection, "a", permission(*names))
        assert taken.member == member.id
        assert taken.need == NEED
        assert taken.state is State.GRANTED
        assert taken.series == names
        assert (taken.records_from, taken.valid_until) == (AT - timedelta(days=30), END)
        assert taken.stands(AT)
        assert not taken.stands(END)
        (entry,) = await member_permissions.register(connection)
        assert (entry.state, entry.actor) == (State.GRANTED, PermissionActor.MEMBER)
        # The register has the time of the entry, whenever the member decided.
        assert started <= entry.at <= now()
        assert entry.text_hash == 64 * "a"


async def test_a_permission_sent_again_states_the_present_subscribed_power(store: Store) -> None:
    name, other = meter("a"), meter("a", Direction.PRODUCTION)
    async with changing(store) as (connection, members):
        for powers in ({}, {name: 6}, {name: 9, other: 9}, {}, {name: 12, meter("b"): 36}):
            member, taken = await join(
                connection, "a", permission(name, other, subscribed_kva=powers)
            )
            ours = {each: power for each, power in powers.items() if each in (name, other)}
            assert taken.subscribed_kva == ours
        assert len(await member_permissions.register(connection)) == 1
        await member_permissions.withdraw(members, member.id, taken.id, AT, erase=False)
        given = permission(name, other, subscribed_kva={name: 36})
        taken = await take(members, member.id, given, AT, own=OWN)
        assert (taken.state, taken.subscribed_kva) == (State.WITHDRAWN, {name: 12})


async def test_a_narrower_permission_is_stored(store: Store) -> None:
    given = permission(
        meter("a", Direction.PRODUCTION),
        need=PANELS,
        interval=Duration(days=1),
        records_from=AT,
        valid_until=AT + A_DAY,
    )
    async with store.writing() as connection:
        await needs.offer(connection, PANELS, AT)
        _, taken = await join(connection, "a", given)
        assert (taken.interval, taken.records_from) == ("P1D", AT)


WIDER = {
    "a finer interval": permission(interval=Duration(seconds=1800)),
    "more of the past": permission(records_from=AT - timedelta(days=30, seconds=1)),
    "for longer": permission(valid_until=END + timedelta(seconds=1)),
    "by delivery point": permission(POINT, identification=quoalise.Identification.DELIVERY_POINT),
    "a delivery point under a pseudonym": permission(POINT),
    "a name of somebody else's": permission(
        series(device("urn:dev:mac:0024befffe804ff1"), Direction.CONSUMPTION)
    ),
    "a register": permission(
        series(organisation("a"), Direction.CONSUMPTION, quoalise.SeriesPath.ENERGY_INDEX)
    ),
    "no direction": permission(Identifier(organisation("a"), "power/active/raw")),
    "only a sum": permission(reading=quoalise.Reading.SUM),
    "from tomorrow on": permission(at=AT + timedelta(days=1, seconds=1)),
    "run out": permission(at=AT - timedelta(days=NEED.duration_days)),
    "the same twice": permission(meter("a"), meter("a")),
    "too many": permission(*(meter(f"m{n}") for n in range(member_permissions.MAX_SERIES + 1))),
    "consumption for panels": permission(meter("a"), need=PANELS),
    "injection for panels": permission(meter("a", Direction.INJECTION), need=PANELS),
    "a closed need": permission(need=CLOSED),
    "another need": permission(need=replace(NEED, id="other")),
    "a newer version": permission(need=replace(NEED, version=2)),
}


@pytest.mark.parametrize("case", WIDER)
async def test_wider_permissions_are_refused_whole(file: Store, case: str) -> None:
    async with file.writing() as connection:
        for need in (PANELS, CLOSED):
            await needs.offer(connection, need, AT)
        await needs.close(connection, CLOSED.id, AT)
        with pytest.raises(NotRequested):
            await join(connection, "a", WIDER[case])
        assert await member_permissions.all_permissions(connection) == []


async def test_a_permission_is_stored_once_under_its_id(
    store: Store,
) -> None:
    async with store.writing() as connection:
        _, first = await join(connection, "a")
        _, again = await join(connection, "a", at=AT)
        assert first == again
        assert len(await member_permissions.register(connection)) == 1
        other = permission(meter("a"), id="a", valid_until=AT + A_DAY)
        with pytest.raises(NotYours):
            await join(connection, "a", other)
        with pytest.raises(NotYours):
            await join(connection, "b", permission(meter("b"), id="a"))


@pytest.mark.parametrize("name", ["kersabiec", "kersabiec-3"])
async def test_devices_of_the_collective_are_refused(file: Store, name: str) -> None:
    async with file.writing() as connection:
        with pytest.raises(NotYours, match="belongs to this collective"):
            await join(connection, "a", permission(meter(name)))
        assert await join(connection, "b", permission(meter("kersabiecs")))


async def test_a_permission_to_a_new_version_ends_the_older_one(store: Store) -> None:
    newer = replace(NEED, version=2)
    async with changing(store) as (connection, members):
        member, first = await join(connection, "a")
        await needs.offer(connection, newer, AT + A_DAY)
        assert (await member_permissions.get(connection, first.id)).stands(AT + A_DAY)
        given = permission(meter("a"), id="second", need=newer, at=AT + A_DAY)
        second = await take(members, member.id, given, AT + A_DAY, own=OWN)
        before, after = await member_permissions.of_member(connection, member.id)
        assert (before.state, after.state) == (State.TERMINATED, State.GRANTED)
        assert after == second
        assert (await members.get(member.id)).left_at is None
        assert await member_permissions.not_notified(connection) == []


@pytest.mark.parametrize("erase", [True, False])
async def test_a_member_withdraws(store: Store, erase: bool) -> None:
    later = AT + 2 * A_DAY
    async with changing(store) as (connection, members):
        member, taken = await join(connection, "a")
        ended = await member_permissions.withdraw(members, member.id, taken.id, later, erase=erase)
        erased_at = later if erase else later + timedelta(days=NEED.retention_days)
        assert (ended.state, ended.erase_at, ended.notified_at) == (
            State.WITHDRAWN,
            erased_at,
            later,
        )
        assert (await members.get(member.id)).left_at == later
        assert [permission.id for permission in await member_permissions.due(connection, None)] == [
            taken.id
        ] * erase
        again = await member_permissions.withdraw(
            members, member.id, taken.id, later + A_DAY, erase=True
        )
        assert again.erase_at == (later if erase else later + A_DAY)
        assert [entry.state for entry in await member_permissions.register(connection)] == [
            "granted",
            "withdrawn",
        ]


async def test_members_cannot_withdraw_for_others(store: Store) -> None:
    async with changing(store) as (connection, members):
        _, taken = await join(connection, "a")
        other, _ = await join(connection, "b")
        for number in (taken.id, "none"):
            with pytest.raises(NotFound):
                await member_permissions.withdraw(members, other.id, number, AT, erase=True)
        assert (await member_permissions.get(connection, taken.id)).state is State.GRANTED


async def test_terminating_a_permission_queues_a_notice_to_its_member(store: Store) -> None:
    async with changing(store) as (connection, members):
        member, taken = await join(connection, "a")
        ended = await member_permissions.terminate(members, taken.id, AT)
        assert (ended.state, ended.notified_at) == (State.TERMINATED, None)
        assert await member_permissions.not_notified(connection) == [ended]
        assert (await members.get(member.id)).left_at == AT
        await member_permissions.note_notified(connection, taken.id, AT + A_DAY)
        assert await member_permissions.not_notified(connection) == []
        # What has ended stays as it ended.
        assert (
            await member_permissions.terminate(members, taken.id, AT + A_DAY)
        ).state is State.TERMINATED
        assert len(await member_permissions.register(connection, [taken.id])) == 2


@pytest.mark.parametrize(
    ("at", "count"), [(END - timedelta(seconds=1), 0), (END, 1), (END + 100 * A_DAY, 1)]
)
async def test_a_permission_expires(store: Store, at: datetime, count: int) -> None:
    async with changing(store) as (connection, members):
        await join(connection, "a")
        ended = await member_permissions.expire(members, sure(at))
        assert len(ended) == count
        assert await member_permissions.expire(members, sure(at)) == []
        for permission in ended:
            assert permission.state is State.EXPIRED
            assert permission.erase_at == END + timedelta(days=NEED.retention_days)


async def test_a_member_stays_while_one_permission_is_left(store: Store) -> None:
    second = replace(NEED, id="second")
    async with changing(store) as (connection, members):
        await needs.offer(connection, second, AT)
        member, first = await join(connection, "a")
        await take(members, member.id, permission(meter("a"), id="b", need=second), AT, own=OWN)
        await member_permissions.withdraw(members, member.id, first.id, AT, erase=False)
        assert (await members.get(member.id)).left_at is None


async def _grant_lost(connection: AsyncConnection, retention: str) -> None:
    """Store a permission for a data need that this program can no longer read."""
    body = f'<data-needs xmlns="urn:none"><data-need{retention}/></data-needs>'
    asked = {"need": "lost", "version": 1, "body": body, "offered_at": AT}
    await connection.execute(insert(OwnNeedRow).values(asked))
    taken = (await connection.execute(select(MemberPermissionRow.__table__))).mappings().one()
    lost = dict(taken) | {"id": "lost", "need": "lost", "valid_from": AT - A_DAY}
    await connection.execute(insert(Base.metadata.tables["member_permission"]).values(lost))
    name = {"permission_id": "lost", "identifier": str(meter("lost"))}
    await connection.execute(insert(MemberPermissionSeriesRow).values(name))
    text_hash = taken["shown_sha256"]
    await member_permissions.note(
        connection, lost["id"], State.GRANTED, PermissionActor.MEMBER, text_hash=text_hash
    )


async def test_an_unreadable_version_leaves_permissions_in_force(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    needs.warn_unreadable.cache_clear()
    async with changing(store) as (connection, members):
        _, other = await join(connection, "a")
        await _grant_lost(connection, ' retention="P40D"')
        for _ in range(2):
            lost, same = await member_permissions.all_permissions(connection)
            assert (lost.need.id, lost.need.version, lost.need.retention_days) == ("lost", 1, 40)
            assert (lost.series, lost.stands(AT)) == ((meter("lost"),), True)
            assert same == other
        assert caplog.text.count("“lost”, version 1, cannot be read") == 1
        ended = await member_permissions.withdraw(members, other.member, lost.id, AT, erase=False)
        assert ended.erase_at == AT + 40 * A_DAY


async def test_records_without_a_known_retention_are_due_at_once(store: Store) -> None:
    async with changing(store) as (connection, members):
        member, _ = await join(connection, "a")
        await _grant_lost(connection, "")
        ended = await member_permissions.withdraw(members, member.id, "lost", AT, erase=False)
        assert ended.erase_at == AT
