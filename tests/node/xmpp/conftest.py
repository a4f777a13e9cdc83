"""Two real servers that federate, and what speaks on them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
import ssl

import pytest
import pytest_socket

from consometers_node.i18n.protocol import OurWords
from consometers_quoalise_xmpp import (
    Account,
    Answerer,
    Answering,
    Asking,
    Connection,
    Discovery,
    Pushing,
    Receiving,
    Security,
    Server,
    Traffic,
)
from consometers_quoalise_xmpp.backoff import Backoff
from consometers_quoalise_xmpp.receiving import Handler, ReportsHandler
from demo.prosody import LOOPBACK, Authority, Prosody, federate
from tests.deadline import DEADLINE_S

from .home import Home
from .plain import Plain, Reachable

ACCOUNTS = 10
PASSWORD = "correct horse battery staple"
QUICK = Backoff(first_seconds=0.05, most_seconds=0.4)


@dataclass
class Node:
    """A node as a program puts it together."""

    connection: Connection
    asking: Asking
    pushing: Pushing
    receiving: Receiving | None = None

    @property
    def bare(self) -> str:
        return self.connection.stream.boundjid.bare


type NewAccount = Callable[[Prosody], str]


type MakeNode = Callable[..., Awaitable[Node]]
"""Of `new_node`."""
type MakePlain = Callable[..., Awaitable[Plain]]
"""Of `new_plain`."""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def servers(authority: Authority) -> Iterator[tuple[Prosody, Prosody]]:
    pytest_socket.enable_socket()
    first, second = Prosody("one.test", authority), Prosody("two.test", authority)
    federate(first, second)
    with first, second:
        yield first, second


@pytest.fixture
def server(servers: tuple[Prosody, Prosody], socket_enabled: None) -> Prosody:
    return servers[0]


@pytest.fixture
def other_server(servers: tuple[Prosody, Prosody], socket_enabled: None) -> Prosody:
    return servers[1]


@pytest.fixture
def own(authority: Authority, socket_enabled: None) -> Iterator[Prosody]:
    """A server to be killed."""
    with Prosody("own.test", authority) as server:
        yield server


@pytest.fixture(scope="session")
def new_account() -> NewAccount:
    users = count(1)
    free: dict[str, list[str]] = {}

    def make(server: Prosody) -> str:
        accounts = free.setdefault(str(server.folder), [])
        if not accounts:
            names = [f"user{next(users)}" for _ in range(ACCOUNTS)]
            accounts += server.register_all(names, PASSWORD)
        return accounts.pop()

    return make


def reach(server: Reachable, ca_file: Path | None = None) -> Server:
    return Server(
        host=LOOPBACK,
        port=server.port,
        security=Security.STARTTLS,
        ca_file=ca_file or server.ca_file,
    )


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
def new_node(stack: AsyncExitStack, new_account: NewAccount) -> MakeNode:
    async def make(
        server: Prosody,
        answerer: Answerer | None = None,
        *,
        jid: str | None = None,
        keep: Handler | None = None,
        keep_reports: ReportsHandler | None = None,
        language: str = "en",
        traffic: Traffic | None = None,
        through: Reachable | None = None,
        knows: Callable[[str], bool] = lambda _peer: True,
    ) -> Node:
        answerer = answerer or Home()
        connection = Connection(
            Account(jid or new_account(server), PASSWORD),
            server=reach(through or server),
            language=language,
            backoff=QUICK,
            speak=OurWords,
        )
        Discovery(connection, answerer.role, receives=keep is not None)
        Answering(connection, answerer, traffic, knows=knows)
        receiving = keep and Receiving(
            connection, keep, traffic, may_push=knows, keep_reports=keep_reports
        )
        node = Node(connection, Asking(connection), Pushing(connection), receiving)
        await stack.enter_async_context(connection)
        await connection.online(DEADLINE_S)
        return node

    return make


@pytest.fixture
def new_plain(stack: AsyncExitStack, new_account: NewAccount) -> MakePlain:
    async def make(
        server: Prosody, *, jid: str | None = None, language: str = "en", priority: int = 1
    ) -> Plain:
        jid = jid or new_account(server)
        plain = Plain(server, jid, PASSWORD, language=language, priority=priority)
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
