"""The sums that collectives publish to this home, read for as long as it shares with them.

    a grant ─ list_series ─ a pulled series for each direction ─ its statistic in Home Assistant
                   └ again, ever later and then once a day, with the quartiles of the last month

Everything is an import like any other (see `importing`), but for how often a collective is asked:
it sends what is new until it has a receipt, so that nothing is missed while nobody asks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
import logging
import random
import re
import time
from typing import NoReturn

from ...permission import Permissions, State
from ...quoalise import (
    Challenge,
    Data,
    Direction,
    Identifier,
    Listed,
    Prices,
    QuoaliseError,
    SeriesPath,
)
from ...quoalise.identifier import ENTERPRISE, identifier
from ...quoalise.text import text
from ...sharing.changes import Changes
from ...store import Store
from ...store.connection import AsyncConnection
from ...store.peers import Peer, all_peers
from ...store.plants import all_held_plants, remove_held_plants
from ...store.pulled import Pulled, add_pulled, all_pulled, remove_pulled
from ...store.settings import set_setting, setting
from ...xmpp import Asking, NetworkError
from ..recorder.client import Recorder, patiently
from ..recorder.errors import HomeAssistantFault
from ..recorder.statistics import AVERAGES, FROM_COLLECTIVES, IN_COMMON, PARTS
from .external_statistic import PollPace
from .plant_statistics import PlantStatistics
from .totals import TIME_ZONE, Totals, month_before

EVERY_S = 24 * 3600.0
FIRST_WAIT_S = 30.0

_KEY = "collectives.sums"
_LONGEST_WAIT_S = 3600.0
_OWN = f"{ENTERPRISE}-"
_OTHERS = re.compile(r"[^a-z0-9]+")
_MAX_NAME = 40
_MISSED = timedelta(hours=6)
_PACE = PollPace(poll=timedelta(hours=6), again=timedelta(days=30), on_return=False)
_DIRECTIONS = {
    Direction.CONSUMPTION: text("consumption"),
    Direction.INJECTION: text("injection"),
    Direction.PRODUCTION: text("production"),
}

_PER_HOME = text("{collective} — consumption per home")

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
    """Return the imported consumption per home of a collective."""
    own = (series for series in pulled if series.jid == jid)
    return next((series for series in own if series.statistic.startswith(AVERAGES)), None)


class CollectiveStatistics:
    """Finds the sums of collectives, has them pulled, and remembers the latest."""

    def __init__(
        self,
        store: Store,
        asking: Asking,
        recorder: Recorder,
        changes: Changes,
        *,
        every_s: float = EVERY_S,
        first_wait_s: float = FIRST_WAIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is requested yet."""
        self._store = store
        self._asking = asking
        self._recorder = recorder
        self._changes = changes
        self._every_s = every_s
        self._first_wait_s = first_wait_s
        self._clock = clock
        self.plants = PlantStatistics(store, asking, changes)
        self._totals: dict[str, Totals] = {}
        self._prices: dict[str, Prices | None] = {}
        self._challenges: dict[str, Challenge | None] = {}
        self._since: dict[str, datetime] = {}
        self._empty: set[str] = set()
        self._missed: set[str] = set()
        self._next: dict[str, float] = {}
        self._waits: dict[str, float] = {}

    def totals(self, jid: str) -> Totals | None:
        """Return the latest sums of a collective; None if it sent none."""
        return self._totals.get(jid)

    def prices(self, jid: str) -> Prices | None:
        """Return the price of a kWh that a collective states, if it does."""
        return self._prices.get(jid)

    def challenge(self, jid: str) -> Challenge | None:
        """Return the challenge of this home's commune, as its collective publishes it."""
        return self._challenges.get(jid)

    def has_nothing(self, statistic: str) -> bool:
        return statistic in self._empty

    def pace(self, pulled: Pulled) -> PollPace | None:
        """Return how often a collective's sums are requested; None for any other series."""
        return _PACE if pulled.statistic.startswith(FROM_COLLECTIVES) else None

    def since(self, pulled: Pulled) -> datetime | None:
        """Return where the past of sums begins, if their collective stated it."""
        return self._since.get(pulled.statistic)

    def missed(self) -> set[str]:
        """Return the statistics that missed something, once."""
        missed, self._missed = self._missed, set()
        return missed

    def receive(self, pulled: Pulled, data: Data) -> None:
        """Take records of a collective's sums."""
        if pulled.statistic.startswith(IN_COMMON):
            if len(data) and pulled.statistic in self._empty:
                self._empty.discard(pulled.statistic)
                # A collective that has just opened soon publishes more.
                self._waits.pop(pulled.jid, None)
                self._next[pulled.jid] = self._clock() + self._first_wait_s
            self._take(pulled.jid, data)
        elif pulled.statistic.startswith(PARTS):
            self.plants.receive(pulled, data)

    async def run(self) -> NoReturn:
        """Find the series to read, and end those that are no longer read."""
        clock = self._clock
        while True:
            seen = self._changes.count
            peers = await self._peers()
            await self._end(peers)
            self._next = {jid: self._next.get(jid, 0.0) for jid in peers}
            for jid, peer in peers.items():
                if self._next[jid] <= clock():
                    self._next[jid] = clock() + await self._look(peer)
            wait = min(self._next.values(), default=None)
            await self._changes.after(seen, None if wait is None else max(0.0, wait - clock()))

    async def _peers(self) -> Mapping[str, Peer]:
        """Return the peers with a grant, by address; none if a person declined."""
        async with self._store.reading() as connection:
            return await _granted(connection) if await are_shown(connection) else {}

    async def _end(self, peers: Mapping[str, Peer]) -> None:
        """Stop reading peers without a grant. Home Assistant keeps their statistics."""
        async with self._store.reading() as connection:
            pulled = await all_pulled(connection)
            granted = await _granted(connection)
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
        for jid in self._totals.keys() - peers.keys():
            del self._totals[jid]
        for jid in self._prices.keys() - peers.keys():
            del self._prices[jid]
        for jid in self._challenges.keys() - peers.keys():
            del self._challenges[jid]

    async def _unsubscribe(self, pulled: Pulled) -> None:
        """Unsubscribe from series that a person declined."""
        try:
            await self._asking.unsubscribe(pulled.jid, identifier(pulled.identifier))
        except (NetworkError, QuoaliseError) as fault:
            _LOGGER.debug("a subscription has not ended yet: %s", fault)

    async def _look(self, peer: Peer) -> float:
        """Have a collective's series read, and return the seconds until the next look.

        That is soon where something was new: a young collective publishes step by step.
        """
        most = _LONGEST_WAIT_S
        try:
            if await self._is_notified(peer):
                listed = await self._asking.list_series(peer.jid)
                language = await patiently(self._recorder, self._recorder.language)
                self._take_prices(peer.jid, listed)
                self._take_challenge(peer.jid, listed)
                is_new = await self._read(peer, listed, language)
                if await self.plants.read(peer, listed, language) or is_new:
                    self._waits.pop(peer.jid, None)
                await self._ask_for_quartiles(peer, listed)
                await self.plants.ask_for_month(peer, datetime.now(UTC))
                most = self._every_s
        except (HomeAssistantFault, NetworkError, QuoaliseError) as fault:
            _LOGGER.debug("the sums of a collective are looked for later: %s", fault)
        wait = min(self._waits.get(peer.jid, self._first_wait_s), most)
        self._waits[peer.jid] = 2 * wait
        return wait * random.uniform(0.9, 1.1)  # noqa: S311  not a secret

    async def _is_notified(self, peer: Peer) -> bool:
        """Return whether a collective has confirmed all decisions made here."""
        async with self._store.reading() as connection:
            return not await Permissions(connection).notices(peer.id)

    async def _read(self, peer: Peer, listed: Sequence[Listed], language: str) -> bool:
        """Have each direction of a collective's sums pulled; return whether one is new."""
        async with self._store.reading() as connection:
            all_series = await all_pulled(connection)
        current = of_collectives(all_series, peer.jid)
        offered = _sums(listed)
        if current and self._is_finer(current, offered):
            offered = {}
        taken = {series.statistic: series.jid for series in all_series}
        new = []
        for direction, listing in offered.items():
            before = current.get(direction)
            if before is None or before.identifier != str(listing.series):
                statistic = before.statistic if before else _statistic(listing, direction)
                if taken.get(statistic, peer.jid) != peer.jid:
                    statistic = f"{statistic}_{peer.id}"
                new.append((before, listing, statistic, direction))
                self._since[statistic] = listing.first or datetime.now(UTC)
            else:
                statistic = before.statistic
                self._look_for_missed(peer, statistic, listing)
            if listing.first is None:
                self._empty.add(statistic)
            else:
                self._empty.discard(statistic)
        average = await self._read_average(peer, all_series, offered, language)
        if not new:
            return average
        await self._forget([before for before, *_ in new if before is not None])
        now = datetime.now(UTC)
        async with self._store.writing() as connection:
            for _, listing, statistic, direction in new:
                flow = _DIRECTIONS[direction].say(language)
                pulled = Pulled(
                    statistic=statistic,
                    jid=peer.jid,
                    identifier=str(listing.series),
                    name=f"{peer.name} — {flow}",
                    added_at=now,
                )
                await add_pulled(connection, pulled)
        self._changes.notify()
        return True

    async def _read_average(
        self,
        peer: Peer,
        all_series: Iterable[Pulled],
        offered: Mapping[Direction, Listed],
        language: str,
    ) -> bool:
        """Have the consumption per home pulled; return whether it is new."""
        listing = offered.get(Direction.CONSUMPTION)
        before = average_of(all_series, peer.jid)
        if listing is None:
            return False
        is_read = before is not None and before.identifier == str(listing.series)
        statistic = before.statistic if before else _average(listing, peer, all_series)
        if listing.first is None:
            self._empty.add(statistic)
        else:
            self._empty.discard(statistic)
        if is_read:
            self._look_for_missed(peer, statistic, listing)
            return False
        await self._forget([] if before is None else [before])
        self._since[statistic] = listing.first or datetime.now(UTC)
        name = _PER_HOME.say(language).format(collective=peer.name)
        pulled = Pulled(statistic, peer.jid, str(listing.series), name, datetime.now(UTC))
        async with self._store.writing() as connection:
            await add_pulled(connection, pulled)
        self._changes.notify()
        return True

    def _is_finer(
        self, current: Mapping[Direction, Pulled], offered: Mapping[Direction, Listed]
    ) -> bool:
        """Return whether other sums are imported, and may be in Home Assistant."""
        reads = {identifier(series.identifier).quantity for series in current.values()}
        offers = {listing.series.quantity for listing in offered.values()}
        anything = any(series.statistic not in self._empty for series in current.values())
        return bool(offers) and reads != offers and anything

    def _look_for_missed(self, peer: Peer, statistic: str, listing: Listed) -> None:
        totals = self._totals.get(peer.jid)
        until = totals.until if totals else None
        if until is not None and listing.last is not None and listing.last >= until + _MISSED:
            self._missed.add(statistic)
            self._changes.notify()

    async def _forget(self, gone: Sequence[Pulled]) -> None:
        if not gone:
            return
        async with self._store.writing() as connection:
            for series in gone:
                await remove_pulled(connection, series.statistic)
                self._since.pop(series.statistic, None)
        self._changes.notify()

    async def _ask_for_quartiles(self, peer: Peer, listed: Iterable[Listed]) -> None:
        now = datetime.now(UTC)
        month = month_before(now)
        totals = self._totals.get(peer.jid)
        if totals and totals.month and totals.month.month >= month:
            return
        own = {str(listing.series.device) for listing in _sums(listed).values()}
        for listing in listed:
            name = listing.series
            if name.quantity == SeriesPath.MEDIAN and str(name.device) in own:
                start = datetime(month.year, month.month, 1, tzinfo=TIME_ZONE)
                self._take(peer.jid, await self._asking.get_history(peer.jid, name, start, now))

    def _take_prices(self, jid: str, listed: Iterable[Listed]) -> None:
        prices = next((each.prices for each in listed if each.prices is not None), None)
        if self._prices.get(jid) != prices:
            self._prices[jid] = prices
            self._changes.notify()

    def _take_challenge(self, jid: str, listed: Iterable[Listed]) -> None:
        challenge = next((each.challenge for each in listed if each.challenge is not None), None)
        if self._challenges.get(jid) != challenge:
            self._challenges[jid] = challenge
            self._changes.notify()

    def _take(self, jid: str, data: Data) -> None:
        if self._totals.setdefault(jid, Totals()).take(data):
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


def _statistic(listing: Listed, direction: Direction) -> str:
    return f"{IN_COMMON}{_slug(listing)}_{direction}"


def _average(listing: Listed, peer: Peer, pulled: Iterable[Pulled]) -> str:
    statistic = f"{AVERAGES}{_slug(listing)}"
    is_taken = any(series.statistic == statistic for series in pulled)
    return f"{statistic}_{peer.id}" if is_taken else statistic


def _slug(listing: Listed) -> str:
    body = listing.series.device.body.removeprefix(_OWN).lower()
    return _OTHERS.sub("_", body)[:_MAX_NAME].strip("_")
