"""A release is checked before it is made, and the same commit always makes the same files."""

from collections.abc import Callable
import gzip
import io
import json
import os
from pathlib import Path
import re
import shutil
import zipfile

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
import pytest

from testing.release import DIGEST, VERSION, git, released
from tools.release import (
    CATALOGUE,
    CHANGELOGS,
    IMAGES,
    INTEGRATION,
    LIBRARIES,
    ROOT,
    images,
    latest_section,
    main,
    problems,
)

__all__ = ["released"]


@pytest.fixture
def candidate(released: Path, tmp_path: Path) -> Path:
    git(released, "clone", "--quiet", "--local", ".", str(tmp_path / "candidate"))
    return tmp_path / "candidate"


def replace(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))


def remove_a_translation(root: Path) -> None:
    text = (root / CATALOGUE).read_text()
    (root / CATALOGUE).write_text(re.sub(r'(?m)^msgstr "\w.*"$', 'msgstr ""', text, count=1))


def empty_french_changelog(root: Path) -> None:
    file = root / "CHANGELOG.fr.md"
    file.write_text(file.read_text().replace(latest_section(file)[1], ""))


def tag_another_commit(root: Path) -> None:
    git(root, "tag", "--annotate", f"v{VERSION}", "--message", "Another")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "Later")


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "the integration has another version": (
        lambda root: replace(root / INTEGRATION / "manifest.json", VERSION, "0.9.0"),
        f"manifest.json has version 0.9.0: set it to {VERSION}",
    ),
    "the add-on has another version": (
        lambda root: replace(root / "addon/config.yaml", VERSION, "0.9.0"),
        "addon/config.yaml has version 0.9.0",
    ),
    "the package has another version": (
        lambda root: replace(root / "addon/pyproject.toml", VERSION, "0.9.0"),
        "addon/pyproject.toml has version 0.9.0",
    ),
    "a library has another version": (
        lambda root: replace(root / "packages/tic/pyproject.toml", VERSION, "0.9.0"),
        f"packages/tic/pyproject.toml has version 0.9.0: set it to {VERSION}",
    ),
    "a library’s changelog has no date": (
        lambda root: replace(root / "packages/tic/CHANGELOG.md", "2026-12-01", "unreleased"),
        f"packages/tic/CHANGELOG.md begins with “{VERSION} – unreleased”",
    ),
    "the changelog has no date": (
        lambda root: replace(root / "CHANGELOG.md", "2026-12-01", "unreleased"),
        f"CHANGELOG.md begins with “{VERSION} – unreleased”",
    ),
    "the add-on’s changelog has a later version": (
        lambda root: replace(
            root / "addon/CHANGELOG.md", "\n## ", "\n## 9.0.0 – 2027-01-01\n\n## "
        ),
        "addon/CHANGELOG.md begins with “9.0.0 – 2027-01-01”",
    ),
    "the French changelog is empty": (empty_french_changelog, "CHANGELOG.fr.md says nothing"),
    "a sentence has no French": (remove_a_translation, "lacks the French of"),
    "a sentence is not in the catalogue": (
        lambda root: replace(
            root / "addon/consometers_node/store/database.py", "HEAD = ", 'text("New.")\n\nHEAD = '
        ),
        "consometers.po is out of date",
    ),
    "a text of the integration is in one language": (
        lambda root: replace(
            root / INTEGRATION / "translations/en.json", '"config": {', '"config": {"new": "New.",'
        ),
        "fr.json lacks config.new",
    ),
    "an option of the add-on is in one language": (
        lambda root: replace(root / "addon/translations/fr.yaml", "configuration:", "other:"),
        "addon/translations/fr.yaml lacks configuration.",
    ),
    "an image is not pinned": (
        lambda root: replace(root / "deploy/compose.yaml", f"@{DIGEST}", ""),
        "deploy/compose.yaml takes postgres:17-alpine by its name: add its digest",
    ),
    "a file is not committed": (
        lambda root: (root / "new").touch(),
        "\n?? new\n",
    ),
    "the tag is taken": (tag_another_commit, f"the tag v{VERSION} is another commit’s"),
}


def test_versions_move_together() -> None:
    """HACS shows the version of a release."""
    latest = {latest_section(ROOT / file)[0].partition(" ")[0] for file in CHANGELOGS}
    assert latest == {VERSION}


def test_a_release_has_no_problem_before_and_after_its_tag(candidate: Path) -> None:
    assert list(problems(candidate, VERSION)) == []
    git(candidate, "tag", "--annotate", f"v{VERSION}", "--message", "It")
    assert list(problems(candidate, VERSION)) == []


def test_all_problems_are_named_at_once(
    candidate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for spoil, _ in FAULTS.values():
        spoil(candidate)
    assert main([f"v{VERSION}"], candidate) == 1
    messages = capsys.readouterr().err
    assert [fault for fault, (_, message) in FAULTS.items() if message not in messages] == []
    assert not (candidate / "dist").exists()


def test_a_wrong_version_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["1.0", "--check"]) == 1
    assert "1.0 is no version: write it as 1.2.3." in capsys.readouterr().err


