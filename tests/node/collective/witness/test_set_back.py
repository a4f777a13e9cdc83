"""A witness that was set back, by a backup or a copy of its folder, opens nothing twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
import shutil

import pytest

from consometers_node.collective.witness import heads
from consometers_node.collective.witness.heads import Evidence, SetBack
from consometers_node.collective.witness.register import NotEnrolled, WrongTime
from consometers_node.collective.witness.service import NotReady
from consometers_node.store import Store
from consometers_node.store.keys import FILE
from consometers_node.wire.witness_requests import Call
from consometers_protected_sums.exchange import Answer, OpenedSum, Refusal, RefusedHomes
from consometers_protected_sums.field import encode
from consometers_protected_sums.heads import Head, newest
from consometers_quoalise import ResourceConstraint
from packages.protected_sums.tests.homes import added
from testing.clocks import Hands
from testing.sentences import says
from testing.witnesses.enrolled import (
    COLLECTIVE,
    HOURS,
    VALUES,
    EnrolledHome,
    Request,
    WitnessWithCodes,
    answers_of,
    enrolled,
    new_witness,
    opening_of,
    this_hour,
)

GONE_BY = (RefusedHomes(Refusal.OPENED_BEFORE),)


async def state_of(store: Store) -> SetBack | None:
    async with store.reading() as connection:
        return await heads.set_back(connection)


async def assert_opens_from_now(store: Store) -> None:
    """Check that later hours alone are opened, and that a second start finds nothing new."""
    back = await state_of(store)
    assert back is not None
    assert back.opens_from is not None
    assert abs(back.opens_from - datetime.now(UTC)) < timedelta(minutes=5)
    await new_witness(store)
    assert await state_of(store) == back


async def looked(witness: WitnessWithCodes, home: EnrolledHome, at: datetime | None = None) -> None:
    """Have a home ask what was opened, and remember the head of the answer."""
    summary = await witness.look(home.signed(Call.OPENINGS, at))
    home.heads = newest((*home.heads, summary.head))


async def enrolled_again(witness: WitnessWithCodes, *homes: EnrolledHome) -> None:
    """Enrol homes again with new keys, as after the loss of the witness's."""
    for home in homes:
        with pytest.raises(NotEnrolled):
            await looked(witness, home)
        home.secret = token_bytes(32)
        receipt, is_new = await witness.enrol(home.enrolment())
        assert is_new
        home.heads = newest((*home.heads, receipt.head))
        await looked(witness, home)


def later(homes: list[EnrolledHome]) -> Request:
    return opening_of(homes, this_hour() + HOURS, [400] * len(homes))


def opens(count: int) -> tuple[Answer, ...]:
    return (OpenedSum(frozenset({"1"}), count, 400 * count),)


async def copied(store: Store, folder: Path, to: Path, *, with_keys: bool) -> None:
    """Copy a node's files as a backup does, or with its keys, as an image of the machine has them.

    The witness goes on meanwhile.
    """
    assert await store.checkpoint()
    to.mkdir()
    for name in ("node.db", FILE) if with_keys else ("node.db",):
        shutil.copy(folder / name, to / name)


@asynccontextmanager
async def put_back(
    folder: Path, hands: Hands | None = None
) -> AsyncIterator[tuple[Store, WitnessWithCodes]]:
    """Start a witness with the files of a folder."""
    store = await Store.open(folder / "node.db")
    try:
        yield store, await new_witness(store, hands)
    finally:
        await store.close()


async def test_a_restored_backup_opens_no_hour_that_began_before_once_and_twice(
    file: Store, tmp_path: Path
) -> None:
    """No key is in a backup, so homes enrol again; what they report again is not opened again."""
    hour = this_hour()
    homes = await enrolled(witness := await new_witness(file), 20)
    await copied(file, tmp_path, tmp_path / "backup", with_keys=False)
    await answers_of(witness, opening_of(homes[:10], hour))
    for n in range(2):
        again = Path(shutil.copytree(tmp_path / "backup", tmp_path / f"again {n}"))
        async with put_back(again) as (store, restored):
            assert await state_of(store) == SetBack(Evidence.KEYS, None)
            # With the first answer, the difference would be one home.
            attack = opening_of(homes[:11], hour, [*VALUES, 777])
            with pytest.raises(ResourceConstraint, check=says("set back")):
                await answers_of(restored, attack)
            await enrolled_again(restored, *homes)
            assert await answers_of(restored, attack) == GONE_BY
            assert await answers_of(restored, later(homes[:11])) == opens(11)
            await assert_opens_from_now(store)


