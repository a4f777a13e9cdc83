"""The pages of deploy/, whose commands an operator types."""

from typing import Final

from .box import ROOT

PAGES: Final = (ROOT / "deploy/README.md", ROOT / "deploy/README.fr.md")
