"""A collective in production, as deploy/ has it: set up, used, backed up, destroyed, put back.

The very files of deploy/ are used, and the commands of its documentation are typed; `docker` is
`testing.deploy.engine`, which runs the services of the compose file as programs of this machine,
each with the user, the files, the volumes and the rights that it has there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import json
import os
from pathlib import Path
import shutil
import ssl
import tarfile
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import ClientSession
import pytest
import pytest_asyncio

from consometers_node.series import Range
from consometers_quoalise_network import Join, Register, links
from consometers_quoalise_xmpp.registration import register
from demo.servers.prosody import LOOPBACK
from testing.checkout import ROOT
from testing.commands.collective import need_toml
from testing.deploy import engine
from testing.deploy.network import own_network
from testing.disks import fill, small_disk
from testing.homes.data_needs import NEED, now
from testing.homes.running import decisions_confirmed
from testing.networks import reach
from testing.programs.holding import Member, Values, settle, summed
from testing.waiting import becomes, eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.full,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(480),
]

DOMAIN: Final = "energies.test"
HOMES: Final = 3
"""The least homes of a published sum: each sum needs every one of them."""
HOUR: Final = timedelta(hours=1)
PARIS: Final = ZoneInfo("Europe/Paris")
THIS_HOUR: Final = now().replace(minute=0, second=0)
SINCE: Final = THIS_HOUR.replace(hour=0) - timedelta(days=2)
KNOWN_UNTIL: Final = THIS_HOUR - 3 * HOUR
SETTINGS: Final = {
    "COLLECTIVE_DOMAIN": DOMAIN,
    "COLLECTIVE_NAME": "Énergies d'essai",
    "COLLECTIVE_IDENTIFIER": "essai",
    "COLLECTIVE_LANGUAGE": "en",
    "COLLECTIVE_CERTIFICATES_FROM": "internal",
    "COLLECTIVE_CA_FILE": "/secrets/authority",
}
FILES: Final = {"accounts.tar", "contents", "counts", "database.dump"}
IN_HASTE: Final = """\
services:
  node:
    environment:
      CONSOMETERS_HASTE: "40"
      CONSOMETERS_PUBLICATION_MINIMUM: "3"
      CONSOMETERS_PUBLICATION_WAIT_MINUTES: "1440"
      CONSOMETERS_PUBLICATION_LONGEST_WAIT_MINUTES: "2880"
