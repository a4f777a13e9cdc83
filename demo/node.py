"""The school's node, its XMPP server on loopback, and an observer who may read its energy.

The node is the program that a household runs, asked on its command line as a person asks it: none
of its code is known here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
import json
import os
from pathlib import Path
import shlex
import shutil
import subprocess
import sys
import time
from typing import Any, Final

from demo.hass import Hass, Supervised, free_port
from demo.hass.folder import ROOT
from demo.prosody import LOOPBACK, Authority, Prosody
from demo.supervisor import Supervisor

DOMAIN: Final = "kersabiec.test"
NODE: Final = f"school@{DOMAIN}"
OBSERVER: Final = f"observer@{DOMAIN}"
# Like that of Home Assistant: the server is on loopback, and what it has is made up.
PASSWORD: Final = "kersabiec"

_MODULE: Final = "consometers_node"
_NEED: Final = Path(__file__).with_name("need.toml")
_NODE: Final = "node"
_PROSODY: Final = "prosody"
_CLIENT_NAME: Final = "Consometers"
_TOKEN_DAYS: Final = 3650
_READS_WITHIN_S: Final = 120
_STOP_SECONDS: Final = 20


class NodeError(Exception):
    """The node does not do what is asked of it, or has ended by itself; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A series that the observer may read, and the statistic of Home Assistant behind it.

    What is injected and what is produced both have `production` in their identifiers: `direction`
    tells them apart.
    """

    identifier: str
    direction: str
    interval: str
    unit: str
    statistic: str
    first: str | None
    last: str | None


@dataclass(frozen=True, kw_only=True)
class View:
    """All that an observer needs in order to read the school's series."""

    host: str
    port: int
    ca_file: Path
    password_file: Path
    node: str
    """The full JID that is asked."""
    page: str
    """Where the household looks at its node, in Home Assistant."""
    series: tuple[Series, ...]

    @property
    def command(self) -> str:
        """What reads a series, as one types it in the checkout."""
        asked = self.series[0].identifier if self.series else "URN"
        words = ("script/node", "get-history", NODE, asked, "--as", OBSERVER)
        return shlex.join((*words, *_place(self.port, self.ca_file, self.password_file)))


