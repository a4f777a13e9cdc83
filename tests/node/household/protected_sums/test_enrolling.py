"""A home at its witness, which is reached over HTTPS: it enrols, looks, and leaves."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
import ssl
from typing import override

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
import pytest

from consometers_node.household.protected_sums.enrolling import Enrolling
from consometers_node.household.protected_sums.witness_address import Trust
from consometers_node.household.protected_sums.witness_check import public_key_of
from consometers_node.household.protected_sums.witness_client import WitnessClient
from consometers_node.household.protected_sums.witness_heads import heads_of, remember_head
from consometers_node.permission import Permissions
from consometers_node.series import Direction
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.records.masked_reports import HomeKeys, keep_keys, load_keys
from consometers_node.store import PermissionId, Store
from consometers_node.store.clock import Clock, Confirmed
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.enrolments import (
    StoredEnrolment,
    code_of,
    enrolments,
    has_enrolments_due,
    set_code,
    update_enrolment,
)
from consometers_node.store.peers import add_peer
from consometers_node.wire.needs import need_hash
from consometers_node.wire.witness_requests import Call, EnrolmentReceipt
from consometers_protected_sums.heads import Head
from consometers_quoalise_network.backoff import Backoff
from demo.servers.prosody import Authority
from testing.clocks import Hands, confirmed, sure
from testing.homes.data_needs import CHOICE_OF_PROTECTED, PROTECTED, STOP, WITNESS, grant, now
from testing.witnesses.toy import CODE, HEAD, ToyWitness, serving

NEVER_AGAIN = Backoff(3600, 3600, 1)
AT_ONCE = Backoff(0, 0, 0)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
async def witness(
    authority: Authority, tmp_path: Path, socket_enabled: None
) -> AsyncIterator[ToyWitness]:
    async with serving(ToyWitness(), authority, tmp_path) as witness:
        yield witness


@dataclass
class Home:
    """A home that was granted a sum, and what it does at its witness."""

    store: Store
    hands: Hands
    enrolling: Enrolling
    permission: PermissionId

    async def stored(self) -> StoredEnrolment:
        async with self.store.reading() as connection:
            return (await enrolments(connection))[self.permission]

    async def may_leave(self) -> bool:
        async with self.store.reading() as connection:
            return await Permissions(connection).may_leave(self.permission)

    async def enter(self, code: str) -> None:
        async with self.store.writing() as connection:
            await set_code(connection, self.permission, code)

    async def withdraw(self) -> None:
        async with self.store.writing() as connection:
            await Permissions(connection).withdraw(self.permission, STOP, now())

    async def lose_keys(self) -> None:
        async with self.store.writing() as connection:
            await keep_keys(connection, self.permission, None)

    @property
    def problem(self) -> str | None:
        words = self.enrolling.problems.get(self.permission)
        return None if words is None else words.say()


def plain(problem: str | None) -> str:
    """Return a problem without the marks that isolate names."""
    return (problem or "").replace("\u2068", "").replace("\u2069", "")


type MakeHome = Callable[..., Awaitable[Home]]


@pytest.fixture
def new_home(file: Store, authority: Authority, witness: ToyWitness) -> MakeHome:
    async def make(
        *,
        backoff: Backoff = NEVER_AGAIN,
        trusts: bool = True,
        vouched: bool = True,
        code: str | None = CODE,
    ) -> Home:
        tls = ssl.create_default_context()
        if trusts:
            tls.load_verify_locations(authority.file)
        hands = Hands(datetime.now(UTC))
        clock = await confirmed(file, hands) if vouched else hands.clock()
        need = replace(PROTECTED, witness=replace(WITNESS, url=witness.url))
        async with file.writing() as connection:
            coop = await add_peer(connection, "coop@example.org", "Coop", now())
            permission = await grant(Permissions(connection), coop.id, need, CHOICE_OF_PROTECTED)
            await set_code(connection, permission, code)
        enrolling = Enrolling(
            file, clock, Changes(), WitnessClient(Trust(tls, is_private=True)), backoff
        )
        return Home(file, hands, enrolling, permission)

    return make


async def test_records_may_leave_once_the_witness_confirms_the_key(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home()
    assert not await home.may_leave()
    await home.enrolling.round()
    assert await home.may_leave()
    request = witness.enrolled[home.permission]
    need = replace(PROTECTED, witness=replace(WITNESS, url=witness.url))
    assert (request.need_sha256, request.minimum) == (need_hash(need), WITNESS.minimum)
    assert request.directions == {Direction.CONSUMPTION}
    assert home.problem is None
    async with home.store.reading() as connection:
        keys = await load_keys(connection, home.permission)
    assert keys is not None
    assert keys.nonce_secret != keys.day_key.secret == request.key


async def test_a_home_asks_for_its_openings_once_a_day(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home()
    for _ in range(3):
        await home.enrolling.round()
    assert witness.asked == [Call.ENROLMENTS, Call.OPENINGS]
    stored = await home.stored()
    assert stored.summary is not None
    assert '"consumption": 720' in stored.summary
    home.hands.go_on(timedelta(days=1))
    await home.enrolling.round()
    assert witness.asked[2:] == [Call.OPENINGS]


async def test_an_enrolment_with_a_lost_answer_is_repeated_unchanged(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home(backoff=AT_ONCE)
    witness.loses = True
    await home.enrolling.round()
    assert not await home.may_leave()
    assert "503" in (home.problem or "")
    witness.loses = False
    home.hands.go_on(timedelta(days=1))
    await home.enrolling.round()
    assert await home.may_leave()
    assert home.problem is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (web.json_response(EnrolmentReceipt(now(), bytes(32), HEAD).body(), status=201), "prove"),
        (web.json_response({"enrolled_at": "yesterday"}, status=201), "cannot be read"),
        (web.Response(body=b"[" * 100_000, status=201), "cannot be read"),
        (web.json_response({}, status=409), "allow again"),
        (web.json_response({}, status=429), "tries again later"),
        (web.json_response({}, status=403), "no witness"),
        (web.Response(status=302, headers={"Location": "https://elsewhere.example/"}), "302"),
    ],
    ids=["other key", "no receipt", "endless", "restored", "limited", "no witness", "redirection"],
)
async def test_an_invalid_receipt_lets_nothing_leave(
    new_home: MakeHome, witness: ToyWitness, answer: web.Response, words: str
) -> None:
    home = await new_home()
    witness.answers[Call.ENROLMENTS] = answer
    await home.enrolling.round()
    assert not await home.may_leave()
    assert home.problem is not None
    assert words in home.problem
    await home.enrolling.round()
    assert witness.asked == [Call.ENROLMENTS]


async def test_a_witness_with_an_unknown_authority_gets_no_key(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home(trusts=False)
    await home.enrolling.round()
    assert witness.asked == []
    assert home.problem is not None
    assert "authority" in home.problem


async def test_a_withdrawal_reaches_a_witness_that_was_away_and_erases_the_keys(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home(backoff=AT_ONCE)
    await home.enrolling.round()
    await home.withdraw()
    assert not await home.may_leave()
    witness.answers[Call.DEPARTURES] = web.Response(status=503)
    await home.enrolling.round()
    assert "503" in (home.problem or "")
    del witness.answers[Call.DEPARTURES]
    await home.enrolling.round()
    assert home.problem is None
    assert (await home.stored()).left_at is not None
    async with home.store.reading() as connection:
        assert await load_keys(connection, home.permission) is None
        assert await code_of(connection, home.permission) is None
        assert not await has_enrolments_due(connection)
    await home.enrolling.round()
    assert witness.asked[-2:] == [Call.DEPARTURES, Call.DEPARTURES]


async def test_nothing_is_sent_to_a_witness_before_a_code_is_entered(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home(code=None)
    await home.enrolling.round()
    assert witness.asked == []
    assert f"the code that {WITNESS.name} gave you" in plain(home.problem)
    await home.enter(CODE)
    await home.enrolling.round()
    assert home.problem is None
    assert await home.may_leave()


async def test_a_code_that_is_refused_is_not_sent_again_until_another_is_entered(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    """The witness limits tries, and a person has to look at the sheet."""
    home = await new_home(backoff=AT_ONCE)
    wrong = CODE.replace("B", "C")
    await home.enter(wrong)
    for _ in range(3):
        await home.enrolling.round()
        assert "does not accept the code" in plain(home.problem)
    assert witness.asked == [Call.ENROLMENTS]
    assert not await home.may_leave()
    await home.enter(CODE)
    await home.enrolling.round()
    assert witness.asked == [Call.ENROLMENTS, Call.ENROLMENTS]
    assert home.problem is None
    assert await home.may_leave()


async def test_a_home_whose_keys_are_lost_enrols_again_by_its_code(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home(backoff=AT_ONCE)
    await home.enrolling.round()
    first = witness.enrolled[home.permission]
    receipt = (await home.stored()).receipt
    assert (await home.stored()).keys_lost_at is None
    home.hands.go_on(timedelta(hours=1))
    await home.lose_keys()
    witness.answers[Call.ENROLMENTS] = web.Response(status=503)
    await home.enrolling.round()
    # Until the witness has the new key, what it masks could not be opened.
    assert not await home.may_leave()
    del witness.answers[Call.ENROLMENTS]
    await home.enrolling.round()
    assert home.problem is None
    assert await home.may_leave()
    again = witness.enrolled[home.permission]
    assert (again.code, again.pseudonym) == (first.code, first.pseudonym)
    assert again.key != first.key
    assert (await home.stored()).receipt != receipt
    assert (await home.stored()).keys_lost_at == home.hands.at.replace(microsecond=0)


async def test_a_home_whose_key_the_witness_has_lost_enrols_again_by_its_code(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    """A restored witness has no keys: within a day each home has given it another."""
    home = await new_home()
    for _ in range(2):
        await home.enrolling.round()
    first = witness.enrolled.pop(home.permission)
    home.hands.go_on(timedelta(days=1))
    await home.enrolling.round()
    # Nothing leaves under a key that nobody has.
    assert not await home.may_leave()
    assert (await home.stored()).keys_lost_at == home.hands.at.replace(microsecond=0)
    await home.enrolling.round()
    again = witness.enrolled[home.permission]
    assert (again.code, again.key == first.key) == (first.code, False)
    # By it, a witness that was set back learns so even before it has the key.
    assert again.heads == (HEAD,)
    assert await home.may_leave()
    await home.enrolling.round()
    assert home.problem is None
    assert witness.asked[-2:] == [Call.ENROLMENTS, Call.OPENINGS]


async def test_a_home_shows_the_newest_head_that_it_has_of_a_witness(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    """A witness that was set back answers with an older one, and is shown what it lost."""
    home = await new_home()
    heads = [Head.of(bytes(32), number, bytes(32)).packed() for number in range(3)]
    for head in (heads[1], heads[2], heads[0], heads[0]):
        witness.head = head
        await home.enrolling.round()
        home.hands.go_on(timedelta(days=1))
    await home.withdraw()
    await home.enrolling.round()
    assert witness.asked == [Call.ENROLMENTS, *[Call.OPENINGS] * 3, Call.DEPARTURES]
    assert witness.shown == [(), (heads[1],), *[(heads[2],)] * 3]
    witness.head = other = Head.of(bytes(range(32)), 0, bytes(32)).packed()
    async with home.store.writing() as connection:
        await remember_head(connection, witness.url, other)
        assert await heads_of(connection, witness.url) == (heads[2], other)
        assert await heads_of(connection, "https://other.example") == ()


async def test_a_witness_that_forgets_each_key_at_once_is_not_asked_for_ever(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home()
    witness.answers[Call.OPENINGS] = web.Response(status=404)
    for _ in range(5):
        await home.enrolling.round()
    assert witness.asked == [Call.ENROLMENTS, Call.OPENINGS]
    assert "404" in (home.problem or "")


async def test_a_home_whose_database_alone_was_restored_enrols_with_a_first_key(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    """The database is older than the receipt, the key days newer: its requests would fail."""
    home = await new_home()
    await home.enrolling.round()
    home.hands.go_on(timedelta(days=2))
    await home.enrolling.round()
    async with home.store.writing() as connection:
        await update_enrolment(connection, home.permission, enrolled_at=None, receipt=None)
    for _ in range(2):
        await home.enrolling.round()
    assert home.problem is None
    async with home.store.reading() as connection:
        keys = await load_keys(connection, home.permission)
    assert keys is not None
    assert keys.authentication_key == witness.enrolled[home.permission].day_key.authentication_key()


async def test_a_home_without_its_database_s_enrolment_draws_other_keys(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    """Its keys were stored, and a power cut came before the database noted it."""
    home = await new_home()
    async with home.store.writing() as connection:
        await keep_keys(connection, home.permission, HomeKeys.new(home.hands.at.date()))
    await home.enrolling.round()
    assert await home.may_leave()


async def test_a_departure_from_a_witness_without_the_key_is_done(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home()
    await home.enrolling.round()
    witness.enrolled.clear()
    await home.withdraw()
    await home.enrolling.round()
    assert home.problem is None
    assert (await home.stored()).left_at is not None


async def test_a_departure_is_asked_again_of_a_witness_that_serves_the_collective_no_more(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    """It has the key of this home still, and may serve the collective again."""
    home = await new_home(backoff=AT_ONCE)
    await home.enrolling.round()
    await home.withdraw()
    witness.answers[Call.DEPARTURES] = web.Response(status=403)
    await home.enrolling.round()
    assert "no witness" in plain(home.problem)
    assert (await home.stored()).left_at is None
    del witness.answers[Call.DEPARTURES]
    await home.enrolling.round()
    assert (await home.stored()).left_at is not None


async def test_a_home_keeps_its_key_while_the_witness_is_away(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home(backoff=AT_ONCE)
    for _ in range(2):
        await home.enrolling.round()
    home.hands.go_on(timedelta(days=1))
    witness.answers[Call.OPENINGS] = web.Response(status=503)
    await home.enrolling.round()
    assert "503" in (home.problem or "")
    assert await home.may_leave()
    del witness.answers[Call.OPENINGS]
    await home.enrolling.round()
    assert home.problem is None
    assert witness.asked.count(Call.ENROLMENTS) == 1


async def test_a_home_whose_clock_went_back_asks_for_its_openings(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    """It asked last in the future: waiting for that day, it would show no head meanwhile."""
    home = await new_home()
    for _ in range(2):
        await home.enrolling.round()
    home.hands.at -= timedelta(days=2)
    await home.enrolling.round()
    assert witness.asked == [Call.ENROLMENTS, Call.OPENINGS, Call.OPENINGS]


async def test_a_departure_without_keys_is_left_to_people(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home()
    await home.enrolling.round()
    await home.lose_keys()
    await home.withdraw()
    await home.enrolling.round()
    assert f"cannot learn that it has ended: inform its contact, {WITNESS.contact}" in plain(
        home.problem
    )
    assert witness.asked == [Call.ENROLMENTS]


async def test_a_home_whose_key_is_of_a_later_day_says_that_its_clock_was_ahead(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    """No key of an earlier day can be computed from it."""
    home = await new_home()
    await home.enrolling.round()
    async with home.store.writing() as connection:
        keys = await load_keys(connection, home.permission)
        assert keys is not None
        later = keys.on(keys.day_key.day + timedelta(days=2))
        await keep_keys(connection, home.permission, later)
    await home.enrolling.round()
    assert f"clock was ahead: its key is that of {later.day_key.day}" in plain(home.problem)
    async with home.store.reading() as connection:
        assert await load_keys(connection, home.permission) == later
    assert witness.asked == [Call.ENROLMENTS]


async def test_a_withdrawal_at_the_last_moment_draws_no_other_keys(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    """The keys were lost, and the permission ends before others are drawn."""
    home = await new_home()
    await home.enrolling.round()
    await home.lose_keys()

    class Ending(Clock):
        @override
        async def confirmed(self, connection: AsyncConnection) -> Confirmed | None:
            await Permissions(connection).withdraw(home.permission, STOP, now())
            return sure(home.hands.at)

    clock = Ending(lambda: home.hands.at, lambda: home.hands.steady)
    tls = WitnessClient(Trust(ssl.create_default_context(), is_private=True))
    await Enrolling(home.store, clock, Changes(), tls, NEVER_AGAIN).round()
    async with home.store.reading() as connection:
        assert await load_keys(connection, home.permission) is None
    assert (await home.stored()).keys_lost_at is None


async def test_nothing_leaves_once_the_witness_has_revoked_the_code(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home()
    witness.left_at = now()
    for _ in range(3):
        await home.enrolling.round()
    assert not await home.may_leave()
    assert "has revoked the code" in plain(home.problem)
    assert (await home.stored()).left_at == witness.left_at
    async with home.store.reading() as connection:
        assert await load_keys(connection, home.permission) is None
    asked = len(witness.asked)
    await home.withdraw()
    await home.enrolling.round()
    assert home.problem is None
    assert len(witness.asked) == asked


async def test_a_withdrawal_does_not_wait_for_a_retry(
    new_home: MakeHome, witness: ToyWitness
) -> None:
    home = await new_home()
    witness.answers[Call.ENROLMENTS] = web.Response(status=503)
    await home.enrolling.round()
    await home.withdraw()
    await home.enrolling.round()
    # The witness never knew this home.
    assert witness.asked == [Call.ENROLMENTS, Call.DEPARTURES]
    assert (await home.stored()).left_at is not None


async def test_only_a_confirmed_clock_ages_the_key(new_home: MakeHome) -> None:
    home = await new_home()
    await home.enrolling.round()

    async def keys_after(by: timedelta) -> tuple[int, bytes]:
        home.hands.at += by
        await home.enrolling.round()
        async with home.store.reading() as connection:
            keys = await load_keys(connection, home.permission)
        assert keys is not None
        return (keys.day_key.day - first.day).days, keys.day_key.secret

    async with home.store.reading() as connection:
        keys = await load_keys(connection, home.permission)
    assert keys is not None
    first = keys.day_key
    # The wall clock jumps: nobody has confirmed that it is a day later.
    assert await keys_after(timedelta(days=1)) == (0, first.secret)
    home.hands.steady += timedelta(days=1).total_seconds()
    second = first.on(first.day + timedelta(days=1))
    assert await keys_after(timedelta()) == (1, second.secret)
    home.hands.steady -= timedelta(days=1).total_seconds()
    assert await keys_after(timedelta(days=-1)) == (1, second.secret)


async def test_an_unconfirmed_clock_draws_no_key(new_home: MakeHome, witness: ToyWitness) -> None:
    home = await new_home(vouched=False)
    await home.enrolling.round()
    assert witness.asked == []
    assert home.problem is not None
    assert "clock" in home.problem


def test_public_key_of_agrees_with_cryptography(authority: Authority, tmp_path: Path) -> None:
    pem, _ = authority.issue("localhost", tmp_path)
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    der = certificate.public_bytes(Encoding.DER)
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public_key_of(der) == key
    for end in range(0, len(der) // 2, 7):
        with suppress(ValueError):
            assert public_key_of(der[:end]) != key
