"""Where tests put nodes: on a server, on a component of one, or on a network in memory."""

from dataclasses import dataclass
from pathlib import Path

from consometers_node.i18n.protocol import OurWords
from consometers_quoalise_network import Account, Identity, Security, Server, Transport
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_network.loopback import Loopback
from consometers_quoalise_xmpp import Component, XmppTransport
from demo.servers.prosody import LOOPBACK
from testing.xmpp.plain_peer import Reachable

PASSWORD = "correct horse battery staple"
QUICK = Backoff(first_seconds=0.05, most_seconds=0.4)


@dataclass(frozen=True, slots=True)
class Memory:
    """The accounts of one domain of a network in memory."""

    name: str
    network: Loopback


@dataclass(frozen=True, slots=True)
class Hosted:
    """The addresses of a component."""

    component: Component

    @property
    def name(self) -> str:
        return self.component.jid


type Host = Reachable | Memory | Hosted


def in_memory() -> tuple[Memory, Memory]:
    """Return two domains of one network."""
    network = Loopback()
    return Memory("one.test", network), Memory("two.test", network)


def reach(server: Reachable, ca_file: Path | None = None) -> Server:
    return Server(
        host=LOOPBACK,
        port=server.port,
        security=Security.STARTTLS,
        ca_file=ca_file or server.ca_file,
    )


def identity(host: Host, jid: str, password: str = PASSWORD) -> Identity:
    """Return an account as a node stores it."""
    server = Server() if isinstance(host, Memory | Hosted) else reach(host)
    return Identity(Account(jid, password), server)


def transport(host: Host, jid: str, *, password: str = PASSWORD, language: str = "en") -> Transport:
    """Return a transport with little patience, which is not entered yet."""
    if isinstance(host, Memory):
        return host.network.transport(jid, language=language, speak=OurWords)
    if isinstance(host, Hosted):
        return host.component.transport(jid, language=language)
    who = identity(host, jid, password)
    return XmppTransport(
        who.account, server=who.server, language=language, backoff=QUICK, speak=OurWords
    )
