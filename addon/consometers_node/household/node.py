"""A household's node as a whole: it reads its home, and connects with its account."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NoReturn, override

from consometers_node.i18n.text import Text, text
from consometers_node.permission import Permissions, Permitted, State
from consometers_node.series import Range
from consometers_node.sharing.account import load
from consometers_node.sharing.answers import Answered, Answers, Confirms, Settled
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.names import load_naming
from consometers_node.sharing.outages import Outages
from consometers_node.sharing.permissions.renewal import EVERY_S
from consometers_node.sharing.records.fanout import FIRST_DELAY_S, LONGEST_DELAY_S
from consometers_node.sharing.service import Sharing
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.coverage import coverage
from consometers_node.store.household.enrolments import has_enrolments_due
from consometers_node.store.household.letters import (
    ReceivedLetter,
    add,
    count_since,
    is_stored,
)
from consometers_node.store.settings import set_setting
from consometers_node.wire import Naming
from consometers_quoalise import Letter, Node, NotAuthorized, ResourceConstraint, Role
from consometers_quoalise_network import (
    PUSH_SECONDS,
    Asker,
    Identity,
    NetworkError,
    Receiving,
    Transport,
)
from consometers_quoalise_network.backoff import Backoff

from .database_problem import database_problem
from .days import Memory, still_to_read
from .errors import SourceFault
from .sharing.poll_schedule import SETTLES_WITHIN, Rounds
from .sharing.subscribed_power import SubscribedPowers
from .sharing.sync import Sync
from .source import Source
from .statistics_import.collective_statistics import (
    EVERY_S as SUMS_S,
    FIRST_WAIT_S,
    CollectiveStatistics,
)
from .statistics_import.pulling import Pulling
from .waiting import patiently

if TYPE_CHECKING:
    from .protected_sums.enrolling import Enrolling

LANGUAGE = "home.language"
"""The setting with the language of the home."""

MOST_LETTERS = 5
"""Of one collective in a day."""
_A_DAY = timedelta(days=1)
_NOT_ALLOWED = text("This household allows you nothing now, so it accepts no message from you.")
_TOO_MANY_LETTERS = text("This household accepts {most} messages a day from you: try tomorrow.")

_ROUND_EVERY = timedelta(hours=1)
_JUST_NOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HouseholdPace:
    """How long a node waits; tests have less time."""

    first_delay_s: float = FIRST_DELAY_S
    receipt_within_s: float = PUSH_SECONDS
    settles: tuple[timedelta, timedelta] = SETTLES_WITHIN
    renewal_s: float = EVERY_S
    sums_s: float = SUMS_S
    sums_first_s: float = FIRST_WAIT_S
    pause_s: float = 10.0

    def shortened(self, haste: float) -> HouseholdPace:
        """Return waits that are so many times shorter."""
        shortest, longest = self.settles
        return HouseholdPace(
            self.first_delay_s / haste,
            self.receipt_within_s / haste,
            (shortest / haste, longest / haste),
            self.renewal_s / haste,
            self.sums_s / haste,
            self.sums_first_s / haste,
            self.pause_s / haste,
        )


class HouseholdAnswers(Answers):
    """Answers from the records read from a source."""

    role = Role.HOUSEHOLD

    def __init__(
        self,
        store: Store,
        naming: Naming,
        answered: Answered,
        confirms: Confirms,
        settled: Settled,
        *,
        memory: Memory,
    ) -> None:
        super().__init__(store, naming, answered, confirms, settled)
        self._memory = memory

    @override
    async def still_reads(
        self, connection: AsyncConnection, grant: Permitted, records: Range, now: datetime
    ) -> bool:
        """Return whether something is still unread. That today lags behind is normal."""
        covered = await coverage(connection, grant.series_id)
        past = records.clip(Range(records.start, max(records.start, now - _JUST_NOW)))
        left = still_to_read(self._memory.days_to_read(grant.series, grant.records, now), covered)
        return covered is None or any(past.clip(days) for days in left)

    @override
    async def receive_letter(self, asker: Asker, letter: Letter) -> None:
        now = datetime.now(UTC)
        async with self._store.writing() as connection:
            peer = await self.peer_of(connection, asker)
            given = await Permissions(connection).all(peer.id) if peer else []
            if peer is None or all(each.state is not State.GRANTED for each in given):
                raise NotAuthorized(_NOT_ALLOWED.by_language)
            if await is_stored(connection, peer.id, letter.id):
                return
            if await count_since(connection, peer.id, now - _A_DAY) >= MOST_LETTERS:
                raise ResourceConstraint(_TOO_MANY_LETTERS.fill(most=MOST_LETTERS).by_language)
            received = ReceivedLetter(
                peer_id=peer.id,
                id=letter.id,
                written_at=letter.time,
                received_at=now,
                body=letter.body,
            )
            await add(connection, received)
        self._answered(peer, Node.SEND_LETTER)


class HouseholdOnline:
    """A node over one connection."""

    def __init__(
        self,
        store: Store,
        naming: Naming,
        connection: Transport,
        source: Source,
        changes: Changes,
        *,
        clock: Clock,
        pace: HouseholdPace,
    ) -> None:
        """Prepare; the connection is not entered yet."""
        self.connection = connection
        self.sharing = Sharing(
            store,
            naming,
            connection,
            changes,
            partial(HouseholdAnswers, memory=source.memory),
            clock=clock,
            first_delay_s=pace.first_delay_s,
            receipt_within_s=pace.receipt_within_s,
            renewal_s=pace.renewal_s,
        )
        asking = self.sharing.asking
        self.together = CollectiveStatistics(
            store,
            asking,
            source,
            changes,
            every_s=pace.sums_s,
            first_wait_s=pace.sums_first_s,
        )
        self._source = source
        self._pulling = (
            None
            if source.writer is None
            else Pulling(store, connection, asking, source.writer, changes, together=self.together)
        )

    async def run(self) -> NoReturn:
        """Run over the network until cancelled."""
        async with self.connection, asyncio.TaskGroup() as tasks:
            tasks.create_task(self.sharing.run())
            if self._pulling is not None:
                tasks.create_task(self._pulling.run())
                tasks.create_task(self.together.run())
                tasks.create_task(self._receive(self._pulling))
            tasks.create_task(self._speak())
        raise AssertionError

    async def _speak(self) -> None:
        """Ask in the home's language: its page shows what peers answer."""
        with suppress(SourceFault):
            self.connection.language = await patiently(self._source, self._source.language)

    async def _receive(self, pulling: Pulling) -> None:
        """Receive pushed records once a series is pulled: chat goes elsewhere until then."""
        await pulling.any()
        Receiving(self.connection, pulling.keep, may_push=pulling.peers)
        self.sharing.announcement.receives = True


