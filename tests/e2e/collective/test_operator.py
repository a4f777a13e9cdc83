"""Every command of deploy/README.md is typed on a terminal, in order, up to a member and a move.

`docker` is `testing.deploy.engine`; `sudo`, `apt` and `getent` are this machine's own, as far as
they may be: no package is installed, no file of the system changes, and names lead where the test
says.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
import os
from pathlib import Path
import pty
import re
import shutil
import subprocess
from typing import Final

import pytest
import pytest_asyncio

from consometers_node.permission import DataNeedSeries
from consometers_node.series import Direction, Quantity, Range
from consometers_quoalise_network import Join, Register, links
from consometers_quoalise_xmpp.registration import register
from testing.checkout import ROOT
from testing.deploy import engine
from testing.deploy.network import own_network
from testing.documentation import PAGES, commands
from testing.homes.data_needs import NEED, now
from testing.networks import reach
from testing.programs.holding import Member, settle
from testing.waiting import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.full,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(1200),
]

DOMAIN: Final = "energies.test"
ADDRESS: Final = "203.0.113.7"
ANSWERS: Final = {
    "such as energies.example.org: ": DOMAIN,
    "Your e-mail address, for the certificate authority: ": "marie@energies.test",
    "Name of your collective: ": "Énergies d'essai",
    f"which never changes: [{DOMAIN}] ": "essai",
    "Login of the first administrator: [marie] ": "",
    "[y/N] ": "y",
}
"""What the operator answers to each question."""
TRIAL: Final = {
    "COLLECTIVE_CERTIFICATES_FROM": "internal",
    "COLLECTIVE_CA_FILE": "/secrets/authority",
}
HOUR: Final = timedelta(hours=1)
MIDNIGHT: Final = now().replace(hour=0, minute=0, second=0)
MACHINE: Final = {
    "sudo": """\
mkdir -p /etc/cron.d "$ENGINE/cron.d"
exec unshare --mount sh -c 'mount --bind "$ENGINE/cron.d" /etc/cron.d && exec "$@"' sh "$@"
""",
    "apt": "exit 0",
    "cron": "exit 1",
    "getent": f'[ "$3 $4" != "ahostsv4 {DOMAIN}" ] || echo "{ADDRESS} STREAM"',
}
"""Programs of an operator's machine: the files of this one stay as they are."""


async def on_terminal(
    command: str, *, folder: Path, environment: Mapping[str, str], answers: Mapping[str, str]
) -> str:
    """Type a command of bash on a terminal, answer its questions, and return what it shows."""
    terminal, own = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *("setsid", "--ctty", "--wait", "bash", "-c", command),
        cwd=folder,
        env={**os.environ, **environment},
        stdin=own,
        stdout=own,
        stderr=own,
    )
    os.close(own)
    os.set_blocking(terminal, False)
    shown = ""

    def answer() -> None:
        nonlocal shown
        # The last process that had the terminal is gone.
        with suppress(OSError):
            if piece := os.read(terminal, 65536):
                shown += piece.decode(errors="replace")
                for question, words in answers.items():
                    if shown.endswith(question):
                        os.write(terminal, f"{words}\n".encode())
                return
        asyncio.get_running_loop().remove_reader(terminal)

    asyncio.get_running_loop().add_reader(terminal, answer)
    try:
        status = await process.wait()
    finally:
        asyncio.get_running_loop().remove_reader(terminal)
    with suppress(OSError):
        while piece := os.read(terminal, 65536):
            shown += piece.decode(errors="replace")
    os.close(terminal)
    assert status == 0, f"{command}:\n{shown}"
    return shown.replace("\r\n", "\n")


