"""Deployment tests that cannot run are skipped by a person's machine alone."""

from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from .box import ROOT
from .network import own_network


@pytest.fixture
def without_rights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have `unshare` be refused, as a workflow's container does by default."""
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    (tmp_path / "unshare").symlink_to("/bin/false")
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("without_rights")
def test_without_rights_a_deployment_test_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="--privileged"), own_network():
        pass


@pytest.mark.usefixtures("without_rights")
def test_without_rights_a_deployment_test_fails_where_ci_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="--privileged"), own_network():
        pass


def test_the_workflow_gives_the_tests_the_rights_that_they_need() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yaml").read_text())
    assert workflow["jobs"]["test"]["container"]["options"] == "--privileged"
