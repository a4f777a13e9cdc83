"""What a witness opens, and every attack that it refuses."""

from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from datetime import date, timedelta
import hashlib
import hmac
from random import Random

from hypothesis import given, strategies as st
import pytest

from consometers_protected_sums.errors import NotElements
from consometers_protected_sums.exchange import (
    Group,
    OpenedSum,
    Part,
    Refusal,
    RefusedHomes,
    RefusedSum,
)
from consometers_protected_sums.field import MODULUS, encode
from consometers_protected_sums.opening import (
    KEYS_FOR,
    Enrolment,
    Moments,
    Verdict,
    Witness,
    fingerprint,
)
from consometers_protected_sums.reports import MOST_WH, Report, Subject, share

from .homes import (
    NOON,
    TODAY,
    VERIFICATION_KEY,
    Asked,
    Home,
    added,
    answers_of,
    enrolled,
    homes,
    part_of,
)
from .independent import KEPT

ALIKE = [300, 420, 380, 510, 290, 333, 450, 400, 370, 440]
ALL = frozenset({"all"})


SECRET = bytes(range(32))


def witness_of(members: Sequence[Home], minimum: int = 3, secret: bytes = SECRET) -> Witness:
    return Witness(enrolled(members, minimum), secret)


def masked_sum(members: Sequence[Home], values: Sequence[int], group: str = "all") -> Asked:
    return added(group, (home.reports(wh) for home, wh in zip(members, values, strict=True)))


def refusals(
    witness: Witness, *asked: Asked, opened: Set[str] = frozenset()
) -> dict[Refusal, frozenset[str]]:
    """Return the homes in the way of a request that is refused, by reason."""
    answers = answers_of(witness, asked, opened=opened)
    assert all(isinstance(answer, RefusedHomes) for answer in answers)
    return {
        answer.reason: answer.pseudonyms for answer in answers if isinstance(answer, RefusedHomes)
    }


@given(
    groups=st.lists(
        st.lists(st.integers(200, 400), min_size=3, max_size=8), min_size=1, max_size=4
    ),
    ages=st.lists(st.integers(0, KEYS_FOR.days), min_size=32, max_size=32),
    seed=st.integers(0, 1_000),
)
def test_opened_sums_are_exact_to_the_wh(
    groups: list[list[int]], ages: list[int], seed: int
) -> None:
    """Whichever days the reports were made on."""
    members = homes(sum(map(len, groups)), seed, TODAY - KEYS_FOR)
    left = iter(zip(members, ages, strict=False))
    asked = [
        added(
            str(number),
            (
                home.reports(wh, day=TODAY - timedelta(days=age))
                for wh, (home, age) in zip(values, left, strict=False)
            ),
        )
        for number, values in enumerate(groups)
    ]
    assert answers_of(witness_of(members), asked) == [
        OpenedSum(frozenset({str(number)}), len(values), sum(values))
        for number, values in enumerate(groups)
    ]


def test_sum_of_zeros_is_opened() -> None:
    members = homes(3)
    assert answers_of(witness_of(members), [masked_sum(members, [0, 0, 0])]) == [
        OpenedSum(ALL, 3, 0)
    ]


def test_sum_of_too_few_homes_is_refused() -> None:
    members = homes(9)
    refused = refusals(witness_of(members, 10), masked_sum(members, ALIKE[:9]))
    assert refused == {Refusal.TOO_FEW: {home.pseudonym for home in members}}


def test_largest_promised_minimum_counts() -> None:
    members = homes(10)
    enrolments = enrolled(members)
    enrolments["home-4"] = replace(enrolments["home-4"], minimum=11)
    refused = refusals(Witness(enrolments, SECRET), masked_sum(members, ALIKE))
    assert refused == {Refusal.TOO_FEW: {"home-4"}}


def test_repeated_home_is_refused() -> None:
    members = homes(9)
    twice = masked_sum([*members, members[0]], ALIKE)
    assert refusals(witness_of(members, 10), twice) == {Refusal.REPEATED: {"home-0"}}
    two = masked_sum(members[:5], ALIKE[:5], "a"), masked_sum(members[4:], ALIKE[:5], "b")
    assert refusals(witness_of(members), *two) == {Refusal.REPEATED: {"home-4"}}


