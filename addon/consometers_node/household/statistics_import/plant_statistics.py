"""This home's part of the plants of its collectives, computed here from published sums.

    list_series ─ the shares of each plant ─ production times shares / all shares
                                                └ a statistic of this home, and figures of now

The number of shares comes from the collective. A correction stays in this home's database.
"""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
import logging
import re

from consometers_node.household.statistics import PARTS
from consometers_node.i18n.text import text
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.plants import (
    HeldPlant,
    all_held_plants,
    put_held_plant,
    remove_held_plants,
)
from consometers_node.store.household.pulled import Pulled, add_pulled, all_pulled, remove_pulled
from consometers_node.store.household.statistic_owners import devices_ever, own_statistic
from consometers_node.store.peers import Peer
from consometers_quoalise import Data, Device, Direction, Listed, SeriesPath, Shares
from consometers_quoalise.records.identifier import ENTERPRISE, identifier, series
from consometers_quoalise.records.values import ALLOWED
from consometers_quoalise_network import Asking

from .limits import MOST_PLANTS, MOST_PLANTS_EVER, are_possible
from .totals import Totals, days_of, month_before, of_whole_days

_OTHERS = re.compile(r"[^a-z0-9]+")
_MAX_NAME = 80
_TITLE = text("{plant} – my part")

_FEW_READ = text("A collective lists {count} plants: {most} of them are read.")
_LOGGER = logging.getLogger(__name__)


async def correct(
    connection: AsyncConnection, statistic: str, shares: int | None, language: str
) -> bool:
    """Store how many shares this home holds by its own account; None for the collective's number.

    Return whether there is such a plant. Its statistic is computed again, for all years.
    """
    plants = {plant.statistic: plant for plant in await all_held_plants(connection)}
    if (before := plants.get(statistic)) is None:
        return False
    await _store(connection, before, replace(before, corrected=shares), language)
    return True


class PlantStatistics:
    """The latest published figures of plants, by the statistic of this home's part."""

    def __init__(self, store: Store, asking: Asking, changes: Changes) -> None:
        """Prepare; nothing is requested yet."""
        self._store = store
        self._asking = asking
        self._changes = changes
        self._totals: dict[str, Totals] = {}
        self._months: dict[str, tuple[date, int | None]] = {}

    def totals(self, plant: HeldPlant) -> Totals:
        """Return the latest published figures of a whole plant."""
        return self._totals.get(plant.statistic) or Totals()

    def month(self, plant: HeldPlant, month: date) -> int | None:
        """Return the Wh that a whole plant produced in a month, if they are known."""
        latest, energy = self._months.get(plant.statistic, (None, None))
        return energy if latest == month else None

    def receive(self, pulled: Pulled, data: Data) -> None:
        """Take what a collective sent of the production of a plant."""
        if self._totals.setdefault(pulled.statistic, Totals()).take(data):
            self._changes.notify()

    async def read(self, peer: Peer, listed: Iterable[Listed], language: str) -> bool:
        """Store the plants of a collective; return whether any is new or has changed."""
        every = _plants(listed)
        async with self._store.writing() as connection:
            plants = await all_held_plants(connection)
            current = {
                str(identifier(plant.identifier).device): plant
                for plant in plants
                if plant.jid == peer.jid
            }
            ever = await devices_ever(connection, peer.jid, PARTS)
            offered = _few(every, current, ever)
            if len(offered) < len(every):
                _LOGGER.warning(_FEW_READ.fill(count=len(every), most=len(offered)))
            gone = [plant.statistic for device, plant in current.items() if device not in offered]
            for statistic in gone:
                # Home Assistant keeps its statistic.
                await remove_pulled(connection, statistic)
            await remove_held_plants(connection, gone)
            changed = bool(gone)
            for device, (listing, shares) in offered.items():
                before = current.get(device)
                wanted = f"{PARTS}{slug(listing.series.device, _MAX_NAME)}"
                statistic = await own_statistic(connection, peer.jid, device, wanted)
                plant = HeldPlant(
                    statistic=statistic,
                    jid=peer.jid,
                    identifier=str(listing.series),
                    name=shares.name,
                    shares=shares.held,
                    total=shares.total,
                    corrected=before.corrected if before else None,
                    since=(before and before.since) or listing.first,
                )
                changed |= await _store(connection, before, plant, language)
        if changed:
            self._changes.notify()
        return changed

    async def ask_for_month(self, peer: Peer, now: datetime) -> None:
        """Request the daily production of a collective's plants in the last complete month."""
        month = month_before(now)
        async with self._store.reading() as connection:
            plants = [plant for plant in await all_held_plants(connection) if plant.held]
        for plant in plants:
            if plant.jid == peer.jid and self.month(plant, month) is None:
                days = list(days_of(month))
                device = identifier(plant.identifier).device
                daily = series(device, Direction.PRODUCTION, SeriesPath.ENERGY_DAILY)
                begin, end = days[0].start, days[-1].end
                data = await self._asking.get_history(peer.jid, daily, begin, end)
                made = {
                    datetime.fromtimestamp(int(at), UTC): round(value)
                    for records in data.records
                    if records.name == str(daily)
                    for at, value in ALLOWED[SeriesPath.ENERGY_DAILY].of(records.values).items()
                }
                energy = of_whole_days(made.get(day.start) for day in days)
                self._months[plant.statistic] = month, energy
                self._changes.notify()


