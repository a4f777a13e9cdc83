"""Codes of a witness: each enrols one home, once known by it; what ends one, and what it hides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from consometers_node.collective.errors import NotFound
from consometers_node.collective.witness import codes, register
from consometers_node.collective.witness.codes import BadCode, CodeState
from consometers_node.collective.witness.keys import day_keys
from consometers_node.collective.witness.register import OtherEnrolment, WrongTime
from consometers_node.store import Store
from consometers_node.store.collective.tables import WitnessCodeRow, WitnessEnrolmentRow
from consometers_node.wire.witness_requests import Call
from consometers_protected_sums.codes import draw
from consometers_protected_sums.exchange import OpenedSum, Refusal, RefusedHomes
from testing.clocks import Hands, confirmed, sure
from testing.databases.sql import Refused, plain
from testing.witnesses.enrolled import (
    COLLECTIVE,
    HOURS,
    VALUES,
    EnrolledHome,
    WitnessWithCodes,
    answers_of,
    codes_for,
    enrolled,
    new_witness,
    opening_of,
    this_hour,
    vouched,
)

OTHER = "other@energies.example"


async def enrolments(store: Store) -> int:
    async with store.reading() as connection:
        query = select(func.count()).select_from(WitnessEnrolmentRow)
        return await connection.scalar(query) or 0


async def states(store: Store, at: datetime | None = None) -> list[CodeState]:
    async with store.reading() as connection:
        made = await codes.all_codes(connection)
    return sorted(code.state(at or datetime.now(UTC)) for code in made)


async def revoke(store: Store, number: str, after: timedelta = timedelta()) -> codes.Code:
    async with store.writing() as connection:
        return await register.revoke(connection, number, datetime.now(UTC) + after)


async def test_a_code_enrols_one_home(store: Store, tmp_path: Path) -> None:
    witness, home = await new_witness(store), EnrolledHome()
    await vouched(store, home)
    assert await states(store) == [CodeState.UNUSED]
    await witness.enrol(home.enrolment())
    assert await states(store) == [CodeState.USED]
    with pytest.raises(BadCode):
        await witness.enrol(EnrolledHome(code=home.code).enrolment())
    assert await enrolments(store) == 1


async def test_a_home_without_a_valid_code_does_not_enrol(store: Store, tmp_path: Path) -> None:
    """Whatever is wrong with it, the words are the same: nobody learns which codes there are."""
    hands = Hands(datetime.now(UTC))
    clock = await confirmed(store, hands)
    witness = WitnessWithCodes(store, clock, [COLLECTIVE, OTHER])
    await witness.begin()
    (used,) = await enrolled(witness, 1)
    ((revoked, of_revoked),) = await codes_for(store)
    await revoke(store, revoked.id)
    ((_, of_other),) = await codes_for(store, collective=OTHER)
    ((_, expired),) = await codes_for(store, days=1)
    hands.go_on(timedelta(days=1, minutes=1))
    answers = set()
    for code in (draw(), used.code, of_revoked, of_other, expired):
        with pytest.raises(BadCode) as refused:
            await witness.enrol(EnrolledHome(code=code).enrolment())
        answers.add((refused.value.text.say("en"), refused.value.text.say("fr")))
    assert len(answers) == 1
    assert await enrolments(store) == 1


async def test_a_code_is_valid_until_the_instant_at_which_it_expires(store: Store) -> None:
    ((code, printed),) = await codes_for(store)
    async with store.reading() as connection:
        for before, state in (
            (timedelta(seconds=1), CodeState.UNUSED),
            (timedelta(), CodeState.EXPIRED),
        ):
            at = code.expires_at.replace(microsecond=0) - before
            stored = await codes.by_code(connection, printed)
            assert stored.state(at) is state
            checked = codes.check(
                connection, printed, collective=COLLECTIVE, pseudonym="a home", at=at
            )
            if state is CodeState.UNUSED:
                assert await checked == code.id
            else:
                with pytest.raises(BadCode):
                    await checked


async def test_a_valid_code_is_refused_to_a_home_that_enrolled_by_another(
    store: Store, tmp_path: Path
) -> None:
    """The collective knows pseudonyms: with a code of its own it would take a home's place."""
    witness = await new_witness(store)
    (home,) = await enrolled(witness, 1)
    ((_, spare),) = await codes_for(store)
    for secret in (home.secret, bytes(32)):
        with pytest.raises(BadCode):
            await witness.enrol(replace(home, code=spare, secret=secret).enrolment())
    assert await states(store) == [CodeState.UNUSED, CodeState.USED]
    answers = await answers_of(witness, opening_of([home], this_hour(), [1]))
    assert answers == (RefusedHomes(Refusal.TOO_FEW, frozenset({home.pseudonym})),)


