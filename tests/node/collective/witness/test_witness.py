"""A witness at work: enrolments, openings that are answered once, departures, restored backups."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest
from sqlalchemy import func, select

from consometers_node.collective.privacy.erasure_log import ErasureLog, read_strictly, reapply
from consometers_node.collective.witness import register, service
from consometers_node.collective.witness.keys import day_keys, hold, keys_of
from consometers_node.collective.witness.register import NotEnrolled, OtherEnrolment, WrongTime
from consometers_node.collective.witness.service import NotWitnessed
from consometers_node.series import Direction
from consometers_node.store import Store
from consometers_node.store.collective.tables import (
    WitnessLedgerRow,
    WitnessOpeningRow,
    WitnessVerificationRow,
)
from consometers_node.store.settings import WITNESS_SECRET, secret
from consometers_node.wire.witness_requests import Call
from consometers_protected_sums.exchange import Group, OpenedSum, Refusal, RefusedHomes, RefusedSum
from consometers_protected_sums.field import MODULUS, encode
from consometers_protected_sums.reports import Subject
from consometers_quoalise import BadRequest, NotAuthorized, ResourceConstraint
from packages.protected_sums.tests.homes import VERIFICATION_KEY, added
from packages.protected_sums.tests.independent import KEPT
from testing.clocks import Hands, confirmed, leaping, sure
from testing.databases.sql import Refused, plain
from testing.sentences import says
from testing.witnesses.enrolled import (
    COLLECTIVE,
    HOURS,
    VALUES,
    EnrolledHome,
    Request,
    WitnessWithCodes,
    answers_of,
    codes_for,
    enrolled,
    masked_sum,
    new_witness,
    opening_of,
    this_hour,
    vouched,
)

ZONE = ZoneInfo("Europe/Paris")


async def stored_counts(store: Store) -> tuple[int, int]:
    """Return how many openings, and how many sums of them, are stored."""
    async with store.reading() as connection:
        counts = [
            await connection.scalar(select(func.count()).select_from(table))
            for table in (WitnessOpeningRow, WitnessLedgerRow)
        ]
    return counts[0] or 0, counts[1] or 0


async def test_secret_of_the_witness_lasts_beyond_a_restart(store: Store, tmp_path: Path) -> None:
    """Another one would be another bound of dominance: a second sample for a liar."""
    made = set()
    for n in range(2):
        witness = await new_witness(store)
        homes = await enrolled(witness)
        await answers_of(witness, opening_of(homes, this_hour() - n * timedelta(hours=1)))
        async with store.reading() as connection:
            made.add(await secret(connection, WITNESS_SECRET))
    (key,) = made
    assert key is not None
    assert len(key) == 32


async def test_a_home_enrols_once(store: Store, tmp_path: Path) -> None:
    witness, home = await new_witness(store), EnrolledHome()
    await vouched(store, home)
    receipt, is_new = await witness.enrol(home.enrolment())
    assert is_new
    assert receipt.proves(home.enrolment())
    assert await witness.enrol(home.enrolment()) == (receipt, False)
    for other in (
        home.enrolment(minimum=11),
        replace(home.enrolment(), need="others"),
        replace(home.enrolment(), version=2),
        replace(home.enrolment(), need_sha256="cd" * 32),
        replace(home.enrolment(), directions=frozenset({Direction.INJECTION})),
    ):
        with pytest.raises(OtherEnrolment):
            await witness.enrol(other)
    with pytest.raises(NotWitnessed):
        await witness.enrol(
            replace(EnrolledHome().enrolment(), collective="other@energies.example")
        )
    for days in (-2, KEPT.days + 1):
        late = EnrolledHome(home.since - timedelta(days=days))
        await vouched(store, late)
        with pytest.raises(WrongTime):
            await witness.enrol(late.enrolment())
    for days in (-1, KEPT.days):
        timely = EnrolledHome(home.since - timedelta(days=days))
        await vouched(store, timely)
        assert (await witness.enrol(timely.enrolment()))[1]


async def test_repeated_request_gets_the_first_answer(store: Store, tmp_path: Path) -> None:
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness)
    request = opening_of(homes, hour)
    whole = request.verification()
    # The group is split over two parts.
    rows = whole.groups[0].parts
    first, last = (
        replace(whole, part=part, parts=2, groups=(Group("1", some),))
        for part, some in ((1, rows[:4]), (2, rows[4:]))
    )
    passed = replace(await witness.verify_reports(COLLECTIVE, first), part=2)
    assert passed.refused == ()
    assert await witness.verify_reports(COLLECTIVE, last) == passed
    assert await witness.verify_reports(COLLECTIVE, last) == passed
    assert await stored_counts(store) == (0, 0)
    answers = (OpenedSum(frozenset({"1"}), 10, sum(VALUES)),)
    for _ in range(2):
        opened = await witness.open_sums(COLLECTIVE, request.opening())
        assert opened.answers == answers
    # After a restart the parts are gone, and what was verified; the answers are not.
    again = await new_witness(store)
    with pytest.raises(ResourceConstraint, check=says("from part 1")):
        await again.verify_reports(COLLECTIVE, last)
    with pytest.raises(ResourceConstraint, check=says("from part 1")):
        await again.open_sums(COLLECTIVE, request.opening())
    await again.verify_reports(COLLECTIVE, first)
    assert await again.verify_reports(COLLECTIVE, last) == passed
    assert (await again.open_sums(COLLECTIVE, request.opening())).answers == answers
    assert await stored_counts(store) == (1, 1)
    (asked,) = request.groups
    for altered in (
        replace(request, groups=(masked_sum(homes[1:], VALUES[1:], hour),)),
        replace(request, groups=(replace(asked, masked=asked.masked ^ 1),)),
    ):
        with pytest.raises(BadRequest, check=says("differs from an earlier one")):
            await answers_of(again, altered)
    overlapping = opening_of(homes, hour)
    assert await answers_of(again, overlapping) == (
        RefusedHomes(Refusal.OPENED_BEFORE, frozenset(home.pseudonym for home in homes)),
    )
    for refused in (
        again.verify_reports("other@energies.example", overlapping.verification()),
        again.open_sums("other@energies.example", overlapping.opening()),
    ):
        with pytest.raises(NotAuthorized):
            await refused
    assert await stored_counts(store) == (1, 1)


async def test_sums_are_opened_for_the_groups_that_were_verified_last(store: Store) -> None:
    """No sum of other homes, nor one without a verification that passed."""
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness, 11)
    first = opening_of(homes[:10], hour)
    other = opening_of(homes[1:], hour)
    with pytest.raises(ResourceConstraint, check=says("from part 1")):
        await witness.open_sums(COLLECTIVE, first.opening())
    await witness.verify_reports(COLLECTIVE, first.verification())
    (sums,) = first.opening().sums
    for groups in ((sums._replace(group="2"),), (sums, sums), (sums, sums._replace(group="2"))):
        with pytest.raises(BadRequest, check=says("one sum of each group")):
            await witness.open_sums(COLLECTIVE, replace(first.opening(), sums=groups))
    with pytest.raises(ResourceConstraint, check=says("from part 1")):
        await witness.open_sums(COLLECTIVE, other.opening())
    stranger = opening_of([*homes[:9], EnrolledHome()], hour)
    (refused,) = await answers_of(witness, stranger)
    assert isinstance(refused, RefusedHomes)
    for request in (stranger, first):
        with pytest.raises(ResourceConstraint, check=says("from part 1")):
            await witness.open_sums(COLLECTIVE, request.opening())
    assert await stored_counts(store) == (0, 0)
    assert len(await answers_of(witness, first)) == 1
    assert await stored_counts(store) == (1, 1)


async def test_sums_of_more_groups_than_fit_into_a_part_are_opened(store: Store) -> None:
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness, 20)
    groups = tuple(
        masked_sum(homes[at : at + 10], VALUES, hour, str(at)) for at in range(0, len(homes), 10)
    )
    request = Request(groups, hour)
    await witness.verify_reports(COLLECTIVE, request.verification())
    whole = request.opening()
    first, last = (
        replace(whole, part=part, parts=2, sums=(sums,)) for part, sums in enumerate(whole.sums, 1)
    )
    assert (await witness.open_sums(COLLECTIVE, first)).answers == ()
    answers = (await witness.open_sums(COLLECTIVE, last)).answers
    assert set(answers) == {OpenedSum(frozenset({at}), 10, sum(VALUES)) for at in ("0", "10")}


@pytest.mark.parametrize("comes_back", [False, True])
async def test_a_home_that_leaves_after_it_was_verified_is_in_no_sum(
    store: Store, *, comes_back: bool
) -> None:
    """Nor is one that has enrolled again since, whose code or keys somebody else may have."""
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness, 11)
    reports = [home.report(wh, hour) for home, wh in zip(homes, [*VALUES, 300], strict=True)]
    request = Request((added("1", reports[:10]),), hour)
    assert not (await witness.verify_reports(COLLECTIVE, request.verification())).refused
    if comes_back:
        await witness.enrol(replace(homes[0], secret=bytes(32)).enrolment())
    else:
        await witness.leave(homes[0].signed(Call.DEPARTURES))
    for _ in range(2):
        opened = await witness.open_sums(COLLECTIVE, request.opening())
        assert opened.answers == (RefusedSum(frozenset({"1"}), Refusal.NOT_ENROLLED),)
    assert await stored_counts(store) == (0, 0)
    # Of the others, nothing is marked: a home that comes or leaves beside them is no obstacle.
    request = Request((added("1", reports[1:]),), hour)
    assert not (await witness.verify_reports(COLLECTIVE, request.verification())).refused
    await enrolled(witness, 1)
    opened = await witness.open_sums(COLLECTIVE, request.opening())
    assert opened.answers == (OpenedSum(frozenset({"1"}), 10, sum(VALUES)),)


async def test_what_was_verified_is_held_for_minutes_and_no_longer_than_its_keys(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Hands(datetime.now(UTC))
    witness, hour = await new_witness(store, hands), this_hour()
    homes = await enrolled(witness, since=hands.at.date() - KEPT)
    request = opening_of(homes, hour)
    await witness.verify_reports(COLLECTIVE, request.verification())
    hands.go_on(timedelta(days=1))
    await witness.forget()
    with pytest.raises(ResourceConstraint, check=says("from part 1")):
        await witness.open_sums(COLLECTIVE, request.opening())
    await witness.verify_reports(COLLECTIVE, request.verification())
    monkeypatch.setattr(service, "PARTS_WITHIN_S", 0.0)
    with pytest.raises(ResourceConstraint, check=says("from part 1")):
        await witness.open_sums(COLLECTIVE, request.opening())
    assert await stored_counts(store) == (0, 0)


async def test_homes_of_a_dominated_sum_are_in_no_second_attempt(
    store: Store, tmp_path: Path
) -> None:
    """Otherwise the edge of a rule would say, attempt by attempt, what a home has."""
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness, 15)
    dominated = opening_of(homes[:10], hour, [20_000, *VALUES[1:]])
    stays_closed = (RefusedSum(frozenset({"1"}), Refusal.DOMINANCE),)
    assert await answers_of(witness, dominated) == stays_closed
    both = frozenset(home.pseudonym for home in homes[5:10])
    refused = (RefusedHomes(Refusal.OPENED_BEFORE, both),)
    assert await answers_of(witness, opening_of(homes[5:], hour)) == refused


async def test_a_home_cannot_tell_why_an_hour_of_it_stays_closed(
    store: Store, tmp_path: Path
) -> None:
    """One of them dominates; another has left, and too few are left; nobody asks at all."""
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness, 30)
    dominated, few, never = homes[:10], homes[10:20], homes[20:]
    (answer,) = await answers_of(witness, opening_of(dominated, hour, [20_000, *VALUES[1:]]))
    assert isinstance(answer, RefusedSum)
    assert answer.reason is Refusal.DOMINANCE
    (answer,) = await answers_of(witness, opening_of(few[:9], hour, VALUES[:9]))
    assert isinstance(answer, RefusedHomes)
    assert answer.reason is Refusal.TOO_FEW
    reads = [
        (await witness.look(home.signed(Call.OPENINGS))).body() | {"enrolled_at": None}
        for home in (dominated[0], few[0], never[0])
    ]
    assert reads[0] == reads[1] == reads[2]
    assert (reads[0]["opened"], reads[0]["invalid"], reads[0]["homes"]) == ({}, 0, 30)


@pytest.mark.parametrize(("homes", "shown"), [(9, None), (10, 10)])
async def test_a_home_reads_no_number_of_homes_below_its_minimum(
    store: Store, tmp_path: Path, homes: int, shown: int | None
) -> None:
    witness = await new_witness(store)
    first, *_ = await enrolled(witness, homes)
    assert (await witness.look(first.signed(Call.OPENINGS))).homes == shown


async def test_a_report_is_verified_once_and_its_home_alone_reads_that_it_is_invalid(
    store: Store, tmp_path: Path
) -> None:
    """A collective that shifts its shares tries once, and learns nothing by another try."""
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness, 11)
    reports = [home.report(wh, hour) for home, wh in zip(homes, [*VALUES, 400], strict=True)]

    async def refused(*verifiers: bytes, key: bytes = VERIFICATION_KEY) -> set[str]:
        """Ask with these in place of the first homes' verifiers; return which are invalid."""
        parts = [
            (part._replace(verifier=verifier), report)
            for (part, report), verifier in zip(reports, verifiers, strict=False)
        ]
        asked = added("1", [*parts, *reports[len(parts) :]])
        (answer,) = await answers_of(witness, Request((asked,), hour, verification_key=key))
        assert isinstance(answer, RefusedHomes)
        assert answer.reason is Refusal.INVALID
        return set(answer.pseudonyms)

    first, second = homes[0].pseudonym, homes[1].pseudonym
    assert await refused(encode([0, 0, 0, 0])) == {first}
    witness = await new_witness(store)
    assert await refused() == {first}
    assert await refused(encode([1, 0, 0, 0])) == {first}
    assert await refused(encode([0, 0, 0, 0]), encode([0, 0, 0, 0])) == {first, second}
    assert await refused(key=bytes(32)) == {home.pseudonym for home in homes}
    assert await stored_counts(store) == (0, 0)
    for home in homes:
        # Another try says nothing of a home.
        invalid = 1 if home is homes[0] else 0
        assert (await witness.look(home.signed(Call.OPENINGS))).invalid == invalid
    answers = await answers_of(witness, Request((added("1", reports[1:]),), hour))
    assert answers == (OpenedSum(frozenset({"1"}), 10, sum(VALUES[1:]) + 400),)


