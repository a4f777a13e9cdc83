"""A witness in TypeScript, written from docs/protected-sums-specification.md, answers as ours."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
import json
from random import Random
from typing import Any, Final

import pytest

from consometers_node.series import Direction
from consometers_protected_sums.errors import NotElements
from consometers_protected_sums.exchange import Group, MaskedSum, Part
from consometers_protected_sums.field import MODULUS, encode
from consometers_protected_sums.keys import DayKey
from consometers_protected_sums.opening import Enrolment
from consometers_protected_sums.reports import (
    ELEMENTS,
    MOST_WH,
    Report,
    Subject,
    Verification,
    outputs,
    share,
)
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation.protected_sums import VerificationRequest, write_verification
from packages.protected_sums.tests import independent
from packages.protected_sums.tests.homes import verifier_of
from packages.protected_sums.tests.independent import AtFault
from testing.reader import run
from testing.witnesses.random_openings import OPENING, RandomCase

REPORTS: Final = 1_000
IN_A_REQUEST: Final = 50
TODAY: Final = date(2026, 12, 11)


def answered(requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Have the program answer requests."""
    lines = "".join(f"{json.dumps(request)}\n" for request in requests)
    return [json.loads(line) for line in run(["node", "build/witness.js"], lines).splitlines()]


def request_of(case: RandomCase) -> dict[str, Any]:
    return {
        "collective": case.subject.collective,
        "today": case.today.isoformat(),
        "secret": case.secret.hex(),
        "homes": [
            {
                "pseudonym": name,
                "day": home.key.day.isoformat(),
                "key": home.key.secret.hex(),
                "minimum": home.minimum,
                "directions": [*home.directions],
            }
            for name, home in case.homes.items()
        ],
        "marked": [*case.marked],
        "verification": [part.decode() for part in case.parts],
        "opening": case.opening.decode(),
        **({"verified": verified_before(case)} if case.verified else {}),
    }


def verified_before(case: RandomCase) -> str:
    """Return the earlier verification, in which some of the reports were verified."""
    before = VerificationRequest(
        id=OPENING,
        verification_key=case.key,
        direction=Direction(case.subject.direction),
        hour=case.subject.hour,
        part=1,
        parts=1,
        groups=(Group("1", tuple(case.verified.values())),),
    )
    return serialise(write_verification(before)).decode()


def expected(case: RandomCase) -> dict[str, list[dict[str, Any]]]:
    refused, answers = case.answered()
    return {
        name: in_order([independent.shown(each) for each in some])
        for name, some in (("refused", refused), ("answers", answers))
    }


