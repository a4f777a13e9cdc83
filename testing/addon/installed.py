"""The node as the image has it: its wheel, and what it asks for, in an environment of their own."""

from dataclasses import dataclass
import os
from pathlib import Path
import subprocess
import sys
import tomllib

import pytest

from testing.checkout import ROOT

ADDON = ROOT / "addon"


@dataclass(frozen=True)
class Installed:
    """An environment."""

    folder: Path

    @property
    def program(self) -> Path:
        return self.folder / "bin" / "consometers-node"

    @property
    def packages(self) -> Path:
        (folder,) = self.folder.glob("lib/python3.*/site-packages")
        return folder

    def python(self, *lines: str) -> str:
        """Run a program of these lines, and return what it printed."""
        command = (self.program.with_name("python"), "-I", "-c", "\n".join(lines))
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def run(self, *arguments: str, **variables: str) -> str:
        """Run the program as a shell of its own would, and give what it printed."""
        done = subprocess.run(
            (self.program, *arguments),
            check=True,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **variables},
            cwd=self.folder,
        )
        return done.stdout


def uv(*arguments: str | Path) -> None:
    command = (Path(sys.executable).with_name("uv"), *arguments)
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv(
        "build",
        "--quiet",
        "--wheel",
        "--no-build-isolation",
        "--python",
        sys.executable,
        "--out-dir",
        folder,
        ADDON,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed") / "environment"
    uv("venv", "--quiet", "--python", sys.executable, folder)
    into = ("pip", "install", "--quiet", "--python", folder / "bin" / "python")
    uv(
        *into,
        "--only-binary",
        ":all:",
        "--require-hashes",
        "--requirement",
        ADDON / "requirements.txt",
    )
    uv(*into, "--no-deps", "--no-index", wheel)
    made = Installed(folder)
    subprocess.run((ADDON / "trim", made.packages), check=True)
    return made


PROJECT = tomllib.loads((ADDON / "pyproject.toml").read_text())["project"]
