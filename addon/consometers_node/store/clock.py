"""The clock of a node, and whether anything may expire or be erased by it.

A computer without a battery starts in another year, and so does a machine that is restored. Such a
clock would end every permission and erase what it brought. So all that time ends or removes asks
for a `Confirmed` instant, which this module alone gives:

- the node has logged in to its XMPP server since it started, and since the clock last jumped: the
  server's certificate, which is valid for some months, is valid by this clock; and
- the clock is at most `AWAY_FOR` past the newest instant that was confirmed before, and no more
  than `BACK_BY` before it; or
- a person confirmed the clock.

The newest confirmed instant is a setting. The rows of the database would not do: those that were
written by a wrong clock would bear it out. They count where nothing was confirmed yet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
import logging
import time
from typing import NamedTuple, NewType

from sqlalchemy import column, func, select, table

from consometers_node.i18n.text import Text, around, text

from .engine.connection import AsyncConnection
from .engine.types import Instant
from .settings import set_setting, setting

Confirmed = NewType("Confirmed", datetime)
"""An instant by which something may expire or be erased."""

AWAY_FOR = timedelta(days=30)
"""How long a node may have been off and go on by itself.

Less than the validity of a certificate (90 days), so that both tests have to fail. More than
holidays or a repair: after a longer one, a person looks at the page of the node anyway.
"""
BACK_BY = timedelta(minutes=5)
"""As much as two clocks may differ."""
STEP_S = 60.0
"""By how much the wall clock may leave the monotonic one: smaller steps happen all the time."""

_CONFIRMED = "clock.confirmed"
_BY_PERSON = "clock.said"
"""When a person last confirmed the clock."""

_ENTRIES = {
    "register": "at",
    "answer": "at",
    "member_permission_register": "at",
    "member_permission_series": "last_received_at",
    "access_log": "at",
}
"""Tables of entries, by name: a home does without the classes of a collective's."""

_RIGHT_AGAIN = text("The clock is confirmed.")
_LOGGER = logging.getLogger(__name__)

_UNTIL_THEN = text("{said} Until then, nothing expires and nothing is erased because of its age.")


class ClockDoubtReason(StrEnum):
    """Why the clock is not confirmed."""

    OFFLINE = "offline"
    """Nothing contradicts the clock, and no server has confirmed it yet."""
    STEPPED = "stepped"
    AHEAD = "ahead"
    BEHIND = "behind"


_WORDS = {
    ClockDoubtReason.OFFLINE: text(
        "The node has not logged in to its server since it started, so its clock ({now}) is not"
        " confirmed."
    ),
    ClockDoubtReason.STEPPED: text(
        "The node’s clock jumped to {now}. The node trusts it again after its next login to its"
        " server, or when you confirm it."
    ),
    ClockDoubtReason.AHEAD: text(
        "The node’s clock shows {now}, long after the last confirmed time ({newest}). Set the"
        " clock, or confirm it if it is right."
    ),
    ClockDoubtReason.BEHIND: text(
        "The node’s clock shows {now}, earlier than the last confirmed time ({newest}). Set the"
        " clock, or confirm it if it is right."
    ),
}


@dataclass(frozen=True, slots=True)
class ClockDoubt:
    """The reason why nothing may expire or be erased at an instant."""

    reason: ClockDoubtReason
    now: datetime
    newest: datetime | None

    @property
    def is_wrong(self) -> bool:
        """Whether the clock is contradicted: then nothing is read or published by it."""
        return self.reason is not ClockDoubtReason.OFFLINE

    @property
    def text(self) -> Text:
        """For people: the problem, its consequence, the remedy."""
        words = _WORDS[self.reason].fill(now=_shown(self.now), newest=_shown(self.newest))
        return around(_UNTIL_THEN, words)


class _Reading(NamedTuple):
    """Both clocks at one instant: a database may be slow to answer after it."""

    now: datetime
    difference: float
    """By how many seconds the wall clock is before the monotonic one."""


