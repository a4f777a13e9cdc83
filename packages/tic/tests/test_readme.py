"""The README's code does what the text says, word by word."""

from collections.abc import Iterator
import os
from pathlib import Path
import re
import subprocess
import sys

import pytest

from consometers_tic_virtual.pytest_plugin import StartLinky

from .deadline import DEADLINE_S
from .installed import INSTALLED

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
PORT, CAPTURE, DECODE, TESTS, COMMAND = (text for _, text in BLOCKS)
PROGRAMS = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(not INSTALLED, reason="a reader has the wheel")


def run(folder: Path, *command: str) -> str:
    return subprocess.run(
        command,
        cwd=folder,
        env={"PATH": f"{PROGRAMS}:{os.defpath}", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
    ).stdout


def python(folder: Path, text: str) -> str:
    (folder / "example.py").write_text(text)
    return run(folder, "python", "example.py")


@pytest.fixture
def lines(start_linky: StartLinky, tmp_path: Path) -> Iterator[Iterator[str]]:
    """Yield what the first example prints of a meter on a TCP port."""
    (tmp_path / "power.py").write_text(PORT)
    port = start_linky(tcp=True).port
    with subprocess.Popen(
        [sys.executable, "power.py", port], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        yield iter(program.stdout)
        program.kill()


def test_a_port_is_read(lines: Iterator[str]) -> None:
    assert re.fullmatch(r"\d+ VA\n", next(lines))
    assert next(lines).endswith("VA\n")


def test_a_capture_is_written_decoded_and_shown(tmp_path: Path) -> None:
    assert python(tmp_path, CAPTURE) == ""
    frames, injected, tariff = python(tmp_path, DECODE).splitlines()
    assert re.fullmatch(r"[5-9]\d frames, [1-9]\d* groups refused", frames)
    assert re.fullmatch(r"injected: \d+ Wh", injected)
    assert "Colour" in tariff
    shown = run(tmp_path, "sh", "-e", "-c", COMMAND)
    assert "EAIT" in shown
    assert shown.splitlines()[-1].startswith('{"summary":')


def test_the_tests_of_the_example_pass(tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(TESTS)
    assert "3 passed" in run(tmp_path, "python", "-m", "pytest", "-p", "no:cacheprovider")