def test_overlapping_sums_are_refused() -> None:
    """The difference of the two would be one home."""
    members = homes(10)
    before = {home.pseudonym for home in members[1:]}
    refused = refusals(witness_of(members), masked_sum(members, ALIKE), opened=before)
    assert refused == {Refusal.OPENED_BEFORE: before}


def shifted(report: Report, place: int, by: int) -> Report:
    """Return a report with another element."""
    elements = list(share(report.masked))
    elements[place] = (elements[place] + by) % MODULUS
    return replace(report, masked=encode(elements))


def other_nonce(part: Part, report: Report) -> tuple[Part, Report]:
    return part._replace(nonce=bytes(16)), report


def other_day(part: Part, report: Report) -> tuple[Part, Report]:
    return part._replace(day=part.day - timedelta(days=1)), report


def other_verifier(part: Part, report: Report) -> tuple[Part, Report]:
    return part._replace(verifier=encode([1, 2, 3, 4])), report


def lying(place: int, by: int) -> Callable[[Part, Report], tuple[Part, Report]]:
    """Return a report with one element altered."""

    def attack(part: Part, report: Report) -> tuple[Part, Report]:
        lie = shifted(report, place, by)
        return part_of(part.pseudonym, lie), lie

    return attack


@pytest.mark.parametrize(
    "attack",
    [
        other_nonce,
        other_day,
        other_verifier,
        lying(0, 1_400_000_000),
        lying(0, -19_000),
        lying(0, 1 << 63),
        lying(16, -(420**2) - 400**2),
        lying(16, MOST_WH * 4_000),
        lying(17, 1),
        lying(81, 1),
    ],
    ids=[
        *("nonce", "day", "verifier", "huge", "negative", "half of the field", "no square"),
        *("absurd square", "wire seed", "gadget polynomial"),
    ],
)
def test_an_invalid_report_names_its_home_and_costs_the_others_nothing(
    attack: Callable[[Part, Report], tuple[Part, Report]],
) -> None:
    members = homes(10, since=TODAY - KEYS_FOR)
    first, *others = [home.reports(wh) for home, wh in zip(members, ALIKE, strict=True)]
    witness = witness_of(members)
    refused = refusals(witness, added("all", [attack(*first), *others]))
    assert refused == {Refusal.INVALID: {"home-0"}}
    assert answers_of(witness, [added("all", others)]) == [OpenedSum(ALL, 9, sum(ALIKE[1:]))]


def test_a_report_is_verified_once() -> None:
    """With another verifier, or under another key, a collective would try again."""
    members = homes(10)
    asked = masked_sum(members, ALIKE)
    before = {part.pseudonym: fingerprint(part, VERIFICATION_KEY) for part in asked.parts}
    witness = witness_of(members)
    opened = answers_of(witness, [asked], verified=before)
    assert opened == [OpenedSum(ALL, 10, sum(ALIKE))]
    first = asked.parts[0]
    for other in (
        fingerprint(first, bytes(32)),
        fingerprint(first._replace(verifier=bytes(32)), VERIFICATION_KEY),
        fingerprint(first._replace(nonce=bytes(16)), VERIFICATION_KEY),
        fingerprint(first._replace(day=TODAY - timedelta(days=1)), VERIFICATION_KEY),
    ):
        verified = before | {"home-0": other}
        answers = answers_of(witness, [asked], verified=verified)
        assert answers == [RefusedHomes(Refusal.INVALID, frozenset({"home-0"}))]


