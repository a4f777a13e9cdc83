"""Refuses variables of the environment that have the node's prefix, and that nothing reads."""

from collections.abc import Mapping
import os
from typing import Final

from consometers_node.i18n.text import text

from .errors import CliError

PREFIX: Final = "CONSOMETERS_"
SETTINGS: Final = f"{PREFIX}SETTINGS"
"""The variable that names the settings of a collective or a host."""
NAMES: Final = frozenset(
    f"{PREFIX}{name}"
    for name in (
        *("CA_FILE", "DATA", "DATABASE", "DOMAIN", "HASTE", "HOME_TOKEN", "HOME_URL"),
        "IDENTIFIER",
        *("INGRESS", "PASSWORD", "ROLE", "SERVER", "SETTINGS", "SMTP_PASSWORD", "SUPERVISOR"),
    )
)
"""Variables that commands read. Every key of a settings file has one too."""

_UNKNOWN = text("Unknown environment variable {name}: see the list in the node’s documentation.")
_NEARLY = text("Unknown environment variable {name}. Did you mean {near}?")


def check(environment: Mapping[str, str] = os.environ) -> None:
    """Raise `CliError` for an unknown variable of the prefix, such as a mistyped one."""
    unknown = {name for name in environment if name.startswith(PREFIX)} - NAMES
    if not unknown:
        return
    # They take memory that a household can do without.
    from difflib import get_close_matches  # noqa: PLC0415

    from consometers_node.collective import settings as of_collective  # noqa: PLC0415
    from consometers_node.host import settings as of_host  # noqa: PLC0415

    keys = *of_collective.KEYS.values(), *of_host.KEYS.values()
    names = NAMES | {key.variable for key in keys}
    for name in sorted(unknown - names):
        near = get_close_matches(name, names, 1)
        words = _NEARLY.fill(name=name, near=near[0]) if near else _UNKNOWN.fill(name=name)
        raise CliError("settings", words)
