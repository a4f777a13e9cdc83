"""How much one address may ask for: so many requests at once, then so many a second."""

from collections import OrderedDict
from collections.abc import Callable, Collection
import ipaddress
import math
import time

from aiohttp import web

from ...collective.keys import Network

AT_ONCE = 120
A_SECOND = 4.0
_ADDRESSES = 10_000
"""Whoever asked longest ago is forgotten."""
_HOME_BITS = 64
"""An address of IPv6 is one of many that a home has."""


class Limits:
    """Counts what each address asks for."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        a_second: float = A_SECOND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_once = at_once
        self._a_second = a_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> int | None:
        """Count a request. Gives None if it may be answered, else in how many seconds one may."""
        now = self._clock()
        left, at = self._left.pop(address, (float(self._at_once), now))
        left = min(self._at_once, left + (now - at) * self._a_second)
        if left < 1:
            self._left[address] = left, now
            return math.ceil((1 - left) / self._a_second)
        self._left[address] = left - 1, now
        if len(self._left) > _ADDRESSES:
            self._left.popitem(last=False)
        return None


def asker(request: web.Request, proxies: Collection[Network]) -> str:
    """Give who asks: behind a proxy of ours, the address that it was asked from."""
    told = request.transport.get_extra_info("peername") if request.transport else None
    address = _address(str(told[0]) if told else "")
    if address is None:
        return ""
    if any(address in one for one in proxies):
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        address = _address(forwarded) or address
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _HOME_BITS), strict=False))
    return str(address)


def _address(told: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(told)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
