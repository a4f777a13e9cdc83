"""The blocks and the words of code in a page of the documentation, as CommonMark reads them.

And the numbered requirements of docs/protocol.md, in both languages.
"""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Final, NamedTuple

from testing.checkout import ROOT

SHELL: Final = "sh"
LANGUAGES: Final = frozenset({SHELL, "ini", "json", "python", "text", "toml", "xml", "yaml"})
"""All that blocks are written in. A command stands in a block of shell, and in no other."""

_FENCE: Final = re.compile(r" *(?P<fence>`{3,}|~{3,}) *(?P<language>[^`\n]*)")
_REQUIREMENT: Final = re.compile(
    r'- <a id="(?P<anchor>[^"]*)"></a>\*\*(?P<number>[^*]*)\*\* (?P<text>.+)'
)
_KEYWORD: Final = re.compile(
    r"\b(?:(?:MUST|SHOULD|MAY)(?: NOT)?"
    r"|(?:NE )?(?:DOI(?:VEN)?T|DEVRAI(?:EN)?T|PEU(?:VEN)?T)(?: PAS)?)\b"
)
_LEVELS: Final = {"DO": "MUST", "DE": "SHOULD", "PE": "MAY"}
_COLUMN: Final = re.compile(r"…?[a-z]*(?:_[a-z]+)+")
_CODE: Final = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


class Block(NamedTuple):
    """A fenced block; `language` is the word after its fence."""

    language: str
    lines: list[str]


class Requirement(NamedTuple):
    """A numbered requirement; `levels` are its keywords of RFC 2119, in English."""

    number: str
    anchor: str
    levels: list[str]
    text: str


class Unclosed(ValueError):
    """A fence is open at the end of a page."""


def _parts(page: Path) -> Iterator[Block | str]:
    """Yield blocks, and the lines between them."""
    lines = iter(page.read_text().splitlines())
    for line in lines:
        if (opened := _FENCE.fullmatch(line)) is None:
            yield line
            continue
        block = Block(opened["language"].strip(), [])
        for inside in lines:
            closes = _FENCE.fullmatch(inside)
            if closes and not closes["language"] and closes["fence"].startswith(opened["fence"]):
                break
            block.lines.append(inside)
        else:
            raise Unclosed(page.name)
        yield block


def blocks(page: Path) -> list[Block]:
    """Return all fenced blocks of a page, indented ones too."""
    return [part for part in _parts(page) if isinstance(part, Block)]


def commands(page: Path) -> list[str]:
    """Return the commands of all blocks of shell, in their order, without comments."""
    shell = (block for block in blocks(page) if block.language == SHELL)
    lines = "\n".join(line for block in shell for line in block.lines).replace("\\\n", " ")
    typed = (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines.splitlines())
    return [line for line in typed if line]


def columns(page: Path) -> set[str]:
    """Return the names of columns in the words of code, such as `use_wh`, also in a formula.

    `…_wh` is the end of some names. A name of one word may be anything.
    """
    words = (word for code in words_of_code(page) for word in code.split())
    return {word for word in words if _COLUMN.fullmatch(word)}


def words_of_code(page: Path) -> list[str]:
    """Return what stands between backticks in prose and tables."""
    prose = (part for part in _parts(page) if isinstance(part, str))
    return [code.strip() for line in prose for _, code in _CODE.findall(line)]


def without_code(text: str) -> str:
    """Return the text of a page without its blocks and words of code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to headings of a page, and those that stand in it."""
    text = without_code(page.read_text())
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    return headings | set(re.findall(r'<a id="([^"]+)"></a>', text))


def requirements(page: Path) -> list[Requirement]:
    """Return all requirements of a page, in their order."""
    prose = (part for part in _parts(page) if isinstance(part, str))
    return [
        Requirement(
            item["number"],
            item["anchor"],
            list(map(_level, _KEYWORD.findall(item["text"]))),
            item["text"],
        )
        for line in prose
        if (item := _REQUIREMENT.fullmatch(line))
    ]


def _level(keyword: str) -> str:
    french = keyword.removeprefix("NE ").removesuffix(" PAS")
    level = _LEVELS.get(french[:2])
    if level is None:
        return keyword
    return level if french == keyword else f"{level} NOT"


PAGES: Final = (ROOT / "deploy/README.md", ROOT / "deploy/README.fr.md")
