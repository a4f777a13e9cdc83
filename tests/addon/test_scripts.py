"""How the container starts the node, and what it makes of its end."""

from pathlib import Path
import subprocess

import pytest

from . import service

BASHIO = """\
bashio::config() { test "$1" = log_level && echo warning; }
bashio::log.error() { echo "$1" >&2; }
"""


def bash(script: Path, *arguments: str, root: Path) -> str:
    """Run a script as the container does, with its own `/run` and `consometers-node`."""
    (root / "consometers-node").write_text('#!/bin/sh\necho "$@"\n')
    (root / "consometers-node").chmod(0o755)
    done = subprocess.run(
        ("/bin/bash", "-c", BASHIO + script.read_text().replace("/run/", f"{root}/"), *arguments),
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": f"{root}:/usr/bin:/bin"},
    )
    return done.stdout


def test_the_node_is_started_with_the_level_that_was_chosen(tmp_path: Path) -> None:
    printed = bash(service.RUN, root=tmp_path)
    assert printed == "run --page 0.0.0.0:8099 --log-level warning\n"


@pytest.mark.parametrize(
    ("status", "signal_number", "before", "ends", "result"),
    [
        (0, 0, 0, False, 0),
        (256, 15, 0, False, 0),
        (1, 0, 0, True, 1),
        (256, 9, 0, True, 137),
        (1, 0, 3, True, 3),
    ],
    ids=["it ended", "it was told to", "it failed", "it was killed", "something failed before"],
)
def test_the_container_ends_with_a_node_that_failed(
    tmp_path: Path, *, status: int, signal_number: int, before: int, ends: bool, result: int
) -> None:
    exit_code = tmp_path / "s6-linux-init-container-results" / "exitcode"
    halt = tmp_path / "s6" / "basedir" / "bin" / "halt"
    for file, text in ((exit_code, f"{before}\n"), (halt, "#!/bin/sh\necho halted\n")):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    halt.chmod(0o755)
    printed = bash(
        service.RUN.with_name("finish"), "finish", str(status), str(signal_number), root=tmp_path
    )
    assert printed == ("halted\n" if ends else "")
    assert int(exit_code.read_text()) == result
