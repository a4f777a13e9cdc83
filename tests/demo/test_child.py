"""A program of the show house ends with its parent."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

from demo.processes.child import killed_with_its_parent
from testing.checkout import ROOT
from testing.run import DEADLINE_S

SLEEPER = """
import sys, time
print(*sys.argv[1:], flush=True)
time.sleep(600)
"""


@pytest.fixture
def child(tmp_path: Path) -> subprocess.Popen[str]:
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "demo.processes.child", "sleeper", "--for", "long"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(tmp_path)))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_child_gets_its_arguments_and_ends_with_its_input(
    child: subprocess.Popen[str],
) -> None:
    with child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "--for long\n"
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(DEADLINE_S) < 0


def test_another_program_does_not_start_without_its_parent() -> None:
    command = killed_with_its_parent(["echo", "started"])
    assert subprocess.check_output(command) == b"started\n"
    by_another = subprocess.check_output(["sh", "-c", '"$@"; :', "sh", *command])
    assert by_another == b""