@pytest.mark.parametrize(
    ("verifier", "key"),
    [(b"\xff" * 32, VERIFICATION_KEY), (encode([MODULUS - 1] * 3) + b"\xff" * 8, bytes(32))],
)
async def test_a_verifier_of_no_elements_is_a_bad_request(
    store: Store, tmp_path: Path, verifier: bytes, key: bytes
) -> None:
    witness, hour = await new_witness(store), this_hour()
    request = opening_of(await enrolled(witness), hour)
    (asked,) = request.groups
    parts = (asked.parts[0]._replace(verifier=verifier), *asked.parts[1:])
    groups = (replace(asked, parts=parts),)
    with pytest.raises(BadRequest, check=says("no element of the field")):
        await answers_of(witness, replace(request, groups=groups, verification_key=key))
    assert await stored_counts(store) == (0, 0)


async def test_a_report_that_passed_is_verified_once_too(store: Store) -> None:
    """Until its hour is opened: another verifier, or another key, would show more of it."""
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness, 11)
    request = opening_of(homes[:10], hour)
    assert not (await witness.verify_reports(COLLECTIVE, request.verification())).refused
    witness = await new_witness(store)
    (refused,) = await answers_of(witness, replace(request, verification_key=bytes(32)))
    everybody = frozenset(home.pseudonym for home in homes[:10])
    assert refused == RefusedHomes(Refusal.INVALID, everybody)
    # It is no home's fault: their own page shows nothing.
    assert (await witness.look(homes[0].signed(Call.OPENINGS))).invalid == 0
    assert await answers_of(witness, request) == (OpenedSum(frozenset({"1"}), 10, sum(VALUES)),)


