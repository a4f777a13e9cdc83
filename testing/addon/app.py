"""What our app's config.yaml may hold: "App configuration" in Home Assistant's documentation.

Of the documented keys here are those that we write, or whose default we count on.
"""

import re
from typing import Any

import probatio as vol

_OPTION = re.compile(r"(str|int|float|bool|email|url|password|port)\??|(match|list)\([^)]*\)\??")
_VERSION = vol.Match(r"^\d+\.\d+\.\d+$")
_LEAST = {"name": "", "version": "0.0.0", "slug": "a", "description": "", "arch": []}

CONFIG = vol.Schema(
    {
        vol.Required("name"): str,
        vol.Required("version"): _VERSION,
        vol.Required("slug"): vol.Match(r"^[-_.A-Za-z0-9]+$"),
        vol.Required("description"): str,
        vol.Required("arch"): vol.All([vol.In(("aarch64", "amd64"))], vol.Unique()),
        vol.Optional("url"): vol.Url(),
        vol.Optional("homeassistant"): _VERSION,
        vol.Optional("options"): dict,
        vol.Optional("schema"): vol.Any(False, {str: vol.Match(f"^({_OPTION.pattern})$")}),
        vol.Optional("image"): vol.Match(r"^[a-z0-9.]+(/[-_.a-z0-9{}]+)+$"),
        vol.Optional("discovery"): [str],
        vol.Optional("ingress_port", default=8099): vol.All(int, vol.Range(min=0, max=65535)),
        vol.Optional("panel_icon", default="mdi:puzzle"): vol.Match(r"^mdi:[-a-z0-9]+$"),
        vol.Optional("panel_title"): str,
        vol.Optional("panel_admin", default=True): bool,
        vol.Optional("backup_pre"): str,
        vol.Optional("backup_exclude"): [str],
        vol.Optional("stage", default="stable"): vol.In(("stable", "experimental", "deprecated")),
        vol.Optional("init", default=True): bool,
        vol.Optional("homeassistant_api", default=False): bool,
        vol.Optional("ingress", default=False): bool,
    }
)
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
