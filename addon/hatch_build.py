"""Compiles the catalogues of translations for the wheel, which has no sources of them."""

from pathlib import Path
import sys
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Catalogues(BuildHookInterface[BuilderConfig]):
    """A build hook of hatchling."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile what has changed."""
        sys.path.insert(0, self.root)
        from consometers_node.i18n.catalogue import compiled  # noqa: PLC0415

        for source in Path(self.root, "consometers_node", "i18n", "locale").rglob("*.po"):
            compiled(source, source.with_suffix(".mo"))
