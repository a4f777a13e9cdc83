"""A module of the integration that tests hardly touch is named, and fails the run."""

import io
import json

import pytest

from tools import covered


@pytest.mark.parametrize(
    ("shares", "status"), [({"a.py": 100.0, "b.py": 95.0}, 0), ({"a.py": 100.0, "b.py": 94.9}, 1)]
)
def test_a_module_below_the_minimum_fails_the_run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shares: dict[str, float],
    status: int,
) -> None:
    files = {name: {"summary": {"percent_covered": share}} for name, share in shares.items()}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"files": files})))
    assert covered.main() == status
    assert ("b.py: 94.9 %" in capsys.readouterr().err) is bool(status)
