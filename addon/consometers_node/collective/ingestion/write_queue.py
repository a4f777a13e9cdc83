"""Messages that members push, stored many in one transaction, and acknowledged after it.

While one transaction is written, messages that come wait for the next one. So a single message is
stored at once, and each of many costs little: most of the cost of a transaction is the same for one
message and for a hundred.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
import logging
from typing import NoReturn
from weakref import WeakValueDictionary

from sqlalchemy.exc import InterfaceError, OperationalError

from consometers_node.collective.counters import Timed
from consometers_node.collective.errors import database_problem
from consometers_node.i18n.text import Text, text
from consometers_node.store import Store
from consometers_node.store.engine.exclusive import alone
from consometers_quoalise import Data, Number, QuoaliseError, Reports
from consometers_quoalise_network import NotStored

from .arrivals import Arrivals
from .validation import MemberMessage, take

MOST_AT_ONCE = 200
_ENOUGH = 32
"""Messages written without waiting for more: the server sends more meanwhile."""
_GATHER_S = 0.3
"""The longest wait for further messages while several members push."""
_PAUSE_S = 0.003
"""Once nothing has come for so long, the messages are written."""
_DAYS_AT_ONCE = 100
_A_DAY_S = 0.01
_REST_S = 1.0
"""After the database could not write."""

_DAY_S = 86_400

_FAULT = text("Records that members sent could not be stored.")
_LOGGER = logging.getLogger(__name__)

type Stored = Callable[[str], None]
"""Called with each peer (bare JID) whose message was stored: it is online."""
type _Waiting = tuple[MemberMessage, asyncio.Future[None]]


class HistoryRequest:
    """A request under way to a peer: records that the peer pushes meanwhile are newer.

    So no push waits for an answer, which may take a minute not to come.
    """

    def __init__(self, queue: WriteQueue, peer: str) -> None:
        self._queue = queue
        self._peer = peer
        self._newer: defaultdict[str, set[Number]] = defaultdict(set)

    async def take(self, answer: Data) -> None:
        """Store an answer, or a page of it, without the records pushed since the request.

        Raises `QuoaliseError`, NotStored.
        """
        async with self._queue.turn(self._peer):
            await self._queue.take(self._peer, self._older(answer))
            self._newer.clear()

    def pushed(self, data: Data) -> None:
        """Note records that were pushed, and stored."""
        for records in data.records:
            self._newer[records.name].update(records.values)

    def _older(self, answer: Data) -> Data:
        left = []
        for records in answer.records:
            newer = self._newer.get(records.name, ())
            if values := {at: value for at, value in records.values.items() if at not in newer}:
                left.append(replace(records, values=values))
        return replace(answer, records=tuple(left))


class WriteQueue:
    """Stores messages of members. `time_zone` is the collective's; `commits` are measured.

    `problem` is why nothing can be stored, for people; None if it can.
    """

    def __init__(
        self,
        store: Store,
        time_zone: str,
        stored: Stored,
        commits: Timed | None = None,
        arrivals: Arrivals | None = None,
    ) -> None:
        self.problem: Text | None = None
        self._arrivals = arrivals or Arrivals()
        self._commits = commits or Timed()
        self._store = store
        self._time_zone = time_zone
        self._stored = stored
        self._waiting: list[_Waiting] = []
        self._came = asyncio.Event()
        self._is_writing = False
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._requests: defaultdict[str, list[HistoryRequest]] = defaultdict(list)

    @property
    def is_waited_for(self) -> bool:
        """Whether a peer waits for its message to be stored."""
        return self._is_writing or bool(self._waiting)

    def turn(self, peer: str) -> asyncio.Lock:
        """Return the lock held while a message of a peer is stored."""
        return self._turns.setdefault(peer, asyncio.Lock())

    @contextmanager
    def requesting(self, peer: str) -> Iterator[HistoryRequest]:
        """Open a request to a peer, which notes the records that the peer pushes meanwhile."""
        request = HistoryRequest(self, peer)
        self._requests[peer].append(request)
        try:
            yield request
        finally:
            self._requests[peer].remove(request)
            if not self._requests[peer]:
                del self._requests[peer]

    async def keep(self, sender: str, data: Data | Reports) -> None:
        """Store what a peer pushed, in its turn. Raises `QuoaliseError`, NotStored.

        Each day costs the same, with one record or all of them. So a message of many days is
        acknowledged later, and the next push of its sender waits for that.
        """
        async with self.turn(sender):
            await self.take(sender, data)
            if isinstance(data, Reports):
                return  # They are pushed alone, never asked for.
            for request in self._requests.get(sender, ()):
                request.pushed(data)
        days = sum(len({at // _DAY_S for at in records.values}) for records in data.records)
        await asyncio.sleep(_A_DAY_S * max(0, days - _DAYS_AT_ONCE))

    async def take(self, sender: str, data: Data | Reports) -> None:
        """Store a message of a peer, whose turn the caller has; it is committed on return.

        Raises `QuoaliseError`, NotStored.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((MemberMessage(sender, data), done))
        self._came.set()
        await done

    async def run(self) -> NoReturn:
        """Commit messages as they come. Ends when it is cancelled."""
        batch: Sequence[_Waiting] = ()
        while True:
            await self._came.wait()
            if len(batch) > 1:
                await self._gather()
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            if not self._waiting:
                self._came.clear()
            self._is_writing = True
            await self._commit(batch)
            self._is_writing = False

    async def _gather(self) -> None:
        """Wait while messages keep coming."""
        before = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_S):
                while before < len(self._waiting) < _ENOUGH:
                    before = len(self._waiting)
                    await asyncio.sleep(_PAUSE_S)

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        try:
            refusals = await self._take([message for message, _ in batch])
        except (InterfaceError, OperationalError) as fault:
            # A full disk, an unreachable server: it fails for all of them.
            if self.problem is None:
                _LOGGER.warning(database_problem(fault))
            self.problem = database_problem(fault)
            for _, done in batch:
                _end(done, NotStored())
            await asyncio.sleep(_REST_S)
        except Exception:
            _LOGGER.exception(_FAULT)
            if len(batch) == 1:
                _end(batch[0][1], NotStored())
                return
            # Retry one by one, so that a bad message fails alone.
            for waiting in batch:
                await self._commit([waiting])
        else:
            self.problem = None
            for (message, done), refusal in zip(batch, refusals, strict=True):
                _end(done, refusal)
                if refusal is None:
                    self._stored(message.sender)

    async def _take(self, messages: Sequence[MemberMessage]) -> list[QuoaliseError | None]:
        with self._commits.once():
            async with self._store.writing() as connection:
                await alone(connection)
                at = datetime.now(UTC)
                return await take(connection, messages, self._time_zone, at, self._arrivals)


def _end(done: asyncio.Future[None], refusal: Exception | None) -> None:
    """Release a waiting sender, unless it went away."""
    if done.done():
        return
    if refusal is None:
        done.set_result(None)
    else:
        done.set_exception(refusal)
