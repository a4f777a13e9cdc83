"""What MkDocs changes in a page of the repository, so that the same file is read in both places."""

from pathlib import Path
import posixpath
import re
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
REPOSITORY: Final = "https://github.com/consometers/consometers-home-assistant/blob/main/"

_SHOWN_BY_THE_SITE: Final = re.compile(
    r"<picture>.*?</picture>\n|(?<=^\*)\[(?:En français|In English)\]\([^)]+\)\. "
    r"|^\*\[(?:En français|In English)\]\([^)]+\)\.?\*\n",
    re.MULTILINE | re.DOTALL,
)
"""The logo, and the way to the other language."""
_LINK: Final = re.compile(r"(?<=\]\()(?!https?:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")


def cleaned(markdown: str) -> str:
    """Return the page without what the site shows around it."""
    return _SHOWN_BY_THE_SITE.sub("", markdown)


def on_page_markdown(markdown: str, page: Any, files: Any, **_: Any) -> str:
    """Return the page for the site, where links to other files lead to the repository."""
    folder = posixpath.dirname(page.file.src_uri)

    def lead(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, link[1]))
        file = files.get_file_from_path(path)
        # An anchor is that of one language.
        if file and (file.src_uri == path or not link[2]):
            return link[0]
        return f"{REPOSITORY}{path}{link[2] or ''}" if (ROOT / path).exists() else link[0]

    return _LINK.sub(lead, cleaned(markdown))
