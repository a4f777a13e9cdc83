"""The settings of a collective: each once, with its key, type, default and what it is for.

`settings_schema` says how they are declared, `settings_file` reads and writes them.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from consometers_node.i18n.text import text
from consometers_node.settings_file.formats import (
    Address,
    Addresses,
    Command,
    DatabaseUrl,
    Days,
    Encryption,
    File,
    Files,
    Host,
    HostNames,
    MailAddress,
    MailAddresses,
    Port,
    WebhookUrl,
    Words,
    YesNo,
    Zone,
)
from consometers_node.settings_file.page_address import PageAddress
from consometers_node.settings_file.schema import Name, Via, keys_of
from consometers_quoalise import Device
from consometers_quoalise.records.identifier import organisation
from consometers_quoalise_network import Security, Server

from .about import About
from .disclosure.sdc_rules import DEFAULT_MINIMUM, Publication
from .settings_formats import (
    Basis,
    Homes,
    Identifier,
    LongestWait,
    Publishing,
    SmtpEncryption,
    SmtpSecurity,
    Step,
    Wait,
)

_TIME_ZONE = ZoneInfo("Europe/Paris")
_USUAL = Publication()


@dataclass(frozen=True, slots=True, kw_only=True)
class Xmpp:
    """The account of this collective, and its server where DNS does not name it.

    `account_command` makes an invitation to an account of the collective's own server, and prints
    its link; `account_removal_command` removes the one whose address it is given. Without a file
    with the password, the one that `login` kept is used.
    """

    account: Annotated[Address, text("The account of the node.")]
    host: Annotated[Host | None, text("The address of its server, if DNS does not give it.")] = None
    port: Annotated[Port | None, text("Its port.")] = None
    security: Annotated[Encryption, text("The encryption mode.")] = Security.EITHER
    ca_file: Annotated[File | None, text("The certificate authority of a private server.")] = None
    password_file: Annotated[
        File | None,
        text("A file with its password, instead of the password saved by “login”."),
    ] = None
    account_command: Annotated[
        Command,
        text(
            "Creates an invitation to an account on the collective’s own server, for members who"
            " have none."
        ),
    ] = ()
    account_removal_command: Annotated[
        Command,
        text(
            "Removes an account from the collective’s own server, once its member is erased; it"
            " takes the address of the account as its last argument."
        ),
    ] = ()

    @property
    def server(self) -> Server:
        """The server, as a connection needs it."""
        return Server(host=self.host, port=self.port, security=self.security, ca_file=self.ca_file)

    def removes(self, address: str) -> bool:
        """Return whether an account can be removed: it is on the collective's own server."""
        domain = self.account.rpartition("@")[2]
        return bool(self.account_removal_command) and address.endswith(f"@{domain}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings(PageAddress):
    """Where the pages are served, and under which `names`."""

    names: Annotated[
        HostNames,
        text(
            "The host names that browsers use for the pages, and Prometheus for the metrics."
            " Requests under any other name are refused, so that no other site can read the"
            " pages through a visitor’s browser. Addresses and names of a local network are"
            " always accepted."
        ),
    ] = ()
    outlines: Annotated[
        File | None,
        text(
            "A GeoJSON file with the outlines of communes: the first page then has a map of those"
            " in which members are. The node draws it; nothing is loaded from elsewhere."
        ),
    ] = None
    outlines_source: Annotated[
        Words | None, text("The source of these outlines, which the page names.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationSettings:
    """How sums are published, as it is written; `rules` are what it means."""

    basis: Annotated[
        Publishing,
        text(
            "The basis for publishing sums: the members’ agreement, or the thresholds of the law."
        ),
    ] = Basis.AGREED
    minimum: Annotated[
        Homes, text("Minimum number of homes in a published sum, if members agreed.")
    ] = DEFAULT_MINIMUM
    interval: Annotated[Step, text("The resolution of published sums, in addition to days.")] = (
        _USUAL.interval
    )
    wait: Annotated[
        Wait, Name("wait_minutes"), text("An interval closes after this time without new data.")
    ] = _USUAL.wait
    longest_wait: Annotated[
        LongestWait,
        Name("longest_wait_minutes"),
        text("Latest closing after the end of an interval (at most 48 hours)."),
    ] = _USUAL.longest_wait

    @classmethod
    def of(cls, rules: Publication) -> PublicationSettings:
        """Return how rules are written."""
        return cls(
            basis=Basis.LAW if rules.minimum is None else Basis.AGREED,
            minimum=rules.minimum or DEFAULT_MINIMUM,
            interval=rules.interval,
            wait=rules.wait,
            longest_wait=rules.longest_wait,
        )

    def rules(self) -> Publication:
        """Return the rules of publication."""
        return replace(
            _USUAL,
            minimum=None if self.basis is Basis.LAW else self.minimum,
            interval=self.interval,
            wait=self.wait,
            longest_wait=max(self.wait, self.longest_wait),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Where `/metrics` is served, beside the pages."""

    host: Annotated[Host, text("The address for Prometheus.")] = "127.0.0.1"
    port: Annotated[Port, text("Its port; without it, no service listens.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The recipients of alerts by e-mail, and the mail server."""

    mail_to: Annotated[
        MailAddresses,
        text("Who receives an e-mail when a problem begins, and when it is over."),
    ]
    mail_from: Annotated[
        MailAddress | None,
        text("The sender of these e-mails. By default, the first who receives them."),
    ] = None
    smtp_host: Annotated[Host, text("The mail server that sends them.")]
    smtp_port: Annotated[
        Port | None, text("Its port. By default 587, 465 with “tls”, 25 with “none”.")
    ] = None
    smtp_security: Annotated[
        SmtpEncryption,
        text("The encryption mode of the mail server; “none” is for one on this machine."),
    ] = SmtpSecurity.STARTTLS
    smtp_user: Annotated[Words | None, text("The user name at the mail server.")] = None
    smtp_password_file: Annotated[
        File | None,
        text("A file with its password, instead of the variable CONSOMETERS_SMTP_PASSWORD."),
    ] = None
    smtp_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings, read before the database is opened. `database` is a URL, or a file."""

    name: Annotated[Words, text("The name of this collective.")]
    identifier: Annotated[
        Identifier,
        text("The identifier of its sums in the federation; it never changes."),
    ]
    folder: Annotated[File, Name("data"), text("The folder of the node.")] = Path()
    database: Annotated[DatabaseUrl | Path, text("PostgreSQL instead of SQLite.")] = field(
        default="", repr=False
    )
    location: Annotated[
        Words | None,
        text(
            "The location of the data, for the privacy notice: the place, and the owner of the"
            " machine."
        ),
    ] = None
    time_zone: Annotated[Zone, text("The zone in which days and months begin.")] = _TIME_ZONE
    needs: Annotated[Files, text("Its data requests, created when the node starts.")] = ()
    xmpp: Xmpp
    page: PageSettings = field(default_factory=PageSettings)
    publication: Annotated[Publication, Via(PublicationSettings, PublicationSettings.rules)] = (
        _USUAL
    )
    tells_members: Annotated[
        YesNo,
        Name("publication.members"),
        text("Let each member read the sums of all, in its own Home Assistant."),
    ] = True
    witness_for: Annotated[
        Addresses,
        Name("witness.for"),
        text(
            "The collectives whose protected sums this node opens, as their witness. It holds the"
            " keys of their members’ homes, and no values."
        ),
    ] = ()
    mail: Annotated[MailSettings | None, Name("alerts")] = None
    webhook: Annotated[
        WebhookUrl | None,
        Name("alerts.webhook"),
        text("An address to which the same messages are posted as JSON."),
    ] = field(default=None, repr=False)
    backups_kept_days: Annotated[
        Days | None,
        Name("backups.kept_days"),
        text("For how many days backups are kept, for the data policy."),
    ] = None
    about: About = field(default_factory=About)
    metrics: MetricsSettings | None = None

    @property
    def device(self) -> Device:
        """The device of the sums of all members."""
        return organisation(self.identifier)


KEYS = {key.name: key for key in keys_of(Settings)}
"""The keys of the file, in its order."""
