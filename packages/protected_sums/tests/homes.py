"""Homes that enrol with a witness and report to a collective, as the tests know them."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random

from consometers_protected_sums.exchange import Answer, Group, MaskedSum, Part, RefusedHomes
from consometers_protected_sums.field import MODULUS, decode, encode
from consometers_protected_sums.keys import KEY_BYTES, DayKey
from consometers_protected_sums.opening import Enrolment, Witness
from consometers_protected_sums.reports import (
    ELEMENTS,
    NONCE_SECRET_BYTES,
    Report,
    Subject,
    Verification,
    element_masks,
    outputs,
    share,
)

TODAY = date(2026, 11, 28)
COLLECTIVE = "energies.example"
VERIFICATION_KEY = bytes(range(128, 160))
NOON = Subject(COLLECTIVE, "consumption", datetime(2026, 11, 28, 12, tzinfo=UTC))


@dataclass(frozen=True)
class Home:
    """A home, by its pseudonym, with the key that it gave to the witness."""

    pseudonym: str
    key: DayKey
    random: Random

    def reports(self, wh: int, subject: Subject = NOON, day: date = TODAY) -> tuple[Part, Report]:
        """Mask a value on a day. Return what the collective names it by, and what it adds up."""
        secret = self.random.randbytes(NONCE_SECRET_BYTES)
        report = Report.of(wh, subject, self.key.on(day), secret)
        return part_of(self.pseudonym, report, subject), report


def part_of(pseudonym: str, report: Report, subject: Subject = NOON) -> Part:
    """Return the part of a request that names a report, with its verifier."""
    verification = Verification(VERIFICATION_KEY, subject.direction, subject.hour)
    verifier = encode(verifier_of(share(report.masked), verification))
    return Part(pseudonym, report.day, report.nonce, verifier)


def verifier_of(elements: Sequence[int], verification: Verification) -> list[int]:
    """Return the verifier of a share."""
    ((verifier, outputs_of_share),) = verification.ask([encode(elements)])
    assert tuple(output % MODULUS for output in outputs_of_share) == outputs(elements)
    return [number % MODULUS for number in verifier]


def masks_of(secret: bytes, subject: Subject, nonce: bytes) -> tuple[int, ...]:
    """Return the masks of a report as numbers."""
    return decode(element_masks(secret, subject.encoded(), nonce), ELEMENTS)


def homes(count: int, seed: int = 1, since: date = TODAY) -> list[Home]:
    """Return homes that enrolled on a day."""
    random = Random(seed)
    return [
        Home(f"home-{n}", DayKey(since, random.randbytes(KEY_BYTES)), random) for n in range(count)
    ]


def enrolled(homes: Iterable[Home], minimum: int = 3) -> dict[str, Enrolment]:
    """Return what their witness holds of them."""
    directions = frozenset({"consumption", "injection"})
    return {home.pseudonym: Enrolment(home.key, directions, minimum) for home in homes}


@dataclass(frozen=True)
class Asked:
    """A group that a collective asks for: first its reports, then their sums."""

    group: str
    parts: tuple[Part, ...]
    masked: int
    masked_squares: int

    @property
    def reports(self) -> Group:
        return Group(self.group, self.parts)

    @property
    def sums(self) -> MaskedSum:
        return MaskedSum(self.group, self.masked, self.masked_squares)


def answers_of(
    witness: Witness,
    asked: Sequence[Asked],
    subject: Subject = NOON,
    today: date = TODAY,
    opened: Set[str] = frozenset(),
    *,
    key: bytes = VERIFICATION_KEY,
    verified: Mapping[str, bytes] | None = None,
) -> list[Answer] | list[RefusedHomes]:
    """Have a witness verify groups, then open those whose homes passed."""
    refused, masks, _ = witness.verify(
        subject, [each.reports for each in asked], today, opened, key=key, verified=verified or {}
    )
    return refused or witness.open(subject, masks, [each.sums for each in asked])


def added(group: str, reports: Iterable[tuple[Part, Report]]) -> Asked:
    """Add reports up, as the collective does."""
    reports = list(reports)
    shares = [outputs(share(report.masked)) for _, report in reports]
    return Asked(
        group,
        tuple(part for part, _ in reports),
        sum(value for value, _ in shares) % MODULUS,
        sum(square for _, square in shares) % MODULUS,
    )