"""
"""Nobody is left out, however long it takes."""


@dataclass
class Site:
    """The machine of a collective, as its operator has it before them."""

    folder: Path
    state: Path
    stack: AsyncExitStack
    homes: list[Member] = field(default_factory=list)
    settled: int = 0

    port = 5222

    @property
    def ca_file(self) -> Path:
        return self.state / "volumes" / "secrets" / "authority"

    async def type(self, *command: str, given: str = "") -> str:
        """Type a command in deploy/, and return what it prints."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{self.state}:{os.environ['PATH']}",
                "ENGINE": str(self.state),
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(given.encode())
        assert process.returncode == 0, (command, out.decode(), err.decode())
        return out.decode()

    async def node(self, *command: str) -> Any:
        """Run a command of the node, and return its JSON."""
        asked = ("docker", "compose", "exec", "-T", "node", "consometers-node")
        return json.loads(await self.type(*asked, *command, "--json"))

    async def get(self, path: str) -> tuple[int, str]:
        """Open an address as anybody would, and return its status and its text."""
        trusts = ssl.create_default_context(cafile=self.ca_file)
        async with (
            ClientSession() as session,
            session.get(
                f"https://{LOOPBACK}/{path}",
                headers={"Host": DOMAIN},
                ssl=trusts,
                server_hostname=DOMAIN,
            ) as answer,
        ):
            return answer.status, await answer.text()

    async def published(self) -> Values:
        """What the open data says of all members, hour by hour."""
        days = f"from/{SINCE.astimezone(PARIS).date()}/to/{THIS_HOUR.astimezone(PARIS).date()}"
        status, body = await self.get(f"data/consumption/by/all/PT1H/{days}")
        if status != 200:
            return {}
        return {
            datetime.fromisoformat(value["start"]): value["value"]
            for value in json.loads(body)["values"]
            if value["value"] is not None
        }

    async def lose_the_machine(self) -> None:
        """Leave nothing but the folder deploy/ with its backups, and whom everybody trusts."""
        authority = ("caddy", "pki")
        volume, authority_copy = self.state / "volumes" / "certificates", self.state / "authority"
        volume.joinpath(*authority).rename(authority_copy)
        await self.type("docker", "compose", "down", "--volumes")
        volume.joinpath(authority[0]).mkdir(parents=True)
        authority_copy.rename(volume.joinpath(*authority))
        for folder in (volume, volume / authority[0]):
            os.chown(folder, 7001, 7000)

    async def readings(self, home: Member) -> int:
        """How many records of a home are held."""
        asked = ("docker", "compose", "exec", "-T", "node", "consometers-node", "members", "export")
        _title, *lines = (await self.type(*asked, home.jid, "--format", "csv")).splitlines()
        return len(lines)

    async def holds(self, home: Member) -> None:
        """Wait until all records of a home are held."""
        await eventually(lambda: self.readings(home), lambda count: count == len(home.values))

    async def shows(self, wanted: Values) -> None:
        """Wait until that is published, and nothing else."""
        await becomes(self.published, wanted)

    async def ended(self) -> list[dict[str, Any]]:
        """Return what the node has noted beside its database."""
        read = "touch /data/ended.jsonl; cat /data/ended.jsonl"
        output = await self.type("docker", "compose", "exec", "-T", "node", "sh", "-c", read)
        return [json.loads(line) for line in output.splitlines()]

    async def settle(self) -> Member:
        """Create an account for a home by invitation, join, and send its past."""
        (made,) = await self.node("invitations", "make", "--account")
        account_link, join = links.read(made["account_link"]), links.read(made["link"])
        assert isinstance(account_link, Register)
        assert isinstance(join, Join)
        account = await register(account_link, server=reach(self))
        self.settled += 1
        member = await settle(
            self.stack,
            self.state / f"home{self.settled}.db",
            self,
            account,
            join,
            covered=Range(SINCE.replace(hour=0), THIS_HOUR + timedelta(days=2)),
            past={},
        )
        hours = (KNOWN_UNTIL - SINCE) // HOUR
        await member.write({SINCE + n * HOUR: 100 * self.settled + n for n in range(hours)})
        return member


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    place = tmp_path_factory.mktemp("site")
    folder, state = place / "checkout" / "deploy", place / "state"
    state.mkdir()
    shutil.copytree(ROOT / "deploy", folder, ignore=shutil.ignore_patterns(".env", "backups"))
    written = (folder / ".env.example").read_text().splitlines()
    unchanged = [line for line in written if line.partition("=")[0] not in SETTINGS]
    settings = [f'{name}="{value}"' for name, value in SETTINGS.items()]
    (folder / ".env").write_text("\n".join([*unchanged, *settings, ""]))
    (folder / "compose.override.yaml").write_text(IN_HASTE)
    engine.install(state)
    with own_network():
        async with AsyncExitStack() as stack:
            site = Site(folder, state, stack)
            stack.push_async_callback(site.type, "docker", "compose", "down", "--volumes")
            await site.type("docker", "compose", "up", "--detach", "--wait")
            yield site


async def test_the_page_shows_the_sums_of_invited_homes(site: Site) -> None:
    asked = ("docker", "compose", "exec", "-T", "node", "sh", "-c")
    offer = "cat >/tmp/roof.toml && consometers-node needs offer /tmp/roof.toml"
    await site.type(*asked, offer, given=need_toml(NEED.id, quantity="energy"))
    site.homes = [await site.settle() for _ in range(HOMES)]
    for home in site.homes:
        await site.holds(home)
    await site.node("publication", "open", "--yes")
    await site.shows(summed(site.homes))
    status, page = await site.get("")
    assert status == 200
    assert SETTINGS["COLLECTIVE_NAME"].replace("'", "&#39;") in page
    assert (await site.get("health"))[0] == 404


