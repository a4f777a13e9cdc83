"""What builds and publishes the images is the same code every time: hashes and commits, no tags."""

import json
from pathlib import Path
import re
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from tools.release import images

ROOT = Path(__file__).parent.parent
DOCKERFILES = [ROOT / "addon/Dockerfile", ROOT / "deploy/Dockerfile"]
BUILD = ROOT / "addon/build-requirements.txt"
COMPILED = sorted([*ROOT.glob("requirements/*.txt"), *ROOT.glob("*/*requirements.txt")])
COMPILED.remove(ROOT / "requirements/overrides.txt")
RENOVATE_READS: Final = {
    "dockerfile": (
        r"(^|/|\.)([Dd]ocker|[Cc]ontainer)file$",
        r"(^|/)([Dd]ocker|[Cc]ontainer)file[^/]*$",
    ),
    "docker-compose": (r"(^|/)(?:docker-)?compose[^/]*\.ya?ml$",),
    "github-actions": (r"(^|/)\.github/(workflows|actions)/.+\.ya?ml$", r"(^|/)action\.ya?ml$"),
}
"""Which files renovate's managers read unless a setting says others."""


def steps() -> list[dict[str, Any]]:
    all_steps = []
    for file in sorted((ROOT / ".github/workflows").iterdir()):
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            all_steps += job.get("steps", ())
    return [step for step in all_steps if "uses" in step]


def test_every_action_is_pinned_by_its_commit() -> None:
    used = [step["uses"] for step in steps()]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []


def test_the_workflow_runs_linters_that_no_package_has() -> None:
    names = {step["uses"].partition("@")[0] for step in steps()}
    assert {
        "frenck/action-addon-linter",
        "hacs/action",
        "home-assistant/actions/hassfest",
    } <= names
    written = (ROOT / ".github/workflows/test.yaml").read_text()
    runs = re.findall(r"go run (\S+)", written)
    assert [re.fullmatch(r"\S+/actionlint@[0-9a-f]{40}", run) is not None for run in runs] == [True]


def test_a_checkout_leaves_no_token_on_the_disk() -> None:
    """Actions of others run after it."""
    checkouts = [step for step in steps() if step["uses"].startswith("actions/checkout@")]
    assert checkouts
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_build_requirements_are_hashed_and_tested(file: Path) -> None:
    written = file.read_text()
    assert "pip install --no-cache-dir --require-hashes --requirement build-requirements.txt" in (
        written
    )
    assert "pip wheel --no-cache-dir --no-build-isolation" in written
    pinned = pins(BUILD)
    assert "hatchling" in pinned
    assert pinned.items() <= pins(ROOT / "requirements/dev.txt").items()


def pins(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", file.read_text(), re.MULTILINE))


@pytest.mark.parametrize("file", COMPILED, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_requirement_has_hashes(file: Path) -> None:
    """What releases and documents is made with, as much as what images ship."""
    requirements = re.sub(r"\\\n\s+", "", file.read_text()).splitlines()
    assert requirements
    assert [
        line for line in requirements if not re.search(r"--hash=sha256:[0-9a-f]{64}", line)
    ] == []


def test_scripts_install_by_hash() -> None:
    """Uv itself too, and what builds the packages that have no wheel."""
    lines = [
        line
        for file in (ROOT / "script").rglob("*")
        if file.is_file()
        for line in file.read_text().replace("\\\n", " ").splitlines()
        if re.search(r"\bpip (install|sync)\b", line)
    ]
    assert len(lines) == 4
    assert [line for line in lines if "--require-hashes" not in line] == []
    setup = (ROOT / "script/setup").read_text()
    assert "--require-hashes --requirement requirements/uv.txt" in setup
    assert "--build-constraints requirements/build.txt" in setup
    assert pins(ROOT / "requirements/uv.txt").items() <= pins(ROOT / "requirements/dev.txt").items()


def test_renovate_moves_the_digest_of_every_image() -> None:
    """Its managers read each file that names an image, and no setting leaves one out."""
    settings = json.loads((ROOT / "renovate.json").read_text())
    assert {"docker:pinDigests", "helpers:pinGitHubActionDigests"} <= set(settings["extends"])
    files = {file for file, _ in images(ROOT)}
    assert {"addon/Dockerfile", "deploy/Dockerfile", "deploy/compose.yaml"} < files
    read = {
        file
        for manager in settings["enabledManagers"]
        if not settings.get(manager)
        for pattern in RENOVATE_READS.get(manager, ())
        for file in files
        if re.search(pattern, file)
    }
    assert read == files
    narrows = {"enabled", "ignoreDeps", "ignorePaths", "ignorePresets", "includePaths"}
    assert settings.keys() & {*narrows, "packageRules", "pinDigests"} == set()


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_no_dockerfile_loads_a_syntax_image(file: Path) -> None:
    """It would be one more image to trust, and none of what it brings is used."""
    assert "syntax=" not in file.read_text()


def test_the_health_check_of_the_app_starts_within_seconds() -> None:
    (check,) = re.findall(r"^HEALTHCHECK (.*)$", DOCKERFILES[0].read_text(), re.MULTILINE)
    assert "--start-interval=2s" in check.split()