def in_order(answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(answers, key=json.dumps)


def test_both_answer_random_requests_alike_with_every_refusal() -> None:
    cases = [RandomCase.random(seed) for seed in range(200)]
    ours = [expected(case) for case in cases]
    theirs = [
        {name: in_order(some) for name, some in answer.items()}
        for answer in answered([*map(request_of, cases)])
    ]
    assert theirs == ours
    reasons = {each.get("reason") for answer in ours for some in answer.values() for each in some}
    of_homes = {"not-enrolled", "repeated", "too-few", "key-forgotten", "opened-before", "invalid"}
    assert reasons == {*of_homes, "implausible", "dominance", None}


def of_homes(random: Random, wrong_place: int | None = None) -> RandomCase:
    """Return a request of one group, whose reports are wrong in one element, if any is given.

    The next report is wrong in the next element.
    """
    hour = datetime(2026, 12, 10, random.randrange(24), tzinfo=UTC)
    direction = random.choice([*Direction])
    subject = Subject(independent.COLLECTIVE, direction, hour)
    key = random.randbytes(32)
    verification = Verification(key, direction, hour)
    homes, parts, value, squares = {}, [], 0, 0
    for number in range(IN_A_REQUEST):
        name = f"00000000-0000-4000-8000-{number:012x}"
        home_key = DayKey(TODAY - timedelta(random.randrange(3)), random.randbytes(32))
        homes[name] = Enrolment(home_key, frozenset({direction}), 3)
        wh = random.choice((0, MOST_WH, random.randint(0, MOST_WH), random.randint(0, 1_000)))
        report = Report.of(wh, subject, home_key.on(TODAY), random.randbytes(32))
        elements = [*share(report.masked)]
        if wrong_place is not None:
            place = (wrong_place + number) % ELEMENTS
            elements[place] = (elements[place] + random.randrange(1, MODULUS)) % MODULUS
        verifier = encode(verifier_of(elements, verification))
        parts.append(Part(name, TODAY, report.nonce, verifier))
        masked, masked_square = outputs(elements)
        value, squares = value + masked, squares + masked_square
    group = Group("4", tuple(parts))
    request = VerificationRequest(
        id=OPENING,
        verification_key=key,
        direction=Direction(direction),
        hour=hour,
        part=1,
        parts=1,
        groups=(group,),
    )
    return RandomCase(
        subject=subject,
        today=TODAY,
        secret=random.randbytes(32),
        key=key,
        homes=homes,
        marked=set(),
        verified={},
        groups=[group],
        sums=[MaskedSum(group.name, value % MODULUS, squares % MODULUS)],
        verification=[request],
    )


def test_a_thousand_random_reports_are_valid_and_open_to_the_same_sums() -> None:
    random = Random(1)
    cases = [of_homes(random) for _ in range(REPORTS // IN_A_REQUEST)]
    answers = answered([*map(request_of, cases)])
    assert answers == [expected(case) for case in cases]
    assert {answer["answers"][0].get("homes") for answer in answers} == {IN_A_REQUEST}


def test_a_thousand_reports_wrong_in_one_element_are_all_invalid() -> None:
    random = Random(2)
    starts = range(0, REPORTS, IN_A_REQUEST)
    cases = [of_homes(random, start) for start in starts]
    for case, answer in zip(cases, answered([*map(request_of, cases)]), strict=True):
        everybody = independent.shown(AtFault("invalid", frozenset(case.homes)))
        assert answer == expected(case) == {"refused": [everybody], "answers": []}


def with_verifier(case: RandomCase, verifier: bytes) -> RandomCase:
    """Replace the verifier of the first home."""
    (group,) = case.groups
    groups = (replace(group, parts=(group.parts[0]._replace(verifier=verifier), *group.parts[1:])),)
    (request,) = case.verification
    return replace(case, groups=groups, verification=[replace(request, groups=groups)])


def test_both_refuse_a_verifier_that_is_not_of_elements() -> None:
    case = of_homes(Random(3))
    case = with_verifier(case, MODULUS.to_bytes(8, "little") + bytes(24))
    with pytest.raises(NotElements):
        case.answered()
    (answer,) = answered([request_of(case)])
    assert "not an element" in answer["bad_request"]


@pytest.mark.parametrize("part", ["verification", "opening"])
def test_a_group_with_a_leading_zero_is_refused(part: str) -> None:
    """Else 4 and 04 would be one group for one witness, and two for another."""
    request = request_of(of_homes(Random(4)))
    written = json.dumps(request[part])
    assert 'group=\\"4\\"' in written
    other = json.loads(written.replace('group=\\"4\\"', 'group=\\"04\\"'))
    (answer,) = answered([{**request, part: other}])
    assert "leading zeros" in answer["bad_request"]


def test_sums_of_other_groups_and_sums_twice_are_refused() -> None:
    case = of_homes(Random(4))
    (ours,) = case.sums
    for sums in ([ours._replace(group="5")], [ours, ours], []):
        (answer,) = answered(
            [{**request_of(case), "opening": replace(case, sums=sums).opening.decode()}]
        )
        assert "bad_request" in answer


def test_hours_before_a_witness_was_set_back_are_refused_and_name_no_home() -> None:
    case = of_homes(Random(5))
    for later, refused in (
        (timedelta(minutes=1), [{"reason": "opened-before", "pseudonyms": []}]),
        (timedelta(), []),
    ):
        noticed = (case.subject.hour + later).isoformat()
        (answer,) = answered([{**request_of(case), "set_back_at": noticed}])
        assert answer["refused"] == refused
