"""Commands of a program that is loaded already: they say what those of a cold one say."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Iterator
import os
from pathlib import Path
import signal
import sys
import tempfile

import pytest

from demo.processes.warm import CommandResult, Warm
from testing.run import DEADLINE_S

MODULE = "json"
"""A program of the standard library, which prints its input again."""


pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
def warm(socket_enabled: None) -> Iterator[Warm]:
    with Warm(MODULE, ["argparse"]) as warm:
        yield warm


async def test_a_command_gets_arguments_and_input_and_returns_its_output(warm: Warm) -> None:
    answer = await warm.run(["--compact"], os.environ, '{"a": [1, 2]}')
    assert answer == CommandResult(0, '{"a":[1,2]}\n', "")


async def test_a_signal_reaches_the_command_and_a_kill_ends_it(warm: Warm) -> None:
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        process = await asyncio.create_subprocess_exec(
            *warm.command(), stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        assert process.stdin is not None
        process.stdin.write(b"1")
        await warm.run([], {}, "1")
        process.send_signal(signal_number)
        # All its streams end, so that nobody has them open any more. Its input stays open: a
        # command that has read all of it ends by itself, maybe before the signal comes.
        assert process.stdout is not None
        assert process.stderr is not None
        assert not await process.stdout.read() + await process.stderr.read()
        assert await process.wait() == -signal_number


async def test_fresh_modules_are_loaded_in_each_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "spoken.py").write_text("import os\nWORD = os.environ.get('WORD')\n")
    (tmp_path / "speaking.py").write_text("import spoken\nprint(spoken.WORD)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with Warm("speaking", ["spoken"], fresh="spoken") as warm:
        for word in ("Bonjour", "Hello"):
            assert (await warm.run([], {"WORD": word})).stdout == f"{word}\n"


async def test_a_warm_program_leaves_no_process_and_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Warm(MODULE, []) as warm:
        await warm.run([], os.environ, "1")
        assert list(tmp_path.iterdir())
        assert any(map(_is_warm, Path("/proc").glob("[0-9]*/stat")))
    assert not list(tmp_path.iterdir())
    assert not any(map(_is_warm, Path("/proc").glob("[0-9]*/stat")))


async def test_a_warm_program_of_one_that_is_killed_leaves_no_file(tmp_path: Path) -> None:
    program = f"""
import os, signal
from demo.processes.warm import Warm
with Warm({MODULE!r}, []):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env=environment)
    assert await killed.wait() == -signal.SIGKILL
    async with asyncio.timeout(DEADLINE_S):
        while list(tmp_path.iterdir()):
            await asyncio.sleep(0.05)


def _is_warm(stat: Path) -> bool:
    """Return whether a process is a child of this one, and runs what is tested."""
    try:
        parent = int(stat.read_text().rpartition(")")[2].split()[1])
        words = stat.with_name("cmdline").read_text().split("\0")
        return parent == os.getpid() and {"demo.processes.warm", MODULE} <= set(words)
    except OSError:
        return False
