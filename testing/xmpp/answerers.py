"""A small home to ask: one series, one peer that may read it, in memory."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from consometers_quoalise import (
    Data,
    DataNeed,
    Duration,
    Erased,
    GetHistory,
    Identifier,
    ItemNotFound,
    Listed,
    Measurement,
    Metadata,
    NotAuthorized,
    Number,
    Permission,
    Receipt,
    Records,
    Role,
    State,
)
from consometers_quoalise.records import identifier
from consometers_quoalise_network import Answerer, Asker
from packages.quoalise.tests.samples import NEED

SERIES = identifier.identifier("urn:dev:prm:30001610071843_consumption/power/active/raw")
HOUR = 3600
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 1, tzinfo=UTC)


def records(first: datetime, count: int) -> Data:
    """Hourly records whose values count the hours since START."""
    begin = int(first.timestamp())
    hour = (begin - int(START.timestamp())) // HOUR
    values: dict[Number, Number] = {begin + n * HOUR: hour + n for n in range(count)}
    measured = Measurement(
        name="active-power",
        direction="consumption",
        quantity="power",
        unit="W",
        sampling_interval=Duration(seconds=HOUR),
    )
    metadata = Metadata(measurement=measured)
    return Data(metadata, (Records(str(SERIES), "W", values),))


class MemoryHome(Answerer):
    """Answers those who may ask."""

    role = Role.HOUSEHOLD

    def __init__(self, *readers: str) -> None:
        self.readers = set(readers)
        self.subscribers: set[tuple[str, str]] = set()
        self.hours = 24 * 31
        self.terminated: list[str] = []

    async def get_history(self, asker: Asker, request: GetHistory) -> Data:
        self._admit(asker, request.identifier)
        start, end = request.range(NOW)
        first = max(start, START)
        hours = int((min(end, NOW) - first).total_seconds()) // HOUR
        return records(first, max(0, min(hours, self.hours)))

    async def subscribe(self, asker: Asker, series: Identifier) -> None:
        self._admit(asker, series)
        self.subscribers.add((asker.jid, asker.full))

    async def unsubscribe(self, asker: Asker, series: Identifier) -> None:
        self.subscribers = {(jid, full) for jid, full in self.subscribers if jid != asker.jid}

    async def list_series(self, asker: Asker) -> Iterable[Listed]:
        if asker.jid not in self.readers:
            return []
        return [
            Listed(
                series=SERIES,
                interval=Duration(seconds=HOUR),
                unit="W",
                first=START,
                device="electricity-meter",
            )
        ]

    async def terminate(self, asker: Asker, permission: str) -> Receipt:
        self.terminated.append(permission)
        return Receipt(permission=permission, state=State.TERMINATED, time=NOW)

    def _admit(self, asker: Asker, series: Identifier) -> None:
        if asker.jid not in self.readers:
            raise NotAuthorized
        if series != SERIES:
            raise ItemNotFound


class AskingCollective(Answerer):
    """Asks for one thing, and takes it."""

    role = Role.COLLECTIVE

    def __init__(self) -> None:
        self.granted: list[tuple[str, Permission]] = []
        self.invitations: list[str | None] = []

    async def get_data_needs(self, asker: Asker, invitation: str | None) -> Iterable[DataNeed]:
        self.invitations.append(invitation)
        return [NEED]

    async def grant(self, asker: Asker, permission: Permission) -> Receipt:
        self.granted.append((asker.jid, permission))
        return Receipt(permission=permission.id, state=State.GRANTED, time=NOW)

    async def withdraw(self, asker: Asker, permission: str, *, erase: bool) -> Receipt:
        erased = (Erased(SERIES, 24),) if erase else ()
        return Receipt(permission=permission, state=State.WITHDRAWN, time=NOW, erased=erased)


class RecordKeeper:
    """Keeps what is pushed, when it is let, or fails."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.records: dict[float, float] = {}
        self.held: str | None = None
        """A peer whose pushes wait for `may_keep`; without one, all peers'."""
        self.came = asyncio.Event()
        self.may_keep = asyncio.Event()
        self.may_keep.set()
        self.fault: Exception | None = None

    def hold(self, peer: str | None = None) -> None:
        self.held = peer
        self.may_keep.clear()

    async def keep(self, sender: str, data: Data) -> None:
        self.counts[sender] += 1
        self.came.set()
        if self.held in (None, sender):
            await self.may_keep.wait()
        if self.fault is not None:
            raise self.fault
        for series in data.records:
            self.records.update(series.values)
