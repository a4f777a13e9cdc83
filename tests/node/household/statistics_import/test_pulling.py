"""A home that reads the sums of a collective while it opens: some days after the other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from consometers_node.household.recorder.client import Recorder
from consometers_node.household.recorder.home_assistant import HomeAssistant
from consometers_node.household.statistics_import.collective_statistics import (
    CollectiveStatistics,
)
from consometers_node.household.statistics_import.pulling import Pulling
from consometers_node.permission import Permissions
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_quoalise import (
    Data,
    Duration,
    Identifier,
    Listed,
    Measurement,
    Metadata,
    QuoaliseError,
    Records,
)
from consometers_quoalise.records.identifier import identifier, organisation
from consometers_quoalise_network import Asking
from consometers_quoalise_xmpp import XmppTransport
from testing.home_assistant.importing_toy import ImportingToy
from testing.home_assistant.rows import DAY, HOUR, seconds
from testing.homes.data_needs import now
from testing.homes.ledgers import Ledger
from testing.waiting import until

SUM = identifier(f"{organisation('kersabiec')}_consumption/power/active/raw")
STATISTIC = "consometers:collective_kersabiec_consumption"
AVERAGE = "consometers:average_kersabiec"
UNTIL = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - DAY
SINCE = UNTIL - 33 * DAY
HOMES = 4
AT_ONCE = 10 * DAY
"""The days that a collective closes together."""


@dataclass
class Opening:
    """A collective that opens. What it publishes after a subscription, it pushes."""

    published: dict[datetime, int] = field(default_factory=dict)
    subscribed: set[str] = field(default_factory=set)
    pulling: Pulling | None = None
    before_subscription: Callable[[], object] = bool
    listings: int = 0
    fails: int = 0
    """So many requests are not answered."""

    def close(self, days: int) -> dict[datetime, int]:
        """Close this many days more, and return the records."""
        begin = max(self.published, default=SINCE - HOUR) + HOUR
        count = round((min(UNTIL, begin + days * DAY) - begin) / HOUR)
        new = {begin + n * HOUR: 1_000 + HOMES * (n % 50) for n in range(count)}
        self.published |= new
        return new

    async def publish(self, peer: str, days: int) -> None:
        new = self.close(days)
        assert self.pulling is not None
        for series in sorted(self.subscribed):
            assert series == str(SUM)
            await self.pulling.keep(peer, sums(new))

    async def list_series(self, _peer: str) -> Sequence[Listed]:
        self.listings += 1
        first, last = min(self.published, default=None), max(self.published, default=None)
        return [Listed(series=each, first=first, last=last) for each in (SUM, SUM.members)]

    async def subscribe(self, _peer: str, series: Identifier) -> None:
        if not self.subscribed:
            self.before_subscription()
        self.subscribed.add(str(series))

    async def history(
        self, _peer: str, _series: Identifier, start: datetime, end: datetime
    ) -> AsyncIterator[Data]:
        if self.fails:
            self.fails -= 1
            raise QuoaliseError
        yield sums({at: w for at, w in self.published.items() if start <= at < end})


def sums(values: dict[datetime, int]) -> Data:
    metadata = Metadata(measurement=Measurement(sampling_interval=Duration(seconds=3600)))
    return Data(
        metadata,
        (
            Records(str(SUM), "W", seconds(values)),
            Records(str(SUM.members), "/", seconds(dict.fromkeys(values, HOMES))),
        ),
    )


@pytest.fixture
def new_toy() -> ImportingToy:
    return ImportingToy()


@asynccontextmanager
async def reading(store: Store, home: HomeAssistant, collective: Opening) -> AsyncIterator[str]:
    """Read the sums of a collective into Home Assistant, and return its address."""
    ledger = await Ledger.open(store)
    await ledger.grant()
    async with store.writing() as connection:
        permissions = Permissions(connection)
        for notice in await permissions.notices(ledger.peer.id):
            await permissions.keep_receipt(notice.seq, "r", now())
    recorder, changes = Recorder(home), Changes()
    asking = cast("Asking", collective)
    together = CollectiveStatistics(
        store, asking, recorder, changes, every_s=0.5, first_wait_s=0.05
    )
    session = SimpleNamespace(ended=asyncio.get_running_loop().create_future())

    async def online(_seconds: float) -> object:
        return session

    network = cast("XmppTransport", SimpleNamespace(language="en", online=online))
    collective.pulling = Pulling(store, network, asking, recorder, changes, together=together)
    tasks = [asyncio.create_task(each.run()) for each in (together, collective.pulling)]
    try:
        yield ledger.peer.jid
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in ended] == [asyncio.CancelledError] * len(tasks)


def has(toy: ImportingToy, collective: Opening) -> bool:
    """Return whether Home Assistant has all that is published, in sum and per home."""
    states = [
        {row["start"]: row["state"] for row in toy.hours.get(name, [])}
        for name in (STATISTIC, AVERAGE)
    ]
    published = {1000 * at: w for at, w in seconds(dict(collective.published)).items()}
    return states == [published, {at: w / HOMES for at, w in published.items()}]


@pytest.mark.parametrize("before", [0, 20, 99])
async def test_days_that_are_closed_before_the_home_subscribes_are_imported(
    file: Store, toy: ImportingToy, home: HomeAssistant, before: int
) -> None:
    """The home was listed nothing. It is pushed what is closed from its subscription on."""
    collective = Opening()
    collective.before_subscription = lambda: collective.close(before)
    async with reading(file, home, collective) as peer:
        await until(lambda: bool(collective.subscribed))
        while max(collective.published, default=SINCE) < UNTIL - HOUR:
            await collective.publish(peer, AT_ONCE // DAY)
        await until(lambda: has(toy, collective))


async def test_a_home_that_looks_while_days_are_closed_has_them_all(
    file: Store, toy: ImportingToy, home: HomeAssistant
) -> None:
    collective = Opening()
    collective.close(10)
    async with reading(file, home, collective) as peer:
        for _ in range(3):
            looks = collective.listings
            await until(lambda looks=looks: collective.listings > looks)  # type: ignore[misc]
            await collective.publish(peer, AT_ONCE // DAY)
        await until(lambda: has(toy, collective))


async def test_a_collective_that_fails_for_a_while_is_read_once_it_answers(
    file: Store, toy: ImportingToy, home: HomeAssistant
) -> None:
    """An import waits for half a minute and more; a listing that arrives ends its wait."""
    collective = Opening(fails=12)
    collective.close(33)
    async with reading(file, home, collective):
        await until(lambda: has(toy, collective))
