"""script/bench region: what a day costs at each level: homes, their cooperatives, and a region.

One machine simulates all of them, one server after the other, each with its own database and by the
code that runs there, in SQLite; only the network is left out. The homes of the first cooperative
report hour by hour, in messages of a record, as homes do; those of the others, which are alike,
have reported already. A cooperative's published hour goes to the region, in one message for each
of its series.
"""

import argparse
import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
import time

from consometers_node.collective.ingestion.validation import MemberMessage, take
from consometers_node.collective.members.members import MemberKind, Members
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.publication.closing.worker import Publishing
from consometers_node.collective.publication.policy import AT_ONCE, open_from
from consometers_node.series import Interval, Range
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from consometers_node.store.collective.groups import all_groups
from consometers_node.store.collective.published_series import (
    devices as group_devices,
    own_series,
    published_records,
)
from consometers_node.wire import encode_series
from consometers_quoalise import Direction, Duration, Number, Records, describe
from consometers_quoalise.records.data import Data, decode, encode
from consometers_quoalise.records.identifier import (
    device as device_of,
    organisation,
    series as series_name,
)
from tools.bench.harness.databases import size
from tools.bench.harness.homes import (
    MOST_W,
    ZONE,
    ask_for_no_past,
    join,
    keep_days,
    name,
    need_of,
    permission,
    today,
)
from tools.bench.harness.members import jid
from tools.bench.harness.publishing import publishing

from .closing import COMMUNES

AT_ONCE_TAKEN = 200
"""Messages that are kept in one transaction, where many members push."""
HOURS = 24
REGION = "region"

_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_DAY_S = 86_400
_ASKED = (Direction.CONSUMPTION,)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many cooperatives there are, and how many homes and communes each has."""

    cooperatives: int
    homes: int
    communes: int


@dataclass(slots=True)
class Cost:
    """What a server had to do in a day."""

    intake_s: float = 0.0
    closing_s: float = 0.0
    messages: int = 0
    received: int = 0
    published: int = 0
    """Bytes of messages."""
    grown: int = 0
    """Bytes of the database."""

    def __str__(self) -> str:
        share = 100 * (self.intake_s + self.closing_s) / _DAY_S
        return (
            f"{self.messages:,} messages, {self.received / 1e6:.1f} MB in; CPU"
            f" {self.intake_s:.1f} s to keep them, {self.closing_s:.1f} s to close, {share:.2f} %"
            f" of a core; {self.grown / 1e6:.2f} MB more in the database,"
            f" {self.published / 1e6:.2f} MB out"
        )


@dataclass(slots=True)
class Server:
    """A collective without its network."""

    collective: str
    store: Store
    closing: Publishing
    opened_at: datetime
    cost: Cost = field(default_factory=Cost)

    async def keep(self, pushed: Iterable[tuple[str, bytes]], at: datetime) -> None:
        """Read and keep what members (bare JIDs) pushed."""
        for some in batched(pushed, AT_ONCE_TAKEN, strict=False):
            began = time.process_time()
            messages = [MemberMessage(sender, decode(message)) for sender, message in some]
            async with self.store.writing() as connection:
                refusals = await take(connection, messages, ZONE.key, at)
            self.cost.intake_s += time.process_time() - began
            assert not any(refusals), refusals
            self.cost.messages += len(some)
            self.cost.received += sum(len(message) for _, message in some)

    async def close(self, at: datetime) -> None:
        began = time.process_time()
        while await self.closing.look(self.opened_at, at):
            pass
        self.cost.closing_s += time.process_time() - began

    async def published(self, within: Range) -> list[bytes]:
        """Return the messages with the published records of some hours, one a series."""
        messages = []
        async with self.store.reading() as connection:
            devices = group_devices(self.collective, await all_groups(connection))
            for device in devices.values():
                series = own_series(device, Direction.CONSUMPTION, Interval.PT1H, ZONE.key)
                values, members = await published_records(
                    connection, self.collective, series, within
                )
                if values:
                    identifier = series_name(device_of(device), Direction.CONSUMPTION)
                    messages.append(encode(encode_series(identifier, series, values, members)))
        self.cost.published += sum(map(len, messages))
        return messages


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if the region does not have all homes in its sums."""
    parser = argparse.ArgumentParser(prog="script/bench region", description=__doc__)
    parser.add_argument("--cooperatives", type=int, default=20)
    parser.add_argument("--homes", type=int, default=5_000, help="of each cooperative")
    parser.add_argument("--communes", type=int, default=COMMUNES, help="of each cooperative")
    options = parser.parse_args(arguments)
    sizes = Sizes(options.cooperatives, options.homes, options.communes)
    return 0 if asyncio.run(_measure(sizes)) else 1


