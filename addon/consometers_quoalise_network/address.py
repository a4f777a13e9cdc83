"""Addresses of the federation: name@server, and name@server/resource for requests (RFC 7622).

slixmpp prepares them, whatever carries the messages.
"""

from slixmpp import JID
from slixmpp.jid import InvalidJID

from .errors import NotAnAddress

RESOURCE = "quoalise"
"""The resource of a node's full address: peers ask name@server/quoalise."""


def parts(address: str) -> tuple[str, str, str]:
    """Return name, server and resource, prepared; those that are absent are empty.

    Raises `NotAnAddress`.
    """
    try:
        jid = JID(address)
    except InvalidJID:
        raise NotAnAddress(found=address) from None
    return jid.user, jid.domain, jid.resource


def bare(address: str) -> str:
    """Prepare the bare address of an account. Raises `NotAnAddress`."""
    name, server, _ = parts(address.strip())
    if not name or not server:
        raise NotAnAddress(found=address)
    return f"{name}@{server}"


def full(address: str) -> str:
    """Return the address for requests to a peer, prepared. Raises `NotAnAddress`."""
    name, server, resource = parts(address)
    if not server:
        raise NotAnAddress(found=address)
    account = f"{name}@{server}" if name else server
    return f"{account}/{resource or RESOURCE}"


def account_of(address: str) -> str:
    """Return the bare address of a prepared one."""
    return address.partition("/")[0]
