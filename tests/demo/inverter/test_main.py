"""script/inverter as a program: it says what it is, obeys, and leaves nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import re
import signal
import socket
import struct
import subprocess
import sys

import pytest

from .inverters import NOON, inverter, unix

pytestmark = pytest.mark.usefixtures("socket_enabled")

ROOT = Path(__file__).parents[3]
# An inverter of one day: nothing to add up.
YOUNG = ("--start", "2025-01-02T12:00:00+01:00")


@contextmanager
def program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "demo.inverter", *arguments],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process
        process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def port(introduction: str) -> int:
    found = re.search(r"port (\d+)", introduction)
    assert found is not None
    return int(found[1])


def marker(port: int, unit: int) -> bytes:
    """What is at the beginning of a unit's map."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(struct.pack(">HHHBBHH", 1, 0, 6, unit, 3, 40_000, 2))
        return connection.recv(100)[9:]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_introduces_itself_obeys_and_ends(number: signal.Signals) -> None:
    with program("--profile", "school", "--unit", "3", "--units", "2", *YOUNG) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        at = port(line(process))
        assert "unit 3: school KS" in line(process)
        assert "36 kWp, 3 phases, model 103" in line(process)
        assert "Ctrl-C" in line(process)
        assert marker(at, 3) == marker(at, 4) == b"SunS"
        process.stdin.write("help\nexplode\n")
        process.stdin.flush()
        assert "night [refuses|silent|answers]" in line(process)
        assert "no command 'explode'" in process.stderr.readline()
        process.send_signal(number)
        assert process.wait(10) == 0


def test_it_serves_the_registers_of_a_file(tmp_path: Path) -> None:
    inverter().image(unix(NOON)).dump(tmp_path / "image.csv")
    with program("--image", str(tmp_path / "image.csv")) as process:
        at = port(line(process))
        assert "unit 1: 409 registers of a file" in line(process)
        assert marker(at, 1) == b"SunS"
        process.terminate()
        assert process.wait(10) == 0


def test_it_says_why_it_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "image").write_text("sun")
    with program("--image", str(tmp_path / "image")) as process:
        assert process.stderr is not None
        assert "script/inverter:" in process.stderr.readline()
        assert process.wait(10) == 1
