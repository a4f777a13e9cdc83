"""The documentation's site: built of the repository's pages, each as the repository shows it."""

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
import json
from pathlib import Path
import subprocess
from typing import Final

from markdown_it import MarkdownIt
import pytest

from testing.release import copy_checkout, git
from tools.site_pages import cleaned

pytestmark = pytest.mark.timeout(600)  # the first build gets what builds it

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = [
    page.relative_to(ROOT)
    for folder in (".", "deploy", "docs")
    for page in sorted((ROOT / folder).glob("*.md"))
]
COMPARED: Final = ("h1", "h2", "h3", "h4", "ul", "ol", "li", "pre", "table", "tr", "img")
LOADED: Final = {"iframe": "src", "img": "src", "link": "href", "script": "src", "source": "srcset"}
"""Which attribute of an element a browser loads."""


class Reader(HTMLParser):
    """Counts the elements of a page's text, and lists what the whole page loads."""

    def __init__(self, *, is_text: bool) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.loads: list[str] = []
        self.language: str | None = None
        self._is_text = is_text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "article":
            self._is_text = True
        if tag == "html":
            self.language = attributes.get("lang")
        if self._is_text and tag in COMPARED:
            self.elements[tag] += 1
        if attributes.get("rel") not in ("alternate", "canonical", "next", "prev"):
            self.loads.append(attributes.get(LOADED.get(tag, "")) or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._is_text = False


def read(html: str, *, is_text: bool) -> Reader:
    reader = Reader(is_text=is_text)
    reader.feed(html)
    return reader


def place(page: Path) -> Path:
    """Return where the site has a page."""
    name = page.name.removesuffix(".md")
    language = "fr" if name.endswith(".fr") else "."
    name = name.removesuffix(".fr")
    folder = page.parent if name == "README" else page.parent / name
    return Path(language) / folder / "index.html"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        (ROOT / "script/docs", "--build", folder), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_pages_have_the_elements_that_the_repository_shows(site: Path, page: Path) -> None:
    """Lists and tables begin, and go on, where both ways of reading Markdown agree."""
    shown = MarkdownIt("commonmark").enable("table").render(cleaned((ROOT / page).read_text()))
    built = read((site / place(page)).read_text(), is_text=False)
    assert built.elements == read(shown, is_text=True).elements
    assert built.language == ("fr" if page.name.endswith(".fr.md") else "en")


def test_pages_load_nothing_from_other_hosts(site: Path) -> None:
    def loaded() -> Iterator[str]:
        for page in site.rglob("*.html"):
            yield from read(page.read_text(), is_text=False).loads

    assert any(url.endswith(".css") for url in loaded())
    assert [url for url in loaded() if url.startswith(("http:", "https:", "//"))] == []


def test_both_languages_can_be_searched(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text())
    assert index["config"]["lang"] == ["en", "fr"]
    texts = {entry["location"]: entry["title"] for entry in index["docs"]}
    assert texts["docs/linky/"] == "Your Linky in Home Assistant"
    assert texts["fr/docs/linky/"] == "Votre Linky dans Home Assistant"


def test_a_broken_link_fails_the_build(site: Path, tmp_path: Path) -> None:
    assert site.exists()
    checkout = tmp_path / "checkout"
    copy_checkout(checkout)
    git(checkout, "init", "--quiet")
    (checkout / "script/setup").write_text("#!/bin/sh\n")
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    (checkout / ".cache/docs").mkdir(parents=True)
    (checkout / ".cache/docs/venv").symlink_to(ROOT / ".cache/docs/venv")
    with (checkout / "docs/solar.md").open("a") as page:
        page.write("\n[Nowhere](nowhere.md) and [no chapter](linky.md#nothing)\n")
    done = subprocess.run(
        (checkout / "script/docs", "--build"), capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "contains a link 'nowhere.md'" in done.stderr
    assert "does not contain an anchor '#nothing'" in done.stderr
