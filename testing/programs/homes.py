"""Homes that run in one process, which can be killed at any time: each is a node of its own.

    python -m testing.programs.homes PLAN

What their meters counted is in a file that grows. All of it is looked at after a start, as a home
looks at its recorder; what is new there is stored, and delivered by its grants.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
import json
import logging
import os
from pathlib import Path
import shutil
import sys
from typing import Final, NoReturn, Self

from consometers_node.permission import Choice, Permissions, Signature, State
from consometers_node.series import (
    Block,
    Device,
    Direction,
    Interval,
    Quantity,
    Range,
    Record,
    Series,
)
from consometers_node.sharing import consent_text
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.names import load_naming
from consometers_node.sharing.permissions import consent
from consometers_node.sharing.records.due_records import keep
from consometers_node.sharing.service import Sharing
from consometers_node.store import SeriesId, Store
from consometers_node.store.clock import Clock
from consometers_node.store.household.coverage import set_coverage
from consometers_node.store.outbox import queue_again_for, subscribers
from consometers_node.store.peers import all_peers
from consometers_node.store.series import add_series, blocks
from consometers_node.wire import Naming
from consometers_quoalise import QuoaliseError
from consometers_quoalise_network import Account, Join, NetworkError, Security, Server, links
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_xmpp import XmppTransport
from demo.servers.prosody import LOOPBACK
from testing.homes.running import Shares

PASSWORD: Final = "HOMES_PASSWORD"  # the name of a variable
SERIES: Final = {
    direction: Series(
        Device(f"sensor.{direction}"), direction, Quantity.POWER, Interval.PT30M, "Europe/Paris"
    )
    for direction in (Direction.CONSUMPTION, Direction.INJECTION)
}
"""What each home has."""

_LOOKS_EVERY_S: Final = 0.2
_JOIN_AT_ONCE: Final = 4
_AGAIN_S: Final = 0.5
_FIRST_DELAY_S: Final = 0.2
_RECEIPT_WITHIN_S: Final = 4.0
_ENOUGH_S: Final = 1e6
_DAY: Final = timedelta(days=1)

type Counted = Mapping[tuple[Direction, datetime], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which homes there are, the server of their accounts, and what they were invited to."""

    folder: str
    port: int
    ca_file: str
    meter: str
    since: float
    """Before it, no home has a record."""
    homes: list[str]
    invitations: list[str]

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, file: Path) -> Self:
        return cls(**json.loads(file.read_text()))


