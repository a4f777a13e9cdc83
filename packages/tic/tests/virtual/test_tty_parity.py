"""7E1 opens on a pty with the module, and does not without it."""

import os
import subprocess
import sys

import pytest

from packages.tic.tests.deadline import DEADLINE_S

PARITY = "consometers_tic_virtual.port.tty_parity"
OPEN_7E1 = """
import os, serialx
parity = serialx.Parity.EVEN
master, slave = os.openpty()
# Twice: the first time something else changes too, and that is enough for the C library.
for _ in range(2):
    with serialx.serial_for_url(
        os.ttyname(slave), baudrate=1200, bytesize=7, parity=parity
    ) as port:
        os.write(master, b"\\x02\\x03")
        print(port.read(2))
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
        check=False,
        capture_output=True,
        timeout=DEADLINE_S,
    )


@pytest.mark.parametrize("imports", [PARITY, f"serialx, {PARITY}"])
def test_a_pty_opens_at_7e1_with_the_module(imports: str) -> None:
    assert run(f"import {imports}\n{OPEN_7E1}").stdout == "b'\\x02\\x03'\n" * 2


def test_a_pty_refuses_7e1_without_the_module() -> None:
    assert "Invalid argument" in run(OPEN_7E1).stderr
