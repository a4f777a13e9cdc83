"""script/linky and script/inverter as programs: they introduce themselves, obey, and end."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import re
import signal
import socket
import struct
import subprocess
import sys
from time import sleep

import pytest

from demo.hass.folder import PATHS
from demo.inverter.__main__ import main
from testing.inverters import NOON, inverter, unix
from testing.run import DEADLINE_S

pytestmark = pytest.mark.usefixtures("socket_enabled")

# Devices of one day: nothing to add up.
YOUNG = ("--start", "2025-01-02T12:00:00+01:00")
SIGNALS = pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])


class Program(subprocess.Popen[str]):
    """A program whose lines are read one by one."""

    def line(self) -> str:
        assert self.stdout is not None
        return self.stdout.readline()

    def complaint(self) -> str:
        assert self.stderr is not None
        return self.stderr.readline()

    def obey(self, *lines: str) -> None:
        assert self.stdin is not None
        self.stdin.writelines(f"{line}\n" for line in lines)
        self.stdin.flush()


@contextmanager
def program(module: str, *arguments: str, stdin: int = subprocess.PIPE) -> Iterator[Program]:
    with Program(
        [sys.executable, "-m", f"demo.{module}", *arguments],
        env={**os.environ, "PYTHONPATH": PATHS},
        text=True,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process
        process.kill()


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "linky"


@pytest.mark.parametrize(
    "module", ["demo.house", "demo.inverter", "demo.meter", "consometers_tic_command.screen"]
)
def test_programs_load_without_home_assistant(module: str) -> None:
    loads = f"import sys, {module}; print('homeassistant.components' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", loads],
        env={**os.environ, "PYTHONPATH": PATHS},
        text=True,
        check=False,
        capture_output=True,
        timeout=DEADLINE_S,
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


@SIGNALS
def test_a_meter_introduces_itself_obeys_and_ends_without_a_trace(
    link: Path, ended_by: signal.Signals
) -> None:
    arguments = ("--link", str(link), "--mode", "historique", "--option", "tempo", *YOUNG)
    with program("meter", *arguments) as meter:
        introduction = [meter.line() for _ in range(4)]
        assert str(link) in introduction[0]
        assert "historique mode, option tempo" in introduction[1]
        assert f"script/tic {link}" in introduction[2]
        assert link.is_symlink()
        meter.obey("help", "explode", "unplug")
        assert "noise [RATE]" in meter.line()
        assert "no command 'explode'" in meter.complaint()
        meter.send_signal(ended_by)
        assert meter.wait(DEADLINE_S) == 0
        assert not link.is_symlink()


def test_a_meter_needs_no_standard_input(link: Path) -> None:
    with program("meter", "--link", str(link), *YOUNG, stdin=subprocess.DEVNULL) as meter:
        introduction = [meter.line() for _ in range(4)]
        assert str(link) in introduction[0]
        meter.terminate()
        assert meter.wait(DEADLINE_S) == 0


@SIGNALS
def test_an_inverter_introduces_itself_obeys_and_ends(ended_by: signal.Signals) -> None:
    arguments = ("--profile", "school", "--unit", "3", "--units", "2", *YOUNG)
    with program("inverter", *arguments) as process:
        port = port_of(process.line())
        assert "unit 3: school KS" in process.line()
        assert "36 kWp, 3 phases, model 103" in process.line()
        assert "Ctrl-C" in process.line()
        assert marker(port, 3) == marker(port, 4) == b"SunS"
        process.obey("help", "explode")
        assert "night [refuses|silent|answers]" in process.line()
        assert "no command 'explode'" in process.complaint()
        process.send_signal(ended_by)
        assert process.wait(DEADLINE_S) == 0


def test_an_inverter_serves_the_registers_of_a_file(tmp_path: Path) -> None:
    inverter().image(unix(NOON)).dump(tmp_path / "image.csv")
    with program("inverter", "--image", str(tmp_path / "image.csv")) as process:
        port = port_of(process.line())
        assert "unit 1: 409 registers of a file" in process.line()
        assert marker(port, 1) == b"SunS"


def port_of(introduction: str) -> int:
    match = re.search(r"port (\d+)", introduction)
    assert match is not None
    return int(match[1])


def marker(port: int, unit: int) -> bytes:
    """Return what is at the beginning of a unit's map."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as connection:
        connection.sendall(struct.pack(">HHHBBHH", 1, 0, 6, unit, 3, 40_000, 2))
        return connection.recv(100)[9:]


@pytest.mark.parametrize(
    ("module", "option", "complaint"),
    [
        ("meter", "--link", "script/linky: {file} is there already, and is no link\n"),
        ("inverter", "--line", "script/inverter: {file} is there already, and is no link\n"),
        ("inverter", "--image", "script/inverter: {file} holds no registers"),
    ],
)
def test_programs_explain_why_they_cannot_start(
    tmp_path: Path, module: str, option: str, complaint: str
) -> None:
    file = tmp_path / "file"
    file.write_text("sun")
    with program(module, option, str(file), *YOUNG) as process:
        assert process.complaint().startswith(complaint.format(file=file))
        assert process.wait(DEADLINE_S) == 1
    assert file.read_text() == "sun"


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
def test_an_inverter_explains_invalid_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "argv", ["inverter", *wrong])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    *_, complaint = capsys.readouterr().err.splitlines()
    assert complaint.startswith("script/inverter: error: ")
    assert wrong[0] in complaint or "there are" in complaint


@SIGNALS
def test_an_inverter_ends_at_once_while_it_starts(ended_by: signal.Signals) -> None:
    with program("inverter", "--units", "200") as process:
        assert process.stderr is not None
        threads = Path(f"/proc/{process.pid}/task")
        # One reads what is typed, one adds years up.
        while len(list(threads.iterdir())) < 3:
            sleep(0.05)
        process.send_signal(ended_by)
        assert process.wait(DEADLINE_S) == -ended_by
        assert process.stderr.read() == ""
