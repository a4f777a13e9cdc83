"""Whether Home Assistant ran without a gap, across runs of the node."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
import logging
from typing import NoReturn, override

from consometers_node.household.errors import Away, SourceFault
from consometers_node.i18n.text import text
from consometers_node.series import Range
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.household.coverage import absences, add_absence
from consometers_node.store.settings import set_setting, setting

from .client import Recorder
from .home_assistant import HomeAssistant
from .reading import absence

SEEN = "home.seen"
"""The setting with the last time at which Home Assistant was known to run."""

_NOTE_EVERY_S = 60.0

_WAS_OFF = text("Home Assistant was off, or may have been, until it started.")
_LOGGER = logging.getLogger(__name__)


class Availability:
    """Notes that Home Assistant runs, and at each connection whether it had stopped before.

    While the clock is wrong, nothing is noted: an absence of years would hide what is read later.
    """

    def __init__(self, store: Store, home: HomeAssistant, clock: Clock) -> None:
        self._clock = clock
        self._store = store
        self._home = home
        self._recorder = Recorder(home)
        self._checked = 0
        self._checking = asyncio.Lock()
        self._absences: list[Range] = []

    @property
    def absences(self) -> Sequence[Range]:
        """When it was off. The list grows in place."""
        return self._absences

    async def run(self) -> NoReturn:
        """Store each minute that it runs, so that a power cut hides little."""
        while True:
            # The readers report their own refusals.
            with suppress(SourceFault):
                await self.check()
                if self._home.is_connected and self._home.connections == self._checked:
                    async with self._store.writing() as connection:
                        now = await self._clock.unless_wrong(connection)
                        if now is not None:
                            await set_setting(connection, SEEN, now.isoformat())
            await asyncio.sleep(_NOTE_EVERY_S)

    async def check(self) -> None:
        """Examine this connection, once, before anything is read over it. Raises Away."""
        await self._home.connected()
        async with self._checking:
            while (connection_count := self._home.connections) != self._checked:
                started = await self._recorder.started()
                if not await self._note(started):
                    return
                self._checked = connection_count

    async def _note(self, started: datetime | None) -> bool:
        """Note an absence, and return whether the clock was fit for it."""
        async with self._store.writing() as connection:
            now = await self._clock.unless_wrong(connection)
            if now is None:
                self._absences[:] = await absences(connection)
                return False
            seen = await setting(connection, SEEN)
            last_seen = None if seen is None else datetime.fromisoformat(seen)
            off = absence(last_seen, started, now)
            if off is not None:
                await add_absence(connection, off)
                _LOGGER.info(_WAS_OFF)
            await set_setting(connection, SEEN, now.isoformat())
            self._absences[:] = await absences(connection)
            return True


class WatchedRecorder(Recorder):
    """A recorder that waits until it is known whether Home Assistant had stopped."""

    def __init__(self, home: HomeAssistant, presence: Availability) -> None:
        super().__init__(home)
        self.presence = presence

    @override
    async def connected(self) -> None:
        while True:
            await super().connected()
            with suppress(Away):
                await self.presence.check()
                return
