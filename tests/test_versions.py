"""HACS shows the version of a release: all that is released has the same."""

import json
from pathlib import Path
import re
import tomllib

from homeassistant.util.yaml import load_yaml_dict
import pytest

ROOT = Path(__file__).parent.parent
ADDON = ROOT / "addon"


def latest(changelog: Path) -> str:
    heading = re.search(r"^## (\S+)", changelog.read_text(), re.MULTILINE)
    assert heading
    return heading[1]


VERSION: str = json.loads(
    (ROOT / "custom_components" / "consometers" / "manifest.json").read_text()
)["version"]
OTHERS = {
    "addon/config.yaml": load_yaml_dict(str(ADDON / "config.yaml"))["version"],
    "addon/pyproject.toml": tomllib.loads((ADDON / "pyproject.toml").read_text())["project"][
        "version"
    ],
    "CHANGELOG.md": latest(ROOT / "CHANGELOG.md"),
    "addon/CHANGELOG.md": latest(ADDON / "CHANGELOG.md"),
}


@pytest.mark.parametrize("file", OTHERS)
def test_versions_move_together(file: str) -> None:
    assert OTHERS[file] == VERSION
