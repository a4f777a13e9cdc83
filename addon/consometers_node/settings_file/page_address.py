"""The settings that the pages of any role have: where they are served, and behind which proxy."""

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Annotated

from consometers_node.i18n.text import text

from .formats import Host, Networks, Port

_THIS_MACHINE = ip_network("127.0.0.0/8"), ip_network("::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAddress:
    """Where pages are served, and from where `proxies` ask for others."""

    host: Annotated[Host, text("The address of its pages.")] = "127.0.0.1"
    port: Annotated[Port, text("Their port.")] = 8080
    proxies: Annotated[
        Networks,
        text(
            "The address of the reverse proxy: the node trusts only this proxy for client"
            " addresses. By default, this machine."
        ),
    ] = _THIS_MACHINE
