"""What connections of any kind have in common: a state to wait for, and tasks that they own."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Callable, Coroutine
from typing import NoReturn, Self

from .address import account_of
from .errors import NetworkError, Unreachable
from .transport import ONLINE_SECONDS, Session, Speak


class Connected(ABC):
    """Owns the task that connects, and every task that a peer starts."""

    def __init__(self, language: str, speak: Speak) -> None:
        """Prepare; `speak` has the words for peers who read what this node answers."""
        self.language = language
        self.speak = speak
        self.problem: NetworkError | None = None
        self._session = Session()
        self._online = False
        self._changed = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._owned: set[asyncio.Task[None]] = set()
        self._is_left = False
        self._logged_in: Callable[[], None] = lambda: None

    @property
    @abstractmethod
    def jid(self) -> str:
        """The full address for peers' requests."""

    @abstractmethod
    async def _run(self) -> None:
        """Connect repeatedly, until a person must act or the connection is left."""

    async def __aenter__(self) -> Self:
        """Start to connect."""
        await self._tasks.__aenter__()
        self._owned.add(self._tasks.create_task(self._run()))
        return self

    async def __aexit__(self, *_raised: object) -> None:
        """Leave the network, and no task."""
        self._is_left = True
        for task in self._owned:
            task.cancel()
        # The group gets no error: it would wrap it.
        await self._tasks.__aexit__(None, None, None)

    @property
    def is_online(self) -> bool:
        """Whether something can be sent now. If not, `problem` says why, once something failed."""
        return self._online

    async def online(self, seconds: float = ONLINE_SECONDS, *, patient: bool = True) -> Session:
        """Wait until something can be sent. Raises the `NetworkError` that stands in the way.

        A lasting one is raised at once, any at once to who is not patient.
        """
        try:
            async with asyncio.timeout(seconds):
                while not self._online:
                    if self.problem and (self.problem.lasting or not patient):
                        raise self.problem
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            host = account_of(self.jid).rpartition("@")[2]
            raise self.problem or Unreachable(host=host, why="no answer") from None
        return self._session

    async def stay(self) -> NoReturn:
        """Wait as long as the connection may come back. Raises the `NetworkError` that lasts."""
        while not (self.problem and self.problem.lasting):
            self._changed.clear()
            await self._changed.wait()
        raise self.problem

    def on_login(self, handler: Callable[[], None]) -> None:
        """Register a callback for each login on a server that proved who it is."""
        self._logged_in = handler

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Start a task that ends with the connection at the latest. It must not raise."""
        task = self._tasks.create_task(work)
        if self._is_left:
            # Something may come while the connection closes, after its handler has ended.
            task.cancel()
        self._owned.add(task)
        task.add_done_callback(self._owned.discard)

    def _set(self, *, online: bool, problem: NetworkError | None) -> None:
        self._online = online
        self.problem = problem
        self._changed.set()
