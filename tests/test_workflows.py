"""Every line of shell in the workflows is run; stand-ins record the programs that call out."""

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from testing.release import DIGEST, VERSION, git, released
from tools.release import ROOT, main

__all__ = ["released"]

WORKFLOWS: Final = {
    file.stem: yaml.safe_load(file.read_text())
    for file in sorted((ROOT / ".github/workflows").iterdir())
}
EXPRESSIONS: Final = {
    "env.IMAGE": "consometers-node",
    "github.repository": "consometers/consometers-home-assistant",
    "github.repository_owner": "consometers",
    "github.token": "a-token",
    "inputs.full && '1' || ''": "1",
    "needs.prepare.outputs.version": VERSION,
}
DOCKER: Final = r"""
case $* in
  history*) printf '%s\n' "${SIZE-50000000} COPY" '0 ENV PYTHONOPTIMIZE=2' '99000000 base' ;;
  buildx*) echo DIGEST ;;
  *' -') cat >/dev/null ;;
esac
""".replace("DIGEST", DIGEST)
STAND_INS: Final = {"apt-get": "", "docker": DOCKER, "gh": "", "go": ""}
IN_THE_CHECKOUT: Final = ("script/docs", "script/setup", "script/test")
"""Scripts that are tried elsewhere, or that these tests are a part of."""
DOWNLOAD: Final = "actions/download-artifact"
WITH_RIGHTS: Final = {
    "actions/attest",
    "actions/checkout",
    "actions/deploy-pages",
    DOWNLOAD,
    "home-assistant/builder/actions/build-image",
    "home-assistant/builder/actions/publish-multi-arch-manifest",
}
"""Actions in jobs that may write, release or attest."""
IMAGE_CALLS: Final = [
    "docker build --tag consometers-node",
    "docker history",
    "script/test tests/e2e/deploy/test_image.py",
]
CALLS: Final = {
    ("release", "prepare"): ["script/setup --python"],
    ("release", "files"): ["script/setup --python"],
    ("release", "rebuild"): ["script/setup --python"],
    ("release", "image"): [],
    ("release", "site"): ["script/docs --build build/docs"],
    ("release", "release"): [
        f"docker buildx imagetools inspect ghcr.io/consometers/consometers-node:{VERSION}",
        (
            f"gh release create v{VERSION} dist/consometers.zip"
            " dist/consometers-collective.cdx.json dist/consometers-node.cdx.json"
            f" dist/consometers_enedis_files-{VERSION}.tar.gz"
            f" dist/consometers_protected_sums-{VERSION}.tar.gz"
            f" dist/consometers_quoalise-{VERSION}.tar.gz"
            f" dist/consometers_tic-{VERSION}.tar.gz"
            f" dist/quoalise_conformance-{VERSION}.tar.gz"
            f" dist/consometers_enedis_files-{VERSION}-py3-none-any.whl"
            f" dist/consometers_protected_sums-{VERSION}-py3-none-any.whl"
            f" dist/consometers_quoalise-{VERSION}-py3-none-any.whl"
            f" dist/consometers_tic-{VERSION}-py3-none-any.whl"
            f" dist/quoalise_conformance-{VERSION}-py3-none-any.whl"
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


@pytest.fixture(scope="module")
def tagged(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of a tag, where scripts that call out are stand-ins."""
    root = tmp_path_factory.mktemp("tagged") / "checkout"
    git(released, "clone", "--quiet", "--local", ".", str(root))
    for script in IN_THE_CHECKOUT:
        stand_in(root / script, script, 'exit "${TESTED-0}"\n')
    git(root, "commit", "--quiet", "--all", "--message", "Stand-ins")
    git(root, "tag", f"v{VERSION}")
    return root


@pytest.fixture(scope="module")
def made(tagged: Path) -> Path:
    """The files of a release, which are the same in each of its checkouts."""
    assert main([VERSION, "--no-image"], tagged) == 0
    return tagged / "dist"


def stand_in(path: Path, name: str, answer: str = "") -> None:
    path.write_text(f'#!/bin/bash\necho {name} "$@" >>"$CALLS"\n{answer}')
    path.chmod(0o755)


class Runner:
    """A checkout of its own for one job, which calls stand-ins."""

    def __init__(self, tagged: Path, folder: Path, made: Callable[[], Path]) -> None:
        self.root = folder / "checkout"
        self._made = made
        self._calls = folder / "calls"
        self._outputs = folder / "outputs"
        git(tagged, "clone", "--quiet", "--local", ".", str(self.root))
        (self.root / ".git/info/exclude").write_text(".venv\n")
        (self.root / ".venv").symlink_to(ROOT / ".venv")
        programs = folder / "programs"
        programs.mkdir()
        for program, answer in STAND_INS.items():
            stand_in(programs / program, program, answer)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")},
            "CALLS": str(self._calls),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "GITHUB_OUTPUT": str(self._outputs),
            "GITHUB_REF_NAME": f"v{VERSION}",
            "GITHUB_WORKSPACE": str(self.root),
        }

    def download(self, folder: str) -> str:
        """Put the files of the release where an artifact goes, and return their digests.

        Without a rebuild of its own, the checkout has them also where one would be.
        """
        made = self._made()
        for place in {folder, "dist"}:
            if not (self.root / place).exists():
                shutil.copytree(made, self.root / place)
        return "".join(
            f"{sha256(file.read_bytes()).hexdigest()}  dist/{file.name}\n"
            for file in sorted(made.iterdir())
        )

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
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    @property
    def outputs(self) -> str:
        return self._outputs.read_text() if self._outputs.exists() else ""


@pytest.fixture
def runner(tagged: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Runner:
    return Runner(tagged, tmp_path, lambda: request.getfixturevalue("made"))


def environment(*owners: Mapping[str, Any], digests: str = "") -> dict[str, str]:
    """Return the variables of a workflow, a job and a step, with what GitHub puts into them."""
    values = EXPRESSIONS | {"needs.rebuild.outputs.digests": digests.strip()}
    return {
        name: re.sub(r"\$\{\{ (.*?) \}\}", lambda match: values[match[1]], value)
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
    digests = ""
    for step in steps["steps"]:
        if step.get("uses", "").partition("@")[0] == DOWNLOAD:
            digests = runner.download(step["with"]["path"])
        if "run" not in step:
            continue
        # A value of GitHub's in a script would be run as a part of it.
        assert "${{" not in step["run"]
        assert "shell" not in step
        variables = environment(WORKFLOWS[workflow], steps, step, digests=digests)
        done = runner.run(step["run"], **variables)
        assert done.returncode == 0, f"{step['run']}\n{done.stderr}"
    expected = CALLS[workflow, job]
    assert [
        call[: len(prefix)] for call, prefix in zip(runner.calls, expected, strict=True)
    ] == expected
    rebuilt = f"digests<<END\n{digests}END\n" if job == "rebuild" else ""
    assert runner.outputs == OUTPUTS.get((workflow, job), rebuilt)


def step_that(job: str, words: str) -> str:
    """Return the lines of the one step of a job of a release that has these words."""
    (step,) = (step for step in runs(WORKFLOWS["release"]["jobs"][job]) if words in step["run"])
    return str(step["run"])


def test_files_that_a_rebuild_does_not_make_are_not_released(runner: Runner) -> None:
    digests = runner.download("made").strip()
    rebuilt, checked = step_that("rebuild", "diff"), step_that("release", "sha256sum")
    assert runner.run(checked, DIGESTS=digests).returncode == 0
    (runner.root / "dist/another.zip").write_bytes(b"made by nobody")
    assert runner.run(checked, DIGESTS=digests).returncode == 1
    assert runner.run(rebuilt).returncode == 1
    (runner.root / "dist/another.zip").unlink()
    assert runner.run(rebuilt).returncode == 0
    with (runner.root / "dist/consometers.zip").open("ab") as archive:
        archive.write(b"\0")
    assert runner.run(checked, DIGESTS=digests).returncode == 1
    assert runner.run(rebuilt).returncode == 1


def test_a_release_needs_a_rebuild_on_another_machine() -> None:
    """Of another architecture."""
    jobs_of = WORKFLOWS["release"]["jobs"]
    assert {"rebuild", "image"} <= set(jobs_of["release"]["needs"])
    assert jobs_of["rebuild"]["needs"] == "files"
    assert jobs_of["files"]["runs-on"] != jobs_of["rebuild"]["runs-on"]
    made = {step_that(job, "script/release") for job in ("files", "rebuild")}
    assert made == {'script/release "$GITHUB_REF_NAME" --no-image'}
    attested = [
        step["with"]["subject-path"].split()
        for step in jobs_of["release"]["steps"]
        if "subject-path" in step.get("with", {})
    ]
    assert attested == [["dist/*.zip", "dist/*.json", "dist/*.tar.gz", "dist/*.whl"]]


def test_jobs_that_may_write_or_attest_install_nothing() -> None:
    """The image's Dockerfile does, by hash: see tests/test_pins.py."""
    may_write = {
        (workflow, name): job
        for workflow, content in WORKFLOWS.items()
        for name, job in content["jobs"].items()
        if "write" in (job.get("permissions") or content["permissions"]).values()
    }
    assert {name for _, name in may_write} == {"image", "release", "docs"}
    for job in may_write.values():
        used = {step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step}
        assert used <= WITH_RIGHTS
        ran = "\n".join(step["run"] for step in runs(job))
        programs = re.findall(r"(?m)(?:^|\$\()\s*([\w./-]+) ", ran)
        assert set(programs) <= {"cp", "docker", "digest", "echo", "gh", "sha256sum", "test"}


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
def test_an_unfit_image_is_refused(runner: Runner, variable: str, value: str, message: str) -> None:
    done = runner.run("script/image", **{variable: value})
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"script/image: {message}"


def test_the_image_is_tried_on_both_architectures() -> None:
    """With the name that the test of the image is asked for."""
    runners = WORKFLOWS["test"]["jobs"]["image"]["strategy"]["matrix"]["os"]
    assert len(runners) == len(json.loads(WORKFLOWS["release"]["env"]["ARCHITECTURES"]))
    assert "CONSOMETERS_IMAGE=$IMAGE script/test" in (ROOT / "script/image").read_text()
