"""A collective of the demo: its XMPP server, and its node, run as an operator would."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
import shutil
import sqlite3
from types import MappingProxyType
from typing import Any, Final

import aiohttp

from demo.hass import free_port
from demo.processes.warm import Warm
from demo.servers.program import PASSWORD, NodeError, Program, Threaded, reach, until, write_private
from demo.servers.prosody import LOOPBACK, Prosody

ADMINISTRATOR: Final = "demo"
# Pages ask for longer ones than servers do. It is on loopback, and what it has is made up.
ADMINISTRATION_PASSWORD: Final = "kersabiec-demo"

_SETTINGS: Final = "collective.toml"
_DATABASE: Final = "node.db"
_OBJECTIVE: Final = "10"
_RUNNING: Final = (("--name-fr", "Le Grand Défi", "--name-en", "The Great Challenge"), 8, 12)
_OVER: Final = (("--name-fr", "Le défi d’avant", "--name-en", "The challenge before"), 22, 12)
"""How many weeks ago a challenge began, and how many it lasts."""
_OUTLINES: Final = Path(__file__).with_name("communes.geojson")
_OUTLINES_SOURCE: Final = "Consometers"
_WAIT_MINUTES: Final = 1
"""A demo has no time to wait for those who are late."""
_DAYS: Final = "P1D"
"""Days, in its open data."""
_ONLINE_WITHIN_S: Final = 300
_LOOKS_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An operator's choices: names, the account, and the data needs."""

    name: str
    identifier: str
    account: str
    needs: tuple[Path, ...]
    about: Mapping[str, str]
    """Its public description, by the keys of the settings."""
    witness_for: tuple[str, ...] = ()
    """The collectives whose protected sums it opens."""

    @property
    def device(self) -> str:
        """The device of its sums, in the federation."""
        return f"urn:dev:org:60060-{self.identifier}"


