"""The benchmarks of publication: small ones, that close what they say."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from consometers_node.series import Direction
from consometers_node.store import Store
from consometers_node.store.tables import BlockRow, SeriesRow
from tools.bench.collective import closing, region
from tools.bench.harness.homes import join, keep_days


async def test_homes_store_whole_days_at_once(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node.db")
    await join(store, 12, 31, ways=(Direction.CONSUMPTION, Direction.PRODUCTION))
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    await keep_days(store, range(12), [yesterday])
    await keep_days(store, [7], [yesterday], Direction.PRODUCTION)
    async with store.reading() as connection:
        query = (
            select(SeriesRow.direction, SeriesRow.device, func.count())
            .join(BlockRow, BlockRow.series_id == SeriesRow.id)
            .group_by(SeriesRow.direction, SeriesRow.device)
        )
        rows = list((await connection.execute(query)).tuples())
    await store.close()
    assert len(rows) == 13
    assert {count for *_, count in rows} == {1}
    made = [device for way, device, _ in rows if way is Direction.PRODUCTION]
    assert made == ["urn:dev:org:60060-m7.panels"]


def test_closing_an_hour_is_compared_with_a_bare_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(closing, "_YEAR_DAYS", 3)
    monkeypatch.setattr(closing, "YEARS", (1, 2))
    monkeypatch.setattr(closing, "GROWN_HOMES", 12)
    assert closing.main(["--homes", "40", "--database", "sqlite"]) in (0, 1)
    printed = capsys.readouterr().out
    assert "sqlite, 40 homes: an hour" in printed
    assert "ratio" in printed
    assert "times as long" in printed


def test_a_region_has_all_homes_of_its_cooperatives(capsys: pytest.CaptureFixture[str]) -> None:
    assert region.main(["--cooperatives", "2", "--homes", "40", "--communes", "3"]) == 0
    printed = capsys.readouterr().out
    # 24 hours of everybody's series and of three communes'.
    assert f"a region of 2 cooperatives: {2 * 24 * 4} messages" in printed