def test_a_verdict_has_what_was_verified_and_masks_where_all_passed() -> None:
    """A report that was refused, and not noted, would be verified again."""
    members = homes(4)
    asked = masked_sum(members, ALIKE[:4])
    first, *others = asked.parts
    prints = {part.pseudonym: fingerprint(part, VERIFICATION_KEY) for part in asked.parts}
    witness = witness_of(members)

    def verdict(*parts: Part, before: Sequence[str] = ()) -> Verdict:
        verified = {pseudonym: prints[pseudonym] for pseudonym in before}
        groups = [Group("all", parts)]
        return witness.verify(NOON, groups, TODAY, key=VERIFICATION_KEY, verified=verified)

    refused, masks, new = verdict(*asked.parts)
    assert (refused, masks["all"].homes, new) == ([], 4, prints)
    assert verdict(*asked.parts, before=["home-0"]).fingerprints.keys() == prints.keys() - {
        "home-0"
    }
    lying = first._replace(verifier=bytes(32))
    invalid = RefusedHomes(Refusal.INVALID, frozenset({"home-0"}))
    lie = {"home-0": fingerprint(lying, VERIFICATION_KEY)}
    assert verdict(lying, *others) == ([invalid], {}, prints | lie)
    few = RefusedHomes(Refusal.TOO_FEW, frozenset({"home-0", "home-1"}))
    assert verdict(*asked.parts[:2]) == ([few], {}, {})


def test_a_fingerprint_is_the_same_in_each_version() -> None:
    """It is stored: after an update, each report that was verified would be invalid."""
    (part, *_) = masked_sum(homes(3), ALIKE[:3]).parts
    hashed = part.day.toordinal().to_bytes(4) + part.nonce + part.verifier + VERIFICATION_KEY
    assert fingerprint(part, VERIFICATION_KEY) == hashlib.sha256(hashed).digest()[:16]


def test_moments_of_groups_are_added() -> None:
    assert Moments(1, 2, 3) + Moments(10, 20, 30) == Moments(11, 22, 33)


def test_a_sum_is_dominated_above_its_bound() -> None:
    """The sum of squares is 40 % of the square of the sum, or a little more."""
    assert not Moments(3, 100, 4_000).is_dominated(4_000)
    assert Moments(3, 100, 4_001).is_dominated(4_000)


def test_a_verifier_under_another_key_is_refused() -> None:
    members = homes(3)
    asked = masked_sum(members, ALIKE[:3])
    (answer,) = answers_of(witness_of(members), [asked], key=bytes(32))
    assert answer == RefusedHomes(Refusal.INVALID, frozenset(h.pseudonym for h in members))


@pytest.mark.parametrize("verifier", [b"\xff" * 32, bytes(31), bytes(40)])
def test_a_verifier_of_no_elements_is_none(verifier: bytes) -> None:
    members = homes(3)
    asked = masked_sum(members, ALIKE[:3])
    parts = (asked.parts[0]._replace(verifier=verifier), *asked.parts[1:])
    with pytest.raises(NotElements):
        answers_of(witness_of(members), [replace(asked, parts=parts)])


def test_a_sum_that_is_not_that_of_its_reports_is_refused() -> None:
    members = homes(3)
    asked = masked_sum(members, [MOST_WH] * 3)
    for by in (1, -3 * MOST_WH - 1):
        other = replace(asked, masked=(asked.masked + by) % MODULUS)
        answers = answers_of(witness_of(members), [other])
        assert answers == [RefusedSum(ALL, Refusal.IMPLAUSIBLE)]


@pytest.mark.parametrize(
    "subject",
    [
        replace(NOON, direction="injection"),
        replace(NOON, hour=NOON.hour - timedelta(hours=1)),
        replace(NOON, collective="other.example"),
    ],
)
def test_report_of_another_subject_opens_nothing(subject: Subject) -> None:
    members = homes(10)
    foreign = added(
        "all", [members[0].reports(300, subject), *(h.reports(400) for h in members[1:])]
    )
    assert refusals(witness_of(members), foreign) == {Refusal.INVALID: {"home-0"}}


def injecting(enrolment: Enrolment) -> Enrolment:
    return replace(enrolment, directions=frozenset({"injection"}))


@pytest.mark.parametrize("change", [None, injecting])
def test_sum_with_an_unenrolled_home_is_refused(
    change: Callable[[Enrolment], Enrolment] | None,
) -> None:
    """It never was, or takes no part in this direction."""
    members = homes(10)
    enrolments = enrolled(members)
    enrolment = enrolments.pop("home-7")
    if change is not None:
        enrolments["home-7"] = change(enrolment)
    refused = refusals(Witness(enrolments, SECRET), masked_sum(members, ALIKE))
    assert refused == {Refusal.NOT_ENROLLED: {"home-7"}}