async def test_fingerprints_are_forgotten_once_their_hour_is_opened(store: Store) -> None:
    """What was not opened stays, and so does what a home reads of its invalid reports."""
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness, 11)
    subject = Subject(COLLECTIVE, Direction.CONSUMPTION, hour)

    async def stored() -> int:
        async with store.reading() as connection:
            return len(await register.verified(connection, subject))

    reports = [home.report(wh, hour) for home, wh in zip(homes, [*VALUES, 400], strict=True)]
    part, report = reports[0]
    lie = part._replace(verifier=encode([0, 0, 0, 0])), report
    await answers_of(witness, Request((added("1", [lie, *reports[1:]]),), hour))
    assert await stored() == 11
    await answers_of(witness, Request((added("1", reports[1:]),), hour))
    assert await stored() == 1
    assert (await witness.look(homes[0].signed(Call.OPENINGS))).invalid == 1
    for n in range(1, 4):
        await answers_of(witness, opening_of(homes[:10], hour - n * HOURS))
    async with store.reading() as connection:
        rows = await connection.scalar(select(func.count()).select_from(WitnessVerificationRow))
    assert rows == 1


async def test_what_reports_were_verified_with_is_forgotten_after_their_keys(store: Store) -> None:
    now = datetime.now(UTC)
    ages = [KEPT + timedelta(days=3), KEPT, timedelta()]
    subjects = [Subject(COLLECTIVE, way, this_hour()) for way in Direction]
    async with store.writing() as connection:
        for subject, age in zip(subjects, ages, strict=True):
            await register.note_verified(connection, subject, {1: bytes(16)}, {1}, now - age)
        await register.forget(connection, sure(now))
        left = [bool(await register.verified(connection, subject)) for subject in subjects]
    assert left == [False, True, True]


