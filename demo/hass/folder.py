"""The folder of a slim Home Assistant: what it loads, where it is, who reaches it."""

from collections.abc import Mapping
import json
from pathlib import Path
import socket
from typing import Any, Final, Literal

type Language = Literal["en", "fr"]

ROOT: Final = Path(__file__).parents[2]

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

# The school of Kersabiec stands in Lorient.
_HOME: Final = {
    "location_name": "Kersabiec",
    "latitude": 47.75,
    "longitude": -3.37,
    "elevation": 20,
    "radius": 100,
    "unit_system_v2": "metric",
    "time_zone": "Europe/Paris",
    "country": "FR",
    "currency": "EUR",
    "external_url": None,
    "internal_url": None,
}


def make_folder(folder: Path, *, port: int, language: Language, level: str = "info") -> None:
    """Write what Home Assistant needs to start there; keep all that it wrote itself."""
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.yaml").write_text(_CONFIGURATION.format(level=level))
    ours = folder / "custom_components"
    ours.unlink(missing_ok=True)
    ours.symlink_to(ROOT / "custom_components", target_is_directory=True)
    _write(
        storage / "http",
        3,
        1,
        {"stable": _http(port), "pending": None, "yaml_migration_done": True},
    )
    if not (storage / "onboarding").exists():
        # The step `core_config` would add integrations that call out.
        _write(storage / "onboarding", 4, 1, {"done": ["core_config", "analytics", "integration"]})
    if not (storage / "core.config").exists():
        _write(storage / "core.config", 1, 4, {**_HOME, "language": language})


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


def _http(port: int) -> dict[str, Any]:
    return {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": "2026-01-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }


def _write(path: Path, version: int, minor_version: int, data: Mapping[str, Any]) -> None:
    content = {"version": version, "minor_version": minor_version, "key": path.name, "data": data}
    path.write_text(json.dumps(content, indent=2))
