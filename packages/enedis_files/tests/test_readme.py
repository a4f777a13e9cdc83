"""The README's code does what the text says, word by word."""

from pathlib import Path
import re
import subprocess
import sys

import pytest

from .installed import INSTALLED

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
CODE, FILE, PRINTED = (text for _, text in BLOCKS)

pytestmark = pytest.mark.skipif(not INSTALLED, reason="a reader has the wheel")


def test_the_example_prints_what_stands_there(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(CODE)
    (tmp_path / "curve.csv").write_text(FILE)
    done = subprocess.run(
        (sys.executable, "example.py", "curve.csv"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == PRINTED
