"""What the documentation of deploy/ has an operator type."""

from pathlib import Path
import re
from typing import Final

from .box import ROOT

PAGES: Final = (ROOT / "deploy/README.md", ROOT / "deploy/README.fr.md")
_BLOCK: Final = re.compile(r"^( *)```sh\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    """Return the commands of all blocks of shell, in their order."""
    blocks = [block for _, block in _BLOCK.findall(page.read_text())]
    return [line.strip() for block in blocks for line in block.splitlines()]
