"""The checkout's own promises."""

import json
import os
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parent.parent
PROGRAMS = sorted(path for path in (ROOT / "script").iterdir() if path.is_file())


def pins(name: str) -> dict[str, str]:
    """The exact versions that a file of requirements asks for, by normalized name."""
    text = (ROOT / "requirements" / name).read_text()
    pinned = re.findall(r"^([\w.-]+)==([\w.!+]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in pinned}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_scripts_state_their_purpose(program: Path) -> None:
    shebang, purpose, *_ = program.read_text().splitlines()
    assert os.access(program, os.X_OK)
    assert shebang == "#!/usr/bin/env bash"
    assert purpose.startswith("# ")
    assert f"script/{program.name}" in (ROOT / "CONTRIBUTING.md").read_text()


@pytest.mark.parametrize("source", ["dev.in", "overrides.txt"])
def test_direct_requirements_are_locked(source: str) -> None:
    assert pins(source).items() <= pins("dev.txt").items()


def test_the_oldest_promised_home_assistant_is_tested() -> None:
    minimum = json.loads((ROOT / "hacs.json").read_text())["homeassistant"]
    assert pins("oldest.txt")["homeassistant"] == minimum


def test_pages_and_app_name_the_oldest_promised_home_assistant() -> None:
    minimum = json.loads((ROOT / "hacs.json").read_text())["homeassistant"]
    wanted = re.compile(r"(\d{4}\.\d+) (?:or newer|ou (?:une version )?plus récent)")
    pages = [page for at in (".", "addon", "docs") for page in (ROOT / at).glob("*.md")]
    asked = [version for page in pages for version in wanted.findall(page.read_text())]
    assert len(asked) >= 6
    assert {f"{version}.0" for version in asked} == {minimum}
    assert f"\nhomeassistant: {minimum}\n" in (ROOT / "addon/config.yaml").read_text()
    newest = pins("dev.txt")["homeassistant"]
    for name in ("SECURITY.md", "SECURITY.fr.md"):
        (oldest_month, newest_month) = re.findall(r"\b20\d\d\.\d+\b", (ROOT / name).read_text())
        assert (minimum, newest) == (f"{oldest_month}.0", f"{newest_month}.0")
