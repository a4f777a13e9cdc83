"""The register answers at once what there is to know of sleeping homes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3
import stat

import pytest

from consometers_node.host.homes import register as register_module
from consometers_node.host.homes.register import AddressTaken, HomeRegister, OtherVersion
from consometers_node.i18n.text import text

NOW = datetime(2026, 12, 3, 14, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
A, B, C = (f"{name}@homes.test" for name in "abc")


@pytest.fixture
def register(tmp_path: Path) -> Iterator[HomeRegister]:
    register = HomeRegister.open(tmp_path)
    yield register
    register.close()


def test_a_home_is_a_row_and_a_folder_of_its_own(register: HomeRegister, tmp_path: Path) -> None:
    home, other = register.add(A, NOW), register.add(B, LATER)
    assert register.of(A) == home
    assert (home.created_at, home.seen_at, home.due_at, home.problem) == (NOW, NOW, None, None)
    assert home.folder != other.folder
    assert home.folder.parent == tmp_path
    assert "a" not in {home.folder.name, *home.folder.name.split("@")}
    for path, mode in ((home.folder, 0o700), (tmp_path / "homes.db", 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert [each.address for each in register.all()] == [A, B]
    assert len(register) == 2


def test_an_address_is_given_once(register: HomeRegister, tmp_path: Path) -> None:
    register.add(A, NOW)
    with pytest.raises(AddressTaken):
        register.add(A, LATER)
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1


def test_it_stays_after_it_is_closed(tmp_path: Path) -> None:
    for _ in range(2):
        register = HomeRegister.open(tmp_path)
        if not len(register):
            register.add(A, NOW)
            register.rest(A, LATER, LATER, ["coop@two.test"])
        assert register.of(A).seen_at == LATER
        assert register.knows(A, "coop@two.test")
        register.close()


def test_a_removed_home_leaves_nothing(register: HomeRegister, tmp_path: Path) -> None:
    home = register.add(A, NOW)
    register.rest(A, NOW, NOW, ["coop@two.test"])
    (home.folder / "node.db").write_text("records")
    register.remove(A)
    assert not home.folder.exists()
    assert not register.knows(A, "coop@two.test")
    assert register.due(LATER, 9) == []
    with pytest.raises(KeyError):
        register.of(A)
    assert b"coop@two.test" not in (tmp_path / "homes.db").read_bytes()


def test_each_home_knows_its_own_peers(
    register: HomeRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    register.add(A, NOW)
    register.add(B, NOW)
    register.rest(A, NOW, None, ["coop@two.test", "town@two.test"])
    assert register.knows(A, "town@two.test")
    assert not register.knows(B, "town@two.test")
    register.rest(A, NOW, None, ["coop@two.test"])
    assert not register.knows(A, "town@two.test")
    monkeypatch.setattr(register_module, "MOST_PEERS", 2)
    register.rest(A, NOW, None, [f"p{n}@two.test" for n in range(3)])
    assert [register.knows(A, f"p{n}@two.test") for n in range(3)] == [True, True, False]


def test_homes_are_due_in_their_order(register: HomeRegister) -> None:
    assert register.next_due() is None
    for address, due in ((A, LATER), (B, NOW), (C, None)):
        register.add(address, NOW)
        register.rest(address, NOW, due, ())
    assert register.next_due() == NOW
    assert register.due(NOW, 9) == [B]
    assert register.due(LATER, 9) == [B, A]
    assert register.due(LATER, 1) == [B]


def test_a_problem_lasts_until_the_home_is_well(register: HomeRegister) -> None:
    register.add(A, NOW)
    problem = text("the database’s file is damaged: put a backup back.")
    register.break_off(A, problem, LATER)
    assert register.is_broken(A)
    shown = register.of(A).problem
    assert shown is not None
    assert [shown.say(tag) for tag in ("en", "fr")] == [problem.say(tag) for tag in ("en", "fr")]
    assert register.due(LATER, 9) == [A]
    register.rest(A, LATER, None, ())
    assert not register.is_broken(A)
    assert register.of(A).problem is None


def test_a_register_of_another_version_is_left_alone(tmp_path: Path) -> None:
    HomeRegister.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "homes.db") as file:
        file.execute("PRAGMA user_version = 2")
    file.close()
    with pytest.raises(OtherVersion):
        HomeRegister.open(tmp_path)
