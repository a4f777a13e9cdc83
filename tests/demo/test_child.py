"""A program of the show house ends with whoever started it."""

import os
from pathlib import Path
import select
import signal
import subprocess
import sys

import pytest

from demo.child import killed_with_its_parent
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


DEAF = """
import signal, time
import demo.child
signal.signal(signal.SIGTERM, signal.SIG_IGN)
demo.child._ENDS_WITHIN_S = 0.1
demo.child.end_with_the_parent()
time.sleep(60)
"""


def test_a_program_that_does_not_end_when_it_is_told_to_is_killed() -> None:
    deaf = subprocess.Popen(
        [sys.executable, "-P", "-c", DEAF],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with deaf:
        assert deaf.stdin is not None
        deaf.stdin.close()
        assert deaf.wait(10) == -signal.SIGKILL


PARENT = """
import subprocess, sys
from demo.child import killed_with_its_parent
child = subprocess.Popen(killed_with_its_parent(["sleep", "60"]))
print(child.pid, flush=True)
child.wait()
"""


def test_a_program_of_another_language_is_killed_with_its_parent() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-P", "-c", PARENT],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        # It can be read once the process has ended.
        assert select.select([child], [], [], 10)[0] == [child]
        os.close(child)


def test_a_program_of_another_language_does_not_start_once_its_parent_is_gone() -> None:
    command = killed_with_its_parent(["echo", "started"])
    assert subprocess.check_output(command) == b"started\n"
    by_another = subprocess.check_output(["sh", "-c", '"$@"; :', "sh", *command])
    assert by_another == b""
