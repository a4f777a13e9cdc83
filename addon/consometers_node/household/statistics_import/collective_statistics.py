"""The sums that collectives publish to this home, read for as long as it shares with them.

    a grant ─ list_series ─ a pulled series for each direction ─ its statistic in Home Assistant
                   └ again, ever later and then once a day, with the quartiles of the last month

Everything is an import like any other (see `importing`), but for how often a collective is asked:
it sends what is new until it has a receipt, so that nothing is missed while nobody asks. At each
look, its listing is compared with what Home Assistant has.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import logging
import random
import time
from typing import NoReturn

from consometers_node.household.errors import SourceFault
from consometers_node.household.source import Speaker
from consometers_node.household.statistics import (
    AVERAGES,
    FROM_COLLECTIVES,
    IN_COMMON,
    PARTS,
)
from consometers_node.household.waiting import patiently
from consometers_node.i18n.text import text
from consometers_node.permission import Permissions, State
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.plants import all_held_plants, remove_held_plants
from consometers_node.store.household.pulled import Pulled, add_pulled, all_pulled, remove_pulled
from consometers_node.store.household.statistic_owners import own_statistic
from consometers_node.store.peers import Peer, all_peers
from consometers_node.store.settings import set_setting, setting
from consometers_quoalise import (
    Challenge,
    Data,
    Direction,
    ErrorType,
    Identifier,
    Listed,
    Prices,
    QuoaliseError,
    SeriesPath,
)
from consometers_quoalise.records.identifier import ENTERPRISE, identifier
from consometers_quoalise_network import Asking, NetworkError

from .external_statistic import Offer, PollPace
from .plant_statistics import PlantStatistics, slug
from .totals import TIME_ZONE, Totals, month_before

EVERY_S = 24 * 3600.0
FIRST_WAIT_S = 30.0

_KEY = "collectives.sums"
_LONGEST_WAIT_S = 3600.0
_OUTAGE_WAIT_S = 600.0
"""At most, where the network or a busy node is in the way, and not a refusal."""
_OWN = f"{ENTERPRISE}-"
_MAX_NAME = 40
_PACE = PollPace(poll=timedelta(hours=6), again=timedelta(days=30), on_return=False)
_DIRECTIONS = {
    Direction.CONSUMPTION: text("consumption"),
    Direction.INJECTION: text("injection"),
    Direction.PRODUCTION: text("production"),
}

_PER_MEMBER = text("{collective} — consumption per member")

_LOGGER = logging.getLogger(__name__)


async def are_shown(connection: AsyncConnection) -> bool:
    """Return whether the sums of this home's collectives are read: by default, they are."""
    return await setting(connection, _KEY) != "no"


async def show(connection: AsyncConnection, *, shown: bool) -> None:
    """Set whether they are read."""
    await set_setting(connection, _KEY, None if shown else "no")


def of_collectives(pulled: Iterable[Pulled], jid: str) -> dict[Direction, Pulled]:
    """Return the imported sums of a collective, by direction."""
    by_direction = {}
    for series in pulled:
        direction = identifier(series.identifier).direction
        if direction and series.jid == jid and series.statistic.startswith(IN_COMMON):
            by_direction[direction] = series
    return by_direction


def average_of(pulled: Iterable[Pulled], jid: str) -> Pulled | None:
    """Return the imported consumption per member of a collective."""
    own = (series for series in pulled if series.jid == jid)
    return next((series for series in own if series.statistic.startswith(AVERAGES)), None)


@dataclass(slots=True)
class _Collective:
    """What a collective sent or listed last, and when it is asked again."""

    totals: Totals | None = None
    prices: Prices | None = None
    challenge: Challenge | None = None
    next_at: float = 0.0
    wait_s: float | None = None
    """None after news: a young collective soon publishes more."""


