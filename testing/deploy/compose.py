"""What compose.yaml and Dockerfile say: enough of both for our own."""

from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([-+?])([^}]*))?\}")
_INSTALLED: Final = re.compile(r"install -d -o (\d+) -g (\d+) -m (\d+)((?: /\S+)+)")
_CADDY: Final = ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]


@dataclass(frozen=True)
class Folder:
    """A folder that an image has for a volume: a new volume begins as a copy of it."""

    user: int
    group: int
    mode: int


@dataclass(frozen=True)
class Image:
    """What an image adds to the system that it is made from."""

    copies: list[tuple[str, str]]
    folders: dict[str, Folder]
    command: list[str]
    user: str


POSTGRESQL: Final = Image(
    copies=[],
    folders={
        "/var/lib/postgresql/data": Folder(70, 70, 0o1777),
        "/run/postgresql": Folder(70, 70, 0o3777),
    },
    command=["postgres"],
    user="70:70",
)
"""As its makers have it."""


def variables(file: Path) -> dict[str, str]:
    """Return what an .env says."""
    values = {}
    for line in file.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            values[name] = value.strip('"')
    return values


def project(folder: Path) -> dict[str, Any]:
    """Return the compose file with the services of the profiles that `.env` names.

    Its variables are filled in, and an override is added to services.
    """
    values = variables(folder / ".env")
    active = set(values.get("COMPOSE_PROFILES", "").split(","))
    composed = _filled(yaml.safe_load((folder / "compose.yaml").read_text()), values)
    override = folder / "compose.override.yaml"
    if override.exists():
        for name, service in yaml.safe_load(override.read_text())["services"].items():
            composed["services"][name]["environment"] |= service["environment"]
    composed["services"] = {
        name: service
        for name, service in composed["services"].items()
        if active.intersection(service.get("profiles", active))
    }
    assert isinstance(composed, dict)
    return composed


def in_order(services: dict[str, Any]) -> list[str]:
    """Return the names of services, each behind those that it depends on."""
    order: list[str] = []

    def put(name: str) -> None:
        for other in services[name].get("depends_on", {}):
            put(other)
        if name not in order:
            order.append(name)

    for name in services:
        put(name)
    return order


def mounts(service: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the volumes of a service, all in the long form."""
    long = []
    for volume in service.get("volumes", ()):
        if isinstance(volume, dict):
            long.append(volume)
        else:
            source, target, *mode = volume.split(":")
            long.append({"source": source, "target": target, "read_only": mode == ["ro"]})
    return long


def image(dockerfile: Path, target: str) -> Image:
    """Return what a stage of a Dockerfile adds."""
    written = dockerfile.read_text().replace("\\\n", " ")
    stages = re.split(r"^FROM ", written, flags=re.MULTILINE)
    stage = next(each for each in stages if each.partition("\n")[0].endswith(f" AS {target}"))
    folders = {
        path: Folder(int(user), int(group), int(mode, 8))
        for user, group, mode, paths in _INSTALLED.findall(stage)
        for path in paths.split()
    }
    command = re.search(r"^CMD (\[.*\])$", stage, re.MULTILINE)
    user = re.search(r"^USER (\S+)$", stage, re.MULTILINE)
    assert user
    return Image(
        copies=re.findall(r"^COPY ([^-\s]\S*) (\S+)$", stage, re.MULTILINE),
        folders=folders,
        command=yaml.safe_load(command[1]) if command else _CADDY,
        user=user[1],
    )


def _filled(value: Any, values: dict[str, str]) -> Any:
    match value:
        case dict():
            return {key: _filled(each, values) for key, each in value.items()}
        case list():
            return [_filled(each, values) for each in value]
        case str():
            return _VARIABLE.sub(lambda match: _value(match, values), value)
    return value


def _value(match: re.Match[str], values: dict[str, str]) -> str:
    name, how, word = match.groups()
    if value := values.get(name):
        return str(word) if how == "+" else value
    if how == "+":
        return ""
    if how == "-":
        return str(word)
    raise KeyError(f"{name}: {word}")