@dataclass
class Operator:
    """Somebody at a terminal of a machine; `folder` is where they are."""

    home: Path
    state: Path
    folder: Path
    stack: AsyncExitStack

    port = 5222

    @property
    def deploy(self) -> Path:
        return self.home / "consometers" / "deploy"

    @property
    def ca_file(self) -> Path:
        return self.state / "volumes" / "secrets" / "authority"

    async def type(self, command: str) -> str:
        """Type a command of the documentation with the paths of this machine."""
        backups = sorted((self.deploy / "backups").glob("*Z"))
        for written, here in {
            "/opt/consometers": str(self.home / "consometers"),
            "/root/": f"{self.home}/",
            "sftp:backups@other.example.org:consometers": str(self.home / "elsewhere"),
            "backups/2026-11-26T031500Z": f"backups/{backups[-1].name}" if backups else "",
            "v1.0.0": "HEAD",
        }.items():
            command = command.replace(written, here)
        if command.startswith("cd "):
            self.folder = Path(command.removeprefix("cd "))
            return ""
        return await on_terminal(
            command,
            folder=self.folder,
            environment={
                **TRIAL,
                "PATH": f"{self.state}:{os.environ['PATH']}",
                "ENGINE": str(self.state),
                "LANG": "en_GB.UTF-8",
                "LC_ALL": "",
                "GIT_CONFIG_COUNT": "2",
                "GIT_CONFIG_KEY_0": f"url.{self.home / 'published'}.insteadOf",
                "GIT_CONFIG_VALUE_0": "https://github.com/consometers/consometers-home-assistant",
                "GIT_CONFIG_KEY_1": "safe.directory",
                "GIT_CONFIG_VALUE_1": "*",
            },
            answers=ANSWERS,
        )

    async def welcome(self, output: str) -> Member:
        """Have a home join by the invitation on the terminal, and send two days."""
        account, join = map(links.read, re.findall(r"^xmpp:\S+$", output, re.MULTILINE))
        assert isinstance(account, Register)
        assert isinstance(join, Join)
        need = replace(
            NEED,
            id="sums",
            series=frozenset(DataNeedSeries(Direction.CONSUMPTION, kind) for kind in Quantity),
            history_days=365,
            duration_days=730,
            retention_days=180,
        )
        member = await settle(
            self.stack,
            self.state / "home.db",
            self,
            await register(account, server=reach(self)),
            join,
            covered=Range(MIDNIGHT - timedelta(days=2), MIDNIGHT + timedelta(days=3)),
            past={},
            need=need,
        )
        await member.write({MIDNIGHT - n * HOUR: 100 + n for n in range(1, 49)})
        return member

    async def held(self, member: Member) -> None:
        """Wait until the collective holds every record of a home."""
        ask = "sudo docker compose exec -T node consometers-node members export"

        async def count() -> int:
            output = await self.type(f"{ask} {member.jid} --format csv")
            return len(re.findall(r"^\S*T\d\d:00", output, re.MULTILINE))

        await eventually(count, lambda records: records == len(member.values))

    async def move(self) -> None:
        """Leave what a new machine has: the files of step 3, and the archive."""
        archive = (self.deploy / "move.tar").rename(self.home / "move.tar")
        assert archive.stat().st_mode & 0o077 == 0
        await self.type("sudo docker compose down --volumes")
        shutil.rmtree(self.home / "consometers")
        self.folder = self.home
        (self.state / "cron.d" / "consometers").unlink()
        _, clone, enter = commands(PAGES[0])[1:4]
        await self.type(clone)
        await self.type(enter)
        archive.rename(self.deploy / "move.tar")


def publish(folder: Path) -> None:
    """Have the files of this checkout in a repository."""
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.check_output(listed, cwd=ROOT).decode().split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git = ("git", "-c", "user.name=Nobody", "-c", "user.email=nobody@energies.test")
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "."),
        ("commit", "-qm", "All"),
    ):
        subprocess.run((*git, *words), cwd=folder, check=True)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def operator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Operator]:
    home = tmp_path_factory.mktemp("operator")
    state = home / "state"
    state.mkdir()
    (home / "published").mkdir()
    publish(home / "published")
    engine.install(state)
    for name, script in MACHINE.items():
        program = state / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    with own_network():
        for words in (
            ("link", "add", "public", "type", "bridge"),
            ("address", "add", f"{ADDRESS}/24", "dev", "public"),
            ("link", "set", "public", "up"),
        ):
            subprocess.run(("ip", *words), check=True)
        async with AsyncExitStack() as stack:
            operator = Operator(home, state, home, stack)
            try:
                yield operator
            finally:
                if operator.deploy.exists():
                    operator.folder = operator.deploy
                    await operator.type("docker compose down --volumes")


async def test_every_documented_command_works(operator: Operator) -> None:
    member = None
    for command in commands(PAGES[0]):
        if command == "sudo tar --extract --file=move.tar":
            await operator.move()
        output = await operator.type(command)
        if command == "sudo ./install":
            assert output.count("Password, shown this once") == 1
            assert output.endswith(f"Administration:   https://{DOMAIN}/administration/\n")
            settings = (operator.deploy / ".env").read_bytes()
            again = await operator.type(command)
            assert not re.search("✗|Password|xmpp:", again)
            assert (operator.deploy / ".env").read_bytes() == settings
        elif "invitations make" in command:
            member = await operator.welcome(output)
            await operator.held(member)
        elif command.startswith("sudo restic "):
            assert (operator.home / "restic-password").stat().st_mode & 0o077 == 0
            assert (operator.home / "elsewhere" / "config").exists()
            with (operator.deploy / ".env").open("a") as settings_file:
                settings_file.write(
                    f"OFFSITE_REPOSITORY={operator.home}/elsewhere\n"
                    f"OFFSITE_PASSWORD_FILE={operator.home}/restic-password\n"
                )
        elif "./restore" in command or "--restore" in command:
            assert member is not None
            await operator.held(member)
            if "--restore" in command:
                scheduled = (operator.state / "cron.d" / "consometers").read_text()
                assert f"root {operator.deploy}/backup offsite\n" in scheduled
    assert not operator.deploy.exists()