class CollectiveStatistics:
    """Finds the sums of collectives, has them pulled, and remembers the latest."""

    def __init__(
        self,
        store: Store,
        asking: Asking,
        speaker: Speaker,
        changes: Changes,
        *,
        every_s: float = EVERY_S,
        first_wait_s: float = FIRST_WAIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is requested yet."""
        self._store = store
        self._asking = asking
        self._speaker = speaker
        self._changes = changes
        self._every_s = every_s
        self._first_wait_s = first_wait_s
        self._clock = clock
        self.plants = PlantStatistics(store, asking, changes)
        self._collectives = defaultdict[str, _Collective](_Collective)
        self._peers: Mapping[str, Peer] = {}
        self._since: dict[str, datetime] = {}
        self._empty: set[str] = set()
        self.offers: dict[str, Offer] = {}
        """What the last look found of each imported statistic, until its import has taken it."""

    def totals(self, jid: str) -> Totals | None:
        """Return the latest sums of a collective; None if it sent none."""
        return self._collectives.get(jid, _Collective()).totals

    def prices(self, jid: str) -> Prices | None:
        """Return the price of a kWh that a collective states, if it does."""
        return self._collectives.get(jid, _Collective()).prices

    def challenge(self, jid: str) -> Challenge | None:
        """Return the challenge of this home's commune, as its collective publishes it."""
        return self._collectives.get(jid, _Collective()).challenge

    def has_nothing(self, statistic: str) -> bool:
        return statistic in self._empty

    def pace(self, pulled: Pulled) -> PollPace | None:
        """Return how often a collective's sums are requested; None for any other series."""
        return _PACE if pulled.statistic.startswith(FROM_COLLECTIVES) else None

    def since(self, pulled: Pulled) -> datetime | None:
        """Return where the past of sums begins, if their collective stated it."""
        return self._since.get(pulled.statistic)

    def receive(self, pulled: Pulled, data: Data) -> None:
        """Take records of a collective's sums."""
        if pulled.statistic.startswith(IN_COMMON):
            if len(data) and pulled.statistic in self._empty:
                self._empty.discard(pulled.statistic)
                # A collective that has just opened soon publishes more.
                collective = self._collectives[pulled.jid]
                collective.wait_s = None
                collective.next_at = self._clock() + self._first_wait_s
            self._take(pulled.jid, data)
        elif pulled.statistic.startswith(PARTS):
            self.plants.receive(pulled, data)

    async def run(self) -> NoReturn:
        """Find the series to read, and end those that are no longer read.

        Each collective has a task of its own: one that is slow keeps no other waiting.
        """
        following: dict[str, asyncio.Task[NoReturn]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                seen = self._changes.count
                async with self._store.reading() as connection:
                    granted = await _granted(connection)
                    peers = granted if await are_shown(connection) else {}
                ended = [following.pop(jid) for jid in following.keys() - peers.keys()]
                for task in ended:
                    task.cancel()
                if ended:
                    # What one of them writes meanwhile is ended with it.
                    await asyncio.wait(ended)
                await self._end_others(granted, peers)
                self._peers = peers
                for jid in peers.keys() - following.keys():
                    following[jid] = tasks.create_task(self._follow(jid))
                await self._changes.after(seen)

    async def _follow(self, jid: str) -> NoReturn:
        """Look at a collective again and again."""
        collective = self._collectives[jid]
        while True:
            seen = self._changes.count
            if collective.next_at <= self._clock():
                wait_s = await self._look(self._peers[jid], collective)
                collective.next_at = self._clock() + wait_s
            await self._changes.after(seen, max(0.0, collective.next_at - self._clock()))

    async def _end_others(self, granted: Container[str], peers: Mapping[str, Peer]) -> None:
        """End the reading of all but some peers. Home Assistant keeps their statistics."""
        async with self._store.reading() as connection:
            pulled = await all_pulled(connection)
            plants = await all_held_plants(connection)
        if ended := [plant.statistic for plant in plants if plant.jid not in granted]:
            async with self._store.writing() as connection:
                await remove_held_plants(connection, ended)
        over = [
            series
            for series in pulled
            if series.statistic.startswith(FROM_COLLECTIVES) and series.jid not in peers
        ]
        await self._forget(over)
        for series in over:
            if series.jid in granted:
                await self._unsubscribe(series)
        for jid in self._collectives.keys() - peers.keys():
            del self._collectives[jid]

    async def _unsubscribe(self, pulled: Pulled) -> None:
        """Unsubscribe from series that a person declined."""
        try:
            await self._asking.unsubscribe(pulled.jid, identifier(pulled.identifier))
        except (NetworkError, QuoaliseError) as fault:
            _LOGGER.debug("a subscription has not ended yet: %s", fault)

    async def _look(self, peer: Peer, collective: _Collective) -> float:
        """Have a collective's series read, and return the seconds until the next look.

        That is soon where something was new: a young collective publishes step by step.
        """
        if not await self._is_notified(peer):
            # Only this node's database was asked.
            return self._first_wait_s
        try:
            listed = await self._asking.list_series(peer.jid)
            language = await patiently(self._speaker, self._speaker.language)
            self._take_listed(collective, listed)
            is_new = await self._read(peer, listed, language)
            if await self.plants.read(peer, listed, language) or is_new:
                collective.wait_s = None
            await self._offer(peer, listed)
            await self._ask_for_quartiles(peer, collective, listed)
            await self.plants.ask_for_month(peer, datetime.now(UTC))
            most = self._every_s
        except (SourceFault, NetworkError, QuoaliseError) as fault:
            _LOGGER.debug("the sums of a collective are looked for later: %s", fault)
            refuses = isinstance(fault, QuoaliseError) and fault.type is not ErrorType.WAIT
            most = _LONGEST_WAIT_S if refuses else _OUTAGE_WAIT_S
        wait = min(collective.wait_s or self._first_wait_s, most)
        collective.wait_s = 2 * wait
        return wait * random.uniform(0.9, 1.1)  # noqa: S311  not a secret

    async def _is_notified(self, peer: Peer) -> bool:
        """Return whether a collective has confirmed all decisions made here."""
        async with self._store.reading() as connection:
            return not await Permissions(connection).notices(peer.id)

    async def _read(self, peer: Peer, listed: Sequence[Listed], language: str) -> bool:
        """Have a collective's sums pulled, and those per home; return whether one is new."""
        async with self._store.reading() as connection:
            all_series = await all_pulled(connection)
        current = of_collectives(all_series, peer.jid)
        offered = _sums(listed)
        if current and self._is_finer(current, offered):
            offered = {}
        wanted: list[tuple[Pulled | None, Listed, str, str]] = []
        for direction, listing in offered.items():
            statistic = f"{IN_COMMON}{_slug(listing)}_{direction}"
            title = f"{peer.name} — {_DIRECTIONS[direction].say(language)}"
            wanted.append((current.get(direction), listing, statistic, title))
        if (consumption := offered.get(Direction.CONSUMPTION)) is not None:
            title = _PER_MEMBER.say(language).format(collective=peer.name)
            average = average_of(all_series, peer.jid)
            wanted.append((average, consumption, f"{AVERAGES}{_slug(consumption)}", title))
        new: list[tuple[Pulled | None, Pulled]] = []
        now = datetime.now(UTC)
        for before, listing, wanted_name, title in wanted:
            statistic = await self._statistic(peer, before, listing, wanted_name)
            if before is None or before.identifier != str(listing.series):
                series = Pulled(statistic, peer.jid, str(listing.series), title, now)
                new.append((before, series))
                self._since[statistic] = listing.first or now
            if listing.first is None:
                self._empty.add(statistic)
            else:
                self._empty.discard(statistic)
        if not new:
            return False
        async with self._store.writing() as connection:
            for before, series in new:
                if before is not None:
                    await remove_pulled(connection, before.statistic)
                await add_pulled(connection, series)
        self._changes.notify()
        return True

    async def _statistic(
        self, peer: Peer, before: Pulled | None, listing: Listed, wanted: str
    ) -> str:
        """Return the statistic of a collective's series, which no other peer ever had."""
        if before is not None:
            return before.statistic
        device = str(listing.series.device)
        async with self._store.writing() as connection:
            return await own_statistic(connection, peer.jid, device, wanted)

    def _is_finer(
        self, current: Mapping[Direction, Pulled], offered: Mapping[Direction, Listed]
    ) -> bool:
        """Return whether other sums are imported, and may be in Home Assistant."""
        reads = {identifier(series.identifier).quantity for series in current.values()}
        offers = {listing.series.quantity for listing in offered.values()}
        anything = any(series.statistic not in self._empty for series in current.values())
        return bool(offers) and reads != offers and anything

    async def _offer(self, peer: Peer, listed: Iterable[Listed]) -> None:
        """Pass what a collective lists of its series on to their imports."""
        by_name = {str(listing.series): listing for listing in listed}
        async with self._store.reading() as connection:
            pulled = [series for series in await all_pulled(connection) if series.jid == peer.jid]
        for series in pulled:
            listing = by_name.get(series.identifier)
            if listing is not None and listing.first is not None and listing.last is not None:
                self.offers[series.statistic] = Offer(listing.first, listing.last)
        self._changes.notify()

    async def _forget(self, gone: Sequence[Pulled]) -> None:
        if not gone:
            return
        async with self._store.writing() as connection:
            for series in gone:
                await remove_pulled(connection, series.statistic)
                self._since.pop(series.statistic, None)
                self.offers.pop(series.statistic, None)
        self._changes.notify()

    async def _ask_for_quartiles(
        self, peer: Peer, collective: _Collective, listed: Iterable[Listed]
    ) -> None:
        now = datetime.now(UTC)
        month = month_before(now)
        totals = collective.totals
        if totals and totals.month and totals.month.month >= month:
            return
        own = {str(listing.series.device) for listing in _sums(listed).values()}
        for listing in listed:
            name = listing.series
            if name.quantity == SeriesPath.MEDIAN and str(name.device) in own:
                start = datetime(month.year, month.month, 1, tzinfo=TIME_ZONE)
                self._take(peer.jid, await self._asking.get_history(peer.jid, name, start, now))

    def _take_listed(self, collective: _Collective, listed: Iterable[Listed]) -> None:
        before = collective.prices, collective.challenge
        collective.prices = next((each.prices for each in listed if each.prices), None)
        collective.challenge = next((each.challenge for each in listed if each.challenge), None)
        if before != (collective.prices, collective.challenge):
            self._changes.notify()

    def _take(self, jid: str, data: Data) -> None:
        collective = self._collectives[jid]
        collective.totals = collective.totals or Totals()
        if collective.totals.take(data):
            self._changes.notify()


async def _granted(connection: AsyncConnection) -> dict[str, Peer]:
    """Return the peers with a grant, by address."""
    permissions = await Permissions(connection).all()
    granted = {permission.peer for permission in permissions if permission.state is State.GRANTED}
    return {peer.jid: peer for peer in await all_peers(connection) if peer.id in granted}


def _sums(listed: Iterable[Listed]) -> dict[Direction, Listed]:
    """Return the sums of all members that a collective offers, by direction.

    They are its load curves, or its days where nothing finer was ever sent. Of several groups that
    of all has the shortest name. Nothing is a sum that has no count of members beside it.
    """
    by_name = {listing.series: listing for listing in listed}
    sums = [
        listing for name, listing in by_name.items() if name.members in by_name and _is_own(name)
    ]
    device = min(
        (listing.series.device for listing in sums), key=lambda name: len(name.body), default=None
    )
    fine, daily = (
        {
            listing.series.direction: listing
            for listing in sums
            if listing.series.device == device and listing.series.quantity == quantity
        }
        for quantity in (SeriesPath.POWER, SeriesPath.ENERGY_DAILY)
    )
    only_days = all(listing.first is None for listing in fine.values())
    days = only_days and any(listing.first is not None for listing in daily.values())
    chosen = daily if days or not fine else fine
    return {direction: listing for direction, listing in chosen.items() if direction is not None}


def _is_own(name: Identifier) -> bool:
    return name.device.subtype == "org" and name.device.body.startswith(_OWN)


def _slug(listing: Listed) -> str:
    return slug(listing.series.device, _MAX_NAME)
