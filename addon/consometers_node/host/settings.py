"""The settings of a host: each once, with its key, type, default and what it is for.

    name = "Foyers de Kersabiec"
    domain = "foyers.example"
    [operator]
    name = "Énergies de Kersabiec"
    …

`settings_file` says how they are declared, read and written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import os
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from consometers_node.i18n.text import text
from consometers_node.settings_file.file import SettingsFile
from consometers_node.settings_file.formats import (
    DatabaseUrl,
    Domain,
    File,
    Host,
    LanguageTag,
    Port,
    WebPage,
    Words,
    YesNo,
    Zone,
    whole_number,
)
from consometers_node.settings_file.page_address import PageAddress
from consometers_node.settings_file.schema import Name, fill, keys_of
from consometers_quoalise_network import Security, Server

from .accounts.terms import Operator

_TIME_ZONE = ZoneInfo("Europe/Paris")
_DATABASE = "node.db"

Spaces = Annotated[
    int, whole_number(range(1, 100_001), text("write a number of spaces, from 1 to 100000."))
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentSettings:
    """The component of an XMPP server (XEP-0114) that speaks for the homes of the domain.

    Its handshake proves nothing of the server, whose certificate for `proof` is verified beside
    it, on the port for clients.
    """

    host: Annotated[
        Host,
        text(
            "The address of the XMPP server. Its line to this node is not encrypted: it must stay"
            " on this machine, or on an inner network."
        ),
    ] = "127.0.0.1"
    port: Annotated[Port, text("Its port for components.")] = 5347
    secret_file: Annotated[
        File, text("A file with the secret that the server has for the component of the domain.")
    ]
    proof: Annotated[
        Domain,
        text(
            "A domain for which the server has accounts and a certificate. With each connection,"
            " the node verifies this certificate by its clock: until then, nothing expires and"
            " nothing is erased because of its age."
        ),
    ]
    proof_port: Annotated[
        Port, text("The server’s port for clients, where it shows this certificate (STARTTLS).")
    ] = 5222
    ca_file: Annotated[File | None, text("The certificate authority of a private server.")] = None

    @property
    def proof_server(self) -> Server:
        """The same server, as its clients reach it."""
        return Server(
            host=self.host,
            port=self.proof_port,
            security=Security.STARTTLS,
            ca_file=self.ca_file,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings(PageAddress):
    """Where the pages are served, and their address for people."""

    url: Annotated[
        WebPage, text("The address of the pages for people, with which invitations begin.")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """Who runs a host, and for how many households. `database` is a URL, or a file.

    `domain` has the addresses of homes. Without `is_open`, a space takes an invitation.
    """

    name: Annotated[Words, text("The name of this host, on its pages.")]
    domain: Annotated[
        Domain,
        text(
            "The domain of the homes’ addresses, that of a component of an XMPP server; it never"
            " changes."
        ),
    ]
    folder: Annotated[File, Name("data"), text("The folder of the node.")] = Path()
    database: Annotated[DatabaseUrl | Path, text("PostgreSQL instead of SQLite.")] = field(
        default="", repr=False
    )
    language: Annotated[
        LanguageTag, text("The language of pages and homes whose household has chosen none.")
    ] = "fr"
    time_zone: Annotated[Zone, text("The zone in which days and months begin.")] = _TIME_ZONE
    is_open: Annotated[
        YesNo, text("Let anybody create a space. Otherwise, each space takes an invitation.")
    ] = False
    most_spaces: Annotated[Spaces, text("How many spaces there may be.")] = 1000
    operator: Operator
    component: ComponentSettings
    page: PageSettings


KEYS = {key.name: key for key in keys_of(HostSettings)}
"""The keys of the file, in its order."""
FILE = SettingsFile(KEYS)


def read(
    file: Path, environment: Mapping[str, str] = os.environ, data: Path | None = None
) -> HostSettings:
    """Read the settings; without a file, the environment must have all. Raises BadSettings.

    Paths in the file are seen from its folder. `data` is the node's folder, if it was chosen.
    """
    values = FILE.read(file, environment).values
    folder = data or values.get("data", file.parent)
    return fill(HostSettings, {"database": folder / _DATABASE, **values, "data": folder})
