"""What the show house tells of its node, and what it forgets of it."""

import json
from pathlib import Path
import shlex

import pytest

from consometers_node.permission import DataNeed
from consometers_node.series import Direction, Interval, Quantity
from consometers_node.wire import read_need_file
from demo import node
from demo.house import _as_json
from demo.kersabiec import Address, Indoors, Modbus

HASS = "http://127.0.0.1:8123"
ADDRESS = Address(
    url=HASS,
    meter="/m",
    device_page=f"{HASS}/m",
    roof_meter="/r",
    roof_meter_page=f"{HASS}/r",
    inverter=Modbus(host="127.0.0.1", port=1502, unit_id=1),
    inverter_page=f"{HASS}/i",
    balance_page=f"{HASS}/b",
)
INDOORS = Indoors(entry_id="e1", node_page=f"{HASS}/n", dashboard_page=f"{HASS}/my-energy")
SERIES = node.Series(
    identifier="urn:dev:org:60060-a_consumption/power/active/raw",
    direction="consumption",
    interval="PT1H",
    unit="W",
    statistic="sensor.drawn",
    first=None,
    last=None,
)
VIEW = node.View(
    host="127.0.0.1",
    port=5222,
    ca_file=Path("/a folder/authority.pem"),
    password_file=Path("/a folder/observer.password"),
    node=f"{node.NODE}/quoalise",
    page="http://127.0.0.1:8123/local_consometers",
    series=(SERIES,),
)


@pytest.fixture
def need() -> DataNeed:
    return read_need_file((Path(node.__file__).parent / "need.toml").read_bytes())


def test_the_observer_asks_for_hours_of_all_directions(need: DataNeed) -> None:
    assert {(one.direction, one.quantity) for one in need.wanted} == {
        (direction, Quantity.ENERGY) for direction in Direction
    }
    assert need.interval is Interval.PT1H
    assert (need.history_days, need.duration_days) == (365, 730)


def test_the_observer_asks_in_both_languages(need: DataNeed) -> None:
    for texts in (need.title, need.purpose, need.recipients):
        assert set(texts) == {"en", "fr"}


def test_the_command_is_one_that_a_shell_takes_as_it_is() -> None:
    words = shlex.split(VIEW.command)
    assert words[:4] == ["script/node", "get-history", node.NODE, SERIES.identifier]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    assert options == {
        "--as": node.OBSERVER,
        "--host": "127.0.0.1",
        "--port": "5222",
        "--ca-file": "/a folder/authority.pem",
        "--password-file": "/a folder/observer.password",
    }


def test_a_program_is_told_the_same_with_a_node_and_without_one() -> None:
    told = json.loads(_as_json(ADDRESS, VIEW, INDOORS, None, None))
    without = json.loads(_as_json(ADDRESS, None, None, None, None))
    assert told.keys() == without.keys()
    assert told["xmpp"]["ca_file"] == "/a folder/authority.pem"
    assert told["node"] == {
        "jid": VIEW.node,
        "page": VIEW.page,
        "entry_id": INDOORS.entry_id,
        "device_page": INDOORS.node_page,
    }
    assert told["dashboard_page"] == INDOORS.dashboard_page
    assert told["series"][0]["statistic"] == "sensor.drawn"
    assert without["node"] is None
    assert told["inverter"] == {"host": "127.0.0.1", "port": 1502, "unit_id": 1}


def test_without_prosody_there_is_no_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.is_missing()


def test_forgetting_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    for name in ("node", "prosody", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    node.forget(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    node.forget(tmp_path)
