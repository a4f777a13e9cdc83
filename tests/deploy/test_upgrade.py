"""deploy/upgrade goes to the newest release, and back from one that does not run.

git is git, over a repository with two releases; `docker` writes down what it is asked.
"""

from dataclasses import dataclass, field
import os
from pathlib import Path
import shutil
import subprocess

import pytest

from testing.checkout import ROOT
from testing.run import lack

OPENS = "compose run --rm --no-deps -T node consometers-node status"
UP = "compose up --detach --wait --wait-timeout 600"
AS_BEFORE = "compose up --detach --wait"
PRUNE = "image prune --force --filter label=com.docker.compose.project=consometers"
RESTORES = "pg_restore --username=consometers --dbname=consometers"
DOCKER = """#!/bin/bash
echo "$(git -C {folder} describe --tags --always): $*" >>{folder}/asked
case "$*" in
  *" ps "*) echo node ;;
  *"tar --create"*) head --bytes=10240 /dev/zero ;;
  *psql*) echo a dump ;;
  *"exec -T"* | *"compose run"*prosody*) cat >/dev/null ;;
esac
{fails}
"""


def git(folder: Path, *words: str) -> str:
    """Run git as somebody without settings of their own, and return what it prints."""
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@energies.test")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    asked = ("git", *who, *words)
    done = subprocess.run(
        asked, cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@dataclass
class Machine:
    """What the operator has: a clone whose origin goes on."""

    origin: Path
    clone: Path
    fails: list[str] = field(default_factory=list)

    def change(self, file: str, before: str, after: str) -> None:
        """Commit a change at the origin."""
        written = (self.origin / file).read_text()
        assert before in written
        (self.origin / file).write_text(written.replace(before, after, 1))
        git(self.origin, "commit", "--all", "--message", "a change")

    def release(self, version: str, news: str) -> None:
        """Release at the origin what its changelogs say."""
        for file, line in (("CHANGELOG.md", news), ("CHANGELOG.fr.md", f"{news} en français")):
            before = (self.origin / file).read_text()
            (self.origin / file).write_text(f"# {version}\n{line}\n{before}")
        git(self.origin, "commit", "--all", "--message", version)
        git(self.origin, "tag", version)

    def upgrade(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end; what it says on both streams is in `stdout`."""
        program = self.clone / "docker"
        program.write_text(DOCKER.format(folder=self.clone, fails="\n".join(self.fails)))
        program.chmod(0o755)
        return subprocess.run(
            (self.clone / "deploy" / "upgrade", *words),
            env={
                "PATH": f"{self.clone}:/usr/sbin:/usr/bin:/sbin:/bin",
                "LANG": "en_GB.UTF-8",
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def fail(self, asked: str, version: str = "") -> None:
        """Have docker fail when it is asked so, by a version or by any."""
        self.fails.append(f'[[ $(tail -1 {self.clone}/asked) != {version}*"{asked}"* ]] || exit 1')

    @property
    def asked(self) -> list[str]:
        file = self.clone / "asked"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def version(self) -> str:
        return git(self.clone, "describe", "--tags", "--always")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine whose origin has no release yet, before anything is installed."""
    if os.geteuid():
        lack("the rights of root")
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    origin.mkdir()
    ignored = shutil.ignore_patterns(".env", "backups")
    shutil.copytree(ROOT / "deploy", origin / "deploy", ignore=ignored)
    shutil.copy(ROOT / ".gitignore", origin)
    for file in ("CHANGELOG.md", "CHANGELOG.fr.md"):
        (origin / file).write_text("# v0.9.0\nthe first one\n")
    git(origin, "init", "--quiet", "--initial-branch", "main")
    git(origin, "add", ".")
    git(origin, "commit", "--message", "all of it")
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    return Machine(origin, clone)


@pytest.fixture
def installed(machine: Machine) -> Machine:
    """Return a machine that runs v1.0.0, while the origin has v1.1.0."""
    machine.release("v1.0.0", "a roof")
    git(machine.clone, "pull", "--quiet", "--tags")
    git(machine.clone, "checkout", "--quiet", "v1.0.0")
    settings = (machine.clone / "deploy" / ".env.example").read_text()
    (machine.clone / "deploy" / ".env").write_text(
        settings.replace("COLLECTIVE_LANGUAGE=fr", "COLLECTIVE_LANGUAGE=en")
    )
    machine.release("v1.1.0", "a second roof")
    return machine


def test_without_a_release_it_says_what_to_do(machine: Machine) -> None:
    before = machine.version
    done = machine.upgrade()
    assert done.returncode == 0
    assert f"no release yet. You have the commit {before}" in done.stdout
    assert "./upgrade main" in done.stdout
    assert "pas encore de version" in machine.upgrade(LANG="fr_FR.UTF-8").stdout
    assert (machine.version, machine.asked) == (before, [])


def test_the_first_installation_begins_with_the_newest_release(machine: Machine) -> None:
    machine.release("v1.9.0", "a roof")
    machine.release("v1.10.0", "ten roofs")
    machine.release("v2.0.0-rc1", "perhaps a town")
    done = machine.upgrade()
    assert (done.returncode, done.stdout) == (0, "✓ Version: v1.10.0\n")
    assert (machine.version, machine.asked) == ("v1.10.0", [])
    assert "nothing newer" in machine.upgrade().stdout


def test_a_commit_beyond_the_newest_release_stays(machine: Machine) -> None:
    machine.release("v1.0.0", "a roof")
    machine.change("CHANGELOG.md", "a roof", "two roofs")
    git(machine.clone, "pull", "--quiet")
    before = machine.version
    assert "nothing newer" in machine.upgrade().stdout
    assert machine.version == before


@pytest.mark.parametrize(("language", "news"), [("en", ""), ("fr", " en français")])
def test_an_upgrade_shows_the_changelog_of_the_language_and_asks(
    installed: Machine, language: str, news: str
) -> None:
    settings = installed.clone / "deploy" / ".env"
    settings.write_text(settings.read_text().replace("LANGUAGE=en", f"LANGUAGE={language}"))
    done = installed.upgrade()
    assert done.returncode == 1
    assert f"# v1.1.0\na second roof{news}\n" in done.stdout
    assert f"a roof{news}\n" not in done.stdout.replace(f"a second roof{news}\n", "")
    assert "--yes" in done.stdout
    assert (installed.version, installed.asked) == ("v1.0.0", [])


@pytest.mark.parametrize(("language", "words"), [("en", "no line"), ("fr", "aucune ligne")])
def test_an_upgrade_that_no_changelog_names_says_so(
    installed: Machine, language: str, words: str
) -> None:
    git(installed.clone, "checkout", "--quiet", "v1.0.0")
    git(installed.origin, "reset", "--quiet", "--hard", "v1.0.0")
    installed.change("deploy/compose.yaml", "name: consometers", "name: consometers # here")
    settings = installed.clone / "deploy" / ".env"
    settings.write_text(settings.read_text().replace("LANGUAGE=en", f"LANGUAGE={language}"))
    assert words in installed.upgrade("main").stdout


def test_an_upgrade_backs_up_builds_and_only_then_stops_the_node(installed: Machine) -> None:
    done = installed.upgrade("--yes")
    assert done.returncode == 0, done.stdout
    (backup,) = (installed.clone / "deploy" / "backups").glob("*Z")
    assert f"✓ Backup: backups/{backup.name}" in done.stdout
    back = f"sudo git checkout v1.0.0, then sudo ./restore backups/{backup.name}"
    assert back in done.stdout
    assert installed.version == "v1.1.0"
    of_old = [line for line in installed.asked if line.startswith("v1.0.0: ")]
    of_new = [line for line in installed.asked if line.startswith("v1.1.0: ")]
    assert installed.asked == of_old + of_new
    assert any("pg_restore --list" in line for line in of_old)
    assert [line.removeprefix("v1.1.0: ") for line in of_new] == [
        "compose build --pull",
        "compose pull postgresql",
        "compose stop node",
        "compose up --detach --wait postgresql",
        OPENS,
        UP,
        PRUNE,
    ]


def test_no_backup_is_no_upgrade(installed: Machine) -> None:
    installed.fail("pg_restore --list")
    done = installed.upgrade("--yes")
    assert done.returncode == 1
    assert "nothing was changed" in done.stdout
    assert installed.version == "v1.0.0"
    assert not any("build" in line for line in installed.asked)


def test_programs_that_cannot_be_built_change_nothing(installed: Machine) -> None:
    installed.fail("build", "v1.1.0")
    done = installed.upgrade("--yes")
    assert done.returncode == 1
    assert "v1.0.0 still runs: nothing was changed" in done.stdout
    assert installed.version == "v1.0.0"
    assert installed.asked[-1] == "v1.0.0: compose build"
    assert not any(word in line for line in installed.asked for word in ("stop", "up --detach"))


@pytest.mark.parametrize("fault", [OPENS, UP])
def test_a_version_that_does_not_run_is_left_and_untouched_data_stay(
    installed: Machine, fault: str
) -> None:
    installed.fail(fault, "v1.1.0")
    done = installed.upgrade("--yes")
    assert done.returncode == 1
    assert "v1.0.0 runs as before" in done.stdout
    assert installed.version == "v1.0.0"
    assert [line.removeprefix("v1.0.0: ") for line in installed.asked[-4:]] == [
        "compose build",
        "compose up --detach --wait postgresql",
        OPENS,
        AS_BEFORE,
    ]
    assert not any(RESTORES in line for line in installed.asked)


def test_data_that_the_failed_version_changed_are_those_of_the_backup(installed: Machine) -> None:
    installed.fail(UP, "v1.1.0")
    installed.fail(OPENS, "v1.0.0")
    done = installed.upgrade("--yes")
    assert done.returncode == 1
    assert "v1.0.0 runs as before" in done.stdout
    assert installed.version == "v1.0.0"
    (restored,) = [n for n, line in enumerate(installed.asked) if RESTORES in line]
    assert installed.asked[restored].startswith("v1.0.0: ")
    assert f"v1.0.0: {AS_BEFORE}" in installed.asked[restored:]


def test_another_major_version_of_postgresql_begins_with_the_backup(installed: Machine) -> None:
    installed.change("deploy/compose.yaml", "PGDATA: /var/lib/postgresql/data/17", "PGDATA: /18")
    installed.release("v2.0.0", "a town")
    done = installed.upgrade("--yes")
    assert done.returncode == 0, done.stdout
    (restored,) = [line for line in installed.asked if RESTORES in line]
    assert restored.startswith("v2.0.0: ")


def test_changed_files_of_the_program_are_not_lost(installed: Machine) -> None:
    changed = installed.clone / "deploy" / "compose.yaml"
    changed.write_text(changed.read_text() + "# mine\n")
    done = installed.upgrade("--yes")
    assert done.returncode == 1
    assert "git stash" in done.stdout
    assert changed.read_text().endswith("# mine\n")
    assert (installed.version, installed.asked) == ("v1.0.0", [])


@pytest.mark.parametrize(
    ("words", "message"),
    [(("v3.0.0",), "There is no version “v3.0.0”"), (("--help",), "sudo ./upgrade VERSION")],
)
def test_a_version_that_is_none_changes_nothing(
    installed: Machine, words: tuple[str, ...], message: str
) -> None:
    done = installed.upgrade(*words)
    assert done.returncode > 0
    assert message in done.stdout
    assert (installed.version, installed.asked) == ("v1.0.0", [])


def test_an_origin_that_does_not_answer_is_named(installed: Machine) -> None:
    installed.origin.rename(installed.origin.with_name("gone"))
    done = installed.upgrade("--yes")
    assert done.returncode == 1
    assert "could not be fetched" in done.stdout
    assert (installed.version, installed.asked) == ("v1.0.0", [])
