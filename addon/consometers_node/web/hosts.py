"""Under which names pages may be asked for.

A browser that was lured to a name of somebody else may be told that this name is here, and then
lets that page read ours (DNS rebinding). A name that nobody on the Internet can own is safe.
"""

from collections.abc import Collection
import ipaddress

from aiohttp import web

_LOCAL = ("localhost", "local", "internal", "home.arpa")


def is_known(request: web.Request, names: Collection[str] = ()) -> bool:
    """Return whether a request is for one of these names, an address or a local name."""
    name = request.host.lower()
    if name.startswith("["):
        return True
    name = name.rpartition(":")[0] or name
    name = name.removesuffix(".")
    return name in names or "." not in name or _is_address(name) or _is_local(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_local(name: str) -> bool:
    return any(name.endswith(f".{suffix}") for suffix in _LOCAL)