def test_a_key_is_forgotten_after_35_days() -> None:
    oldest = TODAY - KEPT
    members = homes(3, since=oldest - timedelta(days=1))
    everybody = {home.pseudonym for home in members}

    def of(day: date) -> Asked:
        return added("all", (home.reports(300, day=day) for home in members))

    assert answers_of(witness_of(members), [of(oldest)]) == [OpenedSum(ALL, 3, 900)]
    early = of(oldest - timedelta(days=1))
    assert refusals(witness_of(members), early) == {Refusal.KEY_FORGOTTEN: everybody}
    # The witness holds no key of a day before it was given it, nor opens one of tomorrow.
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=1)):
        parts = tuple(Part(home.pseudonym, day, bytes(16), bytes(32)) for home in members)
        refused = refusals(witness_of(homes(3, since=TODAY)), Asked("all", parts, 0, 0))
        assert refused == {Refusal.KEY_FORGOTTEN: everybody}


def test_dominance_threshold_is_the_documented_minimum() -> None:
    """Least at shares of 0.49 and 0.42: a search over all pairs of shares of a thousand."""
    least = min(
        (
            (first**2 + second**2 + rest**2 / 1_000, first, second)
            for first in range(1, 1_001)
            for second in range(min(first, 1_000 - first) + 1)
            if 100 * (rest := 1_000 - first - second) < 18 * first
        ),
        key=lambda shares: shares[0],
    )
    assert least[1:] == (489, 423)
    assert 0.418 < least[0] / 1_000_000 < 0.419


@pytest.mark.parametrize(
    ("largest", "opened"), [(1_300, {True}), (1_400, {True, False}), (1_550, {False})]
)
def test_bound_of_dominance_is_the_secret_of_the_witness(largest: int, opened: set[bool]) -> None:
    """The sum of squares is 36.8, 38.8 and 41.5 % of the square of the sum."""
    members = homes(10)
    asked = masked_sum(members, [largest, *[100] * 9])
    answers = {
        isinstance(
            answers_of(witness_of(members, secret=bytes([number] * 32)), [asked])[0],
            OpenedSum,
        )
        for number in range(40)
    }
    assert answers == opened


def test_bound_of_dominance_differs_by_day() -> None:
    members = homes(10)
    witness = witness_of(members)
    opened = set()
    for day in range(28):
        subject = replace(NOON, hour=NOON.hour - timedelta(days=day))
        reports = [home.reports(wh, subject) for home, wh in zip(members, LOPSIDED, strict=True)]
        opened.add(
            isinstance(
                answers_of(witness, [added("all", reports)], subject)[0],
                OpenedSum,
            )
        )
    assert opened == {True, False}


@pytest.mark.parametrize(
    "direction",
    ["consumption", "injection"],
)
def test_bound_of_a_secret_is_the_same_in_each_version(direction: str) -> None:
    """A collective that asks again after an update learns nothing from another bound."""

    def drawn(kind: str, when: str) -> int:
        subject = f'["{kind}", "{when}", "energies.example", "{direction}"]'
        digest = hmac.new(SECRET, subject.encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:8], "big") % 201

    bound = witness_of(homes(3))._bound(replace(NOON, direction=direction))
    assert bound == 3_700 + drawn("month", "2026-11") + drawn("day", "2026-11-28")


LOPSIDED = [1_400, *[100] * 9]


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_dominated_group_joins_the_smallest_other_groups(order: str) -> None:
    """Whatever the order in which the collective asks: it chooses nothing by it."""
    members = homes(17)
    values = {
        "a": ([5_000, 300, 200], members[:3]),
        "b": ([900, 1_100, 1_000, 1_050], members[3:7]),
        "c": (ALIKE, members[7:]),
    }
    asked = [masked_sum(values[group][1], values[group][0], group) for group in order]
    assert answers_of(witness_of(members), asked) == [
        OpenedSum(frozenset({"c"}), 10, sum(ALIKE)),
        OpenedSum(frozenset({"a", "b"}), 7, 5_500 + 4_050),
    ]


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_what_one_home_dominates_in_every_group_stays_closed(order: str) -> None:
    members = homes(7)
    values = {"a": ([9_000, 10, 10], members[:3]), "b": ([90, 80, 10, 10], members[3:])}
    asked = [masked_sum(values[group][1], values[group][0], group) for group in order]
    assert answers_of(witness_of(members), asked) == [
        RefusedSum(frozenset({"a", "b"}), Refusal.DOMINANCE)
    ]


