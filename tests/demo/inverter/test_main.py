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
from time import sleep

import pytest

from demo.inverter.__main__ import main

from .inverters import NOON, inverter, unix

pytestmark = pytest.mark.usefixtures("socket_enabled")

ROOT = Path(__file__).parents[3]
# An inverter of one day: nothing to add up.
YOUNG = ("--start", "2025-01-02T12:00:00+01:00")


@contextmanager
def program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tools.alone", "demo.inverter", *arguments],
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


@pytest.mark.parametrize(
    "wrong",
    [
        ("--port", "99999"),
        ("--port", "-1"),
        ("--units", "300"),
        ("--unit", "250", "--units", "10"),
        ("--unit", "248", "--line", "tic"),
        ("--base", "70000"),
        ("--speed", "nan"),
        ("--speed", "fast"),
        ("--start", "noon"),
    ],
)
def test_it_says_what_is_wrong_with_its_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "argv", ["inverter", *wrong])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    *_, said = capsys.readouterr().err.splitlines()
    assert said.startswith("script/inverter: error: ")
    assert wrong[0] in said or "there are" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_while_it_starts(number: signal.Signals) -> None:
    with program("--units", "200") as process:
        assert process.stderr is not None
        threads = Path(f"/proc/{process.pid}/task")
        # One reads what is typed, one adds years up.
        while len(list(threads.iterdir())) < 3:
            sleep(0.05)
        process.send_signal(number)
        assert process.wait(2) == -number
        assert process.stderr.read() == ""
