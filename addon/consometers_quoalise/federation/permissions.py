"""What the Consometers add to Quoalise: data needs, permissions and receipts, as elements.

Namespace `urn:consometers:federation:0`. A peer without it still gets everything else. The
words are those of EU regulation 2023/1162 and of `privacy`: a data need is what a collective asks
for and why, a permission a household's dated answer to one data need for named series.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from consometers_quoalise.iso8601 import Duration
from consometers_quoalise.languages import ByLanguage
from consometers_quoalise.records.identifier import Direction, Identifier

NAMESPACE = "urn:consometers:federation:0"


class Reading(StrEnum):
    """What a collective can read of its members' records."""

    INDIVIDUAL = "individual"
    """Each member's records."""
    SUM = "sum"
    """Only sums: values are masked, and opened together with a witness. Neither reads a home."""


class Identification(StrEnum):
    """The name under which a collective knows a device."""

    PSEUDONYM = "pseudonym"
    DELIVERY_POINT = "delivery-point"
    NAME = "name"
    """A pseudonym too; and what is read may be shown to everybody, under the member's name."""

    def may_answer(self, asked: Identification) -> bool:
        """Return whether this is the request, or narrower. A name is granted, or refused."""
        return self is asked or (self, asked) == (
            Identification.PSEUDONYM,
            Identification.DELIVERY_POINT,
        )


class State(StrEnum):
    """State of a permission: proposed → granted | refused; granted → the last three."""

    PROPOSED = "proposed"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """By the household."""
    TERMINATED = "terminated"
    """By the collective."""
    EXPIRED = "expired"


class Quantity(StrEnum):
    """A counted or measured quantity, as in `<measurement>`."""

    ENERGY = "energy"
    POWER = "power"

    @property
    def unit(self) -> str:
        """The unit, as SenML writes it."""
        match self:
            case Quantity.ENERGY:
                return "Wh"
            case Quantity.POWER:
                return "W"

    @property
    def is_mean(self) -> bool:
        """Whether a record is a mean over its time, and no amount in it."""
        match self:
            case Quantity.ENERGY:
                return False
            case Quantity.POWER:
                return True


@dataclass(frozen=True, slots=True)
class DataNeedSeries:
    """A kind of requested series, in the words of the home.

    Injection is what it feeds into the grid (the meter's series of it is named `production`),
    production what its panels make.
    """

    direction: Direction
    quantity: Quantity


LEAST_MINIMUM: Final = 3
"""Homes in a protected sum: of two, each knows the other's value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """The server that opens sums of homes together with a collective.

    docs/protected-sums-specification.md has what it checks.
    `name` and `contact` are of who runs it. Its `url`, https and without a slash at its end, is
    where homes enrol; its `jid`, a bare address, where the collective asks. Each sum is promised
    to have at least `minimum` homes, from `LEAST_MINIMUM` on.
    """

    jid: str
    name: str
    contact: str
    url: str
    minimum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataNeed:
    """A collective's request, and its reason. A new version asks again.

    `history` is how far back, `duration` for how long from the grant, `retention` how long the
    collective keeps what it got after the end. `policy` is an https link. `recipients` says who
    else receives it; it has no words where nobody does. A need of sums has a `witness`.
    """

    id: str
    version: int
    title: ByLanguage
    purpose: ByLanguage
    controller: str
    contact: str
    policy: str
    series: tuple[DataNeedSeries, ...]
    interval: Duration
    history: Duration
    duration: Duration
    retention: Duration
    identification: Identification = Identification.PSEUDONYM
    reading: Reading = Reading.INDIVIDUAL
    recipients: ByLanguage = field(default_factory=dict)
    witness: Witness | None = None


SUBSCRIBED_KVA = range(1, 37)
"""The power in kVA that a home may subscribe to: beyond 36, a connection has no Linky meter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """A household's answer to one version of one data need. It may only narrow what was asked.

    `series` are the very series that may be read, under the names that the collective gets:
    their records of records_from ≤ time < valid_until, while valid_from ≤ now < valid_until.
    `shown_sha256` is the hash, in hexadecimal digits, of the text that the household was shown,
    in `shown_language`. What is not here, such as the purpose, is as the data need says.

    `subscribed_kva` is the subscribed power of the meters whose consumption is read, of those that
    say it.
    """

    id: str
    need: str
    version: int
    series: tuple[Identifier, ...]
    interval: Duration
    records_from: datetime
    valid_from: datetime
    valid_until: datetime
    shown_sha256: str
    shown_language: str
    identification: Identification = Identification.PSEUDONYM
    reading: Reading = Reading.INDIVIDUAL
    subscribed_kva: Mapping[Identifier, int] = field(default_factory=dict, hash=False)


PART_BYTES = 64 * 1024
"""Of an export, in each part but the last: with its base64 it is well below a stanza's limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPart:
    """One of the `parts` of a ZIP file with all that a collective holds of a member.

    `id` is that of the file, `size` its bytes and `sha256` its hash, in hexadecimal digits; `time`
    is when it was made. `part` counts from 1.
    """

    id: str
    time: datetime
    size: int
    sha256: str
    part: int
    parts: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Erased:
    """The erased records of one series, or of several: their names were erased with them."""

    series: Identifier | None
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A peer's action on a permission: its time, and the records erased."""

    permission: str
    state: State
    time: datetime
    erased: tuple[Erased, ...] = ()
