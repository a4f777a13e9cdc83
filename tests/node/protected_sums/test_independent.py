"""A second implementation of docs/protected-sums-specification.md, and ours: they agree."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
import json
from pathlib import Path
from random import Random
import re
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from consometers_node.protected_sums.field import MODULUS, encode
from consometers_node.protected_sums.keys import DayKey
from consometers_node.protected_sums.opening import Enrolment, Witness, fingerprint
from consometers_node.protected_sums.reports import (
    Report,
    Subject,
    Verification,
    outputs,
    share,
)
from consometers_node.protected_sums.requests import (
    Call,
    DepartureReceipt,
    EnrolmentReceipt,
    EnrolmentRequest,
    SignedRequest,
)
from consometers_node.quoalise import Direction as WireDirection, MaskedReport, Reports
from consometers_node.quoalise.federation_xml import read_data_needs, write_data_needs
from consometers_node.quoalise.markup import parse, serialise
from consometers_node.quoalise.protected_sums import (
    Answer,
    Group,
    MaskedSum,
    OpenedSum,
    Opening,
    Part,
    RefusedHomes,
    VerificationRequest,
    read_opened,
    read_opening,
    read_reports,
    read_verification,
    read_verified,
    write_opening,
    write_reports,
    write_verification,
)
from consometers_node.series import Direction
from consometers_node.wire.needs import need_hash, read_need

from . import independent
from .homes import verifier_of
from .independent import AtFault, Enrolled, Refused, Row, Sum

DOCS = Path(__file__).parents[3] / "docs"
VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
OPENING = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def compared(answers: Iterable[Answer | RefusedHomes]) -> set[Sum | Refused | AtFault]:
    return {
        Sum(answer.groups, answer.homes, answer.wh)
        if isinstance(answer, OpenedSum)
        else AtFault(answer.reason.value, answer.pseudonyms)
        if isinstance(answer, RefusedHomes)
        else Refused(answer.groups, answer.reason.value)
        for answer in answers
    }


def test_vectors_are_those_of_the_second_implementation() -> None:
    assert independent.vectors() == VECTORS


@pytest.mark.parametrize("vector", VECTORS["openings"], ids=lambda vector: vector["about"])
def test_our_witness_answers_as_the_vectors(vector: dict[str, Any]) -> None:
    enrolments = {
        home["pseudonym"]: Enrolment(
            DayKey(date.fromisoformat(home["day"]), bytes.fromhex(home["key"])),
            frozenset(map(Direction, home["directions"])),
            home["minimum"],
        )
        for home in vector["homes"]
    }
    asked = read_verification(fromstring(vector["verification"]))
    subject = Subject(vector["collective"], Direction(asked.direction), asked.hour)
    witness = Witness(enrolments, bytes.fromhex(vector["secret"]))
    refused, masks, _ = witness.verify(
        subject,
        asked.groups,
        date.fromisoformat(vector["today"]),
        frozenset(vector["marked"]),
        key=asked.verification_key,
    )
    answers: list[Answer] = []
    if vector["opening"] is not None:
        answers = witness.open(subject, masks, read_opening(fromstring(vector["opening"])).sums)
    for ours, name in (refused, "refused"), (answers, "answers"):
        shown = sorted(map(independent.shown, compared(ours)), key=json.dumps)
        assert shown == vector[name]


def test_requests_of_homes_are_those_of_the_vectors() -> None:
    enrolment, departure, look = VECTORS["requests"]
    request = EnrolmentRequest.read(enrolment["body"])
    assert request.body() == enrolment["body"]
    receipt = EnrolmentReceipt.read(enrolment["answer"])
    assert receipt.proves(request)
    assert replace(receipt, mac=request.mac(receipt.enrolled_at)).body() == enrolment["answer"]
    key = request.day_key.authentication_key()
    for vector, call in (departure, Call.DEPARTURES), (look, Call.OPENINGS):
        signed = SignedRequest.read(vector["body"], call=call)
        assert call.path.endswith(f"/{vector['path']}")
        assert signed.is_authentic(key)
        again = SignedRequest.of(
            call, signed.collective, signed.pseudonym, signed.at, key, heads=(independent.HEAD,)
        )
        assert again.body() == vector["body"]
    left = DepartureReceipt(receipt.enrolled_at).body()
    assert left == {"left_at": enrolment["answer"]["enrolled_at"]}


def test_the_hash_of_a_data_need_is_that_of_the_vectors() -> None:
    """Its texts and series are sorted, and its lengths are days, however they were sent."""
    need = VECTORS["requests"][0]["need"]
    sent = need.replace("P730D", "P2Y").replace("P182D", "P182D ")
    (title_en, title_fr) = re.findall(r"<title.*?</title>", sent)
    sent = sent.replace(title_en + title_fr, title_fr + title_en)
    (read,) = read_data_needs(
        parse(f'<data-needs xmlns="{independent.NAMESPACE}">{sent}</data-needs>'.encode())
    )
    hashed = need_hash(read_need(read))
    assert hashed == VECTORS["requests"][0]["body"]["need_sha256"]
    assert write_data_needs([read]).find(independent.tagged("data-need")) is not None


@pytest.mark.parametrize("page", ["protocol.md", "protocol.fr.md"])
def test_the_examples_of_the_protocol_are_made_of_a_vector(page: str) -> None:
    text = (DOCS / page).read_text()
    vector = VECTORS["reports"][1]
    hour, day = datetime.fromisoformat(vector["hour"]), date.fromisoformat(vector["day"])
    nonce, masked = bytes.fromhex(vector["nonce"]), bytes.fromhex(vector["masked"])
    reports = independent.reports_element(
        independent.PERMISSION, vector["direction"], day, [(hour, nonce, masked)]
    )
    assert f'day="{vector["day"]}">{reports.text}</reports>' in text
    verifier = bytes.fromhex(vector["verifier_of_collective"])
    value, square = independent.outputs(independent.elements_of(masked))
    row = Row(independent.PERMISSION, day, nonce, verifier)
    group = independent.Group([row], value, square)
    asked = independent.Asked(
        vector["direction"], hour, bytes.fromhex(vector["verification_key"]), {"3": group}
    )
    examples = [
        parse(re.findall(rf"<{name} .*?</{name}>", text, re.DOTALL)[0].encode())
        for name in ("verification", "opening")
    ]
    assert independent.read_asked(examples[:1], examples[1:]) == asked


class House:
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

    def enrolled(self) -> Enrolled:
        enrolment = self.enrolment
        directions = [direction.value for direction in enrolment.directions]
        return Enrolled(enrolment.key.day, enrolment.key.secret, enrolment.minimum, directions)

    def report(self, random: Random, subject: Subject, wh: int) -> Report:
        """Return a report, which is wrong in one element now and then."""
        key = self.enrolment.key
        if self.day < key.day:
            key = DayKey(self.day, bytes(32))
        report = Report.of(wh, subject, key.on(self.day), self.secret)
        about = subject.collective, subject.direction.value
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


def agrees(seed: int) -> str:
    """Compare both on a random opening; return the sorts of answers, in words."""
    random = Random(seed)
    today = date(2026, 12, 1) + timedelta(days=random.randrange(400))
    hour = datetime(2026, 12, 1, tzinfo=UTC) + timedelta(hours=random.randrange(9_000))
    collective = random.choice((independent.COLLECTIVE, "énergies@coop.example"))
    direction = random.choice((Direction.CONSUMPTION, Direction.CONSUMPTION, Direction.INJECTION))
    subject = Subject(collective, direction, hour)
    secret, key = random.randbytes(32), random.randbytes(32)
    verification = Verification(key, direction, hour)
    faults = random.randrange(2)
    houses = [House(random, number, today, faults) for number in range(random.randint(3, 14))]
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
    marked = {house.pseudonym for house in houses if random.random() < 0.01 * faults}
    witness = Witness({house.pseudonym: house.enrolment for house in known_to_witness}, secret)
    refused, masks, _ = witness.verify(
        subject,
        groups,
        today,
        marked,
        key=key,
        verified={name: fingerprint(part, key) for name, part in verified.items()},
    )
    sent = [
        parse(serialise(write_verification(part))) for part in split(groups, subject, key, random)
    ]
    asked = independent.read_asked(sent)
    enrolled = {house.pseudonym: house.enrolled() for house in known_to_witness}
    at_fault = independent.verified(
        asked,
        collective,
        enrolled,
        today,
        marked=marked,
        before={name: (Row(*part), key) for name, part in verified.items()},
    )
    assert at_fault == compared(refused), seed
    # Each reads what the other writes.
    written = parse(serialise(independent.verified_element(OPENING, 1, at_fault)))
    assert compared(read_verified(written).refused) == at_fault
    if at_fault:
        return " ".join(sorted(each.reason for each in at_fault))
    opening = Opening(id=OPENING, part=1, parts=1, sums=tuple(sums))
    asked = independent.read_asked(sent, [parse(serialise(write_opening(opening)))])
    theirs = independent.opened(asked, collective, enrolled, secret)
    assert theirs == compared(witness.open(subject, masks, sums)), seed
    written = parse(serialise(independent.opened_element(OPENING, 1, theirs)))
    assert compared(read_opened(written).answers) == theirs
    return " ".join(
        sorted({each.reason if isinstance(each, Refused) else "opened" for each in theirs})
    )


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
            direction=WireDirection(subject.direction),
            hour=subject.hour,
            part=number,
            parts=len(parts),
            groups=tuple(some),
        )
        for number, some in enumerate(parts, 1)
    ]


def test_both_implementations_agree_on_random_openings() -> None:
    sorts = [agrees(seed) for seed in range(120)]
    answers = {word for sort in sorts for word in sort.split()}
    refusals = {"not-enrolled", "repeated", "too-few", "key-forgotten", "opened-before", "invalid"}
    assert answers == {*refusals, "implausible", "dominance", "opened"}


def test_both_read_the_reports_of_the_other() -> None:
    random = Random(5)
    rows = [
        (datetime(2026, 12, 1, hour, tzinfo=UTC), random.randbytes(16), random.randbytes(656))
        for hour in range(3)
    ]
    day = date(2026, 12, 1)
    theirs = independent.reports_element(independent.PERMISSION, "injection", day, rows)
    reports = tuple(MaskedReport(*row) for row in rows)
    ours = Reports(
        permission=independent.PERMISSION,
        direction=WireDirection.INJECTION,
        day=day,
        reports=reports,
    )
    assert read_reports(theirs) == ours
    assert serialise(write_reports(ours)) == serialise(theirs)
