"""script/bench backfill: years of a home, from its Home Assistant to a collective.

A real Home Assistant holds four registers hour by hour, a node reads them, and a peer asks it for
them over a real Prosody: month by month, 60 times a minute at most, and again where the node is
still reading. The floor is equal messages, prepared in advance, over the same Prosody between two
bare slixmpp clients.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from random import Random
import sqlite3
from tempfile import TemporaryDirectory

from consometers_quoalise import Data, Node as Command, answers, data
from consometers_quoalise.markup import serialise
from demo.hass import Api, Hass
from demo.program import Program, reach, warm, write_private
from demo.prosody import Authority, Prosody

from .floor import floor_s
from .peer import Collective, Records
from .process import Memory, cpu_s

HOUR = timedelta(hours=1)
DAYS_A_YEAR = 365.25
REGISTERS = {
    "sensor.grid": "consumption",
    "sensor.fed": "injection",
    "sensor.panels": "production",
    "sensor.heat_pump": "consumption",
}
PATIENCE_S = 120.0
"""For what is pushed after the last answer."""

PASSWORD = "correct horse battery staple"
_HOURS_AT_ONCE = 8760
_META = {"unit_of_measurement": "kWh", "unit_class": "energy", "has_sum": True, "mean_type": 0}
_NEED = """\
id = "years"
version = 1
controller = "Bench"
contact = "bench@one.test"
policy = "https://one.test/policy"
interval = "PT1H"
history = "P{days}D"
duration = "P1Y"
retention = "P6M"
series = [
  {{ direction = "consumption", quantity = "power" }},
  {{ direction = "injection", quantity = "power" }},
  {{ direction = "production", quantity = "power" }},
]
[title]
en = "Years of a home"
[purpose]
en = "To see how fast they come."
"""


@dataclass(frozen=True)
class Shared:
    """What was granted: the name of each statistic for the peer, and since when."""

    names: Mapping[str, str]
    since: datetime


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if the peer does not end up with exactly what was imported."""
    parser = argparse.ArgumentParser(prog="script/bench backfill", description=__doc__)
    parser.add_argument("--years", type=float, default=5.0)
    parser.add_argument("--rest", type=float, default=60.0, help="seconds until memory is idle")
    options = parser.parse_args(arguments)
    days = round(options.years * DAYS_A_YEAR)
    return 0 if asyncio.run(_measure(days, options.rest)) else 1


def past(hours: int, until: datetime) -> dict[str, Records]:
    """Return the energy of each hour of each register, the same every time."""
    random = Random(1)
    starts = [int((until - n * HOUR).timestamp()) for n in range(hours, 0, -1)]
    return {name: {start: random.randrange(6_000) for start in starts} for name in REGISTERS}


def granted(registers: Mapping[str, Records], shared: Shared) -> dict[str, Records]:
    """Return what a peer is to hold of what is known, under the names that it has there."""
    since = shared.since.timestamp()
    return {
        shared.names[name]: {start: wh for start, wh in records.items() if start >= since}
        for name, records in registers.items()
    }


async def _measure(days: int, pause_s: float) -> bool:
    clock = asyncio.get_running_loop().time
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    # The energy of an hour is counted from the one before.
    registers = past(24 * days + 1, until)
    with TemporaryDirectory() as place, warm() as commands:
        folder = Path(place)
        (folder / "node").mkdir()
        node = Program(folder / "node", folder / "node.log", commands)
        async with Hass(folder / "hass", level="warning") as hass:
            await _remember(hass.api, registers)
            with Prosody("one.test", Authority(folder / "authority")) as server:
                users = ("home", "collective", "asker", "answerer")
                home, peer, asker, answerer = server.register_all(users, PASSWORD)
                await set_up(node, hass, server, home)
                async with running(node):
                    await asyncio.sleep(pause_s)
                    _print_memory("with nothing to do", Memory.of(node.pid))
                shared = await _share(node, peer, days)
                async with Collective.online(peer, PASSWORD, server, home) as collective:
                    began = clock()
                    async with running(node):
                        async with asyncio.TaskGroup() as tasks:
                            tasks.create_task(_watch(node, hass, shared.since))
                            tasks.create_task(
                                collective.collect(shared.names.values(), shared.since)
                            )
                        exact = await collective.comes_to_hold(
                            granted(registers, shared), PATIENCE_S
                        )
                        taken_s = collective.last_at - began
                        await asyncio.sleep(pause_s)
                        _print_memory("after all of it", Memory.of(node.pid))
                files = node.folder.glob("node.db*")
                mib = sum(file.stat().st_size for file in files) / 2**20
                print(f"database of the node: {mib:.1f} MiB", flush=True)
                messages = [_message(page) for page in collective.pages]
                bare_s = await floor_s(server, asker, answerer, PASSWORD, messages)
    size = sum(map(len, messages)) / len(messages)
    print(
        f"{collective.count} records in {len(messages)} answers of {size:.0f} bytes"
        f" ({collective.asked_again} asked again; {collective.pushed} records were pushed)"
    )
    for what, seconds in (
        ("bare clients", bare_s),
        ("answers of the node, turns left out", collective.answering_s),
        ("from the start of the node to the last record", taken_s),
    ):
        pace = collective.count / seconds
        print(f"  {what:46} {seconds:7.1f} s {pace:7.0f} records/s {seconds / bare_s:6.2f}")
    print(f"the peer holds {'' if exact else 'something else than '}what was imported")
    return exact


