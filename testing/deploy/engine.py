"""`docker compose` without Docker: what deploy/ and its documentation call, on this machine alone.

    python -m testing.deploy.engine version
    python -m testing.deploy.engine compose build|pull|up|ps|logs|stop|down|exec|run …

Runs the services of the compose file in the folder that it is called in, each in a box (`box.py`).
The caller's network namespace is the machine: it has a bridge for each network of the file, and the
published ports. `ENGINE` names the folder for volumes and logs.
"""

import argparse
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Network
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import Any, Final

from testing.checkout import ROOT
from testing.deploy.box import Specification, ip, unprivileged
from testing.deploy.compose import POSTGRESQL, Image, image, in_order, mounts, project

_LONGEST_S: Final = 1200
"""Nothing that a test left behind runs for longer."""
_HEALTHY_WITHIN_S: Final = 300
_ENDS_WITHIN_S: Final = 30
_POOL: Final = IPv4Network("10.89.0.0/16")
"""Networks without a subnet in the compose file have theirs here."""


_SERVICE: Final = "{{.Service}}"
_PORTS: Final = "{{range .Publishers}}{{.PublishedPort}}/{{.Protocol}} {{end}}"


class Engine:
    """The services of one project."""

    def __init__(self, folder: Path, state: Path) -> None:
        self._folder = folder
        self._state = state
        composed = project(folder)
        self._services: dict[str, Any] = composed["services"]
        self._networks = _subnets(composed["networks"])
        for name in ("volumes", "boxes", "logs", "processes"):
            (state / name).mkdir(parents=True, exist_ok=True)

    def up(self, wanted: Sequence[str] = ()) -> None:
        """Start those that do not run, and what they depend on, until each is healthy."""
        self._bridge()
        needed = set(wanted or self._services)
        for name in reversed(in_order(self._services)):
            if name in needed:
                needed |= set(self._services[name].get("depends_on", {}))
        for name in in_order(self._services):
            if name in needed and self._process(name) is None:
                self._start(name)

    def stop(self, wanted: Sequence[str] = ()) -> None:
        """End them, those first that depend on others."""
        for name in reversed(in_order(self._services)):
            if (not wanted or name in wanted) and (process := self._process(name)) is not None:
                os.kill(process, signal.SIGTERM)
                until = time.monotonic() + _ENDS_WITHIN_S
                while self._process(name) is not None:
                    if time.monotonic() > until:
                        os.kill(process, signal.SIGKILL)
                    time.sleep(0.05)
                self._unpublish(name)

    def down(self, *, volumes: bool) -> None:
        self.stop()
        if volumes:
            shutil.rmtree(self._state / "volumes")
            (self._state / "volumes").mkdir()

    def show(self, form: str, *, stopped: bool) -> None:
        """Print the name or the ports of each service that runs, or that was ever started."""
        for name, service in self._services.items():
            if self._process(name) is not None or (stopped and self._ports(name).exists()):
                ports = [port.partition(":")[0::2] for port in service.get("ports", ())]
                published = [
                    f"{port}/{target.partition('/')[2] or 'tcp'} " for port, target in ports
                ]
                sys.stdout.write({_SERVICE: name, _PORTS: "".join(published)}[form] + "\n")

    def logs(self, wanted: Sequence[str]) -> None:
        for name in wanted or self._services:
            sys.stdout.write((self._state / "logs" / name).read_text(errors="replace"))

    def execute(self, name: str, command: Sequence[str]) -> int:
        """Run something beside a service that runs."""
        inside = self._inside(name)
        if inside is None:
            sys.stderr.write(f'service "{name}" is not running\n')
            return 1
        return subprocess.call([*inside, *command])

    def run(self, name: str, command: Sequence[str]) -> int:
        """Run something in place of a service."""
        with subprocess.Popen(self._boxed(name, f"{name}-once", list(command))) as process:
            return process.wait()

    def _start(self, name: str) -> None:
        if "build" not in self._services[name]:
            self._initialise(name)
        with (self._state / "logs" / name).open("ab") as log:
            started = subprocess.Popen(
                ["timeout", "--signal=KILL", str(_LONGEST_S), *self._boxed(name, name)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (self._state / "processes" / name).write_text(str(started.pid))
        self._publish(name)
        self._until_healthy(name)

    def _bridge(self) -> None:
        """Add a bridge to the machine for each network that has none yet."""
        bridges = {name for _, name in socket.if_nameindex()}
        for name, network in self._networks.items():
            if name not in bridges:
                ip("link", "add", name, "type", "bridge")
                ip("address", "add", f"{network[1]}/{network.prefixlen}", "dev", name)
                ip("link", "set", name, "up")

    def _addresses(self, name: str) -> dict[str, str]:
        """Return the address of a service in each of its networks."""
        host = 2 + list(self._services).index(name)
        networks = self._services[name].get("networks", ())
        return {network: str(self._networks[network][host]) for network in networks}

    def _publish(self, name: str) -> None:
        """Forward the published ports of the machine to a service."""
        started = []
        for port in self._services[name].get("ports", ()):
            published, _, target = port.partition(":")
            target, _, protocol = target.partition("/")
            address = next(iter(self._addresses(name).values()))
            protocol = (protocol or "tcp").upper()
            forwards = (
                *("timeout", "--signal=KILL", str(_LONGEST_S), "socat"),
                f"{protocol}4-LISTEN:{published},fork,reuseaddr",
                f"{protocol}4:{address}:{target}",
            )
            process = subprocess.Popen(
                forwards,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            started.append(str(process.pid))
        self._ports(name).write_text(" ".join(started))

    def _unpublish(self, name: str) -> None:
        for process in self._ports(name).read_text().split():
            with suppress(ProcessLookupError):
                os.killpg(int(process), signal.SIGTERM)
        self._ports(name).write_text("")

    def _ports(self, name: str) -> Path:
        return self._state / "processes" / f"{name}.ports"

    def _until_healthy(self, name: str) -> None:
        _, *test = self._services[name]["healthcheck"]["test"]
        until = time.monotonic() + _HEALTHY_WITHIN_S
        while not self._is_healthy(name, test):
            if time.monotonic() > until:
                log = (self._state / "logs" / name).read_text(errors="replace")
                raise TimeoutError(f"{name} is not healthy:\n{log[-3000:]}")
            time.sleep(0.2)

    def _is_healthy(self, name: str, test: Sequence[str]) -> bool:
        inside = self._inside(name)
        if inside is None:
            return False
        return subprocess.run([*inside, *test], capture_output=True, check=False).returncode == 0

    def _inside(self, name: str) -> list[str] | None:
        """Return the words before a command beside a service; None if it does not run."""
        process = self._process(name)
        if process is None:
            return None
        spaces = ("--mount", "--pid", "--net", "--root", "--wdns=/")
        into = ("nsenter", f"--target={process}", *spaces)
        return [*into, *unprivileged(self._specification(name))]

    def _initialise(self, name: str) -> None:
        """Make a database as its image does where there is none."""
        variables = self._services[name]["environment"]
        data, user = variables["PGDATA"], variables["POSTGRES_USER"]
        sql = f"postgres --single -D {data} postgres"
        script = (
            f"test -e {data}/PG_VERSION && exit; mkdir -p {data}; chmod 700 {data};"
            f" initdb -D {data} --username={user} {variables['POSTGRES_INITDB_ARGS']} >&2"
            f" && echo 'CREATE DATABASE {variables['POSTGRES_DB']}' | {sql} >/dev/null"
        )
        if self.run(name, ["sh", "-c", script]):
            raise RuntimeError("no database could be made")

    def _process(self, name: str) -> int | None:
        """Return the process of a service's program; None if it does not run."""
        file = self._state / "processes" / name
        process = int(file.read_text()) if file.exists() else 0
        for _ in ("timeout", "unshare"):
            try:
                children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
            except OSError:
                return None
            if not children:
                return None
            process = int(children[0])
        # Until it has its own root, it is still being furnished.
        return process if Path(f"/proc/{process}/root").resolve() != Path("/") else None

    def _boxed(self, name: str, box: str, command: list[str] | None = None) -> list[str]:
        file = self._state / "boxes" / f"{box}.json"
        self._specification(name, box, command).write(file)
        own = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
        return [*own, sys.executable, "-m", "testing.deploy.box", str(file)]

    def _specification(
        self, name: str, box: str = "", command: list[str] | None = None
    ) -> Specification:
        service = self._services[name]
        made = self._image(name)
        assert service["user"] == made.user, name
        assert service["read_only"]
        place = self._state / "boxes" / (box or name)
        place.mkdir(exist_ok=True)
        return Specification(
            place=str(place),
            command=command or service.get("command", made.command),
            environment=service["environment"],
            user=service["user"],
            groups=service.get("group_add", []),
            capabilities=service.get("cap_add", []),
            files=[(str(self._folder.parent / source), target) for source, target in made.copies],
            volumes=[
                (str(self._volume(mount, made)), mount["target"], mount.get("read_only", False))
                for mount in mounts(service)
            ],
            memory=service["tmpfs"],
            # What runs in place of a service answers nobody, and needs no network.
            networks=[
                (network, f"{address}/{self._networks[network].prefixlen}")
                for network, address in self._addresses(name).items()
                if box in ("", name)
            ],
            hosts=self._hosts(name),
            node=["env", f"PYTHONPATH={ROOT}/addon", sys.executable, "-m", "consometers_node"],
        )

    def _hosts(self, name: str) -> dict[str, str]:
        """Return the services that share a network with one, and their addresses there."""
        own = self._addresses(name)
        return {
            other: address
            for other in self._services
            for network, address in self._addresses(other).items()
            if network in own
        }

    def _image(self, name: str) -> Image:
        build = self._services[name].get("build")
        if build is None:
            return POSTGRESQL
        return image(self._folder.parent / build["dockerfile"], build["target"])

    def _volume(self, mount: dict[str, Any], made: Image) -> Path:
        """Return the folder of a volume; a new one is as the first image that has it."""
        volume = self._state / "volumes" / str(mount["source"])
        if not volume.exists():
            volume.mkdir()
            folder = made.folders.get(mount["target"])
            if folder is not None and not mount.get("volume", {}).get("nocopy"):
                volume.chmod(folder.mode)
                os.chown(volume, folder.user, folder.group)
        return volume


def _subnets(networks: dict[str, Any]) -> dict[str, IPv4Network]:
    pool = _POOL.subnets(new_prefix=24)
    subnets = {}
    for name, network in networks.items():
        (given,) = network.get("ipam", {"config": [{}]})["config"]
        subnets[name] = IPv4Network(given["subnet"]) if "subnet" in given else next(pool)
    return subnets


def main(arguments: Sequence[str]) -> int:
    """Do what `docker` is asked for."""
    parser = argparse.ArgumentParser(prog="docker")
    programs = parser.add_subparsers(dest="command", required=True)
    programs.add_parser("version").add_argument("--format")
    programs.add_parser("buildx").add_argument("command", choices=["version"])
    commands = programs.add_parser("compose").add_subparsers(dest="command", required=True)
    commands.add_parser("version")
    up = commands.add_parser("up")
    up.add_argument("--detach", action="store_true", required=True)
    up.add_argument("--wait", action="store_true", required=True)
    logs = commands.add_parser("logs")
    logs.add_argument("--no-log-prefix", action="store_true", required=True)
    logs.add_argument("--since", required=True)
    # What a box sees is in the checkout: there is nothing to build or to get.
    commands.add_parser("build").add_argument("--pull", action="store_true")
    for command in (up, logs, commands.add_parser("stop"), commands.add_parser("pull")):
        command.add_argument("services", nargs="*")
    ps = commands.add_parser("ps")
    ps.add_argument("--all", action="store_true")
    ps.add_argument("--format", required=True, choices=[_SERVICE, _PORTS])
    commands.add_parser("down").add_argument("--volumes", action="store_true")
    for command in (commands.add_parser("exec"), commands.add_parser("run")):
        command.add_argument("-T", "--no-tty", action="store_true")
        command.add_argument("--rm", action="store_true")
        command.add_argument("--no-deps", action="store_true")
        command.add_argument("service")
        command.add_argument("words", nargs=argparse.REMAINDER)
    asked = parser.parse_args(arguments)
    if asked.command == "version":
        sys.stdout.write("27.0.0 false\n")
        return 0
    engine = Engine(Path.cwd(), Path(os.environ["ENGINE"]))
    match asked.command:
        case "ps":
            engine.show(asked.format, stopped=asked.all)
        case "logs":
            engine.logs(asked.services)
        case "up":
            engine.up(asked.services)
        case "stop":
            engine.stop(asked.services)
        case "down":
            engine.down(volumes=asked.volumes)
        case "exec":
            return engine.execute(asked.service, asked.words)
        case "run":
            return engine.run(asked.service, asked.words)
    return 0


def install(folder: Path) -> Path:
    """Write a program `docker` into a folder, and return it."""
    program = folder / "docker"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m testing.deploy.engine "$@"\n'
    )
    program.chmod(0o755)
    return program


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
