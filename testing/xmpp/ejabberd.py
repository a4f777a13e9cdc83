"""A cluster of two ejabberd on loopback, Debian's, set up as deploy/ejabberd says.

Each has an address of its own and both have the same ports, as two machines do. Nothing of them
leaves the machine, and no DNS is asked: `Cluster.names` leads programs to them by name.
"""

from contextlib import AbstractContextManager
import os
from pathlib import Path
import re
import secrets
import shutil
import subprocess
import time
from typing import Final, Self

import yaml  # type: ignore[import-untyped]

from demo.hass import free_port
from demo.processes.child import killed_with_its_parent
from demo.servers.prosody import LOOPBACK, Authority, Prosody, listens
from testing.checkout import ROOT
from testing.run import lack

SETTINGS: Final = ROOT / "deploy" / "ejabberd"
ADDRESSES: Final = "127.0.0.2", "127.0.0.3"
START_SECONDS: Final = 180

_RESOLVER: Final = "libnss_wrapper.so"
_OPTIONS: Final = re.compile('ERL_OPTIONS="(-pa [^"]+)"')


class Machine:
    """One machine of a cluster, with an ejabberd."""

    def __init__(self, cluster: Cluster, address: str) -> None:
        self.address = address
        self.name = f"ejabberd@{address}"
        self.folder = cluster.folder / address
        self.folder.mkdir()
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        (self.folder / "ejabberd.yml").write_text(self._cluster.settings(self.address))
        database = f'"{self.folder / "database"}"'
        self._process = self._erlang(self.name, "-mnesia", "dir", database, "-s", "ejabberd")
        self.listens()

    def listens(self) -> None:
        """Wait until its server listens on all ports."""
        assert self._process is not None
        until = time.monotonic() + START_SECONDS
        while not all(listens(port, self.address) for port in self._cluster.ports.values()):
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(f"ejabberd does not start: {self.log()[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End its server at once, as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def control(self, *command: str) -> str:
        """Do what `ejabberdctl` does, and return what it prints."""
        aside = (
            "-hidden",
            "-dist_listen",
            "false",
            "-eval",
            f"net_kernel:connect_node('{self.name}')",
        )
        asked = ("-s", "ejabberd_ctl", "-extra", self.name, *command)
        process = self._erlang("undefined@127.0.0.1", *aside, *asked, output=subprocess.PIPE)
        printed, _ = process.communicate(timeout=START_SECONDS)
        if process.returncode:
            raise RuntimeError(printed.decode())
        return printed.decode()

    def log(self) -> str:
        return (self.folder / "output").read_text(errors="replace")

    def _erlang(
        self, name: str, *arguments: str, output: int | None = None
    ) -> subprocess.Popen[bytes]:
        cluster = self._cluster
        own = ["-setcookie", cluster.cookie, "-pa", str(cluster.folder)]
        # The machines find each other on one port, which is the same on all: there is no epmd.
        ports = ["-erl_epmd_port", str(cluster.port), "-start_epmd", "false"]
        interface = ["-kernel", "inet_dist_use_interface", f"{{{self.address.replace('.', ',')}}}"]
        command = [
            "erl",
            *_flags(),
            "+sbwt",
            "none",
            "-noinput",
            "-name",
            name,
            *own,
            *ports,
            *interface,
            *arguments,
        ]
        with (self.folder / "output").open("ab") as log:
            return subprocess.Popen(
                killed_with_its_parent(command),
                cwd=self.folder,
                env={
                    **os.environ,
                    **cluster.names,
                    "HOME": str(self.folder),
                    "ERL_LIBS": str(cluster.libraries),
                    "ERL_INETRC": str(cluster.folder / "inetrc"),
                    "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
                    "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log"),
                },
                stdout=log if output is None else output,
                stderr=log,
                start_new_session=True,  # A Ctrl-C in the terminal is its parent's to handle.
            )


