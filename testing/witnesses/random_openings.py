"""Random verifications and openings, with the answers of our witness."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Self

from consometers_node.series import Direction
from consometers_protected_sums.exchange import (
    Answer,
    Group,
    MaskedSum,
    OpenedSum,
    Part,
    RefusedHomes,
)
from consometers_protected_sums.field import MODULUS, encode
from consometers_protected_sums.keys import DayKey
from consometers_protected_sums.opening import Enrolment, Witness, fingerprint
from consometers_protected_sums.reports import Report, Subject, Verification, outputs, share
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation.protected_sums import (
    Opening,
    VerificationRequest,
    write_opening,
    write_verification,
)
from packages.protected_sums.tests import independent
from packages.protected_sums.tests.homes import verifier_of
from packages.protected_sums.tests.independent import AtFault, Enrolled, Refused, Sum

OPENING = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def compared(answers: Iterable[Answer]) -> set[Sum | Refused]:
    return {
        Sum(answer.groups, answer.homes, answer.wh)
        if isinstance(answer, OpenedSum)
        else Refused(answer.groups, answer.reason.value)
        for answer in answers
    }


def compared_homes(refused: Iterable[RefusedHomes]) -> set[AtFault]:
    return {AtFault(homes.reason.value, homes.pseudonyms) for homes in refused}


class RandomHome:
    """A home of random cases: its report, and what may be wrong with it, where `faults` is 1."""

    def __init__(self, random: Random, number: int, today: date, faults: int) -> None:
        self.faults = faults
        self.pseudonym = f"00000000-0000-4000-8000-{number:012x}"
        enrolled = today - timedelta(days=random.choice((0, 1, 20, 35, 36)))
        directions = {Direction.CONSUMPTION, Direction.INJECTION}
        if random.random() < 0.03 * faults:
            directions.remove(random.choice([*sorted(directions)]))
        self.enrolment = Enrolment(
            DayKey(enrolled, random.randbytes(32)),
            frozenset(directions),
            4 if random.random() < 0.03 * faults else 3,
        )
        age = random.randint(0, min(35, (today - enrolled).days))
        if random.random() < 0.03 * faults:
            age = random.choice((-1, 36))
        self.day = today - timedelta(days=age)
        self.secret = random.randbytes(32)

    def report(self, random: Random, subject: Subject, wh: int) -> Report:
        """Return a report, which is wrong in one element now and then."""
        key = self.enrolment.key
        if self.day < key.day:
            key = DayKey(self.day, bytes(32))
        report = Report.of(wh, subject, key.on(self.day), self.secret)
        about = subject.collective, subject.direction
        made = independent.report(
            key.on(self.day).secret, about, subject.hour, report.nonce, wh, secret=self.secret
        )
        assert independent.encoded(made) == report.masked
        assert report.nonce == independent.nonce_of(self.secret, self.day, about, subject.hour, wh)
        if random.random() < 0.02 * self.faults:
            elements = list(share(report.masked))
            place = random.randrange(len(elements))
            elements[place] = (elements[place] + random.randrange(1, MODULUS)) % MODULUS
            report = replace(report, masked=encode(elements))
        return report


def values(random: Random, count: int) -> list[int]:
    """Return values of a group, one of which dominates it now and then."""
    largest = random.choice((40, 900, 36_000))
    some = [random.randint(0, largest) for _ in range(count)]
    if random.random() < 0.4:
        some[0] = min(36_000, random.randint(1, 6) * largest)
    return some


@dataclass(frozen=True)
class RandomCase:
    """A random request, and what the witness knows of its homes."""

    subject: Subject
    today: date
    secret: bytes
    key: bytes
    homes: Mapping[str, Enrolment]
    marked: Set[str]
    verified: Mapping[str, Part]
    """Reports that were verified before."""
    groups: Sequence[Group]
    sums: Sequence[MaskedSum]
    verification: Sequence[VerificationRequest]
    """In parts."""

    @classmethod
    def random(cls, seed: int) -> Self:
        random = Random(seed)
        today = date(2026, 12, 1) + timedelta(days=random.randrange(400))
        hour = datetime(2026, 12, 1, tzinfo=UTC) + timedelta(hours=random.randrange(9_000))
        collective = random.choice((independent.COLLECTIVE, "énergies@coop.example"))
        direction = random.choice(
            (Direction.CONSUMPTION, Direction.CONSUMPTION, Direction.INJECTION)
        )
        subject = Subject(collective, direction, hour)
        secret, key = random.randbytes(32), random.randbytes(32)
        verification = Verification(key, direction, hour)
        faults = random.randrange(2)
        houses = [
            RandomHome(random, number, today, faults) for number in range(random.randint(3, 14))
        ]
        known_to_witness = [house for house in houses if random.random() >= 0.01 * faults]
        waiting, groups, sums, verified = list(houses), [], [], {}
        names = random.sample(["0", "1", "2", "9", "10", "100"], 4)
        while waiting and names:
            count = random.randint(3, 5)
            if len(names) == 1 or len(waiting) < count + 3:
                count = len(waiting)
            some, waiting = waiting[:count], waiting[count:]
            if random.random() < 0.05 * faults:
                some = [*some, some[0]]
            parts, masked, squares = [], 0, 0
            for house, wh in zip(some, values(random, len(some)), strict=True):
                report = house.report(random, subject, wh)
                verifier = encode(verifier_of(share(report.masked), verification))
                parts.append(Part(house.pseudonym, report.day, report.nonce, verifier))
                value, square = outputs(share(report.masked))
                masked, squares = masked + value, squares + square
                if random.random() < 0.02 * faults:
                    verified[house.pseudonym] = random.choice(
                        (parts[-1], parts[-1]._replace(nonce=key[:16]))
                    )
            if random.random() < 0.03:
                masked += random.randrange(MODULUS)
            groups.append(Group(names.pop(), tuple(parts)))
            sums.append(MaskedSum(groups[-1].name, masked % MODULUS, squares % MODULUS))
        return cls(
            subject=subject,
            today=today,
            secret=secret,
            key=key,
            homes={house.pseudonym: house.enrolment for house in known_to_witness},
            marked={house.pseudonym for house in houses if random.random() < 0.01 * faults},
            verified=verified,
            groups=groups,
            sums=sums,
            verification=split(groups, subject, key, random),
        )

    def answered(self) -> tuple[set[AtFault], set[Sum | Refused]]:
        """Return what our witness answers: the homes at fault, or else the opened sums."""
        witness = Witness(self.homes, self.secret)
        refused, masks, _ = witness.verify(
            self.subject,
            self.groups,
            self.today,
            self.marked,
            key=self.key,
            verified={name: fingerprint(part, self.key) for name, part in self.verified.items()},
        )
        if refused:
            return compared_homes(refused), set()
        return set(), compared(witness.open(self.subject, masks, self.sums))

    @property
    def parts(self) -> list[bytes]:
        """The parts of the verification, as they are sent."""
        return [serialise(write_verification(part)) for part in self.verification]

    @property
    def opening(self) -> bytes:
        return serialise(write_opening(Opening(id=OPENING, part=1, parts=1, sums=tuple(self.sums))))


def enrolled_of(enrolment: Enrolment) -> Enrolled:
    directions = sorted(enrolment.directions)
    return Enrolled(enrolment.key.day, enrolment.key.secret, enrolment.minimum, directions)


def split(
    groups: Sequence[Group], subject: Subject, key: bytes, random: Random
) -> list[VerificationRequest]:
    """Return the same in parts, in which a group is cut somewhere."""
    parts = [[*groups]]
    last = groups[-1]
    if len(last.parts) > 1 and random.random() < 0.5:
        cut = random.randint(1, len(last.parts) - 1)
        first, rest = (replace(last, parts=some) for some in (last.parts[:cut], last.parts[cut:]))
        parts = [[*groups[:-1], first], [rest]]
    return [
        VerificationRequest(
            id=OPENING,
            verification_key=key,
            direction=Direction(subject.direction),
            hour=subject.hour,
            part=number,
            parts=len(parts),
            groups=tuple(some),
        )
        for number, some in enumerate(parts, 1)
    ]
