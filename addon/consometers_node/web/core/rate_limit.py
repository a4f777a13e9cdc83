"""Rate limits by address, and a limit on answers made for one address at the same time."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import ipaddress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from aiohttp import hdrs, web

from consometers_node.rate_limit import TokenBucket

if TYPE_CHECKING:
    from consometers_node.settings_file.formats import Network

MADE_AT_ONCE = 2
MOST_WAITING = 64
BYTES_A_TOKEN = 32 * 1024
"""A longer answer counts as so many more requests, as it takes as much longer to make."""
_HOME_BITS = 64
"""A home has that many addresses of IPv6, and more."""


def visitors() -> TokenBucket:
    """Return a limit on the requests of each address: 120 at once, then four a second.

    By `BYTES_A_TOKEN` that is also 4 MB at once, then 128 kB a second.
    """
    return TokenBucket(at_once=120, a_second=4.0)


class TooMany(Exception):
    """Too many requests of one address wait for their turn."""


@dataclass(slots=True, weakref_slot=True)
class _Queue:
    free: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MADE_AT_ONCE), init=False
    )
    waiting: int = 0


class Turns:
    """Makes a few answers of each address at the same time; its other requests wait in line.

    So a visitor waits for a few answers of each other address, however many it asks for.
    """

    def __init__(self) -> None:
        self._queues: WeakValueDictionary[str, _Queue] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn of this address. Raises TooMany."""
        queue = self._queues.setdefault(address, _Queue())
        if queue.waiting >= MOST_WAITING:
            raise TooMany
        queue.waiting += 1
        try:
            await queue.free.acquire()
        finally:
            queue.waiting -= 1
        try:
            yield
        finally:
            queue.free.release()


def asker(request: web.Request, proxies: Collection[Network]) -> str:
    """Return the client's address: behind one of our proxies, the last one that it forwards."""
    peer = peer_of(request.transport)
    if is_among(peer, proxies):
        # Some proxies add a line of their own below those that a visitor sent.
        forwarded = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ()))
        return home_of(forwarded.rpartition(",")[2].strip()) or home_of(peer)
    return home_of(peer)


def peer_of(transport: asyncio.BaseTransport | None) -> str:
    """Return the address at the other end of a connection, empty without one."""
    peer = transport.get_extra_info("peername") if transport else None
    return str(peer[0]) if peer else ""


def is_among(peer: str, networks: Collection[Network]) -> bool:
    """Return whether an address is in one of some networks."""
    address = address_of(peer)
    return address is not None and any(address in network for network in networks)


def home_of(peer: str) -> str:
    """Return the rate limit's key of an address, empty for none: of IPv6 the home's network."""
    address = address_of(peer)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _HOME_BITS), strict=False))
    return "" if address is None else str(address)


def address_of(peer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an IP address, or None where the text is none."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
