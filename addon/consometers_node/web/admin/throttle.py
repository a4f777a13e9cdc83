"""How often a password may be tried: after some tries, each has to wait longer than the one before.

Tries are counted for the address that they come from, never for the name that is tried: or anybody
could lock an administrator out. A browser that somebody logged in from is counted by itself.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
import ipaddress
import math
import time

FREE_TRIES = 5
FREE_TRIES_OF_SITE = 40
"""A site has 65,536 networks of homes, and may try from each."""
LONGEST_S = 900.0

_SITE_BITS = 48
_FIRST_S = 2.0
_FORGOTTEN_S = 24 * 3600.0
_KEPT = 10_000
"""The source that tried longest ago is forgotten."""


class Throttle:
    """Counts tries by their sources, in bounded memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def take(self, sources: Mapping[str, int]) -> int | None:
        """Count a try of sources, each with its free tries.

        Return None if it may be made, else in how many seconds one may.
        """
        now = self._clock()
        wait = max(self._wait(source, free, now) for source, free in sources.items())
        if wait > 0:
            return math.ceil(wait)
        for source in sources:
            count, _ = self._tries.pop(source, (0, 0.0))
            self._tries[source] = count + 1, now
        while len(self._tries) > _KEPT:
            self._tries.popitem(last=False)
        return None

    def forget(self, sources: Mapping[str, int]) -> None:
        """Forget the tries of somebody who knew the password."""
        for source in sources:
            self._tries.pop(source, None)

    def _wait(self, source: str, free: int, now: float) -> float:
        count, last = self._tries.get(source, (0, now))
        if now - last > _FORGOTTEN_S:
            del self._tries[source]
            return 0.0
        if count < free:
            return 0.0
        return last + min(LONGEST_S, _FIRST_S * 2.0 ** min(count - free, 20)) - now


def of_address(address: str) -> dict[str, int]:
    """Return the sources that a try from an address counts for: of IPv6 also the whole site."""
    sources = {f"address {address}": FREE_TRIES}
    if ":" in address:
        site = ipaddress.IPv6Network(address).supernet(new_prefix=_SITE_BITS)
        sources[f"site {site}"] = FREE_TRIES_OF_SITE
    return sources


def of_browser(number: str) -> dict[str, int]:
    """Return the source that a try from a browser counts for that somebody logged in from."""
    return {f"browser {number}": FREE_TRIES}
