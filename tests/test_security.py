"""SECURITY.md says what was tried, and on which database."""

from collections import defaultdict
from collections.abc import Iterator, Set
import os
from pathlib import Path
import re
import subprocess
import sys
from typing import Final, NamedTuple

from tests.conftest import ON_BOTH_DATABASES

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "SECURITY.md"
BOTH: Final = "on both databases"


class Row(NamedTuple):
    """A kind of attack; `files` are those of its tests."""

    attack: str
    often: str
    files: Set[str]


def rows() -> Iterator[Row]:
    """Yield the rows of what was tried. "The same" are the files of the row above."""
    _, _, table = PAGE.read_text().partition("\n## What was tried\n")
    files: Set[str] = frozenset()
    for line in table.splitlines():
        if line.startswith("| ") and not line.startswith("| attack |"):
            attack, often, _, tests = (cell.strip() for cell in line.strip("|").split(" | "))
            files = files if tests == "the same" else set(re.findall(r"\]\((.+?)\)", tests))
            yield Row(attack, often, files)


def test_each_row_that_says_both_databases_has_tests_on_both() -> None:
    """As an ordinary run collects them."""
    said = [row for row in rows() if BOTH in row.often]
    files = sorted({file for row in said for file in row.files if "/e2e/" not in file})
    listed = subprocess.run(
        (sys.executable, "-m", "pytest", "--collect-only", "-q", *files),
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "CI_FULL"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found: dict[str, set[str]] = defaultdict(set)
    for file, database in re.findall(r"^(\S+?)::\S+\[(sqlite|postgresql)\b", listed, re.MULTILINE):
        found[file].add(database)
    assert said
    for row in said:
        assert any(found[file] == {"sqlite", "postgresql"} for file in row.files), row.attack


def test_each_file_on_both_databases_is_in_a_row_that_says_so() -> None:
    named = {file for row in rows() for file in row.files}
    both = {f"tests/{place}" for place in ON_BOTH_DATABASES}
    on_both = {file for file in named if any(Path(file).is_relative_to(place) for place in both)}
    assert on_both <= {file for row in rows() if BOTH in row.often for file in row.files}


def test_rows_name_no_database_in_other_words() -> None:
    assert not [row for row in rows() if "SQL" in row.often]
