"""A collective's node as a whole: it collects members' records, and publishes sums."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
import logging
from typing import NoReturn

from consometers_node.i18n.text import Text, text
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.names import keep_collective, load_naming
from consometers_node.sharing.outages import Outages
from consometers_node.sharing.permissions.renewal import EVERY_S
from consometers_node.sharing.records.fanout import FIRST_DELAY_S
from consometers_node.sharing.service import MemberPeers, Sharing
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.wire import Naming
from consometers_quoalise_network import PUSH_SECONDS, Identity, NetworkError, Receiving, Transport
from consometers_quoalise_network.backoff import Backoff

from .answers import CollectiveAnswers
from .counters import Counts
from .errors import database_problem
from .ingestion.arrivals import Arrivals
from .ingestion.backfill import Backfill, BackfillPace
from .ingestion.write_queue import WriteQueue
from .letters import sending
from .letters.sending import Letters
from .members.subscribers import Subscribers, addresses, member_peer
from .permissions import needs, termination_notices
from .permissions.termination_notices import TerminationNotices
from .privacy import erasure_log, retention
from .privacy.erasure_log import ErasureLog
from .privacy.own_export import OwnExports
from .privacy.retention import Retention, keep_subscribers
from .privacy_notice import data_policy
from .publication.closing import worker
from .publication.closing.witness_requests import WitnessRequests
from .publication.closing.worker import Publishing
from .publication.policy import InForce
from .settings import Settings
from .witness.service import WitnessService

LONGEST_WAIT_S = 15.0
"""For a receipt: a node that is there gives it in a second."""

_FOR_EVER_S = 1e9

_ENDED_AGAIN = text("Permissions ended again, by {file}: {count}.")
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectivePace:
    """How long a node waits; tests have less time."""

    first_delay_s: float = FIRST_DELAY_S
    receipt_within_s: float = PUSH_SECONDS
    backfill: BackfillPace = field(default_factory=BackfillPace)
    witness: Backoff = field(default_factory=Backoff)
    retention_s: float = retention.EVERY_S
    notices_s: float = termination_notices.AGAIN_S
    letters_s: float = sending.AGAIN_S
    publishing_s: float = worker.EVERY_S
    renewal_s: float = EVERY_S
    erasure_log_s: float = erasure_log.EVERY_S
    pause_s: float = 10.0
    """Once the database could not be used."""

    def shortened(self, haste: float) -> CollectivePace:
        """Return waits that are so many times shorter."""
        waits = {wait.name: getattr(self, wait.name) for wait in fields(self)}
        backfill = waits.pop("backfill").shortened(haste)
        witness = waits.pop("witness").shortened(haste)
        return CollectivePace(
            **{name: wait / haste for name, wait in waits.items()},
            backfill=backfill,
            witness=witness,
        )


class CollectiveOnline:
    """A collective over one connection. Make it before the connection is entered."""

    def __init__(
        self, node: CollectiveNode, naming: Naming, connection: Transport, arrivals: Arrivals
    ) -> None:
        """Prepare; nothing is sent yet. What is done is added to the counts of the node."""
        store, settings, changes, pace = node.store, node.settings, node.changes, node.pace
        self.connection = connection
        self._node = node
        self._retention = Retention(
            store,
            settings.time_zone,
            changes,
            node.clock,
            account_removal=settings.xmpp.account_removal_command,
            every_s=pace.retention_s,
        )
        self._subscribers = Subscribers(
            settings.device, settings.time_zone.key, settings.tells_members
        )
        exports = self._exports = OwnExports(store, settings.time_zone)
        self.sharing = Sharing(
            store,
            naming,
            connection,
            changes,
            partial(
                CollectiveAnswers,
                settings=settings,
                changed=changes.notify,
                subscribers=self._subscribers,
                rules=lambda: node.rules.now.publication,
                exports=exports,
                witness=node.witness,
            ),
            clock=node.clock,
            first_delay_s=pace.first_delay_s,
            receipt_within_s=min(pace.receipt_within_s, LONGEST_WAIT_S),
            renewal_s=pace.renewal_s,
            traffic=node.counts.traffic,
            members=MemberPeers(addresses, member_peer),
            knows=lambda jid: self.backfill.granting(jid),  # noqa: PLW0108 - it is made below
        )
        asking = self.sharing.asking
        self.write_queue = WriteQueue(
            store,
            settings.time_zone.key,
            lambda peer: self.backfill.note_online(peer),  # noqa: PLW0108 - it is made below
            node.counts.commits,
            arrivals,
        )
        self.backfill = Backfill(
            store,
            asking,
            self.write_queue,
            changes,
            pace.backfill,
            clock=node.clock,
            visits=node.counts.visits,
        )
        self.witness_requests = WitnessRequests(store, asking, changes, pace.witness)
        self._notices = TerminationNotices(store, asking, changes, again_s=pace.notices_s)
        self._letters = Letters(store, asking, changes, again_s=pace.letters_s)
        self.receiving = Receiving(
            connection,
            self.write_queue.keep,
            node.counts.traffic,
            may_push=self.backfill.granting,
            keep_reports=self.write_queue.keep,
        )
        self.sharing.announcement.receives = True

    async def run(self) -> NoReturn:
        """Run over the network until cancelled; raises what only a person can repair."""
        node = self._node
        async with self.connection, asyncio.TaskGroup() as tasks:
            for work in (
                self.sharing,
                self.write_queue,
                self.backfill,
                self.witness_requests,
                self._notices,
                self._letters,
                self._retention,
                self._exports,
            ):
                tasks.create_task(work.run())
            tasks.create_task(
                keep_subscribers(
                    node.store,
                    self._subscribers,
                    node.rules,
                    node.changes,
                    clock=node.clock,
                    every_s=node.pace.retention_s,
                )
            )
            tasks.create_task(self._publish_policy())
            await self._stay()
        raise AssertionError

    async def _stay(self) -> NoReturn:
        """Ask offline members again, at each new session."""
        while True:
            session = await self.connection.online(_FOR_EVER_S)
            self.backfill.came_back()
            self.witness_requests.came_back()
            await asyncio.shield(session.ended)

    async def _publish_policy(self) -> NoReturn:
        """Publish the privacy notice of the current data needs. Ends when it is cancelled."""
        changes = self._node.changes
        while True:
            seen = changes.count
            async with self._node.store.reading() as connection:
                offered = await needs.offered(connection)
            location = self._node.settings.location
            self.sharing.announcement.policy = data_policy(offered, location)
            await changes.after(seen)


class CollectiveNode:
    """Gathers members' records, and publishes sums of them.

    `network` is what it does over its connection, once it runs; `rules` are those of publication;
    `witness` is None unless it is the witness of other collectives.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        who: Identity,
        connect: Callable[[Identity], Transport],
        *,
        pace: CollectivePace | None = None,
    ) -> None:
        """Prepare; `connect` gives a connection that is not entered yet."""
        self.store = store
        self.clock = Clock()
        self.settings = settings
        self.changes = Changes()
        self.counts = Counts()
        self.rules = InForce(settings.publication)
        self.network: CollectiveOnline | None = None
        self.witness = (
            WitnessService(store, self.clock, settings.witness_for)
            if settings.witness_for
            else None
        )
        self._who = who
        self._connect = connect
        self.pace = pace or CollectivePace()
        self._outages = Outages(database_problem, self.pace.pause_s)

    @property
    def is_online(self) -> bool:
        return self.network is not None and self.network.connection.is_online

    @property
    def network_problem(self) -> NetworkError | None:
        """Why it is not on the network; None if it is."""
        return self.network.connection.problem if self.network else None

    @property
    def database_problem(self) -> Text | None:
        """Why the database cannot be used, for people; None if it can."""
        return self._outages.problem or (self.network.write_queue.problem if self.network else None)

    def look_again(self) -> None:
        """Wake the tasks after a change in the database."""
        self.changes.notify()

    async def run(self) -> NoReturn:
        """Run until cancelled. Raises `NetworkError` where only a person can help.

        When the database is away or full, all is left, and begun again once it is back.
        """
        await self._outages.survive(self._run)

    async def _run(self) -> NoReturn:
        await keep_collective(self.store, self.settings.identifier)
        async with self.store.writing() as connection:
            await self.clock.begin(connection)
        naming = await load_naming(self.store)
        # A database that was put back, and started without `reapply`, is older than this file.
        file = self.settings.folder / erasure_log.FILE
        ended = await asyncio.to_thread(erasure_log.read_ended, file)
        if ended:
            # By the times that it has: this clock may be wrong.
            last = max(end.at for end in ended)
            count = await erasure_log.reapply(self.store, self.settings.time_zone, ended, last)
            if count:
                _LOGGER.warning(_ENDED_AGAIN.fill(file=erasure_log.FILE, count=count))
        if self.witness is not None:
            await self.witness.begin()
        self._outages.over()
        arrivals = Arrivals()
        network = self.network = CollectiveOnline(self, naming, self._connect(self._who), arrivals)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(network.run())
            if self.witness is not None:
                tasks.create_task(self.witness.run(self.pace.retention_s))
            tasks.create_task(ErasureLog(self.store, file, every_s=self.pace.erasure_log_s).run())
            tasks.create_task(
                Publishing(
                    self.store,
                    self.settings,
                    self.rules,
                    self.changes,
                    arrivals=arrivals,
                    clock=self.clock,
                    is_online=lambda: self.is_online,
                    every_s=self.pace.publishing_s,
                    counts=self.counts,
                    is_waited_for=lambda: network.write_queue.is_waited_for,
                ).run()
            )
        raise AssertionError
