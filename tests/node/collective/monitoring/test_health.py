"""The health of a collective's node, with nobody's name in it."""

from pathlib import Path
import shutil

import pytest

from consometers_node.collective.counters import PageAnswer, Timed
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.ingestion.validation import MemberMessage, take
from consometers_node.collective.members.members import MemberKind
from consometers_node.collective.monitoring.problems import ProblemKind
from consometers_node.collective.permissions.member_permissions import take as take_given
from consometers_node.store import Store
from consometers_node.store.collective.member_series import note_received, update_series
from consometers_node.store.collective.member_status import GrantingMembers, count_members
from consometers_node.store.collective.tables import MemberPermissionId
from consometers_quoalise import Duration
from testing.collectives.members import AT, OWN, changing, join, meter, permission
from testing.collectives.records import HOUR, pushed_data
from testing.collectives.watched import watch_of
from testing.pages.town import ReleasedTown, settings


async def test_members_are_counted_by_kind_and_delivery(store: Store) -> None:
    async with changing(store) as (connection, members):
        for name in ("a", "b", "c"):
            await join(connection, name)
        await members.admit("guest@example.org", AT)
        school = await members.admit("school@example.org", AT, kind=MemberKind.SITE)
        daily = permission(meter("school"), id="school", interval=Duration(days=1))
        await take_given(members, school.id, daily, AT, own=OWN)
    message = MemberMessage("a@example.org", pushed_data(meter("a"), AT - 10 * HOUR, [1, 2]))
    async with store.writing() as connection:
        assert await take(connection, [message], "Europe/Paris", AT - HOUR, Arrivals()) == [None]
        await note_received(connection, {(MemberPermissionId("b"), str(meter("b")))}, AT - 5 * HOUR)
        key = MemberPermissionId("b"), str(meter("b"))
        await update_series(connection, key, backfilled_until=AT)
        await note_received(
            connection, {(MemberPermissionId("school"), str(meter("school")))}, AT - 40 * HOUR
        )
    async with store.reading() as connection:
        counts = await count_members(connection, AT)
    assert counts.granting == {
        "home": GrantingMembers(3, 3, 1, 2, 2, 2),
        "site": GrantingMembers(1, 1, 1, 1, 1, 1),
    }
    assert counts.guests == 1
    assert counts.outbox == 0


async def test_repeated_requests_share_one_result(store: Store, tmp_path: Path) -> None:
    watch = watch_of(ReleasedTown(store, settings(tmp_path)))
    assert await watch.health() is await watch.health()


async def test_an_unreachable_database_is_reported(tmp_path: Path) -> None:
    place = tmp_path / "gone"
    place.mkdir()
    store = await Store.open(place / "node.db")
    await store.close()
    shutil.rmtree(place)
    health = await watch_of(ReleasedTown(store, settings(tmp_path))).health()
    assert health.database is None
    assert ProblemKind.DATABASE in health.kinds
    await store.close()


@pytest.mark.parametrize(
    ("status", "page"),
    [
        (200, PageAnswer.ANSWERED),
        (304, PageAnswer.ANSWERED),
        (404, PageAnswer.REFUSED),
        (429, PageAnswer.LIMITED),
        (500, PageAnswer.FAILED),
    ],
)
def test_pages_are_counted_by_their_status(status: int, page: PageAnswer) -> None:
    assert PageAnswer.of(status) is page


def test_failed_work_is_not_timed() -> None:
    timed = Timed()
    with timed.once():
        pass
    assert timed.count == 1
    assert timed.last_s == timed.seconds
    assert timed.seconds > 0
    with pytest.raises(ZeroDivisionError), timed.once():
        _ = 1 / 0
    assert timed.count == 1