async def test_a_verification_is_of_one_hour_and_direction_for_one_collective(
    store: Store,
) -> None:
    """Another one's fingerprints would make reports invalid that are not."""
    subject = Subject(COLLECTIVE, Direction.CONSUMPTION, this_hour())
    async with store.writing() as connection:
        for id_ in (1, 2):
            prints, now = {id_: bytes(16)}, datetime.now(UTC)
            await register.note_verified(connection, subject, prints, {id_}, now)
        both = {1: bytes(16), 2: bytes(16)}
        assert await register.verified(connection, subject) == both
        for other in (
            replace(subject, collective="other@energies.example"),
            replace(subject, direction=Direction.INJECTION),
            replace(subject, hour=subject.hour - HOURS),
        ):
            assert await register.verified(connection, other) == {}


async def test_invalid_reports_of_an_hour_add_up(store: Store) -> None:
    """The collective asks again without the first, and another one is invalid."""
    homes = await enrolled(witness := await new_witness(store), 2)
    subject = Subject(COLLECTIVE, Direction.CONSUMPTION, this_hour())
    async with store.writing() as connection:
        _, ids = await register.enrolments(connection, COLLECTIVE)
        for home in homes:
            prints, now = {ids[home.pseudonym]: bytes(16)}, datetime.now(UTC)
            await register.note_verified(connection, subject, prints, prints.keys(), now)
    for home in homes:
        assert (await witness.look(home.signed(Call.OPENINGS))).invalid == 1


