"""How often a peer may ask, and how often we ask one: 60 times a minute."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

PER_MINUTE = 60
_MINUTE = 60
_MAX_PEERS = 10_000


class Rate:
    """Counts what each peer did in the last minute. Of too many peers, the oldest are forgotten."""

    def __init__(
        self, clock: Callable[[], float], most: int = PER_MINUTE, peers: int = _MAX_PEERS
    ) -> None:
        """Count with a monotonic clock, in seconds."""
        self._clock = clock
        self._most = most
        self._max_peers = peers
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_seconds(self, peer: str) -> float:
        """Give how long until it may be once more; 0 is now."""
        times = self._times.get(peer)
        now = self._clock()
        while times and times[0] <= now - _MINUTE:
            times.popleft()
        return times[0] + _MINUTE - now if times and len(times) >= self._most else 0

    def take(self, peer: str) -> bool:
        """Count once more, unless it is too often."""
        if self.wait_seconds(peer):
            return False
        self._times.setdefault(peer, deque()).append(self._clock())
        self._times.move_to_end(peer)
        if len(self._times) > self._max_peers:
            self._times.popitem(last=False)
        return True

    async def turn(self, peer: str) -> None:
        """Wait until it may be once more, and count it. For one at a time for each peer."""
        await asyncio.sleep(self.wait_seconds(peer))
        self.take(peer)
