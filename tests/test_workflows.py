"""Every line of shell in the workflows is run; stand-ins record the programs that call out."""

from collections.abc import Iterator, Mapping
import json
import os
from pathlib import Path
import re
import subprocess
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from tests.candidate import VERSION, git, released
from tools.release import ROOT

__all__ = ["released"]

WORKFLOWS: Final = {
    file.stem: yaml.safe_load(file.read_text())
    for file in sorted((ROOT / ".github/workflows").iterdir())
}
DIGEST: Final = f"sha256:{64 * '0'}"
EXPRESSIONS: Final = {
    "env.IMAGE": "consometers-node",
    "github.repository_owner": "consometers",
    "github.token": "a-token",
    "inputs.full && '1' || ''": "1",
    "needs.prepare.outputs.version": VERSION,
}
DOCKER: Final = r"""
case $* in
  history*) printf '%s\n' "${SIZE-50000000} COPY" '0 ENV PYTHONOPTIMIZE=2' '99000000 base' ;;
  buildx*) echo DIGEST ;;
esac
""".replace("DIGEST", DIGEST)
STAND_INS: Final = {"apt-get": "", "docker": DOCKER, "gh": "", "go": ""}
IN_THE_CHECKOUT: Final = ("script/docs", "script/setup", "script/test")
"""Scripts that are tried elsewhere, or that these tests are a part of."""
IMAGE_CALLS: Final = [
    "docker build --tag consometers-node",
    "docker history",
    "script/test tests/e2e/test_image.py",
]
CALLS: Final = {
    ("release", "prepare"): ["script/setup --python"],
    ("release", "docs"): ["script/docs --build build/docs"],
    ("release", "release"): [
        "script/setup --python",
        f"docker buildx imagetools inspect ghcr.io/consometers/consometers-node:{VERSION}",
        (
            f"gh release create v{VERSION} dist/consometers.zip"
            " dist/consometers-collective.cdx.json dist/consometers-node.cdx.json"
            f" --verify-tag --title {VERSION} --notes-file dist/notes.md"
        ),
    ],
    ("test", "test"): [
        "apt-get update",
        "apt-get install --yes --no-install-recommends ca-certificates git python3-venv",
        "script/test",
    ],
    ("test", "validate"): ["go run github.com/rhysd/actionlint/cmd/actionlint@"],
    ("test", "image"): IMAGE_CALLS,
}
OUTPUTS: Final = {
    ("release", "prepare"): f"version={VERSION}\n",
    ("release", "release"): f"digest={DIGEST}\n",
}


def runs(job: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (step for step in job.get("steps", ()) if "run" in step)


def jobs() -> list[tuple[str, str]]:
    return [
        (workflow, job)
        for workflow, content in WORKFLOWS.items()
        for job, steps in content["jobs"].items()
        if any(runs(steps))
    ]


class Runner:
    """A checkout of a tag, where scripts that call out are stand-ins."""

    def __init__(self, released: Path, folder: Path) -> None:
        self.root = folder / "checkout"
        self._calls = folder / "calls"
        self._outputs = folder / "outputs"
        git(released, "clone", "--quiet", "--local", ".", str(self.root))
        for script in IN_THE_CHECKOUT:
            self._stand_in(self.root / script, script, 'exit "${TESTED-0}"\n')
        git(self.root, "commit", "--quiet", "--all", "--message", "Stand-ins")
        git(self.root, "tag", f"v{VERSION}")
        (self.root / ".git/info/exclude").write_text(".venv\n")
        (self.root / ".venv").symlink_to(ROOT / ".venv")
        programs = folder / "programs"
        programs.mkdir()
        for program, answer in STAND_INS.items():
            self._stand_in(programs / program, program, answer)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")},
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "GITHUB_OUTPUT": str(self._outputs),
            "GITHUB_REF_NAME": f"v{VERSION}",
            "GITHUB_WORKSPACE": str(self.root),
        }

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a step's lines, as GitHub does."""
        return subprocess.run(
            ("bash", "-e", "-c", script),
            cwd=self.root,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines()

    @property
    def outputs(self) -> str:
        return self._outputs.read_text() if self._outputs.exists() else ""

    def _stand_in(self, path: Path, name: str, answer: str = "") -> None:
        path.write_text(f'#!/bin/bash\necho {name} "$@" >>{self._calls}\n{answer}')
        path.chmod(0o755)


@pytest.fixture
def runner(released: Path, tmp_path: Path) -> Runner:
    return Runner(released, tmp_path)


def environment(*owners: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables of a workflow, a job and a step, with what GitHub puts into them."""
    return {
        name: re.sub(r"\$\{\{ (.*?) \}\}", lambda match: EXPRESSIONS[match[1]], value)
        for owner in owners
        for name, value in owner.get("env", {}).items()
    }


def test_every_job_is_covered() -> None:
    assert CALLS.keys() == set(jobs())
    written = "".join(file.read_text() for file in (ROOT / ".github/workflows").iterdir())
    count = sum(
        len(list(runs(job))) for content in WORKFLOWS.values() for job in content["jobs"].values()
    )
    assert len(re.findall(r"^\s*(?:- )?run:", written, re.MULTILINE)) == count


@pytest.mark.parametrize(("workflow", "job"), jobs())
def test_every_line_runs(runner: Runner, workflow: str, job: str) -> None:
    steps = WORKFLOWS[workflow]["jobs"][job]
    for step in runs(steps):
        # A value of GitHub's in a script would be run as a part of it.
        assert "${{" not in step["run"]
        assert "shell" not in step
        done = runner.run(step["run"], **environment(WORKFLOWS[workflow], steps, step))
        assert done.returncode == 0, f"{step['run']}\n{done.stderr}"
    expected = CALLS[workflow, job]
    assert [
        call[: len(prefix)] for call, prefix in zip(runner.calls, expected, strict=True)
    ] == expected
    assert runner.outputs == OUTPUTS.get((workflow, job), "")


def test_a_tag_of_another_version_is_not_released(runner: Runner) -> None:
    (step, *_) = runs(WORKFLOWS["release"]["jobs"]["prepare"])
    done = runner.run(step["run"], GITHUB_REF_NAME="v9.9.9")
    assert done.returncode == 1
    assert "addon/config.yaml has version" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("SIZE", "60000000", "more than 60 MB are the node's own: see addon/trim."),
        ("TESTED", "1", "it does not do what the Supervisor expects of it."),
    ],
)
def test_an_unfit_image_is_refused(
    runner: Runner, variable: str, value: str, message: str
) -> None:
    done = runner.run("script/image", **{variable: value})
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"script/image: {message}"


def test_the_image_is_tried_on_both_architectures() -> None:
    """With the name that the test of the image is asked for."""
    runners = WORKFLOWS["test"]["jobs"]["image"]["strategy"]["matrix"]["os"]
    assert len(runners) == len(json.loads(WORKFLOWS["release"]["env"]["ARCHITECTURES"]))
    assert "CONSOMETERS_IMAGE=$IMAGE script/test" in (ROOT / "script/image").read_text()