async def test_fingerprint_of_the_register_changes_with_each_home_that_comes_or_leaves(
    store: Store,
) -> None:
    """By it, the witness knows that the homes that it has in memory are not those of now."""
    hands = Hands(datetime.now(UTC))
    witness = await new_witness(store, hands)
    seen = []

    async def look() -> None:
        async with store.reading() as connection:
            seen.append(await register.fingerprint(connection, COLLECTIVE))

    await look()
    (first, *_) = await enrolled(witness, 2)
    await look()
    # One leaves and another one comes, in the same second.
    await witness.leave(first.signed(Call.DEPARTURES))
    await look()
    (second,) = await enrolled(witness, 1)
    await look()
    hands.go_on(timedelta(minutes=1))
    await witness.enrol(replace(second, secret=bytes(32)).enrolment())
    await look()
    assert len(set(seen)) == len(seen)
    assert seen[1][1] != seen[3][1]


async def test_a_witness_shows_counts_from_the_largest_promised_minimum_on(store: Store) -> None:
    witness = await new_witness(store)
    await enrolled(witness, 2)
    demanding = EnrolledHome()
    await vouched(store, demanding)
    await witness.enrol(demanding.enrolment(minimum=12))
    async with store.reading() as connection:
        (work,) = await register.overview(connection, (COLLECTIVE,), datetime.now(UTC))
    assert (work.homes, work.minimum) == (3, 12)
    assert (work.public(11), work.public(12)) == (None, 12)


