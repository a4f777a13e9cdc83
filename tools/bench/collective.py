"""script/bench collective: what members push, until a collective has kept and summed it.

Members are addresses of a component of a real Prosody, so that thousands fit on one machine; each
pushes a day of hourly records at a time, and the next once that was acknowledged. The floor is a
bare slixmpp client that acknowledges the same messages from the same Prosody, and looks into none.
The collective is its whole node: it asked its members for their past before, has kept a day of
each, and releases sums meanwhile.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
import sys
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text

from consometers_node.collective import given, needs
from consometers_node.collective.members import Members as Register
from consometers_node.permission import DataNeed, Wanted
from consometers_node.quoalise import (
    Data,
    Direction,
    Duration,
    Identification,
    Number,
    Permission,
    Records,
    describe,
)
from consometers_node.quoalise.data import encode
from consometers_node.quoalise.identifier import organisation, series
from consometers_node.series import Block, Direction as Way, Interval, Quantity
from consometers_node.store import Store
from consometers_node.store.collective_tables import GivenSeriesRow
from consometers_node.store.tables import BlockRow
from demo.hass import free_port
from demo.hass.folder import ROOT
from demo.prosody import Authority, Prosody
from tests.node import postgresql

from .members import Members, Messages, admit, jid
from .node import Memory, cpu_s

DAYS_A_YEAR = 365.25
HISTORY_DAYS = 130
AREAS = ("Gâvres", "Kersabiec", "Locmiquélic", "Port-Louis", "Riantec")

_PASSWORD = "correct horse battery staple"
_ZONE = ZoneInfo("Europe/Paris")
_OWN = organisation("bench")
_HOURS = 24
_SETTINGS = """\
name = "Bench"
identifier = "bench"
database = "{database}"
[xmpp]
account = "{account}"
"""
_NEED = DataNeed(
    id="bench",
    version=1,
    title={"en": "Bench"},
    purpose={"en": "To see how fast they come."},
    recipients={},
    controller="Bench",
    contact="bench@one.test",
    policy="https://one.test/policy",
    wanted=frozenset({Wanted(Way.CONSUMPTION, Quantity.POWER)}),
    interval=Interval.PT1H,
    history_days=HISTORY_DAYS,
    duration_days=365,
    retention_days=90,
)


@dataclass(frozen=True)
class Case:
    """So many members, each of whom pushes so many days."""

    members: int
    days: int

    @property
    def messages(self) -> int:
        return self.members * self.days


@dataclass(frozen=True)
class Taken:
    """How long it took until all was acknowledged, and what it cost the program that did."""

    seconds: float
    cpu_s: float


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if something was not kept as it was pushed."""
    parser = argparse.ArgumentParser(prog="script/bench collective", description=__doc__)
    parser.add_argument("--members", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--messages", type=int, default=10_000, help="of all members together")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], nargs="+")
    options = parser.parse_args(arguments)
    exact = True
    for kind in options.database or ["sqlite", "postgresql"]:
        for members in options.members:
            case = Case(members, max(1, min(options.messages // members, HISTORY_DAYS - 30)))
            exact &= asyncio.run(_measure(kind, case))
    return 0 if exact else 1


def pushed(case: Case, until: datetime) -> list[Messages]:
    """Give what each member pushes, the oldest day first; the first one is not measured."""
    random = Random(1)
    first = datetime.combine(until.date(), time(), UTC) - timedelta(days=case.days + 1)
    return [
        [_day(number, first + day * timedelta(days=1), random) for day in range(case.days + 1)]
        for number in range(case.members)
    ]


def _day(number: int, midnight: datetime, random: Random) -> bytes:
    name = series(organisation(f"m{number}"), Direction.CONSUMPTION)
    begin = int(midnight.timestamp())
    values: dict[Number, Number] = {
        begin + hour * 3600: random.randrange(6_000) for hour in range(_HOURS)
    }
    metadata = describe(name, Duration(seconds=3600))
    return encode(Data(metadata, (Records(str(name), "W", values),)))


async def _measure(kind: str, case: Case) -> bool:
    print(f"{kind}, {case.members} members, {case.days} days of each", flush=True)
    days = pushed(case, datetime.now(UTC))
    first, messages = [some[:1] for some in days], [some[1:] for some in days]
    with TemporaryDirectory() as name, _database(kind, Path(name)) as place:
        folder = Path(name)
        port = free_port()
        server = Prosody("one.test", Authority(folder / "authority"))
        admit(server, port)
        with server:
            account, sink = server.register_all(["collective", "sink"], _PASSWORD)
            where = (_PASSWORD, str(server.port), str(server.ca_file))
            async with Members.connected(port) as members:
                async with _program("sink", sink, *where) as pid:
                    floor = await _push(members, sink, messages, pid)
                _print("a sink that only acknowledges", case, floor, floor)
                store = await Store.open(place)
                await _join(store, case)
                settings = folder / "collective.toml"
                settings.write_text(_SETTINGS.format(database=_url(place), account=account))
                async with _program("gatherer", str(settings), *where) as pid:
                    await _asked(store)
                    await members.push(account, first)
                    before = await _size(store)
                    idle = Memory.of(pid)
                    taken = await _push(members, account, messages, pid)
                    memory = Memory.of(pid)
                _print("the collective", case, taken, floor)
                size = await _size(store) - before
                known = (case.messages + case.members) * _HOURS
                exact = await _records(store) == known and not members.refused
                await store.close()
    member_years = case.messages / DAYS_A_YEAR
    print(f"  memory {idle.resident:.0f} MiB before, {memory.peak:.0f} MiB at most")
    print(f"  {size / member_years:,.0f} bytes a member-year, sums included")
    print(f"  it holds {'' if exact else 'something else than '}what was pushed", flush=True)
    return exact


async def _push(members: Members, to: str, messages: list[Messages], pid: int) -> Taken:
    before_s = cpu_s(pid)
    seconds = await members.push(to, messages)
    return Taken(seconds, cpu_s(pid) - before_s)


async def _join(store: Store, case: Case) -> None:
    """Let all members have granted their consumption some time ago."""
    now = datetime.now(UTC).replace(microsecond=0)
    async with store.writing() as connection:
        await needs.offer(connection, _NEED, now)
        register = Register(connection, _ZONE)
        for number in range(case.members):
            area = AREAS[number % len(AREAS)]
            member = await register.admit(jid(number), now, area=area)
            await given.take(register, member.id, _permission(number, now), now, own=_OWN)


def _permission(number: int, now: datetime) -> Permission:
    return Permission(
        id=f"p{number}",
        need=_NEED.id,
        version=_NEED.version,
        series=(series(organisation(f"m{number}"), Direction.CONSUMPTION),),
        interval=Duration(seconds=3600),
        records_from=now - timedelta(days=HISTORY_DAYS),
        valid_from=now,
        valid_until=now + timedelta(days=365),
        shown_sha256=64 * "0",
        shown_language="en",
        identification=Identification.PSEUDONYM,
    )


async def _asked(store: Store) -> None:
    """Wait until the collective has asked all members for their past."""
    query = (
        select(func.count()).select_from(GivenSeriesRow).where(GivenSeriesRow.asked_until.is_(None))
    )
    while True:
        async with store.reading() as connection:
            if not (await connection.execute(query)).scalar_one():
                return
        await asyncio.sleep(0.5)


async def _records(store: Store) -> int:
    """Count the records of members that are kept."""
    query = select(BlockRow.packed).join(
        GivenSeriesRow, GivenSeriesRow.series_id == BlockRow.series_id
    )
    count = 0
    async with store.reading() as connection:
        for packed in (await connection.execute(query)).scalars():
            absent, of = Block.missing(packed)
            count += of - absent
    return count


async def _size(store: Store) -> int:
    """Give the bytes of the database."""
    await store.checkpoint()
    said = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if store.is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    async with store.reading() as connection:
        return int((await connection.execute(text(said))).scalar_one())


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[Path | str]:
    if kind == "sqlite":
        yield folder / "node.db"
        return
    with postgresql.running() as server:
        with server.connect("postgres") as connection:
            # Unlike in tests, what is acknowledged is on the disk.
            for setting in ("fsync", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = on".encode())
            connection.execute(b"SELECT pg_reload_conf()")
        yield server.url(server.create())


def _url(place: Path | str) -> str:
    return f"sqlite:///{place}" if isinstance(place, Path) else place


@asynccontextmanager
async def _program(module: str, *arguments: str) -> AsyncIterator[int]:
    """Run a module of this folder; it is online when this begins."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"tools.bench.{module}",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'addon'}"},
    )
    assert process.stdout is not None
    try:
        if not await process.stdout.readline():
            raise RuntimeError(f"{module} ended")
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


def _print(what: str, case: Case, taken: Taken, floor: Taken) -> None:
    pace, cpu_ms = case.messages / taken.seconds, 1000 * taken.cpu_s / case.messages
    print(
        f"  {what:30} {taken.seconds:7.1f} s {pace:7.0f} member-days/s, {cpu_ms:5.2f} ms of a core"
        f" each {taken.seconds / floor.seconds:6.2f}",
        flush=True,
    )
