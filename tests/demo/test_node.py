"""What the show house prints about its node, and what it forgets of it."""

from pathlib import Path

import pytest

from consometers_node.permission import DataNeed
from consometers_node.series import Direction, Interval, Quantity
from consometers_node.wire import read_need_file
from demo.house import forget
from demo.school import node


@pytest.fixture
def need() -> DataNeed:
    return read_need_file((Path(node.__file__).parent / "need.toml").read_bytes())


def test_the_observer_asks_for_hours_of_all_directions(need: DataNeed) -> None:
    assert {(series.direction, series.quantity) for series in need.series} == {
        (direction, Quantity.ENERGY) for direction in Direction
    }
    assert need.interval is Interval.PT1H
    assert (need.history_days, need.duration_days) == (365, 730)


def test_without_prosody_there_is_no_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.is_missing()


def test_forgetting_leaves_other_files(tmp_path: Path) -> None:
    for name in ("node", "prosody", "hass", "street", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / "school.json").touch()
    forget(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    forget(tmp_path)