async def test_home_sees_its_openings(store: Store, tmp_path: Path) -> None:
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness, 14)
    await answers_of(witness, opening_of(homes[:10], hour))
    await answers_of(witness, opening_of(homes[:12], hour - HOURS, [400] * 12))
    for home, hours, least in ((homes[0], 2, 10), (homes[11], 1, 12), (homes[13], 0, None)):
        summary = await witness.look(home.signed(Call.OPENINGS))
        assert summary.opened == ({Direction.CONSUMPTION: hours} if hours else {})
        assert (summary.least_homes, summary.homes, summary.left_at) == (least, 14, None)
    early = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)
    with pytest.raises(WrongTime):
        await witness.look(homes[0].signed(Call.OPENINGS, early))
    for stranger in (EnrolledHome(), replace(homes[0], secret=bytes(32))):
        with pytest.raises(NotEnrolled):
            await witness.look(stranger.signed(Call.OPENINGS))


@pytest.mark.parametrize("call", [Call.OPENINGS, Call.DEPARTURES])
async def test_signed_request_is_for_the_collective_of_the_enrolment(
    file: Store, tmp_path: Path, call: Call
) -> None:
    """The same witness serves two: a request names the one that the home is enrolled for."""
    other = "other@energies.example"
    clock = await confirmed(file, Hands(datetime.now(UTC)))
    witness = WitnessWithCodes(file, clock, [COLLECTIVE, other])
    await witness.begin()
    (home,) = await enrolled(witness, 1)
    asks = {Call.OPENINGS: witness.look, Call.DEPARTURES: witness.leave}[call]
    signed = home.signed(call)
    for refused in (
        home.signed(call, collective=other),
        replace(signed, collective=other),
        replace(home.signed(call, collective=other), collective=COLLECTIVE),
    ):
        with pytest.raises(NotEnrolled):
            await asks(refused)
    with pytest.raises(NotWitnessed):
        await asks(home.signed(call, collective="third@energies.example"))
    async with file.reading() as connection:
        assert await register.departures(connection) == []
    await asks(signed)


async def test_departed_home_is_in_no_sum(store: Store, tmp_path: Path) -> None:
    hands, hour = Hands(datetime.now(UTC)), this_hour()
    witness = await new_witness(store, hands)
    homes = await enrolled(witness, 11)
    with pytest.raises(NotEnrolled):
        await witness.leave(replace(homes[10], secret=bytes(32)).signed(Call.DEPARTURES))
    receipt = await witness.leave(homes[10].signed(Call.DEPARTURES))
    hands.go_on(timedelta(minutes=1))
    assert await witness.leave(homes[10].signed(Call.DEPARTURES)) == receipt
    with pytest.raises(OtherEnrolment):
        await witness.enrol(homes[10].enrolment())
    for _ in range(2):
        assert await answers_of(witness, opening_of(homes, hour, [*VALUES, 400])) == (
            RefusedHomes(Refusal.NOT_ENROLLED, frozenset({homes[10].pseudonym})),
        )
    (answer,) = await answers_of(witness, opening_of(homes[:10], hour))
    assert isinstance(answer, OpenedSum)
    summary = await witness.look(homes[10].signed(Call.OPENINGS))
    assert (summary.left_at, summary.homes) == (receipt.left_at, 10)
    async with store.reading() as connection:
        assert homes[10].pseudonym not in await day_keys(connection.keys)
        (witnessed,) = await register.overview(connection, (COLLECTIVE,), datetime.now(UTC))
        month = datetime.now(UTC) + timedelta(days=31)
        (later,) = await register.overview(connection, (COLLECTIVE,), month)
    assert (witnessed.homes, witnessed.departed, witnessed.opened) == (10, 1, 1)
    assert (witnessed.recent, later.recent, later.homes) == (10, 0, 10)
    assert witnessed.refused == {Refusal.NOT_ENROLLED: 2}