class Node:
    """The node and the XMPP server of one folder, in which both keep all they know."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        """Prepare; nothing starts yet. The port is that of the XMPP server."""
        self.folder = folder / _NODE
        self.log_path = self.folder / "node.log"
        self._server_folder = folder / _PROSODY
        self._port = port
        self._password_file = self.folder / "observer.password"
        self._server: Prosody | None = None
        self._starting: asyncio.Future[Prosody] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._number = self._state = ""
        self._registers: Mapping[str, str] = {}
        self._page_port = free_port()
        self._supervisor = Supervisor(self._page_port)
        self._supervises = False

    @property
    def supervised(self) -> Supervised:
        """What Home Assistant is told, for the node to be its add-on."""
        return self._supervisor.supervised

    async def start(self) -> None:
        """Start the server, log the node in, and have the observer ask: without Home Assistant."""
        await self._supervisor.start()
        self._supervises = True
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(self._password_file, PASSWORD)
        self._starting = asyncio.ensure_future(asyncio.to_thread(self._start_server))
        # A thread goes on whoever cancels: close() waits for it, and ends what it started.
        server = await asyncio.shield(self._starting)
        await self._do("login", NODE, *self._place(server))
        self._number, self._state = await self._permission()

    def _start_server(self) -> Prosody:
        authority = Authority(self._server_folder)
        self._server = Prosody(DOMAIN, authority, self._server_folder, port=self._port)
        try:
            self._server.start()
            for jid in (NODE, OBSERVER):
                self._server.register(jid.partition("@")[0], PASSWORD)
        except (RuntimeError, subprocess.SubprocessError) as error:
            raise NodeError(str(error)) from error
        return self._server

    async def open(self, hass: Hass, registers: Mapping[str, str]) -> View:
        """Start the node beside Home Assistant. On return the observer can read the year.

        `registers` are the statistics of energy, with the direction of each.
        """
        self._registers = registers
        await self._let_in(hass)
        if self._state == "proposed":
            await self._grant()
        self._supervisor.oversee(hass)
        run = ("run", "--page", f"{LOOPBACK}:{self._page_port}")
        with self.log_path.open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "demo.child", _MODULE, *run),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**self._environment, **self._supervisor.environment},
                start_new_session=True,  # A Ctrl-C in the terminal is its parent's to handle.
            )
        return await self._view(f"{hass.url}{self._supervisor.panel_path}")

    async def live(self) -> None:
        """Wait until the node ends.

        Raises:
            NodeError: it has ended by itself.
        """
        assert self._process is not None
        await self._process.wait()
        raise NodeError(f"The node has ended: {self.log_path} may say why.")

    async def close(self) -> None:
        """End the node and its server, leaving no process."""
        process, self._process = self._process, None
        if process is not None:
            await _end(process)
        if self._supervises:
            await self._supervisor.stop()
        if self._starting is not None:
            with suppress(Exception):
                await self._starting
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)

    async def _permission(self) -> tuple[str, str]:
        """The number and the state of what the observer asks, which is put there at first."""
        for _ in range(2):
            for one in await self._json("permissions"):
                if one["peer"] == OBSERVER:
                    return one["permission"], one["state"]
            await self._do("peer", "add", OBSERVER, "--need", str(_NEED))
        raise NodeError("The node does not show what the observer asks.")

    async def _let_in(self, hass: Hass) -> None:
        """Give the node its key to Home Assistant: made once, given again where that has moved."""
        file = self.folder / "home.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        if known.get("url") == hass.url:
            return
        if "token" not in known:
            known["token"] = await hass.api.command(
                "auth/long_lived_access_token", client_name=_CLIENT_NAME, lifespan=_TOKEN_DAYS
            )
            _write_private(file, json.dumps(known))
        await self._do("home", hass.url, answer=known["token"])
        _write_private(file, json.dumps({**known, "url": hass.url}))

    async def _grant(self) -> None:
        chosen = (f"{statistic}={flow}" for statistic, flow in self._registers.items())
        series = (word for one in chosen for word in ("--series", one))
        await self._do("grant", self._number, *series, "--yes")

    async def _view(self, page: str) -> View:
        assert self._server is not None
        async with asyncio.TaskGroup() as asking:
            permission = asking.create_task(self._json("permissions", self._number))
            status = asking.create_task(self._until_read())
        told = permission.result()
        return View(
            host=LOOPBACK,
            port=self._server.port,
            ca_file=self._server.ca_file,
            password_file=self._password_file,
            node=status.result()["account"],
            page=page,
            # A visitor may have withdrawn it.
            series=await self._read(told["series"]) if told["state"] == "granted" else (),
        )

    async def _read(self, shared: Sequence[Mapping[str, str]]) -> tuple[Series, ...]:
        """Ask the node, as the observer, for what may be read, in the order of the registers."""
        assert self._server is not None
        statistics = {one["identifier"]: one["statistic"] for one in shared}
        place = self._place(self._server)
        told = await self._json("list-series", NODE, "--as", OBSERVER, *place)
        listed = {statistics[one["identifier"]]: one for one in told["series"]}
        return tuple(
            Series(**listed[statistic], direction=direction, statistic=statistic)
            for statistic, direction in self._registers.items()
            if statistic in listed
        )

    async def _until_read(self) -> Any:
        """Wait until the node is online and has read the year; give its status."""
        assert self._process is not None
        until = time.monotonic() + _READS_WITHIN_S
        while time.monotonic() < until:
            status = await self._json("status")
            series = [one for peer in status["peers"] for one in peer["series"]]
            if status.get("online") and all(one["read"] == 1 for one in series):
                return status
            if self._process.returncode is not None:
                await self.live()
            await asyncio.sleep(0.5)
        raise NodeError(f"The node does not read the year: {self.log_path} may say why.")

    def _place(self, server: Prosody) -> tuple[str, ...]:
        return _place(server.port, server.ca_file, self._password_file)

    async def _json(self, *arguments: str) -> Any:
        return json.loads(await self._do(*arguments, "--json"))

    async def _do(self, *arguments: str, answer: str = "") -> str:
        """Run a command of the node to its end, and give what it prints."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", _MODULE, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
        )
        try:
            printed, complained = await process.communicate(f"{answer}\n".encode())
        finally:
            await _end(process)
        if process.returncode:
            raise NodeError(f"consometers-node {arguments[0]}: {complained.decode().strip()}")
        return printed.decode()

    @property
    def _environment(self) -> Mapping[str, str]:
        kept = {key: value for key, value in os.environ.items() if not _is_of_a_node(key)}
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "addon"))),
            "CONSOMETERS_DATA": str(self.folder),
        }


def forget(folder: Path) -> None:
    """Remove what a node and its server keep in a folder, and nothing else that is there."""
    for name in (_NODE, _PROSODY):
        shutil.rmtree(folder / name, ignore_errors=True)


def is_missing() -> bool:
    """Whether this machine has no XMPP server, without which there is no node."""
    return shutil.which("prosody") is None or shutil.which("prosodyctl") is None


def _place(port: int, ca_file: Path, password_file: Path) -> tuple[str, ...]:
    """The options that say where the server is, and who asks."""
    server = ("--host", LOOPBACK, "--port", str(port), "--ca-file", str(ca_file))
    return (*server, "--password-file", str(password_file))


def _is_of_a_node(variable: str) -> bool:
    """Whether it would lead to another node, or to another Home Assistant."""
    return variable.startswith("CONSOMETERS_") or variable == "SUPERVISOR_TOKEN"


def _write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process that may have ended, and kill it if it does not."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
    await process.wait()
