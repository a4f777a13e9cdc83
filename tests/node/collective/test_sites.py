"""A site is shown by name once its own node has granted that, from a first of a month on."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from consometers_node.collective.members.sites import Description
from consometers_node.series import Interval
from consometers_node.store import Store
from consometers_node.store.collective_tables import GroupMembershipRow, MemberRow
from consometers_node.store.groups import GroupKind, all_groups, group_id

from .publishing import BEFORE, DAY, MONTH, NOON, Town

HOURS_A_DAY = 24


async def test_a_former_site_hides_no_home_before_the_next_month(file: Store) -> None:
    """Its figures of this month may be known: less them, a sum of all would be that of two."""
    async with file.writing() as connection:
        town = Town(connection)
        site = await town.member(kind="site", name="École")
        await town.members(2)
        await town.record(list(town.series), 600, day=BEFORE)
        await town.look(NOON - timedelta(hours=12))
        assert await town.shown("École", kind="site", day=BEFORE) == [600] * HOURS_A_DAY
        published = await town.published()
        await town.unname(site)
        await town.record(list(town.series), 600)
        await town.look()
        assert await town.shown(day=DAY) == []
        after = await town.published()
        assert published.items() <= after.items()
        # A day is the sum of its published hours.
        new = after.keys() - published.keys()
        assert {step for _, step, _ in new} == {Interval.P1D}
        assert {start.date() for _, _, start in new} <= {BEFORE, BEFORE - timedelta(days=1)}
        day = date(2026, 8, 3)
        await town.record(list(town.series), 600, day=day)
        await town.look(datetime(2026, 8, 5, tzinfo=UTC))
        assert await town.shown(day=day) == [3 * 600] * HOURS_A_DAY
        assert await town.counted(day=day) == [3] * HOURS_A_DAY
        assert "École" not in {group.name for group in await all_groups(connection)}


async def test_a_hidden_site_without_figures_counts_as_a_home_at_once(file: Store) -> None:
    async with file.writing() as connection:
        town = Town(connection)
        site = await town.member(kind="site", name="École")
        await town.members(2)
        await town.record(list(town.series), 300)
        await town.people.hide(site)
        await town.look()
        assert await town.shown() == [3 * 300] * HOURS_A_DAY
        assert await town.shown("École", kind="site") == []


async def test_a_home_becomes_a_site_from_the_next_month_on(file: Store) -> None:
    """Before the month from which it is shown, it is hidden among homes as ever."""
    async with file.writing() as connection:
        town = Town(connection)
        homes = await town.members(3)
        await town.record(homes, 300, day=BEFORE)
        await town.look(NOON - timedelta(hours=12))
        await town.name(homes[0])
        await town.people.present(homes[0], "École", Description(), NOON)
        await town.record(homes, 300, day=DAY)
        await town.look()
        assert await town.shown() == [3 * 300] * HOURS_A_DAY
        assert await town.shown("École", kind="site") == []


@pytest.mark.parametrize("how", ["row", "group", "other", "expired", "coarser"])
async def test_the_database_refuses_to_show_a_home(file: Store, how: str) -> None:
    """What closes an interval asks for the permission too, and for which series it is."""
    async with file.writing() as connection:
        town = Town(connection)
        homes = await town.members(4)
        home, other = homes[0], homes[1]
        await town.record(homes, 300)
        site = await group_id(connection, GroupKind.SITE, "Chez nous")
        await connection.execute(
            update(MemberRow).where(MemberRow.id == home).values(kind="site", name="Chez nous")
        )
        if how != "row":
            member = {"member_id": home, "group_id": site, "from_month": MONTH}
            await connection.execute(insert(GroupMembershipRow).values(member))
        match how:
            case "other":
                await town.name(other)
            case "expired":
                await town.name(home, until=NOON + timedelta(hours=1))
            case "coarser":
                await town.name(home, interval=Interval.P1D)
        await town.look()
        count = 4 if how == "row" else 3
        assert await town.shown() == [count * 300] * HOURS_A_DAY
        assert await town.counted() == [count] * HOURS_A_DAY
        assert await town.shown("Chez nous", kind="site") == []
        assert site not in {group for group, _, _ in await town.published()}
