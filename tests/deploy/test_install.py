"""deploy/install asks, checks, and says what to do; with stand-ins for what it asks the machine."""

from dataclasses import dataclass, field
import os
from pathlib import Path
import re
import shutil
import socket
import subprocess

import pytest

from demo.hass import free_port
from testing.checkout import ROOT
from testing.deploy.compose import variables
from testing.documentation import PAGES, commands
from testing.run import lack

DOMAIN = "mes-energies.test"
ADDRESS = "198.51.100.7"
OPTIONS = ("--domain", DOMAIN, "--name", "L'énergie d'ici", "--email", "marie@energies.test")
ACME = "urn:ietf:params:acme:error:"
DIRECTORY = 'performing request: Get "https://acme-v02.api.letsencrypt.org/directory":'
"""As Caddy begins the reason where it does not reach the authority."""
PROGRAMS = {
    "docker": """
        case "$*" in
          version*) echo "$DOCKER" ;;
          *"exec -T proxy"*) exit 1 ;;
          *" list --json"*) exit 1 ;;
          *" logs "*)
            echo "challenge failed: urn:ietf:params:acme:error:tls"
            echo "could not get certificate from issuer: $ANSWER"
            ;;
        esac
        echo "$*" >>"$ASKED"
    """,
    "getent": """
        for each in $RECORDS; do
          [ "$3" != "ahosts${each%%=*}" ] || echo "${each#*=} STREAM"
        done
    """,
    "ip": """
        n=1
        for each in $OWN; do
          name=eth0
          case $each in *@*) name=${each#*@} each=${each%@*} ;; esac
          case $each in *:*) family=inet6 ;; *) family=inet ;; esac
          n=$((n + 1))
          echo "$n: $name    $family $each/24 scope global $name\\       valid_lft forever"
        done
    """,
}


