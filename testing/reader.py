"""The programs of applications/reader, which script/setup builds where npm is there."""

from collections.abc import Sequence
import shutil
import subprocess
from typing import Final

from testing.checkout import ROOT
from testing.run import lack

READER: Final = ROOT / "applications/reader"


def run(command: Sequence[str], text: str = "") -> str:
    """Run a program in its folder, and return its output; fail with it if the program fails."""
    if shutil.which("node") is None or not (READER / "build/witness.js").exists():
        lack("Node and what script/setup builds with npm")
    done = subprocess.run(
        command, cwd=READER, input=text, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
