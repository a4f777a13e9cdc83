"""A release of this checkout, and the one before."""

import io
from pathlib import Path
import shutil
import subprocess
import tarfile

import pytest

from tools.release import CHANGELOGS, ROOT, images, latest_section, versions

DIGEST = f"sha256:{64 * '0'}"
(VERSION,) = set(versions(ROOT).values())


def git(root: Path, *command: str) -> str:
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    return subprocess.check_output(("git", *author, *command), cwd=root, text=True)


def copy_checkout(folder: Path) -> None:
    """Copy this checkout as it is, without what git ignores, into a new folder."""
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in listed.split("\0"):
        file = ROOT / name
        if file.is_file() or file.is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, folder / name, follow_symlinks=False)


def copy_release_before(folder: Path) -> None:
    """Copy the release before this version; before the second one, this checkout is its own."""
    tags = git(ROOT, "tag", "--merged", "HEAD", "--list", "v*", "--sort", "-version:refname")
    earlier = [tag for tag in tags.split() if tag != f"v{VERSION}"]
    if not earlier:
        copy_checkout(folder)
        return
    archive = subprocess.check_output(("git", "archive", earlier[0]), cwd=ROOT)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout, its version dated and its images pinned, as a commit of a repository."""
    root = tmp_path_factory.mktemp("released")
    copy_checkout(root)
    for name in CHANGELOGS:
        file = root / name
        heading, _ = latest_section(file)
        dated = file.read_text().replace(f"## {heading}\n", f"## {VERSION} – 2026-12-01\n")
        file.write_text(dated)
    for name, image in set(images(root)):
        if "@" not in image:
            file = root / name
            file.write_text(file.read_text().replace(image, f"{image}@{DIGEST}"))
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "A release")
    return root