class Collective:
    """The node and the server of one collective, in one folder."""

    def __init__(
        self,
        profile: Profile,
        folder: Path,
        server: Prosody,
        warm: Warm,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Prepare; nothing starts yet. `variables` are those of the environment, for its node."""
        self.profile = profile
        self.server = server
        self._threaded = Threaded(server)
        self.page_port = free_port()
        self.page = f"http://{LOOPBACK}:{self.page_port}"
        """Its public pages begin here."""
        self._folder = folder
        self._password_file = folder / "password"
        # Ports change from one opening to the next: the environment counts more than the file.
        variables = {
            "CONSOMETERS_XMPP_PORT": str(server.port),
            "CONSOMETERS_PAGE_PORT": str(self.page_port),
            "CONSOMETERS_PUBLICATION_WAIT_MINUTES": str(_WAIT_MINUTES),
            "CONSOMETERS_PAGE_OUTLINES": str(_OUTLINES),
            "CONSOMETERS_PAGE_OUTLINES_SOURCE": _OUTLINES_SOURCE,
            **variables,
        }
        if profile.witness_for:
            variables["CONSOMETERS_WITNESS_FOR"] = ",".join(profile.witness_for)
        self.program = Program(folder / "node", folder / "node.log", warm, variables)
        self.sites: Mapping[str, str] = {}
        """The public page of each site, by name: known once it has published."""
        self.series: Sequence[Mapping[str, Any]] = ()
        """Its series that the reader may read."""
        self.challenge: str | None = None
        """The page of the current challenge, if there is one."""

    @property
    def jid(self) -> str:
        """The full JID of its node."""
        return f"{self.profile.account}/quoalise"

    @property
    def hall(self) -> str:
        """The page for a screen on a wall."""
        return f"{self.page}/hall"

    @property
    def data(self) -> str:
        """The page of the open data."""
        return f"{self.page}/data"

    @property
    def administration(self) -> str:
        return f"{self.page}/administration/"

    async def start(self, others: Sequence[str] = ()) -> None:
        """Start it with its server, on which it and others have accounts. It is online then."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._password_file, PASSWORD)
        await self._threaded.open(self.profile.account, *others)
        place = reach(self.server.port, self.server.ca_file, self._password_file)
        if not (self.program.folder / _SETTINGS).exists():
            profile = self.profile
            names = ("--name", profile.name, "--identifier", profile.identifier)
            about = [word for line in profile.about.items() for word in ("--about", "=".join(line))]
            options = ("--account", profile.account, *place, *about)
            await self.program.do("init", *names, *options, "--json")
        # It identifies itself to other collectives by its stored account.
        await self.program.do("login", self.profile.account, *place)
        for need in self.profile.needs:
            await self.program.do("needs", "offer", str(need))
        if ADMINISTRATOR not in {
            administrator["name"] for administrator in await self.program.json("admins", "list")
        }:
            words = ("admins", "add", ADMINISTRATOR, "--password-file", "-")
            await self.program.do(*words, answer=ADMINISTRATION_PASSWORD)
        await self.program.run("--role", "collective")
        await self._until_online()

    async def invite(self, kind: str, area: str | None = None, uses: int = 1) -> str:
        """Make an invitation, and return its link."""
        where = () if area is None else ("--area", area)
        whom = ("--kind", kind, *where, "--uses", str(uses))
        (made,) = await self.program.json("invitations", "make", *whom)
        return str(made["link"])

    async def codes(self, collective: str, count: int) -> list[str]:
        """Make codes for homes of a collective, as its witness, and return them."""
        words = ("witness", "codes", "make", str(count), "--for", collective)
        return [str(made["code"]) for made in await self.program.json(*words)]

    async def members(self) -> dict[str, Any]:
        """Return the members, by address."""
        return {member["jid"]: member for member in await self.program.json("members", "list")}

    async def publish(self) -> None:
        """Open it, once the last weeks of all its members are there.

        It publishes their past by itself, when all of it has come.
        """
        while (status := await self.program.json("status"))["opens"] is None:
            kinds = status["members"].values()
            if kinds and not sum(kind["unread"] for kind in kinds):
                await self.program.do("publication", "open", "--yes")
            else:
                await asyncio.sleep(_LOOKS_EVERY_S)

    async def back_up(self) -> None:
        """Copy its database and settings aside, and note it, as an operator does each night.

        Once: the administration shows how old the backup is from then on.
        """
        backups = self._folder / "backups"
        if not backups.exists():
            await asyncio.to_thread(_copy, self.program.folder, backups)
            await self.program.do("backups", "note", "made")

    async def write_to(self, member: str, letter: Mapping[str, str]) -> None:
        """Write to a member, by its address, in each language; once, as a volunteer does."""
        files = {tag: self._folder / f"letter.{tag}.txt" for tag in letter}
        if any(file.exists() for file in files.values()):
            return
        options: list[str] = []
        for tag, file in files.items():
            file.write_text(letter[tag])
            options += (f"--{tag}", str(file))
        await self.program.do("messages", "write", member, *options, "--yes")

    async def published_since(self) -> date | None:
        """Return the first day of which its open data has something, None before there is one."""
        intervals = (await self._listing())["intervals"]
        (first,) = (each["from"] for each in intervals if each["id"] == _DAYS)
        return None if first is None else date.fromisoformat(first)

    async def find_sites(self) -> None:
        """Find the public page of each site."""
        groups = (group for group in (await self._listing())["groups"] if group["kind"] == "site")
        self.sites = {group["name"]: f"{self.page}/sites/{group['id']}" for group in groups}

    async def compete(self) -> None:
        """Set a challenge that runs and one that is over.

        All groups with published figures take part, each commune once.
        """
        challenges = await self.program.json("challenges", "list")
        if not challenges:
            communes: set[str] = set()
            participants: list[str] = []
            for group in await self.program.json("challenges", "groups"):
                if communes.isdisjoint(group["communes"]):
                    communes.update(group["communes"])
                    participants += ("--participant", group["group"])
            if len(participants) <= len(("--participant", "alone")):
                return
            monday = (today := datetime.now(UTC).date()) - timedelta(days=today.weekday())
            for names, begun, weeks in (_OVER, _RUNNING):
                days = (
                    *("--from", (monday - timedelta(weeks=begun)).isoformat()),
                    *("--to", (monday + timedelta(weeks=weeks - begun, days=-1)).isoformat()),
                )
                options = ("--objective", _OBJECTIVE, *names, *days, *participants)
                await self.program.do("challenges", "set", *options)
            challenges = await self.program.json("challenges", "list")
        self.challenge = f"{self.page}/challenge/{challenges[0]['id']}"

    async def close(self) -> None:
        """End the node and its server, leaving no process."""
        await self.program.close()
        await self._threaded.close()

    async def _listing(self) -> Mapping[str, Any]:
        """Return what its open data lists, as everybody may read it."""
        listed = f"{self.page}/data/groups.json"
        async with aiohttp.ClientSession() as session, session.get(listed) as answer:
            listing: Mapping[str, Any] = await answer.json()
        return listing

    async def _until_online(self) -> None:
        async def is_online() -> bool:
            if self.program.has_ended:
                await self.program.live()
            return bool((await self.program.json("status")).get("online"))

        error = NodeError(f"{self.profile.name} is not online: {self.program.log} may say why.")
        await until(is_online, error, within_s=_ONLINE_WITHIN_S)


def _copy(node: Path, backups: Path) -> None:
    """Copy a node's database, also while it is written, and its settings into a new folder."""
    backups.mkdir(mode=0o700)
    copy = backups / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    copy.mkdir(mode=0o700)
    shutil.copy(node / _SETTINGS, copy)
    with (
        closing(sqlite3.connect(node / _DATABASE)) as source,
        closing(sqlite3.connect(copy / _DATABASE)) as target,
    ):
        source.backup(target)
