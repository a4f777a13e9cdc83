"""A site is shown by name once its own node has granted that, from a first of a month on."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from consometers_node.collective.members.sites import Description
from consometers_node.series import Interval
from consometers_node.store.collective.groups import GroupKind, all_groups, group_id
from consometers_node.store.collective.tables import GroupMembershipRow, MemberRow
from testing.collectives.publishing import BEFORE, DAY, MONTH, NOON, PublishingTown

HOURS_A_DAY = 24


async def test_a_former_site_hides_no_home_before_the_next_month(file_town: PublishingTown) -> None:
    """Its published figures, subtracted from the sum of all, would leave that of two homes."""
    site = await file_town.member(kind="site", name="École")
    await file_town.members(2)
    await file_town.record(list(file_town.series), 600, day=BEFORE)
    await file_town.look(NOON - timedelta(hours=12))
    assert await file_town.shown("École", kind="site", day=BEFORE) == [600] * HOURS_A_DAY
    published = await file_town.published()
    await file_town.unname(site)
    await file_town.record(list(file_town.series), 600)
    await file_town.look()
    assert await file_town.shown(day=DAY) == []
    after = await file_town.published()
    assert published.items() <= after.items()
    # A day is the sum of its published hours.
    new = after.keys() - published.keys()
    assert {step for _, step, _ in new} == {Interval.P1D}
    assert {start.date() for _, _, start in new} <= {BEFORE, BEFORE - timedelta(days=1)}
    day = date(2026, 8, 3)
    await file_town.record(list(file_town.series), 600, day=day)
    await file_town.look(datetime(2026, 8, 5, tzinfo=UTC))
    assert await file_town.shown(day=day) == [3 * 600] * HOURS_A_DAY
    assert await file_town.counted(day=day) == [3] * HOURS_A_DAY
    assert "École" not in {group.name for group in await all_groups(file_town.connection)}


async def test_a_hidden_site_without_figures_counts_as_a_home_at_once(
    file_town: PublishingTown,
) -> None:
    site = await file_town.member(kind="site", name="École")
    await file_town.members(2)
    await file_town.record(list(file_town.series), 300)
    await file_town.people.hide(site)
    await file_town.look()
    assert await file_town.shown() == [3 * 300] * HOURS_A_DAY
    assert await file_town.shown("École", kind="site") == []


async def test_a_home_becomes_a_site_from_the_next_month_on(file_town: PublishingTown) -> None:
    """Before the month from which it is shown, it is hidden among homes as ever."""
    homes = await file_town.members(3)
    await file_town.record(homes, 300, day=BEFORE)
    await file_town.look(NOON - timedelta(hours=12))
    await file_town.name(homes[0])
    await file_town.people.present(homes[0], "École", Description(), NOON)
    await file_town.record(homes, 300, day=DAY)
    await file_town.look()
    assert await file_town.shown() == [3 * 300] * HOURS_A_DAY
    assert await file_town.shown("École", kind="site") == []


@pytest.mark.parametrize("how", ["row", "group", "other", "expired", "coarser"])
async def test_closing_shows_no_home_without_its_permission(
    file_town: PublishingTown, how: str
) -> None:
    """It holds for that series, whatever the rows of members and groups say."""
    homes = await file_town.members(4)
    home, other = homes[0], homes[1]
    await file_town.record(homes, 300)
    site = await group_id(file_town.connection, GroupKind.SITE, "Chez nous")
    if how != "row":
        member = {"member_id": home, "group_id": site, "from_month": MONTH}
        await file_town.connection.execute(insert(GroupMembershipRow).values(member))
    match how:
        case "other":
            await file_town.name(other)
        case "expired":
            await file_town.name(home, until=NOON + timedelta(hours=1))
        case "coarser":
            await file_town.name(home, interval=Interval.P1D)
    # The database lets it be named by its own permission alone.
    named = {"name": "Chez nous"} if how in {"expired", "coarser"} else {}
    await file_town.connection.execute(
        update(MemberRow).where(MemberRow.id == home).values(kind="site", **named)
    )
    await file_town.look()
    count = 4 if how == "row" else 3
    assert await file_town.shown() == [count * 300] * HOURS_A_DAY
    assert await file_town.counted() == [count] * HOURS_A_DAY
    assert await file_town.shown("Chez nous", kind="site") == []
    assert site not in {group for group, _, _ in await file_town.published()}
