"""Opens a home when somebody needs it, and closes it again: few are awake at a time.

    async with homes.awake("a@homes.example.org") as node:
        …                                   it stays open while it is used, and some time after it

Each home that is awake is a task of its own. What fails in it ends that home alone, whose problem
the register has until it is tried again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import logging
from typing import Final, Protocol, Self

from sqlalchemy.exc import DBAPIError

from consometers_node.host.accounts.homes import HomeFault
from consometers_node.i18n.text import Text, text
from consometers_node.sharing.changes import Changes
from consometers_node.store import StoreFault
from consometers_node.store.engine.errors import explained

from .register import HomeRegister, HostedHome

MOST_AWAKE: Final = 32
IDLE_S: Final = 600.0
"""How long a home stays awake after a page, while there is room."""
IDLE_AFTER_PEER_S: Final = 60.0
"""How long it stays awake after a stanza."""
TURN_S: Final = 30.0
"""How long who needs a home waits for others to fall asleep."""
AGAIN_AFTER: Final = timedelta(hours=1)
"""A home that could not be opened is tried again."""

LEAST_REST: Final = timedelta(minutes=1)
"""A home that is due again at once sleeps so long."""
MOST_WANTED: Final = 1_000
"""Homes that wait for others to fall asleep."""

_LOOK_S: Final = 1.0
_FAULT = text("A fault of the program stopped this home. The log says where.")
_FAILED = text("A home was stopped by a fault of the program.")
_BROKEN = text("A home cannot be opened: {said}")
_LOGGER = logging.getLogger(__name__)


class AwakeHome(Protocol):
    """What the host needs to know of a home that is open."""

    @property
    def is_busy(self) -> bool:
        """Whether something is under way, so that it must stay awake."""

    def knows(self, peer: str) -> bool:
        """Return at once whether a peer (bare address) may ask it anything."""

    async def peers(self) -> Iterable[str]:
        """Return the peers (bare addresses) whose stanzas wake it."""

    async def next_due(self) -> datetime | None:
        """Return when it has something to do; None for never by itself."""


type OpenHome[Node: AwakeHome] = Callable[[HostedHome], AbstractAsyncContextManager[Node]]
"""Opens a home, which runs within: what fails in it ends the block."""


class NoHome(HomeFault):
    """There is no home of this address."""

    words = text("Your home was deleted here. Delete your space too, or ask who runs this host.")


class HomeBroken(HomeFault):
    """A home cannot be used."""


class TooManyAwake(HomeFault):
    """Too many homes are in use at once."""

    words = text("Many households use their spaces at this moment: try again in a minute.")


@dataclass(slots=True, eq=False)
class _Waking[Node: AwakeHome]:
    """A home that is awake, or on its way. `node` fails with `HomeBroken`."""

    node: asyncio.Future[Node]
    stay_s: float
    """How long it stays awake once it is open, for who woke it."""
    until: float = 0.0
    users: int = 0
    is_closing: bool = False

    @property
    def open_node(self) -> Node | None:
        """The node, once it is open."""
        is_open = self.node.done() and self.node.exception() is None
        return self.node.result() if is_open else None

    @property
    def may_close(self) -> bool:
        node = self.open_node
        return node is not None and not (self.users or self.is_closing or node.is_busy)

    def stay(self, until: float) -> None:
        """Stay awake until then, or longer."""
        self.until = max(self.until, until)


class Homes[Node: AwakeHome]:
    """The homes of a host, while it is entered."""

    def __init__(
        self,
        register: HomeRegister,
        open_home: OpenHome[Node],
        *,
        most_awake: int = MOST_AWAKE,
        idle_s: float = IDLE_S,
        idle_after_peer_s: float = IDLE_AFTER_PEER_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.register = register
        self._open = open_home
        self._most = most_awake
        self._idle_s = idle_s
        self._idle_after_peer_s = idle_after_peer_s
        self._now = now
        self._clock = asyncio.get_running_loop().time
        self._awake: dict[str, _Waking[Node]] = {}
        self._wanted: dict[str, float] = {}
        """Homes to wake once there is room, in their order, and how long each then stays awake."""
        self._changes = Changes()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_left = False

    async def __aenter__(self) -> Self:
        """Begin: all homes sleep."""
        return self

    async def __aexit__(self, *_raised: object) -> None:
        """Close all homes that are awake, each by itself."""
        self._is_left = True
        for waking in self._awake.values():
            waking.is_closing = True
        self._changes.notify()
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def awake_count(self) -> int:
        return len(self._awake)

    @property
    def free(self) -> int:
        """How many more may be awake."""
        return max(0, self._most - len(self._awake))

    def is_awake(self, address: str) -> bool:
        return address in self._awake

    @asynccontextmanager
    async def awake(self, address: str) -> AsyncIterator[Node]:
        """Yield a home, awake.

        Raises `NoHome`, `HomeBroken`, and `TooManyAwake` after `TURN_S`.
        """
        waking = await self._woken(address)
        waking.users += 1
        try:
            yield await asyncio.shield(waking.node)
        finally:
            waking.users -= 1
            waking.stay(self._clock() + self._idle_s)
            self._changes.notify()

    def wake(self, address: str, stay_s: float = 0.0) -> bool:
        """Have a home wake, once there is room; return false where too many wait for that.

        It falls asleep as soon as it has been open for `stay_s` and is not busy.
        """
        waking = self._awake.get(address)
        if waking is not None and not waking.is_closing:
            return True
        if address not in self._wanted and len(self._wanted) >= MOST_WANTED:
            return False
        self._wanted[address] = max(stay_s, self._wanted.get(address, 0.0))
        self._begin_wanted()
        return True

    def unclaimed(self, address: str, peer: str) -> bool:
        """Wake a home for a stanza of a peer that it knows; return whether it comes."""
        if not self.register.knows(address, peer) or self.register.is_broken(address):
            return False
        return self.wake(address, self._idle_after_peer_s)

    def knows(self, address: str, peer: str) -> bool:
        """Return whether a home knows a peer, as it is awake or as it fell asleep.

        It is asked of each stanza: a home stays awake for the next one.
        """
        waking = self._awake.get(address)
        if waking is None or (node := waking.open_node) is None:
            return self.register.knows(address, peer)
        if not node.knows(peer):
            return False
        waking.stay(self._clock() + self._idle_after_peer_s)
        return True

    async def remove(self, address: str) -> None:
        """Delete a home with all that it stores, once it is closed.

        Raises KeyError where there is none, and OSError.
        """
        self.register.of(address)
        while (waking := self._awake.get(address)) is not None:
            waking.is_closing = True
            self._changes.notify()
            await self._changes.after(self._changes.count)
        self._wanted.pop(address, None)
        self.register.remove(address)

    async def _woken(self, address: str) -> _Waking[Node]:
        """Return a home that is awake or on its way, once there is room for it."""
        try:
            async with asyncio.timeout(TURN_S):
                while True:
                    seen = self._changes.count
                    waking = self._awake.get(address)
                    if waking is not None and not waking.is_closing:
                        return waking
                    if waking is None and self._make_room():
                        return self._begin(address)
                    await self._changes.after(seen)
        except KeyError:
            raise NoHome from None
        except TimeoutError:
            raise TooManyAwake from None

    def _make_room(self) -> bool:
        """Return whether one more may be awake; else have the one that rests longest close."""
        if self._is_left:
            return False
        if len(self._awake) < self._most:
            return True
        if not any(each.is_closing for each in self._awake.values()):
            resting = (each for each in self._awake.values() if each.may_close)
            if (longest := min(resting, key=lambda each: each.until, default=None)) is not None:
                longest.is_closing = True
                self._changes.notify()
        return False

    def _begin_wanted(self) -> None:
        while self._wanted and self._make_room():
            ready = (address for address in self._wanted if address not in self._awake)
            if (address := next(ready, None)) is None:
                return
            stay_s = self._wanted.pop(address)
            try:
                self._begin(address, stay_s)
            except KeyError:
                # It was removed meanwhile.
                continue

    def _begin(self, address: str, stay_s: float = 0.0) -> _Waking[Node]:
        home = self.register.of(address)
        self.register.note_awake(address, self._now())
        node: asyncio.Future[Node] = asyncio.get_running_loop().create_future()
        waking = self._awake[address] = _Waking(node, stay_s)
        task = asyncio.create_task(self._hold(home, waking))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return waking

    async def _hold(self, home: HostedHome, waking: _Waking[Node]) -> None:
        """Keep a home open until nobody needs it; store why it ended otherwise."""
        try:
            await self._keep_open(home, waking)
        except Exception as fault:
            problem = _problem(fault)
            if problem is None:
                _LOGGER.exception(_FAILED)
                problem = _FAULT
            else:
                _LOGGER.warning(_BROKEN.fill(said=problem))
            self.register.break_off(home.address, problem, self._now() + AGAIN_AFTER)
            if not waking.node.done():
                waking.node.set_exception(HomeBroken(problem))
                waking.node.exception()  # seen, even if nobody waits for it
        finally:
            del self._awake[home.address]
            self._changes.notify()
            self._begin_wanted()

    async def _keep_open(self, home: HostedHome, waking: _Waking[Node]) -> None:
        async with self._open(home) as node:
            waking.node.set_result(node)
            waking.stay(self._clock() + waking.stay_s)
            while not waking.is_closing:
                seen = self._changes.count
                self._begin_wanted()
                if waking.may_close and self._clock() >= waking.until:
                    waking.is_closing = True
                else:
                    await self._changes.after(seen, min(_LOOK_S, self._idle_s))
            due, peers = await node.next_due(), await node.peers()
        now = self._now()
        if due is not None:
            due = max(due, now + LEAST_REST)
        self.register.rest(home.address, now, due, peers)


def _problem(fault: BaseException) -> Text | None:
    """Return what a database or the system says, in words; None for a fault of the program."""
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return explained(fault) if isinstance(fault, StoreFault | DBAPIError | OSError) else None
