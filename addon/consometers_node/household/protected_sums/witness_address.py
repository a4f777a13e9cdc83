"""Which addresses of witnesses and of policies a home connects to.

A collective states them: they must not lead into the household's own network. A node whose server
has an authority of its own (`--ca-file`) is on a private network, and connects there too.
"""

import asyncio
from ipaddress import ip_address
import socket
import ssl
from typing import NamedTuple, override
from urllib.parse import urlsplit

from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from consometers_node.sharing.account import load
from consometers_node.store import Store

HTTPS_PORT = 443


class NotPublic(OSError):
    """The address of a witness is not public."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        # Of what its resolver raises, aiohttp shows this alone.
        self.strerror = why


class Trust(NamedTuple):
    """How witnesses are verified, and whether they may be on this network."""

    tls: ssl.SSLContext
    is_private: bool = False


async def trust(store: Store) -> Trust:
    """Return what the home's account trusts: also the authority of its own server."""
    context = ssl.create_default_context()
    identity = await load(store)
    file = None if identity is None else identity.server.ca_file
    if file is not None:
        context.load_verify_locations(file)
    return Trust(context, is_private=file is not None)


def check_url(url: str, *, is_private: bool) -> tuple[str, int]:
    """Return host and port of a site. Raises `NotPublic`, and ValueError on what is no URL."""
    site = urlsplit(url)
    host, port = site.hostname, site.port or HTTPS_PORT
    if site.scheme != "https" or not host or "@" in site.netloc:
        raise NotPublic("it is not a plain https address")
    if not is_private:
        if port != HTTPS_PORT:
            raise NotPublic(f"port {port}")
        check_address(host)
    return host, port


def check_address(address: str) -> None:
    """Refuse an IP address of a private network, this machine or a link. Raises `NotPublic`."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        # A name: it is resolved, and checked again.
        return
    if not parsed.is_global or parsed.is_multicast:
        raise NotPublic("it is not a public address")


async def addresses(host: str, port: int, *, is_private: bool) -> list[str]:
    """Return the IP addresses of a host. Raises `NotPublic` if one is not public, and OSError."""
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    resolved = [str(address[0]) for *_, address in answers]
    if not is_private:
        for address in resolved:
            check_address(address)
    return resolved


class PublicResolver(ThreadedResolver):
    """Resolves names to public addresses alone: those that are checked are those that are used."""

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answers = await super().resolve(host, port, family)
        for result in answers:
            check_address(result["host"])
        return answers
