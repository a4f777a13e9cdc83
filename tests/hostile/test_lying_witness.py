"""A witness that changed its program: it has the keys of all homes, and lies to its collective.

With the sums of two sets of homes that differ by one, it would read that home. It names valid homes
as invalid, before and after it has sums, answers nothing, or falsely, and is asked by the
collective's real code, over a real database. It keeps all that it is sent, and computes all that it
can from it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
import json
import logging
from random import Random

import pytest

from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.publication.closing.openings import (
    sums_to_open,
    verifications,
    without,
)
from consometers_node.store import Store
from consometers_node.store.collective.masked_reports import (
    StoredOpening,
    openings,
    reports_of_hour,
)
from consometers_protected_sums.exchange import OpenedSum, Refusal, RefusedHomes, RefusedSum
from consometers_protected_sums.field import MODULUS
from consometers_protected_sums.reports import Subject, outputs
from consometers_quoalise import ResourceConstraint
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation.protected_sums import (
    Opened,
    Opening,
    VerificationRequest,
    Verified,
    write_verification,
)
from packages.protected_sums.tests.homes import masks_of
from testing.collectives.masked import COLLECTIVE, AskedWitness, MaskedHome, MaskedTown, answered
from testing.collectives.publishing import CONSUMPTION

AT = datetime(2026, 7, 15, 6, tzinfo=UTC)
HOURS = 12
OVER = AT + timedelta(hours=HOURS + 4)
AREAS = {"Lorient": 5, "Lanester": 4}
HOMES = sum(AREAS.values())
SEEDS = range(4)


@dataclass
class Keys:
    """What a witness computes of all that it is sent, with its keys alone."""

    homes: dict[str, MaskedHome]
    groups: dict[str, list[dict[str, int]]] = field(default_factory=dict)
    """Of each verification: the masks of the homes of each group."""
    hours: dict[str, datetime] = field(default_factory=dict)
    sums: dict[datetime, dict[frozenset[str], int]] = field(default_factory=dict)
    """Of each hour: the sums of sets of homes that it knows, in Wh."""

    def verification(self, request: VerificationRequest) -> None:
        subject = Subject(COLLECTIVE, CONSUMPTION, request.hour)
        self.hours[request.id] = request.hour
        self.groups[request.id] = [
            {
                home: outputs(masks_of(self.homes[home].key.on(day).secret, subject, nonce))[0]
                for home, day, nonce, _ in group.parts
            }
            for group in request.groups
        ]

    def opening(self, opening: Opening) -> None:
        cells = [
            (frozenset(masks), (sent.masked + sum(masks.values())) % MODULUS)
            for masks, sent in zip(self.groups[opening.id], opening.sums, strict=True)
        ]
        sums = self.sums.setdefault(self.hours[opening.id], {})
        for count in range(1, len(cells) + 1):
            for some in combinations(cells, count):
                union = frozenset[str]().union(*(homes for homes, _ in some))
                sums[union] = sum(wh for _, wh in some)

    def read(self) -> list[tuple[datetime, str, int]]:
        """Return each hour of a home that is the difference of two sums."""
        return [
            (hour, home, most - less)
            for hour, sums in self.sums.items()
            for homes, most in sums.items()
            for others, less in sums.items()
            if others < homes and len(homes - others) == 1
            for home in homes - others
        ]

    def sets(self) -> list[int]:
        """Return the number of openings of each hour, the same one again counted once."""
        return [len({*sums}) for sums in self.sums.values()]


type Answering = Callable[[Liar], Awaitable[None]]


class Liar(AskedWitness):
    """A witness that computes what it can, and answers as its lie says."""

    def __init__(self, store: Store, town: MaskedTown) -> None:
        super().__init__(town.witness(), OVER.date())
        self.keys = Keys(town.homes)
        self.sent: dict[datetime, set[str]] = {}
        """Of each hour: the requests whose sums came."""
        self._store = store

    async def verify_reports(self, collective: str, request: VerificationRequest) -> Verified:
        self.keys.verification(request)
        refused = self.refused(request)
        verified = await super().verify_reports(collective, request)
        return verified if refused is None else replace(verified, refused=tuple(refused))

    async def open_sums(self, collective: str, opening: Opening) -> Opened:
        # A collective that stops here knows that the sums have left.
        async with self._store.reading() as connection:
            (stored,) = await openings(connection, unanswered=True)
        assert stored.sums_sent
        self.keys.opening(opening)
        self.sent.setdefault(self.keys.hours[opening.id], set()).add(opening.id)
        return self.opened(await super().open_sums(collective, opening))

    def refused(self, request: VerificationRequest) -> list[RefusedHomes] | None:
        """Return the homes that it names falsely; None where it answers honestly."""
        return None

    def opened(self, honest: Opened) -> Opened:
        return honest

    def has_sums(self, request: VerificationRequest) -> bool:
        return bool(self.sent.get(request.hour))


def named(request: VerificationRequest, *places: int) -> list[RefusedHomes]:
    """Return a refusal of homes that are valid."""
    homes = [part.pseudonym for group in request.groups for part in group.parts]
    return [RefusedHomes(Refusal.INVALID, frozenset(homes[place] for place in places))]


class Before(Liar):
    """It names one valid home after the other, before it has any sum."""

    def refused(self, request: VerificationRequest) -> list[RefusedHomes] | None:
        homes = sum(len(group.parts) for group in request.groups)
        return named(request, 0) if homes > HOMES - 3 else None


class After(Liar):
    """It takes the sums and answers nothing; asked again, it names a valid home."""

    def refused(self, request: VerificationRequest) -> list[RefusedHomes] | None:
        return named(request, 0) if self.has_sums(request) else None

    def opened(self, honest: Opened) -> Opened:
        raise ResourceConstraint


class AfterWithoutNames(After):
    """It takes the sums, and refuses all homes when it is asked again."""

    def refused(self, request: VerificationRequest) -> list[RefusedHomes] | None:
        return [RefusedHomes(Refusal.OPENED_BEFORE)] if self.has_sums(request) else None


class AfterAnotherNumber(After):
    """It answers with a sum of one home less, then names that home."""

    def opened(self, honest: Opened) -> Opened:
        answers = tuple(
            replace(answer, homes=answer.homes - 1) if isinstance(answer, OpenedSum) else answer
            for answer in honest.answers
        )
        return replace(honest, answers=answers)


class Refusing(Liar):
    """It takes the sums, and says that they stay closed because of a home."""

    def opened(self, honest: Opened) -> Opened:
        groups = frozenset(group for answer in honest.answers for group in answer.groups)
        return replace(honest, answers=(RefusedSum(groups, Refusal.INVALID),))


LIES = [Before, After, AfterWithoutNames, AfterAnotherNumber, Refusing]


async def town_in(store: Store, hours: int = 1) -> MaskedTown:
    """Return a town whose homes have reported, with its first hour asked for."""
    async with store.writing() as connection:
        town = MaskedTown(connection, at=OVER)
        for area, count in AREAS.items():
            for home in await town.masked_homes(count, area):
                values = [town.random.randint(300, 400) for _ in range(hours)]
                await town.report([home], values, AT)
        await town.close(OVER)
    return town


async def published(store: Store, town: MaskedTown, liar: Liar) -> None:
    """Have the collective ask, and close what is due, until nothing is left."""
    is_news = True
    while is_news:
        await answered(store, liar)
        async with store.writing() as connection:
            town.connection = connection
            is_news = await town.close(OVER)


@pytest.mark.parametrize("lie", LIES)
async def test_a_witness_that_lies_reads_no_home(
    file: Store, lie: type[Liar], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    town = await town_in(file)
    liar = lie(file, town)
    await published(file, town, liar)
    assert liar.sent
    assert liar.keys.read() == []
    assert {len(ids) for ids in liar.sent.values()} == {1}
    async with file.reading() as connection:
        town.connection = connection
        closed = await town.closed_hour(AT, protected=True)
        shown = await town.shown()
    opens = lie is Before
    assert closed.reason == (None if opens else Reason.NOT_OPENED)
    assert any(shown) is opens
    assert ("of an hour whose sums it had received" in caplog.text) is issubclass(lie, After)


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_a_witness_answers_the_sums_of_one_set_of_homes_leave_for_an_hour(
    file: Store, seed: int
) -> None:
    """It lies as the dice say; the collective is restarted between the hours."""

    class Dice(Liar):
        def __init__(self, store: Store, town: MaskedTown) -> None:
            super().__init__(store, town)
            self.random = Random(seed)

        def refused(self, request: VerificationRequest) -> list[RefusedHomes] | None:
            homes = range(sum(len(group.parts) for group in request.groups))
            match self.random.randrange(12):
                case 0 | 1:
                    return named(request, self.random.choice(homes))
                case 2:
                    return named(request, *self.random.sample(homes, 2))
                case 3:
                    return [RefusedHomes(self.random.choice([*Refusal]))]
                case 4:
                    return [RefusedHomes(Refusal.INVALID, frozenset({"nobody"}))]
                case 5 | 6:
                    raise ResourceConstraint
                case _:
                    return None

        def opened(self, honest: Opened) -> Opened:
            match self.random.randrange(6):
                case 0 | 1 | 2:
                    raise ResourceConstraint
                case 3:
                    return replace(honest, answers=())
                case 4:
                    return replace(honest, id="another")
                case _:
                    return honest

    town = await town_in(file, HOURS)
    liar = Dice(file, town)
    await published(file, town, liar)
    assert len(liar.sent) > HOURS // 2
    assert liar.keys.read() == []
    assert {len(ids) for ids in liar.sent.values()} == {1}


async def openings_of(store: Store) -> tuple[StoredOpening, StoredOpening]:
    """Return an opening, and what a collective would ask without its first home."""
    async with store.reading() as connection:
        (stored,) = await openings(connection)
        reports = await reports_of_hour(connection, stored.direction, stored.start)
    first = reports[0].permission
    less = without(stored, {first}, reports)
    assert less is not None
    return stored, less


async def test_with_the_sums_of_two_sets_a_witness_would_read_the_difference(file: Store) -> None:
    """The same search finds it: this is what the sums of one set alone prevent."""
    town = await town_in(file)
    keys = Keys(town.homes)
    for stored in await openings_of(file):
        for request in verifications(stored):
            keys.verification(request)
        assert keys.read() == []
        for opening in sums_to_open(stored):
            keys.opening(opening)
    assert {300 <= wh <= 400 for *_, wh in keys.read()} == {True}


async def test_a_verification_says_nothing_of_the_sums(file: Store) -> None:
    """Neither does its id, by which a witness that knows all else would try sums."""
    await town_in(file)
    stored, _ = await openings_of(file)
    written = json.loads(stored.groups)
    for group in written["groups"]:
        group[2:] = [hex(7), hex(8)]
    other = replace(stored, groups=json.dumps(written))
    assert sums_to_open(other) != sums_to_open(stored)
    assert verifications(other) == verifications(stored)
    sent = b"".join(serialise(write_verification(part)) for part in verifications(stored))
    for opening in sums_to_open(stored):
        for each in opening.sums:
            assert f"{each.masked:016x}".encode() not in sent
