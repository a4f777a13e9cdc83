"""The README's code does what the text says, word by word."""

from pathlib import Path
import re

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAM = "\n".join(BLOCK.findall(README.read_text("utf-8")))


def test_five_homes_are_added_up_and_a_report_that_is_cut_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(PROGRAM, {"__name__": "__main__"})
    assert capsys.readouterr().out.splitlines() == [
        "[] 5 homes: 2781 Wh",
        "not-elements {'wanted': 656}",
    ]