async def test_a_database_that_was_restored_beside_its_keys_opens_no_earlier_hour(
    file: Store, tmp_path: Path
) -> None:
    hour = this_hour()
    homes = await enrolled(witness := await new_witness(file), 11)
    await copied(file, tmp_path, tmp_path / "copy", with_keys=False)
    await answers_of(witness, opening_of(homes[:10], hour))
    shutil.copy(tmp_path / FILE, tmp_path / "copy" / FILE)
    async with put_back(tmp_path / "copy") as (store, restored):
        assert await state_of(store) == SetBack(Evidence.DATABASE, None)
        # Their keys are there.
        await looked(restored, homes[0])
        await assert_opens_from_now(store)
        attack = opening_of(homes, hour, [*VALUES, 777])
        assert await answers_of(restored, attack) == GONE_BY
        assert await answers_of(restored, later(homes)) == opens(11)


async def test_a_database_that_was_restored_twice_beside_the_later_keys_opens_no_earlier_hour(
    file: Store, tmp_path: Path
) -> None:
    """Both of its states have no answer: what it lacks is the mark of the first set-back."""
    hour = this_hour()
    homes = await enrolled(witness := await new_witness(file), 11)
    await copied(file, tmp_path, tmp_path / "backup", with_keys=False)
    await answers_of(witness, opening_of(homes[:10], hour))
    again = Path(shutil.copytree(tmp_path / "backup", tmp_path / "again"))
    async with put_back(again) as (store, restored):
        await enrolled_again(restored, *homes)
    shutil.copy(again / FILE, tmp_path / "backup" / FILE)
    async with put_back(tmp_path / "backup") as (store, restored):
        assert await state_of(store) == SetBack(Evidence.DATABASE, None)
        await looked(restored, homes[0])
        attack = opening_of(homes, hour, [*VALUES, 777])
        assert await answers_of(restored, attack) == GONE_BY


async def test_keys_that_are_lost_meanwhile_open_no_earlier_hour(
    file: Store, tmp_path: Path
) -> None:
    """The witness goes on, and notices it by the next request of a home, which it refuses."""
    hour = this_hour()
    homes = await enrolled(witness := await new_witness(file), 11)
    (tmp_path / FILE).unlink()
    with pytest.raises(NotEnrolled):
        await looked(witness, homes[0])
    assert await state_of(file) == SetBack(Evidence.KEYS, None)
    await enrolled_again(witness, *homes)
    assert await answers_of(witness, opening_of(homes, hour, [*VALUES, 777])) == GONE_BY
    assert await answers_of(witness, later(homes)) == opens(11)
    back = await state_of(file)
    await new_witness(file)
    assert await state_of(file) == back


async def test_keys_that_are_lost_meanwhile_are_noticed_by_an_opening(
    file: Store, tmp_path: Path
) -> None:
    """The witness still has the keys in memory, and would answer under a secret that is new."""
    homes = await enrolled(witness := await new_witness(file))
    await answers_of(witness, opening_of(homes, this_hour() - HOURS))
    (tmp_path / FILE).unlink()
    await answers_of(witness, opening_of(homes, this_hour()))
    assert await state_of(file) == SetBack(Evidence.KEYS, None)


async def test_a_head_counts_all_answers_and_its_hash_is_over_each_of_them(file: Store) -> None:
    """Otherwise a witness that was set back could answer otherwise, and return to the same head."""
    answers = [bytes([n]) * 32 for n in range(3)]
    chain = bytes(32)
    for answer in answers:
        chain = sha256(chain + answer).digest()
    async with file.writing() as connection:
        await heads.begin(connection)
        for answer in answers:
            await heads.append(connection, answer)
        head = await heads.current(connection)
    assert (head.number, head.chain) == (3, chain)


