"""A program of the show house ends with whoever started it."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

from demo.hass.folder import ROOT

SLEEPER = """
import sys, time
print(*sys.argv[1:], flush=True)
time.sleep(60)
"""


@pytest.fixture
def child(tmp_path: Path) -> subprocess.Popen[str]:
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "demo.child", "sleeper", "--for", "long"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(tmp_path)))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_it_gets_its_arguments_and_ends_when_nobody_holds_its_input(
    child: subprocess.Popen[str],
) -> None:
    with child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "--for long\n"
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(10) < 0
