"""The add-on's service as its container runs it, at another port, under strace."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import json
import os
from pathlib import Path
import re
import signal
import subprocess
import time
from urllib.error import HTTPError
from urllib.request import urlopen

from demo.hass import free_port
from demo.servers.prosody import LOOPBACK, Prosody
from testing.addon import tracing
from testing.addon.installed import ADDON, Installed

RUN = ADDON / "rootfs/etc/s6-overlay/s6-rc.d/consometers/run"
LEVEL = '${level:+--log-level "${level}"}'

_SECONDS = 240
_PASSWORD = "correct horse battery staple"


def command() -> list[str]:
    """Return the words of the command that the container runs, with a level of the log."""
    (line,) = re.findall(r"^exec consometers-node (.*)$", RUN.read_text(), re.MULTILINE)
    return str(line).replace(LEVEL, "--log-level debug").split()


class Service:
    """The service of an environment, with its data in a folder."""

    def __init__(self, installed: Installed, folder: Path) -> None:
        self.installed = installed
        self.data = folder / "data"
        self.log = folder / "trace"
        self._output = folder / "output"
        self._password = folder / "password"
        self._port = free_port()

    def do(self, *arguments: str) -> str:
        return self.installed.run(*arguments, CONSOMETERS_DATA=str(self.data))

    def log_in(self, server: Prosody) -> None:
        self._password.write_text(_PASSWORD)
        place = ("--host", LOOPBACK, "--port", str(server.port), "--ca-file", str(server.ca_file))
        options = ("--security", "starttls", "--password-file", str(self._password))
        self.do("login", server.register("home", _PASSWORD), *place, *options)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it, and end it as s6 does."""
        words = [f"{LOOPBACK}:{self._port}" if "0.0.0.0:" in word else word for word in command()]
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": "/root",
            "SUPERVISOR_TOKEN": "token",
            "CONSOMETERS_DATA": str(self.data),
            "CONSOMETERS_INGRESS": LOOPBACK,
            # In the image it stands beside each module from the beginning.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        traced = tracing.command(self.log, self.installed.program, *words)
        with self._output.open("w") as output:
            process = subprocess.Popen(traced, env=environment, cwd="/", stderr=output)
        try:
            yield
        finally:
            # strace forwards no signal.
            with suppress(ProcessLookupError):
                os.kill(int(self.log.read_text().split(maxsplit=1)[0]), signal.SIGTERM)
            status = process.wait(_SECONDS)
        assert status == 0, self._output.read_text()

    def until_online(self) -> None:
        """Wait until it is."""
        end = time.monotonic() + _SECONDS
        while not json.loads(self.do("status", "--json")).get("online"):
            assert time.monotonic() < end, self._output.read_text()
            time.sleep(0.5)

    def get(self, path: str) -> int:
        """Return the status with which a page answers."""
        try:
            with urlopen(f"http://{LOOPBACK}:{self._port}{path}", timeout=_SECONDS) as response:
                return int(response.status)
        except HTTPError as error:
            return error.code