async def test_a_restored_backup_repeats_later_withdrawals(
    site: Site,
) -> None:
    leaves = await site.settle()
    await site.holds(leaves)
    backup = site.folder / (await site.type("./backup")).strip()
    assert {file.name for file in backup.iterdir()} == FILES
    assert backup.stat().st_mode & 0o077 == 0

    await leaves.house.withdraw(leaves.permission)
    await decisions_confirmed(leaves.house)
    for n, home in enumerate(site.homes):
        await home.write({KNOWN_UNTIL: 5_000 + n, KNOWN_UNTIL + HOUR: 6_000 + n})
    await site.shows(summed(site.homes))
    noted = {"permission": leaves.permission, "state": "withdrawn", "erased": True}
    await eventually(site.ended, lambda lines: any(noted.items() <= line.items() for line in lines))
    await site.type("./backup", "ended")

    await site.lose_the_machine()
    await site.type("./restore", str(backup.relative_to(site.folder)))
    made = (await site.node("status"))["backups"]["made"]
    assert f"{datetime.fromisoformat(made):%Y-%m-%dT%H%M%SZ}" == backup.name
    await site.shows(summed(site.homes))

    async def changes() -> list[tuple[str, int | None]]:
        register = await site.node("register", "--changes")
        of_it = [entry for entry in register if entry["permission"] == leaves.permission]
        return [(each["state"], each["erased"]) for each in of_it]

    given, ended = ("granted", None), ("withdrawn", None)
    erased = "withdrawn", len(leaves.values)
    # It is erased in steps, while the node runs.
    await eventually(changes, lambda states: states == [given, ended, erased])
    members = await site.node("members", "list")
    assert len([member for member in members if member["jid"] is not None]) == HOMES
    assert leaves.jid not in json.dumps(members)


async def test_the_node_removes_an_account_of_a_member_but_not_its_own(site: Site) -> None:
    (made,) = await site.node("invitations", "make", "--account")
    link = links.read(made["account_link"])
    assert isinstance(link, Register)
    account = await register(link, server=reach(site))

    def accounts() -> set[Path]:
        return set((site.state / "volumes" / "accounts").glob("*/accounts/*.dat"))

    before = accounts()
    for _ in range(2):
        await site.node("members", "remove-account", account.jid, "--yes")
        assert len(before - accounts()) == 1
    with pytest.raises(AssertionError, match="400"):
        await site.node("members", "remove-account", f"collective@{DOMAIN}", "--yes")
    assert len(before - accounts()) == 1


async def test_a_full_disk_of_prosody_is_named_where_an_invitation_is_made(site: Site) -> None:
    folder = site.state / "volumes" / "accounts"
    apart = folder.with_name("apart")
    await site.type("docker", "compose", "stop", "node", "prosody")
    folder.rename(apart)
    with small_disk(folder, 4) as disk:
        assert disk is not None
        await site.type("cp", "--archive", f"{apart}/.", str(disk))
        await site.type("docker", "compose", "up", "--detach", "--wait")
        fill(disk)
        with pytest.raises(AssertionError, match="Prosody cannot write to its disk: free some"):
            await site.node("invitations", "make", "--account")
        await site.type("docker", "compose", "stop", "node", "prosody")
    folder.rmdir()
    apart.rename(folder)
    await site.type("docker", "compose", "up", "--detach", "--wait")
    assert await site.node("invitations", "make", "--account")


async def test_old_backups_are_removed(site: Site) -> None:
    (first,) = (site.folder / "backups").glob("*Z")
    old = first.rename(first.with_name(f"{now() - timedelta(days=31):%Y-%m-%dT%H%M%SZ}"))
    await site.type("./backup", "ended")
    # A copied folder has the copy's times, so names count. And the newest one stays.
    assert list((site.folder / "backups").glob("*Z")) == [old]
    new = site.folder / (await site.type("./backup")).strip()
    assert list((site.folder / "backups").glob("*Z")) == [new]
    assert (site.folder / "backups" / "ended.jsonl").exists()


async def test_backups_that_begin_in_one_second_have_folders_of_their_own(site: Site) -> None:
    backup = ("./backup",)
    outputs = await asyncio.gather(
        *(site.type(*backup) for _ in range(2)), site.type(*backup, "ended")
    )
    folders = {site.folder / output.strip() for output in outputs if output}
    assert len(folders) == 2
    for made in folders:
        assert {each.name for each in made.iterdir()} == FILES


