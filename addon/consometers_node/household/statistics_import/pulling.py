"""All the series that this household pulls from peers into its Home Assistant."""

import asyncio
from datetime import datetime
from functools import partial
from typing import NoReturn

from consometers_node.household.source import StatisticsWriter
from consometers_node.household.statistics import AVERAGES, StatisticId
from consometers_node.sharing.changes import Changes, KnownPeers
from consometers_node.store import Store
from consometers_node.store.household.plants import HeldPlant, all_held_plants
from consometers_node.store.household.pulled import Pulled, all_pulled, update_pulled
from consometers_quoalise import Data, NotAuthorized
from consometers_quoalise.records.identifier import identifier
from consometers_quoalise_network import Asking, NetworkError, Transport
from consometers_quoalise_network.address import account_of

from .collective_statistics import CollectiveStatistics
from .external_statistic import HISTORY, Import, StatisticsImport
from .limits import RowBudget

_FOR_EVER_S = 1e9


class StoredImportState:
    """The state of one import, in the database."""

    def __init__(self, store: Store, statistic: str) -> None:
        self._store = store
        self._statistic = statistic

    async def moved(self, until: datetime) -> None:
        """Store up to where records were requested."""
        async with self._store.writing() as connection:
            await update_pulled(connection, self._statistic, until=until)

    async def problem(self, words: str | None) -> None:
        """Store the problem."""
        async with self._store.writing() as connection:
            await update_pulled(connection, self._statistic, problem=words)


def import_of(pulled: Pulled, since: datetime | None = None, part: float = 1.0) -> Import:
    """Return what to import, by default from as far back as the network's operator has it."""
    return Import(
        peer=pulled.jid,
        series=identifier(pulled.identifier),
        statistic=StatisticId(pulled.statistic),
        title=pulled.name,
        since=since or pulled.added_at - HISTORY,
        until=pulled.until,
        part=part,
        per_member=pulled.statistic.startswith(AVERAGES),
    )


class Pulling:
    """Runs the imports in the database, also those added later."""

    def __init__(
        self,
        store: Store,
        connection: Transport,
        asking: Asking,
        recorder: StatisticsWriter,
        changes: Changes,
        *,
        together: CollectiveStatistics,
    ) -> None:
        """Prepare; nothing is pulled yet. `together` receives the sums of collectives."""
        self._store = store
        self._connection = connection
        self._asking = asking
        self._recorder = recorder
        self._changes = changes
        self._together = together
        self._budget = RowBudget()
        self.peers = KnownPeers(changes)
        """The peers of pulled series."""
        self._running: dict[
            tuple[str, str, float], tuple[StatisticsImport, asyncio.Task[NoReturn]]
        ] = {}
        """Pulled series: statistic, series, and this home's share of it."""
        self._has_imports = asyncio.Event()

    async def any(self) -> None:
        """Wait until there is something to pull: from then on, pushes are for us."""
        await self._has_imports.wait()

    async def keep(self, sender: str, data: Data) -> None:
        """Store a push; it is confirmed when this returns. Raises NotAuthorized."""
        async with self._store.reading() as connection:
            pulled = await all_pulled(connection)
        if not any(account_of(series.jid) == sender for series in pulled):
            raise NotAuthorized
        for importing, _ in list(self._running.values()):
            await importing.receive(sender, data)

    async def run(self) -> NoReturn:
        """Pull until cancelled. Raises AccessDenied."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._come_back())
            while True:
                seen = self._changes.count
                async with self._store.reading() as connection:
                    all_series = await all_pulled(connection)
                    plants = await all_held_plants(connection)
                self.peers.are((account_of(series.jid) for series in all_series), seen)
                held = {plant.statistic: plant for plant in plants}
                pulled = {
                    (
                        series.statistic,
                        series.identifier,
                        held[series.statistic].part if series.statistic in held else 1.0,
                    ): series
                    for series in all_series
                }
                for gone in self._running.keys() - pulled.keys():
                    self._running.pop(gone)[1].cancel()
                for key, series in pulled.items():
                    if key not in self._running:
                        importing = self._importing(series, held.get(series.statistic))
                        self._running[key] = importing, tasks.create_task(importing.run())
                        self._has_imports.set()
                for (statistic, *_), (importing, _) in self._running.items():
                    if (offer := self._together.offers.pop(statistic, None)) is not None:
                        importing.compare(offer)
                await self._changes.after(seen)

    def _importing(self, pulled: Pulled, plant: HeldPlant | None) -> StatisticsImport:
        plan = (
            import_of(pulled, self._together.since(pulled))
            if plant is None
            else import_of(pulled, plant.since, plant.part)
        )
        return StatisticsImport(
            plan,
            self._asking,
            self._recorder,
            StoredImportState(self._store, pulled.statistic),
            pace=self._together.pace(pulled),
            budget=self._budget,
            seen=partial(self._together.receive, pulled),
            language=self._connection.language,
        )

    async def _come_back(self) -> None:
        """Wake the imports at each new session: something may have been missed.

        Where only a person can help, no other session begins.
        """
        while True:
            try:
                session = await self._connection.online(_FOR_EVER_S)
            except NetworkError:
                return
            for importing, _ in list(self._running.values()):
                importing.came_back()
            await asyncio.shield(session.ended)
