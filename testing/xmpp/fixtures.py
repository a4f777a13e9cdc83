"""Two real servers that federate, and what speaks on them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
import ssl
from typing import Any

import pytest
import pytest_socket

from consometers_node.i18n.protocol import OurWords
from consometers_quoalise_network import (
    Answerer,
    Answering,
    Asking,
    Pushing,
    Receiving,
    Security,
    Server,
    Traffic,
)
from consometers_quoalise_network.address import account_of
from consometers_quoalise_network.receiving import Handler, ReportsHandler
from consometers_quoalise_xmpp import Component, Proof, XmppTransport
from demo.servers.prosody import LOOPBACK, Authority, Prosody, federate
from testing.networks import PASSWORD, QUICK, Host, Hosted, Memory, reach, transport
from testing.run import DEADLINE_S
from testing.xmpp.answerers import MemoryHome
from testing.xmpp.plain_peer import PlainPeer, Reachable

ACCOUNTS = 10
HOMES = "homes.test"
SECRET = "a component's secret, not a home's"


@dataclass
class XmppNode:
    """A node as a program puts it together."""

    connection: XmppTransport
    asking: Asking
    pushing: Pushing
    receiving: Receiving | None = None

    @property
    def bare(self) -> str:
        return account_of(self.connection.jid)


type NewAccount = Callable[[Host], str]


type MakeNode = Callable[..., Awaitable[XmppNode]]
"""Of `new_node`."""
type MakePlain = Callable[..., Awaitable[PlainPeer]]
"""Of `new_plain`."""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def with_component(server: Prosody, other: Prosody) -> None:
    """Have a server take the component, and another one find it."""
    server.component(HOMES, SECRET)
    other.knows_at(HOMES, (LOOPBACK, server.s2s_port))


@pytest.fixture(scope="session")
def servers(authority: Authority) -> Iterator[tuple[Prosody, Prosody]]:
    pytest_socket.enable_socket()
    first, second = Prosody("one.test", authority), Prosody("two.test", authority)
    federate(first, second)
    with_component(first, second)
    with first, second:
        yield first, second


@pytest.fixture
def prosody(servers: tuple[Prosody, Prosody], socket_enabled: None) -> tuple[Prosody, Prosody]:
    """The two servers, where others of that name are in memory."""
    return servers


@pytest.fixture
def server(prosody: tuple[Prosody, Prosody]) -> Prosody:
    return prosody[0]


@pytest.fixture
def other_server(prosody: tuple[Prosody, Prosody]) -> Prosody:
    return prosody[1]


@pytest.fixture
def own(authority: Authority, socket_enabled: None) -> Iterator[Prosody]:
    """A server to be killed."""
    with Prosody("own.test", authority) as server:
        yield server


type MakeComponent = Callable[..., Component]
"""Of `new_component`."""


@pytest.fixture
def new_component(prosody: tuple[Prosody, Prosody]) -> MakeComponent:
    """Make the component of the first server, which is not entered yet."""
    server, _ = prosody

    def make(**options: Any) -> Component:
        proof = Proof(server.host, reach(server))
        place: dict[str, Any] = {"secret": SECRET, "host": LOOPBACK, "port": server.component_port}
        usual: dict[str, Any] = {"proof": proof, "backoff": QUICK, "speak": OurWords}
        return Component(HOMES, **place | usual | options)

    return make


@pytest.fixture
async def hosted(new_component: MakeComponent) -> AsyncIterator[Hosted]:
    """The addresses of a component that is online."""
    async with new_component() as component:
        await component.online(DEADLINE_S)
        yield Hosted(component)


@pytest.fixture(scope="session")
def new_account() -> NewAccount:
    users = count(1)
    free: dict[str, list[str]] = {}

    def make(server: Host) -> str:
        if isinstance(server, Memory):
            account = f"user{next(users)}@{server.name}"
            server.network.register(account)
            return account
        if isinstance(server, Hosted):
            return f"user{next(users)}@{server.name}"
        assert isinstance(server, Prosody)
        accounts = free.setdefault(str(server.folder), [])
        if not accounts:
            names = [f"user{next(users)}" for _ in range(ACCOUNTS)]
            accounts += server.register_all(names, PASSWORD)
        return accounts.pop()

    return make


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
def new_node(stack: AsyncExitStack, new_account: NewAccount) -> MakeNode:
    async def make(
        server: Host,
        answerer: Answerer | None = None,
        *,
        jid: str | None = None,
        keep: Handler | None = None,
        keep_reports: ReportsHandler | None = None,
        language: str = "en",
        traffic: Traffic | None = None,
        through: Reachable | None = None,
        knows: Callable[[str], bool] = lambda _peer: True,
    ) -> XmppNode:
        answerer = answerer or MemoryHome()
        connection: Any = transport(
            through or server, jid or new_account(server), language=language
        )
        connection.announce(answerer.role).receives = keep is not None
        Answering(connection, answerer, traffic, knows=knows)
        receiving = keep and Receiving(
            connection, keep, traffic, may_push=knows, keep_reports=keep_reports
        )
        node = XmppNode(connection, Asking(connection), Pushing(connection), receiving)
        await stack.enter_async_context(connection)
        await connection.online(DEADLINE_S)
        return node

    return make


@pytest.fixture
def new_plain(stack: AsyncExitStack, new_account: NewAccount) -> MakePlain:
    async def make(
        server: Prosody, *, jid: str | None = None, language: str = "en", priority: int = 1
    ) -> PlainPeer:
        jid = jid or new_account(server)
        plain = PlainPeer(server, jid, PASSWORD, language=language, priority=priority)
        return await stack.enter_async_context(plain)

    return make


type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def fake_server(
    serve: Serve, tls: ssl.SSLContext | None = None, ca_file: Path | None = None
) -> AsyncIterator[Server]:
    """Serve something that is no XMPP server on loopback, by TLS if a context is passed."""
    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=tls)
    async with server:
        port = server.sockets[0].getsockname()[1]
        security = Security.DIRECT if tls else Security.STARTTLS
        yield Server(host=LOOPBACK, port=port, security=security, ca_file=ca_file)


def certified(authority: Authority, name: str, folder: Path) -> ssl.SSLContext:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*authority.issue(name, folder))
    return tls