class HomeNode:
    """Reads one source and shares what its household granted.

    `network` is what it does over its present connection; None while it has no account.
    """

    def __init__(
        self,
        store: Store,
        naming: Naming,
        source: Source,
        connect: Callable[[Identity], Transport],
        *,
        clock: Clock,
        translate_log: Callable[[str], None] = lambda _: None,
        pace: HouseholdPace | None = None,
    ) -> None:
        """Prepare; `connect` gives a connection that is not entered yet.

        `translate_log` receives the language of the home once it is known.
        """
        self.store = store
        self.clock = clock
        self.naming = naming
        self.source = source
        self.changes = Changes()
        self.network: HouseholdOnline | None = None
        self.enrolling: Enrolling | None = None
        """What it does at witnesses, once there is one."""
        self._connect = connect
        self._translate_log = translate_log
        self._pace = pace or HouseholdPace()
        self._outages = Outages(database_problem, self._pace.pause_s)
        self._rounds = Rounds(_ROUND_EVERY, settles=self._pace.settles)
        self._upkeep = Sync(store, source, self.changes, self._rounds, self.clock)
        self._powers = SubscribedPowers(store, source, self.changes, self._pace.renewal_s)
        source.listen(self._rounds.request)

    @property
    def network_problem(self) -> NetworkError | None:
        """Why it is not on the network; None if it is, or has no account."""
        return self.network.connection.problem if self.network else None

    @property
    def database_problem(self) -> Text | None:
        """Why the database cannot be used, for people; None if it can."""
        return self._outages.problem

    @property
    def home_problem(self) -> Text | None:
        """Why the source is not read; None if it is."""
        fault = self._upkeep.problem
        return self.source.problem or (fault.text if fault else None)

    def look_again(self) -> None:
        """Wake the tasks after a change in the database."""
        self.changes.notify()
        self._rounds.request()

    async def run(self) -> NoReturn:
        """Run until cancelled. Raises AccessDenied: only a person can help then.

        When the database is away or full, all is left, and begun again once it is back.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.source.run())
            tasks.create_task(self._outages.survive(self._run))
        raise AssertionError

    async def _run(self) -> NoReturn:
        async with self.store.writing() as connection:
            await self.clock.begin(connection)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.source.watch())
            tasks.create_task(self._upkeep.run())
            tasks.create_task(self._powers.run())
            tasks.create_task(self._learn_language())
            tasks.create_task(self._stay_online())
            tasks.create_task(self._enrol())
        raise AssertionError

    async def _enrol(self) -> NoReturn:
        """Run the enrolments with witnesses: most homes have none, and load none of it."""
        while True:
            seen = self.changes.count
            async with self.store.reading() as connection:
                if await has_enrolments_due(connection):
                    break
            await self.changes.after(seen)
        from .protected_sums.enrolling import Enrolling  # noqa: PLC0415
        from .protected_sums.witness_address import trust  # noqa: PLC0415
        from .protected_sums.witness_client import WitnessClient  # noqa: PLC0415

        self.enrolling = Enrolling(
            self.store,
            self.clock,
            self.changes,
            WitnessClient(await trust(self.store)),
            Backoff(self._pace.first_delay_s, LONGEST_DELAY_S),
        )
        await self.enrolling.run()

    async def _learn_language(self) -> None:
        """Log in the language of the home, from the next start on without asking first."""
        with suppress(SourceFault):
            language = await patiently(self.source, self.source.language)
            self._translate_log(language)
            async with self.store.writing() as connection:
                await set_setting(connection, LANGUAGE, language)

    async def _stay_online(self) -> NoReturn:
        """Run with the stored account, and with another one once it changes."""
        while True:
            seen = self.changes.count
            who = await load(self.store)
            self.naming = naming = await load_naming(self.store)
            self._outages.over()
            if who is None:
                await self.changes.after(seen)
                continue
            connection = self._connect(who)
            self.network = HouseholdOnline(
                self.store,
                self.naming,
                connection,
                self.source,
                self.changes,
                clock=self.clock,
                pace=self._pace,
            )
            running = asyncio.create_task(self.network.run())
            try:
                while not running.done() and await self._is_still(who, naming):
                    change = asyncio.create_task(self.changes.after(seen))
                    try:
                        await asyncio.wait({running, change}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        change.cancel()
                    seen = self.changes.count
                if running.done():
                    running.result()
            finally:
                running.cancel()
                await asyncio.wait({running})
                self.network = None

    async def _is_still(self, who: Identity, naming: Naming) -> bool:
        return await load(self.store) == who and await load_naming(self.store) == naming
