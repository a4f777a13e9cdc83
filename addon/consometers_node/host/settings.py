"""The settings of a host."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from zoneinfo import ZoneInfo

from .accounts.terms import Operator

_TIME_ZONE = ZoneInfo("Europe/Paris")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """Who runs a host, and for how many households.

    `domain` has the addresses of homes. Without `is_open`, a space takes an invitation.
    """

    name: str
    operator: Operator
    domain: str
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    time_zone: ZoneInfo = _TIME_ZONE
    is_open: bool = False
    most_spaces: int = 1000
