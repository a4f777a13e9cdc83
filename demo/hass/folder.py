"""The folder of a slim Home Assistant: its integrations, location and network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import json
import os
from pathlib import Path
import random
import shutil
import socket
from typing import Any, Final, Literal

type Language = Literal["en", "fr"]

ROOT: Final = Path(__file__).parents[2]
INTEGRATIONS: Final = ROOT / "custom_components"
LIBRARIES: Final = (ROOT / "packages/quoalise/src", ROOT / "packages/tic/src")
PATHS: Final = os.pathsep.join(map(str, (ROOT, ROOT / "addon", *LIBRARIES)))
"""Where programs of this checkout find its packages."""

# No `default_config:`, which calls out. No `http:`, which is migrated once, and then reverts and
# restarts after five minutes: `.storage/http` says it instead. `commit_interval` lets one read at
# once what one has caused.
_CONFIGURATION: Final = """\
frontend:
config:
recorder:
  commit_interval: 1
history:
logbook:
energy:
usb:
diagnostics:
repairs:
system_health:
logger:
  default: warning
  logs:
    custom_components.consometers: {level}
"""
_SUPERVISED: Final = """\
supervised:
  by: {host}
"""

TIME_ZONE: Final = "Europe/Paris"

# Below those that a system takes for connections, and gives to those that ask for any. A Zabbix
# server takes none above 32767.
_PORTS: Final = range(20_000, 32_000)
_CHANCE: Final = random.SystemRandom()
_reservations: dict[int, socket.socket] = {}

# The school of Kersabiec stands in Lorient.
_HOME: Final = {
    "location_name": "Kersabiec",
    "latitude": 47.75,
    "longitude": -3.37,
    "elevation": 20,
    "radius": 100,
    "unit_system_v2": "metric",
    "time_zone": TIME_ZONE,
    "country": "FR",
    "currency": "EUR",
    "external_url": None,
    "internal_url": None,
}


@dataclass(frozen=True, kw_only=True)
class Supervised:
    """The Supervisor of a Home Assistant: its address and token."""

    host: str
    token: str


def make_folder(
    folder: Path,
    *,
    port: int,
    language: Language,
    level: str = "info",
    supervised: Supervised | None = None,
    integrations: Path = INTEGRATIONS,
) -> None:
    """Write Home Assistant's initial files; keep all that it wrote itself."""
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    configuration = _CONFIGURATION.format(level=level)
    ours = list(integrations.glob("[!_]*"))
    if supervised is not None:
        configuration += _SUPERVISED.format(host=supervised.host)
        ours.append(Path(__file__).with_name("supervised"))
    (folder / "configuration.yaml").write_text(configuration)
    _link(folder / "custom_components", ours)
    # A newer one migrates it, and an older one refuses what is newer.
    _write(
        storage / "http",
        2,
        2,
        {"stable": _http(port), "pending": None, "yaml_migration_done": True},
    )
    if not (storage / "onboarding").exists():
        # The step `core_config` would add integrations that call out.
        _write(storage / "onboarding", 4, 1, {"done": ["core_config", "analytics", "integration"]})
    if not (storage / "core.config").exists():
        _write(storage / "core.config", 1, 4, {**_HOME, "language": language})


def free_port(usual: int = 0) -> int:
    """A TCP port of the loopback interface that nobody listens on: the usual one, if it is free.

    It is reserved for as long as this process lives: no other call returns it, here or in another
    program, however long before its use. A call for the usual one may return it again here.
    """
    if usual and (usual in _reservations or _reserve(usual)) and _is_free(usual):
        return usual
    while True:
        port = _CHANCE.choice(_PORTS)
        if port not in _reservations and _is_free(port) and _reserve(port):
            return port


def _reserve(port: int) -> bool:
    """Reserve it by a name that the kernel forgets with the process; return whether it was free."""
    reservation = socket.socket(socket.AF_UNIX)
    try:
        reservation.bind(f"\0consometers-port-{port}")
    except OSError:
        reservation.close()
        return False
    _reservations[port] = reservation
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _link(folder: Path, integrations: Sequence[Path]) -> None:
    if folder.is_symlink():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # Without it, the package of that name in the checkout would be found first.
    (folder / "__init__.py").touch()
    for integration in integrations:
        (folder / integration.name).symlink_to(integration, target_is_directory=True)


def _http(port: int) -> dict[str, Any]:
    return {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "intermediate",
        "use_x_frame_options": True,
        "created_at": "2026-01-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }


def _write(path: Path, version: int, minor_version: int, data: Mapping[str, Any]) -> None:
    content = {"version": version, "minor_version": minor_version, "key": path.name, "data": data}
    path.write_text(json.dumps(content, indent=2))
