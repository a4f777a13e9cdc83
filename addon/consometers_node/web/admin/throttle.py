"""How often a password may be tried: after some tries, each has to wait longer than the one before.

Tries are counted for an address and for a name. Who came in from an address is not kept out there
by what others try under the same name elsewhere.
"""

from collections import OrderedDict
from collections.abc import Callable
import math
import time

FREE_TRIES = 5
LONGEST_S = 900.0

_FIRST_S = 2.0
_FORGOTTEN_S = 24 * 3600.0
_KEPT = 10_000
"""Of each kind; whoever tried longest ago is forgotten."""

type _Tries = OrderedDict[str, tuple[int, float]]


class Throttle:
    """Counts tries, in bounded memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: _Tries = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def take(self, address: str, name: str) -> int | None:
        """Count a try. Gives None if it may be made, else in how many seconds one may."""
        now = self._clock()
        keys = self._keys(address, name)
        waits = [self._wait(key, now) for key in keys]
        if max(waits) > 0:
            return math.ceil(max(waits))
        for key in keys:
            count, _ = self._tries.pop(key, (0, 0.0))
            self._tries[key] = count + 1, now
        while len(self._tries) > _KEPT:
            self._tries.popitem(last=False)
        return None

    def came_in(self, address: str, name: str) -> None:
        """Forget the tries of somebody who knew the password."""
        for key in self._keys(address, name):
            self._tries.pop(key, None)
        self._known.pop((address, name), None)
        self._known[address, name] = None
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def _keys(self, address: str, name: str) -> tuple[str, ...]:
        of_address = f"address {address}"
        return (of_address,) if (address, name) in self._known else (of_address, f"name {name}")

    def _wait(self, key: str, now: float) -> float:
        count, last = self._tries.get(key, (0, now))
        if now - last > _FORGOTTEN_S:
            del self._tries[key]
            return 0.0
        if count < FREE_TRIES:
            return 0.0
        return last + min(LONGEST_S, _FIRST_S * 2.0 ** min(count - FREE_TRIES, 20)) - now
