"""What script/mutants makes of mutmut's results, and its list of changes without effect."""

from collections import Counter
from pathlib import Path

import pytest

from tools.mutants.__main__ import (
    EQUAL,
    ROOT,
    Change,
    Outcome,
    compare,
    misfits,
    read_equal,
    table,
    undecorated,
)
from tools.mutants.plugin import cost
from tools.mutants.rooms import ROOMS, Room

ROOM = Room(("addon/consometers_node/permission",), ())
NARROW = Change("consometers_node.permission.terms.narrow", "a < b", "a <= b")
OTHER = Change("consometers_node.permission.terms.narrow", "a < b", "a > b")


def outcome(**changes: list[Change]) -> Outcome:
    return Outcome(61.4, {word.replace("_", " "): some for word, some in changes.items()})


@pytest.mark.parametrize("word", ["survived", "no_tests", "suspicious", "not_checked", "segfault"])
def test_a_change_is_a_fault_unless_a_test_notices_it_or_the_list_has_it(word: str) -> None:
    result = outcome(killed=[OTHER], **{word: [NARROW]})
    (fault,) = compare(result, {OTHER: "reason"})
    assert "narrow" in fault
    assert not list(compare(result, {NARROW: "reason"}))


def test_an_entry_of_the_list_is_a_fault_once_a_test_notices_it_or_nothing_makes_it() -> None:
    result = outcome(killed=[OTHER], survived=[NARROW])
    gone = Change("consometers_node.permission.need.gone", "", "")
    elsewhere = Change("consometers_node.permissions.gone", "", "")
    noticed, nothing = misfits(result, ROOM, [NARROW, OTHER, gone, elsewhere])
    assert "a test notices it" in noticed
    assert "nothing makes it" in nothing


def test_an_endless_loop_is_noticed_but_one_of_a_busy_machine_is_no_fault() -> None:
    result = outcome(timeout=[NARROW])
    assert not list(compare(result, {}))
    assert not list(misfits(result, ROOM, [NARROW]))


def test_the_table_counts_each_change_once() -> None:
    result = outcome(killed=[OTHER, OTHER], timeout=[OTHER], survived=[NARROW, OTHER])
    *_, room, total = table({"permission": result}, {NARROW: "reason"}).splitlines()
    assert room == "| permission | 5 | 3 | 1 | 1 | 61 |"
    assert total == "| all | 5 | 3 | 1 | 1 | 61 |"


def test_decorators_become_calls() -> None:
    source = '''
class A:
    @property
    def a(self) -> int:
        """Return one."""
        return 1

    @classmethod
    def b(cls) -> None: ...


@lru_cache(3)
@other
def c() -> None:
    pass
'''
    assert undecorated(source).splitlines() == [
        "",
        "class A:",
        "    def a(self) -> int:",
        '        """Return one."""',
        "        return 1",
        "    a = property(a)",
        "",
        "    @classmethod",
        "    def b(cls) -> None: ...",
        "",
        "",
        "def c() -> None:",
        "    pass",
        "c = lru_cache(3)(other(c))",
    ]


def test_a_test_that_noticed_other_changes_comes_before_a_faster_one() -> None:
    seconds = {"fast": 0.1, "noticed": 0.3, "slow": 5.0}
    noticed = Counter({hash("noticed"): 3, hash("slow"): 1})
    order = sorted(seconds, key=lambda test: cost(seconds, noticed, test))
    assert order == ["noticed", "fast", "slow"]


def test_rooms_name_files_that_are_there() -> None:
    for room in ROOMS.values():
        for place in (*room.sources, *room.tests):
            assert (ROOT / place).exists()


def test_entries_of_the_list_name_lines_of_the_code_each_once_with_a_reason() -> None:
    entries = list(read_equal(EQUAL))
    assert len({change for change, _ in entries}) == len(entries)
    for change, reason in entries:
        assert len(reason) > 10
        words = change.function.split(".")
        folders = ("addon", "packages/tic/src", ".")
        places = (
            Path(ROOT, folder, *words[:n]).with_suffix(".py")
            for folder in folders
            for n in range(len(words), 0, -1)
        )
        source = next(each.read_text() for each in places if each.exists())
        assert change.line in " ".join(line.strip() for line in source.splitlines())
