"""A Home Assistant of our own: a real process, in its folder, on the loopback interface."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
import json
import os
from pathlib import Path
import sys
from typing import Any, Final, Self

import aiohttp

from demo.processes.child import Child, runner_in

from .api import Api
from .folder import INTEGRATIONS, LIBRARIES, ROOT, Language, Supervised, free_port, make_folder
from .log import LogRecord, parse_log

_START_TIMEOUT: Final = 600.0
_STOP_TIMEOUT: Final = 40.0
# What Home Assistant says of every custom integration at its start, of every platform of any
# integration when the language of the home is changed, and of any entity that takes long, as all
# do where the machine stands still.
_SAID_OF_ALL: Final = (
    "We found a custom integration",
    "Failed to load integration for translation: Invalid domain",
    "Updating state for",
)
# The exit code of `hass` when a person restarts it from its pages.
RESTART: Final = 100
_LOCK: Final = ".ha_run.lock"


class HassDied(Exception):
    """Home Assistant ended before it was up; the text is the end of its log."""


class Hass:
    """A Home Assistant process. Starting it again on the same folder finds all its data.

    As a context manager it starts, with its owner logged in as `api`, and ends with the block.
    """

    api: Api

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        language: Language = "en",
        level: str = "info",
        supervised: Supervised | None = None,
        integrations: Path = INTEGRATIONS,
        python: str = sys.executable,
    ) -> None:
        """Prepare; nothing starts yet.

        `language` is the home's, in a folder that is new; `level` is that of our integration's log.
        Supervised, it knows of add-ons. `integrations` is the folder of custom ones; a Python of
        another environment runs the Home Assistant that is there.
        """
        self.folder = folder
        self.integrations = integrations
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._language: Language = language
        self._level = level
        self._supervised = supervised
        self._python = python
        self._child = Child(self.log_path)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @staticmethod
    def runner(python: str) -> Sequence[str]:
        """Return the command that runs a module of an environment."""
        return runner_in(python)

    @property
    def pid(self) -> int:
        """The process that is Home Assistant, once it runs: what was started may stand for it."""
        return int(json.loads((self.folder / _LOCK).read_text())["pid"])

    async def start(self) -> None:
        """Start the process, and return when it is up and the owner is logged in."""
        make_folder(
            self.folder,
            port=self.port,
            language=self._language,
            level=self._level,
            supervised=self._supervised,
            integrations=self.integrations,
        )
        paths = os.pathsep.join(map(str, (ROOT, *LIBRARIES)))
        environment = {**os.environ, "PYTHONPATH": paths, "HA_DISABLE_LOG_FILE": "1"}
        if self._supervised is not None:
            environment["SUPERVISOR_TOKEN"] = self._supervised.token
        command = ("demo.hass", "--skip-pip", "--log-no-color", "-c", str(self.folder))
        await self._child.launch(
            *command, environment=environment, runner=self.runner(self._python)
        )
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120))
        self.api = Api(self.url, self._session)
        async with asyncio.timeout(_START_TIMEOUT):
            await self._until(self._log_in)
            await self._until(self._is_running)

    async def stop(self) -> None:
        """End the process as a supervisor would; kill it if it does not end."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        await self._child.close(_STOP_TIMEOUT)

    async def restart(self) -> None:
        """Stop it and start it again on its folder."""
        await self.stop()
        await self.start()

    async def wait(self) -> int:
        """Wait until the process has ended by itself, and return its exit code."""
        return await self._child.wait()

    @property
    def log_path(self) -> Path:
        """The whole log of the process, over all its starts."""
        return self.folder / "hass.log"

    def log(self) -> list[LogRecord]:
        return parse_log(self.log_path.read_text(errors="replace"))

    def problems(self, domain: str = "consometers") -> list[LogRecord]:
        """The warnings and errors of the log that are ours or name us."""
        return [
            record
            for record in self.log()
            if record.is_problem
            and record.is_about(domain)
            and not record.message.startswith(_SAID_OF_ALL)
        ]

    async def _until(self, attempt: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        while True:
            if self._child.has_ended:
                tail = self.log_path.read_text(errors="replace").splitlines()[-20:]
                raise HassDied("\n".join(tail))
            with suppress(aiohttp.ClientError):
                if await attempt():
                    return
            await asyncio.sleep(0.1)

    async def _log_in(self) -> bool:
        if not await self.api.onboard(self._language):
            await self.api.log_in()
        return True

    async def _is_running(self) -> bool:
        state: str = (await self.api.command("get_config"))["state"]
        return state == "RUNNING"
