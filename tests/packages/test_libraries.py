"""Each library is whole, and does without this checkout: in an environment of its own."""

from collections.abc import Iterator
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tarfile
import tomllib
from zipfile import ZipFile

import pytest

from testing.run import FULL
from tools.release import LIBRARIES, ROOT, build

WITHOUT_FULL = ("tests/test_readme.py",)
"""What a run tries that is not full: the checkout's own environment tries the rest."""


@pytest.fixture(scope="module", params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Path:
    return ROOT / "packages" / str(request.param)


@pytest.fixture(scope="module")
def built(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of its sdist and of the wheel that the sdist makes."""
    folder = tmp_path_factory.mktemp("built")
    build(library, 0, folder)
    return folder


@pytest.fixture(scope="module")
def python(library: Path, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the wheel, and what it asks for, as pinned here."""
    environment = tmp_path_factory.mktemp("environment") / library.name
    uv("venv", "--quiet", "--python", sys.executable, str(environment))
    (wheel,) = built.glob("*.whl")
    project = tomllib.loads((library / "pyproject.toml").read_text())["project"]
    for other in LIBRARIES:
        if any(other.replace("_", "-") in needed for needed in project["dependencies"]):
            build(ROOT / "packages" / other, 0, environment)
    into = ("pip", "install", "--quiet", "--python", str(environment / "bin/python"))
    pins = ("--only-binary", ":all:", "--constraint", str(ROOT / "requirements/dev.txt"))
    extras = ",".join(project["optional-dependencies"])
    uv(
        *into,
        *pins,
        "--find-links",
        str(environment),
        f"{project['name']}[{extras}] @ {wheel.as_uri()}",
    )
    return environment / "bin/python"


def uv(*arguments: str) -> None:
    program = Path(sys.executable).with_name("uv")
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    done = subprocess.run(
        (program, *arguments), capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr


def sources(folder: Path) -> Iterator[str]:
    """Yield the files that are imported, below the folder of a library's packages."""
    for path in folder.rglob("*", recurse_symlinks=True):
        if path.is_file() and "__pycache__" not in path.parts:
            yield str(path.relative_to(folder))


def test_the_wheel_contains_the_packages_typed_and_nothing_else(library: Path, built: Path) -> None:
    (file,) = built.glob("*.whl")
    with ZipFile(file) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        licences = [name for name in wheel.namelist() if name.endswith("/licenses/LICENSE")]
    packages = {name.partition("/")[0] for name in names}
    assert names == {*sources(library / "src"), *(f"{package}/py.typed" for package in packages)}
    assert len(licences) == 1


def test_the_sdist_has_files_and_no_links(library: Path, built: Path) -> None:
    (file,) = built.glob("*.tar.gz")
    with tarfile.open(file) as sdist:
        entries = sdist.getmembers()
    assert all(entry.isfile() for entry in entries)
    names = {entry.name.partition("/")[2] for entry in entries}
    assert {f"src/{name}" for name in sources(library / "src")} <= names
    assert {"CHANGELOG.md", "LICENSE", "README.md", "tests/test_readme.py"} <= names


def test_its_own_tests_pass_without_this_checkout(
    library: Path, python: Path, tmp_path: Path
) -> None:
    """Those of the README alone, unless the run is full."""
    shutil.copytree(library / "tests", tmp_path / "tests")
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(library / name, tmp_path)
    done = subprocess.run(
        (python, "-P", "-m", "pytest", "--quiet", *(() if FULL else WITHOUT_FULL)),
        cwd=tmp_path,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