async def test_a_home_that_lost_its_keys_enrols_again_by_its_code(
    store: Store, tmp_path: Path
) -> None:
    hands, hour = Hands(datetime.now(UTC)), this_hour()
    witness = await new_witness(store, hands)
    homes = await enrolled(witness, since=hands.at.date() - timedelta(days=2))
    first = (await witness.look(homes[0].signed(Call.OPENINGS))).enrolled_at
    await answers_of(witness, opening_of(homes, hour))
    hands.go_on(timedelta(minutes=1))
    restored = replace(homes[0], secret=bytes(32), since=homes[0].since + timedelta(days=1))
    receipt, is_new = await witness.enrol(restored.enrolment())
    assert is_new
    assert receipt.enrolled_at == first + timedelta(minutes=1)
    assert receipt.proves(restored.enrolment())
    assert await witness.enrol(restored.enrolment()) == (receipt, False)
    assert await enrolments(store) == len(homes)
    # What it asks for is signed with the new key.
    assert (await witness.look(restored.signed(Call.OPENINGS))).homes == len(homes)
    with pytest.raises(register.NotEnrolled):
        await witness.look(homes[0].signed(Call.OPENINGS))
    # Its number is the same: an hour of it that was opened is not opened again.
    again = [restored, *homes[1:]]
    (refused,) = await answers_of(witness, opening_of(again, hour))
    assert refused == RefusedHomes(
        Refusal.OPENED_BEFORE, frozenset(home.pseudonym for home in homes)
    )
    (opened,) = await answers_of(witness, opening_of(again, hour - HOURS))
    assert opened == OpenedSum(frozenset({"1"}), len(homes), sum(VALUES))
    for other in (restored.enrolment(minimum=11), replace(restored.enrolment(), version=2)):
        with pytest.raises(OtherEnrolment):
            await witness.enrol(other)
    # Earlier than its key, though not than its first one.
    earlier = replace(homes[0], secret=b"1" * 32)
    with pytest.raises(WrongTime):
        await witness.enrol(earlier.enrolment())
    # The same bytes as the key of another day are another key.
    _, is_new = await witness.enrol(replace(restored, since=hands.at.date()).enrolment())
    assert is_new


async def test_an_expired_code_of_an_enrolled_home_is_still_its_own(
    store: Store, tmp_path: Path
) -> None:
    witness, home = await new_witness(store), EnrolledHome()
    ((_, home.code),) = await codes_for(store, days=1)
    await witness.enrol(home.enrolment())
    later = datetime.now(UTC) + timedelta(days=2)
    async with store.reading() as connection:
        number = await codes.check(
            connection, home.code, collective=COLLECTIVE, pseudonym=home.pseudonym, at=later
        )
    assert number
    assert await states(store, later) == [CodeState.USED]


