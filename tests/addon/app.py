"""What an app's config.yaml may hold: "App configuration" in Home Assistant's documentation."""

import re
from typing import Any

import probatio as vol

_OPTION = re.compile(
    r"(str|int|float)(\([^)]*\))?\??|(bool|email|url|password|port)\??"
    r"|(match|list|device)\([^)]*\)\??|device\??"
)
_VERSION = vol.Match(r"^\d+\.\d+\.\d+$")
_ROLES = ("default", "homeassistant", "backup", "manager", "admin")
_FOLDERS = [
    "homeassistant_config",
    "app_config",
    "all_app_configs",
    "local_apps",
    "ssl",
    "backup",
    "share",
    "media",
    "data",
]
_OFF = [
    "host_network",
    "host_ipc",
    "host_dbus",
    "host_pid",
    "host_uts",
    "hassio_api",
    "homeassistant_api",
    "docker_api",
    "full_access",
    "audio",
    "video",
    "gpio",
    "usb",
    "uart",
    "udev",
    "devicetree",
    "kernel_modules",
    "stdin",
    "legacy",
    "tmpfs",
    "auth_api",
    "ingress",
    "ingress_stream",
    "realtime",
    "journald",
]

CONFIG = vol.Schema(
    {
        vol.Required("name"): str,
        vol.Required("version"): _VERSION,
        vol.Required("slug"): vol.Match(r"^[-_.A-Za-z0-9]+$"),
        vol.Required("description"): str,
        vol.Required("arch"): vol.All([vol.In(("aarch64", "amd64"))], vol.Unique()),
        vol.Optional("machine"): [str],
        vol.Optional("url"): vol.Url(),
        vol.Optional("startup", default="application"): vol.In(
            ("initialize", "system", "services", "application", "once")
        ),
        vol.Optional("webui"): str,
        vol.Optional("boot", default="auto"): vol.In(("auto", "manual", "manual_only")),
        vol.Optional("ports"): {vol.Match(r"^\d+/(tcp|udp)$"): vol.Any(int, None)},
        vol.Optional("ports_description"): {str: str},
        vol.Optional("devices"): [str],
        vol.Optional("homeassistant"): _VERSION,
        vol.Optional("hassio_role", default="default"): vol.In(_ROLES),
        vol.Optional("privileged"): [vol.Match(r"^[A-Z_]+$")],
        vol.Optional("apparmor", default=True): vol.Any(bool, str),
        vol.Optional("map"): [
            {
                vol.Required("type"): vol.In(_FOLDERS),
                vol.Optional("read_only", default=True): bool,
                vol.Optional("path"): str,
            }
        ],
        vol.Optional("environment"): {str: str},
        vol.Optional("options"): dict,
        vol.Optional("schema"): vol.Any(False, {str: vol.Match(f"^({_OPTION.pattern})$")}),
        vol.Optional("image"): vol.Match(r"^[a-z0-9.]+(/[-_.a-z0-9{}]+)+$"),
        vol.Optional("timeout", default=10): vol.All(int, vol.Range(min=10, max=300)),
        vol.Optional("discovery"): [str],
        vol.Optional("services"): [vol.Match(r"^(mqtt|mysql):(provide|want|need)$")],
        vol.Optional("ingress_port", default=8099): vol.All(int, vol.Range(min=0, max=65535)),
        vol.Optional("ingress_entry", default="/"): str,
        vol.Optional("panel_icon", default="mdi:puzzle"): vol.Match(r"^mdi:[-a-z0-9]+$"),
        vol.Optional("panel_title"): str,
        vol.Optional("panel_admin", default=True): bool,
        vol.Optional("backup", default="hot"): vol.In(("hot", "cold")),
        vol.Optional("backup_pre"): str,
        vol.Optional("backup_post"): str,
        vol.Optional("backup_exclude"): [str],
        vol.Optional("stage", default="stable"): vol.In(("stable", "experimental", "deprecated")),
        vol.Optional("init", default=True): bool,
        vol.Optional("breaking_versions"): [_VERSION],
        vol.Optional("ulimits"): dict,
        **{vol.Optional(key, default=False): bool for key in _OFF},
    }
)
"""Not in it: `watchdog`, for which Home Assistant's linter wants HEALTHCHECK."""

TRANSLATIONS = vol.Schema(
    {
        vol.Optional("configuration"): {
            str: {vol.Required("name"): str, vol.Required("description"): str}
        },
        vol.Optional("network"): {str: str},
    }
)
REPOSITORY = vol.Schema(
    {vol.Required("name"): str, vol.Optional("url"): vol.Url(), vol.Optional("maintainer"): str}
)


def defaults() -> dict[str, Any]:
    """Return the keys that need not be written, and what they then are."""
    return {str(key): value for key, value in CONFIG({**_LEAST}).items() if key not in _LEAST}


_LEAST = {"name": "", "version": "0.0.0", "slug": "a", "description": "", "arch": []}
