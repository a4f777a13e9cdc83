"""The school's node, its XMPP server on loopback, and an observer who may read its energy.

The node is the program that a household runs, asked on its command line as a person asks it: none
of its code is known here.
"""

import asyncio
from collections.abc import Mapping, Sequence
import json
from pathlib import Path
import shutil
from typing import Any, Final

from demo.hass import Hass, Supervised, free_port
from demo.processes.warm import Warm
from demo.servers.program import PASSWORD, NodeError, Program, Threaded, reach, until, write_private
from demo.servers.prosody import LOOPBACK, Prosody
from demo.servers.supervisor import Supervisor

from . import observer
from .reader import serve

SERVER: Final = "prosody"
FOLDER: Final = "node"
"""The folders of the school's server and of its node, in that of the demo."""
DOMAIN: Final = "kersabiec.test"
NODE: Final = f"school@{DOMAIN}"
OBSERVER: Final = f"observer@{DOMAIN}"

_NEED: Final = Path(__file__).with_name("need.toml")
_CLIENT_NAME: Final = "Consometers"
_TOKEN_DAYS: Final = 3650
_READS_WITHIN_S: Final = 600


class Node:
    """The node and the XMPP server of one folder."""

    def __init__(self, folder: Path, server: Prosody, warm: Warm) -> None:
        """Prepare; nothing starts yet."""
        self.folder = folder / FOLDER
        self.log_path = self.folder / "node.log"
        self.password_file = self.folder / "observer.password"
        self.server = server
        self._threaded = Threaded(server)
        self.program = Program(self.folder, self.log_path, warm)
        self._permission_id = ""
        self._asked: dict[str, int | None] = {}
        self._registers: Mapping[str, str] = {}
        self.jid = ""
        """Its full JID: known once the year is read."""
        self.page = ""
        """Its page in Home Assistant."""
        self.reader: str | None = None
        """Where the reader is, if it is built: known once the server has started."""
        self.series: Sequence[Mapping[str, Any]] = ()
        """The series that the observer may read, each with its `direction` and `statistic`.

        The identifiers of injection and production both have `production`.
        """
        self._page_port = free_port()
        self._supervisor = Supervisor(self._page_port)
        self._supervises = False

    @property
    def supervised(self) -> Supervised:
        """What Home Assistant gets, for the node to be its add-on."""
        return self._supervisor.supervised

    async def start(self) -> None:
        """Start the server, log the node in, and have the observer ask: without Home Assistant."""
        await self._supervisor.start()
        self._supervises = True
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.password_file, PASSWORD)
        self.reader = serve(self.server, self.folder / "reader", NODE)
        await self._threaded.open(NODE, OBSERVER)
        await self.program.do("login", NODE, *self._place)
        self._permission_id, state = await self._permission()
        if state == "proposed":
            self._asked[self._permission_id] = None

    async def meet(self, invitation: str, days: int) -> None:
        """Ask a collective for its data needs, which allow this many days of the past."""
        for asked in (await self.program.json("join", invitation))["asked"]:
            self._asked[asked["permission"]] = days

    async def open(self, hass: Hass, registers: Mapping[str, str]) -> None:
        """Grant the request, and start the node beside Home Assistant.

        `registers` are the statistics of energy, with the direction of each.
        """
        self._registers = registers
        await self._let_in(hass)
        for permission_id, days in self._asked.items():
            await self._grant(permission_id, days)
        self._supervisor.oversee(hass)
        self.page = f"{hass.url}{self._supervisor.panel_path}"
        page = ("--page", f"{LOOPBACK}:{self._page_port}")
        await self.program.run(*page, **self._supervisor.environment)

    async def close(self) -> None:
        """End the node and its server, leaving no process."""
        await self.program.close()
        if self._supervises:
            await self._supervisor.stop()
        await self._threaded.close()

    async def _permission(self) -> tuple[str, str]:
        """Return the observer's request with its state, after proposing it at first."""
        for _ in range(2):
            for permission in await self.program.json("permissions"):
                if permission["peer"] == OBSERVER:
                    return permission["permission"], permission["state"]
            await self.program.do("peer", "add", OBSERVER, "--need", str(_NEED))
        raise NodeError("The node does not show what the observer asks.")

    async def _let_in(self, hass: Hass) -> None:
        """Pass the node its key to Home Assistant: made once, passed again where it has moved."""
        file = self.folder / "home.json"
        access = json.loads(file.read_text()) if file.exists() else {}
        if access.get("url") == hass.url:
            return
        if "token" not in access:
            access["token"] = await hass.api.long_lived_token(_CLIENT_NAME, _TOKEN_DAYS)
            write_private(file, json.dumps(access))
        await self.program.do("home", hass.url, answer=access["token"])
        write_private(file, json.dumps({**access, "url": hass.url}))

    async def _grant(self, permission_id: str, days: int | None) -> None:
        """Grant the requested registers, with some days of their past or all of it."""
        chosen = (f"{statistic}={flow}" for statistic, flow in self._registers.items())
        series = [word for choice in chosen for word in ("--series", choice)]
        history = () if days is None else ("--history", str(days))
        await self.program.do("grant", permission_id, *series, *history, "--yes")

    async def until_read(self) -> None:
        """Wait until the observer can read the year."""
        async with asyncio.TaskGroup() as asking:
            permission = asking.create_task(self.program.json("permissions", self._permission_id))
            status = asking.create_task(self._status_once_read())
        self.jid = status.result()["account"]
        granted = permission.result()
        # A visitor may have withdrawn it.
        if granted["state"] == "granted":
            self.series = await self._read(granted["series"])

    async def _read(self, shared: Sequence[Mapping[str, str]]) -> tuple[Mapping[str, Any], ...]:
        """List, as the observer, the node's readable series, in the order of the registers."""
        statistics = {series["identifier"]: series["statistic"] for series in shared}
        listed = {
            statistics[str(series["identifier"])]: series
            for series in await observer.readable(NODE, OBSERVER, self.server)
        }
        return tuple(
            {**listed[statistic], "direction": direction, "statistic": statistic}
            for statistic, direction in self._registers.items()
            if statistic in listed
        )

    async def _status_once_read(self) -> Any:
        """Wait until the node is online and has read the year, and return its status."""

        async def status_if_read() -> Any:
            status = await self.program.json("status")
            shares = [series["read"] for peer in status["peers"] for series in peer["series"]]
            if self.program.has_ended:
                await self.program.live()
            return status if status.get("online") and all(share == 1 for share in shares) else None

        error = NodeError(f"The node does not read the year: {self.log_path} may say why.")
        return await until(status_if_read, error, within_s=_READS_WITHIN_S)

    @property
    def command(self) -> str:
        """The command that reads a series, as typed in the checkout."""
        asked = self.series[0]["identifier"] if self.series else "URN"
        return observer.command(NODE, asked, OBSERVER, *self._place)

    @property
    def _place(self) -> tuple[str, ...]:
        return reach(self.server.port, self.server.ca_file, self.password_file)


def is_missing() -> bool:
    """Whether this machine has no XMPP server, without which there is no node."""
    return shutil.which("prosody") is None or shutil.which("prosodyctl") is None
