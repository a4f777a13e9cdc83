"""Members, and the months in which they count."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from consometers_node.collective.errors import NotFound
from consometers_node.collective.members.members import (
    DAWN,
    GUESTS_FOR,
    Member,
    MemberKind,
    Members,
    Nameless,
    NameTaken,
    NoSite,
    NotByName,
    month_after,
    month_of,
)
from consometers_node.collective.members.sites import Building, Description, Heat
from consometers_node.collective.permissions import needs
from consometers_node.collective.permissions.member_permissions import (
    expire,
    take,
    terminate,
    withdraw,
)
from consometers_node.permission import Identification
from consometers_node.series import Direction, Interval
from consometers_node.store import Store
from consometers_node.store.collective.groups import GroupKind, all_groups, counting, counts_in
from consometers_node.store.collective.publication import ClosedInterval, write
from consometers_node.store.collective.tables import GroupId, GroupMembershipRow
from consometers_node.store.engine.connection import AsyncConnection
from testing.clocks import sure
from testing.collectives.members import (
    AT,
    BY_NAME,
    OWN,
    ZONE,
    changing,
    join,
    let_be_named,
    permission,
)
from testing.homes.data_needs import NEED

JANUARY, MAY, JUNE, JULY, AUGUST = (date(2026, month, 1) for month in (1, 5, 6, 7, 8))
MORE = replace(NEED, id="more", history_days=90)
SCHOOL = Description(
    building=Building.SCHOOL,
    heating=Heat.WOOD,
    hot_water=Heat.SOLAR,
    surface_m2=1200,
    peak_kwp=35.5,
    words_fr="Deux classes, et une cour.",
)


async def publish(connection: AsyncConnection, day: date) -> None:
    """Close an hour of a day."""
    start = datetime.combine(day, time(12), UTC)
    closed = ClosedInterval(
        direction=Direction.CONSUMPTION,
        interval=Interval.PT1H,
        start=start,
        closed_at=AT,
        expected=1,
        response=1,
    )
    await write(connection, [], [closed])


async def groups_of(members: Members, member: Member, month: date) -> set[tuple[str, str]]:
    by_id = {group.id: group for group in await all_groups(members.connection)}
    query = select(GroupMembershipRow.group_id).where(
        GroupMembershipRow.member_id == member.id, counts_in(month)
    )
    groups = (await members.connection.execute(query)).scalars()
    return {(by_id[group].kind, by_id[group].name) for group in groups}


async def school(members: Members, **terms: object) -> Member:
    """Admit a home that may be shown by name, and show it as a site."""
    member, _ = await join(members.connection, "a")
    await let_be_named(members.connection, member, AT, **terms)
    await members.present(member.id, "École", SCHOOL, AT)
    return member


async def group_of(members: Members, kind: GroupKind) -> GroupId:
    (group,) = [group for group in await all_groups(members.connection) if group.kind is kind]
    return group.id


@pytest.fixture
async def members(store: Store) -> AsyncIterator[Members]:
    async with changing(store) as (_, members):
        yield members


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), JUNE),
        (datetime(2026, 6, 30, 22, tzinfo=UTC), JULY),
        (datetime(2025, 12, 31, 23, tzinfo=UTC), JANUARY),
    ],
)
def test_a_month_begins_at_local_midnight(at: datetime, month: date) -> None:
    assert month_of(at, ZONE) == month


def test_january_follows_december() -> None:
    assert month_after(date(2025, 12, 31)) == JANUARY
    assert month_after(date(2026, 5, 31)) == JUNE


async def test_a_guest_counts_nowhere(members: Members) -> None:
    guest = await members.admit("a@example.org", AT, area="Lanester")
    assert await groups_of(members, guest, JUNE) == set()
    assert await members.get(guest.id) == await members.named("a@example.org") == guest
    assert await members.named(guest.pseudonym) == guest
    assert await members.admit("a@example.org", AT + timedelta(days=3)) == guest
    with pytest.raises(NotFound):
        await members.named("nobody")


async def test_before_any_publication_members_count_from_their_first_records(
    members: Members,
) -> None:
    member, _ = await join(members.connection, "a")
    assert await groups_of(members, member, MAY) == {("rest", "")}
    assert await groups_of(members, member, date(2026, 4, 1)) == set()
    assert await members.first_free_month() == DAWN


async def test_after_a_publication_new_members_count_in_the_current_month(
    members: Members,
) -> None:
    """A closed hour is not closed again: so it may count in all of the month."""
    first, _ = await join(members.connection, "a")
    await publish(members.connection, date(2026, 6, 9))
    second, _ = await join(members.connection, "b")
    everyone = await group_of(members, GroupKind.ALL)
    assert await counting(members.connection, everyone, JUNE) == {first.id, second.id}


async def test_a_member_that_leaves_counts_to_the_end_of_the_month(members: Members) -> None:
    member, _ = await join(members.connection, "a")
    await members.leave(member.id, AT)
    everyone = await group_of(members, GroupKind.ALL)
    assert await counting(members.connection, everyone, JUNE) == {member.id}
    assert await counting(members.connection, everyone, JULY) == frozenset()
    assert (await members.get(member.id)).left_at == AT


@pytest.mark.parametrize("back", [AT + timedelta(days=2), AT + timedelta(days=60)])
async def test_a_member_that_comes_back_counts_again(members: Members, back: datetime) -> None:
    member, _ = await join(members.connection, "a")
    everyone = await group_of(members, GroupKind.ALL)
    await publish(members.connection, date(2026, 6, 9))
    await members.leave(member.id, AT)
    await members.count(member.id, back)
    assert (await members.get(member.id)).left_at is None
    counted = [
        bool(await counting(members.connection, everyone, month))
        for month in (MAY, JUNE, JULY, AUGUST)
    ]
    left_out = back > AT + timedelta(days=30)
    assert counted == [True, True, not left_out, True]


async def test_a_member_counts_in_its_area(members: Members) -> None:
    member, _ = await join(members.connection, "a")
    await members.set_area(member.id, "Lanester")
    assert await groups_of(members, member, MAY) == {("area", "Lanester")}
    await publish(members.connection, date(2026, 6, 9))
    await members.set_area(member.id, "Riantec")
    assert await groups_of(members, member, JUNE) == {("area", "Lanester")}
    assert await groups_of(members, member, JULY) == {("area", "Riantec")}
    await members.set_area(member.id, "Lanester")
    assert await groups_of(members, member, JULY) == {("area", "Lanester")}
    await members.set_area(member.id, None)
    assert await groups_of(members, member, JUNE) == {("area", "Lanester")}
    assert await groups_of(members, member, JULY) == {("rest", "")}


async def test_a_site_has_a_name_and_is_summed_with_its_kind(members: Members) -> None:
    member = await school(members)
    site = await members.named("École")
    assert (site.kind, site.description) == (MemberKind.SITE, SCHOOL)
    expected = {("rest", ""), ("site", "École"), ("building", "school")}
    assert await groups_of(members, member, JUNE) == expected
    await publish(members.connection, date(2026, 6, 9))
    await members.present(member.id, "École du bourg", Description(), AT)
    assert await groups_of(members, member, JUNE) == expected
    assert await groups_of(members, member, JULY) == {("rest", ""), ("site", "École du bourg")}
    other, _ = await join(members.connection, "b")
    await let_be_named(members.connection, other)
    with pytest.raises(NameTaken):
        await members.present(other.id, "École du bourg", SCHOOL, AT)


async def test_a_home_cannot_be_named(members: Members) -> None:
    member, _ = await join(members.connection, "a")
    with pytest.raises(Nameless):
        await members.rename(member.id, "Chez nous")
    assert await members.get(member.id) == member


async def test_a_collective_is_no_site(members: Members) -> None:
    below = await members.admit("coop@example.org", AT, kind=MemberKind.COLLECTIVE)
    with pytest.raises(NoSite):
        await members.present(below.id, "Coop", SCHOOL, AT)
    with pytest.raises(NoSite):
        await members.hide(below.id)
    assert await members.get(below.id) == below


async def test_a_collective_counts_from_the_next_month(members: Members) -> None:
    await join(members.connection, "a")
    await publish(members.connection, date(2026, 6, 9))
    below = await members.admit("coop@example.org", AT, kind=MemberKind.COLLECTIVE)
    await take(members, below.id, permission(id="below"), AT, own=OWN)
    assert await groups_of(members, below, JUNE) == set()
    assert await groups_of(members, below, JULY) == {("rest", "")}


async def test_a_site_is_shown_from_the_next_open_month(members: Members) -> None:
    member, _ = await join(members.connection, "a")
    await let_be_named(members.connection, member)
    await publish(members.connection, date(2026, 6, 9))
    await members.present(member.id, "École", SCHOOL, AT)
    assert await groups_of(members, member, JUNE) == {("rest", "")}
    assert ("site", "École") in await groups_of(members, member, JULY)
    # Earlier permissions count in the past too, and a site is none in it.
    given = permission(id="more", need=MORE, at=AT, records_from=AT - timedelta(days=60))
    await needs.offer(members.connection, MORE, AT)
    await take(members, member.id, given, AT, own=OWN)
    assert await groups_of(members, member, date(2026, 4, 1)) == {("rest", "")}
    assert await groups_of(members, member, JUNE) == {("rest", "")}


async def test_a_partly_permitted_month_shows_no_site(members: Members) -> None:
    member = await school(members, records_from=datetime(2026, 6, 2, tzinfo=UTC))
    assert await groups_of(members, member, JUNE) == {("rest", "")}
    assert ("site", "École") in await groups_of(members, member, JULY)


async def test_members_without_a_permission_by_name_cannot_be_shown(members: Members) -> None:
    member, _ = await join(members.connection, "a")
    other, _ = await join(members.connection, "b")
    await let_be_named(members.connection, other)
    for refused in (member.id, (await members.admit("guest@example.org", AT)).id):
        with pytest.raises(NotByName):
            await members.present(refused, "École", SCHOOL, AT)
    assert await members.get(member.id) == member
    assert await groups_of(members, member, JUNE) == {("rest", "")}
    assert "École" not in {group.name for group in await all_groups(members.connection)}


@pytest.mark.parametrize("how", ["withdrawn", "terminated", "expired", "replaced"])
async def test_a_site_becomes_a_home_when_its_permission_by_name_ends(
    members: Members, how: str
) -> None:
    member, _ = await join(members.connection, "a")
    before = await members.get(member.id)
    until = AT + timedelta(days=2)
    by_name = await let_be_named(members.connection, member, valid_until=until)
    await members.present(member.id, "École", SCHOOL, AT)
    await publish(members.connection, date(2026, 6, 9))
    match how:
        case "withdrawn":
            await withdraw(members, member.id, by_name.id, AT, erase=False)
        case "terminated":
            await terminate(members, by_name.id, AT)
        case "expired":
            await expire(members, sure(until))
        case _:
            newer = replace(BY_NAME, version=2, identification=Identification.PSEUDONYM)
            await needs.offer(members.connection, newer, AT)
            given = permission(id="newer", need=newer, at=AT)
            await take(members, member.id, given, AT, own=OWN)
    assert await members.get(member.id) == before
    names = {name for _, name in await groups_of(members, member, JUNE)}
    site = await group_of(members, GroupKind.SITE)
    assert names == {"", f"{member.pseudonym}-{site}", "school"}
    assert await groups_of(members, member, JULY) == {("rest", "")}
    assert "École" not in {group.name for group in await all_groups(members.connection)}
    with pytest.raises(NotByName):
        await members.present(member.id, "École", SCHOOL, until)


async def test_a_renewed_permission_keeps_the_site(members: Members) -> None:
    member = await school(members)
    await publish(members.connection, date(2026, 6, 9))
    newer = replace(BY_NAME, version=2)
    await needs.offer(members.connection, newer, AT)
    await take(members, member.id, permission(id="newer", need=newer), AT, own=OWN)
    assert (await members.get(member.id)).name == "École"
    for month in (JUNE, JULY):
        assert ("site", "École") in await groups_of(members, member, month)


async def test_a_hidden_site_is_a_home_again(members: Members) -> None:
    member, _ = await join(members.connection, "a")
    await let_be_named(members.connection, member)
    before = await members.get(member.id)
    await members.present(member.id, "École", SCHOOL, AT)
    await members.hide(member.id)
    assert await members.get(member.id) == before
    assert await groups_of(members, member, JUNE) == {("rest", "")}
    assert "École" not in {group.name for group in await all_groups(members.connection)}
    await members.hide(member.id)
    assert await members.get(member.id) == before


async def test_guests_without_a_permission_are_forgotten(members: Members) -> None:
    await members.admit("guest@example.org", AT)
    member, _ = await join(members.connection, "a")
    assert await members.forget_guests(sure(AT + GUESTS_FOR)) == 0
    assert await members.forget_guests(sure(AT + GUESTS_FOR + timedelta(days=1))) == 1
    assert [guest.id for guest in await members.all()] == [member.id]


async def test_a_forgotten_member_counts_to_the_end_of_the_month(members: Members) -> None:
    member = await school(members)
    await members.forget(member.id, AT)
    gone = await members.get(member.id)
    assert (gone.jid, gone.name, gone.description, gone.area) == (None,) * 4
    assert ("rest", "") in await groups_of(members, member, JUNE)
    assert await groups_of(members, member, JULY) == set()
    assert "École" not in {group.name for group in await all_groups(members.connection)}


def test_description_of_one_text_is_read_as_french() -> None:
    read = Description.unpack('{"surface_m2": 400, "words": "Dans l’ancien moulin."}')
    assert read == Description(surface_m2=400, words_fr="Dans l’ancien moulin.")
    assert Description.unpack(read.pack()) == read


@pytest.mark.parametrize(
    "wrong",
    [
        {"surface_m2": 0},
        {"surface_m2": -3},
        {"peak_kwp": 0},
        {"words_fr": "x" * 3000},
        {"words_en": "x" * 3000},
    ],
)
def test_impossible_descriptions_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Description(**wrong)  # type: ignore[arg-type]