async def test_departed_home_whose_key_a_power_cut_left_is_in_no_sum(
    store: Store, tmp_path: Path
) -> None:
    """The next start erases it."""
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness, 11)
    await witness.leave(homes[10].signed(Call.DEPARTURES))
    async with store.reading() as connection:
        await hold(connection.keys, homes[10].enrolment())
    assert await answers_of(witness, opening_of(homes, hour, [*VALUES, 400])) == (
        RefusedHomes(Refusal.NOT_ENROLLED, frozenset({homes[10].pseudonym})),
    )
    await new_witness(store)
    async with store.reading() as connection:
        assert (await day_keys(connection.keys)).keys() == {home.pseudonym for home in homes[:10]}


async def test_homes_of_another_collective_are_in_no_sum(store: Store, tmp_path: Path) -> None:
    """Both have the same witness: the one opens nothing of the other, and marks nothing of it."""
    other, hour = "other@energies.example", this_hour()
    homes = await enrolled(await new_witness(store))
    clock = await confirmed(store, Hands(datetime.now(UTC)))
    witness = WitnessWithCodes(store, clock, [COLLECTIVE, other])
    await witness.begin()
    whole = masked_sum(homes, VALUES, hour)
    assert await answers_of(witness, Request((whole,), hour), other) == (
        RefusedHomes(Refusal.NOT_ENROLLED, frozenset(home.pseudonym for home in homes)),
    )
    answers = (OpenedSum(frozenset({"1"}), 10, sum(VALUES)),)
    assert await answers_of(witness, Request((whole,), hour)) == answers
    # And counts none of the other.
    ((_, code),) = await codes_for(store, collective=other)
    await witness.enrol(replace(EnrolledHome(code=code).enrolment(), collective=other))
    assert (await witness.look(homes[0].signed(Call.OPENINGS))).homes == 10