@dataclass
class Machine:
    """A copy of deploy/, and what the machine of its operator answers."""

    folder: Path
    answers: dict[str, str] = field(
        default_factory=lambda: {
            "LANG": "en_GB.UTF-8",
            "DOCKER": "27.5.1 false",
            "OWN": ADDRESS,
            "RECORDS": f"v4={ADDRESS}",
            "ANSWER": f"{ACME}dns",
        }
    )

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "ASKED": str(self.folder / "asked"),
            **self.answers,
        }

    def install(self, *options: str) -> str:
        """Run it until it stops, and return what it says on both streams."""
        done = subprocess.run(
            (self.folder / "install", *options),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stdout
        return done.stdout

    def call(self, function: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call one of its functions."""
        return subprocess.run(
            ("bash", "-c", f'source ./install; {function} "$@"', "install", *arguments),
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def settings(self) -> dict[str, str]:
        return variables(self.folder / ".env")

    @property
    def started(self) -> bool:
        return "compose up" in (self.folder / "asked").read_text()


@pytest.fixture
def machine(tmp_path: Path, socket_enabled: None) -> Machine:
    if os.geteuid():
        lack("the rights of root")
    for name in ("install", "common", ".env.example", "compose.yaml"):
        shutil.copy(ROOT / "deploy" / name, tmp_path / name)
    # Its own ports may be in use where the tests run.
    composed = tmp_path / "compose.yaml"
    for port in ("80", "443", "5222", "5223", "5269"):
        composed.write_text(composed.read_text().replace(f'"{port}:', f'"{free_port()}:'))
    (tmp_path / "bin").mkdir()
    for name, script in PROGRAMS.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/bash\n{script}\n")
        program.chmod(0o755)
    (tmp_path / "asked").touch()
    return Machine(tmp_path)


def test_answers_complete_the_example_settings(machine: Machine) -> None:
    machine.answers["BACKUPS_KEPT_DAYS"] = "14"
    machine.answers["COLLECTIVE_CA_FILE"] = "/secrets/authority"
    machine.install(*OPTIONS)
    example = variables(machine.folder / ".env.example")
    assert machine.settings == example | {
        "COLLECTIVE_DOMAIN": DOMAIN,
        "COLLECTIVE_EMAIL": "marie@energies.test",
        "COLLECTIVE_NAME": "L'énergie d'ici",
        "COLLECTIVE_IDENTIFIER": "mesenergies.test",
        "COLLECTIVE_LANGUAGE": "en",
        "COLLECTIVE_CA_FILE": "/secrets/authority",
        "BACKUPS_KEPT_DAYS": "14",
    }
    assert (machine.folder / ".env").stat().st_mode & 0o777 == 0o600


def test_a_second_run_changes_no_setting(machine: Machine) -> None:
    machine.install(*OPTIONS)
    before = (machine.folder / ".env").read_bytes()
    machine.install()
    machine.install(*OPTIONS)
    assert "“mes-energies.test” in .env, and “other.test” here" in machine.install(
        "--domain", "other.test"
    )
    assert (machine.folder / ".env").read_bytes() == before


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--domain", "Energies.test", "is not a domain name"),
        ("--domain", "198.51.100.7", "is not a domain name"),
        ("--email", "marie", "is not an e-mail address"),
        ("--name", 'The "sun"', "Leave out these characters"),
        ("--name", "$HOME", "Leave out these characters"),
    ],
)
def test_a_bad_answer_is_refused(machine: Machine, option: str, value: str, why: str) -> None:
    output = machine.install(*OPTIONS, option, value)
    assert why in output
    assert value not in (machine.folder / ".env").read_text()
    assert not machine.started


def test_a_missing_answer_is_named(machine: Machine) -> None:
    assert "✗ Set COLLECTIVE_EMAIL" in machine.install(*OPTIONS[:4])


@pytest.mark.parametrize(
    ("own", "records", "message", "starts"),
    [
        (ADDRESS, f"v4={ADDRESS}", f"✓ {DOMAIN} leads here: {ADDRESS}", True),
        (ADDRESS, "", f"✗ {DOMAIN} has no address yet", False),
        (ADDRESS, "v4=203.0.113.5", f"✗ The A record of {DOMAIN} says 203.0.113.5", False),
        (ADDRESS, f"v4={ADDRESS} v6=2001:db8::5", "✗ The AAAA record", False),
        (f"{ADDRESS} 2001:db8::5", f"v4={ADDRESS} v6=2001:db8::5", "here: 2001:db8::5", True),
        # getent answers so for a name without AAAA.
        (ADDRESS, f"v4={ADDRESS} v6=::ffff:{ADDRESS}", f"here: {ADDRESS}", True),
        ("192.168.1.9 172.17.0.1", "v4=203.0.113.5", "! mes-energies.test leads to", True),
        (
            f"{ADDRESS} 2001:db8::5 172.17.0.1@docker0",
            "",
            f"IPv4 address of this machine (here: {ADDRESS}).",
            False,
        ),
        (
            "192.168.1.9 172.28.0.1@br-0a1b2c3d4e5f",
            "v4=203.0.113.5",
            "alone (192.168.1.9): the router",
            True,
        ),
        (
            "172.17.0.1@docker0 203.0.113.9@br-lan",
            "v4=203.0.113.9",
            "leads here: 203.0.113.9",
            True,
        ),
    ],
)
def test_the_domain_must_lead_to_this_machine(
    machine: Machine, own: str, records: str, message: str, *, starts: bool
) -> None:
    machine.answers |= {"OWN": own, "RECORDS": records}
    assert message in machine.install(*OPTIONS)
    assert machine.started is starts


def test_a_port_in_use_is_named_with_its_program(machine: Machine) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        port = bound.getsockname()[1]
        composed = machine.folder / "compose.yaml"
        composed.write_text(re.sub(r'"\d+:5269"', f'"{port}:5269"', composed.read_text()))
        output = machine.install(*OPTIONS)
    program = Path("/proc/self/comm").read_text().strip()
    assert f"✗ Port {port}/tcp is in use by “{program}" in output
    assert not machine.started


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("28.2.2 false", "✓ Docker 28.2.2"),
        ("26.1.5+dfsg1 true", "✓ Docker 26.1.5+dfsg1"),
        ("26.1.5+dfsg1 false", "✗ Docker 26.1.5+dfsg1 is too old"),
        ("20.10.24 true", "✗ Docker 20.10.24 is too old"),
        ("", "✗ Docker is installed but does not run"),
    ],
)
def test_an_old_docker_is_refused(machine: Machine, version: str, message: str) -> None:
    machine.answers["DOCKER"] = version
    assert message in machine.install(*OPTIONS)
    assert machine.started is message.startswith("✓")


@pytest.mark.parametrize(
    ("answer", "english", "french"),
    [
        (f"{ACME}dns", "finds no address of mes-energies.test", "ne trouve aucune adresse"),
        (f"{ACME}connection", "Open ports 80 and 443", "Ouvrez les ports 80 et 443"),
        (f"{ACME}unauthorized", "another machine answers", "une autre machine répond"),
        (f"{ACME}caa", "must allow letsencrypt.org", "doit autoriser letsencrypt.org"),
        (f"{ACME}rateLimited", "Wait for an hour", "Attendez une heure"),
        (f"{ACME}badCSR", "says “badCSR”", "répond « badCSR »"),
        (
            f"{DIRECTORY} dial tcp: lookup acme-v02.api.letsencrypt.org on 192.0.2.53: i/o timeout",
            "check /etc/resolv.conf",
            "vérifiez /etc/resolv.conf",
        ),
        (f"{DIRECTORY} remote error: tls: internal error", "that leave", "qui sortent"),
    ],
)
def test_errors_of_the_certificate_authority_are_explained(
    machine: Machine, answer: str, english: str, french: str
) -> None:
    machine.answers["ANSWER"] = answer
    output = machine.install(*OPTIONS)
    assert english in output
    assert ("Open ports" in output) is ("connection" in answer)
    (machine.folder / ".env").unlink()
    machine.answers["LANG"] = "fr_FR.UTF-8"
    output = machine.install(*OPTIONS)
    assert french in output
    assert output.endswith("Relancez ensuite ./install : il reprendra ici.\n")


def test_documented_commands_are_the_same_and_run_by_sudo() -> None:
    english, french = map(commands, PAGES)
    assert english
    assert english == french
    assert [command for command in english if not command.startswith(("sudo ", "cd "))] == []


def test_a_node_that_does_not_answer_is_not_taken_for_one_with_an_administrator(
    machine: Machine,
) -> None:
    for function in ("add_administrator", "invite"):
        called = machine.call(function, "")
        assert (called.returncode, called.stdout) == (1, "")
        assert "The node does not answer" in called.stderr
