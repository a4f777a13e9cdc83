"""Reports that prove their values: Prio3 of VDAF, whose Helper's share is a mask. Pure.

The measurement of an hour of x Wh has 16 bits, weighted so that every combination is a value from 0
to `MOST_WH`, and s. The proof shows that each bit is 0 or 1 and that s is x**2: a server that sees
a mere share of the elements, and adds its verifier to the other's, knows that and nothing else.

    home          sends the elements less the masks, which are expanded from the key of the day
    collective    has what is sent: the Leader's share
    witness       has the key, hence the masks: the Helper's share

The nonce is synthetic, as in SIV (RFC 5297): a MAC of day, subject and value under a secret that
the home shares with nobody. So a report is a function of these, and what a home sends again, or a
restored backup of it, says nothing new; another value has another nonce.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
import hmac
from itertools import batched
from operator import add, mul
import struct
from typing import Final, Self

from .errors import NotAnHour, NotElements, OutOfRange, WrongLength
from .exchange import NONCE_BYTES, VERIFICATION_KEY_BYTES
from .field import ELEMENT_BYTES, MODULUS, decode, encode
from .flp import MUL, Circuit, Equation
from .keys import DayKey
from .xof import expand, shake128

MOST_WH: Final = 36_000
"""The most that a home reports for an hour: 36 kVA, the largest contract of a Linky meter."""
NONCE_SECRET_BYTES: Final = 32

_BITS: Final = MOST_WH.bit_length()
_LAST_WEIGHT: Final = MOST_WH - (1 << _BITS - 1) + 1
_WEIGHTS: Final = (*(1 << bit for bit in range(_BITS - 1)), _LAST_WEIGHT)
_VALUE: Final = dict(enumerate(_WEIGHTS))

CIRCUIT: Final = Circuit(
    MUL,
    _BITS + 1,
    (
        *(Equation(({bit: 1}, {bit: 1}), {bit: 1}) for bit in range(_BITS)),
        Equation((_VALUE, _VALUE), {_BITS: 1}),
    ),
    (_VALUE, {_BITS: 1}),
)
ELEMENTS: Final = CIRCUIT.length
VERIFIER_ELEMENTS: Final = 2 + MUL.arity

_MASKS: Final = b"consometers masks"
_SEEDS: Final = b"consometers wire seeds"
_QUERY: Final = b"consometers query"
_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = struct.Struct(">q")


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a value: the hour of a direction, for a collective.

    Raises NotAnHour where `hour` is not the start of an hour in UTC.
    """

    collective: str
    direction: str
    hour: datetime

    def __post_init__(self) -> None:
        if self.hour.utcoffset() != timedelta() or (self.hour - _EPOCH) % _HOUR:
            raise NotAnHour

    def encoded(self) -> bytes:
        """Return the bytes that masks are computed over, before the nonce."""
        names = b"".join(
            struct.pack(">H", len(name)) + name
            for name in (b"consometers report 1", self.collective.encode(), self.direction.encode())
        )
        return names + _encoded_hour(self.hour)


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it leaves a home: which day's key masks it, its nonce, masked elements."""

    day: date
    nonce: bytes
    masked: bytes

    @classmethod
    def of(cls, wh: int, subject: Subject, key: DayKey, nonce_secret: bytes) -> Self:
        """Prove and mask a value of 0 to `MOST_WH` Wh. Raises OutOfRange and WrongLength.

        The seeds of the wires come from `nonce_secret` too, which nobody else has: they blind what
        servers compute of the value, and a report stays a function of hour, value and day.
        """
        if not 0 <= wh <= MOST_WH:
            raise OutOfRange(most=MOST_WH)
        if len(nonce_secret) != NONCE_SECRET_BYTES:
            raise WrongLength(name="nonce secret", wanted=NONCE_SECRET_BYTES)
        encoded = subject.encoded()
        nonce = _nonce(nonce_secret, key.day, encoded, wh)
        seeds = decode(expand(nonce_secret, _SEEDS, nonce, MUL.arity, shake128), MUL.arity)
        measured = measurement(wh)
        elements = [*measured, *CIRCUIT.prove(measured, seeds)]
        masks = decode(element_masks(key.secret, encoded, nonce), ELEMENTS)
        masked = ((element - mask) % MODULUS for element, mask in zip(elements, masks, strict=True))
        return cls(key.day, nonce, encode(masked))


