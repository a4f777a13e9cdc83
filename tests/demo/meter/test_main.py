"""script/linky as a program: it says what it is, obeys, and leaves nothing behind."""

from collections.abc import Iterator
from pathlib import Path
import signal
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[3]
LINKY = (sys.executable, "-m", "tools.alone", "demo.meter")
# A meter of one day: nothing to add up.
YOUNG = ("--start", "2025-01-02T12:00:00+01:00")


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "linky"


@pytest.fixture
def program(link: Path) -> Iterator[subprocess.Popen[str]]:
    arguments = ["--link", str(link), "--mode", "historique", "--option", "tempo", *YOUNG]
    with subprocess.Popen(
        [*LINKY, *arguments],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_introduces_itself_obeys_and_ends_without_a_trace(
    program: subprocess.Popen[str], link: Path, number: signal.Signals
) -> None:
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stderr is not None
    introduction = [program.stdout.readline() for _ in range(4)]
    assert str(link) in introduction[0]
    assert "historique mode, option tempo" in introduction[1]
    assert f"script/tic {link}" in introduction[2]
    assert link.is_symlink()
    program.stdin.write("help\nexplode\nunplug\n")
    program.stdin.flush()
    assert "noise [RATE]" in program.stdout.readline()
    assert "no command 'explode'" in program.stderr.readline()
    program.send_signal(number)
    assert program.wait(10) == 0
    assert not link.is_symlink()


def test_it_does_not_need_a_standard_input(link: Path) -> None:
    with subprocess.Popen(
        [*LINKY, "--link", str(link), *YOUNG],
        cwd=ROOT,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        introduction = [process.stdout.readline() for _ in range(4)]
        assert str(link) in introduction[0]
        process.terminate()
    assert process.returncode == 0


def test_it_says_why_it_cannot_start(link: Path) -> None:
    link.write_text("mine")
    done = subprocess.run(
        [*LINKY, "--link", str(link), *YOUNG],
        cwd=ROOT,
        text=True,
        check=False,
        capture_output=True,
        timeout=20,
    )
    assert done.returncode == 1
    assert done.stderr == f"script/linky: {link} is there already, and is no link\n"
