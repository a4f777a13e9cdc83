"""The README's blocks do what the text says, word by word."""

from pathlib import Path
import re
import shlex
import subprocess
import sys

from quoalise_conformance.__main__ import _parser
from quoalise_conformance.words import Language

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
SERVER, CLIENT, PROGRAM, PRINTED = (text for _, text in BLOCKS)


def test_the_commands_are_understood() -> None:
    for line in (SERVER + CLIENT).splitlines():
        name, *arguments = shlex.split(line)
        assert name == "quoalise-conformance"
        assert _parser(Language.ENGLISH).parse_args(arguments).account == "kit@example.net"


def test_the_program_prints_what_is_shown(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(PRINTED)
