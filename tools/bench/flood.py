"""script/bench flood: what members wait for a receipt while strangers send what they can.

Members are addresses of a component of a real Prosody, strangers those of another. Each member
pushes a day, and the next one some time after that was acknowledged. Strangers send, at the rate
that `deploy` lets a server send: many small pushes, pushes of nothing but elements, long
attributes, questions about what is asked for with a wrong invitation, pings and false receipts.
One owns a server: half of each stanza is a namespace, and a stream ends with each. The collective
is its whole node, on Prosody as `deploy/` sets it up. Members push alone and beside strangers by
turns, after a round that is not counted: what else the machine does is in both.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import override
from xml.etree.ElementTree import Element

from consometers_node.store import Store
from consometers_quoalise.data import encode
from demo.prosody import Authority

from .collective import PASSWORD, SETTINGS, program
from .deployed import Deployed, Ended, Place, Wire
from .homes import day_of, join
from .members import NO_ARCHIVE, STRANGERS, Members, admitting, jid
from .process import cpu_s, p95, summary
from .stanzas import ATTACKER, Streams, stanzas as costliest

AT_MOST = 1.5
"""How many times as long as alone."""
_PATIENCE_S = 30.0
_STEP_S = 0.02
_REST_S = 1.0
"""What a member rests after a receipt, on average: none pushes more than may be taken at once."""
_DAYS = 30
_SETTLE_S = 1.0
_LARGE = 20_000
_COSTLY_S = 1.0
"""Between two stanzas that end a stream. Two a minute took a server off the network."""
_LOUD = 3
"""Strangers of whom half of all comes, so that each of them is slowed."""


class Waiting(Members):
    """Members, and how long each receipt took."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self._receipts: dict[str, asyncio.Future[None]] = {}

    async def push_for(self, to: str, members: int, seconds: float) -> list[float]:
        """Push as members for so long; return the time of each receipt, or the patience."""
        taken: list[float] = []
        until = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as group:
            for number in range(members):
                group.create_task(self._go_on(to, number, until, taken))
        return taken

    async def _go_on(self, to: str, number: int, until: float, taken: list[float]) -> None:
        loop, random, peer = asyncio.get_running_loop(), Random(number), jid(number)
        midnight = datetime.combine(datetime.now(UTC).date(), time(), UTC)
        while True:
            await asyncio.sleep(random.uniform(0, 2 * _REST_S))
            if loop.time() >= until:
                return
            day = midnight - timedelta(days=random.randrange(1, _DAYS))
            message = encode(day_of(number, [day], random)).decode()
            self._receipts[peer] = loop.create_future()
            began = loop.time()
            await self.say(
                f'<message from="{peer}" to="{to}" id="{began}">{message}'
                f'<request xmlns="urn:xmpp:receipts"/>{NO_ARCHIVE}</message>'.encode()
            )
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_S):
                    await self._receipts[peer]
            taken.append(loop.time() - began)

    @override
    def _heard(self, stanza: Element) -> None:
        receipt = self._receipts.get(stanza.get("to", "").partition("/")[0])
        if stanza.tag.endswith("message") and receipt is not None and not receipt.done():
            receipt.set_result(None)


class Deaf(Members):
    """Strangers, who do not listen."""

    @override
    def _heard(self, stanza: Element) -> None:
        pass


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if members wait for longer than 1.5 times what they wait alone."""
    parser = argparse.ArgumentParser(prog="script/bench flood", description=__doc__)
    parser.add_argument("--members", type=int, default=40)
    parser.add_argument("--strangers", type=int, default=300)
    parser.add_argument("--rate", type=int, default=1_000, help="kB a second of all strangers")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5, help="of a round, alone and beside")
    options = parser.parse_args(arguments)
    alone, beside = asyncio.run(_measure(options))
    print(f"{options.members} members, {options.strangers} strangers, {options.rate} kB/s")
    for name, round_ in (("alone", alone), ("beside", beside)):
        busy = f"{100 * round_.cpu_s / (options.rounds * options.seconds):.0f} % of a core"
        print(
            f"  {name + ':':7} {summary(round_.receipts)}, {len(round_.receipts)} receipts, {busy}"
        )
    ratio = p95(beside.receipts) / p95(alone.receipts)
    print(f"  p95 beside over alone: {ratio:.2f}, at most {AT_MOST}")
    return 0 if ratio <= AT_MOST else 1


def stanzas(strangers: int, to: str) -> Iterator[bytes]:
    """Yield what strangers send, each in turn, without end."""
    node = f"{to}/quoalise"
    contents = (
        _push("<data/>"),
        _push("<a/>" * (_LARGE // 4)),
        f"{_message()} a='{'x' * _LARGE}'/>",
        _ask("set", _command("get_data_needs", invitation="a guess")),
        _ask("set", _command("list_series")),
        _ask("get", '<ping xmlns="urn:xmpp:ping"/>'),
        _ask("get", '<query xmlns="http://jabber.org/protocol/disco#info"/>'),
        f'{_message()}><received xmlns="urn:xmpp:receipts" id="a guess"/></message>',
    )
    random = Random(1)
    for number in count():
        stranger = f"s{random.randrange(random.choice((_LOUD, strangers)))}@{STRANGERS}"
        content = random.choices(contents, (20, 1, 1, 10, 10, 10, 10, 10))[0]
        address = node if content.startswith("<iq") else to
        yield content.format(at=f'from="{stranger}" to="{address}" id="{number}"').encode()


@dataclass
class Rounds:
    """How long receipts took in several rounds, and what these cost the collective's node."""

    receipts: list[float] = field(default_factory=list)
    cpu_s: float = 0

    async def add(self, pushed: Awaitable[list[float]], pid: int) -> None:
        before_s = cpu_s(pid)
        self.receipts += await pushed
        self.cpu_s += cpu_s(pid) - before_s


