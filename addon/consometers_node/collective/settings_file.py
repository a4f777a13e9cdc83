"""The settings of a collective as written: `settings` declares them.

name = "Énergies de Kersabiec"
identifier = "kersabiec"
[xmpp]
account = "collectif@kersabiec.example"
"""

from collections.abc import Mapping
from dataclasses import replace
import os
from pathlib import Path

from consometers_node.i18n.text import text
from consometers_node.settings_file.file import SettingsFile
from consometers_node.settings_file.schema import fill, keys_of

from .settings import KEYS, MailSettings, Settings
from .settings_formats import SmtpSecurity

_DATABASE = "node.db"
SMTP_PASSWORD = "CONSOMETERS_SMTP_PASSWORD"  # noqa: S105  # the name of a variable
FILE = SettingsFile(KEYS, whole=keys_of(MailSettings, "alerts."))

_IN_CLEAR = text(
    "“alerts.smtp_security”: with “none”, the password would be sent in clear. Choose “starttls”"
    " or “tls”, or remove alerts.smtp_user."
)
_OWN_WITNESS = text(
    "“witness.for”: a collective cannot be its own witness. Name other collectives."
)


def read(
    file: Path, environment: Mapping[str, str] = os.environ, data: Path | None = None
) -> Settings:
    """Read the settings; without a file, the environment must have all. Raises BadSettings.

    Paths in the file are seen from its folder. `data` is the node's folder, if it was chosen.
    """
    written = FILE.read(file, environment)
    values = written.values
    if values.get("alerts.smtp_security") is SmtpSecurity.NONE and "alerts.smtp_user" in values:
        raise written.refusal(_IN_CLEAR, "alerts.smtp_security")
    if values["xmpp.account"] in values.get("witness.for", ()):
        raise written.refusal(_OWN_WITNESS, "witness.for")
    folder = data or values.get("data", file.parent)
    settings = fill(Settings, {"database": folder / _DATABASE, **values, "data": folder})
    if settings.mail is None:
        return settings
    password = environment.get(SMTP_PASSWORD)
    return replace(settings, mail=replace(settings.mail, smtp_password=password))
