"""The requirements of the protocol: both languages number the same ones, each with one keyword."""

from itertools import groupby
from pathlib import Path
import re

import pytest

from testing.documentation import Requirement, requirements

DOCS = Path(__file__).parent.parent / "docs"
PAGES = [DOCS / "protocol.md", DOCS / "protocol.fr.md"]
ENGLISH, FRENCH = map(requirements, PAGES)


def of(part: str, listed: list[Requirement]) -> list[str]:
    return [each.number for each in listed if each.number.startswith(f"{part}-")]


@pytest.mark.parametrize("listed", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_numbers_have_no_gap_and_address_their_requirement(listed: list[Requirement]) -> None:
    """A new requirement stands where it belongs, and has the next number."""
    for part in "QF":
        numbers = sorted(of(part, listed), key=lambda number: int(number[2:]))
        assert numbers == [f"{part}-{n}" for n in range(1, len(numbers) + 1)]
    assert len(of("Q", listed)) + len(of("F", listed)) == len(listed)
    assert [each.anchor for each in listed] == [each.number.lower() for each in listed]


@pytest.mark.parametrize("listed", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_each_requirement_has_one_keyword(listed: list[Requirement]) -> None:
    assert [each.number for each in listed if len(each.levels) != 1] == []


def test_both_languages_require_the_same() -> None:
    assert [(each.number, each.levels) for each in ENGLISH] == [
        (each.number, each.levels) for each in FRENCH
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_keywords_stand_in_requirements_alone(page: Path) -> None:
    """But for the chapter that explains them."""
    _, explained, rest = re.split(r"^## .*$", page.read_text(), maxsplit=2, flags=re.MULTILINE)
    keyword = r"\b(?:MUST|SHOULD|MAY|DOI(?:VEN)?T|DEVRAI(?:EN)?T|PEU(?:VEN)?T)\b"
    assert re.findall(keyword, explained)
    lines = [line for line in rest.splitlines() if re.search(keyword, line)]
    assert len(lines) == len(requirements(page))


def test_notes_on_older_programs_are_of_the_same_requirements() -> None:
    def noted(page: Path) -> list[str]:
        items = re.split(r"^- <a id=", page.read_text(), flags=re.MULTILINE)
        return [item.partition(">")[0] for item in items if "\n  *2020–23" in item]

    english, french = map(noted, PAGES)
    assert english == french


@pytest.mark.parametrize("listed", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_both_parts_have_requirements(listed: list[Requirement]) -> None:
    counts = {
        part: len(list(group)) for part, group in groupby(sorted(e.number[0] for e in listed))
    }
    assert counts.keys() == {"F", "Q"}
    assert min(counts.values()) > 50