async def test_a_folder_that_was_copied_back_opens_no_earlier_hour_once_a_home_has_looked(
    file: Store, tmp_path: Path
) -> None:
    """An image has database and keys of the same age, so only homes can show that it is old."""
    hour = this_hour()
    homes = await enrolled(witness := await new_witness(file), 11)
    await looked(witness, homes[9])
    await copied(file, tmp_path, tmp_path / "image", with_keys=True)
    await answers_of(witness, opening_of(homes[:10], hour))
    await looked(witness, homes[0])
    for n in range(2):
        image = Path(shutil.copytree(tmp_path / "image", tmp_path / f"image {n}"))
        async with put_back(image) as (store, restored):
            assert await state_of(store) is None
            # The heads that this home has seen are older than the image.
            await looked(restored, replace(homes[9]))
            assert await state_of(store) is None
            await looked(restored, homes[0])
            back = await state_of(store)
            assert back is not None
            assert back.evidence is Evidence.SHOWN
            attack = opening_of(homes, hour, [*VALUES, 777])
            assert await answers_of(restored, attack) == GONE_BY
            assert await answers_of(restored, later(homes)) == opens(11)
            # Heads from before the set-back prove nothing more.
            await looked(restored, homes[0])
            assert await state_of(store) == back


async def test_an_old_image_is_noticed_by_another_hash_of_the_same_number(
    file: Store, tmp_path: Path
) -> None:
    """Until a home asks, the witness may have answered as often as before."""
    homes = await enrolled(witness := await new_witness(file), 11)
    await copied(file, tmp_path, tmp_path / "image", with_keys=True)
    await answers_of(witness, opening_of(homes[:10], this_hour()))
    await looked(witness, homes[0])
    async with put_back(tmp_path / "image") as (store, restored):
        for n in (1, 2):
            await answers_of(restored, opening_of(homes[:10], this_hour() - n * HOURS))
        await looked(restored, homes[0])
        back = await state_of(store)
        assert back is not None
        assert back.evidence is Evidence.SHOWN


async def test_an_image_of_before_a_restored_backup_is_noticed(file: Store, tmp_path: Path) -> None:
    """Homes show the heads of both epochs."""
    homes = await enrolled(witness := await new_witness(file), 10)
    await copied(file, tmp_path, tmp_path / "image", with_keys=True)
    await answers_of(witness, opening_of(homes, this_hour() - HOURS))
    await looked(witness, homes[0])
    await copied(file, tmp_path, tmp_path / "backup", with_keys=False)
    async with put_back(tmp_path / "backup") as (store, restored):
        await enrolled_again(restored, *homes)
        assert await answers_of(restored, later(homes)) == opens(10)
        await looked(restored, homes[0])
    assert len(homes[0].heads) == 2
    async with put_back(tmp_path / "image") as (store, restored):
        with pytest.raises(NotEnrolled):
            await looked(restored, homes[0])
        assert await state_of(store) == SetBack(Evidence.SHOWN, None)


async def test_an_invalid_report_that_was_verified_is_noticed_too(
    file: Store, tmp_path: Path
) -> None:
    """Nothing was opened, but another verification under a second key would show bits."""
    hour = this_hour()
    homes = await enrolled(witness := await new_witness(file), 10)
    await copied(file, tmp_path, tmp_path / "image", with_keys=True)
    reports = [home.report(wh, hour) for home, wh in zip(homes, VALUES, strict=True)]
    (part, report), *others = reports
    wrong = (part._replace(verifier=encode([0, 0, 0, 0])), report)
    (answer,) = await answers_of(witness, Request((added("1", [wrong, *others]),), hour))
    assert isinstance(answer, RefusedHomes)
    await looked(witness, homes[1])
    async with put_back(tmp_path / "image") as (store, restored):
        await looked(restored, homes[1])
        back = await state_of(store)
        assert back is not None
        assert back.evidence is Evidence.SHOWN