class Cluster(AbstractContextManager["Cluster"]):
    """Servers of one domain, which federate with another one. They end with their context."""

    def __init__(self, host: str, authority: Authority, other: Prosody, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.host = host
        self.ca_file = authority.file
        self.cookie = secrets.token_hex()
        self.libraries = _libraries()
        self.port = free_port()
        self.component_port = free_port()
        self._components: dict[str, str] = {}
        self._authority = authority
        names = ("CLIENT_PORT", "CLIENT_TLS_PORT", "SERVER_PORT", "API_PORT", "WEBSOCKET_PORT")
        self.ports = {name: free_port() for name in names}
        self._other = other
        certificate, key = authority.issue(host, self.folder)
        (self.folder / "certificate.pem").write_text(certificate.read_text() + key.read_text())
        (self.folder / "inetrc").write_text("{lookup, [file]}.\n")
        hosts = self.folder / "hosts"
        led = [*((address, host) for address in ADDRESSES), (LOOPBACK, other.host)]
        hosts.write_text("".join(f"{address} {name}\n" for address, name in led))
        self.names = {"LD_PRELOAD": _RESOLVER, "NSS_WRAPPER_HOSTS": str(hosts)}
        self._compile()
        self.machines = [Machine(self, address) for address in ADDRESSES]

    def __enter__(self) -> Self:
        first, second = self.machines
        try:
            first.start()
            second.start()
            second.control("join_cluster", first.name)
            self._wait_for(second)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.machines:
            machine.kill()

    @staticmethod
    def stanza_size() -> int:
        """Return the most bytes of a stanza, of clients and of servers alike."""
        listeners = yaml.safe_load((SETTINGS / "ejabberd.yml").read_text())["listen"]
        (size,) = {each["max_stanza_size"] for each in listeners if "shaper" in each}
        return int(size)

    def restart(self, machine: Machine) -> None:
        """Start the server of a machine that was killed, and wait until it is in the cluster."""
        machine.start()
        self._wait_for(machine)

    def component(self, domain: str, secret: str) -> None:
        """Take a component (XEP-0114) for a domain at `component_port`, from the start on."""
        self._components[domain] = secret
        certificate, key = self._authority.issue(domain, self.folder)
        (self.folder / f"{domain}.pem").write_text(certificate.read_text() + key.read_text())

    @property
    def client_port(self) -> int:
        return self.ports["CLIENT_PORT"]

    @property
    def places(self) -> list[tuple[str, int]]:
        """Where other servers find it."""
        return [(machine.address, self.ports["SERVER_PORT"]) for machine in self.machines]

    @property
    def api(self) -> str:
        return f"https://{self.host}:{self.ports['API_PORT']}"

    @property
    def site(self) -> str:
        """Return the address of what browsers ask for."""
        return f"https://{self.host}:{self.ports['WEBSOCKET_PORT']}"

    def settings(self, address: str) -> str:
        """Return the settings of a machine: those of deploy/ with other macros."""
        settings = yaml.safe_load((SETTINGS / "ejabberd.yml").read_text())
        settings["define_macro"] |= {
            "DOMAIN": self.host,
            "CERTIFICATE": str(self.folder / "certificate.pem"),
            "AUTHORITIES": str(self.ca_file),
            "ADDRESS": address,
            **self.ports,
        }
        for domain, secret in self._components.items():
            settings["certfiles"].append(str(self.folder / f"{domain}.pem"))
            settings["listen"].append(
                {
                    "port": self.component_port,
                    "ip": address,
                    "module": "ejabberd_service",
                    "hosts": {domain: {"password": secret}},
                }
            )
        settings["outgoing_s2s_port"] = self._other.s2s_port
        return str(yaml.safe_dump(settings))

    def _wait_for(self, machine: Machine) -> None:
        (other,) = (each for each in self.machines if each is not machine)
        until = time.monotonic() + START_SECONDS
        # It joins once it has answered.
        while machine.name not in other.control("list_cluster"):
            if time.monotonic() > until:
                raise RuntimeError(f"ejabberd does not join: {machine.log()[-2000:]}")
        machine.listens()

    def _compile(self) -> None:
        subprocess.run(
            ["erlc", "-o", str(self.folder), str(SETTINGS / "mod_node_accounts.erl")],
            check=True,
            env={**os.environ, "ERL_LIBS": str(self.libraries)},
        )


def _flags() -> list[str]:
    """Return the flags of Erlang that the documentation gives, but for the folder of a module."""
    (options,) = _OPTIONS.findall((ROOT / "docs" / "operators.md").read_text())
    _path, _folder, *flags = str(options).split()
    return flags


def _libraries() -> Path:
    """Return where Debian has ejabberd."""
    places = Path("/usr/lib")
    libraries = [file.parents[2] for file in places.glob("*/ejabberd-*/ebin/ejabberd.app")]
    if not libraries or not shutil.which("erlc") or not list(places.glob(f"*/{_RESOLVER}")):
        lack("ejabberd and libnss-wrapper, which script/setup installs")
    return libraries[0]
