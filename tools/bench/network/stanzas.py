"""script/bench stanzas: what the costliest stanza takes of an XMPP server as `deploy/` sets it up.

Prosody and one machine of the ejabberd cluster, both Debian's, each on a client's stream and on
another server's: the CPU seconds of the server for one stanza of the greatest size, from when it is
sent until the next one is answered, over those of an honest one of that size, with its delivery.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from demo.servers.prosody import Authority, Prosody
from testing.xmpp.ejabberd import Cluster
from tools.bench.harness.process import cpu_s

from .deployed import Deployed, Ended, Place, Wire

AT_MOST_S = 1.0
"""Of CPU, for one stanza."""
HONEST: Final = "an honest stanza"
ATTACKER: Final = "attacker.test"
_HOST: Final = "one.test"
_PASSWORD: Final = "correct horse battery staple"
_DELIVERY_S: Final = 0.2
_NAMESPACE: Final = "n" * 110
"""With a name of some letters, within the bound of names."""


def stanzas(size: int, to: str) -> dict[str, str]:
    """Return stanzas of about so many bytes, by what there is much of in them."""

    def message(begin: str, unit: str, end: str, times: int | None = None) -> str:
        before = f"<message{{sender}} to='{to}'{begin}"
        count = (size - len(before) - len(end) - 500) // len(unit) if times is None else times
        return f"{before}{unit * count}{end}</message>"

    half = "n" * (size // 2)
    records = "<senml t='1790000000' v='1234'/>"
    attributes = " ".join(f"a{n}=''" for n in range(64))
    of_namespace = " ".join(f"p:a{n}=''" for n in range(64))
    numbered = "".join(f"<a{n}/>" for n in range(size // 9))
    levels = size // 8
    return {
        HONEST: message("><quoalise xmlns='urn:quoalise:0'>", records, "</quoalise>"),
        "half a namespace": message(f"><a xmlns='{half}'>", "<b/>", "</a>"),
        "attributes of it": message(f" xmlns:p='{half}'><a>", "<b p:a=''/>", "</a>"),
        "attributes": message("><a>", f"<b {attributes}/>", "</a>"),
        "attributes of a namespace": message(
            f" xmlns:p='{_NAMESPACE}'><a>", f"<b {of_namespace}/>", "</a>"
        ),
        "a namespace": message(f"><a xmlns='{_NAMESPACE}'>", "<b/>", "</a>"),
        "children": message(">", "<b/>", ""),
        "levels": message(">", "", "<a>" * levels + "</a>" * levels, 0),
        "names": message("><a>", numbered, "</a>", 1),
        "entities": message("><body>", "&lt;", "</body>"),
    }


@dataclass(frozen=True)
class Server:
    """A server that runs, as clients and servers find it."""

    name: str
    size: int
    """The most bytes of a stanza."""
    pid: int
    client: Place
    server: Place
    accounts: tuple[str, str]


@contextmanager
def prosody(authority: Authority, folder: Path) -> Iterator[Server]:
    """Run Prosody, with two accounts."""
    with Deployed(_HOST, authority, folder / "prosody") as server:
        accounts = server.register_all(["a", "b"], _PASSWORD)
        yield Server(
            "Prosody",
            Deployed.stanza_size(),
            server.pid,
            Place(_HOST, server.port, server.ca_file),
            Place(_HOST, server.s2s_port, server.ca_file),
            (accounts[0], accounts[1]),
        )


@contextmanager
def ejabberd(authority: Authority, folder: Path) -> Iterator[Server]:
    """Run ejabberd, with two accounts."""
    nobody = Prosody("two.test", authority, folder / "other")
    machine = (cluster := Cluster(_HOST, authority, nobody, folder / "ejabberd")).machines[0]
    try:
        machine.start()
        for user in ("a", "b"):
            machine.control("register", user, _HOST, _PASSWORD)
        yield Server(
            "ejabberd",
            Cluster.stanza_size(),
            machine.pid,
            Place(_HOST, cluster.client_port, cluster.ca_file, machine.address),
            Place(_HOST, cluster.places[0][1], cluster.ca_file, machine.address),
            (f"a@{_HOST}", f"b@{_HOST}"),
        )
    finally:
        machine.kill()


SERVERS: Final = {"prosody": prosody, "ejabberd": ejabberd}


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if a stanza takes more than a second."""
    parser = argparse.ArgumentParser(prog="script/bench stanzas", description=__doc__)
    parser.add_argument("--server", choices=SERVERS, help="that one alone")
    parser.add_argument("--size", type=int, help="bytes, in place of the most that is let through")
    options = parser.parse_args(arguments)
    worst_s = 0.0
    for name in [options.server] if options.server else SERVERS:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            authority = Authority(folder)
            server = stack.enter_context(SERVERS[name](authority, folder))
            for kind, stream in attacks(server, authority).items():
                size = options.size or server.size
                print(f"{server.name}, a {kind}'s stream, {size / 1024:.0f} KiB")
                measured = asyncio.run(measure(server, stream, stanzas(size, server.accounts[1])))
                for stanza, (seconds, ended) in measured.items():
                    ratio = seconds / max(measured[HONEST][0], 0.01)
                    words = f"{seconds:5.2f} s, {ratio:5.1f} times"
                    print(f"  {stanza + ':':27} {words}{', refused' if ended else ''}")
                worst_s = max(worst_s, *(seconds for seconds, _ in measured.values()))
    print(f"most: {worst_s:.2f} s of CPU, at most {AT_MOST_S}")
    return 0 if worst_s <= AT_MOST_S else 1


type Streams = Callable[[], AbstractAsyncContextManager[Wire]]


def attacks(server: Server, authority: Authority) -> dict[str, Streams]:
    """Return by what an attacker gets a stream: as a client, and as a server."""
    certificate = authority.issue(ATTACKER, authority.file.parent)
    return {
        "client": partial(Wire.client, server.client, "a", _PASSWORD),
        "server": partial(Wire.server, server.server, ATTACKER, certificate),
    }


async def measure(
    server: Server, stream: Streams, sent: dict[str, str]
) -> dict[str, tuple[float, bool]]:
    """Return the CPU seconds that each takes of a server, and whether it ended the stream."""
    measured: dict[str, tuple[float, bool]] = {}
    for name, stanza in sent.items():
        async with receiving(server), stream() as wire:
            before_s, ended = cpu_s(server.pid), False
            wire.send(stanza)
            try:
                await wire.answered(server.client.host)
            except Ended:
                ended = True
            await asyncio.sleep(_DELIVERY_S)
            measured[name] = cpu_s(server.pid) - before_s, ended
    return measured


@asynccontextmanager
async def receiving(server: Server) -> AsyncIterator[None]:
    """Have an account online to which the stanzas are delivered."""
    async with Wire.client(server.client, "b", _PASSWORD) as wire:
        await wire.answered(server.client.host)
        reading = asyncio.create_task(wire.drain())
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait({reading})