async def _remember(api: Api, registers: Mapping[str, Records]) -> None:
    """Write registers into Home Assistant's statistics, and return once they are there."""
    for name, records in registers.items():
        sum_wh = 0
        for some in batched(records.items(), _HOURS_AT_ONCE, strict=False):
            rows = []
            for start, energy_wh in some:
                sum_wh += energy_wh
                at = datetime.fromtimestamp(start, UTC).isoformat()
                rows.append({"start": at, "state": sum_wh / 1000, "sum": sum_wh / 1000})
            await api.import_statistics({"statistic_id": name, **_META}, rows)
            last = datetime.fromtimestamp(some[-1][0], UTC)
            while not await api.statistics(name, "hour", last):
                await asyncio.sleep(0.1)


@asynccontextmanager
async def running(node: Program) -> AsyncIterator[None]:
    """Run a node until this ends."""
    await node.run()
    try:
        yield
    finally:
        await node.close()


async def set_up(node: Program, hass: Hass, server: Prosody, jid: str) -> None:
    """Have a node use an account and a Home Assistant."""
    password_file = node.folder / "password"
    write_private(password_file, PASSWORD)
    await node.do("login", jid, *reach(server.port, server.ca_file, password_file))
    await node.do("home", hass.url, answer=await hass.api.long_lived_token())


async def _share(node: Program, peer: str, days: int) -> Shared:
    """Have the peer ask for as many days, and grant it all registers."""
    file = node.folder / "need.toml"
    file.write_text(_NEED.format(days=days))
    await node.do("peer", "add", peer, "--need", str(file))
    (asked,) = await node.json("permissions")
    series = [f"--series={name}={direction}" for name, direction in REGISTERS.items()]
    await node.do("grant", asked["permission"], *series, "--yes")
    permission = await node.json("permissions", asked["permission"])
    return Shared(
        names={row["statistic"]: row["identifier"] for row in permission["series"]},
        since=datetime.fromisoformat(permission["records_from"]),
    )


async def _watch(node: Program, hass: Hass, since: datetime) -> None:
    """Print how the node read all of the past from Home Assistant, once it has."""
    clock = asyncio.get_running_loop().time
    began, before_s = clock(), cpu_s(hass.pid)
    while not _has_read(node.folder / "node.db", since):
        await asyncio.sleep(0.2)
    taken_s = clock() - began
    hass_share, node_share = (cpu_s(hass.pid) - before_s) / taken_s, cpu_s(node.pid) / taken_s
    print(
        f"read from Home Assistant in {taken_s:.1f} s: it had {100 * hass_share:.0f} % of a core"
        f" meanwhile, and the node {100 * node_share:.0f} %",
        flush=True,
    )


def _has_read(database: Path, since: datetime) -> bool:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM coverage WHERE covered_from <= ?", (since.timestamp(),)
        ).fetchone()
    return bool(count == len(REGISTERS))


def _message(page: Data) -> bytes:
    """Return the element that answered with a page, as it was written."""
    return serialise(answers.completed(Command.GET_HISTORY, payload=data.write(page)))


def _print_memory(when: str, memory: Memory) -> None:
    print(f"memory of the node {when}: {memory}", flush=True)
