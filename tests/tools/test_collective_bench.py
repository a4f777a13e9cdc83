"""The benchmark of a collective: its members push what can be counted, are alike, and can go."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from consometers_node.collective.ingestion.validation import MemberMessage, take
from consometers_node.collective.members.members import Members
from consometers_node.series import Interval
from consometers_node.store import Store
from consometers_node.store.collective.groups import GroupKind, all_groups, counting
from consometers_node.store.collective.member_series import members_without_subscription, of_member
from consometers_node.store.collective.memberships import series_of_member
from tools.bench.collective import growth
from tools.bench.collective.ingestion import records
from tools.bench.harness.homes import HOURS, ZONE, day_of, join
from tools.bench.harness.members import jid

NOW = datetime(2026, 3, 1, 7, tzinfo=UTC)


async def test_copied_homes_count_as_admitted_homes(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node.db")
    await join(store, 13, history_days=31)
    at = datetime.now(UTC)
    yesterday = datetime(at.year, at.month, at.day, tzinfo=UTC) - timedelta(days=1)
    messages = [
        MemberMessage(jid(home), day_of(home, [yesterday], Random(1))) for home in range(13)
    ]
    async with store.writing() as connection:
        assert await take(connection, messages, ZONE.key, at) == 13 * [None]
        assert await members_without_subscription(connection) == set()
        register = Members(connection, ZONE)
        areas = {member.jid: member.area for member in await register.all()}
        counted = {
            (group.kind, len(await counting(connection, group.id, date(at.year, at.month, 1))))
            for group in await all_groups(connection)
        }
        first, copied = [await of_member(connection, jid(home)) for home in (1, 11)]
    await store.close()
    assert areas.keys() == {jid(home) for home in range(13)}
    assert areas[jid(1)] == areas[jid(6)] == areas[jid(11)] != areas[jid(12)]
    assert counted == {(GroupKind.ALL, 13), (GroupKind.AREA, 3), (GroupKind.AREA, 2)}
    assert first[0].records == copied[0].records
    assert first[0].interval is copied[0].interval is Interval.PT1H


async def test_only_the_largest_home_is_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(growth, "YEARS", 2)
    monkeypatch.setattr(growth, "_YEAR_DAYS", 23)
    monkeypatch.setattr(growth, "DAYS", 3)
    monkeypatch.setattr(growth, "HOMES", 11)
    await growth.measure(tmp_path / "node.db")
    assert "the largest home erased in" in capsys.readouterr().out
    store = await Store.open(tmp_path / "node.db")
    async with store.reading() as connection:
        left = {
            member.jid
            for member in await Members(connection, ZONE).all()
            if await series_of_member(connection, member.id)
        }
    assert left == {jid(home) for home in range(1, 11)}
    assert await records(store) == 10 * 46 * HOURS
    await store.close()