async def test_a_revoked_code_takes_its_home_out_of_all_sums(store: Store, tmp_path: Path) -> None:
    witness, hour = await new_witness(store), this_hour()
    homes = await enrolled(witness, 11)
    async with store.reading() as connection:
        code = await codes.by_code(connection, homes[10].code)
    revoked = await revoke(store, code.id)
    assert revoked.left_at is not None
    assert await revoke(store, code.id, timedelta(minutes=1)) == revoked
    values = [*VALUES, 400]
    (refused,) = await answers_of(witness, opening_of(homes, hour, values))
    assert refused == RefusedHomes(Refusal.NOT_ENROLLED, frozenset({homes[10].pseudonym}))
    with pytest.raises(BadCode):
        await witness.enrol(homes[10].enrolment())
    # The home learns it.
    assert (await witness.look(homes[10].signed(Call.OPENINGS))).left_at is not None
    async with store.reading() as connection:
        assert homes[10].pseudonym not in await day_keys(connection.keys)
    with pytest.raises(NotFound):
        await revoke(store, "0" * 8)


async def test_a_home_that_left_does_not_come_back_by_its_code(
    store: Store, tmp_path: Path
) -> None:
    """Under another pseudonym, one hour of it would be in two sums."""
    witness = await new_witness(store)
    (home,) = await enrolled(witness, 1)
    await witness.leave(home.signed(Call.DEPARTURES))
    with pytest.raises(OtherEnrolment):
        await witness.enrol(home.enrolment())
    with pytest.raises(BadCode):
        await witness.enrol(EnrolledHome(code=home.code).enrolment())


async def test_the_database_holds_no_code(store: Store, tmp_path: Path) -> None:
    witness = await new_witness(store)
    await enrolled(witness, 1)
    ((_, unused),) = await codes_for(store)
    async with store.reading() as connection:
        rows = (await connection.execute(select(WitnessCodeRow))).all()
    for form in (unused, unused.replace("-", ""), unused.lower()):
        assert form not in repr(rows)
    assert unused not in repr(EnrolledHome(code=unused).enrolment())


async def test_codes_that_ended_a_year_ago_are_forgotten(store: Store, tmp_path: Path) -> None:
    witness = await new_witness(store)
    await enrolled(witness, 1)
    long_ago = datetime.now(UTC) - timedelta(days=500)
    async with store.writing() as connection:
        for days in (100, 480):
            await codes.make(
                connection,
                collective=COLLECTIVE,
                at=long_ago,
                expires_at=long_ago + timedelta(days=days),
            )
        await register.forget(connection, sure(datetime.now(UTC)))
    assert await states(store) == [CodeState.EXPIRED, CodeState.USED]


async def test_a_home_keeps_the_code_that_ended_years_ago(file: Store, tmp_path: Path) -> None:
    witness = await new_witness(file)
    await enrolled(witness, 1)
    with plain(tmp_path / "node.db") as years:
        years.run(
            "DROP TRIGGER witness_code_is_itself",
            "UPDATE witness_code SET created_at = 1, expires_at = {now} - 800 * 86400",
        )
    async with file.writing() as connection:
        await register.forget(connection, sure(datetime.now(UTC)))
    assert await states(file) == [CodeState.USED]


async def test_plain_sql_enrols_no_home_without_a_valid_code(
    store: Store, place: Path | str, tmp_path: Path
) -> None:
    witness = await new_witness(store)
    await enrolled(witness, 1)
    (good, revoked) = [code for code, _ in await codes_for(store, 2)]
    await revoke(store, revoked.id)
    columns = "pseudonym, need, version, need_sha256, minimum, directions, enrolled_at"
    copied = columns.replace("pseudonym", "'made-up'")
    row = (
        f"INSERT INTO witness_enrolment (code_id, collective, {columns})"
        f" SELECT '{{code}}', '{{collective}}', {copied} FROM witness_enrolment"
    )
    with plain(place) as cheat:
        ((used,),) = cheat.run("SELECT code_id FROM witness_enrolment")
        for code, collective in (
            ("nothing", COLLECTIVE),
            (used, COLLECTIVE),
            (revoked.id, COLLECTIVE),
            (good.id, OTHER),
        ):
            with pytest.raises(Refused):
                cheat.run(row.format(code=code, collective=collective))
        with pytest.raises(Refused):
            cheat.run(f"UPDATE witness_code SET revoked_at = NULL WHERE id = '{revoked.id}'")
        cheat.run(row.format(code=good.id, collective=COLLECTIVE))