async def _measure(options: argparse.Namespace) -> tuple[Rounds, Rounds]:
    alone, beside = Rounds(), Rounds()
    with TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority(folder / "authority")
        with admitting(authority, kind=Deployed) as (server, port):
            (account,) = server.register_all(["gatherer"], PASSWORD)
            database = folder / "node.db"
            store = await Store.open(database)
            await join(store, options.members, _DAYS + 1)
            await store.close()
            settings = folder / "collective.toml"
            settings.write_text(SETTINGS.format(database=f"sqlite:///{database}", account=account))
            where = (PASSWORD, str(server.port), str(server.ca_file))
            async with (
                program("gatherer", str(settings), *where) as pid,
                Waiting.connected(port) as members,
                Deaf.connected(port, STRANGERS) as strangers,
            ):

                def push() -> Awaitable[list[float]]:
                    return members.push_for(account, options.members, options.seconds)

                await push()
                sent = stanzas(options.strangers, account)
                certificate = authority.issue(ATTACKER, folder)
                place = Place(server.host, server.s2s_port, server.ca_file)
                attack = partial(Wire.server, place, ATTACKER, certificate)
                costly = costliest(Deployed.stanza_size(), account)["half a namespace"]
                for _ in range(options.rounds):
                    await alone.add(push(), pid)
                    floods = [
                        asyncio.create_task(_flood(strangers, sent, options.rate * 1000)),
                        asyncio.create_task(_attack(attack, costly, server.host)),
                    ]
                    await asyncio.sleep(_SETTLE_S)
                    await beside.add(push(), pid)
                    for flood in floods:
                        flood.cancel()
                    await asyncio.wait(floods)
                    await asyncio.sleep(_SETTLE_S)
    return alone, beside


async def _flood(strangers: Members, sent: Iterator[bytes], rate: float) -> None:
    """Send so many bytes a second, until cancelled."""
    clock = asyncio.get_running_loop().time
    began, size = clock(), 0
    while True:
        await asyncio.sleep(_STEP_S)
        due: list[bytes] = []
        while size < (clock() - began) * rate:
            due.append(next(sent))
            size += len(due[-1])
        await strangers.say(b"".join(due))


async def _attack(attack: Streams, stanza: str, host: str) -> None:
    """Send a costly stanza each second, over a stream of its own, until cancelled."""
    while True:
        with suppress(Ended):
            async with attack() as wire:
                wire.send(stanza)
                await wire.answered(host)
        await asyncio.sleep(_COSTLY_S)


def _message() -> str:
    return "<message {at}"


def _push(payload: str) -> str:
    return f'{_message()}><quoalise xmlns="urn:quoalise:0">{payload}</quoalise></message>'


def _ask(kind: str, payload: str) -> str:
    return f'<iq {{at}} type="{kind}">{payload}</iq>'


def _command(node: str, **fields: str) -> str:
    filled = "".join(
        f'<field var="{name}"><value>{value}</value></field>' for name, value in fields.items()
    )
    return (
        f'<command xmlns="http://jabber.org/protocol/commands" node="{node}" action="execute">'
        f'<x xmlns="jabber:x:data" type="submit">{filled}</x></command>'
    )
