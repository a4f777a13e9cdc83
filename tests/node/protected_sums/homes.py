"""Homes that enrol with a witness and report to a collective, as the tests know them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random

from consometers_node.protected_sums.field import MODULUS, encode
from consometers_node.protected_sums.keys import KEY_BYTES, DayKey
from consometers_node.protected_sums.opening import Enrolment
from consometers_node.protected_sums.reports import (
    NONCE_SECRET_BYTES,
    Report,
    Subject,
    Verification,
    outputs,
    share,
)
from consometers_node.quoalise.protected_sums import MaskedSum, Part
from consometers_node.series import Direction

TODAY = date(2026, 11, 28)
COLLECTIVE = "energies.example"
VERIFICATION_KEY = bytes(range(128, 160))
NOON = Subject(COLLECTIVE, Direction.CONSUMPTION, datetime(2026, 11, 28, 12, tzinfo=UTC))


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
    verifier = encode(verification.ask(share(report.masked))[0])
    return Part(pseudonym, report.day, report.nonce, verifier)


def homes(count: int, seed: int = 1, since: date = TODAY) -> list[Home]:
    """Return homes that enrolled on a day."""
    random = Random(seed)
    return [
        Home(f"home-{n}", DayKey(since, random.randbytes(KEY_BYTES)), random) for n in range(count)
    ]


def enrolled(homes: Iterable[Home], minimum: int = 3) -> dict[str, Enrolment]:
    """Return what their witness holds of them."""
    directions = frozenset({Direction.CONSUMPTION, Direction.INJECTION})
    return {home.pseudonym: Enrolment(home.key, directions, minimum) for home in homes}


def added(group: str, reports: Iterable[tuple[Part, Report]]) -> MaskedSum:
    """Add reports up, as the collective does."""
    reports = list(reports)
    shares = [outputs(share(report.masked)) for _, report in reports]
    return MaskedSum(
        group,
        tuple(part for part, _ in reports),
        sum(value for value, _ in shares) % MODULUS,
        sum(square for _, square in shares) % MODULUS,
    )
