"""Puts a host together: its homes, the component that speaks for them, and its pages."""

from contextlib import closing
from functools import partial
import sqlite3

from consometers_node.cli.core import control_socket
from consometers_node.cli.core.control_socket import Status
from consometers_node.cli.core.errors import CliError, system_reason
from consometers_node.cli.core.options import Ours
from consometers_node.cli.host import command
from consometers_node.cli.host.command import HostSession
from consometers_node.host.homes.hosting import HostedHomes
from consometers_node.host.homes.register import HomeRegister, OtherVersion
from consometers_node.host.settings import ComponentSettings, HostSettings
from consometers_node.household.node import HouseholdPace
from consometers_node.i18n.protocol import OurWords, sentence
from consometers_node.i18n.text import printed, text
from consometers_quoalise_network import Identity, Transport
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_xmpp import Component
from consometers_quoalise_xmpp.proof import Proof

from .running import PAGES_LISTEN, listen, log, until_stopped, version

_HOMES = "homes"
_UNREADABLE = text("The secret of the component cannot be read from {file}: {why}.")
_EMPTY = text("{file} is empty: write the secret of the component of {domain} into it.")
_OTHER_VERSION = text("The register of homes is of another version of this program: update it.")
_DAMAGED = text("The register of homes cannot be used: restore it from a backup.")


def run(common: Ours, log_level: str, haste: float) -> None:
    """Run a host until SIGTERM or Ctrl-C."""
    log(log_level, common.output.language)
    settings = command.settings_of(common)
    secret = _secret(settings.component, settings.domain)
    command.run(common, lambda session: _run(session, secret, haste))


async def _run(session: HostSession, secret: str, haste: float) -> None:
    """Put everything together, and run it."""
    # Commands never load the pages.
    from consometers_node.web.core.listening import listening  # noqa: PLC0415
    from consometers_node.web.host.page_base import services_of  # noqa: PLC0415
    from consometers_node.web.host.routes import application  # noqa: PLC0415

    settings = session.settings

    def connect(who: Identity) -> Transport:
        return component.transport(who.account.jid, speak=OurWords)

    with closing(_register(settings)) as register:
        homes = HostedHomes(
            register, connect, settings.language, pace=HouseholdPace().shortened(haste)
        )
        at = settings.component
        component = Component(
            settings.domain,
            secret,
            at.host,
            at.port,
            unclaimed=homes.unclaimed,
            knows=homes.knows,
            proof=Proof(at.proof, at.proof_server),
            language=settings.language,
            speak=OurWords,
            backoff=Backoff().shortened(haste),
        )
        app = application(services_of(session.store, settings, homes, version()))
        page = settings.page
        served = partial(listening, app, proxies=page.proxies)
        async with (
            component,
            homes,
            control_socket.listening(
                settings.folder,
                lambda: None,
                lambda language: _status(component, language),
            ),
        ):
            await until_stopped([homes.run(), listen(PAGES_LISTEN, served, page.host, page.port)])


def _register(settings: HostSettings) -> HomeRegister:
    """Open the register of homes, or make it. Raises `CliError`."""
    folder = settings.folder / _HOMES
    try:
        return HomeRegister.open(folder)
    except OtherVersion:
        raise CliError("other-version", _OTHER_VERSION) from None
    except sqlite3.Error:
        raise CliError("damaged", _DAMAGED) from None


def _secret(component: ComponentSettings, domain: str) -> str:
    """Read the secret that the server has for the component. Raises `CliError`."""
    file = component.secret_file
    try:
        secret = file.read_text().strip()
    except (OSError, UnicodeError) as fault:
        why = system_reason(fault) if isinstance(fault, OSError) else "UTF-8"
        raise CliError("no-secret", _UNREADABLE.fill(file=file, why=why)) from None
    if not secret:
        raise CliError("no-secret", _EMPTY.fill(file=file, domain=domain))
    return secret


def _status(component: Component, language: str) -> Status:
    """Return the status of the host: that of its component."""
    problem = component.problem
    return {
        "account": component.jid,
        "online": component.is_online,
        "network": None if problem is None else printed(sentence(problem), language),
        "clock": None,
        "database": None,
        "home_assistant": None,
        "peers": {},
    }
