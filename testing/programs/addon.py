"""The add-on's program, started as its image starts it, with a Supervisor's variables."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
import json
from pathlib import Path
import sys
from typing import Any, Final

import aiohttp

from demo.hass import Api, Hass
from demo.hass.api import PASSWORD, USER
from demo.servers.supervisor import ADDON, COOKIE, LOOPBACK, Supervisor
from testing.programs.node import NodeProgram

RUN: Final = ADDON / "rootfs/etc/s6-overlay/s6-rc.d/consometers/run"
LISTENS: Final = "0.0.0.0:8099"
"""The page, in a container of its own."""

_PROGRAM: Final = """\
#!/bin/bash
exec {python} -P -m consometers_node "${{@/{listens}/{here}}}"
"""


class AddOn(NodeProgram):
    """The node with neither account nor any word from a person."""

    def __init__(
        self, folder: Path, supervisor: Supervisor, page_port: int, **variables: str
    ) -> None:
        super().__init__(folder)
        programs = folder / "bin"
        programs.mkdir()
        program = programs / "consometers-node"
        here = f"{LOOPBACK}:{page_port}"
        program.write_text(_PROGRAM.format(python=sys.executable, listens=LISTENS, here=here))
        program.chmod(0o755)
        self.data.mkdir()
        (self.data / "options.json").write_text(json.dumps(supervisor.options))
        self._environment = {
            **self._environment,
            **supervisor.environment,
            "PATH": f"{programs}:/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            **variables,
        }

    async def start(self) -> None:
        with (self.folder / "log").open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("bash", str(RUN)),
                stdout=log,
                stderr=log,
                env=self._environment,
            )


class Visitor:
    """Somebody who has logged in to Home Assistant, and opens the add-on's page there."""

    def __init__(self, api: Api, page: str, session: aiohttp.ClientSession) -> None:
        self.api = api
        self.page = page
        self.cookies: dict[str, str] = {}
        self._session = session

    async def enter(self) -> None:
        """Get what ingress knows a user by."""
        answer = await self.api.command(
            "supervisor/api", endpoint="/ingress/session", method="post"
        )
        self.cookies = {COOKIE: answer["session"]}

    async def status(self) -> int:
        """How the first page is answered."""
        async with self.ask() as answer:
            return answer.status

    def ask(
        self, path: str = "", method: str = "GET", **options: Any
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Ask what is at a path below the page."""
        url = f"{self.page}/{path}"
        return self._session.request(method, url, cookies=self.cookies, **options)


@asynccontextmanager
async def visiting(
    hass: Hass, supervisor: Supervisor, username: str = USER, password: str = PASSWORD
) -> AsyncIterator[Visitor]:
    """Log in, and enter."""
    async with aiohttp.ClientSession() as session:
        api = Api(hass.url, session)
        await api.log_in(username, password)
        visitor = Visitor(api, f"{hass.url}{supervisor.ingress_path}", session)
        await visitor.enter()
        yield visitor
