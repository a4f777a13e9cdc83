"""What members push, kept in one transaction for many, and acknowledged after it.

While one transaction is written, the messages that come wait for the next one. So a single message
is kept at once, and of many each costs little: most of what a transaction costs is the same for one
message and for a hundred.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
import logging
from typing import NoReturn
from weakref import WeakValueDictionary

from sqlalchemy.exc import InterfaceError, OperationalError

from ...quoalise import Data, Number, QuoaliseError, Text
from ...store import Store
from ...store.exclusive import alone
from ...xmpp import NotKept
from ..counters import Timed
from ..errors import database_problem
from .arrivals import Arrivals
from .validation import Told, take

MOST_AT_ONCE = 200
_ENOUGH = 32
"""Messages that wait for no others: while these are written, the server sends more."""
_GATHER_S = 0.3
"""How long messages are waited for at most while several members push."""
_PAUSE_S = 0.003
"""Once nothing has come for so long, what has come is kept."""
_DAYS_AT_ONCE = 100
_A_DAY_S = 0.01
_REST_S = 1.0
"""After the database could not keep anything."""

_DAY_S = 86_400

_LOGGER = logging.getLogger(__name__)

type Hear = Callable[[str], None]
"""Hears from which peer (bare JID) something was kept: it is there."""


@dataclass(slots=True)
class _Waiting:
    told: Told
    done: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def end(self, refusal: Exception | None) -> None:
        """Release the senders that wait."""
        if self.done.done():
            return
        if refusal is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(refusal)


def _days(told: Data) -> int:
    return sum(len({time // _DAY_S for time in one.values}) for one in told.records)


class Question:
    """A question to a peer that is under way: what the peer pushes meanwhile is newer, and stays.

    So nothing that is pushed waits for an answer, which may take a minute not to come.
    """

    def __init__(self, intake: Intake, peer: str) -> None:
        self._intake = intake
        self._peer = peer
        self._newer: defaultdict[str, set[Number]] = defaultdict(set)

    async def take(self, answer: Data) -> None:
        """Keep an answer, or a page of it, but for what was pushed since it was asked for.

        Raises `QuoaliseError`, NotKept.
        """
        async with self._intake.turn(self._peer):
            await self._intake.take(self._peer, self._older(answer))
            self._newer.clear()

    def pushed(self, told: Data) -> None:
        """Note what was pushed, and kept."""
        for one in told.records:
            self._newer[one.name].update(one.values)

    def _older(self, answer: Data) -> Data:
        left = []
        for one in answer.records:
            newer = self._newer.get(one.name, ())
            if values := {at: value for at, value in one.values.items() if at not in newer}:
                left.append(replace(one, values=values))
        return replace(answer, records=tuple(left))


class Intake:
    """Keeps what members tell. `time_zone` is the collective's; `commits` are measured.

    `problem` is why nothing can be kept, for people; None if it can.
    """

    def __init__(
        self,
        store: Store,
        time_zone: str,
        hear: Hear,
        commits: Timed | None = None,
        arrivals: Arrivals | None = None,
    ) -> None:
        self.problem: Text | None = None
        self._arrivals = arrivals or Arrivals()
        self._commits = commits or Timed()
        self._store = store
        self._time_zone = time_zone
        self._hear = hear
        self._waiting: list[_Waiting] = []
        self._came = asyncio.Event()
        self._is_keeping = False
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._questions: defaultdict[str, list[Question]] = defaultdict(list)

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits until something is kept."""
        return self._is_keeping or bool(self._waiting)

    def turn(self, peer: str) -> asyncio.Lock:
        """Return what is held while something of a peer is kept."""
        return self._turns.setdefault(peer, asyncio.Lock())

    @contextmanager
    def asking(self, peer: str) -> Iterator[Question]:
        """Open a question to a peer, which notes what the peer pushes meanwhile."""
        question = Question(self, peer)
        self._questions[peer].append(question)
        try:
            yield question
        finally:
            self._questions[peer].remove(question)
            if not self._questions[peer]:
                del self._questions[peer]

    async def keep(self, sender: str, told: Data) -> None:
        """Keep what a peer pushed, in its turn. Raises `QuoaliseError`, NotKept.

        Each day costs the same, whether it is told in one record or in all. So whoever tells of
        many days at once hears of it later, and what it pushes next waits for that.
        """
        async with self.turn(sender):
            await self.take(sender, told)
            for question in self._questions.get(sender, ()):
                question.pushed(told)
        await asyncio.sleep(_A_DAY_S * max(0, _days(told) - _DAYS_AT_ONCE))

    async def take(self, sender: str, told: Data) -> None:
        """Keep what a peer told; it is committed when this returns.

        For whoever has the peer's turn. Raises `QuoaliseError`, NotKept.
        """
        waiting = _Waiting(Told(sender, told))
        self._waiting.append(waiting)
        self._came.set()
        await waiting.done

    async def run(self) -> NoReturn:
        """Commit what comes. Ends when it is cancelled."""
        together: Sequence[_Waiting] = ()
        while True:
            await self._came.wait()
            if len(together) > 1:
                await self._gather()
            together, self._waiting = (
                self._waiting[:MOST_AT_ONCE],
                self._waiting[MOST_AT_ONCE:],
            )
            if not self._waiting:
                self._came.clear()
            self._is_keeping = True
            await self._commit(together)
            self._is_keeping = False

    async def _gather(self) -> None:
        """Wait while messages keep coming."""
        known = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_S):
                while known < len(self._waiting) < _ENOUGH:
                    known = len(self._waiting)
                    await asyncio.sleep(_PAUSE_S)

    async def _commit(self, together: Sequence[_Waiting]) -> None:
        try:
            refusals = await self._take([one.told for one in together])
        except (InterfaceError, OperationalError) as fault:
            # A full disk, a server that is away: it is so for all of them.
            if self.problem is None:
                _LOGGER.warning("%s", database_problem(fault).say())
            self.problem = database_problem(fault)
            for one in together:
                one.end(NotKept())
            await asyncio.sleep(_REST_S)
        except Exception:
            _LOGGER.exception("What was pushed cannot be kept")
            if len(together) == 1:
                together[0].end(NotKept())
                return
            # What cannot be kept keeps nothing else from being kept.
            for one in together:
                await self._commit([one])
        else:
            self.problem = None
            for one, refusal in zip(together, refusals, strict=True):
                one.end(refusal)
                if refusal is None:
                    self._hear(one.told.sender)

    async def _take(self, messages: Sequence[Told]) -> list[QuoaliseError | None]:
        with self._commits.once():
            async with self._store.writing() as connection:
                await alone(connection)
                at = datetime.now(UTC)
                return await take(connection, messages, self._time_zone, at, self._arrivals)