@pytest.mark.parametrize("by", [timedelta(hours=-4), timedelta(hours=4), timedelta(days=3 * 365)])
async def test_a_wrong_clock_sets_no_mark_and_opens_nothing(
    file: Store, tmp_path: Path, by: timedelta
) -> None:
    """A slow clock would open hours twice; a fast one would close years."""
    hour, now = this_hour(), datetime.now(UTC)
    homes = await enrolled(witness := await new_witness(file), 11)
    await copied(file, tmp_path, tmp_path / "image", with_keys=True)
    await answers_of(witness, opening_of(homes[:10], hour))
    await looked(witness, homes[0])
    hands = Hands(now + by)
    async with put_back(tmp_path / "image", hands) as (store, restored):
        for home in homes[:2]:
            with pytest.raises(WrongTime):
                await looked(restored, home)
        assert await state_of(store) == SetBack(Evidence.SHOWN, None)
        with pytest.raises(ResourceConstraint):
            await answers_of(restored, opening_of(homes, hour, [*VALUES, 777]))
    hands.at = datetime.now(UTC)
    async with put_back(tmp_path / "image", hands) as (store, restored):
        await looked(restored, homes[1])
        back = await state_of(store)
        assert back is not None
        assert back.opens_from == hands.at
        attack = opening_of(homes, hour, [*VALUES, 777])
        assert await answers_of(restored, attack) == GONE_BY


async def test_an_unconfirmed_clock_sets_no_mark(file: Store, tmp_path: Path) -> None:
    """The clocks may agree by chance, or both be wrong. The home asks again soon."""
    homes = await enrolled(await new_witness(file), 1)
    async with file.writing() as connection:
        await heads.mark(connection, Evidence.DATABASE)
    offline = WitnessWithCodes(file, Hands(datetime.now(UTC)).clock(), [COLLECTIVE])
    await offline.begin()
    with pytest.raises(NotReady):
        await looked(offline, homes[0])
    assert await state_of(file) == SetBack(Evidence.DATABASE, None)
    await looked(await new_witness(file), homes[0])
    assert await state_of(file) != SetBack(Evidence.DATABASE, None)


async def test_a_head_that_is_made_up_or_of_another_witness_is_ignored(
    file: Store, tmp_path: Path
) -> None:
    """Otherwise any stranger could stop a witness by a made-up head."""
    homes = await enrolled(witness := await new_witness(file), 10)
    await answers_of(witness, opening_of(homes, this_hour()))
    await looked(witness, homes[0])
    ours = Head.read(homes[0].heads[0])
    stranger = Head.of(bytes(32), 1_000, bytes(32))
    for head in (
        stranger,
        ours._replace(number=1_000),
        ours._replace(chain=bytes(32)),
        ours._replace(number=1_000, mac=stranger.mac),
        stranger._replace(epoch=ours.epoch),
    ):
        await looked(witness, replace(homes[1], heads=(head.packed(),)))
        with pytest.raises(NotEnrolled):
            await looked(witness, EnrolledHome(heads=(head.packed(),)))
    assert await state_of(file) is None


@pytest.mark.parametrize("share", [0.0, 0.01, 0.4, 0.9])
async def test_a_torn_file_of_keys_opens_no_earlier_hour(
    file: Store, tmp_path: Path, share: float
) -> None:
    """A power cut in the middle of a write, on a disk that acknowledges before it writes."""
    hour = this_hour()
    homes = await enrolled(witness := await new_witness(file), 11)
    await answers_of(witness, opening_of(homes[:10], hour))
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: int(len(whole) * share)])
    restarted = await Store.open(tmp_path / "node.db")
    try:
        again = await new_witness(restarted)
        assert await state_of(restarted) == SetBack(Evidence.KEYS, None)
        await enrolled_again(again, *homes)
        assert await answers_of(again, later(homes)) == opens(11)
    finally:
        await restarted.close()


async def test_a_crash_between_answer_and_keys_is_no_set_back(file: Store, tmp_path: Path) -> None:
    """The database has the answer, and the file of keys does not have its head yet."""
    homes = await enrolled(witness := await new_witness(file), 10)
    before = (tmp_path / FILE).read_bytes()
    request = opening_of(homes, this_hour())
    answers = await answers_of(witness, request)
    (tmp_path / FILE).write_bytes(before)
    again = await new_witness(file)
    assert await answers_of(again, request) == answers
    assert await state_of(file) is None