class Verification:
    """The query of all reports of an hour and direction, by a collective and its witness.

    Both know its key, and no home does. A server that saw one report's verifiers under two keys
    would know two values of one wire, and so something of its value: it is verified once.
    """

    def __init__(self, key: bytes, direction: str, hour: datetime) -> None:
        """Derive the query. Raises `RootOfUnity`, for one key in 2**59, and WrongLength."""
        if len(key) != VERIFICATION_KEY_BYTES:
            raise WrongLength(name="verification key", wanted=VERIFICATION_KEY_BYTES)
        binder = direction.encode() + _encoded_hour(hour)
        count = CIRCUIT.query_randomness
        randomness = decode(expand(key, _QUERY, binder, count, shake128), count)
        self._query = CIRCUIT.query(randomness)

    def ask(self, shares: Iterable[bytes]) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
        """Yield the verifier of each share, of a report or of its masks, and its `outputs`.

        A verifier has `VERIFIER_ELEMENTS` elements. No number is reduced.
        """
        return self._query.ask(shares)

    def decide(self, of_report: Sequence[int], of_masks: Sequence[int]) -> bool:
        """Return whether these are the verifiers of a report of 0 to `MOST_WH` Wh."""
        return self._query.decide(map(add, of_report, of_masks, strict=True))


def measurement(wh: int) -> list[int]:
    """Return the elements of a value, without their proof: its weighted bits, and its square.

    draft-irtf-cfrg-vdaf-20 §7.4.2 chooses the bits of a value that has two representations.
    """
    last = int(wh >= 1 << _BITS - 1)
    rest = wh - last * _LAST_WEIGHT
    return [*(rest >> bit & 1 for bit in range(_BITS - 1)), last, wh * wh]


def element_masks(secret: bytes, subject: bytes, nonce: bytes) -> bytes:
    """Return the encoded masks of a report under the key of a day, for an encoded subject."""
    return expand(secret, _MASKS, subject + nonce, ELEMENTS, shake128)


def share(report: bytes) -> tuple[int, ...]:
    """Return the collective's share: the elements of a report. Raises `NotElements`."""
    return decode(report, ELEMENTS)


def read_verifiers(encoded: Sequence[bytes]) -> Iterator[tuple[int, ...]]:
    """Return the verifiers that a collective sent. Raises `NotElements`."""
    if {*map(len, encoded)} - {VERIFIER_ELEMENTS * ELEMENT_BYTES}:
        raise NotElements(wanted=VERIFIER_ELEMENTS * ELEMENT_BYTES)
    elements = decode(b"".join(encoded), VERIFIER_ELEMENTS * len(encoded))
    return batched(elements, VERIFIER_ELEMENTS, strict=True)


def outputs(share: Sequence[int]) -> tuple[int, int]:
    """Return the shares of the value and of its square, modulo `MODULUS`.

    Summed over reports and both servers, they are the sum of values and the sum of squares.
    """
    return sum(map(mul, _WEIGHTS, share[:_BITS], strict=True)) % MODULUS, share[_BITS]


def _encoded_hour(hour: datetime) -> bytes:
    """Return the start of an hour: hours since 1970, in 8 bytes."""
    return _NUMBER.pack((hour - _EPOCH) // _HOUR)


def _nonce(secret: bytes, day: date, subject: bytes, wh: int) -> bytes:
    """Return the nonce of a value, for an encoded subject and the day of the key."""
    of_day = _NUMBER.pack((day - _EPOCH.date()).days)
    return hmac.digest(secret, of_day + subject + _NUMBER.pack(wh), "sha256")[:NONCE_BYTES]