async def _measure(sizes: Sizes) -> bool:
    midnight = today() - _DAY
    hours = [midnight + n * _HOUR for n in range(HOURS)]
    pushed: list[list[tuple[str, bytes]]] = [[] for _ in hours]
    for number in range(sizes.cooperatives):
        with TemporaryDirectory() as folder:
            coop = await _cooperative(Path(folder), number, sizes, midnight)
            if number == 0:
                await _live(coop, sizes, hours)
            else:
                await keep_days(coop.store, range(sizes.homes), [midnight.date()])
                await coop.close(hours[-1] + _HOUR + _MINUTE)
            for start, messages in zip(hours, pushed, strict=True):
                coop_messages = await coop.published(Range(start, start + _HOUR))
                messages += [(_address(number), message) for message in coop_messages]
            if number == 0:
                print(f"a cooperative of {sizes.homes:,} homes: {coop.cost}", flush=True)
            await coop.store.close()
    with TemporaryDirectory() as folder:
        region = await _region(Path(folder), sizes, midnight)
        before = await size(region.store)
        for start, messages in zip(hours, pushed, strict=True):
            await region.keep(messages, start + _HOUR + _MINUTE)
            await region.close(start + _HOUR + _MINUTE)
        region.cost.grown = await size(region.store) - before
        own = await region.published(Range(midnight, midnight + _DAY))
        await region.store.close()
    print(f"a region of {sizes.cooperatives} cooperatives: {region.cost}", flush=True)
    counts = [
        records.values
        for answer in map(decode, own)
        for records in answer.records
        if records.name.endswith("/members")
    ]
    return {count for records in counts for count in records.values()} == {
        sizes.cooperatives * sizes.homes
    }


async def _live(coop: Server, sizes: Sizes, hours: Sequence[datetime]) -> None:
    """Send each hour as homes once it is over."""
    random = Random(1)
    before = await size(coop.store)
    for start in hours:
        pushed = [(jid(home), _hour_of(home, start, random)) for home in range(sizes.homes)]
        await coop.keep(pushed, start + _HOUR + _MINUTE)
        await coop.close(start + _HOUR + _MINUTE)
    coop.cost.grown = await size(coop.store) - before


async def _cooperative(folder: Path, number: int, sizes: Sizes, midnight: datetime) -> Server:
    server = await _server(folder, _coop(number), midnight)
    areas = [_commune(number, n) for n in range(sizes.communes)]
    await join(server.store, sizes.homes, 31, areas=areas)
    return server


async def _region(folder: Path, sizes: Sizes, midnight: datetime) -> Server:
    """Return the region, which reads all series of its cooperatives."""
    server = await _server(folder, REGION, midnight)
    now = datetime.now(UTC).replace(microsecond=0)
    need = need_of(31, _ASKED)
    async with server.store.writing() as connection:
        await needs.offer(connection, need, now)
        register = Members(connection, ZONE)
        for number in range(sizes.cooperatives):
            member = await register.admit(_address(number), now, kind=MemberKind.COLLECTIVE)
            below = [f"{_coop(number)}-{_commune(number, n)}" for n in range(sizes.communes)]
            names = [
                series_name(organisation(group), Direction.CONSUMPTION)
                for group in (_coop(number), *below)
            ]
            answer = permission(f"p{number}", names, need, now)
            await member_permissions.take(
                register, member.id, answer, now, own=organisation(REGION)
            )
        await ask_for_no_past(connection, now)
    return server


async def _server(folder: Path, collective: str, midnight: datetime) -> Server:
    """Return a collective that opened a day before."""
    place = folder / "node.db"
    store = await Store.open(place)
    await keep_collective(store, collective)
    opened_at = midnight - _DAY
    async with store.writing() as connection:
        await open_from(connection, AT_ONCE, "bench", opened_at)
    return Server(collective, store, publishing(store, place, collective, folder), opened_at)


def _hour_of(home: int, start: datetime, random: Random) -> bytes:
    named = name(home)
    values: dict[Number, Number] = {int(start.timestamp()): random.randrange(MOST_W)}
    records = (Records(str(named), "W", values),)
    return encode(Data(describe(named, Duration(seconds=3600)), records))


def _coop(number: int) -> str:
    return f"coop{number}"


def _commune(number: int, commune: int) -> str:
    return f"c{number}x{commune}"


def _address(number: int) -> str:
    return f"{_coop(number)}@{REGION}.test"