def test_a_home_dominates_from_one_wh_on() -> None:
    members = homes(3)

    def answers(largest: int) -> list[object]:
        return [*answers_of(witness_of(members), [masked_sum(members, [largest, 900, 900])])]

    def share(largest: int) -> float:
        """Return the sum of squares, in percent of the square of the sum."""
        return 100 * (largest**2 + 2 * 900**2) / (largest + 2 * 900) ** 2

    bound = witness_of(members)._bound(NOON)
    most = max(wh for wh in range(900, 10_000) if 100 * share(wh) <= bound)
    assert answers(most) == [OpenedSum(ALL, 3, most + 1_800)]
    assert answers(most + 1) == [RefusedSum(ALL, Refusal.DOMINANCE)]


def test_homes_that_draw_all_of_the_largest_contract_are_opened() -> None:
    members = homes(3)
    full = masked_sum(members, [MOST_WH] * 3)
    assert answers_of(witness_of(members), [full]) == [OpenedSum(ALL, 3, 3 * MOST_WH)]


def test_a_refusal_says_of_which_groups_it_is() -> None:
    members = homes(7)
    good = masked_sum(members[4:], ALIKE[:3], "good")
    first, *others = [home.reports(wh) for home, wh in zip(members[:4], ALIKE, strict=False)]
    bad = added("bad", [first, *others])
    bad = replace(bad, masked=(bad.masked + (1 << 40)) % MODULUS)
    assert answers_of(witness_of(members), [good, bad]) == [
        RefusedSum(frozenset({"bad"}), Refusal.IMPLAUSIBLE),
        OpenedSum(frozenset({"good"}), 3, sum(ALIKE[:3])),
    ]
    assert answers_of(witness_of(members, 4), [good, bad]) == [
        RefusedHomes(Refusal.TOO_FEW, frozenset(h.pseudonym for h in members[4:]))
    ]


@pytest.mark.parametrize("ages", [(5, 3, 0), (0, 3, 5), (3, 5, 0, 3)])
def test_one_witness_opens_reports_made_on_several_days_in_any_order(ages: Sequence[int]) -> None:
    """It derives a key from the latest that it has used, which is not the one of each report."""
    members = homes(3, since=TODAY - KEYS_FOR)
    witness = witness_of(members)
    for age in ages:
        made_on = TODAY - timedelta(days=age)
        asked = added("all", (home.reports(300 + age, day=made_on) for home in members))
        assert answers_of(witness, [asked]) == [OpenedSum(ALL, 3, 3 * (300 + age))]


@given(st.integers(0, 10_000))
def test_opened_sums_of_an_hour_share_no_home(seed: int) -> None:
    """Whatever a collective asks for, in whatever order: each sum has enough homes, once each."""
    random = Random(seed)
    members = homes(12, seed)
    witness, opened = witness_of(members), set[str]()
    for _ in range(8):
        chosen = random.choices(members, k=random.randint(1, 7))
        cut = random.randint(0, len(chosen))
        asked = [
            masked_sum(part, [random.randint(100, 400) for _ in part], group)
            for group, part in (("a", chosen[:cut]), ("b", chosen[cut:]))
            if part
        ]
        by_group = {each.group: {part.pseudonym for part in each.parts} for each in asked}
        for answer in answers_of(witness, asked, opened=opened):
            if isinstance(answer, OpenedSum):
                summed = set[str]().union(*(by_group[group] for group in answer.groups))
                assert len(summed) == answer.homes >= 3
                assert not summed & opened
                opened |= summed
