"""Attackers of one half of a protected sum: a thief of its data, a collective that cheats.

Neither half has an hour of a home in any form but masked, and none gets at it by asking otherwise.
"""

from datetime import UTC, datetime, timedelta
import logging
from pathlib import Path
from random import Random

import pytest

from consometers_node.store import Store
from consometers_node.wire.witness_requests import Call
from consometers_protected_sums.exchange import OpenedSum, Refusal, RefusedHomes
from consometers_protected_sums.field import MODULUS
from consometers_protected_sums.keys import DayKey
from consometers_protected_sums.reports import (
    Report,
    Verification,
    measurement,
    share,
)
from packages.protected_sums.tests.homes import (
    NOON,
    TODAY,
    VERIFICATION_KEY,
    added,
    masks_of,
    verifier_of,
)
from testing.collectives.masked import MaskedTown, answered
from testing.databases.fixtures import Place
from testing.databases.sql import plain
from testing.hostile.sums import HOUR, RefusingWitness, forged, proven
from testing.traces import Values
from testing.witnesses.enrolled import Request, answers_of, enrolled, new_witness, this_hour

AT = datetime(2026, 7, 15, 6, tzinfo=UTC)
HOURS = 5
OVER = AT + timedelta(hours=HOURS + 4)
HOMES = 12
TRIES = 20_000


def found(values: Values, place: Place) -> list[str]:
    """Return the traces of homes' hours in a database: its rows, and SQLite's files."""
    with plain(place) as database:
        traces = values.found_in_rows(database.everything())
    if isinstance(place, Path):
        for file in place.parent.glob(f"{place.name}*"):
            traces += values.found_in(file)
    return traces


def in_log(values: Values, log: pytest.LogCaptureFixture, folder: Path) -> list[str]:
    file = folder / "node.log"
    file.write_text(log.text)
    return values.found_in(file)


def hours_of_homes() -> list[list[int]]:
    """Return the hours of each home, in Wh: all different, and none that anything else is."""
    values = Random(34).sample(range(20_000, 36_000), HOMES * HOURS)
    return [values[n::HOMES] for n in range(HOMES)]


