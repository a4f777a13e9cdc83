"""script/bench region: what a day costs at each level: homes, their cooperatives, and a region.

One machine simulates all of them, one server after the other, each with its own database and by the
code that runs there; only the network is left out. The homes of the first cooperative tell hour by
hour, in messages of a record, as homes do; those of the others, which are alike, have told already.
What a cooperative published of an hour goes to the region, in one message for each of its series.
"""

import argparse
import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
import time

from sqlalchemy import update

from consometers_node.collective import given, needs
from consometers_node.collective.members import Kind, Members
from consometers_node.collective.publishing import Publishing
from consometers_node.collective.rules import AT_ONCE, open_from
from consometers_node.collective.taking import Told, take
from consometers_node.quoalise import Direction, Duration, Records, describe
from consometers_node.quoalise.data import Data, decode, encode
from consometers_node.quoalise.identifier import (
    device as device_of,
    organisation,
    series as series_name,
)
from consometers_node.series import Direction as Way, Interval, Range, Series
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from consometers_node.store.collective_tables import GivenSeriesRow
from consometers_node.store.member_counts import counts
from consometers_node.store.series import OWN, all_series, blocks
from consometers_node.wire import told

from .closing import COMMUNES
from .databases import choose, database, size
from .homes import MOST_W, ZONE, join, keep_days, name, need_of, permission
from .members import jid
from .opening import publishing

AT_ONCE_TAKEN = 200
"""Messages that are kept in one transaction, where many members push."""
HOURS = 24
REGION = "region"

_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_DAY_S = 86_400


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
            f" {self.intake_s:.1f} s to keep them, {self.closing_s:.1f} s to close, {share:.2f} % of"
            f" a core; {self.grown / 1e6:.2f} MB more in the database,"
            f" {self.published / 1e6:.2f} MB out"
        )


@dataclass(slots=True)
class Server:
    """A collective without its network."""

    store: Store
    closing: Publishing
    opened_at: datetime
    cost: Cost = field(default_factory=Cost)

    async def keep(self, pushed: Iterable[tuple[str, bytes]], at: datetime) -> None:
        """Read and keep what members (bare JIDs) pushed."""
        for some in batched(pushed, AT_ONCE_TAKEN, strict=False):
            began = time.process_time()
            messages = [Told(sender, decode(message)) for sender, message in some]
            async with self.store.writing() as connection:
                refusals = await take(connection, messages, ZONE.key, at)
            self.cost.intake_s += time.process_time() - began
            assert not any(refusals), refusals
            self.cost.messages += len(some)
            self.cost.received += sum(len(message) for _, message in some)

    async def close(self, at: datetime) -> None:
        """Close what is due."""
        began = time.process_time()
        while await self.closing.look(self.opened_at, at):
            pass
        self.cost.closing_s += time.process_time() - began

    async def published(self, within: Range) -> list[bytes]:
        """Return the messages that tell of what was published of some hours, one a series."""
        found = []
        async with self.store.reading() as connection:
            for number, series in (await own_hours(self.store)).items():
                values = [
                    one
                    for block in await blocks(connection, number, series, within)
                    for one in block.records(within)
                ]
                members = [
                    one
                    for block in await counts(connection, number, series, within)
                    for one in block.records(within)
                ]
                if values:
                    of = series_name(device_of(series.device), Direction.CONSUMPTION)
                    found.append(encode(told(of, series, values, members)))
        self.cost.published += sum(map(len, found))
        return found