async def test_keys_are_forgotten_after_35_days(store: Store, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    hands = Hands(now)
    witness = await new_witness(store, hands)
    homes = await enrolled(witness, since=now.date() - KEPT)
    hands.go_on(timedelta(days=3))
    await witness.forget()
    oldest = now.date() + timedelta(days=3) - KEPT
    async with store.reading() as connection:
        keys = await day_keys(connection.keys)
    assert keys == {home.pseudonym: home.key.on(oldest) for home in homes}
    # Receipts and reports of today are as good as before.
    witness = await new_witness(store)
    receipt, is_new = await witness.enrol(homes[0].enrolment())
    assert not is_new
    assert receipt.proves(homes[0].enrolment())
    (answer,) = await answers_of(witness, opening_of(homes, this_hour()))
    assert answer == OpenedSum(frozenset({"1"}), 10, sum(VALUES))


async def test_unconfirmed_clock_deletes_no_key(store: Store, tmp_path: Path) -> None:
    hands = Hands(datetime.now(UTC))
    witness = await new_witness(store, hands)
    (home,) = await enrolled(witness, 1)
    hands.at += timedelta(days=300)
    await witness.forget()
    async with store.reading() as connection:
        keys = await day_keys(connection.keys)
    assert keys == {home.pseudonym: home.key}
    with pytest.raises(ResourceConstraint):
        await answers_of(witness, opening_of([home], this_hour(), [1]))


async def test_a_clock_that_leaps_after_its_check_refuses_no_opening(
    store: Store, tmp_path: Path
) -> None:
    """By the time that it leaps to, all keys are gone."""
    hands = Hands(datetime.now(UTC))
    homes = await enrolled(await new_witness(store, hands))
    # Each of the two requests reads it once.
    witness = WitnessWithCodes(store, leaping(hands, 2), [COLLECTIVE])
    (answer,) = await answers_of(witness, opening_of(homes, this_hour()))
    assert answer == OpenedSum(frozenset({"1"}), 10, sum(VALUES))


async def test_a_departed_home_is_forgotten_after_a_year(store: Store, tmp_path: Path) -> None:
    witness = await new_witness(store)
    homes = await enrolled(witness, 2)
    long_ago = datetime.now(UTC) - timedelta(days=368)
    async with store.writing() as connection:
        assert await register.depart(connection, homes[0].pseudonym, long_ago)
        assert await register.depart(connection, homes[1].pseudonym, datetime.now(UTC))
        await register.forget(connection, sure(datetime.now(UTC)))
        left = await register.departures(connection)
        held = [await keys_of(connection.keys, home.pseudonym) for home in homes]
    assert [pseudonym for pseudonym, _ in left] == [homes[1].pseudonym]
    # What authenticates the requests of the other one is still there.
    assert [keys is not None for keys in held] == [False, True]


async def test_a_departure_outlives_a_restored_backup(file: Store, tmp_path: Path) -> None:
    witness = await new_witness(file)
    homes = await enrolled(witness, 2)
    await file.checkpoint()
    backup = shutil.copy(tmp_path / "node.db", tmp_path / "backup.db")
    await witness.leave(homes[0].signed(Call.DEPARTURES))
    log = tmp_path / "ended.jsonl"
    await ErasureLog(file, log).write()
    restored = await Store.open(Path(backup))
    try:
        await reapply(restored, ZONE, read_strictly(log), datetime.now(UTC))
        async with restored.reading() as connection:
            left = await register.departures(connection)
        assert [pseudonym for pseudonym, _ in left] == [homes[0].pseudonym]
    finally:
        await restored.close()


async def test_database_refuses_to_forget_openings_and_departures(
    store: Store, place: Path | str, tmp_path: Path
) -> None:
    """Plain SQL can neither open an hour again nor undo the departure of a home."""
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness)
    await answers_of(witness, opening_of(homes, hour))
    other_key = replace(opening_of(homes, hour - HOURS), verification_key=bytes(32))
    await answers_of(witness, other_key)
    await witness.verify_reports(COLLECTIVE, opening_of(homes, hour - 2 * HOURS).verification())
    await witness.leave(homes[9].signed(Call.DEPARTURES))
    left = f"pseudonym = '{homes[9].pseudonym}'"
    with plain(place) as cheat:
        for change in (
            "UPDATE witness_ledger SET homes = 3",
            "UPDATE witness_ledger SET hour = hour + 3600",
            "DELETE FROM witness_ledger",
            "UPDATE witness_opening SET answer = ''",
            "DELETE FROM witness_opening",
            "DELETE FROM witness_enrolment",
            "DELETE FROM witness_verification",
            "DELETE FROM witness_verification WHERE length(invalid) = 0",
            "UPDATE witness_verification SET hour = hour + 3600",
            "UPDATE witness_verification SET fingerprints = substr(fingerprints, 1, 20)",
            "UPDATE witness_verification SET invalid = substr(invalid, 1, 0)",
            "UPDATE witness_enrolment SET minimum = 3",
            "UPDATE witness_enrolment SET enrolled_at = {now} + 1",
            "UPDATE witness_enrolment SET enrolled_at = {now} - 400 WHERE left_at IS NULL",
            "DELETE FROM witness_code",
            "UPDATE witness_code SET expires_at = expires_at + 1",
            "UPDATE witness_code SET collective = 'other@energies.example'",
            f"UPDATE witness_enrolment SET left_at = NULL WHERE {left}",
            f"UPDATE witness_enrolment SET left_at = left_at - 400 * 86400 WHERE {left}",
            f"UPDATE witness_enrolment SET enrolled_at = {{now}} + 1 WHERE {left}",
        ):
            with pytest.raises(Refused):
                cheat.run(change)


@given(st.sets(st.integers(0, 500)))
def test_bitmap_round_trip(ids: set[int]) -> None:
    assert set(register.numbers(register.bitmap(ids))) == ids


def test_ledger_takes_one_bit_per_home_and_hour() -> None:
    assert len(register.bitmap(range(10_000))) * 24 / 10_000 == 3