async def test_no_store_and_no_log_of_a_collective_has_an_hour_of_a_home(
    place: Place, store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """While reports wait, once they are asked for and opened, and where one is invalid."""
    caplog.set_level(logging.DEBUG)
    hours = hours_of_homes()
    truth = Values(hours)
    async with store.writing() as connection:
        town = MaskedTown(connection, at=OVER)
        homes = await town.masked_homes(HOMES)
        for home, values in zip(homes, hours, strict=True):
            assert await town.push(home.jid, town.reports(home, values, AT)) is None
        lie = proven([*measurement(hours[0][0])[:-1], 0])
        assert await town.push(homes[0].jid, forged(town, homes[0], lie, AT)) is None
    witness, moments = RefusingWitness(town), 0
    is_news = True
    while is_news:
        async with store.writing() as connection:
            town.connection = connection
            is_news = await town.close(OVER)
        assert found(truth, place) == []
        await answered(store, witness)
        assert found(truth, place) == []
        moments += 1
    assert moments > HOURS
    assert in_log(truth, caplog, tmp_path) == []
    async with store.writing() as connection:
        town.connection = connection
        sums = [sum(values) for values in zip(*hours, strict=True)]
        sums[0] -= hours[0][0]
        assert (await town.shown())[AT.hour : AT.hour + HOURS] == sums
        # The same search finds hours that members let it read one by one.
        (read,) = await town.members(1)
        await town.record(read, [wh for home in hours for wh in home][:24])
    assert found(truth, place)


async def test_no_store_and_no_log_of_a_witness_has_an_hour_of_a_home(
    place: Place, store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Once sums are opened, and where a report is invalid, a sum dominated, a request repeated."""
    caplog.set_level(logging.DEBUG)
    hours = hours_of_homes()
    truth = Values(hours)
    witness = await new_witness(store)
    homes, now = await enrolled(witness, HOMES), this_hour()
    for n, values in enumerate(zip(*hours, strict=True)):
        hour = now - n * HOUR
        reports = [home.report(wh, hour) for home, wh in zip(homes, values, strict=True)]
        part, report = reports[0]
        lying = added("1", [(part._replace(verifier=bytes(32)), report), *reports[1:]])
        (answer,) = await answers_of(witness, Request((lying,), hour))
        assert isinstance(answer, RefusedHomes)
        assert answer.reason is Refusal.INVALID
        request = Request((added("1", reports[1:]),), hour)
        for _ in range(2):
            (answer,) = await answers_of(witness, request)
            assert answer == OpenedSum(frozenset({"1"}), HOMES - 1, sum(values[1:]))
    await witness.forget()
    for home in homes:
        await witness.look(home.signed(Call.OPENINGS))
    await witness.leave(homes[0].signed(Call.DEPARTURES))
    assert found(truth, place) == in_log(truth, caplog, tmp_path) == []


def halves(random: Random) -> tuple[list[int], list[int], Verification]:
    """Return the verifiers of a collective and its witness for a report, and what decides."""
    key = DayKey(TODAY, random.randbytes(32))
    verification = Verification(random.randbytes(32), NOON.direction, NOON.hour)
    report = Report.of(random.randrange(36_001), NOON, key, random.randbytes(32))
    masks = masks_of(key.secret, NOON, report.nonce)
    of_report = verifier_of(share(report.masked), verification)
    return of_report, verifier_of(masks, verification), verification


def shifted(verifier: list[int], by: tuple[int, int, int, int]) -> list[int]:
    return [(element + shift) % MODULUS for element, shift in zip(verifier, by, strict=True)]


def fitting(left: int, right: int, by: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the shift of a proof that stays valid, where these are its wires."""
    of_left, of_right = by
    return 0, of_left, of_right, (of_left * right + of_right * left + of_left * of_right) % MODULUS


def test_a_collective_that_shifts_its_shares_is_accepted_where_it_knows_the_wires_alone() -> None:
    """A shift that passes would show something of the wires; of so many, none passes."""
    random = Random(5)
    accepted = 0
    for n in range(TRIES):
        if n % 100 == 0:
            ours, theirs, verification = halves(random)
            assert verification.decide(ours, theirs)
            left, right = ((a + b) % MODULUS for a, b in zip(ours[1:3], theirs[1:3], strict=True))
            by = random.randrange(1, MODULUS), random.randrange(MODULUS)
            # The witness itself could distinguish them: both halves together.
            assert verification.decide(shifted(ours, fitting(left, right, by)), theirs)
        small = random.choice([1, 2, MODULUS - 1, 1 << 32])
        by = random.choice([(small, 0), (0, small), (small, small), (random.getrandbits(63), 1)])
        guess = random.choice(
            [
                # The forger guesses that a wire is 0, or its own share, or anything.
                fitting(0, 0, by),
                fitting(ours[1], ours[2], by),
                fitting(random.randrange(MODULUS), random.randrange(MODULUS), by),
                # The forger shifts one wire alone, or the validity alone.
                (0, *by, 0),
                (0, 0, 0, small),
                (small, 0, 0, 0),
            ]
        )
        accepted += verification.decide(shifted(ours, guess), theirs)
    assert accepted == 0


def test_a_collective_that_alters_a_masked_report_is_accepted_by_chance_alone() -> None:
    """It knows no element, so it can neither move a value nor test one."""
    random, accepted = Random(6), 0
    for _ in range(50):
        key = DayKey(TODAY, random.randbytes(32))
        verification = Verification(VERIFICATION_KEY, NOON.direction, NOON.hour)
        report = Report.of(random.randrange(36_001), NOON, key, random.randbytes(32))
        masks = masks_of(key.secret, NOON, report.nonce)
        elements, of_masks = share(report.masked), verifier_of(masks, verification)
        assert verification.decide(verifier_of(elements, verification), of_masks)
        for _ in range(20):
            altered = list(elements)
            for place in random.sample(range(len(altered)), random.randint(1, 5)):
                altered[place] = (altered[place] + random.randrange(1, MODULUS)) % MODULUS
            accepted += verification.decide(verifier_of(altered, verification), of_masks)
    assert accepted == 0
