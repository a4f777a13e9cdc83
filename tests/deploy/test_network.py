"""Deployment tests that cannot run are skipped by a person's machine alone."""

from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from testing.checkout import ROOT
from testing.deploy.network import own_network


@pytest.mark.parametrize(
    ("is_ci", "ends"), [(False, pytest.skip.Exception), (True, pytest.fail.Exception)]
)
def test_missing_rights_skip_a_test_and_fail_it_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_ci: bool, ends: type[BaseException]
) -> None:
    """A workflow's container refuses `unshare` by default."""
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    (tmp_path / "unshare").symlink_to("/bin/false")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    if is_ci:
        monkeypatch.setenv("CI", "true")
    with pytest.raises(ends, match="--privileged"), own_network():
        pass


def test_the_workflow_runs_the_tests_privileged() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yaml").read_text())
    assert workflow["jobs"]["test"]["container"]["options"] == "--privileged"