async def _store(
    connection: AsyncConnection, before: HeldPlant | None, plant: HeldPlant, language: str
) -> bool:
    """Store a plant, and have this home's part imported; return whether anything changed.

    The part of all years is written again where the shares are others: a home has the past of what
    it holds now.
    """
    if plant != before:
        await put_held_plant(connection, plant)
    pulled = {series.statistic for series in await all_pulled(connection)}
    is_read = plant.statistic in pulled
    same = before is not None and _key(before) == _key(plant)
    if same and is_read == bool(plant.held):
        return plant != before
    await remove_pulled(connection, plant.statistic)
    if plant.held:
        title = _TITLE.say(language).format(plant=plant.name)
        now = datetime.now(UTC)
        pulled_part = Pulled(plant.statistic, plant.jid, plant.identifier, title, now)
        await add_pulled(connection, pulled_part)
    return True


def _key(plant: HeldPlant) -> tuple[str, str, float]:
    return plant.identifier, plant.name, plant.part


def _plants(listed: Iterable[Listed]) -> Mapping[str, tuple[Listed, Shares]]:
    """Return the series to import of each plant, by device: a load curve, or days without one."""
    by_device: dict[str, tuple[Listed, Shares]] = {}
    for listing in listed:
        name, shares = listing.series, listing.shares
        if (
            shares is None
            or not are_possible(shares)
            or name.direction is not Direction.PRODUCTION
            or name.quantity not in _PREFERRED
        ):
            continue
        device = str(name.device)
        other = by_device.get(device)
        if other is None or _rank(listing) > _rank(other[0]):
            by_device[device] = listing, shares
    return by_device


def _few(
    offered: Mapping[str, tuple[Listed, Shares]], current: Container[str], ever: Collection[str]
) -> Mapping[str, tuple[Listed, Shares]]:
    """Return as many plants as are read: those that are, before those that the home has a part of.

    A collective that lists others each day gets no more in all than `MOST_PLANTS_EVER`.
    """
    left = MOST_PLANTS_EVER - len(ever)
    new = [device for device in offered if device not in ever]
    new.sort(key=lambda device: not offered[device][1].held)
    allowed = {device for device in offered if device in ever} | set(new[: max(0, left)])
    chosen = sorted(
        allowed, key=lambda device: (device not in current, not offered[device][1].held, device)
    )
    return {device: offered[device] for device in chosen[:MOST_PLANTS]}


_PREFERRED: Sequence[str] = (SeriesPath.ENERGY_DAILY, SeriesPath.POWER)


def _rank(listing: Listed) -> tuple[bool, int]:
    return listing.first is not None, _PREFERRED.index(listing.series.quantity or "")


def slug(device: Device, longest: int) -> str:
    """Return the name of a collective, a group or a plant as a part of a statistic's."""
    body = device.body.removeprefix(f"{ENTERPRISE}-").lower()
    return _OTHERS.sub("_", body)[:longest].strip("_")