def test_every_image_is_looked_at() -> None:
    """Those of Dockerfiles, of services without one, and the one in which a workflow runs."""
    taken = {(file, image.partition("@")[0]) for file, image in images(ROOT)}
    assert taken == {
        ("addon/Dockerfile", "node:24-alpine"),
        ("addon/Dockerfile", "ghcr.io/home-assistant/base-python:3.14-alpine3.24"),
        ("deploy/Dockerfile", "node:24-alpine"),
        ("deploy/Dockerfile", "python:3.14-alpine"),
        ("deploy/Dockerfile", "debian:trixie-slim"),
        ("deploy/Dockerfile", "caddy:2-alpine"),
        ("deploy/compose.yaml", "postgres:17-alpine"),
        (".github/workflows/test.yaml", "debian:13"),
    }


def test_a_rebuild_elsewhere_makes_the_same_files(
    candidate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In another folder, time zone and language, at other times, with other rights of files."""
    elsewhere = tmp_path / "another folder"
    made = []
    for root, zone, language, mask in (
        (candidate, "Europe/Paris", "fr_FR.UTF-8", 0o022),
        (elsewhere, "Pacific/Auckland", "C", 0o077),
    ):
        monkeypatch.setenv("TZ", zone)
        monkeypatch.setenv("LC_ALL", language)
        before = os.umask(mask)
        if root is elsewhere:
            git(candidate, "clone", "--quiet", "--no-local", ".", str(elsewhere))
        assert main([VERSION, "--no-image"], root) == 0
        os.umask(before)
        files = sorted((root / "dist").iterdir())
        made.append({file.name: file.read_bytes() for file in files})
    assert made[0] == made[1]
    assert capsys.readouterr().out.splitlines() == [f"dist/{name}" for name in made[0]] * 2

    # What compresses is another program elsewhere.
    archives = {
        name: zipfile.ZipFile(io.BytesIO(content))
        for name, content in made[0].items()
        if name.endswith((".whl", ".zip"))
    }
    assert {"consometers.zip"} < archives.keys()
    assert len(archives) == 1 + len(LIBRARIES)
    for archive in archives.values():
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    sdist = made[0][f"consometers_tic-{VERSION}.tar.gz"]
    assert len(sdist) > len(gzip.decompress(sdist))
    integration = archives["consometers.zip"]
    listed = git(candidate, "ls-files", "--format=%(path)", f"{INTEGRATION}/").splitlines()
    assert sorted(name for name in integration.namelist() if not name.endswith("/")) == [
        name.removeprefix(f"{INTEGRATION}/") for name in listed
    ]
    assert json.loads(integration.read("manifest.json"))["version"] == VERSION


def test_notes_are_the_changelogs_and_their_links_lead_to_the_tag(candidate: Path) -> None:
    assert main([VERSION, "--no-image"], candidate) == 0
    notes = (candidate / "dist/notes.md").read_text()
    words = re.sub(r"https://\S+/blob/v[\d.]+/", "", notes).split()
    for changelog in CHANGELOGS[:2]:
        section = latest_section(candidate / changelog)[1].split()
        assert " ".join(section) in " ".join(words)
    links = re.findall(r"\]\((.*?)\)", notes)
    blob = f"https://github.com/consometers/consometers-home-assistant/blob/v{VERSION}/"
    files = [link.removeprefix(blob).partition("#")[0] for link in links if link[0] != "#"]
    assert files
    assert [file for file in files if not (candidate / file).exists()] == []


@pytest.mark.parametrize("image", IMAGES)
def test_a_bill_of_materials_lists_the_installed_packages(candidate: Path, image: str) -> None:
    assert main([VERSION, "--no-image"], candidate) == 0
    bill = (candidate / f"dist/{image}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None
    listed = {package["purl"]: package for package in json.loads(bill)["components"]}
    requirements = (ROOT / IMAGES[image]).read_text()
    pinned = set(re.findall(r"^([\w.-]+)==([^\s;]+)", requirements, re.MULTILINE))
    # Windows alone needs it.
    pinned = {pin for pin in pinned if pin[0] != "colorama"}
    assert {f"pkg:pypi/{name}@{version}" for name, version in pinned} == {
        purl for purl in listed if purl.startswith("pkg:pypi/")
    }
    hashes = {each["content"] for package in listed.values() for each in package["hashes"]}
    assert set(re.findall(r"sha256:(\w+)", requirements.partition("\ncolorama")[0])) <= hashes
    assert {purl.partition("@")[0] for purl in listed} >= {"pkg:npm/htmx.org", "pkg:npm/uplot"}
    assert all(package["hashes"] for package in listed.values())


def test_without_docker_there_is_no_image(
    candidate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("env", "git"):
        path = shutil.which(program)
        assert path
        (programs / program).symlink_to(path)
    monkeypatch.setenv("PATH", str(programs))
    assert main([VERSION], candidate) == 0
    assert "there is no docker, so no image was made" in capsys.readouterr().err