async def test_the_node_reports_successful_backups(site: Site) -> None:
    newest = site.folder / (await site.type("./backup")).strip()
    made = datetime.strptime(f"{newest.name}+0000", "%Y-%m-%dT%H%M%SZ%z")

    async def noted() -> dict[str, datetime]:
        backups = (await site.node("status"))["backups"]
        return {step: datetime.fromisoformat(at) for step, at in backups.items() if at}

    assert (await noted())["made"] == made
    assert "tested" not in await noted()
    assert "can be restored" in await site.type("./backup", "test")
    assert (await noted())["tested"] > made
    # An incomplete folder is no backup, and a test leaves nothing.
    counts = newest / "counts"
    before = counts.read_text()
    counts.write_text(before.replace("alembic_version|1", "alembic_version|2"))
    with pytest.raises(AssertionError, match="other numbers of rows"):
        await site.type("./backup", "test")
    counts.write_text(before)
    databases = await site.type(
        *("docker", "compose", "exec", "-T", "postgresql", "psql", "--username=consometers"),
        *("--list", "--tuples-only", "--no-align"),
    )
    assert "consometers|" in databases
    assert "consometers_test" not in databases


async def test_off_site_backups_are_encrypted_and_can_be_restored(site: Site) -> None:
    repository, password = site.folder.parent / "elsewhere", site.folder.parent / "password"
    password.write_text("three boats in the bay\n")
    with (site.folder / ".env").open("a") as settings:
        settings.write(f"OFFSITE_REPOSITORY={repository}\nOFFSITE_PASSWORD_FILE={password}\n")
    restic = ("restic", f"--repo={repository}", f"--password-file={password}")
    await site.type(*restic, "init")
    await site.type("./backup", "offsite")
    assert (await site.node("status"))["backups"]["copied"]
    newest = site.folder / (await site.type("./backup")).strip()
    await site.type("./backup", "offsite")
    back = site.folder.parent / "back"
    await site.type(*restic, "restore", "latest", "--target", str(back))
    (copied,) = back.rglob(newest.name)
    for file in FILES:
        assert (copied / file).read_bytes() == (newest / file).read_bytes()
    assert (copied.parent / "ended.jsonl").exists()
    packs = [file for file in repository.rglob("*") if file.is_file()]
    assert not any(DOMAIN.encode() in file.read_bytes() for file in packs)


async def test_a_backup_is_made_while_accounts_are_written(site: Site) -> None:
    """With tar as it is, which complains of that."""
    written = site.state / "volumes" / "accounts" / "busy"

    async def write() -> None:
        while True:
            with written.open("ab") as file:
                file.write(b"x")
            await asyncio.sleep(0)

    written.write_bytes(bytes(32 << 20))
    writing = asyncio.create_task(write())
    try:
        made = site.folder / (await site.type("./backup")).strip()
    finally:
        writing.cancel()
        written.unlink()
    with tarfile.open(made / "accounts.tar") as archive:
        assert archive.getmember("./busy").size > 32 << 20
    assert list((site.folder / "backups").glob("*.part")) == []


async def test_a_restart_loses_nothing(site: Site) -> None:
    before = await site.published()
    assert before
    await site.type("docker", "compose", "down")
    await site.type("docker", "compose", "up", "--detach", "--wait")
    assert await site.published() == before


async def test_programs_write_only_to_their_volumes_and_log_no_address(
    site: Site,
) -> None:
    for service in ("proxy", "prosody", "postgresql", "node"):
        inside = ("docker", "compose", "exec", "-T", service, "sh", "-c")
        output = await site.type(
            *inside, "touch /usr/bin/x 2>&1 || true; grep CapEff /proc/1/status"
        )
        assert "Read-only file system" in output
        capabilities = "0000000000000400" if service == "proxy" else "0000000000000000"
        assert output.split()[-1] in (capabilities, "0000000000000000")
    logs = "".join(file.read_text() for file in (site.state / "logs").iterdir())
    assert logs
    assert not [home for home in site.homes if home.jid in logs]
