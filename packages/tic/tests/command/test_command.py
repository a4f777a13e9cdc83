"""The command `tic` as a program: sources, errors, exit status."""

from collections.abc import Callable
import json
import os
from pathlib import Path
import pty
import signal
import subprocess
import sys
import threading
import time

import pytest

from consometers_tic.link import LinkError, NoSuchPort, PortBusy
from consometers_tic_command.__main__ import main
from consometers_tic_command.serial import complaint
from consometers_tic_command.words import Language
from packages.tic.tests.samples import (
    BASE,
    HISTORIQUE,
    PRODUCER,
    STANDARD,
    frame_bytes,
)

COMMAND = [sys.executable, "-P", "-m", "consometers_tic_command"]
type Run = Callable[..., tuple[int | str | None, str, str]]

ENGLISH = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def tic(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run it here: exit status, output, errors."""

    def run(*arguments: str, locale: str = "C") -> tuple[int | str | None, str, str]:
        monkeypatch.setattr(sys, "argv", ["tic", *arguments])
        monkeypatch.setenv("LC_ALL", locale)
        try:
            status: int | str | None = main()
        except SystemExit as stop:
            status = stop.code
        return status, *capsys.readouterr()

    return run


def test_a_pipe_is_read_to_its_end() -> None:
    done = subprocess.run(
        [*COMMAND, "--json", "-"],
        input=frame_bytes(STANDARD, PRODUCER) * 200,
        capture_output=True,
        env=ENGLISH,
        check=True,
    )
    *frames, summary = map(json.loads, done.stdout.splitlines())
    assert len(frames) == summary["summary"]["frames"] == 200
    assert not done.stderr


def test_a_file_is_shown_once(tic: Run, tmp_path: Path) -> None:
    file = tmp_path / "capture.tic"
    file.write_bytes(frame_bytes(HISTORIQUE, BASE) * 2)
    status, shown, errors = tic(str(file), "--mode", "historique", locale="fr_FR.UTF-8")
    assert (status, errors) == (0, "")
    assert "2 trames, dont 2 correctes" in shown
    assert shown.count("PAPP") == 1


def test_noise_is_no_frame(tic: Run, tmp_path: Path) -> None:
    file = tmp_path / "noise"
    file.write_bytes(b"\xa5\x5a noise\r" * 1000)
    status, shown, errors = tic("--json", str(file))
    assert status == 1
    assert list(json.loads(shown)) == ["summary"]
    assert "no frame" in errors


def test_wrong_arguments_are_refused(tic: Run, tmp_path: Path) -> None:
    status, _, errors = tic(str(tmp_path / "nothing"))
    assert status == 2
    assert errors.startswith("There is no ")
    assert tic("/dev/ttyNothing")[0] == 2
    assert tic()[0] == 2
    assert tic("--mode", "loud", "-")[0] == 2


def test_help_warns_of_personal_data(tic: Run) -> None:
    status, shown, _ = tic("--help")
    assert status == 0
    assert "personal data" in shown
    assert "données" in tic("--help", locale="fr_FR.UTF-8")[1]


def test_a_missing_extra_is_named(
    tic: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "capture.tic").touch()
    monkeypatch.setitem(sys.modules, "rich.console", None)
    status, _, errors = tic(str(tmp_path / "capture.tic"))
    assert (status, errors) == (2, "tic needs rich.console: install consometers-tic[command].\n")


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "capture.tic"
    file.write_bytes(frame_bytes(STANDARD, PRODUCER) * 500)
    with subprocess.Popen(
        [*COMMAND, "--json", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENGLISH,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert not process.stderr.read()
    assert process.returncode == 0


def test_a_port_is_read_until_an_interrupt() -> None:
    meter, port = pty.openpty()
    stop = threading.Event()

    def send() -> None:
        while not stop.wait(0.05):
            os.write(meter, frame_bytes(HISTORIQUE, BASE))

    sender = threading.Thread(target=send)
    with subprocess.Popen(
        [*COMMAND, "--json", os.ttyname(port)], stdout=subprocess.PIPE, env=ENGLISH
    ) as process:
        assert process.stdout is not None
        sender.start()
        first = json.loads(process.stdout.readline())
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        *_, last = process.stdout.read().splitlines()
    stop.set()
    sender.join()
    os.close(meter)
    os.close(port)
    assert first["mode"] == "historique"
    assert json.loads(last)["summary"]["frames"] >= 1
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(13, "Permission denied"), "dialout"),
        (FileNotFoundError(2, "No such file"), "There is no x"),
        (IsADirectoryError(21, "Is a directory"), "x is a folder"),
        (OSError(5, "Input/output error"), "x cannot be opened: [Errno 5] Input/output error"),
    ],
)
def test_an_error_says_what_to_do(error: OSError, sentence: str) -> None:
    assert sentence in complaint(error, "x", Language.ENGLISH)


def test_an_error_of_a_port_says_what_to_do() -> None:
    assert "dongle plugged in" in complaint(NoSuchPort(), "x", Language.ENGLISH)
    assert "Home Assistant ?" in complaint(PortBusy(), "x", Language.FRENCH)
    forbidden = LinkError()
    forbidden.__cause__ = PermissionError(13, "Permission denied")
    assert "dialout" in complaint(forbidden, "x", Language.ENGLISH)
