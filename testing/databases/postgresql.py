"""A PostgreSQL for tests: a folder of its own, a socket in it, no port. It ends with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
import os
from pathlib import Path
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time

import psycopg

from testing.checkout import ROOT
from testing.run import DEADLINE_S, lack

_DEBIAN = Path("/usr/lib/postgresql/17/bin")
_USER = "nobody"
_STARTS = 60
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "40",
    "shared_buffers": "16MB",
}

_COMPOSE = ROOT / "deploy" / "compose.yaml"
_DEPLOYED = re.compile(r"^ +- -c((?:wal|log)_\w+=\w+)$", re.MULTILINE)
"""What holds for any server of a collective."""


class Server:
    """A running server, open to anyone with access to its socket."""

    def __init__(self, folder: Path) -> None:
        """Make one in a folder; it does not run yet."""
        self.folder = folder
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            shutil.chown(folder, _USER)
        initdb = [_program("initdb"), "--username=node", "--auth=trust", "--no-sync"]
        subprocess.run(
            unprivileged([*initdb, "--encoding=UTF8", "--locale=C", self._data]),
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Start it, once whatever a killed one left has ended."""
        for _ in range(_STARTS):
            settings = [f"--{key}={value}" for key, value in _SETTINGS.items()]
            settings += [f"--{each}" for each in _DEPLOYED.findall(_COMPOSE.read_text())]
            place: list[str | Path] = ["-D", self._data, "-k", self.folder]
            with self.log.open("ab") as output:
                self._process = subprocess.Popen(
                    unprivileged([_program("postgres"), *place, *settings]),
                    cwd=self.folder,
                    stderr=output,
                )
            if self._answers(self._process):
                return
        raise RuntimeError(f"PostgreSQL does not start:\n{self.log.read_text()}")

    def stop(self) -> None:
        """End it at once: nobody wants the data."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def url(self, database: str) -> str:
        return f"postgresql://node@/{database}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """Make a database, empty or like another one, and give its name."""
        name = f"test_{next(self._numbers)}"
        with self.connect("postgres") as connection:
            connection.execute(
                f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY".encode()
            )
        return name

    def drop(self, database: str) -> None:
        """Drop a database and close its connections."""
        with self.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())

    def connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(dbname=database, user="node", host=str(self.folder), autocommit=True)

    def dump(self, database: str) -> str:
        """Return the SQL that makes such a database."""
        command = [_program("pg_dump"), "--inserts", "--no-owner", "--username=node"]
        where = [f"--host={self.folder}", database]
        return subprocess.run([*command, *where], check=True, text=True, capture_output=True).stdout

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What it writes of errors."""
        return self.folder / "log"

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until it answers; return whether it did before it ended."""
        for _ in range(2000):
            try:
                self.connect("postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
            if process.poll() is not None:
                return False
        return False

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(DEADLINE_S)


@contextmanager
def running() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        server = Server(Path(name))
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _program(name: str) -> str:
    path = shutil.which(name, path=f"{_DEBIAN}:{os.environ['PATH']}")
    if path is None:
        lack(f"{name} of PostgreSQL, which script/setup installs")
    return path


def unprivileged(command: list[str | Path]) -> list[str | Path]:
    """As nobody, for the server refuses to be root's, and never longer than these tests."""
    wrapper: list[str | Path] = ["setpriv", "--pdeathsig=QUIT"]
    if os.geteuid() == 0:
        user = pwd.getpwnam(_USER)
        wrapper += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [*wrapper, *command]