class Meter:
    """A file with a line for each value that was counted: whose, which way, when, W.

    A line without a value makes a home deliver that day again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0

    def write(self, lines: Iterable[tuple[str, Direction, datetime, int | None]]) -> None:
        """Append counted values."""
        rows = [
            json.dumps((home, direction, at.timestamp(), watts))
            for home, direction, at, watts in lines
        ]
        with self._file.open("a") as file:
            file.write("".join(f"{line}\n" for line in rows))

    def news(self) -> tuple[dict[str, dict[tuple[Direction, datetime], int]], dict[str, date]]:
        """Return the values since the last call, and the day that each home delivers again."""
        with self._file.open("rb") as file:
            file.seek(self._read)
            lines = file.read()
        lines = lines[: lines.rfind(b"\n") + 1]
        self._read += len(lines)
        counted: dict[str, dict[tuple[Direction, datetime], int]] = {}
        again: dict[str, date] = {}
        for line in lines.splitlines():
            home, direction, second, watts = json.loads(line)
            at = datetime.fromtimestamp(second, UTC)
            if watts is None:
                again[home] = at.date()
            else:
                counted.setdefault(home, {})[Direction(direction), at] = watts
        return counted, again


class Home:
    """A home with its database."""

    def __init__(self, jid: str, store: Store, naming: Naming, since: datetime) -> None:
        self.jid = jid
        self.store = store
        self._naming = naming
        self._since = since
        self._changes = Changes()
        self._numbers: dict[Series, SeriesId] = {}

    async def begin(self) -> None:
        """Know its series."""
        soon = datetime.now(UTC) + 2 * _DAY
        async with self.store.writing() as connection:
            for series in SERIES.values():
                number = await add_series(connection, series)
                # A late record stays due: the node does not take its hour for unread.
                await set_coverage(connection, number, Range(self._since, soon))
                self._numbers[series] = number

    async def count(self, counted: Counted) -> None:
        """Keep what its meter counted."""
        days: dict[tuple[Series, date], list[Record]] = {}
        for (direction, at), watts in counted.items():
            days.setdefault((SERIES[direction], at.date()), []).append(Record(at, watts))
        async with self.store.writing() as connection:
            new = []
            for (series, day), records in days.items():
                number = self._numbers[series]
                stored = await blocks(connection, number, series, Range.of_day(day))
                block = stored[0] if stored else Block.of(series, day, ())
                new.append(block.replace(records))
            await keep(connection, self._numbers, new, datetime.now(UTC))
        self._changes.notify()

    async def send_again(self, day: date) -> None:
        """Send subscribers once more what they were sent of a day."""
        now = datetime.now(UTC)
        async with self.store.writing() as connection:
            by_series = await subscribers(connection, self._numbers.values())
            for number, readers in by_series.items():
                corrected = [(reader, Range.of_day(day)) for reader in readers]
                await queue_again_for(connection, number, corrected, at=now)
        self._changes.notify()

    async def run(
        self, server: Server, invitations: Iterable[Join], joining: asyncio.Semaphore
    ) -> NoReturn:
        """Be on the network, and take part in what it was invited to."""
        account = Account(self.jid, os.environ[PASSWORD])
        connection = XmppTransport(account, server=server, backoff=Backoff(0.2, 2))
        sharing = Sharing(
            self.store,
            self._naming,
            connection,
            self._changes,
            Shares,
            clock=Clock(),
            first_delay_s=_FIRST_DELAY_S,
            receipt_within_s=_RECEIPT_WITHIN_S,
        )
        async with connection, asyncio.TaskGroup() as tasks:
            tasks.create_task(sharing.run())
            for link in invitations:
                async with joining:
                    await self._join(connection, sharing, link)
        raise AssertionError

    async def _join(self, connection: XmppTransport, sharing: Sharing, link: Join) -> None:
        """Ask, and grant all that is asked, unless that was done before."""
        async with self.store.reading() as reading:
            peers = {peer.jid for peer in await all_peers(reading)}
        while link.collective not in peers:
            try:
                await connection.online(_ENOUGH_S)
                await consent.propose_needs(self.store, sharing.asking, link)
                break
            except NetworkError, QuoaliseError:
                await asyncio.sleep(_AGAIN_S)
        async with self.store.writing() as writing:
            for permission in await Permissions(writing).all():
                if permission.state is State.PROPOSED:
                    question = await consent.data_request(writing, permission.id)
                    choice = Choice(series=frozenset(filter(question.need.asks_for, self._numbers)))
                    now = datetime.now(UTC)
                    shown = consent_text.grant(question.need, question.peer, choice, now, "fr")
                    signature = Signature("home", shown)
                    await consent.grant(writing, self._naming, question, choice, signature)
        self._changes.notify()


async def run(plan: Plan) -> NoReturn:
    """Run all homes until killed."""
    folder, meter = Path(plan.folder), Meter(Path(plan.meter))
    server = Server(
        host=LOOPBACK, port=plan.port, security=Security.STARTTLS, ca_file=Path(plan.ca_file)
    )
    invitations = [
        link for invitation in plan.invitations if isinstance(link := links.read(invitation), Join)
    ]
    joining = asyncio.Semaphore(_JOIN_AT_ONCE)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        homes: dict[str, Home] = {}
        for jid in plan.homes:
            store = await _opened(folder, jid)
            stack.push_async_callback(store.close)
            since = datetime.fromtimestamp(plan.since, UTC)
            homes[jid] = Home(jid, store, await load_naming(store), since)
            await homes[jid].begin()
        is_first = True
        while True:
            counted, again = meter.news()
            for jid, values in counted.items():
                if jid in homes:
                    await homes[jid].count(values)
            for jid, day in again.items():
                if jid in homes and not is_first:
                    await homes[jid].send_again(day)
            if is_first:
                for home in homes.values():
                    tasks.create_task(home.run(server, invitations, joining))
                is_first = False
            await asyncio.sleep(_LOOKS_EVERY_S)
    raise AssertionError


async def _opened(folder: Path, jid: str) -> Store:
    """Open the database of a home, which begins as a copy of one that is empty."""
    file, empty = database(folder, jid), folder / "empty.db"
    if not file.exists():
        if not empty.exists():
            await (await Store.open(empty)).close()
        half = file.with_suffix(".half")
        await asyncio.to_thread(shutil.copy, empty, half)
        half.rename(file)
    return await Store.open(file)


def database(folder: Path, jid: str) -> Path:
    """Return where a home keeps its own."""
    return folder / f"{jid}.db"


if __name__ == "__main__":
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(run(Plan.read(Path(sys.argv[1]))))
