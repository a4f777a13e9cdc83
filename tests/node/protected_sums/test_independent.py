"""A second implementation of docs/protected-sums-specification.md, and ours: they agree."""

from dataclasses import replace
from datetime import UTC, date, datetime
import json
from pathlib import Path
from random import Random
import re
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from consometers_node.series import Direction
from consometers_node.wire.needs import need_hash, read_need
from consometers_node.wire.witness_requests import (
    Call,
    DepartureReceipt,
    EnrolmentReceipt,
    EnrolmentRequest,
    SignedRequest,
)
from consometers_protected_sums.exchange import Answer
from consometers_protected_sums.keys import DayKey
from consometers_protected_sums.opening import Enrolment, Witness
from consometers_protected_sums.reports import (
    Subject,
)
from consometers_quoalise import MaskedReport, Reports
from consometers_quoalise.elements.markup import parse, serialise
from consometers_quoalise.federation.permissions_xml import read_data_needs, write_data_needs
from consometers_quoalise.federation.protected_sums import (
    read_opened,
    read_opening,
    read_reports,
    read_verification,
    read_verified,
    write_reports,
)
from packages.protected_sums.tests import independent
from packages.protected_sums.tests.independent import Refused, Row
from testing.witnesses.random_openings import (
    OPENING,
    RandomCase,
    compared,
    compared_homes,
    enrolled_of,
)

DOCS = Path(__file__).parents[3] / "docs"
VECTORS = json.loads((Path(independent.__file__).with_name("vectors.json")).read_text())


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
    for ours, name in (compared_homes(refused), "refused"), (compared(answers), "answers"):
        assert sorted(map(independent.shown, ours), key=json.dumps) == vector[name]


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


def agrees(seed: int) -> str:
    """Compare both on a random opening; return the sorts of answers, in words."""
    case = RandomCase.random(seed)
    collective, today = case.subject.collective, case.today
    ours_at_fault, ours = case.answered()
    sent = [parse(part) for part in case.parts]
    asked = independent.read_asked(sent)
    enrolled = {name: enrolled_of(home) for name, home in case.homes.items()}
    at_fault = independent.verified(
        asked,
        collective,
        enrolled,
        today,
        marked=case.marked,
        before={name: (Row(*part), case.key) for name, part in case.verified.items()},
    )
    assert at_fault == ours_at_fault, seed
    # Each reads what the other writes.
    written = parse(serialise(independent.verified_element(OPENING, 1, at_fault)))
    assert compared_homes(read_verified(written).refused) == at_fault
    if at_fault:
        return " ".join(sorted(each.reason for each in at_fault))
    asked = independent.read_asked(sent, [parse(case.opening)])
    theirs = independent.opened(asked, collective, enrolled, case.secret)
    assert theirs == ours, seed
    written = parse(serialise(independent.opened_element(OPENING, 1, theirs)))
    assert compared(read_opened(written).answers) == theirs
    return " ".join(
        sorted({each.reason if isinstance(each, Refused) else "opened" for each in theirs})
    )


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
        direction=Direction.INJECTION,
        day=day,
        reports=reports,
    )
    assert read_reports(theirs) == ours
    assert serialise(write_reports(ours)) == serialise(theirs)
