"""The README's code does what the text says, word by word."""

from pathlib import Path
import re

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WEEK, DOCUMENT = BLOCK.findall(README.read_text("utf-8"))


def test_a_document_is_written_and_read_and_a_wrong_value_is_placed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(DOCUMENT, {"__name__": "__main__"})
    assert capsys.readouterr().out.splitlines() == [
        "{1606690800: 350, 1606692600: 360}",
        "quoalise/data/sensml/senml[1]@v not-a-number {'found': 'lots'}",
    ]


def test_the_week_is_a_program() -> None:
    """It takes a server and a node: `tests/node/xmpp/test_applications_page.py` runs it."""
    compile(WEEK, "week.py", "exec")