class Clock:
    """The clock of one running node. At first, nobody has confirmed it."""

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the wall clock, right or wrong, and a monotonic one in seconds."""
        self.now = now
        self._steady = steady
        self._vouched: float | None = None
        """By how much both clocks differed when somebody last confirmed this one."""
        self._by_person: str | None = None
        self._is_new = True
        self.doubt: ClockDoubt | None = ClockDoubt(ClockDoubtReason.OFFLINE, now(), None)
        """The result of the last check."""

    @property
    def problem(self) -> Text | None:
        """Why it is not confirmed, for people, at the last check."""
        return None if self.doubt is None else self.doubt.text

    def vouch(self) -> None:
        """Count a server as confirming the clock: its certificate is valid by it."""
        self._vouched = self._read().difference

    async def begin(self, connection: AsyncConnection) -> None:
        """Store the newest instant before this node writes entries by its clock."""
        newest = await _newest(connection)
        if newest is not None:
            await set_setting(connection, _CONFIRMED, newest.isoformat())

    async def look(self, connection: AsyncConnection) -> ClockDoubt | None:
        """Return why the clock is not confirmed; None if it is."""
        return await self._look(connection, self._read())

    async def _look(self, connection: AsyncConnection, reading: _Reading) -> ClockDoubt | None:
        await self._check_confirmation(connection)
        newest = await _newest(connection)
        reason, before = self._reason(reading, newest), self.doubt
        self.doubt = None if reason is None else ClockDoubt(reason, reading.now, newest)
        if self.doubt is None and before is not None:
            _LOGGER.info(_RIGHT_AGAIN)
        elif self.doubt is not None and (before is None or before.reason != reason):
            _LOGGER.warning(self.doubt.text)
        return self.doubt

    async def unless_wrong(self, connection: AsyncConnection) -> datetime | None:
        """Return the time; None if something speaks against the clock that shows it."""
        reading = self._read()
        doubt = await self._look(connection, reading)
        return None if doubt is not None and doubt.is_wrong else reading.now

    async def confirmed(self, connection: AsyncConnection) -> Confirmed | None:
        """Return the instant by which things may end, and keep it as the newest; else None."""
        reading = self._read()
        if await self._look(connection, reading) is not None:
            return None
        await set_setting(connection, _CONFIRMED, reading.now.isoformat())
        return Confirmed(reading.now)

    async def _check_confirmation(self, connection: AsyncConnection) -> None:
        """Count a person's confirmation, if it was given since the node started."""
        by_person = await setting(connection, _BY_PERSON)
        if by_person != self._by_person and not self._is_new:
            self._vouched = self._read().difference
        self._by_person, self._is_new = by_person, False

    def _reason(self, reading: _Reading, newest: datetime | None) -> ClockDoubtReason | None:
        now = reading.now
        if newest is not None and now > newest + AWAY_FOR:
            return ClockDoubtReason.AHEAD
        if newest is not None and now < newest - BACK_BY:
            return ClockDoubtReason.BEHIND
        if self._vouched is None:
            return ClockDoubtReason.OFFLINE
        if abs(reading.difference - self._vouched) > STEP_S:
            return ClockDoubtReason.STEPPED
        return None

    def _read(self) -> _Reading:
        now = self.now()
        return _Reading(now, now.timestamp() - self._steady())


async def confirm(connection: AsyncConnection, at: datetime) -> None:
    """Store that a person confirmed the clock, which shows `at`."""
    for key in (_CONFIRMED, _BY_PERSON):
        await set_setting(connection, key, at.isoformat())


async def _newest(connection: AsyncConnection) -> datetime | None:
    """Return the newest instant that was confirmed; before any was, the newest of any entry."""
    confirmed = await setting(connection, _CONFIRMED)
    if confirmed is not None:
        return datetime.fromisoformat(confirmed)
    instants: list[datetime] = []
    for name, at in _ENTRIES.items():
        newest = select(func.max(column(at, Instant))).select_from(table(name))
        instants += filter(None, (await connection.execute(newest)).scalars())
    return max(instants, default=None)


def _shown(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
