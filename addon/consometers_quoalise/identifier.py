"""Identifiers: a device (RFC 9039), then which quantity of it a series has.

    identifier = "urn:dev:" body ["_" path]
    body       = "prm:" 14 digits                a delivery point of the French network
               | "org:" number "-" name          what an enterprise named: org:60060-elfe:42878
               | "mac:" hex | "ow:" hex | "os:" number "-" serial
               | "ops:" number "-" product "-" serial | any other subtype ":" name
    path       = segment *("/" segment)          consumption/power/active/raw

RFC 9039 has no "/" after the "_"; the programs of the federation do.
"""

import base64
from dataclasses import dataclass
from enum import StrEnum
import hashlib
import hmac
import re

from . import bounds
from .errors import Malformed
from .problems import Problem

ENTERPRISE = 60060
"""The Consometers' number among IANA's private enterprises."""
MAX_LENGTH = bounds.OTHER
"""Characters of an identifier with a path, as of any name of records."""
MIN_SECRET = 32
"""Bytes of a household's secret."""

_PREFIX = "urn:dev:"
_NAMES = r"[A-Za-z0-9.-]+(?::[A-Za-z0-9.-]+)*"
_BODIES = {
    "prm": r"\d{14}",
    "mac": r"[0-9a-f]+",
    "ow": r"[0-9a-f]+",
    "org": rf"[1-9]\d*-{_NAMES}",
    "os": rf"[1-9]\d*-{_NAMES}",
    "ops": rf"[1-9]\d*-[A-Za-z0-9.]+-{_NAMES}",
}
_DEVICE = re.compile(rf"urn:dev:(?P<subtype>[a-z][a-z0-9]*):(?P<body>{_NAMES})", re.ASCII)
_KNOWN = {subtype: re.compile(body, re.ASCII) for subtype, body in _BODIES.items()}
_PATH = re.compile(r"[A-Za-z0-9.-]+(?:[/_][A-Za-z0-9.-]+)*", re.ASCII)
_PSEUDONYM_LENGTH = 26


class Direction(StrEnum):
    """Which way energy goes, the first segment of a path.

    For the network operator, `production` at a delivery point is what is injected there. A
    meter's injection is therefore `production`, and so is what panels behind it make: the device
    says which. `injection` names the former in a collective's sums and in data needs.
    """

    CONSUMPTION = "consumption"
    PRODUCTION = "production"
    INJECTION = "injection"


class SeriesPath:
    """Paths in use, after their direction. Values are of one interval, stamped at its start."""

    POWER = "power/active/raw"
    """Load curve: mean W."""
    ENERGY_DAILY = "energy/active/daily"
    """Wh of a civil day."""
    ENERGY_INDEX = "energy/active/index"
    """Register: Wh since the meter was made."""
    MEMBERS = "members"
    """Beside a collective's value: how many members it sums."""
    WITHOUT_HOMES = "without-homes"
    """Beside a collective's value: 1 where homes that count are missing from it."""
    MEDIAN = "energy/monthly/median"
    """Wh of a civil month: half of a collective's homes have at most this; quarters follow."""
    LOWER_QUARTILE = "energy/monthly/lower-quartile"
    UPPER_QUARTILE = "energy/monthly/upper-quartile"


BESIDE = (SeriesPath.MEMBERS, SeriesPath.WITHOUT_HOMES)
"""Paths of the series beside a collective's value."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device: `subtype` says who named it, `body` the name."""

    subtype: str
    body: str

    def __str__(self) -> str:
        """Return the URN."""
        return f"{_PREFIX}{self.subtype}:{self.body}"

    @property
    def delivery_point(self) -> str | None:
        """The 14 digits of a delivery point."""
        return self.body if self.subtype == "prm" else None


@dataclass(frozen=True, slots=True)
class Identifier:
    """A series of a device, or the device alone when `path` is empty."""

    device: Device
    path: str = ""

    def __str__(self) -> str:
        """Return the URN, which is also the name of its records in SenML."""
        return f"{self.device}_{self.path}" if self.path else str(self.device)

    @property
    def direction(self) -> Direction | None:
        """The direction, if the path begins with one that we know."""
        first = self.path.partition("/")[0]
        return Direction(first) if first in Direction else None

    @property
    def quantity(self) -> str:
        """The path after its direction, such as `SeriesPath.POWER`."""
        return self.path.partition("/")[2] if self.direction else self.path

    @property
    def members(self) -> Identifier:
        """The series that counts the members in each value of this one."""
        return self.beside(SeriesPath.MEMBERS)

    def beside(self, path: str) -> Identifier:
        """Return one of the series `BESIDE` the values of this one."""
        return Identifier(self.device, f"{self.path}/{path}")

    @property
    def summed(self) -> Identifier | None:
        """The series of sums beside whose values this one stands; None of any other series."""
        path, _, last = self.path.rpartition("/")
        return Identifier(self.device, path) if path and last in BESIDE else None


def device(sent: str, place: str = "device") -> Device:
    """Read a device. `urn:dev:` may be in capitals (RFC 8141 §3.1). Raises `Malformed`."""
    match = _DEVICE.fullmatch(sent[: len(_PREFIX)].lower() + sent[len(_PREFIX) :])
    pattern = _KNOWN.get(match["subtype"]) if match else None
    if match is None or (pattern and not pattern.fullmatch(match["body"])):
        raise Malformed(place, Problem.NOT_A_DEVICE, found=sent)
    return Device(match["subtype"], match["body"])


def identifier(sent: str, place: str = "identifier") -> Identifier:
    """Read an identifier. Raises `Malformed`."""
    urn, underscore, path = sent.strip().partition("_")
    if len(sent) > MAX_LENGTH:
        raise Malformed(place, Problem.TOO_LONG, found=len(sent), most=MAX_LENGTH)
    if underscore and not _PATH.fullmatch(path):
        raise Malformed(place, Problem.NOT_A_PATH, found=path)
    return Identifier(device(urn, place), path)


def series(device: Device, direction: Direction, quantity: str = SeriesPath.POWER) -> Identifier:
    """Build the identifier of a series."""
    return identifier(f"{device}_{direction}/{quantity}")


def organisation(name: str) -> Device:
    """Build the device of a name that the Consometers gave: a collective, or a pseudonym."""
    return device(f"{_PREFIX}org:{ENTERPRISE}-{name}")


def is_bare(jid: str) -> bool:
    """Return whether this can be the bare address of a peer, as XMPP prepares it."""
    return bool(jid) and jid == jid.strip().lower() and "/" not in jid and jid.isprintable()


def pseudonym(secret: bytes, jid: str, device: Device) -> Device:
    """Return the device under the name by which a collective knows it.

    base32(HMAC-SHA-256(secret, bare JID, 0x00, URN of the device)), its first 26 characters
    (130 bits), in lower case. Neither a JID nor a URN can hold a zero byte, so no two pairs give
    the same message. The JID must be as XMPP prepares it, which puts it in lower case. Two
    collectives cannot match their members, and nobody finds the device without the secret.
    Raises `Malformed` on a JID that is not bare and on a secret under 32 bytes.
    """
    if len(secret) < MIN_SECRET:
        raise Malformed("secret", Problem.SHORT_SECRET, found=len(secret), most=MIN_SECRET)
    if not is_bare(jid):
        raise Malformed("jid", Problem.NOT_A_BARE_ADDRESS, found=jid)
    message = b"\0".join((jid.encode(), str(device).encode()))
    digest = hmac.digest(secret, message, hashlib.sha256)
    return organisation(base64.b32encode(digest).decode().lower()[:_PSEUDONYM_LENGTH])
