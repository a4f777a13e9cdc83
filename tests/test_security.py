"""SECURITY.md says what was tried, how often, and on which database."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache
import os
from pathlib import Path
import re
import subprocess
import sys
from typing import Final, NamedTuple

import pytest

from testing.run import ON_BOTH_DATABASES

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "SECURITY.md"
FRENCH: Final = ROOT / "SECURITY.fr.md"
BOTH: Final = "on both databases"
BOTH_DATABASES: Final = {"sqlite", "postgresql"}
CLASSES: Final = {PAGE: "Classes of adversary", FRENCH: "Types d’adversaires"}
ON_BOTH: Final = {PAGE: BOTH, FRENCH: "sur les deux bases"}
FUZZ: Final = "tests/hostile/fuzz/"
OUT_OF_DATE: Final = 0.75
"""At least so much of the cases that a row's tests make is said to be."""


class Row(NamedTuple):
    """A kind of attack; `files` are those of its tests."""

    attack: str
    often: str
    files: Set[str]


class Adversary(NamedTuple):
    """A class of adversary, the least number of cases, and what the command runs."""

    who: str
    tried: str
    cases: int
    files: tuple[str, ...]


class Case(NamedTuple):
    """A collected test: its file, its function, and the database of its parameters."""

    file: str
    function: str
    database: str | None


def rows() -> Iterator[Row]:
    """Yield the rows of what was tried."""
    _, _, table = PAGE.read_text().partition("\n## What was tried\n")
    for line in table.splitlines():
        if line.startswith("| ") and not line.startswith("| attack |"):
            attack, often, _, tests = (cell.strip() for cell in line.strip("|").split(" | "))
            yield Row(attack, often, set(re.findall(r"\]\((.+?)\)", tests)))


def adversaries(page: Path) -> Iterator[Adversary]:
    """Yield the rows of the classes of adversary."""
    section = page.read_text().partition(f"\n## {CLASSES[page]}\n")[2].partition("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| **"):
            who, tried, _, _, command = (cell.strip() for cell in line.strip("|").split(" | "))
            (cases,) = re.findall(r"\b(\d[\d,\u202f]*) (?:cases|cas)\b", tried)
            (files,) = re.findall(r"^`script/test (.+)`$", command)
            yield Adversary(who, tried, int(re.sub(r"\D", "", cases)), tuple(files.split()))


@cache
def collected() -> list[Case]:
    """Return the tests of all rows, as an ordinary run collects them."""
    files = {file for row in rows() for file in row.files}
    files |= {file for adversary in adversaries(PAGE) for file in adversary.files}
    listed = subprocess.run(
        (
            *(sys.executable, "-m", "pytest", "--collect-only", "-q"),
            *sorted(file for file in files if "/e2e/" not in file),
        ),
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "CI_FULL"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    collected_cases = re.findall(
        r"^(\S+?\.py)::(?:\w+::)*(\w+)(?:\[(sqlite|postgresql)\b)?", listed, re.MULTILINE
    )
    return [Case(file, function, database or None) for file, function, database in collected_cases]


def databases(files: Iterable[str]) -> set[str]:
    """Return on which databases the tests of a file, or of the first that names one, run."""
    by_file: dict[str, set[str]] = defaultdict(set)
    for case in collected():
        if case.database is not None:
            by_file[case.file].add(case.database)
    within = [both for file, both in by_file.items() if any(map(file.startswith, files))]
    return max(within, key=len, default=set())


@cache
def examples(file: str) -> Mapping[str, int]:
    """Return how many examples each test of the fuzzer tries in an ordinary run."""
    counts: dict[str, int] = {}
    for function in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            for call in ast.walk(function):
                match call:
                    case ast.Call(
                        func=ast.Name(id="explore"), args=[_, ast.Constant(value=int(count)), *_]
                    ):
                        counts[function.name] = count
    return counts


def cases(files: Iterable[str]) -> int:
    """Count the tests of files and folders, and of the fuzzer's tests their examples."""
    return sum(
        examples(case.file).get(case.function, 1) if case.file.startswith(FUZZ) else 1
        for case in collected()
        if any(map(case.file.startswith, files))
    )


def test_each_row_names_its_tests() -> None:
    for row in rows():
        assert row.files, row.attack
        assert all((ROOT / file).is_file() for file in row.files), row.attack


def test_each_row_that_says_both_databases_has_tests_on_both() -> None:
    """As an ordinary run collects them."""
    selected = [row for row in rows() if BOTH in row.often]
    assert selected
    for row in selected:
        assert any(databases([file]) == BOTH_DATABASES for file in row.files), row.attack


@pytest.mark.parametrize("page", CLASSES)
def test_classes_of_adversaries_say_how_many_cases_their_tests_make(page: Path) -> None:
    counted = {adversary.who: cases(adversary.files) for adversary in adversaries(page)}
    assert len(counted) > 5
    for who, _, count, files in adversaries(page):
        assert all((ROOT / file).exists() for file in files), who
        assert OUT_OF_DATE * counted[who] <= count <= counted[who], who


@pytest.mark.parametrize("page", CLASSES)
def test_classes_of_adversaries_say_both_databases_where_tests_run_on_both(page: Path) -> None:
    for adversary in adversaries(page):
        is_on_both = databases(adversary.files) == BOTH_DATABASES
        assert (ON_BOTH[page] in adversary.tried) is is_on_both, adversary.who


@pytest.mark.parametrize("page", CLASSES)
def test_classes_that_say_both_databases_of_all_their_cases_have_most_on_one(page: Path) -> None:
    """Where a part of them is, the row names the part."""
    for adversary in adversaries(page):
        if re.search(rf"(cases|cas), {ON_BOTH[page]}", adversary.tried):
            with_database = sum(
                case.database is not None
                for case in collected()
                if any(map(case.file.startswith, adversary.files))
            )
            assert 2 * with_database > cases(adversary.files), adversary.who


def test_both_languages_repeat_the_same() -> None:
    english, french = ([each[2:] for each in adversaries(page)] for page in (PAGE, FRENCH))
    assert english == french


def test_rows_count_the_examples_of_the_fuzzer() -> None:
    counted = 0
    for row in rows():
        if stated := re.findall(r"^(\d+) examples", row.often):
            tried = sum(
                examples(case.file).get(case.function, 0)
                for case in collected()
                if case.file in row.files
            )
            assert stated == [str(tried)], row.attack
            counted += 1
    assert counted == len(list((ROOT / FUZZ).glob("test_*.py")))


def test_a_row_counts_the_tests_of_a_wrong_clock() -> None:
    (stated,) = (
        match for row in rows() for match in re.findall(r"(\d+) tests each run", row.often)
    )
    assert int(stated) == cases(["tests/hostile/test_clock.py"])


def test_each_file_on_both_databases_is_in_a_row_that_says_so() -> None:
    named = {file for row in rows() for file in row.files}
    both = {f"tests/{place}" for place in ON_BOTH_DATABASES}
    on_both = {file for file in named if any(Path(file).is_relative_to(place) for place in both)}
    assert on_both <= {file for row in rows() if BOTH in row.often for file in row.files}


def test_rows_name_no_database_in_other_words() -> None:
    assert not [row for row in rows() if "SQL" in row.often]
