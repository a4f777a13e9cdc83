"""A Zabbix server as Debian packages it, with its frontend's API: on loopback, in a folder.

It ends with its parent process.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
import gzip
import json
import os
from pathlib import Path
import re
import shutil
import socket
import subprocess
import time
from typing import Any
import urllib.request

from demo.hass import free_port
from testing.databases import postgresql
from testing.databases.postgresql import unprivileged
from testing.run import DEADLINE_S, lack

_PROGRAM = Path("/usr/sbin/zabbix_server")
_SQL = Path("/usr/share/zabbix-server-pgsql")
_FRONTEND = Path("/usr/share/zabbix")
_PACKAGES = "zabbix-server-pgsql, zabbix-frontend-php, php-cgi and php-cli"
_TABLES = {
    *("config", "config_autoreg_tls", "module"),
    *("role", "role_rule", "users", "usrgrp", "users_groups"),
    *("ugset", "ugset_group", "user_ugset", "hgset", "hgset_group", "hstgrp"),
}
"""What of Zabbix' own data a server and its API want; the rest are templates that nobody uses."""
_LEFT_OUT = ("locale", "audio", "fonts", "assets", "js")
_SETTINGS = """\
ListenIP=127.0.0.1
ListenPort={port}
DBHost={sockets}
DBName={database}
DBUser=node
LogType=console
PidFile={folder}/pid
SocketDir={folder}
CacheUpdateFrequency=1
StartPollers=1
StartTrappers=1
StartHTTPAgentPollers=1
StartDBSyncers=1
StartPreprocessors=1
StartDiscoverers=1
StartHTTPPollers=0
StartPingers=0
"""
_WEB = """\
<?php
$DB = ['TYPE' => 'POSTGRESQL', 'SERVER' => '{sockets}', 'PORT' => '0', 'DATABASE' => '{database}',
  'USER' => 'node', 'PASSWORD' => '', 'SCHEMA' => '', 'ENCRYPTION' => false, 'KEY_FILE' => '',
  'CERT_FILE' => '', 'CA_FILE' => '', 'VERIFY_HOST' => false, 'CIPHER_LIST' => '', 'VAULT' => '',
  'VAULT_URL' => '', 'VAULT_PREFIX' => '', 'VAULT_DB_PATH' => '', 'VAULT_TOKEN' => '',
  'VAULT_CERT_FILE' => '', 'VAULT_KEY_FILE' => ''];
$ZBX_SERVER = '127.0.0.1';
$ZBX_SERVER_PORT = '{port}';
$ZBX_SERVER_NAME = '';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
"""
_WEB_SETTINGS = "/etc/zabbix/zabbix.conf.php"


class Zabbix:
    """One that can run. Hosts, items and values are read through its API."""

    def __init__(self, database: postgresql.Server, folder: Path) -> None:
        self.port, self._web_port = free_port(), free_port()
        self._folder = folder
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._database, self._name = database, _fill(database)
        self._settings = {
            "port": self.port,
            "sockets": database.folder,
            "database": self._name,
            "folder": folder,
        }
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        (folder / "server.conf").write_text(_SETTINGS.format(**self._settings))

    def start(self) -> None:
        """Start the server, or start it again."""
        command: list[str | Path] = [
            _PROGRAM,
            "--foreground",
            "--config",
            self._folder / "server.conf",
        ]
        self._process = self._run(unprivileged(command), "server.log")
        _wait_for(self.port, self._process)

    def stop(self) -> None:
        """Stop the server; its API goes on."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(DEADLINE_S)

    @contextmanager
    def api(self) -> Iterator[None]:
        """Serve the API as long as it is entered, and be logged in."""
        web = self._folder / "web"
        shutil.copytree(_FRONTEND, web, symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        reads = web / "include" / "classes" / "core" / "CConfigFile.php"
        own = self._folder / "web.php"
        reads.write_text(reads.read_text().replace(_WEB_SETTINGS, str(own)))
        own.write_text(_WEB.format(**self._settings))
        command: list[str | Path] = ["php", "-S", f"127.0.0.1:{self._web_port}", "-t", web]
        process = self._run(unprivileged(command), "web.log")
        try:
            _wait_for(self._web_port, process)
            self._token = self.ask("user.login", username="Admin", password="zabbix")
            yield
        finally:
            process.terminate()
            process.wait(DEADLINE_S)

    def ask(self, method: str, **parameters: Any) -> Any:
        """Ask the API for something."""
        body = {"jsonrpc": "2.0", "method": method, "params": parameters, "id": 1}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._web_port}/api_jsonrpc.php",
            json.dumps(body).encode(),
            {"Content-Type": "application/json-rpc"},
        )
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        with urllib.request.urlopen(request, timeout=180) as response:
            answer = json.load(response)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def _run(self, command: list[str | Path], log: str) -> subprocess.Popen[bytes]:
        with (self._folder / log).open("ab") as output:
            return subprocess.Popen(command, cwd=self._folder, stdout=output, stderr=output)


@contextmanager
def running() -> Iterator[Zabbix]:
    """Run one, and its API. Skips where it is not installed, unless CI runs."""
    if not (_PROGRAM.exists() and _FRONTEND.exists() and shutil.which("php")):
        lack(f"Zabbix, which script/setup installs: {_PACKAGES}")
    with ExitStack() as stack:
        database = stack.enter_context(postgresql.running())
        folder = database.folder / "zabbix"
        folder.mkdir()
        zabbix = Zabbix(database, folder)
        stack.callback(zabbix.stop)
        zabbix.start()
        stack.enter_context(zabbix.api())
        yield zabbix


def _fill(server: postgresql.Server) -> str:
    """Make a database for Zabbix, and return its name."""
    name = server.create()
    own = gzip.decompress((_SQL / "data.sql.gz").read_bytes())
    with server.connect(name) as connection:
        connection.execute(gzip.decompress((_SQL / "schema.sql.gz").read_bytes()))
        for statement in re.split(rb"^(?=INSERT INTO )", own, flags=re.MULTILINE)[1:]:
            if statement.split(b" ", 3)[2].decode() in _TABLES:
                connection.execute(statement[: statement.rindex(b");") + 2])
    return name


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        assert process.poll() is None, f"{process.args!r} ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on {port}")
