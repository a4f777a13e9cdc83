"""Somebody who makes up homes: a collective that wants to read one, or a stranger.

It knows all that a collective knows, pseudonyms of its members too, and asks the witness as homes
do, over HTTP. What it lacks are codes: the witness gives them to households that it knows.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from aiohttp import ClientResponse
import pytest

from consometers_node.collective.witness import register
from consometers_node.rate_limit import TokenBucket
from consometers_node.store import Store
from consometers_node.web.public.witness import WRONG_CODES
from consometers_node.wire.witness_requests import Call
from consometers_protected_sums.codes import LETTER_COUNT, LETTERS, draw
from consometers_protected_sums.exchange import OpenedSum, Refusal, RefusedHomes
from testing.clocks import Hands
from testing.pages.town import ReleasedTown, serving, settings
from testing.witnesses.enrolled import (
    COLLECTIVE,
    VALUES,
    EnrolledHome,
    WitnessWithCodes,
    answers_of,
    codes_for,
    new_witness,
    opening_of,
    this_hour,
    vouched,
)

UNLIMITED = 10**6
FAKES = 9


@dataclass
class World:
    """A witness, its pages behind a proxy, and a real home with a code."""

    site: ReleasedTown
    service: WitnessWithCodes
    hands: Hands
    real: EnrolledHome

    async def enrol(self, home: EnrolledHome, address: str = "192.0.2.1") -> ClientResponse:
        assert self.site.session is not None
        return await self.site.session.post(
            self.site.url / Call.ENROLMENTS.path[1:],
            json=home.enrolment().body(),
            headers={"X-Forwarded-For": address},
        )

    async def codes(self, count: int = 1, days: int = 90) -> list[str]:
        return [code for _, code in await codes_for(self.service.store, count, days=days)]

    async def homes(self) -> int:
        async with self.service.store.reading() as connection:
            (work,) = await register.overview(connection, (COLLECTIVE,), datetime.now(UTC))
        return work.homes


@pytest.fixture
async def world(file: Store, tmp_path: Path, socket_enabled: None) -> AsyncIterator[World]:
    hands = Hands(datetime.now(UTC))
    service = await new_witness(file, hands)
    town = ReleasedTown(file, settings(tmp_path, witness_for=(COLLECTIVE,)))
    real = EnrolledHome()
    await vouched(file, real)
    limits = TokenBucket(UNLIMITED, 1)
    async with serving(town, limits, lambda: datetime.now(UTC), witness=service) as site:
        world = World(site, service, hands, real)
        assert (await world.enrol(real)).status == 201
        yield world


def addresses() -> Sequence[str]:
    return [f"198.51.100.{n}" for n in range(1, 255)]


async def attack(world: World, fakes: list[EnrolledHome]) -> None:
    """Ask for the sum of made-up homes, whose values are known, and the real one."""
    hour = this_hour()
    asked = opening_of([*fakes, world.real], hour, VALUES)
    (answer,) = await answers_of(world.service, asked)
    assert isinstance(answer, RefusedHomes)
    assert answer.reason is Refusal.NOT_ENROLLED
    # Without them, the real one is alone.
    asked = opening_of([world.real], hour, VALUES[:1])
    (answer,) = await answers_of(world.service, asked)
    assert answer == RefusedHomes(Refusal.TOO_FEW, frozenset({world.real.pseudonym}))


async def test_nine_made_up_homes_do_not_open_a_real_one(world: World) -> None:
    """By codes that nobody has, that one home has, that were revoked, that expired."""
    revoked = await codes_for(world.service.store, FAKES)
    async with world.service.store.writing() as connection:
        for code, _ in revoked:
            await register.revoke(connection, code.id, datetime.now(UTC))
    expired = await world.codes(FAKES, days=1)
    world.hands.go_on(timedelta(days=1, minutes=1))
    for codes in (
        [draw() for _ in range(FAKES)],
        [world.real.code] * FAKES,
        [code for _, code in revoked],
        expired,
    ):
        fakes = [EnrolledHome(code=code) for code in codes]
        for n, fake in enumerate(fakes):
            assert (await world.enrol(fake, addresses()[n])).status == 422
        await attack(world, fakes)
    assert await world.homes() == 1


async def test_one_code_makes_one_home_under_however_many_names(world: World) -> None:
    """At once, one after the other, and after the home of it has left."""
    ((_, code),) = await codes_for(world.service.store)
    fakes = [EnrolledHome(code=code) for _ in range(FAKES)]
    answers = await asyncio.gather(
        *(world.enrol(fake, addresses()[n]) for n, fake in enumerate(fakes))
    )
    statuses = Counter(answer.status for answer in answers)
    assert statuses == {201: 1, 422: FAKES - 1}
    (first,) = [fake for fake, answer in zip(fakes, answers, strict=True) if answer.status == 201]
    await attack(world, [fake for fake in fakes if fake is not first] + [EnrolledHome()])
    await world.service.leave(first.signed(Call.DEPARTURES))
    assert (await world.enrol(EnrolledHome(code=code))).status == 422
    assert (await world.enrol(first)).status == 409
    assert await world.homes() == 1


async def test_a_code_takes_no_other_home_over(world: World) -> None:
    """The collective knows the pseudonym of the real home, and has got hold of a code."""
    ((_, spare),) = await codes_for(world.service.store)
    for taken in (replace(world.real, secret=bytes(32), code=code) for code in (spare, draw())):
        assert (await world.enrol(taken)).status == 422
    homes = [world.real]
    for _ in range(FAKES):
        home = EnrolledHome()
        await vouched(world.service.store, home)
        assert (await world.enrol(home)).status == 201
        homes.append(home)
    # Its key is still its own: ten real homes are opened, to the Wh.
    (answer,) = await answers_of(world.service, opening_of(homes, this_hour()))
    assert answer == OpenedSum(frozenset({"1"}), FAKES + 1, sum(VALUES))


async def test_codes_are_not_found_by_trying(world: World) -> None:
    """Ten tries of each address, of all at once: of the codes next to valid ones, too."""
    valid = await world.codes(3)
    chance = Random(1)

    def guess() -> EnrolledHome:
        letters = list(chance.choice(valid))
        place = chance.choice([n for n, letter in enumerate(letters) if letter != "-"])
        letters[place] = chance.choice([each for each in LETTERS if each != letters[place]])
        return EnrolledHome(code="".join(letters))

    tries = 3 * WRONG_CODES
    statuses: Counter[int] = Counter()
    bodies = set()
    for address in addresses()[:8]:
        answers = await asyncio.gather(*(world.enrol(guess(), address) for _ in range(tries)))
        statuses.update(answer.status for answer in answers)
        bodies |= {await answer.text() for answer in answers if answer.status == 422}
    assert statuses == {422: 8 * WRONG_CODES, 429: 8 * (tries - WRONG_CODES)}
    assert len(bodies) == 1
    # A network of a home has 2^64 addresses of IPv6, and ten tries.
    site = [f"2001:db8::{n:x}" for n in range(1, tries + 1)]
    answers = await asyncio.gather(*(world.enrol(guess(), address) for address in site))
    assert Counter(answer.status for answer in answers)[422] == WRONG_CODES
    # A valid code does not end the wait of an address that guesses; elsewhere it enrols.
    assert (await world.enrol(EnrolledHome(code=valid[0]), addresses()[0])).status == 429
    assert (await world.enrol(EnrolledHome(code=valid[0]), addresses()[9])).status == 201
    assert await world.homes() == 2
    # With a million addresses, each with six tries an hour, and ten thousand valid codes.
    years = len(LETTERS) ** LETTER_COUNT / 10_000 / (1e6 * 6) / (24 * 365)
    assert years > 1e9
