"""Reading the settings of a collective or a host for a command."""

from collections.abc import Callable
from pathlib import Path

from consometers_node.i18n.text import text
from consometers_node.settings_file.file import BadSettings

from .errors import CliError
from .options import Ours
from .paths import Role, settings_file

_NO_SETTINGS = {
    Role.COLLECTIVE: text("There is no {file}: “consometers-node init” writes it."),
    Role.HOST: text("There is no {file}: “consometers-node init --role host” writes it."),
}


def read_settings[S](role: Role, common: Ours, read: Callable[[Path], S]) -> S:
    """Read the settings of a role that has some, from its file. Raises `CliError`."""
    file = settings_file(role, common.data, common.settings)
    try:
        return read(file)
    except BadSettings as fault:
        missing = not file.exists()
        words = _NO_SETTINGS[role].fill(file=file) if missing else fault.text
        raise CliError("no-settings" if missing else "settings", words) from None
