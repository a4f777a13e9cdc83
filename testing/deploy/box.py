"""One container without an engine for containers: `python -m testing.deploy.box SPECIFICATION`.

Runs in its own namespaces of mounts, processes and networks. Its root is this system's, with what
an image adds, read-only; its volumes are folders of the test's. Its program has no capability but
those of the specification, and gets none.
"""

from dataclasses import asdict, dataclass
import json
import os
from pathlib import Path
import shlex
import shutil
import subprocess
import sys
from typing import Self

from testing.checkout import ROOT

PATH = "/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Specification:
    """What runs, as whom, and what it sees."""

    place: str
    command: list[str]
    environment: dict[str, str]
    user: str
    groups: list[str]
    capabilities: list[str]
    files: list[tuple[str, str]]
    volumes: list[tuple[str, str, bool]]
    """Folder, where it is seen, whether it can only be read."""
    memory: list[str]
    """As compose files have it: a path, perhaps with options."""
    networks: list[tuple[str, str]] | None
    """Bridge of each network, and the box's address there with its prefix length; None: the
    network of the program that starts it."""
    hosts: dict[str, str]
    """Address of each name in `/etc/hosts`."""
    node: list[str]
    """What runs as `consometers-node`."""

    def write(self, file: Path) -> Path:
        file.write_text(json.dumps(asdict(self)))
        return file

    @classmethod
    def read(cls, file: Path) -> Self:
        return cls(**json.loads(file.read_text()))


def mount(*arguments: str | Path) -> None:
    subprocess.run(("mount", *arguments), check=True)


def ip(*arguments: str) -> None:
    subprocess.run(("ip", *arguments), check=True)


def connect(networks: list[tuple[str, str]]) -> None:
    """Enter a network namespace with a loopback, and an interface in each network of the box."""
    namespace = Path("/proc/self/ns/net")
    with namespace.open() as machine:
        os.unshare(os.CLONE_NEWNET)
        # As container engines have it.
        Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0")
        ip("link", "set", "lo", "up")
        with namespace.open() as own:
            for index, (bridge, address) in enumerate(networks):
                name = f"eth{index}"
                peer = ("peer", "name", name, "netns", f"/proc/self/fd/{own.fileno()}")
                link = ("ip", "link", "add", "master", bridge, "up", "type", "veth", *peer)
                subprocess.run(
                    ("nsenter", f"--net=/proc/self/fd/{machine.fileno()}", *link),
                    check=True,
                    pass_fds=(machine.fileno(), own.fileno()),
                )
                ip("link", "set", name, "up")
                ip("address", "add", address, "dev", name)


def furnish(specification: Specification) -> Path:
    """Make the root, and return it."""
    place = Path(specification.place)
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
    upper, work, root = (place / name for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        folder.mkdir()
    mount("-t", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", "overlay", root)
    mount("-t", "proc", "proc", root / "proc")
    mount("--rbind", "/dev", root / "dev")
    for mounted in specification.memory:
        target, _, options = mounted.partition(":")
        within = root / target.lstrip("/")
        within.mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "-o", options or "mode=1777", "tmpfs", within)
    for needed in {str(ROOT), sys.prefix, sys.base_prefix}:
        within = root / needed.lstrip("/")
        within.mkdir(parents=True, exist_ok=True)
        mount("--bind", needed, within)
        mount("-o", "remount,bind,ro", within)
        # Whoever runs in here may go to what the image would have had.
        for parent in within.parents:
            if parent.is_relative_to(root) and os.access(parent, os.W_OK):
                parent.chmod(parent.stat().st_mode | 0o111)
    for source, target in specification.files:
        _copy(Path(source), root / target.lstrip("/"))
    node = root / "usr/local/bin/consometers-node"
    node.write_text(f'#!/bin/sh\nexec {shlex.join(specification.node)} "$@"\n')
    node.chmod(0o755)
    user, _, group = specification.user.partition(":")
    with (root / "etc/passwd").open("a") as passwd:
        passwd.write(f"program:x:{user}:{group}::/tmp:/bin/sh\n")
    hosts = {"localhost": "127.0.0.1"} | specification.hosts
    (root / "etc/hosts").write_text("".join(f"{ip} {name}\n" for name, ip in hosts.items()))
    for source, target, read_only in specification.volumes:
        within = root / target.lstrip("/")
        within.mkdir(parents=True, exist_ok=True)
        mount("--bind", source, within)
        if read_only:
            mount("-o", "remount,bind,ro", within)
    mount("-o", "remount,bind,ro", root)
    return root


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)


def unprivileged(specification: Specification) -> list[str]:
    """Return the words before a command that runs as the specification has it."""
    user, _, group = specification.user.partition(":")
    groups = (
        [f"--groups={','.join(specification.groups)}"]
        if specification.groups
        else ["--clear-groups"]
    )
    bounding = ",".join(
        ["-all", *(f"+{capability.lower()}" for capability in specification.capabilities)]
    )
    return [
        *("setpriv", f"--reuid={user}", f"--regid={group}", *groups, "--no-new-privs"),
        *("--inh-caps=-all", f"--bounding-set={bounding}"),
        *("env", "-i", f"PATH={PATH}", "HOME=/tmp"),
        *(f"{name}={value}" for name, value in specification.environment.items()),
    ]


def main() -> None:
    specification = Specification.read(Path(sys.argv[1]))
    if specification.networks is not None:
        connect(specification.networks)
    root = furnish(specification)
    os.chroot(root)
    os.chdir("/")
    command = [*unprivileged(specification), *specification.command]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
